"""`melodygru vary`: the same tune, changed by as much as asked for."""

from __future__ import annotations

from typing import Annotated

import typer

from melodygru.cli import options
from melodygru.cli.change import In, Out, Track, change


def vary(
    source: In,
    out: Out,
    amount: Annotated[float, typer.Option(help="The share of notes to change: 0 to 1.")] = 0.3,
    keep: Annotated[
        str | None,
        typer.Option(
            help="What stays: rhythm, contour (rhythm too), or pitches (in their order, in another rhythm).",
            show_default="nothing",
        ),
    ] = None,
    bars: Annotated[
        str | None, typer.Option(help="Only within these bars: 5-8, or 5; 0 is a pickup's.", show_default="all")
    ] = None,
    seed: options.Seed = None,
    temperature: options.Temperature = None,
    top_k: options.TopK = None,
    top_p: options.TopP = None,
    best_of: Annotated[
        int | None,
        typer.Option(rich_help_panel=options.MUSIC, help="How many variations to choose from.", show_default="8"),
    ] = None,
    max_copy: options.MaxCopy = None,
    scale: options.Scale = None,
    scale_mode: options.ScaleMode = None,
    range: options.Range = None,
    max_leap: options.MaxLeap = None,
    grid: options.Grid = None,
    triplets: options.Triplets = None,
    end_on: options.EndOn = None,
    no_repeat_notes: options.NoRepeatNotes = None,
    track: Track = "auto",
    model: options.Model = None,
    options_file: options.OptionsFile = None,
    force: options.Force = False,
    show: options.Show = False,
    json: options.Json = False,
) -> None:
    """Change a melody by as much as asked for; all else in the file stays as it is.

    The amount is the share of its notes that do not stand again with the same onset and pitch (with --keep pitches:
    onset and duration).
    """
    apart = ("source", "out", "bars", "amount", "keep", "options_file", "force", "show", "json", "track")
    said = {name: value for name, value in locals().items() if name not in apart and name != "apart"}
    details = {"amount": amount, "keep": keep, "bars": bars}
    change("vary", source, out, said, details, track, options_file, force, show, json)
