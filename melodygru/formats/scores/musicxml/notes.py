"""MusicXML's <note>, <backup> and <forward>, by their fields -> how long they take, and what is heard.

Grace notes take no time; cue notes, which are another player's, and what has no pitch are silent.
"""

from __future__ import annotations

from math import floor
from typing import NamedTuple

from melodygru.errors import MidiError
from melodygru.formats.scores.musicxml.durations import TYPES, Event, Kind, event
from melodygru.formats.scores.musicxml.signatures import number
from melodygru.formats.scores.musicxml.stream import Fields
from melodygru.formats.scores.written import TICKS

_LONGEST_NOTE = 512
"""Quarters; a maxima, the longest note there is, has 32."""
_LARGEST_CHORD = 100
"""Notes."""
_MOST_DOTS = 8
_MOST_KINDS = 10_000
"""Values that are remembered; few pieces have a hundred."""
_PITCH_CLASSES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SAYS_LENGTH = ("duration", "type", "dot", "actual-notes", "normal-notes")
_CUES = ("cue", "grace-cue")
_STAVES = {"1": 1, "2": 2}
"""Nearly all."""
ALL_STAVES = 0
"""The number of what holds for all staves that are not named."""


class Sound(NamedTuple):
    """A note that is heard, on a staff and in a voice; `tied`: to the next of its pitch."""

    staff: int
    voice: int
    pitch: int
    tied: bool


class NoteReader:
    """Reads the notes of one part in their order.

    Attributes:
        division: ticks of the unit that the part counts in.
        shifts: staves -> semitones by which the instrument sounds higher than is written; `ALL_STAVES` the others.
        pitched, beaten: whether anything has had a pitch; whether anything without one has been beaten.
    """

    def __init__(self) -> None:
        self.division = float(TICKS)
        self.shifts = {ALL_STAVES: 0}
        self.pitched = self.beaten = False
        self._chord = 0  # notes of the present chord beside the first
        self._first = Event(Kind.NOTE, 0.0, 0.0, True)  # of the present chord
        self._place = 1, 1  # staff and voice of the last note
        self._events: dict[tuple[object, ...], Event] = {}
        self._heights: dict[tuple[str | None, ...], int] = {}

    def set_divisions(self, text: str | None) -> None:
        """Count in such parts of a quarter from here on. Raises MidiError where there are none."""
        divisions = number("divisions", text)
        if divisions <= 0:
            raise MidiError("has <divisions> of nothing, so its notes have no length; export it again.")
        self.division = TICKS / divisions
        self._events.clear()

    def move(self, tag: str, fields: Fields) -> Event:
        """A <backup> or <forward>."""
        self._chord = 0
        ticks = self._ticks(fields.get("duration"))
        return event(Kind.MOVE, -ticks if tag == "backup" else ticks)

    def event(self, fields: Fields, whole: float) -> Event:
        """How long a note or rest takes; rests of a bar no longer than its `whole` ticks, if those are known (not 0).

        Grace notes take no time, and are not asked for.
        """
        kind = Kind.CHORD if "chord" in fields else Kind.NOTE
        self._chord = self._chord + 1 if kind == Kind.CHORD else 0
        if self._chord >= _LARGEST_CHORD:
            raise MidiError("has a chord of more notes than any score has; correct or leave it out.")
        if whole and fields.get("measure") == "yes":
            return Event(Kind.NOTE, min(self._ticks(fields.get("duration")), whole), 0.0, True)
        told = kind, *map(fields.get, _SAYS_LENGTH)
        found = self._events.get(told)
        if found is None:
            if len(self._events) > _MOST_KINDS:
                self._events.clear()
            written = _written(fields)
            length = self._ticks(fields["duration"]) if "duration" in fields else written
            self._events[told] = found = event(kind, length, written)
        if kind == Kind.NOTE:
            self._first = found
        elif found.written and found.written == self._first.written:
            # Of the notes of a chord some programs give the first alone its whole length.
            return self._first._replace(kind=kind)
        return found

    def _ticks(self, text: str | None) -> float:
        ticks = number("duration", text) * self.division
        if ticks > _LONGEST_NOTE * TICKS:
            raise MidiError("has a note longer than any score has; export it again.")
        return max(0.0, ticks)

    def sound(self, fields: Fields, voices_before: int) -> Sound | None:
        """What is heard of a note; `voices_before`: how often its bar has gone back, its voice if it names none."""
        if "pitch" not in fields:
            self.beaten |= "unpitched" in fields
            return None
        if "cue" in fields or fields.get("size") in _CUES:
            return None
        self.pitched = True
        # What belongs to a chord need not say where it is.
        staff, voice = self._place if "chord" in fields else (1, voices_before + 1)
        if "staff" in fields:
            staff = _STAVES.get(fields["staff"]) or int(number("staff", fields["staff"]))
        said = fields.get("voice", "")
        if said.isdecimal() and len(said) < 6:
            voice = int(said)
        self._place = staff, voice
        sounding = self._height(fields) + self.shifts.get(staff, self.shifts.get(ALL_STAVES, 0))
        if not 0 <= sounding < 128:
            raise MidiError("has a pitch that MIDI does not know; correct or leave it out.")
        # Programs leave out where ties stop: it is where the next note of the pitch begins, if that is at once.
        return Sound(staff, voice, sounding, "start" in fields.get("tie", ""))

    def _height(self, fields: Fields) -> int:
        """The MIDI pitch as written, quarter tones rounded up."""
        told = fields.get("step"), fields.get("alter"), fields.get("octave")
        found = self._heights.get(told)
        if found is None:
            pitch_class = _PITCH_CLASSES.get(told[0] or "")
            if pitch_class is None:
                raise MidiError("has a <step> that is none of A to G; export it again.")
            height = 12 * (number("octave", told[2]) + 1) + pitch_class + number("alter", told[1])
            if len(self._heights) > _MOST_KINDS:
                self._heights.clear()
            self._heights[told] = found = floor(height + 0.5)
        return found


def _written(fields: Fields) -> float:
    """Ticks of a note value as it stands on the page; 0 where none is told."""
    ticks, dots = TYPES.get(fields.get("type", ""), 0.0), len(fields.get("dot", ""))
    if dots > _MOST_DOTS:
        raise MidiError("has a note of more dots than any score has; correct or leave it out.")
    actual = number("actual-notes", fields.get("actual-notes", "1"))
    normal = number("normal-notes", fields.get("normal-notes", "1"))
    return ticks * (2 - 0.5**dots) * normal / actual if actual > 0 and normal > 0 else 0.0
