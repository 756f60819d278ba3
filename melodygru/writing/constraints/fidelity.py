"""Constraints that look at a melody that is there: a variation's original, or what stands around a gap.

A variation keeps its original's rhythm, its pitches, or where it rises and falls; what fills a gap may lean towards
what stands after it.
"""

from __future__ import annotations

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
    """The notes have these pitches, one after the other, whenever they begin; stretches have as many as they had."""

    def __init__(self, melody: Melody, spans: Sequence[tuple[int, int]]):
        self.order = [note.pitch for note in melody.notes]
        # The rhythm changes: the first note of a stretch does not end where it did.
        self.ended = {note.onset: note.end for note in melody.notes if any(note.onset == start for start, _ in spans)}
        self.many = {span: sum(span[0] <= note.onset < span[1] for note in melody.notes) for span in spans}

    def ends(self, onset: int, ends: IntArray) -> BoolArray | None:
        """Not where the first note of a stretch did."""
        return ends != self.ended[onset] if onset in self.ended else None

    def counts(self, start: int, end: int) -> tuple[int, int] | None:
        """As many notes as there were."""
        many = self.many.get((start, end))
        return None if many is None else (many, many)

    def pitches(self, progress: Progress) -> BoolArray:
        """The next of the row."""
        legal = np.zeros((len(progress.onset), PITCHES), np.bool_)
        for row, pitches in enumerate(progress.pitches):
            if len(pitches) < len(self.order):
                legal[row, self.order[len(pitches)]] = True
        return legal


class AsWritten(Constraint):
    """Every event begins and ends as it did; chosen notes, by number, may have those pitches (128,) and no others."""

    def __init__(self, melody: Melody, chosen: Mapping[int, BoolArray], max_duration: int):
        events = Tokenizer(TokenizerConfig(max_duration)).encode(melody)
        onsets = (np.cumsum(events.durations) - events.durations).tolist()
        self.events = dict(
            zip(onsets, zip(events.durations.tolist(), events.pitches.tolist(), strict=True), strict=True)
        )
        self.masks = {
            note.onset: chosen[number] if number in chosen else in_range(note.pitch, note.pitch)
            for number, note in enumerate(melody.notes)
        }

    def ends(self, onset: int, ends: IntArray) -> BoolArray:
        """Where it ended."""
        duration, _ = self.events.get(onset, (END, REST))
        return ends == onset + duration

    def begins(self, onset: int) -> BoolArray:
        """The same pitch, or another if it is to change."""
        return self.masks.get(onset, np.zeros(PITCHES, np.bool_))

    def rests(self, onset: int, ends: IntArray) -> BoolArray:
        """Where a rest was."""
        duration, pitch = self.events.get(onset, (END, REST))
        return np.full(len(ends), pitch == REST and duration != END)

    def holds(self, onset: int) -> bool:
        """Where a tie was."""
        return self.events.get(onset, (END, REST))[1] == TIE

    def closes(self, onset: int) -> BoolArray:
        """Where it closed."""
        return np.full(PITCHES, onset in self.events and self.events[onset][0] == END)


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
