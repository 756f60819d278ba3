"""Shared libraries of our own C++: built when the package is installed, loaded when they are first used.

They lie in `melodygru/compiled/`. `hatch_build.py` builds them into every wheel and into the folder of an editable
install; `python -m melodygru.libraries` builds them anew after a change to a source. It takes GCC or Clang, as $CXX or
c++, and nothing else; where there is none all is done without them, and slower. One binary runs on every CPU of an
architecture: what is worth it is built for several kinds of CPU, and chosen between at run time.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from zlib import crc32

from melodygru.records import dataclass
from melodygru.system.processes import usable_cores
from melodygru.system.programs import run_side_by_side

if TYPE_CHECKING:  # each command asks for a library, and few build one: what takes milliseconds is imported there
    import ctypes


class CompilerError(Exception):
    """There is no compiler, or one that does not understand the source or the flags."""


_PACKAGE = Path(__file__).parent
FOLDER = _PACKAGE / "compiled"
"""Where the libraries of this package lie."""
_FLAGS = ("-O3", "-std=c++17", "-fPIC", "-pthread")
_LONGEST = 120.0
"""Seconds that the compiler may take for a source."""


@dataclass(frozen=True)
class Unit:
    """A translation unit: a source, and the flags that it alone is compiled with."""

    source: Path
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Library:
    """What a library is made of.

    Attributes:
        sources: the folder or file that its units lie in; headers beside them.
        recipes: the units, in order of wish: a compiler that cannot build the first builds the next.
        flags: of all units.
        without: what is slower without it, for people.
    """

    sources: Path
    recipes: tuple[tuple[Unit, ...], ...]
    flags: tuple[str, ...]
    without: str


_GRU = _PACKAGE / "training" / "gru_loop"
_READING = _PACKAGE / "data" / "fast_lane.cpp"
_STEP = _PACKAGE / "network" / "step"
_WRITING = _PACKAGE / "writing" / "kernels"
_AVX2 = ("-mavx2", "-mfma")
_AVX512 = (*_AVX2, "-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl")
_AVX512_BF16 = (*_AVX512, "-mavx512bf16")
VARIANTS = {
    "amx": ("amx.cpp", (*_AVX512_BF16, "-mamx-tile", "-mamx-bf16")),
    "avx512_bf16": ("loop.cpp", _AVX512_BF16),
    "avx512": ("loop.cpp", _AVX512),
    "avx2": ("loop.cpp", _AVX2),
    "portable": ("loop.cpp", ()),
    "emulated": ("amx.cpp", ("-DEMULATED_TILES",)),
}
"""Of the GRU's loop, source and flags for each kind of CPU, best first; the last is for tests: the one of AMX, its
instructions written out. On ARM `portable` is NEON, which every such CPU of 64 bits has."""
_MACHINE = os.uname().machine if hasattr(os, "uname") else os.environ.get("PROCESSOR_ARCHITECTURE", "")
"""The CPU's architecture."""
_FOR_X86 = ("amx", "avx512_bf16", "avx512", "avx2", "portable")


def gru_units(names: Sequence[str]) -> tuple[Unit, ...]:
    """The units of the GRU's loop with these of `VARIANTS`, best first."""
    units = [Unit(_GRU / source, (*flags, f"-DVARIANT={name}")) for name in names for source, flags in [VARIANTS[name]]]
    return (*units, Unit(_GRU / "library.cpp", (f"-DVARIANTS={''.join(f'OF({name})' for name in names)}",)))


def _gru_recipes() -> tuple[tuple[Unit, ...], ...]:
    names = _FOR_X86 if _MACHINE in ("x86_64", "AMD64") else _FOR_X86[-1:]
    return tuple(gru_units(names[first:]) for first in range(len(names)))


LIBRARIES = {
    "gru": Library(_GRU, _gru_recipes(), ("-ffp-contract=fast", "-fvisibility=hidden"), "training on a CPU"),
    # Floating point as Python computes it, to the last bit: no multiplication and addition become one.
    "reading": Library(_READING, ((Unit(_READING),),), ("-ffp-contract=off",), "reading folders of MIDI files"),
    # Likewise: a seed is to mean the same melody with and without it.
    "step": Library(
        _STEP, ((Unit(_STEP / "context.cpp"), Unit(_STEP / "network.cpp")),), ("-ffp-contract=off",), "writing melodies"
    ),
    "writing": Library(
        _WRITING,
        (tuple(Unit(_WRITING / f"{name}.cpp") for name in ("draws", "masks", "runs", "ways")),),
        ("-ffp-contract=off",),
        "writing melodies",
    ),
}
"""By name."""


def place(name: str, folder: Path = FOLDER) -> Path:
    """Where the library of that name lies, or would: its file's name tells the system, and the sources and flags."""
    library = LIBRARIES[name]
    sources, folders = library.sources, library.sources.is_dir()
    files = sorted(path for path in sources.iterdir() if path.suffix in (".cpp", ".h")) if folders else [sources]
    recipes = [[(unit.source.name, unit.flags) for unit in units] for units in library.recipes]
    state = repr(([path.read_bytes() for path in files], recipes, library.flags, _FLAGS))
    mark = f"{crc32(state.encode()):08x}"  # tells a stale one from one that is not; nobody is kept out by it
    return folder / f"{name}-{sys.platform}-{_MACHINE}-{mark}.so"


def load(name: str, hold_lock: bool = False) -> ctypes.CDLL | None:
    """The library of that name; None where it was not built, or this system cannot load it.

    Its functions give up the interpreter's lock while they work, unless `hold_lock`: for those of microseconds.
    """
    import ctypes

    with suppress(OSError):
        return (ctypes.PyDLL if hold_lock else ctypes.CDLL)(str(place(name)))
    return None


def missing() -> str:
    """What is slower here for want of a library, in words; empty where none is missing."""
    slower = list({library.without: None for name, library in LIBRARIES.items() if not place(name).exists()})
    return " and ".join([", ".join(slower[:-1]), *slower[-1:]] if slower[1:] else slower)


def build(name: str, folder: Path = FOLDER) -> Path:
    """Build the library of that name, if it is not there, as well as the compiler can; older ones are taken away.

    Raises `CompilerError` where it can build none of the recipes.
    """
    library, made = LIBRARIES[name], place(name, folder)
    if made.exists():
        return made
    for units in library.recipes[:-1]:
        with suppress(CompilerError):
            built(made, units, library.flags)
            break
    else:
        built(made, library.recipes[-1], library.flags)
    for old in folder.glob(f"{name}-{sys.platform}-{_MACHINE}-*.so"):
        if old != made:
            old.unlink()
    return made


def built(made: Path, units: Sequence[Unit], flags: Sequence[str] = ()) -> Path:
    """Build a library of these units, as the file `made`.

    The units are compiled side by side, in as many processes as there are cores; the first that fails ends it, so
    those that a compiler may not know come first. Raises `CompilerError`.
    """
    import tempfile
    from subprocess import SubprocessError

    compiler = [os.environ.get("CXX", "c++"), *_FLAGS, *flags]
    try:
        made.parent.mkdir(parents=True, exist_ok=True)
        # In a folder that nobody else knows, then renamed: a build that is killed leaves nothing that others take for
        # one.
        with tempfile.TemporaryDirectory(dir=made.parent, prefix=f".{made.stem}-") as scratch:
            linked = Path(scratch) / made.name
            objects = [str(Path(scratch) / f"{number}.o") for number in range(len(units))]
            pairs = zip(units, objects, strict=True)
            _run([[*compiler, *unit.flags, "-c", str(unit.source), "-o", to] for unit, to in pairs])
            _run([[*compiler, "-shared", *objects, "-o", str(linked)]])
            os.replace(linked, made)
    except (OSError, SubprocessError) as error:
        raise CompilerError(str(error)) from error
    return made


def _run(commands: Sequence[Sequence[str]]) -> None:
    codes = run_side_by_side(commands, usable_cores(), _LONGEST)
    for command, code in zip(commands, codes, strict=True):
        if code:
            codes.close()
            raise CompilerError(f"{command[0]} ended with exit code {code}: {' '.join(command)}")


def main() -> None:
    """Build all libraries into the package's folder, and say so."""
    for name in LIBRARIES:
        print(_outcome(name))


def _outcome(name: str) -> str:
    try:
        return f"built {build(name).name}"
    except CompilerError as error:
        return f"{name} could not be built ({error}): {LIBRARIES[name].without} will be slower."


if __name__ == "__main__":
    main()
