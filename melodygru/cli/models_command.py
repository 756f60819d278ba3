"""`melodygru models`: which models there are here, and models from the Hub."""

from __future__ import annotations

from typing import Annotated

import typer

from melodygru.cli import output, parameters

_CARD_LINES = 60
_ACTIONS = ("list", "pull")


def models(
    action: Annotated[str, typer.Argument(metavar="list|pull", help="List models, or fetch one.")] = "list",
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[hf:OWNER/NAME]", help="With pull: a model of the Hugging Face Hub.", show_default=False
        ),
    ] = None,
    json: parameters.Json = False,
) -> None:
    """List the models that are here, or fetch one from the Hugging Face Hub.

    A fetched model is used by its name from then on, without the network: melodygru generate --model hf:owner/name
    """
    from dataclasses import asdict

    from melodygru.errors import UsageError
    from melodygru.network import hub
    from melodygru.network.model_files import models_here
    from melodygru.system.files import printable

    if action not in _ACTIONS or (action == "pull") != (name is not None):
        raise UsageError("Type melodygru models list, or melodygru models pull hf:owner/name.")
    if name is not None:
        pulled = hub.pull(name)
        if json:
            output.print_json({**asdict(pulled), "card": pulled.card})
            return
        card = [printable(line) for line in pulled.card.splitlines()]
        typer.echo("\n".join(card[:_CARD_LINES]))
        if len(card) > _CARD_LINES:
            typer.echo(f"… ({len(card) - _CARD_LINES} more lines)")
        typer.echo(
            f"Fetched {pulled.name} ({pulled.size:,} bytes, revision {pulled.revision[:12]}, SHA-256 {pulled.sha256}); "
            f"write with it: melodygru generate --model {pulled.name}"
        )
        return
    here = {name: str(file) for name, file in models_here().items()}
    here |= {one.name: one.file for one in hub.kept()}
    if json:
        output.print_json(here)
        return
    for one, file in here.items():
        typer.echo(f"{one}  {file}")
