"""Styles and feels, as the page is told of them."""

from __future__ import annotations

from typing import Any

from melodygru.arranging.patterns import book
from melodygru.music.instruments import find_program
from melodygru.option import described
from melodygru.studio.answers import FeelFacts, StyleFacts
from melodygru.writing.config import GenerationConfig
from melodygru.writing.feels import Feel, feels
from melodygru.writing.styles import STYLES

STYLE_FACTS = {
    name: StyleFacts(good_for=style.good_for, meter=style.meter, bpm=style.bpm, range=style.range)
    for name, style in STYLES.items()
}


def feel_facts() -> dict[str, FeelFacts]:
    """The feels by name. Raises UsageError or FileError for a user's file that cannot be used."""
    return {name: _facts(feel) for name, feel in feels().items()}


def groove_facts() -> dict[str, str]:
    """What each groove is good for. Raises UsageError or FileError for a user's file that cannot be used."""
    return {name: groove.about for name, groove in book().grooves.items()}


def _facts(feel: Feel) -> FeelFacts:
    """What of a feel is of use on the page: how it is played there is not asked for, but for the instrument."""
    options: dict[str, Any] = {name: feel.options[name] for name in described(GenerationConfig) if name in feel.options}
    program = feel.options.get("program")
    return FeelFacts(about=feel.about, options=options, program=None if program is None else find_program(str(program)))
