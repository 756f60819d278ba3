"""How the weights move: AdamW, its learning rate over a run, and the moving average that is kept."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from melodygru.training.config import TrainConfig

_WARMUP_SHARE = 0.1
"""The warm-up takes at most this share of a run."""


def adamw(model: nn.Module, config: TrainConfig) -> torch.optim.Optimizer:
    """The optimizer (Loshchilov & Hutter 2019): matrices and tables decay, biases do not."""
    parameters = list(model.parameters())
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": config.weight_decay},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.lr, betas=(0.9, 0.98), fused=True)


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
