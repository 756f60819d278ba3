"""The beats of free playing: what was played without a click fits no grid of ticks, and has its own.

`fits_no_grid` tells such notes; `track` finds where each of them stands on a grid of quarters, however the tempo goes.
It is a hidden Markov model (see Raphael 2002; Temperley 2007, chapter 2): the state is a place within the quarter and
the tempo, the step to the next state is how long a note is written and how much the tempo changes meanwhile, and what
is seen is how long it lasts. The likeliest path is found by dynamic programming (Viterbi), twice: the second time with
what the first has told of this player's rhythms.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from melodygru.music.theory import STEPS_PER_QUARTER

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

MOST_TRACKED = 4000
"""Notes up to which beats are tracked: bounds time and memory."""
FEWEST_TRACKED = 8
"""Notes from which on it is tried."""
FREE, FREE_IN_SPITE = 6.0, 3.0
"""Rayleigh's statistic below which notes fit no grid; and where a file states its metre. Of the 300
tunes in `data/`, those played to a click, 30 ms off, are below in 0.7 % and none; those played with a rubato of 10 %
in 93 and 70 %, of 25 % in 99 and 77 %."""
_PERIODS = (24, 12, 8, 6, 2)
"""Steps of grids that notes may fit."""
PLACES = (0, 6, 8, 12, 16, 18)
"""Steps of a quarter at which notes are looked for."""
LASTING: dict[int, dict[int, float]] = {
    0: {6: 0.031, 8: 0.004, 12: 0.207, 18: 0.035, 24: 0.177, 36: 0.029, 48: 0.045, 60: 0.003, 72: 0.012, 96: 0.012},
    6: {6: 0.032, 12: 0.002, 18: 0.003},
    12: {6: 0.038, 9: 0.002, 12: 0.225, 18: 0.003, 24: 0.023, 36: 0.007},
    18: {6: 0.072, 12: 0.001, 18: 0.001},
    8: {4: 0.001, 8: 0.004, 16: 0.001},
    16: {4: 0.001, 8: 0.004, 16: 0.0005},
}
"""Of each place, how often notes there are followed after so many steps: shares of notes in 3,000 tunes that may be
learned from; the longest stands for all that are longer."""
_LONGEST = 96
_RARE = 1e-6
_FASTEST, _SLOWEST, _TEMPI = 0.22, 1.6, 80
"""Seconds a quarter, and how many between them are told apart: 2.5 % from each to the next."""
_USUAL, _SPREAD = 60 / 118.5, 0.32
"""Seconds a quarter in the same tunes (geometric mean), and the standard deviation of its logarithm."""
_DRIFT = 0.05
"""Standard deviation of how much the logarithm of the tempo changes in half a second."""
_OFF = 0.03
"""The same of a note's length, in seconds."""
_LIKE_OTHERS = 30.0
"""Notes of other tunes that count beside the player's own, the second time."""
_LEAST = 0.02
"""Seconds a note lasts at least, for what is as good as none."""


class Tracked(NamedTuple):
    """Where notes stand: (N,) `steps` from a quarter's beginning, rising; `periods`: (N,) seconds a quarter there."""

    steps: IntArray
    periods: FloatArray


def fits_no_grid(onsets: Sequence[float], stated: bool) -> bool:
    """Whether onsets, in steps of the file, lie anywhere on every grid. `stated`: the file says its metre.

    Rayleigh's test (Mardia & Jupp, Directional Statistics, 6.3): n R² of the onsets as angles is exponential with mean
    one where they are spread evenly.
    """
    if not FEWEST_TRACKED <= len(onsets) <= MOST_TRACKED:
        return False
    turns = np.asarray(onsets, np.float64)[:, None] / np.array(_PERIODS)
    found = len(onsets) * np.abs(np.exp(2j * np.pi * turns).mean(0)) ** 2
    return bool(found.max() < (FREE_IN_SPITE if stated else FREE))


def track(seconds: Sequence[float]) -> Tracked:
    """The beats of notes that begin at these seconds, in order; two at least."""
    lasting = np.maximum(np.diff(np.asarray(seconds, np.float64)), _LEAST)
    shares = np.full((STEPS_PER_QUARTER, _LONGEST + 1), _RARE)
    for place, following in LASTING.items():
        shares[place, list(following)] += list(following.values())
    first, _ = _path(lasting, shares)
    own = np.zeros_like(shares)
    np.add.at(own, (first[:-1] % STEPS_PER_QUARTER, np.diff(first).clip(1, _LONGEST)), 1)
    return Tracked(*_path(lasting, _LIKE_OTHERS * shares / shares.sum() + own))


def _path(lasting: FloatArray, shares: FloatArray) -> tuple[IntArray, FloatArray]:
    """The likeliest steps and periods of notes that last so many seconds each, but for the last."""
    periods = np.geomspace(_FASTEST, _SLOWEST, _TEMPI)
    between = float(np.log(periods[1] / periods[0]))
    places = np.array(PLACES)
    following = np.log(shares / shares.sum(1, keepdims=True))
    score = np.log(shares.sum(1) / shares.sum())[places][:, None] - 0.5 * (np.log(periods / _USUAL) / _SPREAD) ** 2
    back: list[tuple[IntArray, IntArray, IntArray]] = []
    for each in lasting.tolist():
        steps = _written(each / periods, places)
        off = (each - steps * periods / STEPS_PER_QUARTER) / _OFF
        seen = following[places[:, None, None], steps.clip(1, _LONGEST)] - 0.5 * off**2
        before, before_at = _after_drift(score, _DRIFT * max(2 * each, 0.1) ** 0.5 / between)
        both = before[:, None, :] + seen
        origin = both.argmax(0)
        score = np.take_along_axis(both, origin[None], 0)[0]
        back.append((origin, np.take_along_axis(before_at, origin, 0), np.take_along_axis(steps, origin[None], 0)[0]))
    place, tempo = np.unravel_index(int(score.argmax()), score.shape)
    written, tempi = [], [tempo]
    for origin, from_tempo, steps in reversed(back):
        written.append(int(steps[place, tempo]))
        place, tempo = origin[place, tempo], from_tempo[place, tempo]
        tempi.append(tempo)
    return places[place] + np.cumsum([0, *written[::-1]]), periods[np.array(tempi[::-1])]


def _written(quarters: FloatArray, places: IntArray) -> IntArray:
    """(from, to, tempi) the steps nearest to so many quarters that lead from each place to each other one."""
    apart = (places[None, :] - places[:, None])[:, :, None] % STEPS_PER_QUARTER
    steps = np.rint(quarters - apart / STEPS_PER_QUARTER).astype(np.int64) * STEPS_PER_QUARTER + apart
    return np.asarray(np.where(steps <= 0, steps + STEPS_PER_QUARTER, steps))


def _after_drift(score: FloatArray, spread: float) -> tuple[FloatArray, IntArray]:
    """(places, tempi) the best score of each tempo after a change of so many tempi, and from which of them."""
    reach = max(1, min(8, int(np.ceil(3 * spread))))
    changes = np.arange(-reach, reach + 1)
    padded = np.pad(score, ((0, 0), (reach, reach)), constant_values=-np.inf)
    near = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=1) - 0.5 * (changes / spread) ** 2
    chosen = near.argmax(2)
    best = np.take_along_axis(near, chosen[..., None], 2)[..., 0]
    return best, np.arange(score.shape[1])[None, :] + chosen - reach
