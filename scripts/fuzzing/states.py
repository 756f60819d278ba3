"""What a training run goes on from: tiny ones made anew, and what must hold of those that are loaded."""

from __future__ import annotations

import json
import tempfile
from dataclasses import asdict
from functools import cache
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from fuzzing.checkpoints import joined, parts
from fuzzing.verdicts import Broken, attempt, outcome
from melodygru.errors import CheckpointError, MelodyGRUError
from melodygru.network.config import ContextConfig, ModelConfig

if TYPE_CHECKING:  # torch takes seconds that other kinds need not wait for
    from melodygru.training.state import Learned

_CONFIG = ModelConfig(
    hidden=2, layers=1, embedding=1, candidate_embedding=1, duration_hidden=2, pitch_hidden=2, max_duration=24,
    context=ContextConfig(False, False, False, False, False, (), False),
)  # fmt: skip
_IDENTITY = {"data": ["a", 1, "b", 2], "model": {"hidden": 2}, "train": {"seed": 0}}


def seed(random: Random) -> bytes:
    """The state of a run that has made one step, or none."""
    return _seed(random.random() < 0.7)


@cache
def _seed(stepped: bool) -> bytes:
    from melodygru.training.state import TrainingState

    learned = _learned()
    if stepped:
        for parameter in learned.model.parameters():
            parameter.grad = parameter.detach() * 0.01
        for optimizer in learned.optimizers:
            optimizer.step()
    row = {"epoch": 1.0, "val_nats": 2.5}
    state = TrainingState(step=int(stepped), seconds=1.5, rows=[row], best=[row])
    with tempfile.TemporaryDirectory() as folder:
        state.save(Path(folder), _IDENTITY, learned)
        header, body = parts((Path(folder) / state.FILE).read_bytes())
    return joined(json.dumps(header, sort_keys=True).encode(), body)


def _learned() -> Learned:
    import torch

    from melodygru.training.config import TrainConfig
    from melodygru.training.optimization import optimizers
    from melodygru.training.state import Learned
    from melodygru.training.torch_network import MelodyGRU

    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = MelodyGRU(_CONFIG)
    average = [parameter.detach().clone() for parameter in model.parameters()]
    return Learned(model, optimizers(model, TrainConfig(), torch.float32), average)


def examine(data: bytes, folder: Path, suffix: str, seconds: float, thorough: bool) -> str:
    """Load it; what is loaded is finite, and comes back from a file."""
    import torch

    from melodygru.training.state import TrainingState

    (folder / TrainingState.FILE).write_bytes(data)
    learned, state = _learned(), TrainingState()
    found = attempt(lambda: state.load(folder, _IDENTITY, learned), seconds, (CheckpointError,))
    if isinstance(found, MelodyGRUError):
        return outcome(str(found))
    held = [*learned.model.parameters(), *learned.average]
    held += [
        value for optimizer in learned.optimizers for entries in optimizer.state.values() for value in entries.values()
    ]
    if not all(torch.isfinite(tensor).all() for tensor in held):
        raise Broken("weights", "weights that are not finite")
    state.save(folder, _IDENTITY, learned)
    again = TrainingState()
    again.load(folder, _IDENTITY, learned)
    if repr({**asdict(again), "seconds_before": 0}) != repr({**asdict(state), "seconds_before": 0}):
        raise Broken("twice", "saved and loaded, it is another")
    return f"{state.step > 0} {len(state.rows)}"
