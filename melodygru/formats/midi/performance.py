"""How a melody is played: instrument, loudness, swing, human inexactness, and in what kind of file.

`perform` turns steps of the grid into ticks and velocities. Bar lines never move, notes keep their order, and nothing
overlaps that did not before. With the defaults every note lies exactly on the grid. `melodygru.formats.midi.writer`
makes files of what comes out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from itertools import pairwise
from numbers import Integral, Real
from random import Random
from typing import Any, NamedTuple

from melodygru.errors import UsageError, check_range, from_known
from melodygru.music.melody import Melody
from melodygru.music.theory import STEPS_PER_QUARTER, TimeSignature

TICKS_PER_QUARTER = 480
"""Resolution of written files where none is asked for: DAWs' usual one."""

TIMING_SECONDS = 0.015
"""Standard deviation of onsets and releases at humanize 1; no deviation is over three times as large."""

VELOCITY_SPREAD = 8
"""Standard deviation of velocities at humanize 1."""

_THIRTY_SECOND = STEPS_PER_QUARTER // 8


@dataclass(frozen=True)
class Performance:
    """How to play a melody and how to write it down.

    Attributes:
        program: General MIDI instrument less one, in [0, 127]; see `melodygru.music.instruments`.
        channel: MIDI channel as people count, in [1, 16]; 10 is percussion.
        velocity: loudness of a note without an accent, in [1, 127].
        swing: where in its quarter the second of two eighths begins, in [0.5, 0.75]: 0.5 straight, 2/3 triplet swing.
        humanize: how inexact timing and velocity are, in [0, 1]; see `TIMING_SECONDS` and `VELOCITY_SPREAD`.
        seed: what the inexactness is drawn from, 0 or more.
        midi_format: 0 (one track) or 1; None: 1 with a track of chords, else 0.
        ppq: ticks to a quarter note, a multiple of 24 in [24, 9600].

    Raises:
        UsageError: a value out of range, named.
    """

    program: int = 0
    channel: int = 1
    velocity: int = 84
    swing: float = 0.5
    humanize: float = 0.0
    seed: int = 0
    midi_format: int | None = None
    ppq: int = TICKS_PER_QUARTER

    def __post_init__(self) -> None:
        for name, kind, what in (
            *((name, Integral, "a whole number") for name in ("program", "channel", "velocity", "seed", "ppq")),
            *((name, Real, "a number") for name in ("swing", "humanize")),
        ):
            value = getattr(self, name)
            if not isinstance(value, kind) or isinstance(value, bool):
                raise UsageError(f"{name} is {value!r}; give {what}.")
        check_range("program", self.program, 0, 127, "General MIDI less one; 0 is a piano")
        check_range("channel", self.channel, 1, 16)
        check_range("velocity", self.velocity, 1, 127)
        check_range("swing", self.swing, 0.5, 0.75, "0.5 is straight, 0.667 triplet swing")
        check_range("humanize", self.humanize, 0, 1, "0 is off")
        if self.seed < 0:
            raise UsageError(f"seed is {self.seed}; give 0 or a larger whole number.")
        if self.midi_format not in (None, 0, 1) or isinstance(self.midi_format, bool):
            raise UsageError(f"midi-format is {self.midi_format!r}; choose 0 (one track) or 1 (several).")
        if not 24 <= self.ppq <= 9600 or self.ppq % STEPS_PER_QUARTER:
            raise UsageError(f"ppq is {self.ppq}; choose a multiple of 24 from 24 to 9600, such as 96, 480 or 960.")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Performance:
        """The inverse of `as_dict`. Raises UsageError for a field that is unknown or out of range."""
        return from_known(cls, values)

    def as_dict(self) -> dict[str, Any]:
        """All but the seed that differs from the defaults, as JSON values."""
        return {
            field.name: value
            for field in fields(self)
            if field.name != "seed" and (value := getattr(self, field.name)) != field.default
        }

    def check(self, metre: TimeSignature, with_chords: bool = False) -> None:
        """Raise UsageError if this contradicts a melody's metre, or a track of chords, before anything is generated."""
        if self.swing != 0.5 and not can_swing(metre):
            raise UsageError(
                f"swing {self.swing:g} has nothing to act on in {metre}, whose bars are not made of quarters with two "
                "eighths each; leave it out, or choose a metre such as 4/4 or 3/4."
            )
        if with_chords and self.midi_format == 0:
            raise UsageError(
                "A file of format 0 has one track, and the chords need a second; leave out midi-format, or choose 1."
            )


class Struck(NamedTuple):
    """One note as it is played: sounds in the half-open range of ticks [onset, end); velocity in [1, 127]."""

    onset: int
    end: int
    pitch: int
    velocity: int


def can_swing(metre: TimeSignature) -> bool:
    """Whether bars are whole quarters of two eighths each: 4/4, 3/4, 2/2, 5/4; not 6/8 (felt in threes), 3/8 or 7/8."""
    return not metre.is_compound and metre.bar_steps % STEPS_PER_QUARTER == 0


class Clock:
    """When a step of the grid sounds, in ticks, order kept; humanize apart.

    Swing bends time within each quarter: its first half is stretched to the share `swing`, evenly, and the second
    shortened to what is left. Quarters in which a note of the melody begins off the grid of thirty-seconds (triplets,
    mostly) stay as they are: those are played as they stand, and at 2/3 what is swung meets them.

    Raises UsageError when there is swing and the metre has none.
    """

    def __init__(self, melody: Melody, performance: Performance):
        performance.check(melody.time_signature)
        self.ticks_per_step = performance.ppq // STEPS_PER_QUARTER
        self._swing = Fraction(float(performance.swing))
        self._straight = {note.onset // STEPS_PER_QUARTER for note in melody.notes if note.onset % _THIRTY_SECOND}

    def tick(self, step: int) -> int:
        """The tick of a step: both count from the first bar line of the grid."""
        quarter, inside = divmod(step, STEPS_PER_QUARTER)
        straight = step * self.ticks_per_step
        if self._swing == Fraction(1, 2) or quarter in self._straight:
            return straight
        half = STEPS_PER_QUARTER // 2
        # How much later than straight: nothing at both ends of the quarter, most in its middle.
        late = (2 * self._swing - 1) * (inside if inside <= half else STEPS_PER_QUARTER - inside)
        return straight + int(late * self.ticks_per_step + Fraction(1, 2))


def perform(melody: Melody, performance: Performance) -> list[Struck]:
    """The melody's notes as they are played, in order; each ends at or before the next one's onset.

    Every note lasts at least a tick, and what touches goes on touching. Raises UsageError for swing in a metre that has
    none.
    """
    clock = Clock(melody, performance)
    edges = {step: clock.tick(step) for note in melody.notes for step in (note.onset, note.end)}
    louder = [0] * len(melody.notes)
    if performance.humanize:
        ticks_a_second = melody.qpm / 60 * performance.ppq
        edges = dict(
            zip(
                edges,
                _shaken(
                    list(edges.values()),
                    melody.length * clock.ticks_per_step,
                    performance.humanize * TIMING_SECONDS * ticks_a_second,
                    Random(f"humanize timing {performance.seed}"),
                ),
                strict=True,
            )
        )
        chance = Random(f"humanize velocity {performance.seed}")
        louder = [round(performance.humanize * VELOCITY_SPREAD * _normal(chance)) for _ in melody.notes]
    return [
        Struck(
            edges[note.onset],
            # Of 24 ticks a quarter, swing may leave less than half a one to the shortest notes.
            max(edges[note.onset] + 1, edges[note.end]),
            note.pitch,
            max(1, min(127, performance.velocity + accent(note.onset, melody.time_signature) + more)),
        )
        for note, more in zip(melody.notes, louder, strict=True)
    ]


def accent(onset: int, metre: TimeSignature) -> int:
    """How much louder a note is than one off the beat: downbeats most, then the half bar, then beats."""
    position = onset % metre.bar_steps
    beats = metre.bar_steps // metre.beat_steps
    if position == 0:
        return 12
    if position % metre.beat_steps:
        return 0
    return 8 if beats % 2 == 0 and beats > 2 and position == metre.bar_steps // 2 else 4


def _shaken(ticks: Sequence[int], last: int, spread: float, chance: Random) -> list[int]:
    """Ascending ticks, each moved at random by at most a quarter of the way to its neighbours, within [0, last]."""
    gaps = [two - one for one, two in pairwise((0, *ticks, last))]
    moved = []
    for tick, before, after in zip(ticks, gaps[:-1], gaps[1:], strict=True):
        # The file's own ends are no notes: an onset may come back all the way to them, not half-way.
        earliest = tick - (before if tick == ticks[0] else before // 4)
        latest = tick + (after if tick == ticks[-1] else after // 4)
        moved.append(max(earliest, min(latest, tick + round(spread * _normal(chance)))))
    return moved


def _normal(chance: Random) -> float:
    """A nearly normal deviate, standard deviation 1, in [-3, 3].

    The sum of twelve uniform ones (Irwin-Hall), added up as integers: the same on every machine and with every version
    of Python, which logarithms, cosines and sums of floats are not.
    """
    total = sum(chance.getrandbits(32) for _ in range(12))
    return max(-3.0, min(3.0, (total - (6 << 32)) / (1 << 32)))
