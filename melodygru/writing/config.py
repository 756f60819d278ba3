"""Everything that can be asked of new melodies, as one frozen value.

The command line, notebooks, option files and the text inside a written file all speak in these fields. Each is checked
here as far as it can be alone; what fields mean together is `melodygru.writing.planner`'s to say.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from numbers import Integral, Real
from typing import Any

from melodygru.errors import UsageError, check_range, from_known
from melodygru.music.chords import ChordSpan, parse_progression
from melodygru.music.form import Form
from melodygru.music.theory import STEPS_PER_QUARTER, Key, TimeSignature, parse_pitch, parse_scale

MAX_BARS = 1000
DEFAULT_BARS = 16
DEFAULT_QPM = 120.0
DEFAULT_MAX_COPY = 11
"""The longest run in notes that half of people's own tunes share with the shipped model's training music."""
MODES = ("strict", "soft")
RESTS = ("none", "few", "some")
END_ON = ("tonic", "chord", "any")


@dataclass(frozen=True)
class GenerationConfig:
    """What is asked of new melodies. None is "not said": what then holds is given in brackets.

    Attributes:
        bars: length in full bars, in [1, 1000] [16, or what the form makes].
        key: tonic and mode, such as "A minor" [the primer's; else what the chords suggest; else C major].
        scale: a name of `melodygru.music.theory` [the key's own].
        scale_mode: "strict" (nothing outside the scale) or "soft" (rarely) [strict if a scale is named, else neither].
        meter: time signature [the primer's, else 4/4].
        bpm: quarter notes a minute, in [4, 1000] [the primer's, else 120].
        range: lowest and highest pitch, both included: "C4:C6" [C3:C7].
        max_leap: largest step from note to note in semitones, in [1, 127].
        density: notes a bar on average, held within one, in [0.25, 96].
        rests: "none"; "few": at most one in four bars, none longer than a beat; "some": one in every four bars.
        grid: shortest value, and the grid of onsets: "1/4", "1/8", "1/16" or "1/32" [1/16, or what a bar divides by].
        triplets: whether there may be triplets [where the beat does not divide by three].
        end_on: the last note is the "tonic", of the last "chord" (without chords, of the tonic triad), or "any".
        pickup: length of an upbeat before bar 1, as a fraction of a whole note: "1/4".
        no_repeat_notes: never more than so many equal pitches in a row, in [1, 1000].
        chords: a progression, such as "Am F C G"; see `melodygru.music.chords`.
        beats_per_chord: felt beats that each chord lasts [a bar].
        chord_mode: "strict" (chord tones on strong beats, elsewhere the scale that follows the chord) or "soft".
        form: letters for sections, such as AABA; a prime (A') is a section varied.
        section_bars: bars of a section, in [1, 1000] [8].
        best_of: how many candidates to choose the best from, in [1, 10000] [1; with a form 8].
        max_copy: longest run of notes that may stand in the training music, in [2, 1000], 0: any [11].
        temperature, top_k, top_p: see `SamplingConfig`.

    Raises:
        UsageError: a value out of range, named.
    """

    bars: int | None = None
    key: str | None = None
    scale: str | None = None
    scale_mode: str | None = None
    meter: str | None = None
    bpm: float | None = None
    range: str | None = None
    max_leap: int | None = None
    density: float | None = None
    rests: str | None = None
    grid: str | None = None
    triplets: bool | None = None
    end_on: str | None = None
    pickup: str | None = None
    no_repeat_notes: int | None = None
    chords: str | None = None
    beats_per_chord: float | None = None
    chord_mode: str | None = None
    form: str | None = None
    section_bars: int | None = None
    best_of: int | None = None
    max_copy: int | None = None
    temperature: float | None = None
    top_k: int | None = None
    top_p: float | None = None

    def __post_init__(self) -> None:
        for name in ("bars", "max_leap", "no_repeat_notes", "section_bars", "best_of", "max_copy", "top_k"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, Integral) or isinstance(value, bool)):
                raise UsageError(f"{_said(name)} is {value!r}; give a whole number.")
        for name in ("bpm", "density", "beats_per_chord", "temperature", "top_p"):
            value = getattr(self, name)
            if value is not None and (not isinstance(value, Real) or isinstance(value, bool)):
                raise UsageError(f"{_said(name)} is {value!r}; give a number.")
        for name in _TEXTS:
            value = getattr(self, name)
            if value is not None and not isinstance(value, str):
                object.__setattr__(self, name, str(value))  # a Key or TimeSignature of a notebook
        if self.triplets is not None and not isinstance(self.triplets, bool):
            raise UsageError(f"triplets is {self.triplets!r}; give true or false.")
        limits = {"bars": (1, MAX_BARS), "bpm": (4, 1000), "max_leap": (1, 127), "density": (0.25, 96)}
        limits |= {"no_repeat_notes": (1, 1000), "section_bars": (1, MAX_BARS), "best_of": (1, 10_000)}
        for name, (low, high) in limits.items():
            if getattr(self, name) is not None:
                check_range(_said(name), getattr(self, name), low, high)
        if self.max_copy:
            check_range("max-copy", self.max_copy, 2, 1000, "0 means off")
        elif self.max_copy is not None:
            check_range("max-copy", self.max_copy, 0, 0)
        for name, words in (("scale_mode", MODES), ("chord_mode", MODES), ("rests", RESTS), ("end_on", END_ON)):
            if getattr(self, name) not in (None, *words):
                raise UsageError(
                    f"{_said(name)} is {getattr(self, name)!r}; choose {', '.join(words[:-1])} or {words[-1]}."
                )
        # Parsed for their errors, which are to come before any work is done.
        metre = self.time_signature
        for _ in (self.sampling, self.pitches, self.named_key):
            pass
        self.grid_steps(metre)
        self.pickup_steps(metre)
        self.spans(metre)
        if self.scale is not None:
            parse_scale(self.scale)
        if self.form is not None:
            Form.parse(self.form)
        for name, other in (("beats_per_chord", "chords"), ("chord_mode", "chords"), ("section_bars", "form")):
            if getattr(self, name) is not None and getattr(self, other) is None:
                raise UsageError(f"--{_said(name)} has no meaning without --{_said(other)}; give --{_said(other)} too.")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> GenerationConfig:
        """The inverse of `as_dict`. Raises UsageError for a field that is unknown or out of range."""
        return from_known(cls, values)

    def as_dict(self) -> dict[str, Any]:
        """All that was said, as JSON values."""
        return {f.name: value for f in fields(self) if (value := getattr(self, f.name)) is not None}

    @property
    def time_signature(self) -> TimeSignature:
        """The metre, 4/4 where none was said."""
        return TimeSignature.parse(self.meter or "4/4")

    @property
    def named_key(self) -> Key | None:
        """The key, where one was said."""
        return None if self.key is None else Key.parse(self.key)

    @property
    def sampling(self) -> SamplingConfig:
        """How events are drawn."""
        said = {name: getattr(self, name) for name in ("temperature", "top_k", "top_p")}
        return SamplingConfig(**{name: value for name, value in said.items() if value is not None})

    @property
    def pitches(self) -> tuple[int, int]:
        """The lowest and the highest pitch, both included."""
        if self.range is None:
            return 48, 96
        parts = self.range.split(":")
        if len(parts) != 2:
            raise UsageError(f"The range {self.range!r} is not two pitches; write the lowest and the highest: C4:C6.")
        low, high = (parse_pitch(part) for part in parts)
        if low > high:
            raise UsageError(f"The range {self.range} is empty; put the lower pitch first: {parts[1]}:{parts[0]}.")
        return low, high

    def grid_steps(self, metre: TimeSignature) -> int:
        """The grid in steps; where none was said, sixteenths, or what a bar divides by."""
        steps = fraction_steps(self.grid or "1/16", "grid", ("1/2", "1/4", "1/8", "1/16", "1/32"))
        if metre.bar_steps % steps == 0:
            return steps
        if self.grid is not None:
            raise UsageError(
                f"--grid {self.grid} and --meter {metre} contradict each other: a bar is not whole {self.grid}s."
            )
        return min(steps, STEPS_PER_QUARTER * 4 // metre.denominator)

    def pickup_steps(self, metre: TimeSignature) -> int:
        """The pickup in steps, 0 for none."""
        if self.pickup is None or self.pickup.strip() == "0":
            return 0
        steps = fraction_steps(self.pickup, "pickup")
        if not 0 < steps < metre.bar_steps:
            raise UsageError(
                f"--pickup {self.pickup} and --meter {metre} contradict each other: a pickup is shorter than a bar."
            )
        if steps % self.grid_steps(metre):
            raise UsageError(
                f"--pickup {self.pickup} and --grid {self.grid or '1/16'} contradict each other; choose a finer grid, "
                "or whole grid steps."
            )
        return steps

    def spans(self, metre: TimeSignature) -> tuple[ChordSpan, ...]:
        """One pass of the chords from step 0; empty where none were said."""
        return () if self.chords is None else parse_progression(self.chords, metre, self.beats_per_chord)


_TEXTS = tuple(f.name for f in fields(GenerationConfig) if str(f.type).startswith("str"))


def _said(name: str) -> str:
    """A field as the command line spells it."""
    return name.replace("_", "-")


def fraction_steps(text: str, what: str, choices: tuple[str, ...] = ()) -> int:
    """Steps of a fraction of a whole note such as "1/8" or "3/16". Raises UsageError, naming `what`."""
    match = re.fullmatch(r"\s*(\d{1,3})\s*/\s*(\d{1,3})\s*", text)
    whole = 4 * STEPS_PER_QUARTER
    if match is None or not int(match[2]) or whole * int(match[1]) % int(match[2]) or (choices and text not in choices):
        hint = f"choose {', '.join(choices)}" if choices else "write a fraction of a whole note: 1/4, 1/8, 3/16"
        raise UsageError(f"{what} is {text!r}; {hint}.")
    return whole * int(match[1]) // int(match[2])


@dataclass(frozen=True)
class SamplingConfig:
    """How the next event is drawn. The defaults were measured: see docs/decisions.md.

    Attributes:
        temperature: divides the logits, in [0, 10]; 0 takes the likeliest event (argmax).
        top_k: keep the k likeliest events, and all that tie with the k-th; 0 keeps all.
        top_p: keep the fewest likeliest events whose probabilities reach top_p, in (0, 1], and ties; 1 keeps all.
    """

    temperature: float = 1.0
    top_k: int = 0
    top_p: float = 0.97

    def __post_init__(self) -> None:
        check_range("temperature", self.temperature, 0, 10)
        check_range("top-k", self.top_k, 0, 100_000, "0 means off")
        if not 0 < self.top_p <= 1:
            raise UsageError(f"top-p is {self.top_p:g}; choose a number above 0, up to 1 (1 means off).")
