"""`melodygru infill`: new bars between kept ones."""

from __future__ import annotations

from typing import Annotated

import typer

from melodygru.cli import options
from melodygru.cli.change import In, Out, Track, change


def infill(
    source: In,
    out: Out,
    bars: Annotated[str, typer.Option(help="The bars to write anew: 5-8, or 5; 0 is a pickup's.", show_default=False)],
    seed: options.Seed = None,
    temperature: options.Temperature = None,
    top_k: options.TopK = None,
    top_p: options.TopP = None,
    best_of: Annotated[
        int | None,
        typer.Option(rich_help_panel=options.MUSIC, help="How many fillings to choose from.", show_default="96"),
    ] = None,
    max_copy: options.MaxCopy = None,
    scale: options.Scale = None,
    scale_mode: options.ScaleMode = None,
    range: options.Range = None,
    max_leap: options.MaxLeap = None,
    density: options.Density = None,
    rests: options.Rests = None,
    grid: options.Grid = None,
    triplets: options.Triplets = None,
    end_on: options.EndOn = None,
    no_repeat_notes: options.NoRepeatNotes = None,
    chords: options.Chords = None,
    beats_per_chord: options.BeatsPerChord = None,
    chord_mode: options.ChordMode = None,
    track: Track = "auto",
    model: options.Model = None,
    options_file: options.OptionsFile = None,
    force: options.Force = False,
    show: options.Show = False,
    json: options.Json = False,
) -> None:
    """Write some bars of a melody anew; all else in the file stays as it is.

    Many fillings are drawn, and the one is written after which the model finds what follows most probable. Chords are
    counted from bar 1 of the melody.
    """
    apart = ("source", "out", "bars", "options_file", "force", "show", "json", "track")
    said = {name: value for name, value in locals().items() if name not in apart and name != "apart"}
    change("infill", source, out, said, {"bars": bars}, track, options_file, force, show, json)
