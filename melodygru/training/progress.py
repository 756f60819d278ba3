"""What a training run tells: a listener as it goes, metrics.csv and TensorBoard at every epoch, the caller at the end.

What the checkpoint says of how it came to be (its provenance) is put together here too.
"""

from __future__ import annotations

import csv
import datetime
import math
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from io import StringIO
from pathlib import Path
from typing import Any, Protocol

import torch

from melodygru.data.dataset import Dataset
from melodygru.records import dataclass
from melodygru.system.files import write_atomically
from melodygru.training.config import TrainConfig
from melodygru.version import __version__

METRICS = (
    *("epoch", "step", "train_nats", "val_nats", "val_duration_nats", "val_pitch_nats"),
    *("learning_rate", "events_per_second", "seconds"),
)
"""Columns of metrics.csv. Nats are per note."""


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
    epochs: int
    lr: float
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrainResult:
    """What came out of a run. Nats are per note, with the averaged weights; NaN without validation.

    Attributes:
        checkpoint: the model's file.
        epochs: finished ones.
        stopped: "finished", "patience", "time" or "interrupted".
        ngrams_gain: nats per note by which validation is better with n-grams than without; None where there are none.
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
    ngrams_gain: float | None = None


class Listener(Protocol):
    """Told how a run goes. The methods do nothing unless they are overridden."""

    def reading(self, done: int, total: int) -> None:
        """`done` of `total` files have been read."""
        return

    def busy(self, what: str, done: int = 0, total: int = 0) -> None:
        """Something else than reading and steps is done, `done` of `total` of it, where `total` is not 0."""
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


class Silent(Listener):
    """For runs that nobody watches."""


def write_metrics(folder: Path, rows: Sequence[Mapping[str, float]], writer: Any = None) -> None:
    """Write all epochs' rows to metrics.csv, and the last to `writer`, a TensorBoard writer."""
    text = StringIO()
    table = csv.DictWriter(text, METRICS, lineterminator="\n")
    table.writeheader()
    table.writerows({name: f"{value:.6g}" for name, value in row.items()} for row in rows)
    write_atomically(folder / "metrics.csv", text.getvalue().encode(), force=True)
    if writer is not None:
        for name in METRICS[2:]:
            writer.add_scalar(name, rows[-1][name], rows[-1]["step"])


def summary_writer(folder: Path) -> Any:
    """A TensorBoard writer for this folder."""
    from torch.utils.tensorboard import SummaryWriter

    make: Callable[..., Any] = SummaryWriter
    return make(str(folder))


def provenance(run: Run, config: TrainConfig, row: Mapping[str, float] | None, seconds: float) -> dict[str, Any]:
    """JSON values: the data, the result of the epoch `row` (None before the first), the settings and the versions.

    `seconds` were spent.
    """
    return {
        "data_fingerprint": run.dataset.fingerprint,
        "pieces": run.train_pieces,
        "notes": run.train_notes,
        "validation_pieces": run.val_pieces,
        "validation_notes": run.val_notes,
        "validation_nats_per_note": _number(row["val_nats"] if row else None),
        "training_nats_per_note": _number(row["train_nats"] if row else None),
        "epochs": int(row["epoch"]) if row else 0,
        "minutes": round(seconds / 60, 1),
        "settings": asdict(config),
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "melodygru": __version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def _number(value: float | None) -> float | None:
    """For JSON, which has no NaN."""
    return None if value is None or not math.isfinite(value) else round(value, 5)
