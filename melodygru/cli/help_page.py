"""The page of `melodygru --help`: every command with a sentence, in panels.

typer would draw it with rich, which takes as long to import as NumPy; pages of single commands still are drawn so.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from melodygru.cli.commands import COMMANDS, GROUPS

SAYS = (
    "Learn melodies from a folder of MIDI files or scores with a GRU, and write new ones.",
    "Write 16 bars with the model that comes along: melodygru generate --bars 16 out.mid",
    "Learn from your own files: melodygru train my-midi-folder/",
)
OPTIONS = {
    ("--version", ""): "Print the version and exit.",
    ("--debug", ""): "Show the traceback of an error.",
    ("--install-completion", ""): "Install completion for the current shell.",
    ("--show-completion", ""): "Show completion for the current shell, to copy it or customize the installation.",
    ("--help", "-h"): "Show this message and exit.",
}
"""By their names, long and short."""
_WIDTH, _LEAST = 80, 60
"""Columns where nobody says how many there are, and the fewest that are filled."""
_LONG, _SHORT, _COMMAND = 22, 10, 13
"""Columns of an option's names, and of a command's."""
_BOX, _PLAIN_BOX = tuple("╭─╮│╰╯"), tuple("+-+|++")
"""Corner, line, corner, side, and the corners below."""
_DIM, _BRIGHT, _USUAL = "\x1b[2m", "\x1b[1;36m", "\x1b[0m"


def is_asked_for(arguments: Sequence[str]) -> bool:
    """Whether a command line asks for this page alone."""
    return list(arguments) in (["--help"], ["-h"], ["help"])


def show() -> None:
    """Print the page, as wide as the terminal; in colours if it is one and has some."""
    out = sys.stdout
    colourless = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or os.name != "posix"
    coloured = out.isatty() and not colourless
    box = _BOX if (out.encoding or "").lower().replace("-", "").startswith("utf") else _PLAIN_BOX
    print("\n".join(page(program(), columns(), coloured, box)), flush=True)


def page(name: str, width: int, coloured: bool = False, box: Sequence[str] = _BOX) -> list[str]:
    """The page's lines, for a program of this name."""
    width = max(width, _LEAST)
    lines = ["", *_indented(f"Usage: {name} [OPTIONS] COMMAND [ARGS]...", width), ""]
    for paragraph in SAYS:
        lines += [*_indented(paragraph, width), ""]
    options = {f"{long:<{_LONG}}{short:<{_SHORT}}": told for (long, short), told in OPTIONS.items()}
    lines += _panel("Options", options, width, coloured, box)
    for title, names in GROUPS.items():
        commands = {f"{one:<{_COMMAND}}": COMMANDS[one][1] for one in names}
        lines += _panel(title, commands, width, coloured, box)
    return [*lines, ""]


def _panel(title: str, rows: Mapping[str, str], width: int, coloured: bool, box: Sequence[str]) -> Iterator[str]:
    """A box of names and what is said of each."""
    dim, bright, usual = (_DIM, _BRIGHT, _USUAL) if coloured else ("", "", "")
    left, line, right, side, below_left, below_right = box
    inside = width - 4
    yield f"{dim}{left}{line} {title} {line * (inside - len(title) - 1)}{right}{usual}"
    for name, told in rows.items():
        for number, part in enumerate(_wrapped(told, inside - len(name))):
            said = f"{bright}{name}{usual}" if number == 0 else " " * len(name)
            yield f"{dim}{side}{usual} {said}{part:<{inside - len(name)}} {dim}{side}{usual}"
    yield f"{dim}{below_left}{line * (width - 2)}{below_right}{usual}"


def _indented(text: str, width: int) -> Iterable[str]:
    return (f" {line}" for line in _wrapped(text, width - 2))


def _wrapped(text: str, width: int) -> list[str]:
    """A text in lines of at most so many characters, or of one word."""
    lines = [""]
    for word in text.split():
        joined = f"{lines[-1]} {word}".strip()
        if len(joined) <= width or not lines[-1]:
            lines[-1] = joined
        else:
            lines.append(word)
    return lines


def columns() -> int:
    """How wide the terminal is: as $COLUMNS says, or any of the standard streams."""
    said = os.environ.get("COLUMNS", "")
    if said.isdigit() and int(said):
        return int(said)
    for stream in (sys.__stdin__, sys.__stdout__, sys.__stderr__):
        with suppress(AttributeError, ValueError, OSError):  # closed, or no terminal
            return os.get_terminal_size(stream.fileno()).columns or _WIDTH  # type: ignore[union-attr]
    return _WIDTH


def program() -> str:
    """What the program is called: as it was started."""
    package = getattr(sys.modules["__main__"], "__package__", None)
    return f"python -m {package}" if package else Path(sys.argv[0]).name
