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
from melodygru.music.chords import FEWEST_BEATS, MOST_BEATS, ChordSpan, parse_progression
from melodygru.music.form import Form
from melodygru.music.theory import STEPS_PER_QUARTER, Key, TimeSignature, parse_scale
from melodygru.option import MUSIC, TUNE, check_all, described, option, option_of
from melodygru.records import dataclass
from melodygru.writing.drawing import (
    DRAWING,
    FILLINGS,
    FORM_CANDIDATES,
    VARIATIONS,
    WHOLE,
    WRITING,
    SamplingConfig,
)
from melodygru.writing.styles import KIN, STYLES
from melodygru.writing.values import (
    CHORD_MODES,
    DEFAULT_BARS,
    DEFAULT_GRID,
    DEFAULT_MAX_COPY,
    DEFAULT_METER,
    DEFAULT_QPM,
    DEFAULT_RANGE,
    DEFAULT_SECTION_BARS,
    END_ON,
    GRIDS,
    LEAPS,
    MAX_BARS,
    MODES,
    MOTIFS,
    RESTS,
    SEAMS,
    SYNCOPATIONS,
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
class GenerationConfig:
    """What is asked of new melodies. None is "not said"; what is legal, and what then holds, stands on each field.

    Attributes:
        style: a kind of music, of `melodygru.writing.styles.STYLES`; it also says which metre, tempo and range hold
            where none is said.
        bars: length in full bars; where nothing is said, what the form makes.
        key: tonic and mode, such as "A minor"; where nothing is said, the primer's, else what the chords suggest.
        scale: a name of `melodygru.music.theory`; else the key's own.
        scale_mode: "strict" (nothing outside the scale) or "soft" (rarely); without a scale, neither.
        meter: time signature; where nothing is said, the primer's.
        bpm: quarter notes a minute; where nothing is said, the primer's.
        range: lowest and highest pitch, both included: "C4:C6".
        max_leap: largest step from note to note, in semitones.
        contour: the line that heights follow, see `melodygru.writing.constraints.contour`: a word, or heights at equal
            distances in semitones, of which the differences count: "0 7 4 0".
        density: notes a bar on average, held within one.
        rests: "none"; "few": at most one in four bars, none longer than a beat; "some": one in every four bars; "many":
            that, and as the model has learned it.
        syncopation: "none", "some" or "much", as the model has learned it.
        leaps: "few", "some" or "many" moves of a fourth and more, as the model has learned it.
        grid: shortest value, and the grid of onsets, as a fraction of a whole note; or what a bar divides by.
        triplets: whether there may be triplets; where nothing is said, where the beat does not divide by three.
        end_on: the last note is the "tonic", of the last "chord" (without chords, of the tonic triad), or "any".
        pickup: length of an upbeat before bar 1, as a fraction of a whole note: "1/4".
        no_repeat_notes: never more than so many equal pitches in a row.
        chords: a progression, such as "Am F C G"; see `melodygru.music.chords`.
        beats_per_chord: felt beats that each chord lasts.
        chord_mode: "strict" (chord tones on strong beats, elsewhere the scale that follows the chord), "soft" (that
            mostly), or "learned" (what the network has learned of people's melodies over such chords).
        form: letters for sections, such as AABA; a prime (A') is a section varied, a number says its bars: "V8 C8".
        section_bars: bars of a section that does not say how many.
        section: wishes of sections' own, by letter, see `melodygru.writing.sections`.
        motif: what sections share of the first one's beginning: its "rhythm", "contour" (where it rises and falls), or
            "none"; but for one that begins on another degree, which contrasts.
        seams: "lead": a section leads over to the next, see `melodygru.writing.constraints.seams`; or "free".
        plain_sections: whether V, C and B are letters as others are, where a form has a V.
        best_of: how many candidates to choose the best from.
        max_copy: longest run of notes that may stand in the training music; 0: any.
        temperature, top_k, top_p: see `SamplingConfig`.

    Raises:
        UsageError: a value out of range, named.
    """

    style: str | None = option(
        None, "Kind of music: {choices}.", choices=tuple(STYLES), kin=KIN, panel=MUSIC, commands=WRITING
    )
    bars: int | None = option(
        None, "Length in full bars, exactly: {limits}.", low=1, high=MAX_BARS,
        default=DEFAULT_BARS, shown="{default}, or the form's", panel=MUSIC,
        aliases=("length", "measures", "num_bars"), commands=WHOLE,
    )  # fmt: skip
    key: str | None = option(
        None, 'Tonic and mode: "A minor", Bb, "D dorian".', shown=str(Key()), panel=MUSIC, commands=WRITING,
        instead={name: {"shown": "the melody's"} for name in ("infill", "vary")},
    )  # fmt: skip
    scale: str | None = option(
        None,
        'A scale on the tonic: "major pentatonic", blues, "harmonic minor", a mode …',
        panel=TUNE,
        commands=WRITING,
    )
    scale_mode: str | None = option(
        None, "strict: no other notes; soft: few.", choices=MODES, shown="strict with --scale", panel=TUNE,
        commands=WRITING,
    )  # fmt: skip
    meter: str | None = option(
        None,
        "Time signature: 4/4, 3/4, 6/8 …",
        default=DEFAULT_METER,
        panel=MUSIC,
        commands=WHOLE,
        aliases=("metre", "time_signature", "time", "timesig", "signature"),
    )
    bpm: float | None = option(
        None, "Quarter notes a minute: {limits}.", low=4, high=1000, default=DEFAULT_QPM, panel=MUSIC,
        aliases=("qpm", "tempo", "speed"), commands=WHOLE,
    )  # fmt: skip
    range: str | None = option(
        None, "Lowest and highest pitch.", default=DEFAULT_RANGE, panel=TUNE, aliases=("pitch_range",), commands=WRITING
    )
    max_leap: int | None = option(
        None, "Largest step from note to note, in semitones.", low=1, high=127, panel=TUNE, commands=WRITING
    )
    contour: str | None = option(
        None,
        "Line of the heights: arch, valley, up, down, wave, a melody's file, or semitones: '0 7 0'.",
        panel=TUNE,
        commands=WRITING,
    )
    density: float | None = option(
        None, "Notes a bar on average, held within one.", low=0.25, high=96, panel=TUNE, commands=WRITING
    )
    rests: str | None = option(
        None,
        "none, few (one in four bars at most), some (one at least) or many.",
        choices=RESTS,
        panel=TUNE,
        commands=WRITING,
    )
    syncopation: str | None = option(
        None, "Notes against the beat: none, some or much.", choices=SYNCOPATIONS, panel=TUNE, commands=WRITING
    )
    leaps: str | None = option(
        None, "Moves of a fourth or more: few, some or many.", choices=LEAPS, panel=TUNE, commands=WRITING
    )
    grid: str | None = option(
        None, "Shortest value: 1/4, 1/8, 1/16, 1/32.", choices=GRIDS, parsed=True, default=DEFAULT_GRID, panel=TUNE,
        commands=WRITING,
    )  # fmt: skip
    triplets: bool | None = option(
        None, "Allow triplets, or not.", shown="in simple metres", panel=TUNE, commands=WRITING
    )
    end_on: str | None = option(
        None, "Last note: tonic, chord or any.", choices=END_ON, shown="tonic", panel=TUNE, commands=WRITING
    )
    pickup: str | None = option(None, "Upbeat before bar 1: 1/4, 1/8 …", panel=TUNE, commands=WHOLE)
    no_repeat_notes: int | None = option(
        None, "Never more than N equal pitches in a row.", low=1, high=1000, panel=TUNE, commands=WRITING
    )
    chords: str | None = option(
        None, 'Chords to follow: "Am F C G", "| C G/B | Am7 |", N.C.', panel=TUNE, commands=WRITING,
        aliases=("backing_chords", "progression", "chord_progression", "changes"),
    )  # fmt: skip
    beats_per_chord: float | None = option(
        None, "Beats that each chord lasts.", low=FEWEST_BEATS, high=MOST_BEATS, parsed=True, shown="a bar",
        needs="chords", panel=TUNE, commands=WRITING,
    )  # fmt: skip
    chord_mode: str | None = option(
        None, "strict: chord tones on strong beats; soft: mostly; learned: as people.", choices=CHORD_MODES,
        shown="learned, by models that know chords; else strict", needs="chords", panel=TUNE, commands=WRITING,
    )  # fmt: skip
    form: str | None = option(
        None, "Sections: AABA, AA'BA'' (a prime varies), V8 C8 B4 C8 (bars).", panel=TUNE, commands=WHOLE
    )
    section_bars: int | None = option(
        None, "Bars of a section that does not say its own.", low=1, high=MAX_BARS, default=DEFAULT_SECTION_BARS,
        needs="form", panel=TUNE,
        commands=WHOLE,
    )  # fmt: skip
    section: str | None = option(
        None, "Wishes of a section's own: \"C: density=4 range=E4:A5\".", typed=list[str], aliases=("sections",),
        shown="a verse's chorus is higher, in longer notes; a bridge begins elsewhere", needs="form", panel=TUNE,
        commands=WHOLE,
    )  # fmt: skip
    motif: str | None = option(
        None, "What sections share of the first one's beginning: none, rhythm or contour.", choices=MOTIFS,
        shown="none; rhythm where a form has V, C", needs="form", panel=TUNE, commands=WHOLE,
    )  # fmt: skip
    seams: str | None = option(
        None, "Where one section follows another: free, or lead over.", choices=SEAMS,
        shown="free; lead where a form has V, C", needs="form", panel=TUNE, commands=WHOLE,
    )  # fmt: skip
    plain_sections: bool | None = option(
        None, "V, C and B are letters only, no verse, chorus and bridge.", spelling="--plain-sections", needs="form",
        shown="", panel=TUNE, commands=WHOLE,
    )  # fmt: skip
    best_of: int | None = option(
        None, "Make N candidates and write the best.", low=1, high=10_000, panel=MUSIC,
        shown=f"1; {FORM_CANDIDATES} with a form",
        commands=WRITING,
        instead={
            "infill": {"help": "How many fillings to choose from.", "default": FILLINGS, "shown": None},
            "vary": {"help": "How many variations to choose from.", "default": VARIATIONS, "shown": None},
        },
    )  # fmt: skip
    max_copy: int | None = option(
        None, "Longest run of notes from the training music; 0: any.", low=2, high=1000, off=0,
        default=DEFAULT_MAX_COPY, panel=MUSIC, commands=DRAWING,
    )  # fmt: skip
    temperature: float | None = option_of(SamplingConfig, "temperature")
    top_k: int | None = option_of(SamplingConfig, "top_k")
    top_p: float | None = option_of(SamplingConfig, "top_p")
    strength: float | None = option_of(SamplingConfig, "strength")

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
