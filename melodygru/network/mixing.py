"""The network's pitches and n-grams' together: what a model of a small folder knows beside its network.

Log-linear: the log-probability of a pitch is the network's times a weight, plus those of all experts of
`melodygru.network.ngrams`, each times a weight of its own for short, middling and long contexts (a long one is to be
believed more, which Conklin 1990 and Pearce 2005 have entropies for), less what makes all pitches sum to one. How
likely it is that a note comes at all, and no rest or tie, remains the network's. How the weights are found:
`melodygru.training.ngram_fitting`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from melodygru.errors import CheckpointError, MelodyGRUError
from melodygru.music.theory import MODES, Key, TimeSignature
from melodygru.network.arrays import Float32Array, FloatArray, IntArray
from melodygru.network.ngrams import Heard, LongTerm
from melodygru.network.tokenizer import REST, TIE, Events, PieceMeta
from melodygru.network.viewpoints import VIEWPOINTS
from melodygru.records import dataclass

EXPERTS = 2 * len(VIEWPOINTS)
"""The long-term memory's viewpoints, then the short-term memory's."""
_LONG = (3, 6)
"""Orders of contexts from which they are middling, and long."""
CONTEXTS = len(_LONG) + 1
MOST_EVENTS = 60_000
"""Of all pieces together: counting more takes over a second at each start, and a network that has so much knows better.
"""
_LARGEST_WEIGHT = 100.0


@dataclass(frozen=True)
class NgramModel:
    """What was counted, and what it weighs. N events of P pieces.

    Attributes:
        durations, pitches: (N,) uint8 classes of the events of all pieces, one after the other.
        pieces: (P, 7) int32 events, numerator, denominator, tonic, place of the mode in `MODES`, bars, and whether
            there is a pickup.
        weights: (EXPERTS, CONTEXTS) float32.
        network: (1,) float32, the network's weight.
    """

    durations: npt.NDArray[np.uint8]
    pitches: npt.NDArray[np.uint8]
    pieces: npt.NDArray[np.int32]
    weights: Float32Array
    network: Float32Array

    @classmethod
    def of(cls, pieces: Sequence[Events], weights: FloatArray, network: float) -> NgramModel:
        """The model that has counted these pieces."""
        rows = [
            (
                len(piece.durations),
                piece.meta.time_signature.numerator,
                piece.meta.time_signature.denominator,
                piece.meta.key.tonic,
                MODES.index(piece.meta.key.mode),
                piece.meta.bars,
                piece.meta.has_pickup,
            )
            for piece in pieces
        ]
        return cls(
            np.concatenate([piece.durations for piece in pieces] or [np.zeros(0, np.int64)]).astype(np.uint8),
            np.concatenate([piece.pitches for piece in pieces] or [np.zeros(0, np.int64)]).astype(np.uint8),
            np.array(rows, np.int32).reshape(-1, 7),
            weights.astype(np.float32),
            np.array([network], np.float32),
        )

    def events(self) -> list[Events]:
        """The pieces that were counted."""
        edges = np.concatenate([[0], np.cumsum(self.pieces[:, 0])]).tolist()
        found = []
        for (begin, end), row in zip(pairwise(edges), self.pieces.tolist(), strict=True):
            key = Key(row[3], MODES[row[4]])
            meta = PieceMeta(TimeSignature(row[1], row[2]), key, row[5], bool(row[6]))
            found.append(
                Events(self.durations[begin:end].astype(np.int64), self.pitches[begin:end].astype(np.int64), meta)
            )
        return found

    @cached_property
    def long_term(self) -> LongTerm:
        """The counts; made at their first use."""
        return LongTerm.of(self.events())

    def expected(self, heard: Heard, durations: IntArray) -> FloatArray:
        """(B, 128) what all experts together say of the pitches due, given durations (B,): a weighted sum of logs."""
        logs, orders = experts(self.long_term, heard, durations)
        weights = self.weights[np.arange(EXPERTS)[:, None], length_classes(orders)].astype(np.float64)
        return (weights[..., None] * logs).sum(axis=0)

    def mixed(self, logits: Float32Array, expected: FloatArray) -> Float32Array:
        """(B, PITCH_CLASSES) logits of network and n-grams together, from the network's and what `expected` says."""
        own = logits[:, :REST].astype(np.float64)
        both = float(self.network[0]) * own + expected
        together = logits.copy()
        together[:, :REST] = both - _log_sum(both) + _log_sum(own)
        return together

    def arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        """All of it, by name."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[np.generic]]) -> NgramModel:
        """The inverse of `arrays`. Raises CheckpointError, which ends "train it again.", for arrays that are none."""
        try:
            model = cls(**{name: np.array(array) for name, array in arrays.items()})
            model.check()
        except (MelodyGRUError, TypeError, ValueError, IndexError, AttributeError) as error:
            raise CheckpointError(
                f"is damaged: its n-grams are not what they should be ({error}); train it again."
            ) from error
        return model

    def check(self) -> None:
        """Raise ValueError for arrays that are no such model."""
        kinds = (np.uint8, np.uint8, np.int32, np.float32, np.float32)
        shapes = ((len(self.pitches),), (len(self.durations),), (len(self.pieces), 7), (EXPERTS, CONTEXTS), (1,))
        for one, kind, shape in zip(fields(self), kinds, shapes, strict=True):
            array = getattr(self, one.name)
            if array.dtype != kind or array.shape != shape:
                raise ValueError(f"{one.name} is {array.dtype} {list(array.shape)}")
        sizes, bars = self.pieces[:, 0].astype(np.int64), self.pieces[:, 5]
        if len(self.pitches) > MOST_EVENTS or sizes.sum() != len(self.pitches) or (sizes < 1).any():
            raise ValueError("the pieces' lengths do not fit")
        if self.pitches.max(initial=0) > TIE or bars.min(initial=1) < 0 or bars.max(initial=1) > 1 << 24:
            raise ValueError("pitches or bars are out of range")
        if not (np.abs(self.weights).max() <= _LARGEST_WEIGHT and abs(self.network[0]) <= _LARGEST_WEIGHT):
            raise ValueError("weights are out of range")
        self.events()


def experts(long_term: LongTerm, heard: Heard, durations: IntArray) -> tuple[FloatArray, IntArray]:
    """(EXPERTS, B, 128) log-probabilities of the pitches due, and (EXPERTS, B) orders of the contexts they rest on."""
    due = heard.due(durations)
    of_all, orders = long_term.log_probabilities(heard.contexts(due), due.base())
    of_this, own_orders = heard.log_probabilities(due)
    return np.concatenate([of_all, of_this]), np.concatenate([orders, own_orders])


def length_classes(orders: IntArray) -> IntArray:
    """Whether contexts of these orders are short, middling or long: [0, CONTEXTS)."""
    return np.digitize(orders, _LONG)


def _log_sum(values: FloatArray) -> FloatArray:
    """(B, 1) the logarithm of the sum of exponentials of each row."""
    best = values.max(axis=1, keepdims=True)
    return best + np.log(np.exp(values - best).sum(axis=1, keepdims=True))
