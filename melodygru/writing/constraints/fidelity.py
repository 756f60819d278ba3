"""Constraints that look at a melody that is there: a variation's original, or what stands around a gap.

A variation keeps its original's rhythm, its pitches, or where it rises and falls; what fills a gap may lean towards
what stands after it.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from melodygru.music.melody import Melody, Note
from melodygru.network.arrays import BoolArray, FloatArray, IntArray
from melodygru.network.config import TokenizerConfig
from melodygru.network.tokenizer import END, REST, TIE, Tokenizer
from melodygru.writing.constraints.base import PITCHES, Constraint, Progress, in_range


class Unlike(Constraint):
    """At the onsets of chosen notes, not with their pitch."""

    def __init__(self, notes: Sequence[Note]):
        self.notes = {note.onset: note.pitch for note in notes}

    def begins(self, onset: int) -> BoolArray | None:
        """All pitches but that of a chosen note that begins there."""
        return ~in_range(self.notes[onset], self.notes[onset]) if onset in self.notes else None


class InOrder(Constraint):
    """Within each of `spans` (in steps) the notes have the pitches that they had, one after the other, and as many.

    Where the rhythm `changes`, the first note of a span does not end where it did.
    """

    def __init__(self, melody: Melody, spans: Sequence[tuple[int, int]], changes: bool = True):
        self.starts = [start for start, _ in spans]
        self.ended = {note.onset: note.end for note in melody.notes if changes and note.onset in self.starts}
        self.order = {
            span: [note.pitch for note in melody.notes if span[0] <= note.onset < span[1]] for span in sorted(spans)
        }
        self.spans = list(self.order)

    def ends(self, onset: int, ends: IntArray) -> BoolArray | None:
        """Not where the first note of a span did."""
        return ends != self.ended[onset] if onset in self.ended else None

    def holds(self, onset: int) -> bool | None:
        """Not within a span whose rhythm changes: a tie would bring the first note to where it ended after all."""
        changes = any(start in self.ended and start <= onset < end for start, end in self.spans)
        return False if changes else None

    def counts(self, start: int, end: int) -> tuple[int, int] | None:
        """As many notes as there were."""
        row = self.order.get((start, end))
        return None if row is None else (len(row), len(row))

    def pitches(self, progress: Progress) -> BoolArray:
        """The next of the row; outside of the spans all."""
        legal = np.ones((len(progress.onset), PITCHES), np.bool_)
        for row, (onset, onsets) in enumerate(zip(progress.onset.tolist(), progress.onsets, strict=True)):
            place = bisect_right(self.spans, (onset, PITCHES << 20)) - 1
            if place >= 0 and onset < self.spans[place][1]:
                order = self.order[self.spans[place]]
                done = len(onsets) - bisect_left(onsets, self.spans[place][0])
                legal[row] = in_range(order[done], order[done]) if done < len(order) else False
        return legal


class AsWritten(Constraint):
    """Every event begins and ends as it did; chosen notes, by number, may have those pitches (128,) and no others.

    With `spans` (in steps, each from a note's beginning to a note's end) only within these.
    """

    def __init__(
        self,
        melody: Melody,
        chosen: Mapping[int, BoolArray],
        max_duration: int,
        spans: Sequence[tuple[int, int]] | None = None,
    ):
        self.spans = spans
        events = Tokenizer(TokenizerConfig(max_duration)).encode(melody)
        onsets = (np.cumsum(events.durations) - events.durations).tolist()
        self.events = dict(
            zip(onsets, zip(events.durations.tolist(), events.pitches.tolist(), strict=True), strict=True)
        )
        self.masks = {
            note.onset: chosen[number] if number in chosen else in_range(note.pitch, note.pitch)
            for number, note in enumerate(melody.notes)
        }

    def _speaks(self, onset: int) -> bool:
        return self.spans is None or any(start <= onset < end for start, end in self.spans)

    def ends(self, onset: int, ends: IntArray) -> BoolArray | None:
        """Where it ended."""
        duration, _ = self.events.get(onset, (END, REST))
        return ends == onset + duration if self._speaks(onset) else None

    def begins(self, onset: int) -> BoolArray | None:
        """The same pitch, or another if it is to change."""
        return self.masks.get(onset, np.zeros(PITCHES, np.bool_)) if self._speaks(onset) else None

    def rests(self, onset: int, ends: IntArray) -> BoolArray | None:
        """Where a rest was."""
        duration, pitch = self.events.get(onset, (END, REST))
        return np.full(len(ends), pitch == REST and duration != END) if self._speaks(onset) else None

    def holds(self, onset: int) -> bool | None:
        """Where a tie was."""
        return self.events.get(onset, (END, REST))[1] == TIE if self._speaks(onset) else None

    def closes(self, onset: int) -> BoolArray | None:
        """Where it closed."""
        ended = onset in self.events and self.events[onset][0] == END
        return np.full(PITCHES, ended) if self._speaks(onset) else None


class SameContour(Constraint):
    """The melody rises, falls and repeats where it did."""

    def __init__(self, melody: Melody):
        self.signs = {
            two.onset: (two.pitch > one.pitch) - (two.pitch < one.pitch) for one, two in pairwise(melody.notes)
        }

    def pitches(self, progress: Progress) -> BoolArray:
        """Those above, below or equal to the last pitch."""
        distance = np.arange(PITCHES)[None, :] - progress.reference[:, None]
        legal = np.ones(distance.shape, np.bool_)
        for row, onset in enumerate(progress.onset.tolist()):
            sign = self.signs.get(onset)
            if sign is not None and progress.reference[row] >= 0:
                legal[row] = np.sign(distance[row]) == sign
        return legal


class Foreshadows(Constraint):
    """Would rather have what stands `lead` steps later: a tune says before what it will say again."""

    def __init__(self, melody: Melody, lead: int, gain: float = 5.5):
        self.there = {note.onset - lead: note for note in melody.notes}
        self.gain = gain

    def duration_preference(self, progress: Progress, size: int) -> FloatArray:
        """The gain, in nats, for the duration that stands there."""
        wanted = np.zeros((len(progress.onset), size))
        for row, onset in enumerate(progress.onset.tolist()):
            note = self.there.get(onset)
            if note is not None and note.duration < size:
                wanted[row, note.duration] = self.gain
        return wanted

    def pitch_preference(self, progress: Progress) -> FloatArray:
        """The gain, in nats, for the pitch that stands there."""
        wanted = np.zeros((len(progress.onset), PITCHES))
        for row, onset in enumerate(progress.onset.tolist()):
            note = self.there.get(onset)
            if note is not None:
                wanted[row, note.pitch] = self.gain
        return wanted
