"""What a checkpoint tells of the run that it comes from."""

from __future__ import annotations

import datetime
import math
import platform
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import torch

from melodygru import __version__
from melodygru.config import TrainConfig
from melodygru.progress import Run


def provenance(
    run: Run, config: TrainConfig, row: Mapping[str, float] | None, shared_runs: Any, seconds: float
) -> dict[str, Any]:
    """JSON values: the data, the result of the epoch `row` (None before the first), the settings and the versions.

    `shared_runs` tells how much held-out pieces have in common with what was learned from; `seconds` were spent.
    """
    return {
        "data_fingerprint": run.dataset.fingerprint,
        "pieces": run.train_pieces,
        "notes": run.train_notes,
        "validation_pieces": run.val_pieces,
        "validation_notes": run.val_notes,
        "validation_nats_per_note": _number(row["val_nats"] if row else None),
        "training_nats_per_note": _number(row["train_nats"] if row else None),
        "shared_runs": shared_runs,
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
