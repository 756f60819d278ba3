"""Standard input in place of a file: what comes in is kept as one for as long as the command runs."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from melodygru.errors import UsageError

STDIN = "-"
_FOLDER, _NAME = "melodygru-", "stdin"
"""What the folder's name begins with in which it is kept, and how the file is called."""
_LOOKED_AT = 1 << 16
"""Bytes from the beginning that tell what it is."""


def standard_input(ctx: Any) -> str:
    """The name of a file with what stands on standard input, until the command's context is closed.

    Raises UsageError where that is a keyboard.
    """
    from tempfile import TemporaryDirectory

    from melodygru.formats.midi.parser import MAX_FILE_BYTES

    if sys.stdin.isatty():
        raise UsageError("- is standard input, and that is the keyboard; pipe a file into it, or give the file's name.")
    folder = TemporaryDirectory(prefix=_FOLDER)
    ctx.call_on_close(folder.cleanup)
    # One more than is read, so that what is too large is told as that.
    data = sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
    file = Path(folder.name) / f"{_NAME}{_ending(data[:_LOOKED_AT])}"
    file.write_bytes(data)
    return str(file)


def in_words(text: str) -> str:
    """What is said, with "standard input" in place of the file that it is kept as."""
    if _NAME not in text:
        return text
    from tempfile import gettempdir

    kept = re.escape(str(Path(gettempdir()) / _FOLDER)) + r"[^/\\]{1,32}[/\\]" + _NAME + r"(\.[a-z]{1,8})?"
    return re.sub(kept, "standard input", text)


def _ending(begin: bytes) -> str:
    """The ending of files that begin so; what begins as none does is told as no MIDI file."""
    text = begin.lstrip(b"\xef\xbb\xbf\xff\xfe\0 \t\r\n")
    if text.startswith((b"<", b"\0<")):
        return ".musicxml"
    if begin.startswith(b"PK\x03\x04"):
        return ".mxl"
    if re.search(rb"(?m)^\*\*kern", begin):
        return ".krn"
    if not begin.startswith((b"MThd", b"RIFF")) and re.search(rb"(?m)^[XK]:", begin):
        return ".abc"
    return ".mid"
