"""Matrices as int8 with a scale a row: a quarter of the size, for little in nats per note."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from melodygru.network.arrays import Float32Array

LARGEST_LEVEL = 127
"""Of a quantized number's absolute value; -128 is left out, so that the numbers lie the same on both sides of 0."""
SCALE = ".scale"
"""Ends the name of the scales that belong to a quantized array."""
_SMALL = 4096

Int8Array = npt.NDArray[np.int8]


def worth_quantizing(shape: tuple[int, ...]) -> bool:
    """Whether a weight of this shape is quantized: a matrix or table of more than 4096 numbers, never a bias."""
    return len(shape) == 2 and shape[0] * shape[1] > _SMALL


def quantize(weights: Float32Array) -> tuple[Int8Array, Float32Array]:
    """A finite (rows, columns) matrix as (rows, columns) int8 and (rows,) float32 scales, at least 0.

    Each number comes back to within half of its row's scale, which is the row's largest absolute value over 127.
    """
    weights = np.asarray(weights, np.float32)
    scales = np.abs(weights).max(axis=1) / np.float32(LARGEST_LEVEL)
    # The scale of a row of zeros, or of numbers too small for float32 to tell 1/127 of them from 0, is 0.
    levels = np.rint(weights / np.where(scales > 0, scales, 1)[:, None])
    return np.clip(levels, -LARGEST_LEVEL, LARGEST_LEVEL).astype(np.int8), scales


def dequantize(levels: Int8Array, scales: Float32Array) -> Float32Array:
    """The inverse of `quantize`, but for the rounding: (rows, columns) float32."""
    return levels.astype(np.float32) * scales[:, None]
