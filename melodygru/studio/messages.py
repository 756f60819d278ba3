"""What can be asked of the studio, as pydantic models.

Limits stand here where they are the wire's own; those of options stand where the options are described. What values
mean together is said by `GenerationConfig`, `Melody` and the planner, in words of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, create_model

from melodygru.errors import UsageError
from melodygru.formats.midi.performance import Performance
from melodygru.formats.midi.tempo_map import FASTEST, SLOWEST
from melodygru.music.melody import Melody as Tune
from melodygru.music.melody import Note as TuneNote
from melodygru.music.theory import MODES, Key, TimeSignature
from melodygru.music.tracks import PARTS
from melodygru.option import Option, described
from melodygru.studio.keys import meant_key
from melodygru.writing.config import GenerationConfig
from melodygru.writing.drawing import AMOUNT, KEEP, SEED
from melodygru.writing.rewriting import leave_to_melody, wishes_for
from melodygru.writing.values import DEFAULT_METER, DEFAULT_QPM, MAX_BARS

MAX_NOTES = 20_000
MAX_STEP = MAX_BARS * 32 * 96 + 32 * 96
"""The end of the longest melody: so many bars of 32/1, and a pickup's."""
MAX_LANE_NOTES = 100_000
"""Notes of one part of an accompaniment."""
MAX_SEED = 2**53 - 1
"""The largest whole number that every reader of JSON reads exactly."""
MAX_TAKES = 8
MAX_DRAWN = 64_000
"""Bars of all candidates together: some minutes of work."""
LONGEST_TEXT = 4000

_WISHES = described(GenerationConfig)
_PLAYED = described(Performance)
_SEED = replace(SEED, high=MAX_SEED)
_TAKES = Option("How many melodies, all different.", name="takes", kind=int, low=1, high=MAX_TAKES, default=1)

LIMITS: dict[str, tuple[float, float]] = {
    option.name: option.limits
    for option in (
        *_WISHES.values(),
        AMOUNT,
        _TAKES,
        _SEED,
        _PLAYED["program"],
        _PLAYED["swing"],
        _PLAYED["humanize"],
        _PLAYED["expression"],
    )
    if option.limits is not None
} | {"notes": (1, MAX_NOTES), "drawn_bars": (1, MAX_DRAWN)}
"""Of each option, the least and the most."""
WORDS = {option.name: list(map(str, option.choices)) for option in _WISHES.values() if option.choices}
"""Of each option whose values can be told one by one, those."""

Text = Annotated[str, StringConstraints(max_length=LONGEST_TEXT)]
Name = Annotated[str, StringConstraints(max_length=200)]


def _limited(option: Option, default: Any = ...) -> Any:
    """A field with an option's limits."""
    if option.limits is None:
        return Field(default=default)
    low, high = option.limits
    return Field(default=default, gt=low, le=high) if option.above else Field(default=default, ge=low, le=high)


def _wish(option: Option) -> Any:
    """The type and the field of an option that need not be said."""
    kind = Literal[option.choices] if option.choices else Text if option.kind is str else option.kind
    return kind | None, _limited(option, None)


_Louder = Annotated[int, Field(ge=-127, le=127)]


class _Message(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


Step = Annotated[int, Field(ge=0, le=MAX_STEP)]
Tempo = Annotated[float, Field(ge=SLOWEST, le=FASTEST)]
Change = Annotated[tuple[Step, Tempo], Field(strict=False)]  # JSON has no tuples


class Note(_Message):
    """One note: a MIDI pitch, and steps, 24 to a quarter; without a velocity it is played as the metre says."""

    pitch: int = Field(ge=0, le=127)
    onset: int = Field(ge=0, le=MAX_STEP)
    duration: int = Field(ge=1, le=MAX_STEP)
    velocity: int | None = Field(default=None, ge=1, le=127)


class Melody(_Message):
    """Notes that do not overlap, with metre, key and tempo; `bars` 0 means: as few as hold all."""

    name: Name = ""
    meter: Name = DEFAULT_METER
    key: Name = str(Key())
    bpm: float = _limited(_WISHES["bpm"], DEFAULT_QPM)
    pickup: int = Field(default=0, ge=0, le=MAX_STEP)
    bars: int = Field(default=0, ge=0, le=MAX_BARS)
    notes: list[Note] = Field(max_length=MAX_NOTES)
    tempi: list[Change] = Field(
        default=[], max_length=MAX_NOTES, description="Where the tempo changes, rising from step 0; else it is bpm."
    )

    def tune(self) -> Tune:
        """The melody itself. Raises UsageError for notes that overlap or do not fit, and tempi out of order."""
        steps = [step for step, _ in self.tempi]
        if steps and (steps[0] or steps != sorted(set(steps))):
            raise UsageError("The steps of tempi do not rise from 0; give each change once, in order.")
        metre, key = TimeSignature.parse(self.meter), Key.parse(self.key)
        last = max((note.onset + note.duration for note in self.notes), default=0)
        if last > (MAX_BARS + 1) * metre.bar_steps:
            raise UsageError(f"A note ends at step {last}, beyond {MAX_BARS} bars; melodies have 1 to {MAX_BARS} bars.")
        notes = tuple(TuneNote(note.pitch, note.onset, note.duration) for note in self.notes)
        return Tune(notes, metre, key, self.bpm, self.name, self.pickup, self.bars)

    @property
    def played(self) -> dict[str, Any]:
        """How loud the notes are that say so, by their onsets, and tempo changes, as `midi_bytes` takes them."""
        loud = {note.onset: note.velocity for note in self.notes if note.velocity is not None}
        return {"velocities": loud, "tempi": self.tempi}


_Wishes: Any = create_model("_Wishes", __base__=_Message, **{name: _wish(option) for name, option in _WISHES.items()})


class Options(_Wishes):
    """What is wished for: the fields of `melodygru.writing.config.GenerationConfig`.

    In place of a key there may be half of one, a tonic or a mode; the other half is what the melody that is changed
    has, else what the chords suggest.
    """

    tonic: Name | None = None
    mode: Literal[MODES] | None = None  # type: ignore[valid-type]

    def config(
        self, own: Tune | None = None, command: Literal["generate", "infill", "vary"] = "generate"
    ) -> GenerationConfig:
        """The wishes themselves; with a melody of its `own` that the command continues or changes.

        Raises UsageError for those that contradict each other, or that such a melody has settled itself.
        """
        said = self.model_dump(exclude_none=True)
        tonic, mode = said.pop("tonic", None), said.pop("mode", None)
        config = _in_the_metre(said, own)
        if tonic is not None or mode is not None:
            if config.key is not None:
                raise UsageError("key and its halves, tonic and mode, were all given; give the key alone.")
            if mode is None and config.scale is not None:
                said["key"] = tonic  # the scale says the mode
            else:
                chords = config.spans(own.time_signature if own else config.time_signature)
                said["key"] = str(meant_key(tonic, mode, chords, own.key if own else None))
            config = _in_the_metre(said, own)
        if own is None:
            return config
        if command == "generate":
            # Degrees are of the key of what is continued.
            own_key = config.key is not None and "key" not in said
            return _in_the_metre({**said, "key": str(own.key)}, own) if own_key else config
        leave_to_melody(config, command, own)
        return wishes_for(command, said, own)


def _in_the_metre(said: Mapping[str, Any], own: Tune | None) -> GenerationConfig:
    """Wishes whose chords may be such as only the metre of a melody that there is has room for."""
    try:
        return GenerationConfig.from_dict(said)
    except UsageError:
        if own is None or "chords" not in said or "meter" in said:
            raise
        return GenerationConfig.from_dict({**said, "meter": str(own.time_signature)})


class Generate(_Message):
    """Write new melodies. What the options say goes before what the feel sets."""

    model: Name | None = None
    feel: Name | None = None
    options: Options = Options()
    seed: int | None = _limited(_SEED, None)
    takes: int = _limited(_TAKES, _TAKES.default)
    primer: Melody | None = None
    include_primer: bool = True
    render_chords: bool = Field(default=False, description="Whether the files have the chords as a track of their own.")


class Chords(_Message):
    """Lay out chords under a melody of so many bars, from bar 1 on."""

    chords: Text
    meter: Name = DEFAULT_METER
    bars: int = Field(ge=1, le=MAX_BARS)
    pickup: int = Field(default=0, ge=0, le=MAX_STEP)


class Harmonize(_Message):
    """Find chords for a melody, in several ways."""

    melody: Melody
    style: Name | None = None
    chords_per_bar: Literal[1, 2] | None = None
    ways: int = Field(default=1, ge=1, le=8)


class Around(_Message):
    """Chords, a bass and drums around a melody, as a groove has them."""

    melody: Melody
    chords: Text | None = None
    groove: Name | None = None
    fills: bool = False
    seed: int = _limited(_SEED, 0)


_Struck = Annotated[
    tuple[Step, Annotated[int, Field(ge=1, le=MAX_STEP)], Annotated[int, Field(ge=0, le=127)], _Louder],
    Field(strict=False),  # JSON has no tuples
]


class Lane(_Message):
    """What one part plays: onset, duration, pitch, and by how much louder than the melody off the beat."""

    part: Literal[PARTS]  # type: ignore[valid-type]
    program: int = _limited(_PLAYED["program"])
    notes: list[_Struck] = Field(max_length=MAX_LANE_NOTES)


class _Change(_Message):
    """What of a melody stays, as `writing.locks` has it: bars, beats or notes by number; and what is wished for."""

    model: Name | None = None
    melody: Melody
    lock: Text | None = None
    lock_rhythm: Text | None = None
    lock_pitches: Text | None = None
    options: Options = Options()
    seed: int | None = _limited(_SEED, None)


class Infill(_Change):
    """Write some bars of a melody anew, or all that is not locked."""

    bars: Name | None = Field(
        default=None, description='The first and the last bar: "5-8", or one: "5"; "0" is a pickup\'s.'
    )


class Vary(_Change):
    """Change a melody by as much as asked for."""

    amount: float = _limited(AMOUNT)
    keep: Literal[KEEP.choices] | None = None  # type: ignore[name-defined]
    bars: Name | None = None


class Look(_Message):
    """Look inside a model while it hears a melody."""

    model: Name | None = None
    melody: Melody


class Save(_Message):
    """Make a file of a melody; with `lanes` in place of plain chords."""

    melody: Melody
    chords: Text | None = None
    lanes: list[Lane] | None = Field(default=None, max_length=len(PARTS))
    beats_per_chord: float | None = _limited(_WISHES["beats_per_chord"], None)
    format: Literal["mid", "wav", "musicxml", "abc", "svg", "pdf"]
    program: int = _limited(_PLAYED["program"], _PLAYED["program"].default)
    swing: float = _limited(_PLAYED["swing"], _PLAYED["swing"].default)
    humanize: float = _limited(_PLAYED["humanize"], _PLAYED["humanize"].default)
    expression: float = _limited(_PLAYED["expression"], _PLAYED["expression"].default)
