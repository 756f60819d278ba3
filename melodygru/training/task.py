"""What a run has before it once its data is read, and what goes into its checkpoint beside the weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, field
from typing import Any

from melodygru.data.dataset import Dataset, originality_index
from melodygru.errors import as_dict
from melodygru.network.arrays import Array
from melodygru.network.config import ModelConfig
from melodygru.records import dataclass
from melodygru.training.batches import Windows
from melodygru.training.config import TrainConfig
from melodygru.training.progress import Run

_COMPARED = 200
"""Held-out pieces that are compared with what is learned from, at most."""
_MAY_CHANGE = ("epochs", "patience", "max_minutes")
"""Settings of training that a run may be gone on with other ones of."""


@dataclass(frozen=True)
class Origin:
    """Where a model comes from, beside its data.

    Attributes:
        provenance: what the checkpoint is to say of it, JSON values.
        remarks: what the listener is told of it, in sentences.
    """

    provenance: Mapping[str, Any] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Index:
    """The index of a run's music, for the checkpoint.

    Attributes:
        packed: of what is learned from, then of what is held out; None where it is not to be kept.
        held_out: how many pieces of it are held out.
        shared_runs: how much pieces held out have in common with what is learned from, as JSON values.
    """

    packed: bytes | None
    held_out: int
    shared_runs: Mapping[str, Any]

    @classmethod
    def of(cls, dataset: Dataset, chosen: Array, held: Dataset, held_pieces: Array, keep: bool) -> Index:
        """The index of the pieces `chosen` of `dataset`, learned from, and `held_pieces` of `held`, held out."""
        compared = held_pieces[:: max(1, len(held_pieces) // _COMPARED)][:_COMPARED]
        everything = originality_index((dataset, chosen), (held, held_pieces if keep else held_pieces[:0]))
        shared = everything.first(len(chosen)).distribution([held.line(piece) for piece in compared])
        return cls(everything.to_bytes() if keep else None, len(held_pieces), shared)

    def as_told(self) -> dict[str, Any]:
        """What the checkpoint says of it."""
        return {"shared_runs": self.shared_runs} | ({"index_held_out": self.held_out} if self.packed else {})


@dataclass(frozen=True)
class Task:
    """What a run has before it.

    Attributes:
        facts: what listeners are told, and the data to learn from.
        windows: the stretches of it that are learned.
        held, held_pieces: what is validated on, and which of its pieces.
        identity: what the state of a run must be of to be gone on with, as JSON values.
        index: None in all processes but the first.
    """

    facts: Run
    windows: Windows
    held: Dataset
    held_pieces: Array
    identity: dict[str, Any]
    index: Index | None


def identity_of(
    dataset: Dataset, chosen: Array, held: Dataset, held_pieces: Array, model: ModelConfig, config: TrainConfig
) -> dict[str, Any]:
    """What tells a run from others that cannot go on from its state."""
    return {
        "data": [dataset.fingerprint, len(chosen), held.fingerprint, len(held_pieces)],
        "model": as_dict(model),
        "train": {name: value for name, value in asdict(config).items() if name not in _MAY_CHANGE},
    }
