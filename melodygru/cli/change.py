"""What `infill` and `vary` share: a file is read, changed, and written with a recipe."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

import typer

from melodygru.cli import options, parameters
from melodygru.cli.parameters import Track
from melodygru.errors import UsageError
from melodygru.formats.midi.extraction import ExtractionConfig
from melodygru.formats.midi.performance import Performance
from melodygru.formats.reading import WHOLE
from melodygru.option import taken_by
from melodygru.writing.config import GenerationConfig
from melodygru.writing.drawing import AMOUNT, KEEP, LOCKS, SEED

In = Annotated[str, typer.Argument(metavar="IN", help="The MIDI file or score to change.", show_default=False)]
Out = Annotated[
    str, typer.Argument(metavar="OUT.mid", help="Where to write it; - for standard output.", show_default=False)
]


def change(
    command: str,
    source: str,
    out: str,
    asked: Mapping[str, Any],
    details: Mapping[str, Any],
    read_in: ExtractionConfig,
    force: bool,
    show: bool,
    json: bool,
) -> None:
    """Read IN, change its melody as `command` does, write OUT, and draw it if it is to be shown.

    `asked` are options that are wishes for what is new, and model and seed; `details` are the command's own;
    `read_in`: how IN is read.
    """
    from melodygru.cli import output
    from melodygru.cli.progress import tell
    from melodygru.formats.scores.files import is_score
    from melodygru.network.judge import by_shipped_model
    from melodygru.version import __version__
    from melodygru.writing.editing import Tune
    from melodygru.writing.model import draw_seed, load_model
    from melodygru.writing.recipe import Recipe
    from melodygru.writing.replay import changed, model_of, packed_input, recipe_in, style_of
    from melodygru.writing.rewriting import wishes_for
    from melodygru.writing.styles import styled
    from melodygru.writing.variation import Varied

    if os.path.isdir(out):
        raise UsageError(f"{out} is a folder; give the file to write a name.")
    output.check_out(out, 1, force, json, show)
    options.check(asked, SEED)
    seed = asked["seed"] if "seed" in asked else draw_seed()
    tune = Tune.read(source, read_in, by_shipped_model)
    wishes = options.part_of(asked, GenerationConfig)
    config = wishes_for(command, wishes, tune.melody)
    loaded = load_model(str(asked["model"])) if "model" in asked else model_of(source)
    config = styled(config, loaded.context, style_of(source))
    own = {name: value for name, value in details.items() if value is not None}
    # Of a score, what is kept is its melody alone.
    read_as = {} if is_score(source) else tune.read_as(read_in)
    earlier = None if is_score(source) else recipe_in(source)
    recipe = Recipe(
        __version__, loaded.name, loaded.fingerprint, seed, config=config, command=command,
        performance=Performance() if earlier is None else replace(earlier.performance, seed=seed),
        details={**own, **read_as, **packed_input(tune)},
    )  # fmt: skip
    done, recipe, data = changed(recipe, loaded, tune, progress=partial(tell, "drawing candidates"))
    target = output.write_one(out, data, force)
    before, after = set(tune.melody.notes), set(done.melody.notes)
    same, new = len(before & after), len(after - before)
    if json:
        answer = {"file": str(target), "model": loaded.name, "fingerprint": loaded.fingerprint, "seed": seed}
        amount = {"amount": done.amount} if isinstance(done, Varied) else {}
        style = {} if config.style is None else {"style": config.style}
        output.print_json(
            {**answer, **output.facts(done.melody), **own, **amount, **style, "notes_kept": same, "notes_new": new}
        )
        return
    where = "standard output" if target is None else str(target)
    if isinstance(done, Varied):
        what = f"{done.amount:.0%} of {source} changed"
    elif "bars" in own:
        several = "-" in str(own["bars"])
        what = f"bar{'s' * several} {own['bars']} of {source} anew"
    else:
        what = f"what is not locked of {source} anew"
    what += f", {output.counted(new, 'new note')} beside {same} that stay"
    output.tell(out, f"Wrote {where}: {what}, {output.in_style(config)}seed {seed}.")
    if show:
        from melodygru.cli.show_command import draw_written
        from melodygru.writing.replay import chords_of

        draw_written([(done.melody, chords_of(recipe, done.melody))], [target])


_MODEL = replace(options.MODEL, shown="the one that wrote IN, else {default}")


@options.takes(*LOCKS, *taken_by("infill", GenerationConfig), SEED, _MODEL, file=True)
def infill(
    source: In,
    out: Out,
    asked: Mapping[str, Any],
    bars: Annotated[
        str | None,
        typer.Option(help="The bars to write anew: 5-8, or 5; 0 is a pickup's.", show_default="all, with --lock …"),
    ] = None,
    track: Track = "auto",
    meter: parameters.ReadMeter = "",
    pickup: parameters.ReadPickup = None,
    force: parameters.Force = False,
    show: parameters.Show = False,
    json: parameters.Json = False,
) -> None:
    """Write some bars of a melody anew, or all that is not locked; all else in the file stays as it is.

    Many fillings are drawn, and the one is written after which the model finds what follows most probable. Chords are
    counted from bar 1 of the melody.
    """
    read_in = replace(WHOLE, track=track, meter=meter, pickup=pickup)
    details = {"bars": bars, **{one.name: asked.get(one.name) for one in LOCKS}}
    change("infill", source, out, asked, details, read_in, force, show, json)


@options.takes(*LOCKS, *taken_by("vary", GenerationConfig), SEED, _MODEL, file=True)
def vary(
    source: In,
    out: Out,
    asked: Mapping[str, Any],
    amount: Annotated[float, typer.Option(help=AMOUNT.help_text)] = AMOUNT.default,
    keep: Annotated[str | None, parameters.shown(KEEP)] = None,
    bars: Annotated[
        str | None, typer.Option(help="Only within these bars: 5-8, or 5; 0 is a pickup's.", show_default="all")
    ] = None,
    track: Track = "auto",
    meter: parameters.ReadMeter = "",
    pickup: parameters.ReadPickup = None,
    force: parameters.Force = False,
    show: parameters.Show = False,
    json: parameters.Json = False,
) -> None:
    """Change a melody by as much as asked for; all else in the file stays as it is.

    The amount is the share of its notes that do not stand again with the same onset and pitch (with --keep pitches:
    onset and duration); what is locked is not counted.
    """
    details = {"amount": amount, "keep": keep, "bars": bars, **{one.name: asked.get(one.name) for one in LOCKS}}
    read_in = replace(WHOLE, track=track, meter=meter, pickup=pickup)
    change("vary", source, out, asked, details, read_in, force, show, json)
