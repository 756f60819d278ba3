"""A MIDI file in which some notes of its melody are replaced, and nothing else is.

Velocities, other tracks, controllers, tempo changes, everything that the melody is not, stays byte for byte (see
`melodygru.formats.midi.replacement`).
Of a score the melody alone becomes a MIDI file, which also says what MIDI has no words for: its pickup and its bars.
"""

from __future__ import annotations

import json
import os
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace
from operator import itemgetter
from os import PathLike
from pathlib import Path
from statistics import median
from typing import Any

from melodygru.errors import MelodyGRUError, MidiError
from melodygru.formats.midi import splice
from melodygru.formats.midi.chunks import OWN_TEXT
from melodygru.formats.midi.extraction import Extraction, ExtractionConfig, extract
from melodygru.formats.midi.grid import Grid
from melodygru.formats.midi.own_word import UPBEAT, OwnWord, swung_anchors
from melodygru.formats.midi.parser import RawFile, RawNote, parse_midi, read_bytes
from melodygru.formats.midi.performance import Clock, Performance, accent, triplet_quarters
from melodygru.formats.midi.replacement import Struck, check_others, homes_of, replaced
from melodygru.formats.midi.writer import midi_bytes
from melodygru.formats.reading import WHOLE, read
from melodygru.formats.scores.files import is_score
from melodygru.music.estimation import Judge, told_chance
from melodygru.music.melody import Melody, Note
from melodygru.music.theory import STEPS_PER_QUARTER, TimeSignature
from melodygru.records import dataclass
from melodygru.system.files import printable
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
                added.append(Struck(start, max(end, start + 1), note.pitch, velocity))
        homes = homes_of(self.extraction, self.raw)
        try:
            data = replaced(splice.unwrapped(self.data), self.extraction, homes, gone, added, text)
            check_others(self.raw, parse_midi(data), set(homes.values()))
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
