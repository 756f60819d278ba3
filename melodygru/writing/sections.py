"""Wishes of a section's own: `C: density=4 range=E4:A5 chords='F G C Am'` holds in sections of the letter C alone.

Such text is what `--section`, tables `[sections.C]` of option files, and files' own recipes say. What a section does
not say itself it has from the whole. The parts of a song have wishes of their own where nothing else is said, see
`of_a_song`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from melodygru.errors import UsageError
from melodygru.music.form import Form, part_named
from melodygru.music.theory import pitch_name
from melodygru.writing.values import BEGINNINGS, parse_range

if TYPE_CHECKING:
    from melodygru.music.chords import ChordSpan
    from melodygru.music.theory import TimeSignature
    from melodygru.writing.config import GenerationConfig

GROUPED = ("range", "scale", "scale_mode", "chords", "contour", "density", "rests")
"""Wishes that are kept section by section; those of the whole hold where a section has none that goes before them."""
APART = ("grid", "triplets", "max_leap", "no_repeat_notes")
"""Wishes that are kept in the whole at once, unless a section has one of its own."""
OF_CONSTRAINTS = (*GROUPED, *APART)
"""Wishes that a section may have for itself, and that constraints keep."""
OF_THE_NETWORK = ("syncopation", "leaps")
"""Those that the network is told of."""
BEGIN_ON = "begin_on"
"""A section's own alone: "other", another degree than the first section begins on; or "any"."""
FEEL = "feel"
"""The name of a feel, in whose place `melodygru.writing.section_feels` puts what it sets."""
OF_MELODIES = (*OF_CONSTRAINTS, *OF_THE_NETWORK)
"""Those that are fields of `GenerationConfig`."""
OWN = (*OF_MELODIES, BEGIN_ON, FEEL)
_NUMBERS = {"density": float, "max_leap": int, "no_repeat_notes": int}
_YES, _NO = ("yes", "true"), ("no", "false")

_LONGEST = 8000
"""Characters of what is read."""
_HEAD = re.compile(r"\s*([A-Za-z][A-Za-z '-]{0,20}?)\s*:")
_SAID = re.compile(r"""\s*([A-Za-z_-]{1,30})\s*=\s*("[^"]*"|'[^']*'|[^\s;"']+)\s*,?""")
_BETWEEN = re.compile(r"\s*(?:;\s*|$)")


def parse_own(text: str, form: Form) -> dict[str, dict[str, Any]]:
    """The wishes of each letter of a form, by option: "C: density=4 rests=few; B: range=C4:C5".

    Raises UsageError for anything else, letters that the form does not have, and wishes that no section can have.
    """
    found: dict[str, dict[str, Any]] = {}
    at = 0
    text = text.strip().rstrip(";")
    while at < len(text) <= _LONGEST:
        head = _HEAD.match(text, at)
        if head is None:
            raise _unreadable(text[at:])
        letter, at = _letter(head[1], form), head.end()
        wishes: dict[str, Any] = found.setdefault(letter, {})
        while (said := _SAID.match(text, at)) is not None:
            name, value = said[1].replace("-", "_"), said[2].strip("\"'")
            if name not in OWN:
                raise UsageError(f"A section has no {said[1]} of its own: {letter} may have {', '.join(OWN)}.")
            if name in wishes:
                raise UsageError(f"Section {letter} says {said[1]} twice; say it once.")
            wishes[name] = _value(letter, name, value)
            at = said.end()
        between = _BETWEEN.match(text, at)
        if between is None or not wishes:
            raise _unreadable(text[at:] or text)
        at = between.end()
    if not found:
        raise _unreadable(text)
    return found


def _letter(word: str, form: Form) -> str:
    plain = word.replace("'", "").strip()
    letter = plain.upper() if len(plain) == 1 else part_named(plain) if form.of_a_song else None
    if letter in form.letters:
        assert letter is not None
        return letter
    raise UsageError(f"--section {word!r}: the form {form} has no such section; it has {', '.join(form.letters)}.")


def _value(letter: str, name: str, value: str) -> float | bool | str:
    if name == "triplets":
        if value.lower() not in (*_YES, *_NO):
            raise UsageError(f"Section {letter}: triplets is {value[:30]!r}; choose yes or no.")
        return value.lower() in _YES
    if name not in _NUMBERS:
        return value
    try:
        return _NUMBERS[name](value)
    except ValueError:
        what = "a number of notes a bar" if name == "density" else "a whole number"
        raise UsageError(f"Section {letter}: {name} is {value[:30]!r}; give {what}.") from None


def _unreadable(text: str) -> UsageError:
    return UsageError(
        f"A section's wishes cannot be read at {text[:40]!r}; write its letter, a colon, and wishes with =, those with "
        "blanks in quotes: --section \"C: density=4 range=E4:A5 chords='F G C Am'\"."
    )


def text_of(own: Mapping[str, Mapping[str, Any]]) -> str:
    """The inverse of `parse_own`."""
    return "; ".join(f"{letter}: {' '.join(map(_said, wishes.items()))}" for letter, wishes in own.items())


def _said(item: tuple[str, Any]) -> str:
    name, value = item
    if isinstance(value, bool):
        value = (_YES if value else _NO)[0]
    text = f"{value:g}" if isinstance(value, float | int) else str(value)
    quote = '"' if "'" in text else "'"
    return f"{name}={quote}{text}{quote}" if re.search(r"[\s;'\"]", text) else f"{name}={text}"


def text_of_tables(tables: Mapping[str, Any]) -> str:
    """What the tables [sections.C] of an options file say. Raises UsageError for no table, or no single value."""
    for letter, wishes in tables.items():
        if not isinstance(wishes, dict) or not wishes:
            raise UsageError(f"[sections.{letter}] is no table of wishes; write them under it: density = 4.")
        if odd := next((name for name, value in wishes.items() if not isinstance(value, str | int | float)), None):
            raise UsageError(f"[sections.{letter}] has no single value for {odd}; write one.")
    return text_of(tables)


def checked(config: GenerationConfig) -> str:
    """What `config.section` says, in the usual spelling. Raises UsageError, naming the section, if it is not legal."""
    form = config.parsed_form
    if form is None or config.section is None:
        return config.section or ""
    usual: dict[str, dict[str, Any]] = {}
    for letter, wishes in parse_own(config.section, form).items():
        if wishes.get(BEGIN_ON, "any") not in BEGINNINGS:
            raise UsageError(f"Section {letter}: {BEGIN_ON} is {wishes[BEGIN_ON]!r}; choose {' or '.join(BEGINNINGS)}.")
        try:
            there = alone(config, wishes)
        except UsageError as error:
            raise UsageError(f"Section {letter}: {error}") from error
        usual[letter] = {name: getattr(there, name) if name in OF_MELODIES else wishes[name] for name in wishes}
    return text_of(usual)


def alone(config: GenerationConfig, wishes: Mapping[str, Any]) -> GenerationConfig:
    """What is asked for where a section has these wishes: its own before those of the whole, and no form."""
    own = {name: value for name, value in wishes.items() if name in OF_MELODIES}
    left_out = ["form", "section_bars", "section", "motif", "seams", "plain_sections", "bars"]
    if config.chords is None and "chords" not in own:
        left_out += ["chord_mode", "beats_per_chord"]
    return replace(config, **{**dict.fromkeys(left_out), **own})


HIGHER = 4
"""Semitones by which a chorus lies above the verse: a major third."""
SPAN = 14
"""Semitones of the range of verse and chorus each: a ninth, in the middle of what there is room for."""
_NARROWEST = 9
"""So many at least, or neither is put above the other: people sing a verse in no less."""
LONGER = 2 / 3
"""Of the verse's notes a bar, how many a chorus has: it is sung in longer notes."""
NOTES_A_QUARTER = 1.5
"""In a verse, where nobody says how dense it is."""


def of_a_song(config: GenerationConfig) -> GenerationConfig:
    """The wishes with what belongs to the parts of a song as if it had been said: so files say it, and are made again.

    A chorus lies higher than the verse by `HIGHER` semitones and has longer notes; a bridge begins on another degree;
    parts share the rhythm of the verse's first bars, and lead over to one another.
    """
    form = config.parsed_form
    if form is None or not form.of_a_song or config.plain_sections:
        return config
    own = {letter: dict(wishes) for letter, wishes in config.own_wishes.items()}
    lower, upper = own.setdefault("V", {}), own.setdefault("C", {})
    if "C" in form.letters:
        low, high = config.pitches
        span = min(high - low - HIGHER, SPAN)
        if span >= _NARROWEST and "range" not in lower and "range" not in upper:
            low = (low + high - HIGHER - span) // 2
            lower["range"], upper["range"] = _range(low, low + span), _range(low + HIGHER, low + HIGHER + span)
        quarters = config.time_signature.bar_steps / 24
        dense = lower.get("density", config.density) or round(2 * NOTES_A_QUARTER * quarters) / 2
        if "density" not in upper:
            lower.setdefault("density", dense)
            upper["density"] = max(round(2 * dense * LONGER) / 2, 0.5)
    if "B" in form.letters:
        own.setdefault("B", {}).setdefault(BEGIN_ON, "other")
    said = {letter: own[letter] for letter in form.letters if own.get(letter)}
    shared = "rhythm" if config.motif is None else config.motif
    seams = "lead" if config.seams is None else config.seams
    return replace(config, section=text_of(said) or None, motif=shared, seams=seams)


def _range(low: int, high: int) -> str:
    parse_range(text := f"{pitch_name(low)}:{pitch_name(high)}")
    return text


def own_spans(config: GenerationConfig, metre: TimeSignature) -> list[tuple[ChordSpan, ...]]:
    """Of each section of the form one pass of its own chords; empty where those of the whole hold."""
    form = config.parsed_form
    if form is None:
        return []
    own = {
        letter: config.of_section(letter).spans(metre)
        for letter, wishes in config.own_wishes.items()
        if "chords" in wishes
    }
    return [own.get(section.letter, ()) for section in form.sections]
