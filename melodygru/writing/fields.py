"""What can be asked of new melodies, a field each, with its default, limits and help.

`melodygru.writing.config` checks them, and says what follows from them.
"""

from __future__ import annotations

from melodygru.music.chords import FEWEST_BEATS, MOST_BEATS
from melodygru.music.theory import Key
from melodygru.option import MUSIC, TUNE, option, option_of
from melodygru.records import dataclass
from melodygru.writing.drawing import DRAWING, FILLINGS, FORM_CANDIDATES, VARIATIONS, WHOLE, WRITING, SamplingConfig
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
)


@dataclass(frozen=True)
class Fields:
    """What can be asked of new melodies. None is "not said"; what is legal, and what then holds, stands on each field.

    Attributes:
        style: a kind of music, of `melodygru.writing.styles.STYLES`; it also says which metre, tempo and range hold
            where none is said.
        bars: length in full bars; where nothing is said, what the form makes.
        key: tonic and mode, such as "A minor"; where nothing is said, the primer's, else what the chords suggest.
        scale: a name of `melodygru.music.scales`; else the key's own.
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
        None, "Wishes of a section's own: \"C: density=4 feel=ballad\".", typed=list[str], aliases=("sections",),
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
