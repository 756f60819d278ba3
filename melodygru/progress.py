"""What a training run tells while it goes, and when it is over."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from melodygru.dataset import Dataset

METRICS = (
    *("epoch", "step", "train_nats", "val_nats", "val_duration_nats", "val_pitch_nats"),
    *("learning_rate", "events_per_second", "seconds"),
)
"""Columns of metrics.csv. Nats are per note."""


class Listener(Protocol):
    """Told how a run goes. The methods do nothing unless they are overridden."""

    def reading(self, done: int, total: int) -> None:
        """`done` of `total` files have been read."""
        return

    def started(self, run: Run) -> None:
        """The data is there and the first step is due."""
        return

    def stepped(self, epoch: int, share: float, nats: float, events_per_second: float, seconds_left: float) -> None:
        """A step of epoch `epoch` (from 1) is done, `share` of the whole run; `nats` per note lately."""
        return

    def finished_epoch(self, row: dict[str, float]) -> None:
        """An epoch is done; `row` has the entries of `METRICS`."""
        return


@dataclass(frozen=True)
class TrainResult:
    """What came out of a run. Nats are per note, with the averaged weights; NaN without validation.

    Attributes:
        checkpoint: the model's file.
        epochs: finished ones.
        stopped: "finished", "patience", "time" or "interrupted".
    """

    checkpoint: Path
    parameters: int
    epochs: int
    train_nats: float
    val_nats: float
    val_duration_nats: float
    val_pitch_nats: float
    seconds: float
    stopped: str


@dataclass(frozen=True)
class Run:
    """A run before its first step: what the listener may want to show."""

    dataset: Dataset
    train_pieces: int
    train_notes: int
    val_pieces: int
    val_notes: int
    parameters: int
    device: str
    precision: str
    steps_per_epoch: int
    resumed_at: int


class Silent(Listener):
    """For runs that nobody watches."""
