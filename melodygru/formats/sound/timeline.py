"""MIDI bytes -> what sounds when, in seconds: for `melodygru.formats.sound.synthesis`, and for whoever plays.

Notes and tempi are read by `melodygru.formats.midi.parser`, what else a channel is told (instrument, volume, place,
pedal) through `melodygru.formats.midi.splice`; both read faulty files too. Pitch bends and other controllers pass by.
"""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from typing import NamedTuple

from melodygru.errors import MidiError, UsageError
from melodygru.formats.midi.chunks import PERCUSSION
from melodygru.formats.midi.clip import clip_end
from melodygru.formats.midi.parser import USUAL_TEMPO, RawFile, parse_midi
from melodygru.formats.midi.splice import HEAD, events, tracks, unwrapped
from melodygru.formats.midi.writer import CHORDS_TRACK
from melodygru.records import dataclass

_NEVER = 1 << 62
_CONTROL_CHANGE, _PROGRAM_CHANGE = 0xB0, 0xC0
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

    `bars` counts the bars, a pickup's too.
    """

    notes: tuple[Sounding, ...]
    seconds: Fraction
    bars: int


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
    end, bars = clip_end(raw)
    if end == 0:
        raise MidiError("holds no notes and no bars, so there is nothing to hear.")
    clock = _Seconds(raw)
    channels = _read_channels(midi, len(raw.tracks))
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
    return Timeline(tuple(sorted(notes)), clock.at(end), bars)


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


def _read_channels(midi: bytes, count: int) -> list[_Channel]:
    """What each of the 16 channels is told in the first `count` tracks of a file."""
    channels = [_Channel() for _ in range(16)]
    data = unwrapped(midi)
    for begin, end in tracks(data)[:count]:
        for event in events(data, begin + HEAD, end):
            kind, channel = event.status & 0xF0, channels[event.status & 0x0F]
            control, value = data[event.end - 2], min(data[event.end - 1], 127)
            if kind == _PROGRAM_CHANGE:
                channel.programs.append((event.tick, value))
            elif kind == _CONTROL_CHANGE and control in _INITIAL:
                channel.controls[control].append((event.tick, value))
    for channel in channels:
        # By tick alone: of what is said at one tick the last holds.
        for said in (channel.programs, *channel.controls.values()):
            said[:] = dict(sorted(said, key=lambda entry: entry[0])).items()
    return channels
