"""Types of NumPy arrays by what they hold, and what is computed from logits everywhere."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


def softmax(logits: FloatArray) -> FloatArray:
    """(B, V): the probabilities of each row."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def nats_of(logits: npt.NDArray[np.floating], chosen: IntArray) -> FloatArray:
    """(B,): the negative log-likelihood of the classes `chosen` (B,), given logits (B, V)."""
    logits = logits.astype(np.float64)
    best = logits.max(axis=1)
    total = np.log(np.exp(logits - best[:, None]).sum(axis=1)) + best
    return total - logits[np.arange(len(chosen)), chosen]
