"""What can be asked of the studio, as pydantic models.

Limits stand here where they are the wire's own, or keep numbers within what the music's own checks can take; what
values mean together is said by `GenerationConfig`, `Melody` and the planner, in words of their own.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from melodygru.errors import UsageError
from melodygru.music.melody import Melody as Tune
from melodygru.music.melody import Note as TuneNote
from melodygru.music.theory import Key, TimeSignature
from melodygru.writing.config import END_ON, MAX_BARS, MODES, RESTS, GenerationConfig
from melodygru.writing.variation import KEEP

MAX_NOTES = 20_000
MAX_STEP = MAX_BARS * 32 * 96 + 32 * 96
"""The end of the longest melody: so many bars of 32/1, and a pickup's."""
MAX_SEED = 2**53 - 1
"""The largest whole number that every reader of JSON reads exactly."""
MAX_TAKES = 8
MAX_DRAWN = 64_000
"""Bars of all candidates together: some minutes of work."""
LONGEST_TEXT = 4000

LIMITS: dict[str, tuple[float, float]] = {
    "bars": (1, MAX_BARS),
    "bpm": (4, 1000),
    "temperature": (0, 10),
    "top_k": (0, 100_000),
    "top_p": (0, 1),
    "density": (0.25, 96),
    "max_leap": (1, 127),
    "no_repeat_notes": (1, 1000),
    "section_bars": (1, MAX_BARS),
    "best_of": (1, 10_000),
    "max_copy": (0, 1000),
    "beats_per_chord": (0.5, 64),
    "amount": (0, 1),
    "takes": (1, MAX_TAKES),
    "seed": (0, MAX_SEED),
    "program": (0, 127),
    "swing": (0.5, 0.75),
    "notes": (1, MAX_NOTES),
    "drawn_bars": (1, MAX_DRAWN),
}
"""Of each option, the least and the most."""

Text = Annotated[str, StringConstraints(max_length=LONGEST_TEXT)]
Name = Annotated[str, StringConstraints(max_length=200)]


def _within(name: str) -> Any:
    low, high = LIMITS[name]
    return Field(default=None, ge=low, le=high)


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
    meter: Name = "4/4"
    key: Name = "C major"
    bpm: float = Field(default=120.0, ge=4, le=1000)
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


class Options(_Message):
    """What is wished for: the fields of `melodygru.writing.config.GenerationConfig`."""

    bars: int | None = _within("bars")
    key: Text | None = None
    scale: Text | None = None
    scale_mode: Literal[MODES] | None = None  # type: ignore[valid-type]
    meter: Text | None = None
    bpm: float | None = _within("bpm")
    range: Text | None = None
    max_leap: int | None = _within("max_leap")
    density: float | None = _within("density")
    rests: Literal[RESTS] | None = None  # type: ignore[valid-type]
    grid: Literal["1/2", "1/4", "1/8", "1/16", "1/32"] | None = None
    triplets: bool | None = None
    end_on: Literal[END_ON] | None = None  # type: ignore[valid-type]
    pickup: Text | None = None
    no_repeat_notes: int | None = _within("no_repeat_notes")
    chords: Text | None = None
    beats_per_chord: float | None = _within("beats_per_chord")
    chord_mode: Literal[MODES] | None = None  # type: ignore[valid-type]
    form: Text | None = None
    section_bars: int | None = _within("section_bars")
    best_of: int | None = _within("best_of")
    max_copy: int | None = _within("max_copy")
    temperature: float | None = _within("temperature")
    top_k: int | None = _within("top_k")
    top_p: float | None = Field(default=None, gt=0, le=1)

    def config(self) -> GenerationConfig:
        """The wishes themselves. Raises UsageError for those that contradict each other."""
        return GenerationConfig.from_dict(self.model_dump(exclude_none=True))


class Generate(_Message):
    """Write new melodies."""

    model: Name | None = None
    options: Options = Options()
    seed: int | None = _within("seed")
    takes: int = Field(default=1, ge=1, le=MAX_TAKES)
    primer: Melody | None = None
    include_primer: bool = True


class Infill(_Message):
    """Write some bars of a melody anew."""

    model: Name | None = None
    melody: Melody
    bars: Name = Field(description='The first and the last bar: "5-8", or one: "5"; "0" is a pickup\'s.')
    options: Options = Options()
    seed: int | None = _within("seed")


class Vary(_Message):
    """Change a melody by as much as asked for."""

    model: Name | None = None
    melody: Melody
    amount: float = Field(ge=0, le=1)
    keep: Literal[KEEP] | None = None  # type: ignore[valid-type]
    bars: Name | None = None
    options: Options = Options()
    seed: int | None = _within("seed")


class Look(_Message):
    """Look inside a model while it hears a melody."""

    model: Name | None = None
    melody: Melody


class Save(_Message):
    """Make a file of a melody."""

    melody: Melody
    chords: Text | None = None
    beats_per_chord: float | None = _within("beats_per_chord")
    format: Literal["mid", "wav", "musicxml", "abc", "svg", "pdf"]
    program: int = Field(default=0, ge=0, le=127)
    swing: float = Field(default=0.5, ge=0.5, le=0.75)
