"""Weights as whole numbers of 8 bits: a quarter of the size of float32, at a small cost in nats per note.

Symmetric, a scale for each row: w = scale * q, with q in [-127, 127]. A row of a linear or recurrent layer is what one
of its outputs is computed from, a row of a table is one entry, so that one large number coarsens its own row alone.
Only storage is meant: what is read is float32 again (`melodygru.checkpoint`), so that the network's step knows nothing
of it. Activations are never quantized, and nothing is trained again.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

LARGEST = 127
"""Of a quantized number's absolute value; -128 is left out, so that the numbers lie the same on both sides of 0."""
SCALE = ".scale"
"""Ends the name of the scales that belong to a quantized array."""
_SMALL = 4096

Int8Array = npt.NDArray[np.int8]
FloatArray = npt.NDArray[np.float32]


def is_worth_it(shape: tuple[int, ...]) -> bool:
    """Whether a weight of this shape is quantized: a matrix or table of more than 4096 numbers, never a bias."""
    return len(shape) == 2 and shape[0] * shape[1] > _SMALL


def quantize(weights: FloatArray) -> tuple[Int8Array, FloatArray]:
    """A finite (rows, columns) matrix as (rows, columns) int8 and (rows,) float32 scales, at least 0.

    Each number comes back to within half of its row's scale, which is the row's largest absolute value over 127.
    """
    weights = np.asarray(weights, np.float32)
    scales = np.abs(weights).max(axis=1) / np.float32(LARGEST)
    # The scale of a row of zeros, or of numbers too small for float32 to tell 1/127 of them from 0, is 0.
    levels = np.rint(weights / np.where(scales > 0, scales, 1)[:, None])
    return np.clip(levels, -LARGEST, LARGEST).astype(np.int8), scales


def dequantize(levels: Int8Array, scales: FloatArray) -> FloatArray:
    """The inverse of `quantize`, but for the rounding: (rows, columns) float32."""
    return levels.astype(np.float32) * scales[:, None]
