"""A MIDI file in which some notes of its melody are replaced, and nothing else is.

Velocities, other tracks, controllers, tempo changes, everything that the melody is not, stays event for event.
Of a score the melody alone becomes a MIDI file, which also says what MIDI has no words for: its pickup and its bars.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from statistics import median
from typing import Any

from melodygru.errors import MelodyGRUError, MidiError
from melodygru.formats.midi.chunks import OWN_TEXT
from melodygru.formats.midi.extraction import Extraction, extract
from melodygru.formats.midi.grid import Grid
from melodygru.formats.midi.mido_bridge import load, save
from melodygru.formats.midi.parser import RawFile, RawNote, parse_midi, read_bytes
from melodygru.formats.midi.performance import Clock, Performance, accent
from melodygru.formats.midi.writer import midi_bytes
from melodygru.formats.reading import WHOLE, read
from melodygru.formats.scores.files import is_score
from melodygru.music.melody import Melody, Note
from melodygru.music.theory import STEPS_PER_QUARTER, TimeSignature
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
    """

    data: bytes
    melody: Melody
    raw: RawFile
    extraction: Extraction

    @classmethod
    def read(cls, path: str | PathLike[str], track: str = "auto") -> Tune:
        """The melody of a MIDI file or a score.

        Raises FileError or MidiError; one of several melodies is no tune to change.
        """
        if is_score(os.fspath(path)):
            return cls._of_score(path, track)
        data = read_bytes(path)
        try:
            return cls.parse(data, Path(path).stem, track)
        except MidiError as error:
            raise MidiError(f"{os.fspath(path)} {error}") from None

    @classmethod
    def parse(cls, data: bytes, name: str, track: str = "auto") -> Tune:
        """The melody of a file's bytes. Raises MidiError, whose message lacks the file's name."""
        raw = parse_midi(data)
        told = next((text for text in raw.texts if text.startswith(_OF_A_SCORE)), None)
        if told is not None:
            return cls._made_of_score(data, raw, name, told)
        found = extract(raw, name, replace(WHOLE, track=track))
        if len(found.melodies) != 1:
            raise MidiError(f"changes its metre, so it has {len(found.melodies)} melodies; give a file of one metre.")
        return cls(data, found.melodies[0], raw, found)

    @classmethod
    def _of_score(cls, path: str | PathLike[str], track: str) -> Tune:
        melodies = read(path, replace(WHOLE, track=track)).melodies
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

    def rewritten(self, new: Melody, text: str) -> bytes:
        """The file with the notes of `new` in place of its melody's, and with a text that says how it was made.

        Notes that are the same in both stay as they are played. New ones lie on the grid (swung if the file says so),
        as loud as the melody's median and accented by the metre. Raises MidiError if the file cannot be edited.
        """
        old = self.melody
        kept = set(old.notes) & set(new.notes)
        gone = [self._raw_note(note) for note in old.notes if note not in kept]
        loud = round(median(note.velocity for note in self.extraction.notes))
        loud -= round(median(accent(note.onset, old.time_signature) for note in old.notes))
        channel = self.extraction.notes[0].channel
        clock = self._clock(old)
        added = []
        for note in new.notes:
            if note not in kept:
                velocity = max(1, min(127, loud + accent(note.onset, old.time_signature)))
                start, end = (self._tick(step, clock) for step in (note.onset, note.end))
                added.append(RawNote(start, max(end, start + 1), note.pitch, velocity, channel))
        return _edited(self.data, gone, added, text)

    def _clock(self, melody: Melody) -> Clock | None:
        """How the file swings, where it says so."""
        try:
            recipe = Recipe.find(self.raw.texts)
        except MelodyGRUError:
            return None
        if recipe is None or recipe.performance.ppq != self.raw.ticks_per_quarter:
            return None
        return Clock(melody, Performance(swing=recipe.performance.swing, ppq=recipe.performance.ppq))

    def _tick(self, step: int, clock: Clock | None) -> int:
        grid = self.extraction.grid
        if clock is not None and not grid.origin and not self.extraction.starts[0]:
            return clock.tick(step)
        return max(0, grid.origin + round((self.extraction.starts[0] + step) * grid.ticks_per_quarter / 24))

    def _raw_note(self, note: Note) -> RawNote:
        """The note of the file that a note of the melody is."""
        steps = self.extraction.grid.steps
        place = self.extraction.starts[0] + note.onset
        near = min(
            (raw for raw in self.extraction.notes if raw.pitch == note.pitch),
            key=lambda raw: abs(float(steps(raw.onset)) - place),
        )
        assert abs(float(steps(near.onset)) - place) <= _NEAR
        return near


def _edited(data: bytes, gone: Sequence[RawNote], added: Sequence[RawNote], text: str) -> bytes:
    import mido

    try:
        # Latin-1 keeps texts in any encoding byte for byte.
        file = load(data, charset="latin-1", clip=True)
    except (OSError, EOFError, ValueError, KeyError, IndexError, mido.KeySignatureError) as error:
        raise MidiError(f"is faulty in a way that reading survives and writing does not ({error}).") from error
    leave = {(note.onset, note.pitch, note.channel) for note in gone}
    tracks = [_timed(track, leave) for track in file.tracks]
    # Where nothing is taken away (a gap of silence), the first track with notes on the channel has the melody.
    channel = added[0].channel if added else 0
    home = next((n for n, (_, removed) in enumerate(tracks) if removed), None)
    if home is None:
        playing = (n for n, track in enumerate(file.tracks) if any(_begins(m) and m.channel == channel for m in track))
        home = next(playing, 0)
    for note in added:
        on = mido.Message("note_on", note=note.pitch, velocity=note.velocity, channel=note.channel)
        off = mido.Message("note_off", note=note.pitch, velocity=0, channel=note.channel)
        tracks[home][0].extend([(note.onset, 2, on), (note.end, 0, off)])
    # After the track's name, where files of ours have it.
    title = bool(tracks[0][0]) and tracks[0][0][0][2].type == "track_name"
    message = mido.MetaMessage("text", text=text.encode().decode("latin-1"))  # in UTF-8, as in files of ours
    tracks[0][0].insert(int(title), (0, 0 if title else -1, message))
    for number, (timed, _) in enumerate(tracks):
        file.tracks[number] = _track(timed)
    return save(file)


def _begins(message: Any) -> bool:
    return message.type == "note_on" and message.velocity > 0


def _timed(track: Any, leave: set[tuple[int, int, int]]) -> tuple[list[tuple[int, int, Any]], bool]:
    """(tick, rank, message) of a track, and whether notes were left out.

    Left out are notes that begin as in `leave` (onset, pitch, channel), and what an earlier recipe said. By rank
    releases come before what stood there, and new notes after.
    """
    timed: list[tuple[int, int, Any]] = []
    waiting: set[tuple[int, int]] = set()
    at, removed = 0, False
    for message in track:
        at += message.time
        if _begins(message) and (at, message.note, message.channel) in leave:
            waiting.add((message.note, message.channel))
            removed = True
        elif message.type in ("note_on", "note_off") and (message.note, message.channel) in waiting:
            waiting.remove((message.note, message.channel))
            if _begins(message):  # struck again before it was let go
                timed.append((at, 1, message))
        elif not (message.type == "text" and message.text.startswith(OWN_TEXT)):
            timed.append((at, 1, message))
    return timed, removed


def _track(timed: list[tuple[int, int, Any]]) -> Any:
    """A track of these messages, its end where it was, or where the last message is."""
    import mido

    ends = [entry for entry in timed if entry[2].type == "end_of_track"]
    others = [entry for entry in timed if entry[2].type != "end_of_track"]
    track, now = mido.MidiTrack(), 0
    for tick, _, message in sorted(others, key=lambda entry: entry[:2]):
        track.append(message.copy(time=tick - now))
        now = tick
    last = max([now, *(tick for tick, _, _ in ends)])
    track.append(mido.MetaMessage("end_of_track", time=last - now))
    return track
