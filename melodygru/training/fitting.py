"""How often, and how fast, a folder is heard: by its size, and by what the network knows already."""

from __future__ import annotations

from typing import Any

from melodygru.training.config import TrainConfig

_FEWEST_STEPS, _MOST_EPOCHS = 150, 60
"""Steps from scratch that a network takes to learn anything; many more and it knows little music by heart."""
_START_EPOCHS, _START_LR = 10, 1e-3
"""A network that knows music needs few passes, at whatever size; faster, it forgets what it knew."""


def fitting(windows: int, batch_size: int, from_model: bool) -> dict[str, Any]:
    """Fields of `TrainConfig` that suit a folder of so many windows, where nobody has said otherwise.

    `from_model`: the network begins with what another has learned.
    """
    if from_model:
        return {"epochs": _START_EPOCHS, "lr": _START_LR}
    usual, steps = TrainConfig(), -(-windows // batch_size)
    epochs = max(usual.epochs, min(-(-_FEWEST_STEPS // steps), _MOST_EPOCHS))
    return {"epochs": epochs, "patience": max(usual.patience, epochs // 2)}
