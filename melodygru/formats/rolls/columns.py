"""How piano rolls are divided: bars to a line of characters, steps to a column; and degrees of pitches, in colours."""

from __future__ import annotations

import math

from melodygru.music.melody import Melody, Note
from melodygru.music.spelling import note_name
from melodygru.music.theory import Key

DEGREE_COLOURS = ("#e5431f", "#b07a2a", "#2a8f4f", "#1f8f86", "#3478d8", "#8b6fb8", "#c2528b")
"""Of the seven degrees: a contrast of about 4 to both white and black, the tonic's the brightest hue."""
FOREIGN_COLOUR = "#808080"
"""Of notes outside the key's scale."""
_FINEST = 3
"""Steps of a column below which more room makes none finer: a thirty-second."""
_COARSEST = 12
"""Steps of the widest column: an eighth."""
_USUAL_BARS = 4
"""Bars that a system should have before its columns are whole onsets, as on most lead sheets."""


def degree(pitch: int, key: Key) -> int | None:
    """The degree of a pitch in the key's scale, 1 to 7; None outside of it."""
    return key.scale.index(pitch % 12) + 1 if pitch % 12 in key.scale else None


def degree_colour(pitch: int, key: Key) -> str:
    """The colour of a pitch, as six hexadecimal digits after a #."""
    place = degree(pitch, key)
    return FOREIGN_COLOUR if place is None else DEGREE_COLOURS[place - 1]


class Columns:
    """How many bars a system has, and how many steps a column.

    All onsets are whole columns where that leaves room for the usual number of bars; else halves of columns, where no
    two notes of a pitch come too near each other for that; else the finest columns that there is room for.

    Attributes:
        notes: those that sound in the bars shown.
        unit: steps of a column.
        halves: whether notes may begin in the middle of one.
        columns: of a bar, without its bar line.
        bars: most full bars of a system.
        lead: columns of the pickup, with the bar line before it; 0 without.
        labels: characters of a row's name and degree.
        home: a pitch whose row stands where there would be none.
    """

    def __init__(self, melody: Melody, width: int, first: int, last: int, halves: bool):
        self.melody = melody
        self.bar, self.shift = melody.time_signature.bar_steps, 0 if melody.pickup else 1
        start, end = (first - self.shift) * self.bar, (last - self.shift + 1) * self.bar
        self.notes = [note for note in melody.notes if note.onset < end and note.end > start]
        self.home = self._home()
        self.labels = max(len(note_name(pitch, melody.key)) for pitch in (self.home, *self._pitches())) + 3
        self.pickup = melody.pickup if first == 0 else 0
        total = max(last - max(first, 1) + 1, 1)
        room = width - self.labels - 1
        beat = melody.time_signature.beat_steps
        onsets = [note.onset for note in self.notes if note.onset >= start]
        whole = math.gcd(self.bar, beat, _COARSEST, *onsets)
        half = 2 * whole
        count = self._fits(whole, room, total)
        enough = min(total, _USUAL_BARS)
        self.halves = False
        if (
            count < enough
            and halves
            and beat % half == 0
            and self._fits(half, room, total) > count
            and self._apart(half)
        ):
            self.unit, self.halves = half, True
        elif count:
            self.unit = whole
            finer = [unit for unit in range(_FINEST, whole) if whole % unit == 0]
            self.unit = next((unit for unit in finer if self._fits(unit, room, total) == count), whole)
        else:
            units = [unit for unit in range(1, self.bar + 1) if self.bar % unit == 0 and self._fits(unit, room, total)]
            self.unit = next((unit for unit in units if beat % unit == 0), units[0] if units else self.bar)
        self.bars = max(self._fits(self.unit, room, total), 1)
        self.columns = self.bar // self.unit
        self.lead = self._lead(self.unit)

    def _home(self) -> int:
        """The tonic in the middle of the melody, whose row stands where there would be none."""
        pitches = [note.pitch for note in self.melody.notes] or [60]
        tonics = range(self.melody.key.tonic, 128, 12)
        return min(tonics, key=lambda pitch: abs(pitch - sum(pitches) / len(pitches)))

    def _pitches(self) -> set[int]:
        """All that may have a row."""
        used = {note.pitch for note in self.notes} or {self.home}
        return {*used, *(pitch for pitch in range(min(used), max(used)) if degree(pitch, self.melody.key))}

    def _lead(self, unit: int) -> int:
        """Columns of the pickup and its bar line."""
        return -(-self.pickup // unit) + 1 if self.pickup else 0

    def _fits(self, unit: int, room: int, total: int) -> int:
        """How many bars a system would have: all, or the largest power of two that there is room for; 0: none."""
        most = (room - self._lead(unit)) // (self.bar // unit + 1)
        return total if most >= total else 1 << most.bit_length() - 1 if most > 0 else 0

    def _apart(self, unit: int) -> bool:
        """Whether each onset has a column of its own among the notes of its pitch, and can be seen to be one."""
        last: dict[int, Note] = {}
        for note in self.notes:
            before = last.get(note.pitch)
            if before is not None:
                column = note.onset // unit
                # The right half of a column runs into what begins at the next.
                touches = before.onset % unit and note.onset % unit == 0 and before.onset // unit == column - 1
                if before.onset // unit == column or touches:
                    return False
            last[note.pitch] = note
        return True
