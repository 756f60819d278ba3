"""Which events may come next: small objects that each forbid something, or would rather have something else.

A constraint answers two kinds of question, and leaves those that do not concern it unanswered (None: anything goes):

- about places, whatever came before: where an event may end, which pitches may begin or sound there. From these
  answers `melodygru.lookahead` finds out, before anything is drawn, from where the last bar line can still be reached;
- about a melody under way (`Progress`): pitches and rests that its past forbids, and preferences, which are added to
  the scores and forbid nothing. Those that look back stand in `melodygru.histories`.

Steps are counted from the first bar line of the grid. Pitches are MIDI numbers in [0, 128).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from melodygru.theory import TimeSignature

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

PITCHES = 128


@dataclass
class Progress:
    """Where B melodies stand; all arrays are (B,), the lists have B entries.

    Attributes:
        onset: steps from the beginning of the grid to the event due.
        reference: the last pitch that sounded, -1 if none yet.
        sounding: whether the event before was a note (or its tie), so that a tie may follow.
        resting: whether the event before was a rest.
        repeats: how many notes in a row, up to the last, had the last one's pitch.
        rests: the onsets of each melody's rests.
        pitches, onsets: of each melody's notes.
    """

    onset: IntArray
    reference: IntArray
    sounding: BoolArray
    resting: BoolArray
    repeats: IntArray
    rests: list[list[int]] = field(default_factory=list)
    pitches: list[list[int]] = field(default_factory=list)
    onsets: list[list[int]] = field(default_factory=list)

    @classmethod
    def start(cls, size: int) -> Progress:
        """B = `size` melodies before their first event."""
        zeros, no = np.zeros(size, np.int64), np.zeros(size, np.bool_)
        lists: list[list[list[int]]] = [[[] for _ in range(size)] for _ in range(3)]
        return cls(zeros, zeros - 1, no, no, zeros, *lists)

    def kept(self, rows: IntArray) -> Progress:
        """Where these melodies (indices) stand."""
        arrays = (self.onset, self.reference, self.sounding, self.resting, self.repeats)
        lists = ([entries[row] for row in rows.tolist()] for entries in (self.rests, self.pitches, self.onsets))
        return Progress(*(array[rows] for array in arrays), *lists)  # type: ignore[arg-type]

    def notes_from(self, steps: IntArray) -> IntArray:
        """(B,): how many notes of each melody began at its step of `steps` (B,) or later."""
        counts = [len(at) - bisect_left(at, step) for at, step in zip(self.onsets, steps.tolist(), strict=True)]
        return np.array(counts, np.int64)


class Constraint:
    """One rule. Every answer is None, for "anything goes", unless a subclass says otherwise."""

    def ends(self, onset: int, ends: IntArray) -> BoolArray | None:
        """(D,): at which of the steps `ends`, all after `onset`, an event that begins at `onset` may end."""

    def begins(self, onset: int) -> BoolArray | None:
        """(128,): pitches that a note may begin with at `onset`."""

    def sounds(self, onset: int, ends: IntArray) -> BoolArray | None:
        """(D, 128): pitches that may sound in each of [onset, end), whether they begin there or are held."""

    def rests(self, onset: int, ends: IntArray) -> BoolArray | None:
        """(D,): which of [onset, end) may be a rest."""

    def holds(self, onset: int) -> bool | None:
        """Whether a note may be held over `onset`, by a tie that begins there."""

    def steps(self) -> BoolArray | None:
        """(128, 128): which pitch (column) may follow which (row)."""

    def closes(self, onset: int) -> BoolArray | None:
        """(128,): last pitches after which a melody may end at `onset`; the rest of its last bar is silent."""

    def counts(self, start: int, end: int) -> tuple[int, int] | None:
        """The fewest and the most notes that may begin in the steps [start, end), both included."""

    def pitches(self, progress: Progress) -> BoolArray | None:
        """(B, 128): pitches that each melody's past leaves."""

    def silences(self, progress: Progress, ends: IntArray) -> tuple[BoolArray, BoolArray] | None:
        """Two (B, D) masks: whether a rest, and whether a note or tie, may end at the steps `ends` (B, D)."""

    def owes(self, progress: Progress, until: IntArray) -> tuple[IntArray, IntArray] | None:
        """Two (B,): note places to be left empty before the steps `until` (B,), if a note comes next, or a rest."""

    def duration_preference(self, progress: Progress, size: int) -> FloatArray | None:
        """(B, size): added to the scores of durations, in nats; index 0 is END."""

    def pitch_preference(self, progress: Progress) -> FloatArray | None:
        """(B, 128): added to the scores of pitches, in nats."""


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
        """From one place of the grid to another; within a triplet, only to the triplet's own places."""
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


class BeginsBefore(Constraint):
    """From the step `start` on, no note begins at the step `last` or later; one that began before may be held."""

    def __init__(self, last: int, start: int = 0):
        self.last = last
        self.start = start

    def begins(self, onset: int) -> BoolArray | None:
        """No pitch, from there on."""
        return np.zeros(PITCHES, np.bool_) if onset >= max(self.last, self.start) else None


class Leaps(Constraint):
    """From one note to the next at most `largest` semitones, up or down."""

    def __init__(self, largest: int):
        self.largest = largest

    def steps(self) -> BoolArray:
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


def of_classes(classes: Collection[int]) -> BoolArray:
    """(128,): pitches of these pitch classes (0..11), in all octaves."""
    return np.isin(np.arange(PITCHES) % 12, list(classes))


def in_range(low: int, high: int) -> BoolArray:
    """(128,): pitches from `low` to `high`, both included."""
    pitches = np.arange(PITCHES)
    return (pitches >= low) & (pitches <= high)


def shortest_end(time_signature: TimeSignature) -> int:
    """How long the last note is at least: a beat, in steps."""
    return min(time_signature.beat_steps, time_signature.bar_steps)
