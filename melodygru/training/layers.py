"""Recurrent layers in torch, for training: those of torch, a faster GRU, and the two that torch does not have.

Each maps (B, T, I) inputs to (B, T, H) states, from a state of zeros, and has the weights, under the names, of
`melodygru.network.cells`, which gives the equations; proven equal to them in the tests.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from melodygru.training.gru import GRU
from melodygru.training.gru_kernel import kernel


class GRUv1(nn.Module):
    """The GRU of Cho et al. 2014 (arXiv:1406.1078v1): the reset gate before the product, h = (1 - z) * h' + z * h~.

    The product U (r * h') has to wait for r, so unlike `torch.nn.GRU`'s it cannot be one with those of the gates.
    """

    def __init__(self, inputs: int, hidden: int):
        super().__init__()
        self.hidden = hidden
        self.weight_ih_l0 = nn.Parameter(torch.empty(3 * hidden, inputs))
        self.weight_hh_l0 = nn.Parameter(torch.empty(3 * hidden, hidden))
        self.bias_ih_l0 = nn.Parameter(torch.empty(3 * hidden))
        _initialise(self, hidden)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, T, I) to all states, (B, T, H), and the last, (B, H)."""
        n = self.hidden
        from_x = F.linear(x, self.weight_ih_l0, self.bias_ih_l0)
        gates_x, candidate_x = from_x[..., : 2 * n].unbind(1), from_x[..., 2 * n :].unbind(1)
        gates_h, candidate_h = self.weight_hh_l0[: 2 * n].T, self.weight_hh_l0[2 * n :].T
        h, states = x.new_zeros(len(x), n), []
        for gate_scores, candidate_scores in zip(gates_x, candidate_x, strict=True):
            r, z = torch.sigmoid(gate_scores + h @ gates_h).chunk(2, dim=1)
            candidate = torch.tanh(candidate_scores + (r * h) @ candidate_h)
            h = h + z * (candidate - h)
            states.append(h)
        return torch.stack(states, dim=1), h


class MinGRU(nn.Module):
    """minGRU (Feng et al. 2024, arXiv:2410.01201): gate and candidate know the input alone, so time runs in parallel.

    h = (1 - z) * h' + z * h~ from h = 0 is a weighted sum of all candidates so far. It is computed as a cumulative sum
    of exponentials, in logarithms (Heinsen 2023, arXiv:2311.06281), since the weights themselves would soon underflow.
    """

    def __init__(self, inputs: int, hidden: int):
        super().__init__()
        self.weight_ih_l0 = nn.Parameter(torch.empty(2 * hidden, inputs))
        self.bias_ih_l0 = nn.Parameter(torch.empty(2 * hidden))
        _initialise(self, hidden)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, T, I) to all states, (B, T, H), and the last, (B, H)."""
        # In float32 whatever autocast says: differences of large logarithms need its precision.
        gate, candidate = F.linear(x, self.weight_ih_l0, self.bias_ih_l0).float().chunk(2, dim=-1)
        log_candidate = torch.where(candidate >= 0, (F.relu(candidate) + 0.5).log(), F.logsigmoid(candidate))
        # How much of a candidate is left at the end is what all later gates keep: log prod (1 - z) = sum log sigma(-a).
        kept = F.logsigmoid(-gate).cumsum(dim=1)
        states = (kept + torch.logcumsumexp(F.logsigmoid(gate) + log_candidate - kept, dim=1)).exp()
        return states, states[:, -1]


def _initialise(layer: nn.Module, hidden: int) -> None:
    """As torch's own recurrent layers."""
    for parameter in layer.parameters():
        nn.init.uniform_(parameter, -1 / math.sqrt(hidden), 1 / math.sqrt(hidden))


LAYERS: dict[str, Callable[[int, int], nn.Module]] = {
    "gru": GRU,
    "lstm": partial(nn.LSTM, batch_first=True),
    "rnn": partial(nn.RNN, batch_first=True),
    "gru-v1": GRUv1,
    "mingru": MinGRU,
}
"""By the names of `melodygru.network.cells.CELLS`: (inputs I, units H) to a new layer; calling it gives the output
first. The weights of U, if it has any, are called weight_hh_l0: training leaves out a share of those."""


def make_layer(cell: str, inputs: int, hidden: int) -> nn.Module:
    """A new layer of this kind."""
    return LAYERS[cell](inputs, hidden)


def gains_from_bfloat16(cell: str) -> bool:
    """Whether a layer of this kind trains faster on this CPU in bfloat16: only the compiled loop does."""
    compiled = kernel() if LAYERS[cell] is GRU else None
    return compiled is not None and compiled.bfloat16
