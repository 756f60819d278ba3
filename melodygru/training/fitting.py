"""What a folder's size asks for: how often it is heard, how fast, and how much is left out meanwhile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from melodygru.training.config import TrainConfig

_SCRATCH_STEPS, _START_STEPS = 1500, 400
"""Steps that a run takes at least, from scratch and from a model, as far as `_MOST_EPOCHS` allows."""
_MOST_EPOCHS = 60
_START_EPOCHS = 6
"""Passes over a large folder from a model that knows music already."""
_START_LR = 1e-3
_SMALL_DROPOUT = 0.45


@dataclass(frozen=True)
class Fitting:
    """What is chosen where nobody has said otherwise.

    Attributes:
        settings: of training, fields of `TrainConfig`.
        dropout: of the network; None for the shape's own.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    dropout: float | None = None


def fit(windows: int, batch_size: int, from_model: bool) -> Fitting:
    """What suits a folder of so many windows, in batches of that size; `from_model`: the run begins with one."""
    steps = -(-windows // batch_size)
    fewest = _START_STEPS if from_model else _SCRATCH_STEPS
    usual = _START_EPOCHS if from_model else TrainConfig().epochs
    epochs = max(usual, min(-(-fewest // steps), _MOST_EPOCHS))
    settings: dict[str, Any] = {"epochs": epochs, "patience": max(TrainConfig().patience, epochs // 2)}
    if from_model:
        settings["lr"] = _START_LR
    return Fitting(settings)
