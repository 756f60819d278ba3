"""The arrays of the network in the types of NumPy, and what is computed from logits everywhere."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
Float32Array = npt.NDArray[np.float32]
FloatArray = npt.NDArray[np.float64]


def _softmax(logits: FloatArray) -> FloatArray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def nats_of(scores: npt.NDArray[np.floating], chosen: IntArray) -> FloatArray:
    """(B,) negative log-likelihood of the classes chosen."""
    scores = scores.astype(np.float64)
    best = scores.max(axis=1)
    total = np.log(np.exp(scores - best[:, None]).sum(axis=1)) + best
    return total - scores[np.arange(len(chosen)), chosen]
