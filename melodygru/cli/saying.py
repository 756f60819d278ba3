"""Lines for people."""

from __future__ import annotations

import os
import sys
from typing import TextIO


def open_streams() -> None:
    """Have the standard streams there, and those for output take every text, before anything is printed.

    Of one that was closed by whoever started the program, what is printed is lost, and nothing is read. What an
    encoding has no sign for, such as names of files that are no text, becomes a question mark: a file is written all
    the same.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
        elif mode == "w" and hasattr(stream, "reconfigure") and not _takes_all(stream):
            stream.reconfigure(errors="replace")


def _takes_all(stream: TextIO) -> bool:
    try:
        "\u2026\udcff".encode(stream.encoding, stream.errors or "strict")
    except UnicodeEncodeError:
        return False
    return True


def say(text: str, err: bool = False) -> None:
    """Print a line to standard output, or to standard error, at once."""
    print(text, file=sys.stderr if err else sys.stdout, flush=True)
