"""The kinds of music that can be asked for by name, and what belongs to each where nothing else is said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from melodygru.errors import UsageError
from melodygru.records import dataclass
from melodygru.system.files import read_toml
from melodygru.writing.values import DEFAULT_MODEL, DEFAULT_STYLE, LEARNED

if TYPE_CHECKING:
    from melodygru.music.chords import ChordSpan
    from melodygru.music.theory import TimeSignature
    from melodygru.network.checkpoint import CharacterTable
    from melodygru.network.conditions import Character, Conditions
    from melodygru.network.config import ContextConfig
    from melodygru.writing.config import GenerationConfig


@dataclass(frozen=True)
class Style:
    """A kind of music.

    Attributes:
        collection: of `melodygru.network.conditions.STYLES`.
        kind: of `melodygru.network.conditions.KINDS`; empty for any.
        meter: time signature, where none is said.
        bpm: quarter notes a minute, where nothing is said.
        range: lowest and highest pitch, where nothing is said.
        good_for: in words.
    """

    collection: str
    kind: str
    meter: str
    bpm: float
    range: str
    good_for: str


KIN = {
    **dict.fromkeys(("pop", "rock", "ballad", "vocal", "topline", "rnb", "r&b", "edm", "house", "classical"), "song"),
    **dict.fromkeys(
        ("jazz", "swing", "bebop", "blues", "bossa", "bossa nova", "latin", "broadway", "musical"), "standard"
    ),
    **dict.fromkeys(("church", "choral", "chorale", "gospel", "carol", "christmas"), "hymn"),
    **dict.fromkeys(("ragtime", "piano rag"), "rag"),
    **dict.fromkeys(("irish", "celtic", "scottish", "fiddle"), "reel"),
    **dict.fromkeys(("traditional", "country", "german", "lullaby"), "folk"),
    **dict.fromkeys(("chiptune", "8-bit", "8bit", "videogame", "video game", "nintendo", "soundtrack"), "game"),
    **dict.fromkeys(("military", "marching"), "march"),
    **dict.fromkeys(("sad", "slow", "calm"), "air"),
    **dict.fromkeys(("happy", "upbeat", "cheerful", "fast"), "polka"),
}
"""Kinds of music, and moods, that people ask for by other names, and the style that comes nearest."""
STYLES = MappingProxyType(
    {
        "song": Style("song", "", "4/4", 96, "C4:A5", "vocal lines that breathe: verses, toplines, arias"),
        "hymn": Style("hymn", "", "4/4", 92, "C4:E5", "plain tunes for many voices, carols, themes"),
        "standard": Style("standard", "", "4/4", 120, "A3:E5", "long notes over changes: ballads, show tunes"),
        "waltz": Style("dance", "waltz", "3/4", 150, "C4:E6", "three in a bar, one strong"),
        "mazurka": Style("dance", "mazurka", "3/4", 132, "C4:E6", "three in a bar, the second or third leant on"),
        "polonaise": Style("dance", "polonaise", "3/4", 92, "C4:E6", "a proud walk in three"),
        "polka": Style("dance", "polka", "2/4", 116, "C4:E6", "quick two in a bar"),
        "krakowiak": Style("dance", "krakowiak", "2/4", 120, "C4:E6", "quick two, syncopated"),
        "march": Style("dance", "march", "4/4", 112, "C4:E6", "to walk to"),
        "rag": Style("dance", "rag", "2/4", 84, "C4:E6", "syncopated piano lines"),
        "minuet": Style("dance", "minuet", "3/4", 116, "C4:C6", "courtly three"),
        "dance": Style("dance", "", "3/4", 120, "C4:E6", "any dance of the nineteenth century"),
        "reel": Style("folk", "reel", "4/4", 200, "G3:B5", "Irish and Scottish, running quavers"),
        "jig": Style("folk", "jig", "6/8", 172, "G3:B5", "six quavers in a bar"),
        "slip jig": Style("folk", "slip jig", "9/8", 172, "G3:B5", "nine quavers in a bar"),
        "hornpipe": Style("folk", "hornpipe", "4/4", 152, "G3:B5", "dotted, for dancing in shoes"),
        "strathspey": Style("folk", "strathspey", "4/4", 120, "G3:B5", "Scottish snaps"),
        "polska": Style("folk", "polska", "3/4", 104, "G3:D6", "Swedish, in three"),
        "air": Style("folk", "air", "3/4", 88, "G3:B5", "slow tunes and songs of old books"),
        "folk": Style("folk", "", "4/4", 152, "G3:B5", "any tune of the old books"),
        "game": Style("game", "", "4/4", 132, "G3:C6", "riffs and themes of games"),
    }
)
"""By name, as `--style` takes it."""


def conditions_for(
    config: GenerationConfig, metre: TimeSignature, chords: Sequence[ChordSpan], whole: bool = True
) -> Conditions:
    """What the network is told of a melody that is asked for; `whole`: its density and rests are to be chosen too.

    Of part of a melody it is told the traits that were asked for in words alone: the rest is what stands around.
    """
    from melodygru.network.conditions import PHRASE_BARS, Conditions

    style = STYLES[config.style] if config.style else None
    form = config.parsed_form
    character: tuple[Character, ...] = (_traits(config, metre, whole),)
    if config.own_wishes and form is not None:
        of = {letter: _traits(config.of_section(letter), metre, whole) for letter in form.letters}
        sections = form.placed(config.section_lengths())
        character = tuple(of[one.letter] for one, start, end in sections for _ in range(start, end))
    stressed = config.stressed if whole or any(character[0]) else ()
    return Conditions(
        style.collection if style else "",
        style.kind if style else "",
        _scale_told(config),
        character,
        tuple(chords),
        stressed=stressed,
        each=PHRASE_BARS if len(character) == 1 else 1,
    )


def _traits(config: GenerationConfig, metre: TimeSignature, whole: bool) -> Character:
    """The classes of the traits that are asked for."""
    from melodygru.network.conditions import Character, class_of

    traits = {
        "syncopation": 0 if config.syncopation is None else _SYNCOPATION[config.syncopation],
        "leaps": 0 if config.leaps is None else _LEAPS[config.leaps],
    }
    if whole:
        quarters = metre.bar_steps / 24
        traits["density"] = 0 if config.density is None else class_of("density", config.density / quarters)
        traits["rests"] = 0 if config.rests is None else 1 + ("none", "few", "some", "many").index(config.rests)
    return Character(**traits)


def characters_of(config: GenerationConfig, known: Mapping[str, CharacterTable]) -> tuple[Character, ...]:
    """Characters of people's pieces of the style that is asked for, as far as a model knows any."""
    from melodygru.network.conditions import Character

    style = STYLES[config.style] if config.style else None
    names = ("",) if style is None else (f"{style.collection}/{style.kind}", style.collection)
    table = next((known[name] for name in names if name in known), ())
    return tuple(Character(*map(int, row)) for row in table)


_IN_ITS_KEY = ("song", "hymn", "standard")
"""Collections of which people's music is half chromatic, and what is asked for in a key is to be in it."""


def _scale_told(config: GenerationConfig) -> str:
    """What the network is told of the scale: that of a mode, whose colour other notes would blur, is kept to."""
    from melodygru.music.scales import parse_scale
    from melodygru.network.conditions import NATURAL, SCALES_TOLD

    if config.scale is not None:
        name = parse_scale(config.scale)
        return name if name in SCALES_TOLD else NATURAL
    of_a_mode = config.named_key is not None and config.named_key.mode not in ("major", "minor")
    sung = config.style is not None and STYLES[config.style].collection in _IN_ITS_KEY and config.chords is None
    return NATURAL if of_a_mode or sung or config.scale_mode is not None else ""


_SYNCOPATION = {"none": 1, "some": 3, "much": 5}
_LEAPS = {"few": 1, "some": 3, "many": 5}
"""Classes of `melodygru.network.conditions.CHARACTER`."""


_LEARNED = {"style": "style", "syncopation": "character", "leaps": "character", "strength": "style"}
"""Options that the network alone keeps, and the field of its `ContextConfig` that says if it was told of them."""


def unheard_of(context: ContextConfig) -> tuple[str, ...]:
    """The options that a model which is told this cannot keep."""
    return tuple(name for name, told in _LEARNED.items() if not getattr(context, told))


def understood(config: GenerationConfig, context: ContextConfig, model: str) -> GenerationConfig:
    """The wishes as a model that is told this keeps them: over chords it follows what it has learned, if it has.

    Raises UsageError for wishes that only a model that was told of them can keep, if this one was not.
    """
    asked = {name: getattr(config, name) for name in unheard_of(context)}
    for wishes in config.own_wishes.values():
        asked |= {name: wishes[name] for name in asked if name in wishes}
    if not context.chords and config.chord_mode == LEARNED:
        asked["chord-mode"] = LEARNED
    for name, value in asked.items():
        if value is not None:
            raise UsageError(
                f"--{name} {value} is nothing that the model {model or 'given'} has learned; choose another --model, "
                f"or leave --{name} out."
            )
    if not config.has_chords or config.chord_mode is not None:
        return config
    return replace(config, chord_mode=LEARNED if context.chords else "strict")


def default_style(model: str, context: ContextConfig) -> str | None:
    """What a model writes anew where no style is said: the one that comes along, songs; any other, what it likes."""
    return DEFAULT_STYLE if model == DEFAULT_MODEL and context.style else None


def samples() -> dict[str, str]:
    """How a melody in each style begins: two bars, as `melodygru.writing.primer.parse_notes` reads them."""
    return read_toml(Path(__file__).with_name("samples.toml"))


def styled(config: GenerationConfig, context: ContextConfig, otherwise: str | None) -> GenerationConfig:
    """The wishes with the style that holds `otherwise`, if none was said and the model is told of styles."""
    if config.style is not None or otherwise is None or not context.style:
        return config
    return replace(config, style=otherwise)


def written_out(config: GenerationConfig) -> GenerationConfig:
    """The wishes for a new melody with all that belongs to their style as if it had been said.

    So files say it, and are made again whatever belongs to the style later.
    """
    if config.style is None:
        return config
    style = STYLES[config.style]
    return replace(
        config, meter=config.meter or style.meter, bpm=config.bpm or float(style.bpm), range=config.range or style.range
    )
