"""How a melody is played: instrument, loudness, swing, human inexactness, and in what kind of file.

`perform` turns steps of the grid into ticks and velocities. Bar lines never move, notes keep their order, and nothing
overlaps that did not before. With the defaults every note lies exactly on the grid. `melodygru.formats.midi.writer`
makes files of what comes out.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from fractions import Fraction
from itertools import pairwise
from random import Random
from typing import Any, NamedTuple

from melodygru.errors import UsageError, from_known
from melodygru.formats.midi.expression import louder as shaped
from melodygru.music.melody import Melody
from melodygru.music.theory import STEPS_PER_QUARTER, TimeSignature
from melodygru.music.tracks import Track
from melodygru.option import FEEL, FILES, check_all, described, option
from melodygru.records import dataclass

TICKS_PER_QUARTER = 480
"""Resolution of written files where none is asked for: DAWs' usual one."""

TIMING_SECONDS = 0.015
"""Standard deviation of onsets and releases at humanize 1; no deviation is over three times as large."""

VELOCITY_SPREAD = 8
"""Standard deviation of velocities at humanize 1."""

PLAYING = ("generate",)
"""Commands that take all but the seed."""

_THIRTY_SECOND = STEPS_PER_QUARTER // 8


@dataclass(frozen=True)
class Performance:
    """How to play a melody and how to write it down.

    Attributes:
        program: General MIDI instrument less one; see `melodygru.music.instruments`.
        channel: MIDI channel as people count, from 1; 10 is percussion.
        velocity: loudness of a note without an accent.
        swing: where in its quarter the second of two eighths begins: 0.5 straight, 2/3 triplet swing.
        humanize: how inexact timing and velocity are; see `TIMING_SECONDS` and `VELOCITY_SPREAD`.
        expression: how much of a musician's shaping there is in loudness, see `melodygru.formats.midi.expression`.
        expression_time: whether there is in tempo too, as a tempo map: ticks stay where they are.
        seed: what the inexactness is drawn from.
        midi_format: 0 (one track) or 1; None: 1 with a track of chords, else 0.
        ppq: ticks to a quarter note, a multiple of the grid's steps.
        no_tempo, no_key: whether tempo, or key signature and the key in words, stay out of the file: a clip for a
            project that has its own.
        pickup_as: "bar" (bar 0 of the file, before the others) or "loop" (the end of the last bar, so that the clip
            goes round in its full bars).

    Raises:
        UsageError: a value out of range, named.
    """

    program: int = option(
        0, "Instrument: {limits}, or a General MIDI name (violin).", low=0, high=127,
        note="General MIDI less one; 0 is a piano", typed=str, panel=FEEL,
        aliases=("instrument", "sound", "patch"), commands=PLAYING,
    )  # fmt: skip
    channel: int = option(1, "MIDI channel: {limits}.", low=1, high=16, panel=FEEL, commands=PLAYING)
    velocity: int = option(
        84, "Loudness off the beat: {limits}.", low=1, high=127, panel=FEEL, aliases=("volume", "loudness"),
        commands=PLAYING,
    )  # fmt: skip
    swing: float = option(
        0.5, "{low} straight, 0.67 triplet swing, to {high}.", low=0.5, high=0.75,
        note="0.5 is straight, 0.667 triplet swing", shown="", panel=FEEL, commands=PLAYING,
    )  # fmt: skip
    humanize: float = option(
        0.0, "Inexact timing and loudness: {limits}.", low=0, high=1, note="0 is off", panel=FEEL, commands=PLAYING
    )
    expression: float = option(
        0.0, "Phrases, high notes and accents shaped in loudness: {limits}.", low=0, high=1, note="0 is off",
        panel=FEEL, commands=PLAYING,
    )  # fmt: skip
    expression_time: bool = option(
        False, "Shape the tempo too, and slow down at the end.", spelling="--expression-time", shown="",
        needs="expression", panel=FEEL, commands=PLAYING,
    )  # fmt: skip
    seed: int = option(0, "What the inexactness is drawn from.", low=0, remedy="give {low} or a larger whole number")
    midi_format: int | None = option(
        None, "0: one track; 1: several.", choices=(0, 1), remedy="choose 0 (one track) or 1 (several)",
        shown="0; 1 with chords", panel=FILES, commands=PLAYING,
    )  # fmt: skip
    ppq: int = option(
        TICKS_PER_QUARTER, "Ticks to a quarter, a multiple of {multiple}.", low=STEPS_PER_QUARTER, high=9600,
        multiple=STEPS_PER_QUARTER, remedy="choose a multiple of {multiple} from {limits}, such as 96, 480 or 960",
        panel=FILES, commands=PLAYING,
    )  # fmt: skip
    no_tempo: bool = option(
        False, "Leave the tempo out of the file.", spelling="--no-tempo", shown="", panel=FILES, commands=PLAYING
    )
    no_key: bool = option(
        False, "Leave the key out of the file.", spelling="--no-key", shown="", panel=FILES, commands=PLAYING
    )
    pickup_as: str = option(
        "bar", "Where the pickup goes: a bar before bar 1, or loop: into the end of the last bar.",
        choices=("bar", "loop"), panel=FILES, commands=PLAYING,
    )  # fmt: skip

    def __post_init__(self) -> None:
        check_all(described(Performance).values(), self)

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
        if self.expression_time and self.no_tempo:
            raise UsageError("--expression-time and --no-tempo contradict each other: leave one of them out.")
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

    def __init__(self, melody: Melody, performance: Performance, straight: Collection[int] | None = None):
        """`straight`: the numbers of the quarters that stay as they are, from 0; None: those that the melody tells."""
        performance.check(melody.time_signature)
        self.ticks_per_step = performance.ppq // STEPS_PER_QUARTER
        self.swing = performance.swing
        self._swing = Fraction(float(performance.swing))
        if straight is None:
            straight = {note.onset // STEPS_PER_QUARTER for note in melody.notes if note.onset % _THIRTY_SECOND}
        self._straight = straight

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


def triplet_quarters(onsets: Iterable[float], swing: float) -> set[int]:
    """The numbers of the quarters that are played as triplets in a file that swings, where others are swung.

    Read as steps, what is swung near 2/3 looks like a triplet too; its exact place tells.

    Args:
        onsets: of the melody's notes in the file, in quarters.
        swing: of the file, as in `Performance`.
    """
    places = [Fraction(step, STEPS_PER_QUARTER) for step in range(0, STEPS_PER_QUARTER + 1, _THIRTY_SECOND)]
    swung = [float(2 * swing * p if p <= 0.5 else 1 - 2 * (1 - swing) * (1 - p)) for p in places]
    thirds = (1 / 6, 1 / 3, 2 / 3, 5 / 6)
    found = set()
    for onset in onsets:
        quarter, inside = divmod(onset, 1)
        if min(abs(inside - place) for place in thirds) < min(abs(inside - place) for place in swung):
            found.add(int(quarter))
    return found


def perform(melody: Melody, performance: Performance) -> list[Struck]:
    """The melody's notes as they are played, in order; each ends at or before the next one's onset.

    Every note lasts at least a tick, and what touches goes on touching. Raises UsageError for swing in a metre that has
    none.
    """
    clock = Clock(melody, performance)
    edges = {step: clock.tick(step) for note in melody.notes for step in (note.onset, note.end)}
    louder = shaped(melody, performance.expression)
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
        louder = [more + round(performance.humanize * VELOCITY_SPREAD * _normal(chance)) for more in louder]
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


def perform_track(
    track: Track,
    melody: Melody,
    performance: Performance,
    tick: Callable[[int], int],
) -> list[Struck]:
    """A track beside a melody as it is played, in order: swung and humanized as the melody is.

    Args:
        track: in steps of the melody's grid; of one pitch no note may sound into the next.
        melody: for its metre, its tempo and its length.
        performance: how the melody is played.
        tick: when a step of the grid sounds, in ticks; `Clock.tick`, or what a file that is there says.
    """
    steps = sorted({step for stroke in track.strokes for step in (stroke.onset, stroke.end)})
    ticks = [tick(step) for step in steps]
    chance = Random(f"humanize {track.part} {performance.seed}")
    if performance.humanize and ticks:
        spread = performance.humanize * TIMING_SECONDS * melody.qpm / 60 * performance.ppq
        ticks = _shaken(ticks, tick(melody.length), spread, chance)
    edges = dict(zip(steps, ticks, strict=True))
    found = []
    for onset, end, pitch, louder in track.strokes:
        loud = performance.velocity + louder + accent(onset, melody.time_signature) // 2
        if performance.humanize:
            loud += round(performance.humanize * VELOCITY_SPREAD * _normal(chance))
        found.append(Struck(edges[onset], max(edges[onset] + 1, edges[end]), pitch, max(1, min(127, loud))))
    return found


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
