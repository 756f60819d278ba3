"""`melodygru info`: what a model is, and how it came to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import typer


def info(
    model: Annotated[
        str, typer.Argument(metavar="CHECKPOINT", help="A model's name (such as folk) or its .safetensors file.")
    ] = "folk",
    json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Show what a model is: its shape, its training data, its result."""
    from melodygru.checkpoint import Checkpoint, resolve
    from melodygru.config import as_dict

    path = resolve(model)
    checkpoint = Checkpoint.load(path)
    answer = {
        "file": str(path),
        "size_bytes": path.stat().st_size,
        "parameters": checkpoint.parameters,
        "model": as_dict(checkpoint.model_config),
        "tokenizer": as_dict(checkpoint.tokenizer_config),
        "provenance": dict(checkpoint.provenance),
    }
    if json:
        from json import dumps

        typer.echo(dumps(answer, indent=1))
        return
    lines = [(_printable(name), _printable(value)) for name, value in _flat(answer)]
    width = max(len(name) for name, _ in lines)
    for name, value in lines:
        typer.echo(f"{name:<{width}}  {value}")


def _printable(text: str) -> str:
    """The text without control characters: a file from a stranger does not get to command the terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested values as lines: names joined by dots, numbers readable."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, bool) or value is None or isinstance(value, str):
            yield prefix + name, "-" if value is None else str(value)
        elif isinstance(value, int):
            yield prefix + name, f"{value:,}"
        elif isinstance(value, float):
            yield prefix + name, f"{value:.6g}"
        else:
            yield prefix + name, ", ".join(map(str, value))
