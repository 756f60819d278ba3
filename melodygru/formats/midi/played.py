"""Played notes on the grid: the likeliest places for onsets that lie near theirs rather than on them.

What a player meant is told by all of a file together: how far onsets are off, at which places of a quarter this piece
has its notes, and which lengths lead there. Places are found by dynamic programming (Viterbi), the rest from the places
in turn, a few rounds of that: hard expectation maximisation of a hidden Markov model, as Takeda, Otsuki, Saito, Nakai,
Shimodaira & Sagayama (2002) have it for rhythm, with onsets measured from the beat rather than from each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from melodygru.music.theory import STEPS_PER_QUARTER

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

PLACES = {0: 0.564, 12: 0.299, 18: 0.076, 6: 0.038, 16: 0.006, 8: 0.006, 21: 0.003, 9: 0.003, 20: 0.002, 4: 0.001,
          15: 0.0005, 3: 0.0003}  # fmt: skip
"""Shares of onsets at each step of a quarter, in 2,000 tunes that may be learned from."""
_THIRDS = PLACES | {8: PLACES[18], 16: PLACES[18], 6: PLACES[8], 18: PLACES[8]}
LENGTHS = {12: 0.425, 24: 0.206, 6: 0.175, 48: 0.047, 18: 0.04, 36: 0.036, 96: 0.014, 8: 0.013, 72: 0.013, 3: 0.008,
           4: 0.006, 60: 0.0045, 9: 0.004, 16: 0.002, 84: 0.001, 30: 0.001, 42: 0.001, 54: 0.001}  # fmt: skip
"""Shares of steps from one onset to the next, in the same tunes; the longest stands for all that are longer."""
_THIRD_LENGTHS = LENGTHS | {8: LENGTHS[6], 16: LENGTHS[18], 6: LENGTHS[8], 18: LENGTHS[16]}
"""The same two of music in triplets."""
_LONGEST = max(LENGTHS)
_RARE = 1e-5
"""Of what no tune has there."""
_LIKE_OTHERS, _LIKE_ITSELF = 20.0, 8.0
"""Notes of other tunes that count beside a file's own: for places and lengths, and for lengths that lead to a place."""
_SPREAD = 1.5
"""Standard deviation that is begun with, in steps: 30 ms at 120 quarters a minute; wider ones smear sixteenths."""
_LEAST_SPREAD = 0.5
_USUAL_SPREAD, _AS_MANY = 3.0, 4
"""Of few notes it cannot be told: so many are added that are so far off."""
_REACH = 3.2
"""Standard deviations within which a note's place is looked for."""
_CHOICES = 8
"""Places that are looked at for each note, at most."""
_ROUNDS = 4
_LEARNED_FROM = 1000
"""Notes at a file's beginning that tell how it is played."""
_PLAINLY = 4.0
"""Nats by which thirds must be likelier: they are rare."""
_FEW = 0.05
"""Share of notes between eighths up to which thirds are not thought of."""
_NEVER = -1e9


def places_of(onsets: Sequence[float]) -> list[int]:
    """The step of each onset: rising, one to a note.

    `onsets`: in steps from a beat that is right or nearly so, in order; one at least.
    """
    given = np.asarray(onsets, np.float64)
    habits = _learned(given[:_LEARNED_FROM], PLACES, LENGTHS)
    if habits.uneven:
        # Who plays thirds seems to play dotted notes, to one who begins with what is usual.
        thirds = _learned(given[:_LEARNED_FROM], _THIRDS, _THIRD_LENGTHS)
        habits = thirds if thirds.worth > habits.worth + _PLAINLY else habits
    return [int(place) for place in _likeliest(given - habits.phase, habits)[0]]


class _Habits(NamedTuple):
    """How a file is played.

    Attributes:
        phase, spread: mean and standard deviation of how late its onsets are, in steps.
        shares: (24,) of places.
        leading: (24, lengths) shares of places with the lengths that lead there.
        worth: log-likelihood of the onsets at their likeliest places, up to a constant.
        uneven: whether notes are between eighths, more than a few.
    """

    phase: float
    spread: float
    shares: FloatArray
    leading: FloatArray
    worth: float = 0.0
    uneven: bool = False


def _learned(onsets: FloatArray, of_places: dict[int, float], of_lengths: dict[int, float]) -> _Habits:
    """The habits of a file, from these shares of places and lengths on."""
    places, lengths = _shares(of_places, STEPS_PER_QUARTER), _shares(of_lengths, _LONGEST + 1)
    habits = _Habits(0.0, _SPREAD, places, np.outer(places, lengths))
    for _ in range(_ROUNDS):
        found, worth = _likeliest(onsets - habits.phase, habits)
        off = onsets - found
        phase = float(off.mean())
        extra = _AS_MANY * _USUAL_SPREAD**2
        spread = max(_LEAST_SPREAD, float(np.sqrt((((off - phase) ** 2).sum() + extra) / (len(off) + _AS_MANY))))
        uneven = bool((found % (STEPS_PER_QUARTER // 2) != 0).mean() > _FEW)
        worth -= len(onsets) * float(np.log(habits.spread))
        habits = _Habits(phase, spread, *_own(found, places, lengths), worth, uneven)
    return habits


def _shares(of_some: dict[int, float], size: int) -> FloatArray:
    found = np.full(size, _RARE)
    found[list(of_some)] += list(of_some.values())
    return np.asarray(found / found.sum())


def _own(found: IntArray, places: FloatArray, lengths: FloatArray) -> tuple[FloatArray, FloatArray]:
    """(24,) shares of places and (24, lengths) of places with the lengths that lead there, in this piece."""
    steps = np.diff(found).clip(1, _LONGEST)
    own_places = np.bincount(found % STEPS_PER_QUARTER, minlength=STEPS_PER_QUARTER)
    own_lengths = np.bincount(steps, minlength=_LONGEST + 1)
    shares = (_LIKE_OTHERS * places + own_places) / (_LIKE_OTHERS + len(found))
    usual = (_LIKE_OTHERS * lengths + own_lengths) / (_LIKE_OTHERS + len(steps))
    together = np.zeros((STEPS_PER_QUARTER, _LONGEST + 1))
    np.add.at(together, (found[1:] % STEPS_PER_QUARTER, steps), 1)
    of_place = together.sum(1, keepdims=True)
    return shares, shares[:, None] * (_LIKE_ITSELF * usual + together) / (_LIKE_ITSELF + of_place)


def _likeliest(onsets: FloatArray, habits: _Habits) -> tuple[IntArray, float]:
    """(N,) the likeliest places together, each later than the one before wherever that can be; and how likely."""
    size = len(onsets)
    there = _near(onsets)
    off = (onsets[:, None] - there) / habits.spread
    cost = np.where(np.abs(off) <= max(_REACH, float(np.abs(off).min(1).max())), -0.5 * off**2, _NEVER)
    steps = there[1:, None, :] - there[:-1, :, None]
    worth = np.log(habits.leading)[there[1:, None, :] % STEPS_PER_QUARTER, steps.clip(1, _LONGEST)]
    worth = np.where(steps > 0, worth, _NEVER)
    score = cost[0] + np.log(habits.shares)[there[0] % STEPS_PER_QUARTER]
    back = np.zeros((size, there.shape[1]), np.int64)
    columns = np.arange(there.shape[1])
    for note in range(1, size):
        through = worth[note - 1] + score[:, None]
        back[note] = through.argmax(0)
        score = through[back[note], columns] + cost[note]
    chosen, worth_of_all = int(score.argmax()), float(score.max())
    found = np.empty(size, np.int64)
    for note in range(size - 1, -1, -1):
        found[note] = there[note, chosen]
        chosen = int(back[note, chosen])
    return found, worth_of_all


def _near(onsets: FloatArray) -> IntArray:
    """(N, choices) the nearest places of the grid to each onset."""
    usual = np.array(sorted(PLACES))
    quarters = np.floor(onsets / STEPS_PER_QUARTER).astype(np.int64)
    around = np.concatenate([usual + turn * STEPS_PER_QUARTER for turn in (-1, 0, 1)])
    within = onsets - quarters * STEPS_PER_QUARTER
    order = np.argsort(np.abs(around[None, :] - within[:, None]), axis=1, kind="stable")[:, :_CHOICES]
    return np.asarray(np.sort(around[order] + quarters[:, None] * STEPS_PER_QUARTER, axis=1))
