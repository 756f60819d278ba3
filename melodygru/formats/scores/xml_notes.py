"""MusicXML's <note>, <backup> and <forward> -> how long they take, and what is heard.

Grace notes take no time; cue notes, which are another player's, and what has no pitch are silent.
"""

from __future__ import annotations

from math import floor
from typing import NamedTuple
from xml.etree.ElementTree import Element

from melodygru.errors import MidiError
from melodygru.formats.scores.durations import TYPES, Event, Kind, event
from melodygru.formats.scores.written import TICKS
from melodygru.formats.scores.xml_signatures import number

_LONGEST_NOTE = 512
"""Quarters; a maxima, the longest note there is, has 32."""
_LARGEST_CHORD = 100
"""Notes."""
_MOST_DOTS = 8
_MOST_KINDS = 10_000
"""Values that are remembered; few pieces have a hundred."""
_PITCH_CLASSES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_CUES = ("cue", "grace-cue")
ALL_STAVES = 0
"""The number of what holds for all staves that are not named."""


class Sound(NamedTuple):
    """A note that is heard, on a staff and in a voice; `goes_on`, `comes`: tied to the next, to the one before it."""

    staff: int
    voice: int
    pitch: int
    goes_on: bool
    comes: bool


class NoteReader:
    """Reads the notes of one part in their order.

    Attributes:
        division: ticks of the unit that the part counts in.
        shifts: staves -> semitones by which the instrument sounds higher than is written; `ALL_STAVES` the others.
        pitched, beaten: whether anything has had a pitch; whether anything without one has been beaten.
        chord: notes of the present chord beside the first.
    """

    def __init__(self) -> None:
        self.division = float(TICKS)
        self.shifts = {ALL_STAVES: 0}
        self.pitched = self.beaten = False
        self.chord = 0
        self._events: dict[tuple[object, ...], Event] = {}

    def set_divisions(self, text: str | None) -> None:
        """Count in such parts of a quarter from here on. Raises MidiError where there are none."""
        divisions = number("divisions", text)
        if divisions <= 0:
            raise MidiError("has <divisions> of nothing, so its notes have no length; export it again.")
        self.division = TICKS / divisions
        self._events.clear()

    def move(self, element: Element) -> Event:
        """A <backup> or <forward>."""
        ticks = self._ticks(element.findtext("duration"))
        return event(Kind.MOVE, -ticks if element.tag == "backup" else ticks)

    def take(self, note: Element, voices_before: int, whole: float) -> tuple[Event, Sound | None] | None:
        """How long a note takes and what is heard of it; None for a grace note.

        Args:
            note: the element.
            voices_before: how often the bar has gone back: the number of the note's voice if it has none.
            whole: ticks of a full bar, which a rest of a whole bar does not exceed; 0 where no metre is known.
        """
        parts = {child.tag: child for child in note}
        if "grace" in parts:
            return None
        kind = Kind.CHORD if "chord" in parts else Kind.NOTE
        self.chord = self.chord + 1 if kind == Kind.CHORD else 0
        if self.chord >= _LARGEST_CHORD:
            raise MidiError("has a chord of more notes than any score has; correct or leave it out.")
        rest = parts.get("rest")
        if rest is not None:
            if whole and rest.get("measure") == "yes":
                ticks = self._ticks(note.findtext("duration"))
                return Event(Kind.NOTE, min(ticks, whole), 0.0, True), None
            return self._event(kind, note, parts), None
        return self._event(kind, note, parts), self._sound(note, parts, voices_before)

    def _event(self, kind: Kind, note: Element, parts: dict[str, Element]) -> Event:
        duration, value, tuplet = parts.get("duration"), parts.get("type"), parts.get("time-modification")
        told = (
            kind,
            None if duration is None else duration.text,
            None if value is None else value.text,
            len(note.findall("dot")) if "dot" in parts else 0,
            None if tuplet is None else (tuplet.findtext("actual-notes"), tuplet.findtext("normal-notes")),
        )
        found = self._events.get(told)
        if found is None:
            if len(self._events) > _MOST_KINDS:
                self._events.clear()
            written = _written(value, told[3], tuplet)
            length = written if duration is None else self._ticks(duration.text)
            self._events[told] = found = event(kind, length, written)
        return found

    def _ticks(self, text: str | None) -> float:
        ticks = number("duration", text) * self.division
        if ticks > _LONGEST_NOTE * TICKS:
            raise MidiError("has a note longer than any score has; export it again.")
        return max(0.0, ticks)

    def _sound(self, note: Element, parts: dict[str, Element], voices_before: int) -> Sound | None:
        value = parts.get("type")
        if "cue" in parts or (value is not None and value.get("size") in _CUES):
            return None
        pitch = parts.get("pitch")
        if pitch is None:
            self.beaten |= "unpitched" in parts
            return None
        self.pitched = True
        staff = int(number("staff", parts["staff"].text)) if "staff" in parts else 1
        step, alter, octave = pitch.findtext("step", ""), pitch.findtext("alter"), pitch.findtext("octave")
        pitch_class = _PITCH_CLASSES.get(step.strip())
        if pitch_class is None:
            raise MidiError("has a <step> that is none of A to G; export it again.")
        height = 12 * number("octave", octave) + 12 + pitch_class + (number("alter", alter) if alter else 0)
        sounding = floor(height + 0.5) + self.shifts.get(staff, self.shifts.get(ALL_STAVES, 0))
        if not 0 <= sounding < 128:
            raise MidiError("has a pitch that MIDI does not know; correct or leave it out.")
        ties = [tie.get("type") for tie in note.findall("tie")] if "tie" in parts else ()
        voice = parts["voice"].text if "voice" in parts else None
        return Sound(staff, _voice(voice, voices_before), sounding, "start" in ties, "stop" in ties)


def _voice(text: str | None, voices_before: int) -> int:
    digits = (text or "").strip()
    return int(digits) if digits.isdecimal() and len(digits) < 6 else voices_before + 1


def _written(value: Element | None, dots: int, tuplet: Element | None) -> float:
    """Ticks of a note value as it stands on the page; 0 where none is told."""
    ticks = 0.0 if value is None else TYPES.get((value.text or "").strip(), 0.0)
    if dots > _MOST_DOTS:
        raise MidiError("has a note of more dots than any score has; correct or leave it out.")
    if tuplet is not None:
        actual = number("actual-notes", tuplet.findtext("actual-notes"))
        normal = number("normal-notes", tuplet.findtext("normal-notes"))
        ticks = ticks * normal / actual if actual > 0 and normal > 0 else 0.0
    return ticks * (2 - 0.5**dots)
