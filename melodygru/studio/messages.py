"""What can be asked of the studio, as pydantic models.

Limits stand here where they are the wire's own; those of options stand where the options are described. What values
mean together is said by `GenerationConfig`, `Melody` and the planner, in words of their own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, create_model

from melodygru.errors import UsageError
from melodygru.formats.midi.performance import Performance
from melodygru.music.melody import Melody as Tune
from melodygru.music.melody import Note as TuneNote
from melodygru.music.theory import Key, TimeSignature
from melodygru.option import Option, described
from melodygru.writing.config import GenerationConfig
from melodygru.writing.drawing import AMOUNT, KEEP, SEED
from melodygru.writing.values import DEFAULT_METER, DEFAULT_QPM, MAX_BARS

MAX_NOTES = 20_000
MAX_STEP = MAX_BARS * 32 * 96 + 32 * 96
"""The end of the longest melody: so many bars of 32/1, and a pickup's."""
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
    for option in (*_WISHES.values(), AMOUNT, _TAKES, _SEED, _PLAYED["program"], _PLAYED["swing"])
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


class _Message(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class Note(_Message):
    """One note: a MIDI pitch, and steps, 24 to a quarter."""

    pitch: int = Field(ge=0, le=127)
    onset: int = Field(ge=0, le=MAX_STEP)
    duration: int = Field(ge=1, le=MAX_STEP)


class Melody(_Message):
    """Notes that do not overlap, with metre, key and tempo; `bars` 0 means: as few as hold all."""

    name: Name = ""
    meter: Name = DEFAULT_METER
    key: Name = str(Key())
    bpm: float = _limited(_WISHES["bpm"], DEFAULT_QPM)
    pickup: int = Field(default=0, ge=0, le=MAX_STEP)
    bars: int = Field(default=0, ge=0, le=MAX_BARS)
    notes: list[Note] = Field(max_length=MAX_NOTES)

    def tune(self) -> Tune:
        """The melody itself. Raises UsageError for notes that overlap or do not fit."""
        metre, key = TimeSignature.parse(self.meter), Key.parse(self.key)
        last = max((note.onset + note.duration for note in self.notes), default=0)
        if last > (MAX_BARS + 1) * metre.bar_steps:
            raise UsageError(f"A note ends at step {last}, beyond {MAX_BARS} bars; melodies have 1 to {MAX_BARS} bars.")
        notes = tuple(TuneNote(note.pitch, note.onset, note.duration) for note in self.notes)
        return Tune(notes, metre, key, self.bpm, self.name, self.pickup, self.bars)


_Wishes: Any = create_model("_Wishes", __base__=_Message, **{name: _wish(option) for name, option in _WISHES.items()})


class Options(_Wishes):
    """What is wished for: the fields of `melodygru.writing.config.GenerationConfig`."""

    def config(self) -> GenerationConfig:
        """The wishes themselves. Raises UsageError for those that contradict each other."""
        return GenerationConfig.from_dict(self.model_dump(exclude_none=True))


class Generate(_Message):
    """Write new melodies. What the options say goes before what the feel sets."""

    model: Name | None = None
    feel: Name | None = None
    options: Options = Options()
    seed: int | None = _limited(_SEED, None)
    takes: int = _limited(_TAKES, _TAKES.default)
    primer: Melody | None = None
    include_primer: bool = True


class Infill(_Message):
    """Write some bars of a melody anew."""

    model: Name | None = None
    melody: Melody
    bars: Name = Field(description='The first and the last bar: "5-8", or one: "5"; "0" is a pickup\'s.')
    options: Options = Options()
    seed: int | None = _limited(_SEED, None)


class Vary(_Message):
    """Change a melody by as much as asked for."""

    model: Name | None = None
    melody: Melody
    amount: float = _limited(AMOUNT)
    keep: Literal[KEEP.choices] | None = None  # type: ignore[name-defined]
    bars: Name | None = None
    options: Options = Options()
    seed: int | None = _limited(_SEED, None)


class Harmonize(_Message):
    """Find chords for a melody."""

    melody: Melody
    style: Name | None = None
    chords_per_bar: int | None = Field(default=None, ge=1, le=2)
    count: int = Field(default=1, ge=1, le=16)
    seed: int | None = _limited(_SEED, None)


class Look(_Message):
    """Look inside a model while it hears a melody."""

    model: Name | None = None
    melody: Melody


class Save(_Message):
    """Make a file of a melody."""

    melody: Melody
    chords: Text | None = None
    beats_per_chord: float | None = _limited(_WISHES["beats_per_chord"], None)
    format: Literal["mid", "wav", "musicxml", "abc", "svg", "pdf"]
    program: int = _limited(_PLAYED["program"], _PLAYED["program"].default)
    swing: float = _limited(_PLAYED["swing"], _PLAYED["swing"].default)
