"""`melodygru teach`: a model learns to choose the best of several melodies that it draws."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from melodygru.cli import output, parameters
from melodygru.cli.parameters import Track
from melodygru.cli.progress import tell


def teach(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model's name or file.", show_default=False)],
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA/", help="People's tunes; the folder it was trained on is best.", show_default=False
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Argument(
            metavar="[OUT]", help="Write the model to this file.", show_default="MODEL itself, with --force"
        ),
    ] = None,
    tunes: Annotated[int, typer.Option(help="How many tunes to learn with.")] = 1000,
    seed: Annotated[int, typer.Option(help="Same seed, same choices.")] = 0,
    track: Track = "auto",
    force: parameters.Force = False,
) -> None:
    """Let a model learn to choose: it writes melodies, and learns to tell them from people's.

    From then on it draws four melodies for each that it writes, and takes the one that looks most like people's
    (`generate --best-of 1` writes the first). What was learned is kept in the model.
    """
    from melodygru.evaluation.teaching import teach as run
    from melodygru.network.model_files import resolve
    from melodygru.system.files import check_target
    from melodygru.system.processes import usable_cores
    from melodygru.writing.drawing import SEED
    from melodygru.writing.model import load_model

    SEED.check(seed)
    loaded = load_model(model)
    target = check_target(resolve(model) if out is None else out, force)
    taught = run(loaded, data, tunes=tunes, seed=seed, track=track, progress=tell, jobs=usable_cores())
    taught.checkpoint.save(target, half=loaded.checkpoint.is_half)
    typer.echo(
        f"{target}: learned from {output.counted(taught.people, 'tune')} and {taught.generated:,} melodies of its own; "
        f"of those it had not learned from, it told {taught.auc:.0%} of pairs rightly (AUC; 50% is chance)."
    )
