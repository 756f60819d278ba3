"""What `infill` and `vary` share: a file is read, changed, and written with a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any

import typer

from melodygru.cli import options
from melodygru.errors import UsageError

In = Annotated[str, typer.Argument(metavar="IN", help="The MIDI file or score to change.", show_default=False)]
Out = Annotated[
    str, typer.Argument(metavar="OUT.mid", help="Where to write it; - for standard output.", show_default=False)
]
Track = Annotated[str, typer.Option(help="Which track has the melody: auto, a number from 1, or a name.")]


def change(
    command: str,
    source: str,
    out: str,
    said: Mapping[str, Any],
    details: Mapping[str, Any],
    track: str,
    options_file: Path | None,
    force: bool,
    show: bool,
    json: bool,
) -> None:
    """Read IN, change its melody as `command` does, write OUT, and draw it if it is to be shown.

    `said` are options that are wishes for what is new, and model and seed; `details` are the command's own.
    """
    from melodygru.cli import output
    from melodygru.formats.scores.files import is_score
    from melodygru.version import __version__
    from melodygru.writing.config import GenerationConfig
    from melodygru.writing.editing import Tune
    from melodygru.writing.model import check_seed, draw_seed, load_model
    from melodygru.writing.recipe import Recipe
    from melodygru.writing.replay import changed, packed_input
    from melodygru.writing.variation import Varied

    values = options.merged(said, options_file, list(said))
    if Path(out).is_dir():
        raise UsageError(f"{out} is a folder; give the file to write a name.")
    output.check_out(out, 1, force, json, show)
    wanted = {field.name for field in fields(GenerationConfig)}
    config = GenerationConfig.from_dict({name: value for name, value in values.items() if name in wanted})
    seed = options.whole(values, "seed", None)
    seed = draw_seed() if seed is None else seed
    check_seed(seed)
    tune = Tune.read(source, track)
    loaded = load_model(str(values.get("model", "folk")))
    own = {name: value for name, value in details.items() if value is not None}
    if track != "auto" and not is_score(source):  # of a score, what is kept is its melody alone
        own["track"] = track
    recipe = Recipe(
        __version__, loaded.name, loaded.fingerprint, seed, config=config, command=command,
        details={**own, **packed_input(tune)},
    )  # fmt: skip
    done, recipe, data = changed(recipe, loaded, tune)
    target = output.write_one(out, data, force)
    before, after = set(tune.melody.notes), set(done.melody.notes)
    same, new = len(before & after), len(after - before)
    if json:
        answer = {"file": str(target), "model": loaded.name, "fingerprint": loaded.fingerprint, "seed": seed}
        amount = {"amount": done.amount} if isinstance(done, Varied) else {}
        output.print_json(
            {**answer, **output.facts(done.melody), **own, **amount, "notes_kept": same, "notes_new": new}
        )
        return
    where = "standard output" if target is None else str(target)
    what = (
        f"{done.amount:.0%} of {source} changed" if isinstance(done, Varied) else f"bars {own['bars']} of {source} anew"
    )
    output.tell(out, f"Wrote {where}: {what}, {new} new notes beside {same} that stay, seed {seed}.")
    if show:
        from melodygru.cli.show_command import draw_written
        from melodygru.writing.replay import chords_of

        draw_written([(done.melody, chords_of(recipe, done.melody))], [target])


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
