"""An independent judge of written files: reads MIDI bytes by itself and knows nothing of melodygru.

Each check returns what is wrong as text, so that a failing test names every fault at once.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field

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
