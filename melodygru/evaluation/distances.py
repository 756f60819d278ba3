"""How far two sets of melodies lie apart: Yang & Lerch 2018, "On the evaluation of generative models in music".

For every statistic, the distances between the melodies of one set (intra-set) and those between melodies of the two
sets (inter-set) are each smoothed to a density; if the sets are alike, so are the densities.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.stats import entropy, gaussian_kde

from melodygru.network.arrays import FloatArray
from melodygru.records import dataclass

_PAIRS = 4000
"""Pairs of melodies that are compared, at most."""
_POINTS = 512


@dataclass(frozen=True)
class SetDistance:
    """What separates two sets in one statistic.

    Attributes:
        intra_one, intra_two, inter: mean Euclidean distance of two melodies of the first, of the second, of each one.
        divergence: Kullback-Leibler, in nats, of the inter-set density from the first set's; 0 for equal ones.
        overlap: area that the two densities have in common, in [0, 1]; 1 for equal ones.
    """

    intra_one: float
    intra_two: float
    inter: float
    divergence: float
    overlap: float


def set_distance(one: FloatArray, two: FloatArray, seed: int = 0) -> SetDistance:
    """Compare two sets, (N, D) and (M, D), of a statistic of D numbers; N and M at least 2, no NaN."""
    random = np.random.default_rng(seed)
    first, second, between = _intra(one, random), _intra(two, random), _inter(one, two, random)
    divergence, overlap = compare_densities(first, between)
    return SetDistance(float(first.mean()), float(second.mean()), float(between.mean()), divergence, overlap)


def compare_densities(one: FloatArray, two: FloatArray) -> tuple[float, float]:
    """Kullback-Leibler divergence, in nats, of `two`'s density from `one`'s, and the area they share.

    Densities are Gaussian kernel estimates (Scott's rule) of samples (N,) and (M,), on one common grid. Samples without
    any spread have no density: equal ones then give 0 and 1, others infinity and 0.
    """
    if np.ptp(one) == 0 or np.ptp(two) == 0:
        equal = np.ptp(one) == np.ptp(two) and one[0] == two[0]
        return (0.0, 1.0) if equal else (float("inf"), 0.0)
    grid = np.linspace(min(one.min(), two.min()), max(one.max(), two.max()), _POINTS)
    p, q = (gaussian_kde(sample)(grid) + 1e-12 for sample in (one, two))
    p, q = p / p.sum(), q / q.sum()
    return float(entropy(p, q)), float(np.minimum(p, q).sum())


def _intra(one: FloatArray, random: np.random.Generator) -> FloatArray:
    rows, columns = np.triu_indices(len(one), 1)
    return _distances(one, one, rows, columns, random)


def _inter(one: FloatArray, two: FloatArray, random: np.random.Generator) -> FloatArray:
    rows, columns = (index.ravel() for index in np.indices((len(one), len(two))))
    return _distances(one, two, rows, columns, random)


def _distances(
    one: FloatArray,
    two: FloatArray,
    rows: npt.NDArray[np.intp],
    columns: npt.NDArray[np.intp],
    random: np.random.Generator,
) -> FloatArray:
    if len(rows) > _PAIRS:
        chosen = random.choice(len(rows), _PAIRS, replace=False)
        rows, columns = rows[chosen], columns[chosen]
    distances: FloatArray = np.linalg.norm(one[rows] - two[columns], axis=1)
    return distances
