"""How well a network foretells pieces that it does not learn from."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import islice

import torch

from melodygru.data.dataset import Dataset
from melodygru.network.arrays import Array
from melodygru.network.tokenizer import REST
from melodygru.training.batches import Loader, whole_batches
from melodygru.training.distributed import Group
from melodygru.training.torch_network import MelodyGRU


def held_out_nats(
    model: MelodyGRU,
    loader: Loader,
    group: Group,
    dataset: Dataset,
    pieces: Array,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[float, float]:
    """Nats per note of durations and of pitches, over all processes; NaN without pieces.

    `progress` is called with pieces heard, and all, before each batch; what it raises ends the work.

    The model has the weights that are judged; it is left in evaluation mode, unless there are no pieces.
    """
    if not len(pieces):
        return math.nan, math.nan
    model.eval()
    totals, notes, heard = [0.0, 0.0], 0, 0
    with torch.no_grad():
        for chosen, rows in islice(whole_batches(dataset, pieces), group.rank, None, group.world):
            if progress is not None:
                progress(heard, len(pieces))
            heard = min(heard + group.world * len(rows), len(pieces))
            batch = loader.batch(dataset, chosen, rows)
            notes += int(((batch["pitches"] < REST) & batch["mask"]).sum())
            for i, nll in enumerate(model.nll(batch)):
                totals[i] += float(nll.float().sum())
    durations, pitches, count = group.sum(*totals, notes)
    return durations / count, pitches / count
