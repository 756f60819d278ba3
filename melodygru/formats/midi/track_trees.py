"""Trees that compare two parts: which of them is the melody. Made by `scripts/train_track_choice.py`."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from melodygru.formats.midi.part_features import Array
from melodygru.trees import leaves

FILE = Path(__file__).with_suffix(".npz")


@cache
def _arrays() -> dict[str, Array]:
    with np.load(FILE, allow_pickle=False) as stored:
        return dict(stored)


def log_odds(pairs: Array) -> Array:
    """(M,) that the first of two parts is rather the melody than the second, in nats; above 0: more than not.

    `pairs`: (M, 2K) of each pair the features of the first, then of the second: their own notes' and those beside the
    other parts, `OWN` and `BESIDE` of `melodygru.formats.midi.part_features`.
    """
    arrays = dict(_arrays())
    value = arrays.pop("value")
    return np.asarray(value[leaves(pairs, **arrays)].sum(1))
