"""Melody <-> events: lossless on the grid.

An event is a note or a rest: a duration class, then a pitch class.

- Duration classes: 0 is END, 1..max_duration are steps (24 to a quarter).
- Pitch classes: 0..127 MIDI pitches; 128 REST; 129 TIE, which prolongs the note before it
  (for notes longer than `max_duration`).

END means silence to the end of the bar in which it comes; it is always the last event. A melody
with a pickup begins with a rest, the silent part of bar 0. Not part of the events but given
beforehand (`PieceMeta`): metre, key, number of bars, and whether there is a pickup bar.
"""

from __future__ import annotations

from math import gcd
from typing import NamedTuple

import numpy as np

from melodygru.errors import DataError
from melodygru.music.melody import Melody, Note
from melodygru.music.spelling import note_name
from melodygru.music.theory import STEPS_PER_QUARTER, Key, TimeSignature
from melodygru.network.arrays import IntArray
from melodygru.network.conditions import Conditions
from melodygru.network.config import TokenizerConfig
from melodygru.records import dataclass

END = 0
"""The duration class that ends a melody."""
REST = 128
TIE = 129


@dataclass(frozen=True)
class PieceMeta:
    """What is known of a melody before its first event.

    `bars` counts full bars; a pickup bar (bar 0) comes in addition.
    """

    time_signature: TimeSignature = TimeSignature()
    key: Key = Key()
    bars: int = 16
    has_pickup: bool = False
    conditions: Conditions = Conditions()

    @property
    def length(self) -> int:
        """Steps from the first bar line of the grid to the end of the last bar."""
        return (self.bars + self.has_pickup) * self.time_signature.bar_steps


@dataclass(frozen=True)
class Events:
    """T events: `durations` and `pitches` are (T,) int64 class indices; the last duration is END."""

    durations: IntArray
    pitches: IntArray
    meta: PieceMeta

    @property
    def notes(self) -> int:
        """How many notes there are: a tied note counts once."""
        return int((self.pitches < REST).sum())


class EventRow(NamedTuple):
    """One event in words. `bar` and `beat` count from 1 (bar 0 is a pickup's); `steps` is its duration.

    A beat of "2+1/3" is a third of a beat after beat 2.
    """

    bar: int
    beat: str
    what: str
    value: str
    steps: int


class Tokenizer:
    """Turns melodies into events and back; its vocabulary is fixed by the configuration alone."""

    def __init__(self, config: TokenizerConfig | None = None):
        self.config = config or TokenizerConfig()

    def encode(self, melody: Melody) -> Events:
        """The events of a melody. Any melody on the grid comes back identical from `decode`."""
        durations: list[int] = []
        pitches: list[int] = []
        at = 0
        for note in melody.notes:
            self._append(durations, pitches, note.onset - at, REST, REST)
            self._append(durations, pitches, note.duration, note.pitch, TIE)
            at = note.end
        # END covers the rest of the last bar; whole silent bars before it are rests.
        last_bar = melody.length - melody.time_signature.bar_steps
        self._append(durations, pitches, last_bar - at, REST, REST)
        durations.append(END)
        pitches.append(REST)
        meta = PieceMeta(melody.time_signature, melody.key, melody.bars, melody.pickup > 0)
        return Events(np.array(durations, np.int64), np.array(pitches, np.int64), meta)

    def _append(self, durations: list[int], pitches: list[int], steps: int, first: int, then: int) -> None:
        """Append `steps` steps, if above 0: one event of pitch class `first`, and as many as needed of `then`."""
        while steps > 0:
            durations.append(min(steps, self.config.max_duration))
            pitches.append(first)
            steps -= durations[-1]
            first = then

    def decode(self, events: Events, qpm: float = 120.0, name: str = "") -> Melody:
        """The melody of events; tempo and name are not part of them.

        Raises DataError for events that are no melody: a tie without a note, notes over the end, no END.
        """
        notes: list[Note] = []
        at = 0
        pairs = list(zip(events.durations.tolist(), events.pitches.tolist(), strict=True))
        if not pairs or pairs[-1][0] != END or any(duration == END for duration, _ in pairs[:-1]):
            raise DataError("The events are no melody: END must come once, at the end.")
        for duration, pitch in pairs[:-1]:
            if pitch < REST:
                notes.append(Note(pitch, at, duration))
            elif pitch == TIE:
                if not notes or notes[-1].end != at:
                    raise DataError(f"The events are no melody: a tie at step {at} follows no note.")
                notes[-1] = Note(notes[-1].pitch, notes[-1].onset, notes[-1].duration + duration)
            at += duration
        meta, bar = events.meta, events.meta.time_signature.bar_steps
        if not meta.length - bar <= at <= meta.length:
            raise DataError(f"The events are no melody of {meta.bars} bars: they end at step {at} of {meta.length}.")
        pickup = 0
        if meta.has_pickup:
            first = notes[0].onset if notes else bar
            if not 0 < first < bar:
                raise DataError("The events are no melody with a pickup: bar 0 must begin with a rest and have a note.")
            pickup = bar - first
        return Melody(tuple(notes), meta.time_signature, meta.key, qpm, name, pickup, meta.bars)


def describe(events: Events) -> list[EventRow]:
    """The events in words, a row each: bar, beat, what sounds, note value, steps."""
    rows = []
    at, meta = 0, events.meta
    bar_steps, beat_steps = meta.time_signature.bar_steps, meta.time_signature.beat_steps
    for duration, pitch in zip(events.durations.tolist(), events.pitches.tolist(), strict=True):
        bar = at // bar_steps + (0 if meta.has_pickup else 1)
        beat, beyond = divmod(at % bar_steps, beat_steps)
        part = gcd(beyond, beat_steps)
        where = f"{beat + 1}" + (f"+{beyond // part}/{beat_steps // part}" if beyond else "")
        names = {REST: "rest", TIE: "tie"}
        what = "end" if duration == END else names.get(pitch) or note_name(pitch, meta.key)
        rows.append(EventRow(bar, where, what, note_value(duration) if duration else "", duration))
        at += duration
    return rows


_VALUES = {1: "whole", 2: "half", 4: "quarter", 8: "eighth", 16: "16th", 32: "32nd"}


def note_value(steps: int) -> str:
    """The name of a duration: "quarter", "dotted eighth", "triplet 16th"; in quarters where it has none."""
    whole = 4 * STEPS_PER_QUARTER
    for part, name in _VALUES.items():
        if steps * part == whole:
            return name
        if steps * part * 2 == whole * 3:
            return f"dotted {name}"
        if steps * part * 3 == whole * 2:
            return f"triplet {name}"
    return f"{steps / STEPS_PER_QUARTER:.4g} quarters"
