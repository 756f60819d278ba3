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
    from melodygru import __version__
    from melodygru.cli import output
    from melodygru.editing import Tune
    from melodygru.generation_config import GenerationConfig
    from melodygru.generator import check_seed, draw_seed, load_model
    from melodygru.recipe import Recipe
    from melodygru.replay import changed, packed_input
    from melodygru.scores.files import is_score
    from melodygru.variation import Varied

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
        from melodygru.written_chords import chords_of

        draw_written([(done.melody, chords_of(recipe, done.melody))], [target])
