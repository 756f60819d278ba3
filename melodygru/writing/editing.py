"""A MIDI file in which some notes of its melody are replaced, and nothing else is.

Velocities, other tracks, controllers, tempo changes, everything that the melody is not, stays byte for byte (see
`melodygru.formats.midi.splice`).
Of a score the melody alone becomes a MIDI file, which also says what MIDI has no words for: its pickup and its bars.
"""

from __future__ import annotations

import json
import os
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from operator import itemgetter
from os import PathLike
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from melodygru.errors import MelodyGRUError, MidiError
from melodygru.formats.midi import splice
from melodygru.formats.midi.chunks import OWN_TEXT
from melodygru.formats.midi.extraction import Extraction, ExtractionConfig, extract
from melodygru.formats.midi.grid import Grid
from melodygru.formats.midi.own_word import UPBEAT, OwnWord, swung_anchors
from melodygru.formats.midi.parser import RawFile, RawNote, parse_midi, read_bytes
from melodygru.formats.midi.performance import Clock, Performance, accent, triplet_quarters
from melodygru.formats.midi.writer import midi_bytes
from melodygru.formats.reading import WHOLE, read
from melodygru.formats.scores.files import is_score
from melodygru.music.estimation import Judge, told_chance
from melodygru.music.melody import Melody, Note
from melodygru.music.theory import STEPS_PER_QUARTER, TimeSignature
from melodygru.records import dataclass
from melodygru.system import printable
from melodygru.writing.recipe import Recipe

_OF_A_SCORE = f"{OWN_TEXT}score "
"""What the text begins with in which a file made of a score tells its tempo, pickup and bars."""
_NEAR = 12
"""Steps by which a played note may lie off its place on the grid."""


@dataclass(frozen=True)
class Tune:
    """The melody of a MIDI file, and where its notes stand in the file.

    Attributes:
        data: the file's bytes.
        melody: its melody.
        raw: the file as read.
        extraction: how the melody was found.
        source: what errors call the file; empty where there is none.
    """

    data: bytes
    melody: Melody
    raw: RawFile
    extraction: Extraction
    source: str = ""

    @classmethod
    def read(cls, path: str | PathLike[str], config: ExtractionConfig = WHOLE, judge: Judge | None = None) -> Tune:
        """The melody of a MIDI file or a score; `config` and `judge` as of `melodygru.formats.reading.read`.

        Raises FileError or MidiError; one of several melodies is no tune to change.
        """
        if is_score(os.fspath(path)):
            return cls._of_score(path, config)
        data = read_bytes(path)
        try:
            return replace(cls.parse(data, printable(Path(path).stem), config, judge), source=os.fspath(path))
        except MidiError as error:
            raise MidiError(f"{os.fspath(path)} {error}") from None

    @classmethod
    def parse(cls, data: bytes, name: str, config: ExtractionConfig = WHOLE, judge: Judge | None = None) -> Tune:
        """The melody of a file's bytes. Raises MidiError, whose message lacks the file's name."""
        raw = parse_midi(data)
        told = next((text for text in raw.texts if text.startswith(_OF_A_SCORE)), None)
        if told is not None:
            return cls._made_of_score(data, raw, name, told)
        found = extract(raw, name, config, judge)
        if len(found.melodies) != 1:
            raise MidiError(f"changes its metre, so it has {len(found.melodies)} melodies; give a file of one metre.")
        return cls(data, found.melodies[0], raw, found)

    @classmethod
    def _of_score(cls, path: str | PathLike[str], config: ExtractionConfig) -> Tune:
        melodies = read(path, config).melodies
        if len(melodies) != 1:
            raise MidiError(
                f"{os.fspath(path)} has {len(melodies)} melodies; give a score of one metre with one, or choose a tune "
                "of an ABC file by its number with --track."
            )
        return cls.of(melodies[0])

    @classmethod
    def of(cls, melody: Melody) -> Tune:
        """A melody as a file that says what MIDI has no words for, so that it is read again as it is."""
        text = _OF_A_SCORE + json.dumps([melody.qpm, melody.pickup, melody.bars])
        return cls.parse(midi_bytes(melody, text=text), melody.name)

    @classmethod
    def _made_of_score(cls, data: bytes, raw: RawFile, name: str, told: str) -> Tune:
        """A file that `of` wrote: its notes stand on the grid, and nothing is to be estimated."""
        try:
            qpm, pickup, bars = json.loads(told.removeprefix(_OF_A_SCORE))
            [track], [(_, *metre)] = raw.tracks, raw.time_signatures
            step = raw.ticks_per_quarter // STEPS_PER_QUARTER
            notes = tuple(Note(note.pitch, note.onset // step, (note.end - note.onset) // step) for note in track.notes)
            assert raw.key_in_words is not None
            melody = Melody(notes, TimeSignature(*metre), raw.key_in_words, qpm, name, pickup, bars)
        except (ValueError, TypeError, AssertionError, ZeroDivisionError) as error:
            raise MidiError("was changed since it was made of a score; begin with the score again.") from error
        found = Extraction((melody,), track.name, "asked", (), track.notes, Grid(raw.ticks_per_quarter), (0,))
        return cls(data, melody, raw, found)

    def read_as(self, config: ExtractionConfig) -> dict[str, Any]:
        """What makes the file be read in the same way again, whoever judges then: for a recipe.

        `config`: how it was read. Nothing but what differs from the usual, for a file that says how it is.
        """
        told: dict[str, Any] = {} if config.track == WHOLE.track else {"track": config.track}
        estimated = {told[0] for told in map(told_chance, self.extraction.remarks) if told is not None}
        if config.meter or config.pickup is not None or "metre" in estimated:
            pickup = -self.melody.notes[0].onset % self.melody.time_signature.bar_steps / STEPS_PER_QUARTER
            told |= {"meter": str(self.melody.time_signature), "pickup": pickup}
        if config.key or "key" in estimated:
            told["key"] = str(self.melody.key)
        if self.extraction.pace is not None:
            told["pace"] = self.extraction.pace
        word = self.extraction.word
        if word is not None and word != OwnWord():
            told["own_word"] = True
            if word.upbeat is not None and "pickup" not in told:
                told[UPBEAT] = word.upbeat
        return told

    def rewritten(self, new: Melody, text: str) -> bytes:
        """The file with the notes of `new` in place of its melody's, and with a text that says how it was made.

        Notes that are the same in both stay as they are played. New ones lie on the grid (swung if the file says so),
        as loud as the melody's median and accented by the metre. The text begins the track in which an earlier one of
        ours stands, which goes; where there is none, the melody's. All else is the same to the byte, but for what
        wrapped the file (RIFF, an old Macintosh's head): it comes out plain.

        Raises MidiError if the file cannot be edited.
        """
        old = self.melody
        kept = set(old.notes) & set(new.notes)
        near = self._raw_notes()
        gone = [near(note) for note in old.notes if note not in kept]
        loud = round(median(note.velocity for note in self.extraction.notes))
        loud -= round(median(accent(note.onset, old.time_signature) for note in old.notes))
        clock = self._clock(old)
        added = []
        for note in new.notes:
            if note not in kept:
                velocity = max(1, min(127, loud + accent(note.onset, old.time_signature)))
                start, end = (self._tick(step, clock) for step in (note.onset, note.end))
                added.append(_Struck(start, max(end, start + 1), note.pitch, velocity))
        homes = _homes(self.extraction, self.raw)
        try:
            data = _edited(splice.unwrapped(self.data), self.extraction, homes, gone, added, text)
            _check_others(self.raw, parse_midi(data), set(homes.values()))
        except MidiError as error:
            raise MidiError(f"{self.source} {error}" if self.source else str(error)) from None
        return data

    def velocities(self) -> list[int]:
        """How loud the melody's notes are played, in order."""
        near = self._raw_notes()
        return [near(note).velocity for note in self.melody.notes]

    def ticks(self) -> Callable[[int], int]:
        """When a step beside the melody sounds in the file, in ticks: swung, if the file says so.

        That is so under the melody's triplets too: half a quarter has one place in a groove.
        """
        word, own = self.extraction.word, self.extraction.grid
        if word is not None and word.swing != Performance().swing and own.anchors and self.extraction.pace is None:
            last = max(track.end for track in self.raw.tracks)
            even = replace(own, anchors=swung_anchors(own.ticks_per_quarter, last, word.swing))
            return lambda step: even.tick(self.extraction.starts[0] + step)
        clock = self._clock(self.melody)
        if clock is not None:
            grid, swing = self.extraction.grid, clock.swing
            onsets = [(note.onset - grid.origin) / grid.ticks_per_quarter for note in self.extraction.notes]
            playing = Performance(swing=swing, ppq=self.raw.ticks_per_quarter)
            clock = Clock(self.melody, playing, triplet_quarters(onsets, swing))
        return lambda step: self._tick(step, clock)

    def _clock(self, melody: Melody) -> Clock | None:
        """How the file swings, where it says so and its grid does not."""
        if self.extraction.word is not None:
            return None
        try:
            recipe = Recipe.find(self.raw.texts)
        except MelodyGRUError:
            return None
        if recipe is None or recipe.performance.ppq != self.raw.ticks_per_quarter:
            return None
        return Clock(melody, Performance(swing=recipe.performance.swing, ppq=recipe.performance.ppq))

    def _tick(self, step: int, clock: Clock | None) -> int:
        grid = self.extraction.grid
        if clock is not None and not grid.origin and not grid.anchors and not self.extraction.starts[0]:
            return clock.tick(step)
        return grid.tick(self.extraction.starts[0] + step)

    def _raw_notes(self) -> Callable[[Note], RawNote]:
        """What finds the note of the file that a note of the melody is: the nearest of its pitch."""
        steps = self.extraction.grid.steps
        of_pitch: dict[int, list[tuple[float, RawNote]]] = {}
        for raw in self.extraction.notes:  # in order of onset
            of_pitch.setdefault(raw.pitch, []).append((float(steps(raw.onset)), raw))

        def near(note: Note) -> RawNote:
            place, candidates = float(self.extraction.starts[0] + note.onset), of_pitch[note.pitch]
            after = bisect_left(candidates, place, key=itemgetter(0))
            at, found = min(candidates[max(after - 1, 0) : after + 1], key=lambda one: abs(one[0] - place))
            assert abs(at - place) <= _NEAR
            return found

        return near


class _Struck(NamedTuple):
    """A note to put in, in ticks [onset, end)."""

    onset: int
    end: int
    pitch: int
    velocity: int


_FAULTY = "is faulty in a way that reading survives and writing does not; export it again."
_ENDS_UNKNOWN = "has tracks with wrong lengths, so that what is to stay cannot be told; export it again."
_Begin = tuple[int, int, int]


def _begin(note: RawNote) -> _Begin:
    """What a melody's note is found by in its track: where it ends may have been put right on reading."""
    return note.onset, note.pitch, note.channel


def _homes(found: Extraction, raw: RawFile) -> dict[_Begin, int]:
    """The track, from 0, that each note of the melody stands in.

    That is the one which has most of them, all as a rule, by its name if several have; what it lacks stands in others
    (the top line of all tracks).
    """
    melody = {_begin(note) for note in found.notes}
    held = [melody & {_begin(note) for note in track.notes} for track in raw.tracks]

    def likely(number: int) -> tuple[int, bool, int]:
        track = raw.tracks[number]
        return len(held[number]), found.track in (track.name, f"track {track.number}"), -number

    return {begin: number for number in sorted(range(len(held)), key=likely) for begin in held[number]}


def _edited(
    data: bytes,
    found: Extraction,
    homes: Mapping[_Begin, int],
    gone: Sequence[RawNote],
    added: Sequence[_Struck],
    text: str,
) -> bytes:
    """A plain MIDI file without `gone` of the melody's notes, with those added in its track, and with the text.

    Raises MidiError, whose message lacks the file's name, if notes are not found where they were read.
    """
    if not homes or any(_begin(note) not in homes for note in gone):
        raise MidiError(_FAULTY)
    home = Counter(homes.values()).most_common(1)[0][0]
    channel = next(note.channel for note in found.notes if homes.get(_begin(note)) == home)
    chunks = splice.tracks(data)
    if max(homes.values()) >= len(chunks):
        raise MidiError(_ENDS_UNKNOWN)
    # The bytes are looked for first: all tracks' events would take long.
    maybe = [number for number, chunk in enumerate(chunks) if data.find(OWN_TEXT.encode(), *chunk) >= 0]
    told = [number for number in maybe if _own_texts(data, _events(data, chunks[number]))]
    leave: dict[int, list[RawNote]] = {number: [] for number in (home, *told)}
    for note in gone:
        leave.setdefault(homes[_begin(note)], []).append(note)
    made, at = [], 0
    for number in sorted(leave):
        chunk = chunks[number]
        events = _events(data, chunk)
        out = _own_texts(data, events) | _strokes(data, events, leave[number])
        put = [one for note in added for one in _insertions(note, channel)] if number == home else []
        if number == min(told, default=home):
            put.append(splice.Insertion(0, -1, splice.text_event(text)))
        made += [data[at : chunk[0]], splice.respliced(data, chunk, events, out, put)]
        at = chunk[1]
    return b"".join([*made, data[at:]])


def _check_others(before: RawFile, after: RawFile, homes: Collection[int]) -> None:
    """Raise MidiError, whose message lacks the file's name, unless tracks that the melody is not in are read as before.

    They are copied; but in a file whose tracks' lengths are wrong, what is a track is a guess.
    """
    others = [
        [track.notes for number, track in enumerate(raw.tracks) if number not in homes] for raw in (before, after)
    ]
    if others[0] != others[1]:
        raise MidiError(_ENDS_UNKNOWN)


def _events(data: bytes, chunk: tuple[int, int]) -> list[splice.Event]:
    return list(splice.events(data, chunk[0] + splice.HEAD, chunk[1]))


def _own_texts(data: bytes, events: Sequence[splice.Event]) -> set[int]:
    """The numbers of those in which a file of ours says how it was made."""
    own = OWN_TEXT.encode()
    return {number for number, event in enumerate(events) if splice.text_in(data, event).startswith(own)}


def _strokes(data: bytes, events: Sequence[splice.Event], gone: Sequence[RawNote]) -> set[int]:
    """The numbers of those that strike and release these notes.

    A note that is written twice goes twice; one that only begins like it is another voice's, if it has any length.
    """
    alike: dict[_Begin, list[tuple[int, tuple[int, ...]]]] = {}
    for note, numbers in splice.notes(data, events) if gone else ():
        alike.setdefault(_begin(note), []).append((note.end, numbers))
    out: set[int] = set()
    for note in gone:
        there = alike.get(_begin(note), [])
        if not there:
            raise MidiError(_FAULTY)
        whole = min((end for end, _ in there if end >= note.end), default=max(end for end, _ in there))
        out.update(number for end, numbers in there if end in (note.onset, whole) for number in numbers)
    return out


def _insertions(note: _Struck, channel: int) -> list[splice.Insertion]:
    """A note's events: struck after what stands at its tick, let go before."""
    on = bytes((splice.NOTE_ON | channel, note.pitch, note.velocity))
    off = bytes((splice.NOTE_OFF | channel, note.pitch, 0))
    return [splice.Insertion(note.onset, 2, on), splice.Insertion(note.end, 0, off)]
