"""Small untrained networks, and batches for them."""

from dataclasses import replace

import numpy as np
import torch

from melodygru.network.cells import CELLS
from melodygru.network.checkpoint import Checkpoint
from melodygru.network.config import PRESETS, ContextConfig, ModelConfig
from melodygru.network.context import context_arrays
from melodygru.training.torch_network import MelodyGRU

SMALL = ModelConfig(
    hidden=12,
    embedding=5,
    candidate_embedding=4,
    duration_hidden=9,
    pitch_hidden=10,
    context=ContextConfig(lookback=(1, 2)),
)


def network(config=SMALL, seed=0, scale=2.0):
    """A network with random weights, larger than at the start of training, so that they matter."""
    torch.manual_seed(seed)
    model = MelodyGRU(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * scale / max(parameter.shape[-1], 1) ** 0.5)
    return model


def checkpoint(config=SMALL, seed=0):
    """An untrained checkpoint."""
    weights = {name: tensor.numpy() for name, tensor in network(config, seed).state_dict().items()}
    return Checkpoint(config, weights, provenance={"pieces": 3, "seed": seed})


def batch_of(pieces, config=SMALL):
    """Pieces as one padded batch."""
    arrays = context_arrays(pieces, config.context, config.max_duration)
    longest = max(len(piece.durations) for piece in pieces)

    def pad(rows):
        padded = np.zeros((len(rows), longest, *rows[0].shape[1:]), np.int64)
        for row, values in zip(padded, rows, strict=True):
            row[: len(values)] = values
        return torch.from_numpy(padded)

    batch = {name: pad([piece[name] for piece in arrays]) for name in arrays[0]}
    batch["durations"] = pad([piece.durations for piece in pieces])
    batch["pitches"] = pad([piece.pitches for piece in pieces])
    batch["mask"] = pad([np.ones(len(piece.durations), np.int64) for piece in pieces]).bool()
    return batch


def presets():
    """Every preset with every cell."""
    return [(f"{name}-{cell}", replace(config, cell=cell)) for name, config in PRESETS.items() for cell in CELLS]
