"""Paths of chords through a melody's beats: how likely each chord is in each beat, and the path that is right longest.

What is likeliest as a whole keeps chords too long, since each change costs certainty. So chords are chosen by how likely
each is in its beat, all paths considered (the forward-backward algorithm; Rabiner 1989), for as many right beats as can
be expected, a right root alone counting too, less a little for each change. Time and memory grow as the beats.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from melodygru.arranging.chord_network import QUALITY_COUNT, ChordScores
from melodygru.arranging.repeats import in_common
from melodygru.network.arrays import BoolArray, FloatArray, IntArray

ROOT_SHARE = 0.5
"""What a right root counts, in [0, 1]; a right chord counts the rest, too. Chosen on pieces that are watched."""
CHANGE_COST = 0.03
"""Right beats that a change has to bring: G7 that is as likely as G is no reason to write both."""
_TINY = 1e-300


def expected_right(
    scores: ChordScores, wishes: FloatArray, free: BoolArray, alike: Sequence[IntArray] = ()
) -> FloatArray:
    """(T, S) how much of each beat is likely right with each state, in [0, 1]; -inf for what may not be.

    Args:
        scores: of T beats and S states.
        wishes: (T, S) or (S,), added to the states' scores; -inf for what may not be.
        free: (T,), whether the chord may change on a beat; the first counts for nothing.
        alike: beats that are to have the same chords, as far as may be; see `melodygru.arranging.repeats`.
    """
    chances = in_common(posterior(scores, wishes, free), alike)
    of_roots = chances.reshape(len(chances), -1, QUALITY_COUNT).sum(2).repeat(QUALITY_COUNT, axis=1)
    right = (1 - ROOT_SHARE) * chances + ROOT_SHARE * of_roots
    return np.where(np.isneginf(wishes), -np.inf, right)


def posterior(scores: ChordScores, wishes: FloatArray, free: BoolArray) -> FloatArray:
    """(T, S) how likely each state is in each beat; arguments as of `expected_right`."""
    seen = scores.states + wishes
    shares = np.exp(seen - seen.max(1, keepdims=True))
    powers, own = np.exp(scores.moves), np.exp(scores.moves.diagonal())
    kept = np.exp(scores.stays)
    ahead, back = np.empty_like(shares), np.ones_like(shares)
    ahead[0] = shares[0] / shares[0].sum()
    for at in range(1, len(shares)):
        before = ahead[at - 1]
        moved = before @ powers + before * own * (kept[at] - 1) if free[at] else before * own * kept[at]
        ahead[at] = np.maximum(moved * shares[at], 0)
        ahead[at] /= max(ahead[at].sum(), _TINY)
    for at in range(len(shares) - 1, 0, -1):
        after = back[at] * shares[at]
        moved = powers @ after + after * own * (kept[at] - 1) if free[at] else after * own * kept[at]
        back[at - 1] = np.maximum(moved, 0)
        back[at - 1] /= max(back[at - 1].max(), _TINY)
    both = ahead * back
    return np.asarray(both / np.maximum(both.sum(1, keepdims=True), _TINY))


def best_path(right: FloatArray, free: BoolArray) -> IntArray:
    """(T,) the states that are worth most, `right` being as `expected_right` gives it; Viterbi's algorithm (1967)."""
    stay = np.arange(right.shape[1])
    came = np.empty(right.shape, np.int16)
    best = right[0]
    for at in range(1, len(right)):
        source = int(best.argmax())
        changed = best[source] - CHANGE_COST if free[at] else -np.inf
        came[at] = np.where(best >= changed, stay, source)
        best = np.maximum(best, changed) + right[at]
    path = np.empty(len(right), np.int64)
    path[-1] = best.argmax()
    for at in range(len(right) - 1, 0, -1):
        path[at - 1] = came[at, path[at]]
    return path


def worth(right: FloatArray, path: IntArray) -> float:
    """What a path is worth: the beats that are likely right, less `CHANGE_COST` for each change."""
    changes = np.count_nonzero(path[1:] != path[:-1])
    return float(right[np.arange(len(path)), path].sum() - CHANGE_COST * changes)


def nats_of_path(scores: ChordScores, path: IntArray) -> float:
    """The negative logarithm of a path's probability among all paths."""
    powers, own = np.exp(scores.moves), np.exp(scores.moves.diagonal())
    shares, total = scores.states[0], 0.0
    for at in range(1, len(scores.states)):
        top = shares.max()
        before = np.exp(shares - top)
        moved = before @ powers + before * own * (np.exp(scores.stays[at]) - 1)
        shares = np.log(np.maximum(moved, _TINY)) + scores.states[at]
        total += top
    total += np.logaddexp.reduce(shares)
    return float(total - _score(scores, path))


def _score(scores: ChordScores, path: IntArray) -> float:
    """The sum of what speaks for a path."""
    stays = scores.stays[1:][path[1:] == path[:-1]].sum()
    moves = scores.moves[path[:-1], path[1:]].sum()
    return float(scores.states[np.arange(len(path)), path].sum() + moves + stays)
