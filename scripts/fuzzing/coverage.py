"""Which ways through the package a reading took: pairs of lines that followed one another.

Python's own tracing sees every line at five to twenty times the cost, so that only a share of the readings is looked
at. Nothing of it sees compiled code; its outcomes stand beside.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import melodygru

_ROOT = str(Path(melodygru.__file__).parent)
_Trace = Callable[[FrameType, str, Any], Any]


@contextmanager
def traced() -> Iterator[set[int]]:
    """The set fills, while the context lasts, with a number for each pair of lines."""
    edges: set[int] = set()
    names: dict[CodeType, int] = {}

    def enter(frame: FrameType, event: str, argument: Any) -> _Trace | None:
        code = frame.f_code
        if not code.co_filename.startswith(_ROOT):
            return None
        if code not in names:
            # Not `hash`, which differs from process to process.
            names[code] = zlib.crc32(f"{code.co_filename[len(_ROOT) :]} {code.co_firstlineno}".encode())
        number, before = names[code], 0

        def line(frame: FrameType, event: str, argument: Any) -> _Trace:
            nonlocal before
            edges.add(hash((number, before, frame.f_lineno)))
            before = frame.f_lineno
            return line

        return line

    was = sys.gettrace()
    sys.settrace(enter)
    try:
        yield edges
    finally:
        sys.settrace(was)
