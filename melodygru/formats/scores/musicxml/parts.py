"""A part of a MusicXML score, bar by bar -> its staves' notes and keys as they sound, and what it says of the bars.

Of a staff with several voices the top one is taken, bar by bar. Bars that only say that others are repeated become
those; what is beaten where slashes say so is not written, and silent.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import field
from operator import add, itemgetter
from typing import Any
from xml.etree.ElementTree import Element

from melodygru.errors import MidiError
from melodygru.formats.scores.musicxml.durations import Event, placed
from melodygru.formats.scores.musicxml.harmony import chord_symbol
from melodygru.formats.scores.musicxml.notes import ALL_STAVES, NoteReader, Sound
from melodygru.formats.scores.musicxml.signatures import key_of, metre_of, number, semitones, transposed
from melodygru.formats.scores.musicxml.signs import note_barline, note_direction, tempo
from melodygru.formats.scores.order import Signs
from melodygru.formats.scores.written import TICKS, TICKS_PER_STEP, WrittenNote, WrittenPart
from melodygru.music.theory import Key, TimeSignature
from melodygru.records import dataclass

_LONGEST_BAR = 8192
"""Quarters: a whole piece without bar lines has fewer."""
_MOST_STAVES = 64
_SLIGHT = 1.0
"""Ticks by which places may differ that are the same."""
_SLASHES = "beats that slashes say left silent"


@dataclass
class Shared:
    """What the parts of a score say of its bars, of which there are as many as any part has.

    Attributes:
        filled: ticks from each bar line to the next, by the part that has most.
        noted: the same by notes and rests, without steps forward after the last of them.
        rested: the same by rests of a whole bar.
        metres: what is named at each bar, by the first part that names one; None where nothing is.
        tempi: (part, whether at the bar line, quarters a minute) of each bar that names some.
        signs: signs of repetition.
        chords: (tick, symbol) of each bar that has chord symbols.
        section_ends: bars with a double bar line, or one that repeats, after them.
        free: whether a bar is said to have no metre ("senza misura").
        remarks: what could not be taken at its word.
    """

    filled: list[float] = field(default_factory=list)
    noted: list[float] = field(default_factory=list)
    rested: list[float] = field(default_factory=list)
    metres: list[TimeSignature | None] = field(default_factory=list)
    tempi: dict[int, list[tuple[int, bool, float]]] = field(default_factory=lambda: defaultdict(list))
    signs: Signs = field(default_factory=Signs)
    chords: dict[int, list[tuple[int, str]]] = field(default_factory=lambda: defaultdict(list))
    section_ends: set[int] = field(default_factory=set)
    free: bool = False
    remarks: dict[str, None] = field(default_factory=dict)


@dataclass
class _BarRepeat:
    """A sign that so `many` bars are repeated, from the bar `begin` on, up to but not in `end` where that is said."""

    many: int
    begin: int
    end: int | None = None


class _Staff:
    """A staff's bars so far."""

    def __init__(self, bars: int) -> None:
        self.notes: list[tuple[WrittenNote, ...]] = [()] * bars
        self.keys: list[Key | int | None] = [None] * bars
        self.repeats: list[_BarRepeat] = []
        self.slashed = False

    def write_out(self) -> None:
        """Put those bars in place of the signs that repeat them."""
        for one in self.repeats:
            end = one.begin + one.many if one.end is None else one.end
            for bar in range(max(one.begin, one.many), min(end, len(self.notes))):
                self.notes[bar] = self.notes[bar] or self.notes[bar - one.many]
        self.repeats.clear()


class PartReader:
    """Takes the <measure>s of one part (of a score told bar by bar: its <part>s), one after the other.

    Attributes:
        index: how many parts went before.
        bars: how many have been taken.
        first_number: the first one's, as it stands in the file.
        begins: bars from which on they are numbered from 0 or 1 again, as in another movement.
    """

    def __init__(self, index: int, shared: Shared) -> None:
        self.bars = 0
        self.first_number = ""
        self.begins: list[int] = []
        self._number = ""
        self.index, self._shared = index, shared
        self._notes = NoteReader()
        self._metre: TimeSignature | None = None
        self._staves = {1: _Staff(0)}
        self._keys: dict[int, Key | int | None] = {ALL_STAVES: None}

    def read(self, items: Sequence[tuple[str, Any]], said: str) -> None:
        """Take the next bar: its items, and its number as it is `said`. Raises MidiError for what no score has."""
        self.first_number = self.first_number if self.bars else said
        if self.bars and (said == "0" or (said == "1" and self._number != "0")):
            self.begins.append(self.bars)
        self._number = said
        shared = self._shared
        if self.bars == len(shared.filled):
            shared.filled.append(0.0)
            shared.noted.append(0.0)
            shared.rested.append(0.0)
            shared.metres.append(None)
        events: list[Event] = []
        sounds: list[tuple[int, Sound]] = []
        marks: list[tuple[int, Element]] = []
        busy = self._gather(items, events, sounds, marks)
        onsets, lengths = placed(events, self._notes.division, self._whole)
        end = max(onsets)
        if end > _LONGEST_BAR * TICKS:
            raise MidiError("has a bar longer than any score has; export it again.")
        noted = max(map(add, onsets, lengths), default=0.0)
        for lengths_of_bars, told in ((shared.filled, end), (shared.noted, noted)) if busy else ((shared.rested, end),):
            lengths_of_bars[self.bars] = max(lengths_of_bars[self.bars], told)
        self._sounds(sounds, onsets, lengths)
        self._marks([(onsets[at], mark) for at, mark in marks], end)
        self.bars += 1

    def _gather(
        self,
        items: Sequence[tuple[str, Any]],
        events: list[Event],
        sounds: list[tuple[int, Sound]],
        marks: list[tuple[int, Element]],
    ) -> bool:
        """Sort a bar's elements into lists, the last two with the number of the event that each begins with.

        Whether there is more in it than rests of a whole bar.
        """
        notes, backups, busy, whole = self._notes, 0, False, self._whole
        for tag, item in items:
            if tag == "note":
                if "grace" in item:
                    continue
                sound = notes.sound(item, backups)
                if sound is not None and not self._is_slashed(sound.staff):
                    sounds.append((len(events), sound))
                busy = busy or sound is not None or item.get("measure") != "yes"
                events.append(notes.event(item, whole))
            elif tag == "backup" or tag == "forward":
                busy, backups = busy or tag == "forward", backups + (tag == "backup")
                events.append(notes.move(tag, item))
            else:
                if tag == "attributes":
                    self._attributes(item)
                    whole = self._whole
                marks.append((len(events), item))
        return busy

    def parts(self, name: str, program: int | None, count: int) -> list[WrittenPart]:
        """The part's staves, each a part of its own, filled up to `count` bars."""
        found = []
        percussion = self._notes.beaten and not self._notes.pitched
        for _, staff in sorted(self._staves.items()):
            staff.write_out()
            notes = (*staff.notes, *[()] * (count - self.bars))
            keys = (*staff.keys, *staff.keys[-1:] * (count - self.bars))
            found.append(WrittenPart(name, notes, keys, percussion, program))
        return found

    @property
    def staves(self) -> int:
        """How many staves the part has had so far."""
        return len(self._staves)

    @property
    def _whole(self) -> float:
        return 0.0 if self._metre is None else self._metre.bar_steps * TICKS_PER_STEP

    def _staff(self, place: int) -> _Staff:
        if place not in self._staves:
            if not 1 <= place <= _MOST_STAVES:
                raise MidiError("has a <staff> of a number that no score has; export it again.")
            self._staves[place] = _Staff(self.bars)
        return self._staves[place]

    def _is_slashed(self, place: int) -> bool:
        return place in self._staves and self._staves[place].slashed

    def _attributes(self, element: Element) -> None:
        """What holds from here on: the unit of time, the metre, staves, transposition, signs that repeat bars."""
        for child in element:
            if child.tag == "divisions":
                self._notes.set_divisions(child.text)
            elif child.tag == "time":
                metre = metre_of(child)
                self._shared.free |= metre is None
                self._metre = metre
                if metre is not None and self._shared.metres[self.bars] is None:
                    self._shared.metres[self.bars] = metre
            elif child.tag == "staves":
                for one in range(1, int(number("staves", child.text)) + 1):
                    self._staff(one)
            elif child.tag == "transpose":
                self._set(self._notes.shifts, child, semitones(child))
            elif child.tag == "measure-style":
                self._style(child)

    def _set(self, values: dict[int, Any], element: Element, value: Any) -> None:
        """Set what holds for the staff that an element names, or for all where it names none."""
        staff = int(number("staff", element.get("number", str(ALL_STAVES))))
        if staff == ALL_STAVES:
            values.clear()
        values[staff] = value

    def _style(self, element: Element) -> None:
        staff = int(number("staff", element.get("number", str(ALL_STAVES))))
        staves = list(self._staves.values()) if staff == ALL_STAVES else [self._staff(staff)]
        repeat, slash = element.find("measure-repeat"), element.find("slash")
        slash = element.find("beat-repeat") if slash is None else slash
        for one in staves:
            if repeat is not None:
                if one.repeats and one.repeats[-1].end is None:
                    one.repeats[-1].end = self.bars
                if repeat.get("type") == "start":
                    many = max(1, int(number("measure-repeat", repeat.text or "1")))
                    one.repeats.append(_BarRepeat(many, self.bars))
            if slash is not None:
                one.slashed = slash.get("type") == "start"
                self._shared.remarks[_SLASHES] = None

    def _sounds(self, sounds: Iterable[tuple[int, Sound]], onsets: Sequence[float], lengths: Sequence[float]) -> None:
        """Add a bar to each staff: of what is heard, each with the number of its event, the top voice."""
        voices: dict[tuple[int, int], list[WrittenNote]] = {}
        for at, (staff, voice, pitch, tied) in sounds:
            offset = round(onsets[at])
            length = round(onsets[at] + lengths[at]) - offset
            if length > 0:
                note = WrittenNote(offset, length, pitch, tied)
                if (staff, voice) in voices:
                    voices[staff, voice].append(note)
                else:
                    voices[staff, voice] = [note]
        top = {staff: notes for (staff, _), notes in sorted(voices.items(), key=itemgetter(0), reverse=True)}
        for staff in top:
            self._staff(staff)
        for place, one in self._staves.items():
            one.notes.append(tuple(sorted(top[place])) if place in top else ())

    def _marks(self, marks: Iterable[tuple[float, Element]], end: float) -> None:
        """Note the signs, tempi and keys of a bar that ends at tick `end`, each with the tick at which it stands."""
        shared, bar = self._shared, self.bars
        later: list[Element] = []
        for place, mark in marks:
            at = place + number("offset", mark.findtext("offset")) * self._notes.division
            at_start, at_end = at < _SLIGHT, at > end - _SLIGHT
            if mark.tag == "attributes":
                for named in mark.findall("key"):
                    if at_start:
                        self._set(self._keys, named, key_of(named))
                    else:
                        later.append(named)
            elif mark.tag == "harmony":
                symbol = chord_symbol(mark)
                if symbol is not None:
                    shared.chords[bar].append((round(min(at, end)), symbol))
            elif mark.tag == "barline":
                note_barline(mark, shared.signs, shared.section_ends, bar, at_start)
            else:
                note_direction(mark, shared.signs, bar, at_start, at_end)
                qpm = tempo(mark)
                if qpm is not None:
                    shared.tempi[bar].append((self.index, at_start, qpm))
        shifts = self._notes.shifts
        for place, staff in self._staves.items():
            key = self._keys.get(place, self._keys.get(ALL_STAVES))
            staff.keys.append(transposed(key, shifts.get(place, shifts.get(ALL_STAVES, 0))))
        for named in later:
            self._set(self._keys, named, key_of(named))
