"""The best paths of chords through a melody's beats, exactly, and others that differ from them.

Viterbi's algorithm (1967); further ones by penalties on what earlier ones have (Batra et al. 2012, "Diverse M-Best
Solutions"). Time and memory grow as the beats.
"""

from __future__ import annotations

import numpy as np

from melodygru.arranging.chord_network import ChordScores
from melodygru.network.arrays import BoolArray, FloatArray, IntArray


def best_path(scores: ChordScores, wishes: FloatArray, free: BoolArray) -> IntArray:
    """(T,) the states that score highest.

    Args:
        scores: of T beats and S states.
        wishes: (T, S), added to the states' scores; -inf for what may not be.
        free: (T,), whether the chord may change on a beat; the first counts for nothing.
    """
    seen = scores.states + wishes
    count, states = seen.shape
    own = scores.moves.diagonal()
    came = np.empty((count, states), np.int16)
    best, keep, moved = seen[0], np.arange(states), np.empty((states, states))
    for at in range(1, count):
        if free[at]:
            np.add(best[:, None], scores.moves, out=moved)
            moved[keep, keep] += scores.stays[at]
            came[at] = moved.argmax(0)
            best = moved[came[at], keep] + seen[at]
        else:
            came[at] = keep
            best = best + own + scores.stays[at] + seen[at]
    path = np.empty(count, np.int64)
    path[-1] = best.argmax()
    for at in range(count - 1, 0, -1):
        path[at - 1] = came[at, path[at]]
    return path


def score_of(scores: ChordScores, path: IntArray) -> float:
    """The sum of what speaks for a path."""
    stays = scores.stays[1:][path[1:] == path[:-1]]
    return float(
        scores.states[np.arange(len(path)), path].sum() + scores.moves[path[:-1], path[1:]].sum() + stays.sum()
    )


def log_total(scores: ChordScores) -> float:
    """The logarithm of the summed powers of all paths' scores: nats of a path are this less its own score."""
    powers, own = np.exp(scores.moves), np.exp(scores.moves.diagonal())
    summed, total = scores.states[0], 0.0
    for at in range(1, len(scores.states)):
        top = summed.max()
        shares = np.exp(summed - top)
        moved = shares @ powers + shares * own * (np.exp(scores.stays[at]) - 1)
        summed = np.log(moved) + scores.states[at]
        total += top
    top = summed.max()
    return float(total + top + np.log(np.exp(summed - top).sum()))
