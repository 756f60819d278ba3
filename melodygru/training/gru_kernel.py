"""The compiled loop over time of `melodygru.training.gru`: `gru_kernel.cpp`, built for this CPU at its first use."""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

_SOURCE = Path(__file__).with_suffix(".cpp")
_NATIVE = (("-march=native",), ("-mcpu=native",), ())
"""How compilers are told to build for this very CPU: the first that they understand."""
_OPENMP = ("-fopenmp",) if sys.platform == "linux" else ()


@dataclass(frozen=True)
class Kernel:
    """The compiled loop; see `gru_kernel.cpp`.

    Attributes:
        functions: the compiled ones.
        lanes: floats in a vector.
        vectors: vectors of columns that the backward product makes at once.
        bfloat16: whether this CPU multiplies bfloat16.
    """

    functions: ctypes.CDLL
    lanes: int
    vectors: int
    bfloat16: bool

    @property
    def multiple(self) -> int:
        """The number of units must be a multiple of it."""
        return self.vectors * self.lanes

    def forward(self, from_x: Tensor, w_h: Tensor, bias: Tensor, keep: bool) -> tuple[Tensor, Tensor, Tensor]:
        """States from W x + b, with b' of r and z added, (B, T, 3H), U (3H, H) and b' of n (H,), float32.

        Returns:
            (B, T, H) states in float32; what each step began with, and (B, T, 4H) r, z, n and U_n h' + b', in the
            dtype of U; the last two for the backward pass, empty unless `keep`.
        """
        (rows, steps), n, pairs = from_x.shape[:2], w_h.shape[1], _pairs(w_h)
        packed = w_h.view(3, n // self.lanes, self.lanes, n // pairs, pairs).permute(1, 3, 0, 2, 4).contiguous()
        states = from_x.new_empty(rows, steps, n, dtype=torch.float32)
        before = from_x.new_empty(rows, steps, n) if keep else from_x.new_empty(0)
        kept = from_x.new_empty(rows, steps, 4 * n) if keep else from_x.new_empty(0)
        if keep:
            before[:, 0] = 0
        self._call("forward", from_x, packed, bias, states, before, kept if keep else None, rows, steps, n)
        return states, before, kept

    def backward(self, gradient: Tensor, w_h: Tensor, before: Tensor, kept: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of what goes into the gates, from those of the states (B, T, H) and what `forward` kept.

        Returns:
            (B, T, 4H), in the dtype of U: of n from h, of r, of z, of n from x; and their sums, (4H,), in float32.
        """
        (rows, steps), n, pairs = gradient.shape[:2], w_h.shape[1], _pairs(w_h)
        ordered = torch.cat([w_h[2 * n :], w_h[: 2 * n]])
        blocks = ordered.view(3 * n // pairs, pairs, n // (self.vectors * self.lanes), self.vectors, self.lanes)
        packed = blocks.permute(2, 0, 3, 4, 1).contiguous()
        scores = w_h.new_empty(rows, steps, 4 * n)
        sums = gradient.new_zeros(rows, 4 * n)
        self._call("backward", gradient, packed, before, kept, scores, sums, rows, steps, n)
        return scores, sums.sum(0)

    def _call(self, name: str, first: Tensor, packed: Tensor, *others: Tensor | int | None) -> None:
        """Call the function for weights of this dtype; ctypes lets other threads of Python run meanwhile."""
        function = getattr(self.functions, f"gru_{name}_{'bfloat16' if packed.dtype == torch.bfloat16 else 'float'}")
        values = (first, packed, *others)
        function(*(ctypes.c_int64(v) if isinstance(v, int) else _address(v) for v in values))


def _pairs(w_h: Tensor) -> int:
    """How many neighbours along the sum lie side by side: bfloat16 is multiplied in pairs."""
    return 2 if w_h.dtype == torch.bfloat16 else 1


def _address(array: Tensor | None) -> ctypes.c_void_p:
    assert array is None or array.is_contiguous()
    return ctypes.c_void_p(None if array is None else array.data_ptr())


@cache
def kernel() -> Kernel | None:
    """The loop for this CPU; None where it cannot be built, or MELODYGRU_KERNEL=0 says not to.

    It takes a C++ compiler (GCC or Clang), and a second or two at its first use; it lies with torch's other extensions
    ($TORCH_EXTENSIONS_DIR, else the user's cache).
    """
    if os.environ.get("MELODYGRU_KERNEL") == "0" or sys.platform == "win32":
        return None
    for flags in _NATIVE:
        with suppress(OSError, RuntimeError, subprocess.SubprocessError):
            return build(flags)
    return None


def build(flags: Sequence[str]) -> Kernel:
    """The loop, compiled with these flags; RuntimeError, OSError or SubprocessError where that cannot be done."""
    from torch.utils import cpp_extension

    # Machines that share a home need not have the same CPU: the host's name goes in.
    state = repr((_SOURCE.read_bytes(), tuple(flags), torch.__version__, platform.machine(), platform.node()))
    name = f"melodygru_gru_{hashlib.sha256(state.encode()).hexdigest()[:16]}"
    home = Path(os.environ.get("TORCH_EXTENSIONS_DIR") or cpp_extension.get_default_build_root())
    place = home / f"{name}.so"
    if not place.exists():
        home.mkdir(parents=True, exist_ok=True)
        # Built in a folder that nobody else knows: torch's own lock would wait for ever for a build that was killed.
        with tempfile.TemporaryDirectory(dir=home, prefix=f".{name}-") as folder, _beside_python(), _quiet():
            cpp_extension.load(
                name,
                [str(_SOURCE)],
                extra_cflags=["-O3", "-std=c++20", "-ffp-contract=fast", *_OPENMP, *flags],
                extra_ldflags=[*_OPENMP],
                build_directory=folder,
                is_python_module=False,
            )
            os.replace(Path(folder) / f"{name}.so", place)
    library = ctypes.CDLL(str(place))
    return Kernel(library, library.gru_lanes(), library.gru_backward_vectors(), bool(library.gru_bfloat16()))


@contextmanager
def _beside_python() -> Iterator[None]:
    """PATH with the folder of this Python: ninja was installed there, whether or not the environment is activated."""
    before = os.environ.get("PATH")
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), before or os.defpath])
    try:
        yield
    finally:
        if before is None:
            del os.environ["PATH"]
        else:
            os.environ["PATH"] = before


@contextmanager
def _quiet() -> Iterator[None]:
    """No warnings: torch's advice on compilers is not for people who train a melody model."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
