"""Constraints that hold whatever came before: bars, grid, range, leaps, rests, and where and how a melody ends."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from melodygru.music.theory import TimeSignature
from melodygru.network.arrays import BoolArray, IntArray
from melodygru.writing.constraints.base import PITCHES, Constraint, of_classes


class Bars(Constraint):
    """Exactly the bars asked for: nothing passes the last bar line, and the end comes where nothing is left.

    The silence between the last event and the bar line is at most `silence` of a bar (0: none).
    """

    def __init__(self, length: int, bar_steps: int, silence: float = 0.0):
        self.length = length
        self.silence = silence * bar_steps

    def ends(self, onset: int, ends: IntArray) -> BoolArray:
        """Up to the last bar line."""
        return ends <= self.length

    def closes(self, onset: int) -> BoolArray:
        """On the last bar line, or close before it."""
        return np.full(PITCHES, self.length - onset <= self.silence)


class EndsOn(Constraint):
    """The last note is of one of `classes` (pitch classes), in any octave, and lasts `shortest` steps or more.

    A melody that is not there yet does not end. Without `shortest`, which is at most a bar, a melody that had not meant
    to end would be given its tonic as a last sixteenth. Where there is a `pickup`, the last note may leave room for it.
    """

    def __init__(self, classes: Collection[int], length: int, shortest: int = 1, pickup: int = 0):
        self.home = of_classes(classes)
        self.length = length
        self.shortest = shortest
        self.pickup = pickup

    def ends(self, onset: int, ends: IntArray) -> BoolArray:
        """Where the last note still has room, or with it; what leaves room for the pickup is the last note."""
        left = self.length - ends
        if self.pickup and self.length - onset == self.pickup:
            return np.zeros(len(ends), np.bool_)
        return (left >= self.shortest) | (left <= 0) | (left == self.pickup)

    def closes(self, onset: int) -> BoolArray:
        """After a pitch of those classes."""
        return self.home


class Seams(Constraint):
    """Steps that no event crosses: where one section ends and the next begins, with a note.

    A rest there would join one that the section before may end with, here or where either is repeated.
    """

    def __init__(self, seams: Sequence[int]):
        self.seams = np.sort(np.asarray(seams, np.int64))

    def ends(self, onset: int, ends: IntArray) -> BoolArray | None:
        """Up to the next seam."""
        after = int(np.searchsorted(self.seams, onset, side="right"))
        return ends <= self.seams[after] if after < len(self.seams) else None

    def rests(self, onset: int, ends: IntArray) -> BoolArray | None:
        """None that begins at a seam."""
        return np.zeros(len(ends), np.bool_) if onset in self.seams else None

    def holds(self, onset: int) -> bool:
        """Not over a seam."""
        return onset not in self.seams


class Grid(Constraint):
    """Onsets and durations with a plain name: multiples of `straight` steps, and triplets that fill their group.

    A triplet divides `3 * triplet` steps of the bar by three; 0 means that there are none. Every bar must be a multiple
    of `straight`. An onset that is off the grid (in something given) leads back to it.
    """

    def __init__(self, bar_steps: int, straight: int = 6, triplet: int = 8):
        self.bar_steps = bar_steps
        self.straight = straight
        self.triplet = triplet

    def ends(self, onset: int, ends: IntArray) -> BoolArray:
        """From one onset of the grid to another; within a triplet, only to the triplet's own."""
        straight = ends % self.straight == 0
        if not self.triplet:
            return straight
        position, group = onset % self.bar_steps, 3 * self.triplet
        group_end = onset - position % group + group
        # Where a bar ends with part of a group (7/8), a triplet would cross the bar line and leave the grid.
        if position % self.triplet or group_end > onset - position + self.bar_steps:
            return straight
        triplet = (ends <= group_end) & ((group_end - ends) % self.triplet == 0)
        return straight | triplet if onset % self.straight == 0 else triplet


class Pitches(Constraint):
    """Only these pitches, everywhere: a range, a scale, or both."""

    def __init__(self, allowed: BoolArray):
        self.allowed = allowed

    def begins(self, onset: int) -> BoolArray:
        """The pitches allowed."""
        return self.allowed


class Closed(Constraint):
    """No note begins where `steps` (one for each of the melody's) are closed; one that began before may be held."""

    def __init__(self, steps: BoolArray):
        self.steps = steps

    def begins(self, onset: int) -> BoolArray | None:
        """No pitch, there."""
        return np.zeros(PITCHES, np.bool_) if onset < len(self.steps) and self.steps[onset] else None


class Leaps(Constraint):
    """From one note to the next at most `largest` semitones, up or down."""

    def __init__(self, largest: int):
        self.largest = largest

    def follows(self) -> BoolArray:
        """Pitches no farther away than the largest leap."""
        pitches = np.arange(PITCHES)
        return np.abs(pitches[:, None] - pitches[None, :]) <= self.largest


class Joints(Constraint):
    """What is repeated begins with a note, of one of a few pitches: so what comes before its repeats can lead there.

    `starts` are the steps where what is repeated is written.
    """

    def __init__(self, starts: Collection[int], allowed: BoolArray):
        self.starts = frozenset(starts)
        self.allowed = allowed

    def begins(self, onset: int) -> BoolArray | None:
        """Those pitches, where a repeat begins."""
        return self.allowed if onset in self.starts else None

    def rests(self, onset: int, ends: IntArray) -> BoolArray | None:
        """Not where a repeat begins."""
        return np.zeros(len(ends), np.bool_) if onset in self.starts else None


class NoRests(Constraint):
    """No rest anywhere."""

    def rests(self, onset: int, ends: IntArray) -> BoolArray:
        """None."""
        return np.zeros(len(ends), np.bool_)


def shortest_end(time_signature: TimeSignature) -> int:
    """How long the last note is at least: a beat, in steps."""
    return min(time_signature.beat_steps, time_signature.bar_steps)
