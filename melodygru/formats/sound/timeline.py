"""MIDI bytes -> what sounds when, in seconds: for `melodygru.formats.sound.synthesis`, and for whoever plays.

Notes and tempi are read by `melodygru.formats.midi.parser`, which reads faulty files too. What else a channel is told
(instrument, volume, place, pedal) is read through mido; where a file is too faulty for mido, its instruments are
unknown, all sounds on a piano, and `Timeline.remarks` says so. Pitch bends and controllers other than these pass by.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NamedTuple

from melodygru.errors import MidiError, UsageError
from melodygru.formats.midi.chunks import PERCUSSION
from melodygru.formats.midi.clip import clip_end
from melodygru.formats.midi.mido_bridge import load
from melodygru.formats.midi.parser import USUAL_TEMPO, RawFile, parse_midi
from melodygru.formats.midi.writer import CHORDS_TRACK

_NEVER = 1 << 62
_VOLUME, _PAN, _EXPRESSION, _PEDAL = 7, 10, 11, 64
_INITIAL = {_VOLUME: 100, _PAN: 64, _EXPRESSION: 127, _PEDAL: 0}


class Sounding(NamedTuple):
    """A note as it sounds: `start` and `end` in seconds, half-open; all else at its onset.

    `gain` in [0, 1.62]: the channel's volume and expression, 1 where nothing is said; `pan` in [-1, 1], left to right.
    """

    start: float
    end: float
    pitch: int
    velocity: int
    program: int
    channel: int
    gain: float
    pan: float


@dataclass(frozen=True)
class Timeline:
    """What a file sounds like, `seconds` long from its first bar line to its last.

    `bars` counts the bars, a pickup's too; `remarks` are sentences on what could not be read.
    """

    notes: tuple[Sounding, ...]
    seconds: Fraction
    bars: int
    remarks: tuple[str, ...] = ()


def read_timeline(midi: bytes, program: int | None = None) -> Timeline:
    """What a MIDI file's bytes sound like.

    Where the clip ends, `melodygru.formats.midi.clip` says.

    Args:
        midi: the file's bytes.
        program: an instrument in [0, 128) in place of the file's own, for all but percussion and a track of chords.

    Raises:
        MidiError: bytes that are no MIDI file, or hold no music at all; the message lacks the file's name.
        UsageError: a program out of range.
    """
    if program is not None and not 0 <= program < 128:
        raise UsageError(f"program is {program}; choose a number from 0 to 127.")
    raw = parse_midi(midi)
    channels, readable = _read_channels(midi)
    end, bars = clip_end(raw)
    if end == 0:
        raise MidiError("holds no notes and no bars, so there is nothing to hear.")
    clock = _Seconds(raw)
    notes = []
    for track in raw.tracks:
        chosen = None if track.name == CHORDS_TRACK else program
        for note in track.notes:
            if note.onset >= end:
                continue
            said = channels[note.channel]
            played = said.program(note.onset) if chosen is None or note.channel == PERCUSSION else chosen
            volume = said.value(_VOLUME, note.onset) * said.value(_EXPRESSION, note.onset)
            release = min(said.release(note.end), end)
            notes.append(Sounding(
                float(clock.at(note.onset)), float(clock.at(release)), note.pitch, note.velocity, played, note.channel,
                (volume / (_INITIAL[_VOLUME] * _INITIAL[_EXPRESSION])) ** 2,
                max(-1.0, (said.value(_PAN, note.onset) - 64) / 63),
            ))  # fmt: skip
    remarks = () if readable else ("Its instruments cannot be read, since the file is faulty; all is a piano.",)
    return Timeline(tuple(sorted(notes)), clock.at(end), bars, remarks)


class _Seconds:
    """Ticks -> seconds, exactly."""

    def __init__(self, raw: RawFile) -> None:
        self._ticks, self._tempi, self._passed = [0], [USUAL_TEMPO], [0]  # microseconds times ticks a quarter
        self._unit = raw.ticks_per_quarter * 1_000_000
        for tick, tempo in raw.tempi:
            self._passed.append(self._passed[-1] + (tick - self._ticks[-1]) * self._tempi[-1])
            self._ticks.append(tick)
            self._tempi.append(tempo or USUAL_TEMPO)

    def at(self, tick: int) -> Fraction:
        index = bisect_right(self._ticks, tick) - 1
        return Fraction(self._passed[index] + (tick - self._ticks[index]) * self._tempi[index], self._unit)


class _Channel:
    """What a channel was told, and when."""

    def __init__(self) -> None:
        self.programs: list[tuple[int, int]] = []
        self.controls: dict[int, list[tuple[int, int]]] = {number: [] for number in _INITIAL}
        self._lifts: list[int] | None = None  # ticks at which the pedal is let go, once somebody asks

    def program(self, tick: int) -> int:
        index = bisect_right(self.programs, (tick, 128))
        return self.programs[index - 1][1] if index else 0

    def value(self, control: int, tick: int) -> int:
        index = bisect_right(self.controls[control], (tick, 128))
        return self.controls[control][index - 1][1] if index else _INITIAL[control]

    def release(self, tick: int) -> int:
        """When a note that is let go at a tick falls silent: with the pedal down, when that is let go."""
        if self.value(_PEDAL, tick) < 64:
            return tick
        if self._lifts is None:
            self._lifts = [at for at, value in self.controls[_PEDAL] if value < 64]
        place = bisect_right(self._lifts, tick)
        return self._lifts[place] if place < len(self._lifts) else _NEVER


def _read_channels(midi: bytes) -> tuple[list[_Channel], bool]:
    """Of 16 channels what they are told, and whether all of it could be read."""
    channels = [_Channel() for _ in range(16)]
    try:
        # A RIFF file, or an old Macintosh one, begins with something else.
        file: Any = load(midi[midi.find(b"MThd") :], clip=True)
    except Exception:  # mido raises many kinds, plain Exception too; notes and times are read without it
        return channels, False
    for track in file.tracks:
        tick = 0
        for message in track:
            tick += message.time
            if message.type == "program_change":
                channels[message.channel].programs.append((tick, message.program))
            elif message.type == "control_change" and message.control in _INITIAL:
                channels[message.channel].controls[message.control].append((tick, message.value))
    for channel in channels:
        # By tick alone: of what is said at one tick the last holds.
        for said in (channel.programs, *channel.controls.values()):
            said[:] = dict(sorted(said, key=lambda entry: entry[0])).items()
    return channels, True
