"""An independent judge of written files: reads MIDI bytes by itself and knows nothing of melodygru.

Each check returns what is wrong as text, so that a failing test names every fault at once.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from typing import NamedTuple

import mido


@dataclass
class Written:
    """What stands in a one-track file, in ticks."""

    ticks_per_quarter: int
    notes: list[tuple[int, int, int, int]] = field(default_factory=list)  # onset, end, pitch, velocity
    time_signature: tuple[int, int] | None = None
    key_signature: str | None = None
    microseconds: int | None = None
    end: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def bar(self) -> int:
        """Ticks of one bar."""
        numerator, denominator = self.time_signature
        return self.ticks_per_quarter * 4 * numerator // denominator


def read_written(data: bytes) -> Written:
    """Read a type-0 file event by event, noting everything that a DAW might stumble over."""
    file = mido.MidiFile(file=io.BytesIO(data), clip=False)
    written = Written(file.ticks_per_beat)
    if file.type != 0 or len(file.tracks) != 1:
        written.faults.append(f"type {file.type} with {len(file.tracks)} tracks")
    tick, sounding, ended = 0, {}, False
    for message in file.tracks[0]:
        tick += message.time
        if ended:
            written.faults.append(f"{message} after the end of the track")
        if message.type == "time_signature":
            written.time_signature = (message.numerator, message.denominator)
        elif message.type == "key_signature":
            written.key_signature = message.key
        elif message.type == "set_tempo":
            written.microseconds = message.tempo
        elif message.type == "note_on" and message.velocity > 0:
            if sounding:
                written.faults.append(f"pitch {message.note} begins at tick {tick} while another sounds")
            sounding[message.note] = (tick, message.velocity)
        elif message.type in ("note_off", "note_on"):
            if message.note not in sounding:
                written.faults.append(f"pitch {message.note} ends at tick {tick} without having begun")
                continue
            onset, velocity = sounding.pop(message.note)
            if onset == tick:
                written.faults.append(f"pitch {message.note} at tick {tick} has no length")
            written.notes.append((onset, tick, message.note, velocity))
        elif message.type == "end_of_track":
            ended, written.end = True, tick
    if sounding:
        written.faults.append(f"pitches {sorted(sounding)} never end")
    if not ended:
        written.faults.append("no end of track")
    return written


class Struck(NamedTuple):
    """One note of a file, in ticks."""

    onset: int
    end: int
    pitch: int
    velocity: int


@dataclass
class Tracks:
    """What stands in a file of type 0 or 1: each track's notes by its name, where tracks end, the metre at tick 0."""

    ticks_per_quarter: int
    notes: list[list[Struck]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    metre: tuple[int, int] | None = None

    @property
    def melody(self) -> list[Struck]:
        """The notes of the first track that has any."""
        return next((notes for notes in self.notes if notes), [])


def read_tracks(data: bytes) -> Tracks:
    """Read a file of type 0 or 1, track by track."""
    file = mido.MidiFile(file=io.BytesIO(data), clip=False)
    tracks = Tracks(file.ticks_per_beat)
    for track in file.tracks:
        tick, sounding, notes, name, end = 0, {}, [], "", -1
        for message in track:
            tick += message.time
            if message.type == "track_name":
                name = message.name
            elif message.type == "time_signature" and tick == 0:
                tracks.metre = (message.numerator, message.denominator)
            elif message.type == "note_on" and message.velocity > 0:
                sounding[message.note] = (tick, message.velocity)
            elif message.type in ("note_off", "note_on"):
                onset, velocity = sounding.pop(message.note)
                notes.append(Struck(onset, tick, message.note, velocity))
            elif message.type == "end_of_track":
                end = tick
        tracks.notes.append(sorted(notes))
        tracks.names.append(name)
        tracks.ends.append(end)
    return tracks


def faults(data: bytes, *, bars: int, meter: str, key: str | None = None, qpm: float | None = None) -> list[str]:
    """Everything wrong with a file that should hold exactly `bars` bars of `meter`; empty when all is well.

    `key` is the MIDI name of the signature (such as "Am"), `qpm` quarters a minute.
    """
    written = read_written(data)
    found = list(written.faults)
    expected = tuple(int(part) for part in meter.split("/"))
    if written.time_signature != expected:
        found.append(f"metre {written.time_signature}, not {meter}")
        return found
    if written.end != bars * written.bar:
        found.append(f"ends at tick {written.end}, not on the last bar line at {bars * written.bar}")
    if not written.notes:
        found.append("no notes")
    if any(end > written.end for _, end, _, _ in written.notes):
        found.append("a note sounds over the end")
    if any(not 1 <= velocity <= 127 for *_, velocity in written.notes):
        found.append("a velocity out of range")
    if key is not None and written.key_signature != key:
        found.append(f"key {written.key_signature}, not {key}")
    if qpm is not None and written.microseconds != round(60_000_000 / qpm):
        found.append(f"tempo {written.microseconds}, not {round(60_000_000 / qpm)}")
    return found
