"""`melodygru blend`: melodies between two."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

import typer

from melodygru.cli import options, parameters
from melodygru.cli.change import Out
from melodygru.option import described
from melodygru.writing.drawing import SEED, STEPS, SamplingConfig

_First = Annotated[str, typer.Argument(metavar="A", help="The MIDI file or score to begin with.", show_default=False)]
_Second = Annotated[str, typer.Argument(metavar="B", help="The one that it becomes.", show_default=False)]


@options.takes(STEPS, SEED, *described(SamplingConfig).values(), options.MODEL)
def blend(
    first: _First,
    second: _Second,
    out: Out,
    asked: Mapping[str, Any],
    force: parameters.Force = False,
    json: parameters.Json = False,
) -> None:
    """Write melodies between two, in even steps from A to B, in rhythm and in line: OUT-01.mid, OUT-02.mid …

    Both need the same metre. They are laid over each other bar by bar, without their pickups, the shorter one again
    from its beginning, and B in A's key.
    """
    from melodygru.cli import output
    from melodygru.cli.progress import tell
    from melodygru.formats.midi.performance import Performance
    from melodygru.version import __version__
    from melodygru.writing.blending import CANDIDATES, blend, laid_over
    from melodygru.writing.config import GenerationConfig
    from melodygru.writing.model import draw_seed, load_model
    from melodygru.writing.primer import read_primer
    from melodygru.writing.recipe import Recipe, file_names, melody_as_dict, rendered
    from melodygru.writing.replay import style_of
    from melodygru.writing.styles import styled

    options.check(asked, STEPS, SEED)
    steps = asked.get("steps", STEPS.default)
    output.check_out(out, steps, force, json)
    melodies = read_primer(first), read_primer(second)
    pair = laid_over(*melodies)
    model = load_model(str(asked.get("model", options.MODEL.default)))
    config = styled(GenerationConfig.from_dict(options.part_of(asked, SamplingConfig)), model.context, style_of(first))
    seed = asked["seed"] if "seed" in asked else draw_seed()
    made = []
    for step in range(1, steps + 1):
        report = partial(_told, tell, step - 1, steps * CANDIDATES, CANDIDATES)
        made.append(blend(model, pair, step / (steps + 1), config, seed, progress=report))
    targets = output.targets(out, file_names(model.name, made[0].melody, seed, steps), force)
    told = []
    for step, (target, one) in enumerate(zip(targets, made, strict=True), 1):
        recipe = Recipe(
            __version__, model.name, model.fingerprint, seed, one.number, config, Performance(seed=seed + one.number),
            "blend", melodies[0], {"second": melody_as_dict(melodies[1]), "step": step, "steps": steps},
        )  # fmt: skip
        output.write(target, rendered(one, recipe), force)
        told.append({"file": str(target), "step": step, **output.facts(one.melody)})
    if json:
        output.print_json({"model": model.name, "fingerprint": model.fingerprint, "seed": seed, "files": told})
        return
    where = "standard output" if targets[0] is None else f"{targets[0]}" + (f" … {targets[-1]}" if steps > 1 else "")
    melody = made[0].melody
    output.tell(
        out,
        f"Wrote {where}: {output.counted(steps, 'step')} from {first} to {second}, "
        f"{output.counted(melody.bars, 'bar')} of {melody.time_signature}, {output.in_style(config)}seed {seed}.",
    )


def _told(tell: Any, before: int, total: int, each: int, done: float) -> None:
    tell("drawing candidates", before * each + done, total)
