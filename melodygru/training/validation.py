"""How well a network foretells pieces that it does not learn from."""

from __future__ import annotations

import math
from itertools import islice

import torch

from melodygru.data.dataset import Dataset
from melodygru.network.arrays import Array
from melodygru.network.tokenizer import REST
from melodygru.training.batches import Loader, whole_batches
from melodygru.training.distributed import Group
from melodygru.training.torch_network import MelodyGRU


def held_out_nats(
    model: MelodyGRU, loader: Loader, group: Group, dataset: Dataset, pieces: Array
) -> tuple[float, float]:
    """Nats per note of durations and of pitches, over all processes; NaN without pieces.

    The model has the weights that are judged; it is left in evaluation mode, unless there are no pieces.
    """
    if not len(pieces):
        return math.nan, math.nan
    model.eval()
    totals, notes = [0.0, 0.0], 0
    with torch.no_grad():
        for chosen, rows in islice(whole_batches(dataset, pieces), group.rank, None, group.world):
            batch = loader.batch(dataset, chosen, rows)
            notes += int(((batch["pitches"] < REST) & batch["mask"]).sum())
            for i, nll in enumerate(model.nll(batch)):
                totals[i] += float(nll.float().sum())
    durations, pitches, count = group.sum(*totals, notes)
    return durations / count, pitches / count
