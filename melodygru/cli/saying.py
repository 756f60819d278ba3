"""Lines for people."""

from __future__ import annotations

import sys


def say(text: str, err: bool = False) -> None:
    """Print a line to standard output, or to standard error, at once."""
    print(text, file=sys.stderr if err else sys.stdout, flush=True)
