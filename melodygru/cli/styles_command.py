"""`melodygru styles`: the kinds of music, and the feels, that can be asked for by name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from melodygru.cli import output, parameters
from melodygru.system.folders import config_home

if TYPE_CHECKING:
    from melodygru.arranging.patterns import Groove
    from melodygru.writing.feels import Feel
    from melodygru.writing.styles import Style


def styles(json: parameters.Json = False) -> None:
    """List the styles and the feels that melodies can be written in, what each is good for, and how one begins.

    And the grooves that accompaniments can be played in.
    """
    from melodygru.arranging.patterns import book
    from melodygru.writing import styles as known
    from melodygru.writing.feels import feels

    samples = known.samples()
    knowing, others = _models()
    listed, shelf = feels(), book()
    if json:
        told = {name: {**asdict(style), "sample": samples[name]} for name, style in known.STYLES.items()}
        output.print_json(
            {
                "styles": {name: {**facts, "models": knowing} for name, facts in told.items()},
                "feels": {name: {"about": one.about, "options": dict(one.options)} for name, one in listed.items()},
                "grooves": {name: asdict(one) for name, one in shelf.grooves.items()},
                "patterns": {
                    part: {name: one.about for name, one in patterns.items()}
                    for part, patterns in shelf.patterns.items()
                },
            }
        )
        return
    _print(known.STYLES, samples, listed, shelf.grooves, _known_by(knowing, others))


def _models() -> tuple[list[str], list[str]]:
    """The names of the models here that are told of styles, and of those that are not."""
    from melodygru.errors import CheckpointError
    from melodygru.network.checkpoint import read_model_config
    from melodygru.network.model_files import models_here

    knowing: list[str] = []
    others: list[str] = []
    for name, file in models_here().items():
        try:
            told = read_model_config(file).context.style
        except CheckpointError:
            continue  # what is no sound model is no model here
        (knowing if told else others).append(name)
    return knowing, others


def _known_by(knowing: list[str], others: list[str]) -> str:
    known = f"Learned by: {', '.join(knowing)}." if knowing else "No model here has learned them."
    return f"{known} Not by: {', '.join(others)}." if others else known


def _print(
    styles: Mapping[str, Style],
    samples: Mapping[str, str],
    feels: Mapping[str, Feel],
    grooves: Mapping[str, Groove],
    known_by: str,
) -> None:
    from rich.console import Console
    from rich.table import Table

    from melodygru.arranging.patterns import FILE as OWN_PATTERNS
    from melodygru.writing.feels import FILE

    def table(*headings: str) -> Table:
        made = Table(*headings, box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        for column in made.columns[:-1]:
            column.no_wrap = True
        return made

    console = Console(highlight=False, markup=False, emoji=False)
    of_styles = table("style", "metre", "bpm", "range", "of", "good for, and how one begins")
    for name, style in styles.items():
        about = f"{style.good_for}\n{samples[name]}"
        of_styles.add_row(name, style.meter, f"{style.bpm:g}", style.range, style.collection, about)
    of_feels = table("feel", "good for, and what it sets")
    for name, feel in feels.items():
        of_feels.add_row(name, f"{feel.about}\n{output.spelled(feel.options)}".strip())
    console.print(of_styles)
    console.print(f"\n{known_by} What is said goes before what belongs to a style:")
    console.print("    melodygru generate --style waltz --bpm 120 out.mid\n")
    console.print(of_feels)
    console.print(f"\nFeels of your own go into ./{FILE} or {config_home() / FILE}; what is said goes before them:")
    console.print("    melodygru generate --feel lullaby --bars 8 out.mid")
    of_grooves = table("groove", "chords", "bass", "drums", "for the styles")
    for name, groove in grooves.items():
        of_grooves.add_row(name, *groove.patterns.values(), ", ".join(groove.styles))
    console.print()
    console.print(of_grooves)
    console.print(f"\nGrooves and patterns of your own go into ./{OWN_PATTERNS} or {config_home() / OWN_PATTERNS}:")
    console.print("    melodygru generate --with chords,bass,drums --groove waltz out.mid")
