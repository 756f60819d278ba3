"""The tempo of somebody who plays without a clock, from the onsets alone; and a clock that keeps to that player.

A tempo is right if the onsets are in phase with its beats and their halves and quarters, weighed by how usual it is:
people tap near 110 to the minute (van Noorden & Moelants 1999, whose curve is taken for a log-normal one). Afterwards
the clock is an oscillator that each onset pulls a little (Large & Kolen 1994).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from melodygru.live.clock import InternalClock
from melodygru.music.theory import STEPS_PER_QUARTER

USUAL, SPREAD = 110.0, 0.9
"""The commonest tempo, and the standard deviation around it in octaves: measured, see docs/decisions.md."""
CANDIDATES = np.exp(np.linspace(math.log(50), math.log(200), 278))
"""Tempos that are weighed, half a percent apart."""
LEVELS = ((1, 0.5), (2, 1.0), (4, 1.0))
"""Parts of a beat, and what it counts that onsets are on them."""
LEAST_ONSETS, LEAST_SECONDS = 6, 1.5
"""So much must be heard before a tempo is."""
_PULL, _PULL_TEMPO = 0.15, 0.02
"""By how much of its distance from the nearest half beat an onset moves the clock, and its tempo a beat."""
_GRID = STEPS_PER_QUARTER // 2
_NEAR = 4.0
"""Steps from a half beat beyond which an onset is no sign of where that is."""


def tempo_of(onsets: Sequence[float]) -> float | None:
    """Quarters a minute of onsets in seconds, in order, the first on a beat; None if they are too few."""
    if len(onsets) < LEAST_ONSETS or onsets[-1] - onsets[0] < LEAST_SECONDS:
        return None
    times = np.asarray(onsets) - onsets[0]
    scores = np.zeros(len(CANDIDATES))
    for parts, weight in LEVELS:
        turns = np.outer(CANDIDATES / 60 * parts, times)
        # The first onset says where beats are, so it is the part in phase that counts.
        scores += weight * np.cos(2 * math.pi * turns).mean(axis=1)
    usual = np.exp(-0.5 * (np.log2(CANDIDATES / USUAL) / SPREAD) ** 2)
    return float(CANDIDATES[int(((scores + sum(weight for _, weight in LEVELS)) * usual).argmax())])


class PlayerClock:
    """Begins with the player's first note once the tempo of the first few is clear, and then keeps to the player.

    Attributes:
        onsets: seconds of the notes before it ran.
    """

    def __init__(self, qpm: float = USUAL):
        self._inner = InternalClock(qpm, 0.0)
        self.onsets: list[float] = []
        self.running = False
        self.settled = True  # it begins when the tempo is clear

    @property
    def qpm(self) -> float:
        """Quarters a minute."""
        return self._inner.qpm

    def step_at(self, now: float) -> float:
        """The position at that second, in steps; 0 before it runs."""
        return self._inner.step_at(now) if self.running else 0.0

    def time_of(self, step: float) -> float:
        """The second at which a step comes."""
        return self._inner.time_of(step)

    def struck(self, now: float) -> None:
        """The player has begun a note at that second."""
        if self.running:
            step = self._inner.step_at(now)
            error = step - round(step / _GRID) * _GRID
            if abs(error) <= _NEAR:
                period = 60 / self.qpm / STEPS_PER_QUARTER
                self._inner = InternalClock(
                    min(max(self.qpm * (1 - _PULL_TEMPO * error / STEPS_PER_QUARTER), 30.0), 300.0),
                    now + _PULL * error * period,
                    step,
                )
            return
        if self.onsets and now - self.onsets[-1] > 60 / CANDIDATES[0] * 4:
            self.onsets.clear()  # a bar of silence at the slowest: that was something else
        if self.onsets and now - self.onsets[-1] < 0.03:
            return  # a chord
        self.onsets.append(now)
        qpm = tempo_of(self.onsets[-64:])
        if qpm is not None:
            self._inner = InternalClock(qpm, self.onsets[0])
            self.running = True
