"""Everything that can be asked of new melodies, as one frozen value.

The command line, notebooks, option files and the text inside a written file all speak in these fields. Each is checked
here as far as it can be alone; what fields mean together is `melodygru.writing.wishes`' to say.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields
from functools import cached_property
from typing import Any

from melodygru.errors import UsageError, from_known
from melodygru.music.chords import ChordSpan, parse_progression
from melodygru.music.form import Form
from melodygru.music.scales import parse_scale
from melodygru.music.theory import STEPS_PER_QUARTER, Key, TimeSignature
from melodygru.option import check_all, described
from melodygru.records import dataclass
from melodygru.writing.drawing import SamplingConfig
from melodygru.writing.fields import Fields
from melodygru.writing.styles import STYLES
from melodygru.writing.values import (
    DEFAULT_GRID,
    DEFAULT_METER,
    DEFAULT_QPM,
    DEFAULT_RANGE,
    DEFAULT_SECTION_BARS,
    GRIDS,
    MAX_BARS,
    fraction_steps,
    parse_range,
)

STRESSED_MODES = frozenset({"mixolydian"})
"""Modes whose colour the network gives too little of by itself: of mixolydian it raised every third seventh."""
STRESS_OF_A_MODE = 1.5
"""How many times as closely as learned these are followed; at 2 they are exaggerated."""
STRESS = 2.0
"""How many times as closely as learned traits of character are followed that were asked for in words."""
_SPOKEN = ("key", "scale", "chords", "form", "range", "grid", "pickup")
"""Fields that `melodygru.writing.spoken` knows other spellings of."""


@dataclass(frozen=True)
class GenerationConfig(Fields):
    """What is asked of new melodies: the fields of `melodygru.writing.fields.Fields`, and what follows from them.

    Raises:
        UsageError: a value out of range, named.
    """

    def __post_init__(self) -> None:
        options = described(GenerationConfig).values()
        for one in options:
            value = getattr(self, one.name)
            if one.kind is str and value is not None and not isinstance(value, str):
                object.__setattr__(self, one.name, str(value))  # a Key or TimeSignature of a notebook
        self._take_other_spellings()
        check_all(options, self)
        # What cannot be parsed is to be told before any work is done.
        metre = self.time_signature
        if self.range is not None:
            parse_range(self.range)
        if self.key is not None:
            Key.parse(self.key)
        self.grid_steps(metre)
        self.pickup_steps(metre)
        self.spans(metre)
        if self.scale is not None:
            parse_scale(self.scale)
        if self.contour is not None:
            # Imported when it is asked for: it needs NumPy, and help pages do without.
            from melodygru.writing.constraints.contour import LEAST_ROOM, parse_contour

            parse_contour(self.contour)
            if self.pitches[1] - self.pitches[0] < LEAST_ROOM:
                raise UsageError(
                    f"--contour and --range {self.range} contradict each other: a line needs a range of {LEAST_ROOM} "
                    "semitones or more."
                )
        if self.form is not None:
            Form.parse(self.form)
        if self.section is not None:
            from melodygru.writing.sections import checked  # not needed by those who say nothing

            object.__setattr__(self, "section", checked(self))
        said: Collection[str] = {*self.as_dict(), *(name for wishes in self.own_wishes.values() for name in wishes)}
        for one in options:
            one.check_needs(said)

    def _take_other_spellings(self) -> None:
        """Put what files keep in place of what people say in other words."""
        said = {name: value for name in _SPOKEN if (value := getattr(self, name)) is not None}
        if ":" in said.get("range", ""):
            del said["range"]  # every style has one, in the usual words
        if said:
            from melodygru.writing.spoken import plain  # not needed by those who say nothing

            for name, value in plain(said).items():
                object.__setattr__(self, name, value)

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
        return TimeSignature.parse(self.meter or (STYLES[self.style].meter if self.style else DEFAULT_METER))

    @property
    def named_key(self) -> Key | None:
        """The key, where one was said."""
        return None if self.key is None else Key.parse(self.key, as_written=True)

    @property
    def sampling(self) -> SamplingConfig:
        """How events are drawn."""
        said = {name: getattr(self, name) for name in described(SamplingConfig)}
        if self.stressed:
            said["strength"] = STRESS_OF_A_MODE if self.stressed == ("mode",) else STRESS
        return SamplingConfig(**{name: value for name, value in said.items() if value is not None})

    @property
    def stressed(self) -> tuple[str, ...]:
        """What was asked for in words, and is to be heard: the network alone would keep it too mildly.

        Traits of character; or, where there are none, the mode, if it is one of `STRESSED_MODES`.
        """
        if self.strength is not None:
            return ()
        said = {name for wishes in self.own_wishes.values() for name in wishes}
        traits = tuple(name for name in ("syncopation", "leaps") if getattr(self, name) is not None or name in said)
        faint = self.style is not None and self.named_key is not None and self.named_key.mode in STRESSED_MODES
        return traits or (("mode",) if faint else ())

    @property
    def pitches(self) -> tuple[int, int]:
        """The lowest and the highest pitch, both included."""
        return parse_range(self.room)

    @property
    def room(self) -> str:
        """The range, in words."""
        return self.range or (STYLES[self.style].range if self.style else DEFAULT_RANGE)

    @property
    def tempo(self) -> float:
        """Quarter notes a minute."""
        return self.bpm or (STYLES[self.style].bpm if self.style else DEFAULT_QPM)

    def grid_steps(self, metre: TimeSignature) -> int:
        """The grid in steps; where none was said, sixteenths, or what a bar divides by."""
        steps = fraction_steps(self.grid or DEFAULT_GRID, "grid", GRIDS)
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
                f"--pickup {self.pickup} and --grid {self.grid or DEFAULT_GRID} contradict each other; choose a finer "
                "grid, or whole grid steps."
            )
        return steps

    @property
    def parsed_form(self) -> Form | None:
        """The form, where one was said."""
        return None if self.form is None else Form.parse(self.form)

    @cached_property
    def own_wishes(self) -> Mapping[str, Mapping[str, Any]]:
        """What sections ask for themselves, by letter."""
        form = self.parsed_form
        if form is None or self.section is None:
            return {}
        from melodygru.writing.sections import parse_own

        return parse_own(self.section, form)

    def of_section(self, letter: str) -> GenerationConfig:
        """What is asked for in the sections of a letter."""
        from melodygru.writing.sections import alone

        return alone(self, self.own_wishes.get(letter, {}))

    @property
    def has_chords(self) -> bool:
        """Whether any chords were asked for, if only by a section."""
        return self.chords is not None or any("chords" in wishes for wishes in self.own_wishes.values())

    def section_lengths(self) -> tuple[int, ...]:
        """How many bars each section of the form has; empty without a form.

        What the form does not say is said by `section_bars`; else the bars that are left are shared. Raises UsageError
        where that does not come out.
        """
        form = self.parsed_form
        if form is None:
            return ()
        said, without = sum(one.bars for one in form.sections), sum(not one.bars for one in form.sections)
        if form.says_bars and self.section_bars is not None and not without:
            raise UsageError(
                f"--section-bars {self.section_bars} has no meaning with --form {form}, whose sections all say how "
                "many bars they have; leave it out."
            )
        each = self.section_bars or DEFAULT_SECTION_BARS
        if self.section_bars is None and self.bars is not None and without:
            each = (self.bars - said) // without
        total = said + each * without
        if self.bars not in (None, total) or each < 1:
            raise self._other_bars(form, each, said, without)
        if form.says_bars and total > MAX_BARS:
            raise UsageError(f"The form has {total} bars; choose at most {MAX_BARS}.")
        return tuple(one.bars or each for one in form.sections)

    def _other_bars(self, form: Form, each: int, said: int, without: int) -> UsageError:
        count, each = len(form.sections), max(each, 1)
        what = f"{count} section{'s' * (count != 1)} of {each} bar{'s' * (each > 1)}"
        if said:
            what = "its sections"
        return UsageError(
            f"--form {form} and --bars {self.bars} contradict each other: {what} would be {said + each * without}"
            f"{' bars' if said else ''}; leave --bars out, or set {'other lengths' if said else '--section-bars'}."
        )

    def spans(self, metre: TimeSignature) -> tuple[ChordSpan, ...]:
        """One pass of the chords from step 0; empty where none were said."""
        return () if self.chords is None else parse_progression(self.chords, metre, self.beats_per_chord)
