"""What a training run writes beside its model: metrics.csv, and event files for TensorBoard."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

from melodygru.files import write_atomically
from melodygru.progress import METRICS


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
