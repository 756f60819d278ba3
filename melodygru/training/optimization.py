"""How the weights move: Muon and AdamW, their learning rate over a run, and the moving average that is kept."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from melodygru.training.config import TrainConfig

_WARMUP_SHARE = 0.1
"""The warm-up takes at most this share of a run."""
_NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
"""Coefficients of the quintic that moves all singular values in (0, 1] to about 1 in five rounds (Jordan 2024)."""
_ROUNDS = 5
_LIKE_ADAM = 0.2
"""The root mean square of AdamW's moves, in learning rates: Muon's are made as large (Liu et al. 2025)."""


class Muon(torch.optim.Optimizer):
    """Matrices move by their gradients' momentum made orthogonal: in all directions as far (Jordan et al. 2024).

    What a recurrent layer's gradients are large in, every gate and every step of time pushes the same way; the many
    small directions are what is learned late. The update U V^T of a momentum U S V^T weighs all of them alike. It is
    found by Newton-Schulz rounds, products alone. Each gate's matrix is a matrix of its own.

    Args:
        matrices: parameters (R, C), R a multiple of their `rows`.
        rows: R of the matrices that each parameter consists of, one below the other.
        lr: as large as AdamW's: the root mean square of an update is 0.2 lr.
        momentum: decay of the gradients' average, in [0, 1); Nesterov's.
        weight_decay: as AdamW's.
        dtype: of the rounds' products; bfloat16 is exact enough.
    """

    def __init__(
        self,
        matrices: Sequence[Tensor],
        rows: Sequence[int],
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
        dtype: torch.dtype = torch.float32,
    ):
        super().__init__(matrices, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})
        self._rows = dict(zip(matrices, rows, strict=True))
        self._dtype = dtype
        self.found_inf: Tensor | None = None
        """Not 0: leave the next step out. (A GPU's number; nobody waits for it.)"""

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Move all matrices that have a gradient."""
        for group in self.param_groups:
            lr = group["lr"] * (1 - self.found_inf) if self.found_inf is not None else group["lr"]
            like: dict[torch.Size, list[tuple[Tensor, Tensor]]] = defaultdict(list)
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                ahead = self._momentum(parameter, group["momentum"])
                pairs = zip(self._apart(parameter, parameter), self._apart(parameter, ahead), strict=True)
                for weight, update in pairs:
                    like[weight.shape].append((weight, update))
            for (rows, columns), pairs_of_a_shape in like.items():
                weights, updates = zip(*pairs_of_a_shape, strict=True)
                size = _LIKE_ADAM * math.sqrt(max(rows, columns))
                for weight, update in zip(weights, orthogonal(torch.stack(updates).to(self._dtype)), strict=True):
                    weight.mul_(1 - lr * group["weight_decay"]).sub_(lr * size * update.to(weight.dtype))

    def _momentum(self, parameter: Tensor, decay: float) -> Tensor:
        """Nesterov's momentum, the gradient counted in; of gradients that are to be left out, nothing is."""
        gradient = parameter.grad
        assert gradient is not None
        if self.found_inf is not None:
            gradient = torch.where(self.found_inf > 0, torch.zeros_like(gradient), gradient)
        state = self.state[parameter]
        if "momentum" not in state:
            state["momentum"] = torch.zeros_like(parameter)
        state["momentum"].lerp_(gradient, 1 - decay)
        return gradient.lerp(state["momentum"], decay)

    def _apart(self, parameter: Tensor, values: Tensor) -> tuple[Tensor, ...]:
        return values.split(self._rows[parameter])


def orthogonal(matrices: Tensor) -> Tensor:
    """(N, R, C): U V^T of matrices U S V^T, roughly: singular values between 0.7 and 1.2, tiny ones less."""
    a, b, c = _NEWTON_SCHULZ
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(_ROUNDS):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x


def optimizers(model: nn.Module, config: TrainConfig, dtype: torch.dtype) -> list[torch.optim.Optimizer]:
    """What moves the weights: Muon those of `muon_matrices`, if `config.optimizer` says so, AdamW all others.

    AdamW (Loshchilov & Hutter 2019): matrices and tables decay, biases do not. `dtype` is that of Muon's products.
    """
    matrices = muon_matrices(model) if config.optimizer == "muon" else {}
    others = [parameter for parameter in model.parameters() if parameter not in matrices]
    groups = [
        {"params": [p for p in others if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in others if p.ndim <= 1], "weight_decay": 0.0},
    ]
    made: list[torch.optim.Optimizer] = [torch.optim.AdamW(groups, lr=config.lr, betas=(0.9, 0.98), fused=True)]
    if matrices:
        rows = list(matrices.values())
        made.append(Muon(list(matrices), rows, config.lr, weight_decay=config.weight_decay, dtype=dtype))
    return made


def muon_matrices(model: nn.Module) -> dict[Tensor, int]:
    """The weights of linear maps between hidden layers, each with the rows of one matrix: a gate's for the recurrent.

    Not those of tables and of the heads, whose rows stand for one class each and are seldom touched together.
    """
    matrices: dict[Tensor, int] = {}
    for name, parameter in model.named_parameters():
        layer = name.split(".", 1)[0]
        if parameter.ndim == 2 and layer in ("input", "recurrent", "duration_hidden", "pitch_hidden"):
            gates = layer == "recurrent"
            matrices[parameter] = model.config.hidden if gates else len(parameter)  # type: ignore[union-attr,assignment]
    return matrices


def learning_rate(config: TrainConfig, step: int, share: float) -> float:
    """The rate of step `step` (from 0), when `share` of the run, in [0, 1], is done: warm-up, then a cosine."""
    # A short run, such as one of a minute, has no time for the whole warm-up.
    rate = config.lr * min(1.0, max((step + 1) / max(config.warmup, 1), share / _WARMUP_SHARE))
    return rate * (config.final_lr + (1 - config.final_lr) * 0.5 * (1 + math.cos(math.pi * share)))


def follow(average: list[Tensor], model: nn.Module, decay: float, step: int) -> None:
    """Move the average (Polyak & Juditsky 1992), in place, towards the weights after `step` steps."""
    # It forgets the random beginning fast.
    decay = min(decay, (step + 1) / (step + 10))
    with torch.no_grad():
        torch._foreach_lerp_(average, list(model.parameters()), 1 - decay)


@contextmanager
def weights_of(average: Sequence[Tensor], model: nn.Module) -> Iterator[None]:
    """The model with its averaged weights, for as long as the context lasts."""
    parameters: list[Tensor] = list(model.parameters())
    current = [parameter.detach().clone() for parameter in parameters]
    with torch.no_grad():
        torch._foreach_copy_(parameters, list(average))
    try:
        yield
    finally:
        with torch.no_grad():
            torch._foreach_copy_(parameters, current)
