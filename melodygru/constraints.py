"""Which events may come next: small objects that each forbid something.

A constraint looks at where B melodies stand (`Progress`) and returns a mask, True where an event is
legal. All masks are combined before anything is drawn, so top-k and top-p choose among legal events
only. `Bars` holds for every melody and alone never leaves a melody without a legal event.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from melodygru.theory import STEPS_PER_QUARTER
from melodygru.tokenizer import END, REST, TIE

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]

_TRIPLET = STEPS_PER_QUARTER // 3


@dataclass
class Progress:
    """Where B melodies stand; all arrays are (B,).

    Attributes:
        onset: steps from the beginning of the grid to the event due.
        length: steps to the end of the last bar.
        bar_steps: steps of a bar.
        tonic: pitch class of the key's tonic.
        reference: the last pitch that sounded, -1 if none yet.
        sounding: whether the event before was a note (or its tie), so that a tie may follow.
        resting: whether the event before was a rest.
    """

    onset: IntArray
    length: IntArray
    bar_steps: IntArray
    tonic: IntArray
    reference: IntArray
    sounding: BoolArray
    resting: BoolArray


class Constraint(Protocol):
    """One rule about the next event."""

    def durations(self, progress: Progress, size: int) -> BoolArray:
        """(B, size): which durations are legal; index 0 is END."""

    def pitches(self, progress: Progress, durations: IntArray, size: int) -> BoolArray:
        """(B, size): which pitch classes are legal with the durations (B,) chosen."""


def _all(rows: int, size: int) -> BoolArray:
    return np.ones((rows, size), np.bool_)


class Bars:
    """Exactly the bars asked for: nothing passes the last bar line, and END comes where nothing is left.

    END stands for the silence up to the bar line. It is legal only when that silence is no longer than
    `silence` of a bar (0: the last event ends on the bar line), and never before the first note.
    """

    def __init__(self, silence: float = 0.0):
        self.silence = silence

    def durations(self, progress: Progress, size: int) -> BoolArray:
        """Durations that end by the last bar line."""
        left = (progress.length - progress.onset)[:, None]
        legal = np.arange(size)[None, :] <= left
        may_end = (left[:, 0] <= self.silence * progress.bar_steps) & (progress.reference >= 0)
        legal[:, END] = may_end | (left[:, 0] <= 0)
        return legal

    def pitches(self, progress: Progress, durations: IntArray, size: int) -> BoolArray:
        """No rest that lasts to the end while nothing has sounded: a melody has at least one note."""
        legal = _all(len(durations), size)
        fills = (progress.reference < 0) & (progress.onset + durations >= progress.length)
        legal[fills, REST] = False
        return legal


class EndsHome:
    """The last note is the key's tonic, in any octave, and lasts `shortest` steps or more.

    A melody that is not there yet does not end. `shortest` is at most a bar; without it, a melody that had not
    meant to end would be given its tonic as a last sixteenth.
    """

    def __init__(self, shortest: int = 1):
        self.shortest = shortest

    def durations(self, progress: Progress, size: int) -> BoolArray:
        """END only after the tonic; other events end where the last note still has room, or with it."""
        left = (progress.length - progress.onset)[:, None] - np.arange(size)[None, :]
        legal = (left >= self.shortest) | (left == 0)
        legal[:, END] = _at_home(progress) | (progress.onset >= progress.length)
        return legal

    def pitches(self, progress: Progress, durations: IntArray, size: int) -> BoolArray:
        """The tonic for an event that lasts to the end; or a rest or tie, if the note before is the tonic."""
        classes = np.arange(size)[None, :]
        home = np.where(classes < REST, classes % 12 == progress.tonic[:, None], _at_home(progress)[:, None])
        return home | (progress.onset + durations < progress.length)[:, None]


def _at_home(progress: Progress) -> BoolArray:
    return (progress.reference >= 0) & (progress.reference % 12 == progress.tonic)


class WellFormed:
    """Ties only after a sounding note, no two rests in a row, and the first note within the first bar."""

    def durations(self, progress: Progress, size: int) -> BoolArray:
        """Any duration."""
        return _all(len(progress.onset), size)

    def pitches(self, progress: Progress, durations: IntArray, size: int) -> BoolArray:
        """No tie after a rest, no rest after a rest, no first rest of a bar or more."""
        legal = _all(len(durations), size)
        legal[~progress.sounding, TIE] = False
        too_late = (progress.reference < 0) & (progress.onset + durations >= progress.bar_steps)
        legal[progress.resting | too_late, REST] = False
        return legal


class Grid:
    """Onsets and durations with a plain name: multiples of `straight` steps, and triplets that fill a quarter.

    Every bar must be a multiple of `straight`, so that the last bar line can be reached.
    """

    def __init__(self, straight: int = 6, triplets: bool = True):
        self.straight = straight
        self.triplets = triplets

    def durations(self, progress: Progress, size: int) -> BoolArray:
        """Durations from one place of the grid to another; within a triplet, those that stay in it."""
        onset = progress.onset[:, None]
        ends = onset + np.arange(size)[None, :]
        legal = ends % self.straight == 0
        if self.triplets:
            position = onset % progress.bar_steps[:, None]
            quarter_ends = onset - position % STEPS_PER_QUARTER + STEPS_PER_QUARTER
            # Where a bar ends with part of a quarter (7/8), a triplet would cross the bar line and leave the grid.
            fits = quarter_ends <= onset - position + progress.bar_steps[:, None]
            within = fits & (position % _TRIPLET == 0) & (ends <= quarter_ends)
            triplet = within & ((ends - quarter_ends) % _TRIPLET == 0)
            # Off the straight grid there is no way on but the triplet's own.
            legal = np.where(onset % self.straight == 0, legal | triplet, triplet)
        legal[:, END] = True
        return legal

    def pitches(self, progress: Progress, durations: IntArray, size: int) -> BoolArray:
        """Any pitch."""
        return _all(len(durations), size)


class PitchRange:
    """Pitches in the half-open range [low, high)."""

    def __init__(self, low: int, high: int):
        self.low = low
        self.high = high

    def durations(self, progress: Progress, size: int) -> BoolArray:
        """Any duration."""
        return _all(len(progress.onset), size)

    def pitches(self, progress: Progress, durations: IntArray, size: int) -> BoolArray:
        """Pitches within the range; rests and ties are not concerned."""
        legal = _all(len(durations), size)
        legal[:, : self.low] = False
        legal[:, self.high : REST] = False
        return legal


def legal_durations(constraints: Sequence[Constraint], progress: Progress, size: int) -> BoolArray:
    """(B, size): durations that all constraints allow. Rows in which none is left keep what `Bars` allows."""
    return _combine([constraint.durations(progress, size) for constraint in constraints])


def legal_pitches(constraints: Sequence[Constraint], progress: Progress, durations: IntArray, size: int) -> BoolArray:
    """(B, size): pitch classes that all constraints allow."""
    return _combine([constraint.pitches(progress, durations, size) for constraint in constraints])


def _combine(masks: Sequence[BoolArray]) -> BoolArray:
    """All masks together. The first constraint is the strictest promise: a later one that would leave a row
    with nothing is passed over in that row.
    """
    legal = masks[0]
    for mask in masks[1:]:
        both = legal & mask
        legal = np.where(both.any(axis=1, keepdims=True), both, legal)
    return legal
