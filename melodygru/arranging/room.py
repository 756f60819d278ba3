"""Where there is room for an accompaniment: what sounds above it, and which chord holds, by step."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import Protocol

from melodygru.music.chords import ChordSpan

HIGHEST = 127


class _Sounds(Protocol):
    @property
    def onset(self) -> int: ...
    @property
    def end(self) -> int: ...
    @property
    def pitch(self) -> int: ...


class Above:
    """What sounds above an accompaniment: of notes, the lowest at a time."""

    def __init__(self, notes: Iterable[_Sounds]):
        self._notes = sorted(notes, key=lambda note: note.onset)
        self._onsets = [note.onset for note in self._notes]
        # Up to which step any of the notes so far sounds: ascending, though the notes' own ends need not be.
        self._until = list(accumulate((note.end for note in self._notes), max))

    def lowest(self, onset: int, end: int) -> int | None:
        """The lowest pitch that sounds anywhere in the half-open range of steps; None where all is silent."""
        first, last = bisect_right(self._until, onset), bisect_left(self._onsets, end)
        return min((note.pitch for note in self._notes[first:last] if note.end > onset), default=None)

    def ceiling(self, onset: int, end: int) -> int:
        """The highest pitch below all that sounds in the half-open range of steps."""
        lowest = self.lowest(onset, end)
        return HIGHEST if lowest is None else lowest - 1


class Harmony:
    """Chords in steps, each until another comes; between them, and where they say so, none."""

    def __init__(self, spans: Sequence[ChordSpan]):
        self.spans: list[ChordSpan] = []
        for span in spans:
            if span.chord is None:
                continue
            before = self.spans[-1] if self.spans else None
            if before is not None and before.end == span.onset and _same(before, span):
                self.spans[-1] = replace(before, end=span.end)
            else:
                self.spans.append(span)
        self._onsets = [span.onset for span in self.spans]

    def number(self, step: int) -> int | None:
        """The place in `spans` of what holds at a step; None for no chord."""
        place = bisect_right(self._onsets, step) - 1
        return place if place >= 0 and step < self.spans[place].end else None

    def within(self, onset: int, end: int) -> list[tuple[int, int, int]]:
        """The half-open range of steps cut where chords change: (onset, end, place in `spans`), silence left out."""
        found = []
        place = max(0, bisect_right(self._onsets, onset) - 1)
        while place < len(self.spans) and self.spans[place].onset < end:
            span = self.spans[place]
            start, stop = max(onset, span.onset), min(end, span.end)
            if start < stop:
                found.append((start, stop, place))
            place += 1
        return found


def _same(one: ChordSpan, other: ChordSpan) -> bool:
    a, b = one.chord, other.chord
    return a is not None and b is not None and (a.tones, a.bass) == (b.tones, b.bass)
