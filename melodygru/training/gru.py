"""A GRU layer that trains faster on a CPU than `torch.nn.GRU`, with the same weights and the same results.

The products with the inputs are made for all time steps at once, as everywhere. What is ours: the loop over time is
compiled (`gru_kernel.cpp`, `melodygru.training.gru_kernel`), the gradients of all weights are products over all time
steps after the loop in place of one a step, and under autocast all that is multiplied is bfloat16 (torch has such a
loop for its LSTM, and none for its GRU). Where that would not be faster, the layer is `torch.nn.GRU`.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

from melodygru.training.gru_kernel import kernel


class Loop(Protocol):
    """The loop over time; `melodygru.training.gru_kernel.Kernel` is one, and tells what goes in and comes out."""

    @property
    def multiple(self) -> int:
        """The number of units must be a multiple of it."""

    def forward(self, from_x: Tensor, w_h: Tensor, bias: Tensor, keep: bool) -> tuple[Tensor, Tensor, Tensor]:
        """States, and what the backward pass needs."""

    def backward(self, gradient: Tensor, w_h: Tensor, before: Tensor, kept: Tensor) -> tuple[Tensor, Tensor]:
        """Gradients of what goes into the gates, and their sums."""


_WEIGHTS = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")


class GRU(nn.GRU):
    """One layer of `torch.nn.GRU`, batch first, from a state of zeros: (B, T, I) to (B, T, H)."""

    def __init__(self, inputs: int, hidden: int):
        super().__init__(inputs, hidden, batch_first=True)

    def forward(self, x: Tensor, hx: Tensor | None = None) -> tuple[Tensor, Tensor]:  # type: ignore[override]
        """(B, T, I) to all states, (B, T, H), and the last, (1, B, H)."""
        low = torch.is_autocast_enabled(x.device.type)
        compiled = kernel() if x.device.type == "cpu" and (low or x.dtype == torch.float32) else None
        if compiled is None or hx is not None or x.dim() != 3:
            return super().forward(x, hx)
        # bfloat16 that has to be emulated would be slow: float32 then, which is also more exact.
        dtype = torch.bfloat16 if low and compiled.bfloat16 else torch.float32
        with torch.autocast("cpu", enabled=False):
            w_x, w_h, b_x, b_h = (getattr(self, name) for name in _WEIGHTS)
            states = gru_states(x, w_x, w_h, b_x, b_h, compiled, dtype)
        return states, states[:, -1:].transpose(0, 1)


def gru_states(x: Tensor, w_x: Tensor, w_h: Tensor, b_x: Tensor, b_h: Tensor, loop: Loop, dtype: torch.dtype) -> Tensor:
    """The states (B, T, H) of a GRU layer from a state of zeros, differentiable once.

    Args:
        x: (B, T, I) inputs.
        w_x, w_h, b_x, b_h: (3H, I), (3H, H), (3H,), (3H,), as in `torch.nn.GRU`: of r, z and n.
        loop: the loop over time.
        dtype: of what is multiplied and kept for the backward pass; sums and states are at least float32.
    """
    units = w_h.shape[1]
    if short := -units % loop.multiple:
        # Units that nothing goes into and nothing comes out of fill the last vector; their state stays 0.
        w_x, w_h, b_x, b_h = (F.pad(_of_gates(w), _ends(w, short)).flatten(0, 1) for w in (w_x, w_h, b_x, b_h))
        w_h = F.pad(w_h, (0, short))
    # Within the function nobody could tell any more: there, gradients are always off.
    keep = torch.is_grad_enabled()
    states: Any = _States.apply(x, w_x, w_h, b_x, b_h, loop, dtype, keep)
    return states if states.shape[2] == units else states[..., :units]


def _of_gates(w: Tensor) -> Tensor:
    return w.unflatten(0, (3, -1))


def _ends(w: Tensor, short: int) -> tuple[int, ...]:
    return (0, short) if w.dim() == 1 else (0, 0, 0, short)


class _States(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        w_x: Tensor,
        w_h: Tensor,
        b_x: Tensor,
        b_h: Tensor,
        loop: Loop,
        dtype: torch.dtype,
        keep: bool,
    ) -> Tensor:
        n = w_h.shape[1]
        low, in_x, in_h = x.to(dtype), w_x.to(dtype), w_h.to(dtype)
        # Of the biases of U h', n's alone has a place of its own: the reset gate multiplies it.
        bias = torch.cat([b_x[: 2 * n] + b_h[: 2 * n], b_x[2 * n :], b_h[2 * n :]])
        states, before, kept = loop.forward(F.linear(low, in_x), in_h, bias, keep)
        if keep:
            ctx.save_for_backward(low, in_x, in_h, before, kept)
        ctx.loop, ctx.input_dtype = loop, x.dtype
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        low, w_x, w_h, before, kept = ctx.saved_tensors
        n = w_h.shape[1]
        # They come as n from h, r, z, n from x: both what U and what W made is then one stretch.
        scores, sums = ctx.loop.backward(gradient.contiguous(), w_h, before, kept)
        rows = scores.flatten(0, 1)
        of_h, of_x = rows[:, : 3 * n], rows[:, n:]
        to_x = (of_x @ w_x).unflatten(0, gradient.shape[:2]) if ctx.needs_input_grad[0] else None
        to_w_h = of_h.T @ before.flatten(0, 1)
        return (
            None if to_x is None else to_x.to(ctx.input_dtype),
            (of_x.T @ low.flatten(0, 1)).to(gradient.dtype),
            torch.cat([to_w_h[n:], to_w_h[:n]]).to(gradient.dtype),
            sums[n:],
            torch.cat([sums[n : 3 * n], sums[:n]]),
            None,
            None,
            None,
        )
