"""The compiled loop over time of `melodygru.training.gru`: the library of `gru_loop/`, and what of it this CPU runs.

The library holds a variant for each kind of CPU, and is the same on all CPUs of an architecture; which runs is decided
at run time, by the CPU and the type of number alone, so that results are the same from run to run.
"""

from __future__ import annotations

import ctypes
import os
from functools import cache

import torch
from torch import Tensor

from melodygru import libraries
from melodygru.errors import UsageError
from melodygru.records import dataclass


@dataclass(frozen=True)
class Variant:
    """The loop for one kind of CPU and one type of number; see `gru_loop/variant.h`.

    Attributes:
        name: of the kind of CPU.
        number: of the variant in its library.
        bytes: of a number: 4 for float32, 2 for bfloat16.
        lanes: columns of packed weights that lie together.
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
        variants: of it those that may be used, best first; at least one of float32.
    """

    functions: ctypes.CDLL
    variants: tuple[Variant, ...]

    @property
    def bfloat16(self) -> bool:
        """Whether it multiplies bfloat16."""
        return any(variant.bytes == 2 for variant in self.variants)

    @property
    def multiple(self) -> int:
        """The number of units must be a multiple of it."""
        return max(max(variant.columns, variant.group * 4 // variant.bytes) for variant in self.variants)

    def variant(self, dtype: torch.dtype) -> Variant:
        """The one for weights of this dtype."""
        return next(variant for variant in self.variants if variant.bytes == dtype.itemsize)

    def forward(self, from_x: Tensor, w_h: Tensor, bias: Tensor, keep: bool) -> tuple[Tensor, Tensor, Tensor]:
        """States from W x (B, T, 3H), U (3H, H) and biases (4H,), float32: b + b' of r and z, b of n, b' of n.

        Returns:
            (B, T, H) states in float32; (B, T, H) what each step began with, and (B, T, 4H) what else the backward
            pass needs, in the dtype of U; the last two empty unless `keep`.
        """
        rows, steps, n = (*from_x.shape[:2], w_h.shape[1])
        states = from_x.new_empty(rows, steps, n, dtype=torch.float32)
        before = from_x.new_empty(rows, steps, n) if keep else from_x.new_empty(0)
        kept = from_x.new_empty(rows, steps, 4 * n) if keep else from_x.new_empty(0)
        for_backward = (before, kept) if keep else (None, None)
        self._call("forward", (rows, steps), w_h, from_x, bias, states, *for_backward)
        return states, before, kept

    def backward(self, gradient: Tensor, w_h: Tensor, before: Tensor, kept: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of what goes into the gates, from those of the states (B, T, H) and what `forward` kept.

        Returns:
            (B, T, 4H), in the dtype of U: of n from h, of r, of z, of n from x; and their sums, (4H,), in float32.
        """
        rows, steps, n = gradient.shape
        scores = w_h.new_empty(rows, steps, 4 * n)
        sums = gradient.new_empty(4 * n)
        self._call("backward", (rows, steps), w_h, gradient, before, kept, scores, sums)
        return scores, sums

    def _call(self, name: str, sizes: tuple[int, int], w_h: Tensor, first: Tensor, *others: Tensor | None) -> None:
        """Call a function of the library with U packed for it; ctypes lets other threads of Python run meanwhile."""
        variant, units, w_h = self.variant(w_h.dtype), w_h.shape[1], w_h.contiguous()
        packed = torch.empty_like(w_h)
        backward = int(name == "backward")
        self.functions.gru_pack(*_numbers(variant.number, backward, units), _address(w_h), _address(packed))
        numbers = _numbers(variant.number, torch.get_num_threads(), *sizes, units)
        function = getattr(self.functions, f"gru_{name}")
        if not function(*numbers, _address(first), _address(packed), *map(_address, others)):
            raise MemoryError


def _numbers(*values: int) -> tuple[ctypes.c_int64, ...]:
    return tuple(map(ctypes.c_int64, values))


def _address(array: Tensor | None) -> ctypes.c_void_p:
    assert array is None or array.is_contiguous()
    return ctypes.c_void_p(None if array is None else array.data_ptr())


@cache
def kernel() -> Kernel | None:
    """The loop for this CPU; None where it was not built, or MELODYGRU_KERNEL=0 says not to take it.

    MELODYGRU_KERNEL=avx2, or another name of a variant, takes that one, for measuring and for finding faults.
    """
    wanted = os.environ.get("MELODYGRU_KERNEL", "")
    functions = None if wanted == "0" else libraries.load("gru")
    if functions is None:
        return None
    return chosen(of(functions), wanted if wanted not in ("", "1") else None)


def of(functions: ctypes.CDLL) -> Kernel:
    """The loop with all variants of a library, also those that this CPU cannot run."""
    functions.gru_variant.restype = ctypes.c_char_p
    functions.gru_forward.restype = functions.gru_backward.restype = ctypes.c_bool
    found: list[Variant] = []
    facts = (ctypes.c_int64 * 5)()
    while name := functions.gru_variant(ctypes.c_int64(len(found)), facts):
        size, lanes, columns, group, runs = facts
        found.append(Variant(name.decode(), len(found), size, lanes, columns, group, bool(runs)))
    return Kernel(functions, tuple(found))


def chosen(built: Kernel, name: str | None = None) -> Kernel:
    """What this CPU runs of it; with a name that variant, beside the best of float32 that is not better.

    Raises UsageError where this CPU does not run it.
    """
    variants = [variant for variant in built.variants if variant.runs]
    if name is not None:
        names = [variant.name for variant in variants]
        if name not in names:
            raise UsageError(
                f"MELODYGRU_KERNEL is {name}, which this computer does not have; leave it out, or set it to one of "
                f"{', '.join([*names, '0'])}."
            )
        not_better = variants[names.index(name) :]
        variants = [variant for variant in not_better if variant.name == name or variant.bytes == 4]
    return Kernel(built.functions, tuple(variants))
