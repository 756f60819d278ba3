"""One class of each row of logits: temperature -> top-k -> top-p -> draw, and how unlikely what was chosen is.

Twice: in NumPy (`draw`, `melodygru.network.arrays.nats_of`), and compiled around NumPy's e^x (`kernels/draws.cpp`),
which is taken where it was built. Both say the same to the last bit.
"""

from __future__ import annotations

from ctypes import CDLL

import numpy as np
import numpy.typing as npt

from melodygru.network.arrays import BoolArray, Float32Array, FloatArray, IntArray, nats_of, softmax
from melodygru.network.structs import Struct
from melodygru.writing.drawing import SamplingConfig
from melodygru.writing.kernels import kernels

Logits = npt.NDArray[np.floating]


class Chooser:
    """Draws classes as `config` says, of rows side by side, as many as there are."""

    def __init__(self, config: SamplingConfig):
        self._config = config
        self._library = None if config.temperature == 0 else kernels()
        self._rooms: dict[int, _Room] = {}

    def draw(self, logits: Float32Array, wanted: Logits, legal: BoolArray, uniform: FloatArray) -> IntArray:
        """(B,) classes: see `draw`. `logits` (B, V) are the network's own, `wanted` those with what is preferred."""
        if self._library is None:
            return draw(wanted, legal, self._config, uniform)
        rows, classes = logits.shape
        room = self._rooms.get(classes)
        if room is None or room.rows != rows:
            room = self._rooms[classes] = _Room(rows, classes, self._config)
        return room.draw(self._library, logits, wanted, legal, uniform)

    def nats(self, logits: Float32Array, chosen: IntArray) -> FloatArray:
        """(B,) `nats_of` the classes `chosen` (B,), given the logits that were drawn from last of so many classes."""
        if self._library is None:
            return nats_of(logits, chosen)
        return self._rooms[logits.shape[1]].nats(chosen)


class _Room:
    """Arrays of B rows of V classes that are written anew at each draw, and where they lie."""

    def __init__(self, rows: int, classes: int, config: SamplingConfig):
        self.rows = rows
        shape = (rows, classes)
        self._all = np.arange(rows)
        self._logits, self._wanted, self._legal = (
            np.zeros(shape, np.float32),
            np.zeros(shape),
            np.zeros(shape, np.bool_),
        )
        self._uniform, self._best, self._total = np.zeros((3, rows))
        self._powers, self._drawn = np.zeros((2, *shape)), np.zeros(rows, np.int64)
        self._struct = Struct(
            [
                *(rows, classes, config.top_k, np.array([float(config.temperature)]), np.array([float(config.top_p)])),
                *(self._logits, self._wanted, self._legal, self._uniform, self._powers),
                *(np.zeros(shape), np.zeros(2 * classes), self._best, self._total, self._drawn),
            ]
        )

    def draw(
        self, library: CDLL, logits: Float32Array, wanted: Logits, legal: BoolArray, uniform: FloatArray
    ) -> IntArray:
        """See `Chooser.draw`."""
        self._logits[...], self._wanted[...], self._legal[...], self._uniform[...] = logits, wanted, legal, uniform
        library.draws_shift(self._struct.at)
        np.exp(self._powers, out=self._powers)
        library.draws_choose(self._struct.at)
        return self._drawn.copy()

    def nats(self, chosen: IntArray) -> FloatArray:
        """See `Chooser.nats`."""
        own: FloatArray = np.log(self._total) + self._best - self._logits[self._all, chosen]
        return own


def keep_top_k(logits: FloatArray, k: int) -> BoolArray:
    """(B, V): True for the k largest of each row, and for all that tie with the k-th; k = 0 keeps all."""
    if k == 0 or k >= logits.shape[1]:
        return np.ones(logits.shape, np.bool_)
    kth = np.partition(logits, -k, axis=1)[:, -k]
    return logits >= kth[:, None]


def keep_top_p(logits: FloatArray, p: float) -> BoolArray:
    """(B, V): True for the nucleus of each row (Holtzman et al. 2020): the fewest most probable classes
    whose probabilities sum to at least p, and all that tie with the last of them; p = 1 keeps all.
    """
    if p >= 1:
        return np.ones(logits.shape, np.bool_)
    ordered = np.sort(logits, axis=1)[:, ::-1]
    total = np.cumsum(softmax(ordered), axis=1)
    last = np.minimum((total < p).sum(axis=1), logits.shape[1] - 1)
    return logits >= ordered[np.arange(len(logits)), last][:, None]


def draw(logits: npt.NDArray[np.floating], legal: BoolArray, config: SamplingConfig, uniform: FloatArray) -> IntArray:
    """One class a row.

    Args:
        logits: (B, V) unnormalised log-probabilities.
        legal: (B, V) what may be drawn; at least one class a row.
        config: temperature, top-k and top-p, applied in this order to the legal classes.
        uniform: (B,) random numbers in [0, 1): the class drawn is where the cumulative distribution,
            in order of class, first exceeds this.

    Returns:
        (B,) classes. At temperature 0 the likeliest legal class, the lowest of equals.
    """
    kept = np.where(legal, logits.astype(np.float64), -np.inf)
    if config.temperature == 0:
        return kept.argmax(axis=1)
    with np.errstate(over="ignore"):  # at the smallest temperatures a lesser logit becomes minus infinity, as it should
        kept = (kept - kept.max(axis=1, keepdims=True)) / config.temperature
    if config.top_k:
        kept = np.where(keep_top_k(kept, config.top_k), kept, -np.inf)
    if config.top_p < 1:
        kept = np.where(keep_top_p(kept, config.top_p), kept, -np.inf)
    cumulative = np.cumsum(softmax(kept), axis=1)
    # Rounding can leave the last sum a little off 1: scaled by it, no number falls beyond the end.
    drawn = (cumulative <= (uniform * cumulative[:, -1])[:, None]).sum(axis=1)
    last_legal = logits.shape[1] - 1 - np.isfinite(kept)[:, ::-1].argmax(axis=1)
    return np.minimum(drawn, last_legal)
