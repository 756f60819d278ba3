"""Shared libraries of our own C++: compiled at their first use, and kept with the other caches.

It takes GCC or Clang, as $CXX or c++, and nothing else.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from melodygru.system import cache_home, run_side_by_side, usable_cores

NATIVE = (("-march=native",), ("-mcpu=native",), ())
"""How compilers are told to build for this very CPU: the first that they understand."""
CompilerError = (OSError, subprocess.SubprocessError)
"""What `compiled` raises where there is no compiler, or one that does not understand the source or the flags."""
_FLAGS = ("-O3", "-std=c++17", "-fPIC", "-pthread")
_LONGEST = 120.0
"""Seconds that the compiler may take for a source."""


@dataclass(frozen=True)
class Unit:
    """A translation unit: a source, and the flags that it alone is compiled with."""

    source: Path
    flags: tuple[str, ...] = ()


def compiled(name: str, units: Sequence[Unit], flags: Sequence[str] = ()) -> ctypes.CDLL:
    """The library of these units, compiled if it was not before.

    Args:
        name: what its file's name begins with.
        units: side by side in as many processes as there are cores; the first that fails ends it, so those that a
            compiler may not know come first. Headers (`.h`) lie in the folders of their sources.
        flags: of all units.

    Raises `CompilerError`.
    """
    folders = sorted({unit.source.parent for unit in units})
    sources = sorted({unit.source for unit in units} | {path for one in folders for path in one.glob("*.h")})
    recipe = [(unit.source.name, unit.flags) for unit in units], _FLAGS, tuple(flags)
    # Machines that share a home need not have the same CPU, or the same libraries: the host's name goes in.
    state = repr(([source.read_bytes() for source in sources], recipe, platform.machine(), platform.node()))
    place = cache_home() / "compiled" / f"{name}-{hashlib.sha256(state.encode()).hexdigest()[:16]}.so"
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        # In a folder that nobody else knows, then renamed: a build that is killed leaves nothing that others wait for.
        with tempfile.TemporaryDirectory(dir=place.parent, prefix=f".{name}-") as folder:
            os.replace(_build(Path(folder), units, flags), place)
    return ctypes.CDLL(str(place))


def _build(folder: Path, units: Sequence[Unit], flags: Sequence[str]) -> Path:
    compiler, made = [os.environ.get("CXX", "c++"), *_FLAGS, *flags], folder / "linked.so"
    objects = [str(folder / f"{number}.o") for number in range(len(units))]
    pairs = zip(units, objects, strict=True)
    each = [[*compiler, *unit.flags, "-c", str(unit.source), "-o", to] for unit, to in pairs]
    for commands in (each, [[*compiler, "-shared", *objects, "-o", str(made)]]):
        codes = run_side_by_side(commands, usable_cores(), _LONGEST)
        for command, code in zip(commands, codes, strict=True):
            if code:
                codes.close()
                raise subprocess.CalledProcessError(code, command)
    return made
