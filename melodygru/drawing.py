"""One class a row, drawn from scores: temperature, then top-k, then top-p. Pure functions of arrays."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from melodygru.config import SamplingConfig

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


def keep_top_k(logits: FloatArray, k: int) -> npt.NDArray[np.bool_]:
    """(B, V): True for the k largest of each row, and for all that tie with the k-th; k = 0 keeps all."""
    if k == 0 or k >= logits.shape[1]:
        return np.ones(logits.shape, np.bool_)
    kth = np.partition(logits, -k, axis=1)[:, -k]
    return logits >= kth[:, None]


def keep_top_p(logits: FloatArray, p: float) -> npt.NDArray[np.bool_]:
    """(B, V): True for the nucleus of each row (Holtzman et al. 2020): the fewest most probable classes
    whose probabilities sum to at least p, and all that tie with the last of them; p = 1 keeps all.
    """
    if p >= 1:
        return np.ones(logits.shape, np.bool_)
    ordered = np.sort(logits, axis=1)[:, ::-1]
    total = np.cumsum(_softmax(ordered), axis=1)
    last = np.minimum((total < p).sum(axis=1), logits.shape[1] - 1)
    return logits >= ordered[np.arange(len(logits)), last][:, None]


def draw(
    logits: npt.NDArray[np.floating], legal: npt.NDArray[np.bool_], config: SamplingConfig, uniform: FloatArray
) -> IntArray:
    """One class a row.

    Args:
        logits: (B, V) scores.
        legal: (B, V) what may be drawn; at least one class a row.
        config: temperature, top-k and top-p, applied in this order to the legal classes.
        uniform: (B,) random numbers in [0, 1): the class drawn is where the cumulative distribution,
            in order of class, first exceeds this.

    Returns:
        (B,) classes. At temperature 0 the best-scored legal class, the lowest of equals.
    """
    scores = np.where(legal, logits.astype(np.float64), -np.inf)
    if config.temperature == 0:
        return scores.argmax(axis=1)
    with np.errstate(over="ignore"):  # at the smallest temperatures a worse score becomes minus infinity, as it should
        scores = (scores - scores.max(axis=1, keepdims=True)) / config.temperature
    scores = np.where(keep_top_k(scores, config.top_k), scores, -np.inf)
    scores = np.where(keep_top_p(scores, config.top_p), scores, -np.inf)
    cumulative = np.cumsum(_softmax(scores), axis=1)
    # Rounding can leave the last sum a little off 1: scaled by it, no number falls beyond the end.
    drawn = (cumulative <= (uniform * cumulative[:, -1])[:, None]).sum(axis=1)
    last_legal = logits.shape[1] - 1 - np.isfinite(scores)[:, ::-1].argmax(axis=1)
    return np.minimum(drawn, last_legal)


def _softmax(logits: FloatArray) -> FloatArray:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
