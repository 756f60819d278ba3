"""Which events may come next: small objects that each forbid something, or would rather have something else.

A constraint answers two kinds of question, and leaves those that do not concern it unanswered (None: anything goes):

- about steps of the grid, whatever came before: where an event may end, which pitches may begin or sound there. From
  these answers `melodygru.writing.lookahead` finds out, before anything is drawn, from where the last bar line can
  still be reached;
- about a melody under way (`Progress`): pitches and rests that its past forbids, and preferences, which are added to
  the logits and forbid nothing. Those that look back stand in `melodygru.writing.constraints.past`.

Steps are counted from the first bar line of the grid. Pitches are MIDI numbers in [0, 128).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Sequence
from dataclasses import field

import numpy as np

from melodygru.network.arrays import BoolArray, FloatArray, IntArray
from melodygru.records import dataclass

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

    def follows(self) -> BoolArray | None:
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
        """Two (B,): room for notes to be left empty before the steps `until` (B,), if a note comes next, or a rest."""

    def duration_preference(self, progress: Progress, size: int) -> FloatArray | None:
        """(B, size): added to the logits of durations, in nats; index 0 is END."""

    def pitch_preference(self, progress: Progress) -> FloatArray | None:
        """(B, 128): added to the logits of pitches, in nats."""


def answering(constraints: Sequence[Constraint], question: str) -> list[Constraint]:
    """Those that have an answer of their own to a question, a method's name: all others leave it unanswered."""
    return [one for one in constraints if getattr(type(one), question) is not getattr(Constraint, question)]


def of_classes(classes: Collection[int]) -> BoolArray:
    """(128,): pitches of these pitch classes (0..11), in all octaves."""
    return np.isin(np.arange(PITCHES) % 12, list(classes))


def in_range(low: int, high: int) -> BoolArray:
    """(128,): pitches from `low` to `high`, both included."""
    pitches = np.arange(PITCHES)
    return (pitches >= low) & (pitches <= high)
