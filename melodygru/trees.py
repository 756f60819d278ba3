"""Binary decision trees over arrays: from the features of many things at once to the leaves that they come to."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.integer]
Floats = npt.NDArray[np.floating]


def leaves(
    rows: Floats, feature: Integers, threshold: Floats, below: Integers, above: Integers, roots: Integers
) -> npt.NDArray[np.intp]:
    """The leaf, a node's number, to which each of M rows comes in each of R trees.

    Args:
        rows: (M, F) features.
        feature: (N,) which one each of the N nodes asks for; -1 for a leaf.
        threshold: (N,) up to it, inclusive, a node leads to `below`, else to `above`.
        below, above: (N,) node numbers, larger than the node's own, so that every way ends.
        roots: (R,) where each tree begins.

    Returns:
        (M, R).
    """
    at = np.broadcast_to(roots.astype(np.intp), (len(rows), len(roots)))
    numbers = np.arange(len(rows))[:, None]
    while (asked := feature[at] >= 0).any():
        further = np.where(rows[numbers, np.maximum(feature[at], 0)] <= threshold[at], below[at], above[at])
        at = np.where(asked, further, at)
    return at
