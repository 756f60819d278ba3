"""Can one tell generated melodies from people's? The classifier two-sample test (Lopez-Paz & Oquab 2017).

A classifier learns to tell two sets apart, and is judged on melodies that it has not seen: the area under its ROC
curve (AUC) is the probability that it ranks one of each rightly. 0.5 is chance: nothing that it can see tells them
apart; 1 is perfect.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import starmap

import numpy as np
from scipy.stats import rankdata
from sklearn.base import ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_curve
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from melodygru.network.arrays import FloatArray, IntArray
from melodygru.records import dataclass
from melodygru.system.processes import by_processes

FOLDS = 10
_DRAWS = 500


@dataclass(frozen=True)
class TwoSample:
    """How well a classifier tells the sets apart.

    Attributes:
        auc: in [0, 1]; 0.5 is chance.
        low, high: its 95 % interval, by resampling pieces (groups).
        roc: points (false positive rate, true positive rate) of the curve, each in [0, 1].
    """

    auc: float
    low: float
    high: float
    roc: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Feature:
    """One feature by itself.

    Attributes:
        auc: of telling people's melodies by a higher value; 0.5: it tells nothing.
        people, generated: its means.
    """

    name: str
    auc: float
    people: float
    generated: float

    @property
    def tells(self) -> float:
        """How much it gives away, in [0, 0.5]."""
        return abs(self.auc - 0.5)


def boosted() -> ClassifierMixin:
    """Gradient-boosted trees: see combinations of features. NaN is a value like another."""
    return HistGradientBoostingClassifier(
        max_iter=150, learning_rate=0.05, max_leaf_nodes=8, min_samples_leaf=10, l2_regularization=1.0, random_state=0
    )


def logistic() -> ClassifierMixin:
    """Logistic regression on standardised features; a NaN is the feature's mean."""
    return make_pipeline(
        SimpleImputer(keep_empty_features=True), StandardScaler(), LogisticRegression(C=0.05, max_iter=2000)
    )


Learn = Callable[[IntArray, IntArray], FloatArray]
"""Given indices of melodies to learn from, and of others: scores of those, higher for what is like people's."""


class FeatureLearner:
    """A classifier that learns from features; see `Learn`."""

    def __init__(self, make: Callable[[], ClassifierMixin], table: FloatArray, people: IntArray):
        """`table` (N, features), `people` (N,) 1 for people's melodies, 0 for generated ones."""
        self._make, self._table, self._people = make, table, people

    def __call__(self, train: IntArray, test: IntArray) -> FloatArray:
        """Scores of those of `test`."""
        table = self._table
        # Columns of one value, or of none, tell nothing, and scikit-learn 1.9 cannot bin them.
        various = np.array([len(np.unique(column[~np.isnan(column)])) > 1 for column in table[train].T])
        if not various.any():
            return np.zeros(len(test))
        # More threads would wait for one another: where a core is busy, they take ten times as long.
        with threadpool_limits(1):
            classifier = self._make().fit(table[train][:, various], self._people[train])
            scores: FloatArray = classifier.predict_proba(table[test][:, various])[:, 1]
        return scores


def cross_validate(
    tests: Mapping[str, tuple[Learn, int]],
    people: IntArray,
    groups: IntArray,
    seed: int = 0,
    jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, TwoSample]:
    """Cross-validate several classifiers: AUC of the scores that each finds, every melody being in one fold.

    Args:
        tests: of each, by name, how it learns, and how many folds; fewer where there are fewer groups.
        people: (N,) 1 for people's melodies, 0 for generated ones.
        groups: (N,) melodies of one group (a people's tune, and what was written like it) are in one fold.
        seed: of the folds and the resamples.
        jobs: processes, to which the learners are sent where there are several.
        progress: told how many folds are done, and of how many.
    """
    calls = []
    for name, (_, folds) in tests.items():
        splitter = StratifiedGroupKFold(min(folds, len(np.unique(groups))), shuffle=True, random_state=seed)
        calls += [(name, *split) for split in splitter.split(np.zeros((len(people), 1)), people, groups)]
    work = _Learners({name: learn for name, (learn, _) in tests.items()})
    learned = by_processes(work, calls, jobs) if jobs > 1 else starmap(work, calls)
    scores = {name: np.zeros(len(people)) for name in tests}
    for number, ((name, _, test), found) in enumerate(zip(calls, learned, strict=True), 1):
        # Ranks within a fold, since another fold's classifier may put its scores elsewhere.
        scores[name][test] = rankdata(found) / len(test)
        if progress is not None:
            progress(number, len(calls))
    return {name: _judged(people, of_one, groups, seed) for name, of_one in scores.items()}


class _Learners:
    """Several by name, to be sent to processes."""

    def __init__(self, learners: Mapping[str, Learn]):
        self._learners = learners

    def __call__(self, name: str, train: IntArray, test: IntArray) -> FloatArray:
        return self._learners[name](train, test)


def _judged(people: IntArray, scores: FloatArray, groups: IntArray, seed: int) -> TwoSample:
    low, high = _interval(people, scores, groups, seed)
    false, true, _ = roc_curve(people, scores)
    curve = tuple(zip(false.round(4).tolist(), true.round(4).tolist(), strict=True))
    return TwoSample(_auc(people, scores), low, high, curve)


def _auc(people: IntArray, scores: FloatArray) -> float:
    """The area under the ROC curve: how often one of people's (1) has the higher score, of all pairs with another (0).

    Of ranks, after Mann & Whitney (1947): what scikit-learn finds from the curve, in a tenth of the time.
    """
    ones = int(people.sum())
    ranks = rankdata(scores)[people == 1]
    return float((ranks.sum() - ones * (ones + 1) / 2) / (ones * (len(people) - ones)))


def _interval(people: IntArray, scores: FloatArray, groups: IntArray, seed: int) -> tuple[float, float]:
    """Percentiles of the AUC over resamples of the groups."""
    random = np.random.default_rng(seed)
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    found = []
    for _ in range(_DRAWS):
        chosen = np.concatenate([members[i] for i in random.integers(0, len(members), len(members))])
        if 0 < people[chosen].sum() < len(chosen):
            found.append(_auc(people[chosen], scores[chosen]))
    low, high = np.percentile(found, [2.5, 97.5]).tolist()
    return low, high


def giveaways(names: Sequence[str], table: FloatArray, people: IntArray) -> list[Feature]:
    """Every feature by itself, those that tell the most first."""
    found = []
    for column, name in enumerate(names):
        known = ~np.isnan(table[:, column])
        values, labels = table[known, column], people[known]
        if 0 < labels.sum() < len(labels):
            means = (float(values[labels == side].mean()) for side in (1, 0))
            found.append(Feature(name, _auc(labels, values), *means))
    return sorted(found, key=lambda feature: -feature.tells)
