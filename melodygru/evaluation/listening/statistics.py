"""What ratings say: means with intervals, differences, equivalence, agreement, and who was taken for a machine.

Every figure is meant for other listeners and other melodies than these. So both are samples: a difference has a
standard error over listeners and one over seats, and its variance is the sum of both, with Satterthwaite's degrees of
freedom. That is min F' of Clark ("The language-as-fixed-effect fallacy", Journal of Verbal Learning and Verbal Behavior
12, 1973), as a t. It asks for more than is needed rather than less.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import stats

from melodygru.records import dataclass

FloatArray = npt.NDArray[np.float64]

LEVEL = 0.95
"""Of intervals; what is left is the level of the tests."""
MARGIN = 0.5
"""Points on a scale of seven within which two systems are called equivalent, where no margin is given: half a step."""


@dataclass(frozen=True)
class Estimate:
    """A mean, with the bounds of its interval; `p` that it differs from the value it was tested against."""

    mean: float
    low: float
    high: float
    p: float


@dataclass(frozen=True)
class Difference:
    """How much higher the first system is rated than the second.

    Attributes:
        first, second: the systems.
        estimate: the difference, for other listeners and melodies; its p is not corrected.
        p_holm: that p, corrected for all differences that were tested together.
        p_signed_rank: Wilcoxon's signed-rank test of the listeners' own differences, for other listeners but these
            melodies; corrected likewise.
        p_equivalence: of two one-sided tests: that the difference is not within the margin.
    """

    first: str
    second: str
    estimate: Estimate
    p_holm: float
    p_signed_rank: float
    p_equivalence: float


def estimate(values: FloatArray, against: float = 0.0) -> Estimate:
    """The mean of (listeners, seats) values, NaN where there is none, for other listeners and other seats.

    With fewer than two listeners or seats the interval is NaN.
    """
    mean, error, freedom = _error(values)
    if not error > 0:
        certain = error == 0
        p = (1.0 if mean == against else 0.0) if certain else np.nan
        return Estimate(mean, mean if certain else np.nan, mean if certain else np.nan, p)
    reach = float(stats.t.ppf(0.5 + LEVEL / 2, freedom)) * error
    p = 2 * float(stats.t.sf(abs(mean - against) / error, freedom))
    return Estimate(mean, mean - reach, mean + reach, p)


def equivalence(values: FloatArray, margin: float) -> float:
    """The p of two one-sided tests (TOST) that the mean of (listeners, seats) values is not within +-`margin`.

    Schuirmann, "A comparison of the two one-sided tests procedure and the power approach", Journal of Pharmacokinetics
    and Biopharmaceutics 15, 1987.
    """
    mean, error, freedom = _error(values)
    inside = margin - abs(mean)
    if not error > 0:
        return (0.0 if inside > 0 else 1.0) if error == 0 else float("nan")
    return float(stats.t.sf(inside / error, freedom))


def _error(values: FloatArray) -> tuple[float, float, float]:
    """Mean, standard error over listeners and seats together, degrees of freedom."""
    values = values[~np.isnan(values).all(axis=1)][:, ~np.isnan(values).all(axis=0)]
    if not values.size:
        return float("nan"), float("nan"), float("nan")
    mean = float(np.nanmean(values))
    if min(values.shape) < 2:
        return mean, float("nan"), float("nan")
    squares = [float(np.nanmean(values, axis=axis).var(ddof=1)) / values.shape[1 - axis] for axis in (1, 0)]
    total = sum(squares)
    within = sum(square**2 / (values.shape[axis] - 1) for axis, square in enumerate(squares))
    return mean, total**0.5, total**2 / within if within else 1.0


def signed_rank(differences: FloatArray) -> float:
    """Wilcoxon's p of (listeners, seats) differences, each listener's mean taken as one; 1 where all are 0."""
    of_listeners = np.nanmean(differences[~np.isnan(differences).all(axis=1)], axis=1)
    return float(stats.wilcoxon(of_listeners).pvalue) if len(of_listeners) and of_listeners.any() else 1.0


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected so that the chance of any false alarm among them all keeps to the level; NaN stays.

    Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics 6, 1979.
    """
    known = sorted((p, place) for place, p in enumerate(p_values) if not np.isnan(p))
    found, highest = [float("nan")] * len(p_values), 0.0
    for rank, (p, place) in enumerate(known):
        highest = max(highest, min(1.0, p * (len(known) - rank)))
        found[place] = highest
    return found


def krippendorff_alpha(ratings: FloatArray) -> float:
    """Agreement of (listeners, items) ratings, NaN where there is none: 1 all alike, 0 as by chance; interval scale.

    Krippendorff, Content Analysis (4th edition, 2019), 12. NaN where nothing can be compared.
    """
    shared = ratings[:, (~np.isnan(ratings)).sum(axis=0) >= 2]
    count = int((~np.isnan(shared)).sum())
    if count < 2:
        return float("nan")
    raters = (~np.isnan(shared)).sum(axis=0)
    within = float((np.nanvar(shared, axis=0) * raters * raters / (raters - 1)).sum()) / count
    overall = float(np.nanvar(shared)) * count / (count - 1)
    return 1 - within / overall if overall else float("nan")


@dataclass(frozen=True)
class Told:
    """How often a model was told from people.

    Attributes:
        machine: how often the model's melodies were called a machine's, of `heard`.
        heard: answers about the model's melodies.
        low, high: interval of that share, by the binomial distribution (Clopper and Pearson, 1934).
        right: the mean of the shares of right answers about the model's melodies and about people's: 0.5 is guessing,
            whatever somebody calls more often; over listeners and seats, p against 0.5.
        p_binomial: that as many listeners are more often right than wrong by guessing alone.
    """

    machine: int
    heard: int
    low: float
    high: float
    right: Estimate
    p_binomial: float


def told(model: FloatArray, human: FloatArray) -> Told:
    """From (listeners, seats) answers each, 1 "a machine", 0 "a person", NaN none."""
    machine, heard = int(np.nansum(model)), int((~np.isnan(model)).sum())
    share = stats.binomtest(machine, heard).proportion_ci(LEVEL) if heard else None
    right = (model + 1 - human) / 2
    of_listeners = np.nanmean(right[~np.isnan(right).all(axis=1)], axis=1)
    more, decided = int((of_listeners > 0.5).sum()), int((of_listeners != 0.5).sum())
    return Told(
        machine,
        heard,
        share.low if share else float("nan"),
        share.high if share else float("nan"),
        estimate(right, 0.5),
        float(stats.binomtest(more, decided).pvalue) if decided else 1.0,
    )
