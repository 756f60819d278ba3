"""What the network computes with, where torch's own way is slow on a CPU: look-ups, dropout, several heads at once."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F


def multiplied_as(weight: Tensor) -> torch.dtype:
    """The dtype in which products with this weight are made: autocast's, where that is on."""
    kind = weight.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else weight.dtype


def looked_up(tables: Sequence[Tensor], classes: Tensor, dtype: torch.dtype) -> Tensor:
    """(..., C * E): the rows of C tables (S, E), S each its own, that (..., C) classes name, side by side.

    The tables are made one first: a look-up and its gradient cost more by their number than by their size.
    """
    begins = torch.tensor([0, *accumulate(len(table) for table in tables[:-1])], device=classes.device)
    rows: Tensor = _Rows.apply(torch.cat(list(tables)), classes + begins, dtype)
    return rows.flatten(-2)


class _Rows(torch.autograd.Function):
    """Rows of a table, in a dtype that may be lower than the table's; their gradients are summed in the table's."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, index: Tensor, dtype: torch.dtype) -> Tensor:
        ctx.save_for_backward(index)
        ctx.shape, ctx.dtype = table.shape, table.dtype
        return F.embedding(index, table.to(dtype))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (index,) = ctx.saved_tensors
        gradient = gradient.to(ctx.dtype)
        if index.is_cuda:
            # There `index_add_` is not the same from run to run; on a CPU it takes a quarter of this one's time.
            table = torch.ops.aten.embedding_dense_backward(gradient, index, ctx.shape[0], -1, False)
        else:
            table = gradient.new_zeros(ctx.shape)
            table.index_add_(0, index.flatten(), gradient.reshape(-1, ctx.shape[1]))
        return table, None, None


def side_by_side(x: Tensor, layers: Sequence[nn.Linear]) -> tuple[Tensor, ...]:
    """What each of these layers, with or without bias, makes of x (N, I): one product in place of several."""
    biases: list[Tensor] = [x.new_zeros(len(layer.weight)) if layer.bias is None else layer.bias for layer in layers]
    weights: list[Tensor] = [layer.weight for layer in layers]
    made = F.linear(x, torch.cat(weights), torch.cat(biases))
    return made.split([len(layer.weight) for layer in layers], dim=-1)


def dropout(x: Tensor, share: float) -> Tensor:
    """X without a share of its values, the others made larger by what is lost (`torch.nn.functional.dropout`).

    On a CPU torch draws one number a value, one after the other; sixteen bits of each are enough.
    """
    if x.device.type != "cpu" or not 0 < share < 1:
        return F.dropout(x, share)
    steps = 1 << 16
    cut = round(share * steps)
    drawn = torch.empty(-(-x.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
    kept = (drawn.view(torch.int16)[: x.numel()] >= cut - steps // 2).view(x.shape)
    return x * kept.to(x.dtype).mul_(steps / (steps - cut))
