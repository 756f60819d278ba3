"""The compiled loop over time of `melodygru.training.gru`: the library of `gru_loop/`, and what of it this CPU runs.

The library holds a unit for each kind of CPU, and is the same on all CPUs of an architecture; which unit runs is decided
at run time, by the CPU and the type of number alone, so that results are the same from run to run.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from melodygru import compiler
from melodygru.errors import UsageError

_SOURCES = Path(__file__).parent / "gru_loop"
_AVX2 = ("-mavx2", "-mfma")
_AVX512 = (*_AVX2, "-mavx512f", "-mavx512dq", "-mavx512bw", "-mavx512vl")
_AVX512_BF16 = (*_AVX512, "-mavx512bf16")
_UNITS = {
    "amx": ("amx.cpp", (*_AVX512_BF16, "-mamx-tile", "-mamx-bf16")),
    "avx512_bf16": ("loop.cpp", _AVX512_BF16),
    "avx512": ("loop.cpp", _AVX512),
    "avx2": ("loop.cpp", _AVX2),
    "portable": ("loop.cpp", ()),
    "emulated": ("amx.cpp", ("-DEMULATED_TILES",)),
}
"""Source and flags of each unit, best first; the last is for tests: the one of AMX, its instructions written out."""
_X86 = ("amx", "avx512_bf16", "avx512", "avx2", "portable")
_OTHERS = ("portable",)
_FLAGS = ("-ffp-contract=fast",)
_BITS = {torch.float32: 4, torch.bfloat16: 2}


@dataclass(frozen=True)
class Unit:
    """The loop for one kind of CPU and one type of number; see `gru_loop/unit.h`.

    Attributes:
        name: of the kind of CPU.
        number: of the unit in its library.
        bytes: of a number: 4 for float32, 2 for bfloat16.
        lanes: floats in a vector, or columns in a tile.
        columns: that the backward product makes at once.
        group: pairs (of float32, single numbers) along the sum that lie together in packed weights.
        runs: whether this CPU can run it.
    """

    name: str
    number: int
    bytes: int
    lanes: int
    columns: int
    group: int
    runs: bool


@dataclass(frozen=True)
class Kernel:
    """The compiled loop.

    Attributes:
        functions: the library.
        units: of it those that may be used, best first; at least one of float32.
    """

    functions: ctypes.CDLL
    units: tuple[Unit, ...]

    @property
    def bfloat16(self) -> bool:
        """Whether it multiplies bfloat16."""
        return any(unit.bytes == 2 for unit in self.units)

    @property
    def multiple(self) -> int:
        """The number of units must be a multiple of it."""
        return max(max(unit.columns, unit.group * 4 // unit.bytes) for unit in self.units)

    def unit(self, dtype: torch.dtype) -> Unit:
        """The unit for weights of this dtype."""
        return next(unit for unit in self.units if unit.bytes == _BITS[dtype])

    def forward(self, from_x: Tensor, w_h: Tensor, bias: Tensor, keep: bool) -> tuple[Tensor, Tensor, Tensor]:
        """States from W x (B, T, 3H), U (3H, H) and biases (4H,), float32: b + b' of r and z, b of n, b' of n.

        Returns:
            (B, T, H) states in float32; (B, T, H) what each step began with, and (B, T, 4H) what else the backward
            pass needs, in the dtype of U; the last two empty unless `keep`.
        """
        (rows, steps), n, unit = from_x.shape[:2], w_h.shape[1], self.unit(w_h.dtype)
        states = from_x.new_empty(rows, steps, n, dtype=torch.float32)
        before = from_x.new_empty(rows, steps, n) if keep else from_x.new_empty(0)
        kept = from_x.new_empty(rows, steps, 4 * n) if keep else from_x.new_empty(0)
        arrays = (from_x, self._packed(unit, w_h, backward=False), bias, states, *((before, kept) if keep else (None, None)))
        self._call("forward", unit, rows, steps, n, *arrays)
        return states, before, kept

    def backward(self, gradient: Tensor, w_h: Tensor, before: Tensor, kept: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of what goes into the gates, from those of the states (B, T, H) and what `forward` kept.

        Returns:
            (B, T, 4H), in the dtype of U: of n from h, of r, of z, of n from x; and their sums, (4H,), in float32.
        """
        (rows, steps), n, unit = gradient.shape[:2], w_h.shape[1], self.unit(w_h.dtype)
        scores = w_h.new_empty(rows, steps, 4 * n)
        sums = gradient.new_empty(4 * n)
        arrays = (gradient, self._packed(unit, w_h, backward=True), before, kept, scores, sums)
        self._call("backward", unit, rows, steps, n, *arrays)
        return scores, sums

    def _packed(self, unit: Unit, w_h: Tensor, backward: bool) -> Tensor:
        """U (3H, H) in the order in which the products read it."""
        w_h = w_h.contiguous()
        packed = torch.empty_like(w_h)
        numbers = (unit.number, int(backward), w_h.shape[1])
        self.functions.gru_pack(*map(ctypes.c_int64, numbers), _address(w_h), _address(packed))
        return packed

    def _call(self, name: str, unit: Unit, rows: int, steps: int, units: int, *arrays: Tensor | None) -> None:
        """Call a function of the library; ctypes lets other threads of Python run meanwhile."""
        numbers = (unit.number, torch.get_num_threads(), rows, steps, units)
        function = getattr(self.functions, f"gru_{name}")
        if not function(*map(ctypes.c_int64, numbers), *map(_address, arrays)):
            raise MemoryError


def _address(array: Tensor | None) -> ctypes.c_void_p:
    assert array is None or array.is_contiguous()
    return ctypes.c_void_p(None if array is None else array.data_ptr())


@cache
def kernel() -> Kernel | None:
    """The loop for this CPU; None where it cannot be built, or MELODYGRU_KERNEL=0 says not to.

    MELODYGRU_KERNEL=avx2, or another name of a unit, takes that one, for measuring and for finding faults.
    """
    wanted = os.environ.get("MELODYGRU_KERNEL", "")
    if wanted == "0" or sys.platform == "win32":
        return None
    on_x86 = platform.machine() in ("x86_64", "AMD64")
    # A compiler that does not know the newest instructions builds the rest.
    for first in range(len(names := _X86 if on_x86 else _OTHERS)):
        with suppress(*compiler.CompilerError):
            return chosen(build(names[first:]), wanted if wanted not in ("", "1") else None)
    return None


def build(names: Sequence[str]) -> Kernel:
    """The library with these units, and all of them, also those that this CPU cannot run. Raises CompilerError."""
    units = [compiler.Unit(_SOURCES / source, (*flags, f"-DUNIT={name}")) for name in names for source, flags in [_UNITS[name]]]
    table = "".join(f"OF({name})" for name in names)
    functions = compiler.library("gru", [*units, compiler.Unit(_SOURCES / "library.cpp", (f"-DUNITS={table}",))], _FLAGS)
    functions.gru_unit.restype = ctypes.c_char_p
    functions.gru_forward.restype = functions.gru_backward.restype = ctypes.c_bool
    found = []
    facts = (ctypes.c_int64 * 5)()
    while name := functions.gru_unit(ctypes.c_int64(len(found)), facts):
        size, lanes, columns, group, runs = facts
        found.append(Unit(name.decode(), len(found), size, lanes, columns, group, bool(runs)))
    return Kernel(functions, tuple(found))


def chosen(built: Kernel, name: str | None = None) -> Kernel:
    """What this CPU runs of it; with a name that unit, beside the best of float32 that is not better.

    Raises UsageError where this CPU does not run the unit.
    """
    units = [unit for unit in built.units if unit.runs]
    if name is not None:
        names = [unit.name for unit in units]
        if name not in names:
            raise UsageError(f"MELODYGRU_KERNEL is {name}, but this computer has {', '.join(names)} and 0 alone.")
        units = units[names.index(name) :]
        units = [unit for unit in units if unit.name == name or unit.bytes == 4]
    return Kernel(built.functions, tuple(units))
