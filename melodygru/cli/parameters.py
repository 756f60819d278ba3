"""Parameters of commands as typer takes them: of options that are described as data, and those that commands share."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from melodygru.cli.options import MODEL, quarters
from melodygru.option import FILES, PANELS, Option

_FIRST = ("bars", "key", "meter", "bpm", "seed", "temperature", "top_k", "top_p")
"""Options that come first in their panel of the help page."""

Data = Annotated[
    Path, typer.Argument(metavar="DATA/", help="A folder of MIDI files or scores, searched with all its subfolders.")
]
"""What all commands have that learn from a folder, or look through one."""
Track = Annotated[
    str,
    typer.Option(
        help="Which track has the melody: auto (the likeliest), top (the highest most of the time), a number from 1, "
        "a name, an instrument (violin), or skyline (the highest notes of all)."
    ),
]
"""The option that all commands have that read a melody out of a file."""
ReadMeter = Annotated[
    str,
    typer.Option(
        "--meter", help="The metre of a MIDI file, such as 3/4, whatever it says.", show_default="its own, or estimated"
    ),
]
ReadKey = Annotated[
    str,
    typer.Option(
        "--key",
        help="The key of a MIDI file, such as 'A minor', whatever it says.",
        show_default="its own, or estimated",
    ),
]


ReadPickup = Annotated[
    float | None,
    typer.Option(
        "--pickup",
        help="What a MIDI file has before its bar 1, whatever it says: quarters (1), or a fraction as 1/4.",
        show_default="its own, or estimated",
        parser=quarters,
        metavar="<str>",
    ),
]
"""How a file is read that does not say these, or says what is not so."""


def signed(command: Callable[..., None]) -> Callable[..., None]:
    """A command with the signature that typer reads, which is made when it is asked for.

    Of one that `melodygru.cli.options.takes` has given options: those too, in the order of their panels.
    """
    listed = getattr(command, "listed", None)
    if listed is None or "__signature__" in vars(command):
        return command
    # A command that is run without typer imports neither.
    names = {"typer": typer, "parameters": sys.modules[__name__]}
    own = inspect.signature(inspect.unwrap(command), locals=names, eval_str=True).parameters
    rest = {name: one.replace(kind=one.KEYWORD_ONLY) for name, one in own.items() if name != "asked"}
    made = [rest.pop(one) if isinstance(one, str) else _parameter(one) for one in listed]
    if command.file:  # type: ignore[attr-defined]
        made.append(inspect.Parameter("options_file", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_File))
    made += rest.values()
    command.__annotations__ = {}
    command.__signature__ = inspect.Signature(sorted(made, key=_place))  # type: ignore[attr-defined]
    return command


def _parameter(option: Option) -> inspect.Parameter:
    """A described option as typer takes it: None where nothing was said."""
    kind = option.typed or option.kind
    annotation = Annotated[kind | None, shown(option)]  # type: ignore[valid-type]
    return inspect.Parameter(option.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def shown(option: Option) -> Any:
    """A described option's spelling and its words on the help page, for a parameter that is None by default."""
    spelling = option.spelling or (f"--{option.spelled}/--no-{option.spelled}" if option.kind is bool else "")
    return typer.Option(
        *([spelling] if spelling else []),
        rich_help_panel=option.panel or None,
        help=option.help_text,
        show_default=option.shown_default or False,
        hidden=option.hidden,
        parser=option.parser,
        metavar="<str>" if option.parser else None,
    )


def _place(parameter: inspect.Parameter) -> tuple[int, int]:
    """Where a parameter stands on the help page: its panel, and what comes first there."""
    panel = next((one.rich_help_panel for one in getattr(parameter.annotation, "__metadata__", ())), None)
    first = _FIRST.index(parameter.name) if parameter.name in _FIRST else len(_FIRST)
    return PANELS.index(panel) if panel else -1, first if panel else 0


def _flag(name: str, help: str) -> Any:
    return typer.Option(name, rich_help_panel=FILES, help=help, show_default=False)


Model = Annotated[str | None, shown(MODEL)]
_File = Annotated[
    Path | None,
    typer.Option(
        "--options", rich_help_panel=FILES, help="A TOML file of options; the command line wins.", show_default=False
    ),
]
Force = Annotated[bool, _flag("--force", "Overwrite files that exist.")]
Show = Annotated[bool, _flag("--show", "Draw what was written, as `melodygru show` does.")]
Json = Annotated[bool, _flag("--json", "Print JSON for programs.")]
