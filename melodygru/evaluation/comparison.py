"""`compare`: cells trained under the same conditions, each with seeds and shares of the data; and what came of it."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from melodygru.data.cache import load_dataset
from melodygru.data.dataset import Dataset
from melodygru.errors import DataError, UsageError, as_dict
from melodygru.network.arrays import Array
from melodygru.network.cells import CELLS
from melodygru.network.checkpoint import Checkpoint
from melodygru.network.compiled import new_engine
from melodygru.network.config import SUFFIX, ContextConfig, ModelConfig, TokenizerConfig, preset_of
from melodygru.network.engine import weight_shapes
from melodygru.network.tokenizer import PieceMeta
from melodygru.records import dataclass
from melodygru.training.batches import Windows, make_batch, split, windows
from melodygru.training.config import TrainConfig
from melodygru.training.progress import Listener, Silent
from melodygru.training.torch_network import MelodyGRU
from melodygru.training.trainer import Trainer

MATCHES = ("parameters", "hidden")
REACH = 100
"""Steps back over which gradients are followed."""
NO_CONTEXT = ContextConfig(False, False, False, False, False, (), False)
_REACH_PIECES = 48
_TIMED_EVENTS = 400


@dataclass(frozen=True)
class Plan:
    """One run of a comparison.

    Attributes:
        data, val_data: folders; without the second, a share of the first is held out.
        model: the network's shape, its cell included.
        train: how it is trained, its seed included.
        share: of the training pieces, in (0, 1]; smaller shares are parts of larger ones.
        device: "cpu" or "cuda".
    """

    data: str
    val_data: str | None
    model: ModelConfig
    train: TrainConfig
    share: float
    device: str = "cpu"

    @property
    def name(self) -> str:
        """What tells it from the other runs of a comparison."""
        settings = [self.data, self.val_data, as_dict(self.model), asdict(self.train), self.share, self.device]
        return json.dumps(settings, sort_keys=True)


@dataclass(frozen=True)
class Outcome:
    """What came of one run.

    Attributes:
        cell, hidden, seed, share, pieces: which run it was; pieces that it was trained on.
        parameters, recurrent_parameters: numbers that were learned, in all and in the recurrent layers.
        seconds_an_epoch: of training, without validation and reading; the median.
        peak_bytes: memory at its highest, above what the process held before; of the device on CUDA. None: not known.
        event_seconds: of the step in NumPy, one melody at a time; the median.
        train_nats, val_nats: nats per note with the averaged weights, without dropout, at the epoch that was kept.
        last_val_nats: the same after the last epoch.
        epoch, epochs: the one that was kept, and how many there were.
        reach: (REACH + 1,) norm of the gradient of the loss at one event by the recurrent layers' input k events
            earlier, over that for k = 0; the geometric mean over validation pieces. `reach_untrained`: before training.
    """

    cell: str
    hidden: int
    seed: int
    share: float
    pieces: int
    parameters: int
    recurrent_parameters: int
    seconds_an_epoch: float
    peak_bytes: int | None
    event_seconds: float
    train_nats: float
    val_nats: float
    last_val_nats: float
    epoch: int
    epochs: int
    reach: tuple[float, ...]
    reach_untrained: tuple[float, ...]

    @property
    def gap(self) -> float:
        """Validation less training, nats per note: what was learned by heart only."""
        return self.val_nats - self.train_nats


def count_parameters(model: ModelConfig) -> tuple[int, int]:
    """Numbers to learn, in all and in the recurrent layers."""
    sizes = {name: math.prod(shape) for name, shape in weight_shapes(model).items()}
    return sum(sizes.values()), sum(size for name, size in sizes.items() if name.startswith("recurrent."))


def matched(model: ModelConfig, cell: str, match: str) -> ModelConfig:
    """The same network with another cell: of as many parameters in all, as nearly as can be, or of as many units."""
    other = replace(model, cell=cell)
    if match == "hidden":
        return other
    wanted = count_parameters(model)[0]
    sizes = range(1, 4097)
    # The number of parameters grows with the units: the first size that reaches what is wanted, or the one before.
    low, high = 0, len(sizes) - 1
    while low < high:
        middle = (low + high) // 2
        if count_parameters(replace(other, hidden=sizes[middle]))[0] < wanted:
            low = middle + 1
        else:
            high = middle
    near = [replace(other, hidden=size) for size in (sizes[max(low - 1, 0)], sizes[low])]
    return min(near, key=lambda config: abs(count_parameters(config)[0] - wanted))


def plan_comparison(
    data: str,
    val_data: str | None = None,
    *,
    cells: Sequence[str] = ("gru", "lstm", "rnn"),
    seeds: int = 3,
    shares: Sequence[float] = (1.0,),
    match: str = "parameters",
    preset: str = "tiny",
    hidden: int | None = None,
    dropout: float | None = None,
    context: bool = True,
    epochs: int = 20,
    device: str = "cpu",
) -> list[Plan]:
    """All runs of a comparison, seed by seed. Raises UsageError for what is not known or out of range."""
    base = preset_of(preset)
    if match not in MATCHES:
        raise UsageError(f"match is {match!r}; choose parameters or hidden.")
    if not 1 <= seeds <= 1000:
        raise UsageError(f"seeds is {seeds}; choose a number from 1 to 1000.")
    for cell in cells:
        if cell not in CELLS:
            raise UsageError(f"The cell {cell!r} is not known; choose among {', '.join(CELLS)}.")
    if len(set(cells)) < len(cells) or not cells:
        raise UsageError(f"The cells {','.join(cells)!r} are to be different, and at least one.")
    for share in shares:
        if not 0 < share <= 1:
            raise UsageError(f"A share of the data is {share:g}; choose numbers above 0, up to 1.")
    base = base.changed(hidden=hidden, dropout=dropout, context=None if context else NO_CONTEXT)
    models = [matched(base, cell, match) for cell in cells]
    return [
        Plan(data, val_data, model, TrainConfig(epochs=epochs, patience=epochs, seed=seed), share, device)
        for share in shares
        for seed in range(seeds)
        for model in models
    ]


def run(plan: Plan, folder: Path, listener: Listener | None = None) -> Outcome:
    """Train one cell, and measure it; the run's files go to the folder."""
    torch.set_num_threads(1)
    device = torch.device(plan.device)
    tokenizer = TokenizerConfig(plan.model.max_duration)
    dataset = load_dataset(plan.data, tokenizer, plan.model.context)
    held = dataset if plan.val_data is None else load_dataset(plan.val_data, tokenizer, plan.model.context)
    chosen, held_pieces = np.arange(dataset.pieces), np.arange(held.pieces)
    if plan.val_data is None:
        chosen, held_pieces = split(dataset.families, plan.train.val_split, plan.train.seed)
    chosen = _part(chosen, plan.share, plan.train.seed)
    if not len(chosen) or not len(held_pieces):
        raise DataError("Nothing is left to train on, or to validate with; give more files, or a larger share.")
    before = _memory(device)
    trainer = Trainer(plan.model, plan.train, folder, device, "fp32", listener or Silent(), keep_index=False)
    untrained = gradient_reach(trainer.learner.model, held, held_pieces, device)
    clock = _Clock(trainer)
    result = trainer.run(dataset, chosen, held, held_pieces, resume=False, tensorboard=False)
    # Before anything else is done that takes memory.
    after = _memory(device)
    checkpoint = Checkpoint.load(result.checkpoint.with_suffix(SUFFIX))
    rows = trainer.state.rows
    trainer.learner.begin_with(checkpoint)
    parameters, recurrent = count_parameters(plan.model)
    return Outcome(
        plan.model.cell,
        plan.model.hidden,
        plan.train.seed,
        plan.share,
        len(chosen),
        parameters,
        recurrent,
        float(np.median(clock.seconds(len(rows)))),
        None if before is None or after is None else after - before,
        time_event(checkpoint),
        sum(trainer.validate(dataset, chosen[: max(len(held_pieces), 1)])),
        result.val_nats,
        rows[-1]["val_nats"],
        int(min(rows, key=lambda row: row["val_nats"])["epoch"]),
        len(rows),
        gradient_reach(trainer.learner.model, held, held_pieces, device),
        untrained,
    )


def _part(pieces: Array, share: float, seed: int) -> Array:
    """A share of the pieces; a smaller one of the same seed is a part of a larger."""
    order = np.random.default_rng([seed, 4]).permutation(pieces)
    return order[: max(1, round(share * len(pieces)))]


class _Clock:
    """How long the optimizer's steps of each epoch take."""

    def __init__(self, trainer: Trainer):
        self._step = trainer.step
        self._seconds: list[float] = []
        trainer.step = self._timed  # type: ignore[method-assign, assignment]

    def _timed(self, *arguments: Any) -> None:
        begin = time.perf_counter()
        self._step(*arguments)
        self._seconds.append(time.perf_counter() - begin)

    def seconds(self, epochs: int) -> Array:
        """(epochs,) seconds of all steps of each."""
        return np.array(self._seconds).reshape(epochs, -1).sum(axis=1)


def _memory(device: torch.device) -> int | None:
    """The most that this process, or the device, has held so far, in bytes; None where the system does not tell."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    try:
        import resource
    except ImportError:  # Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def time_event(checkpoint: Checkpoint) -> float:
    """Seconds that the network takes for one event of one melody, in NumPy: the median."""
    engine = new_engine(checkpoint.model_config, checkpoint.weights)
    state = engine.start([PieceMeta(bars=_TIMED_EVENTS)])
    taken = []
    for number in range(_TIMED_EVENTS):
        begin = time.perf_counter()
        durations = np.maximum(engine.duration_logits(state)[:, 1:97].argmax(axis=1) + 1, 6)
        pitches = engine.pitch_logits(state, durations)[:, 48 : 96 - number % 7].argmax(axis=1) + 48
        engine.advance(state, durations, pitches)
        taken.append(time.perf_counter() - begin)
    return float(np.median(taken[_TIMED_EVENTS // 4 :]))


def gradient_reach(model: MelodyGRU, dataset: Dataset, pieces: Array, device: torch.device) -> tuple[float, ...]:
    """How far back the loss at one event is felt: see `Outcome.reach`. All 0 where no piece is long enough."""
    lengths = dataset.offsets[1:] - dataset.offsets[:-1]
    long = [piece for piece in pieces if lengths[piece] >= REACH + 2][:_REACH_PIECES]
    if not long:
        return (0.0,) * (REACH + 1)
    whole = windows(dataset, np.array(long))
    begun = Windows(whole.start, whole.start + REACH + 1, whole.piece)
    batch = make_batch(dataset, begun, np.arange(len(begun)), device)
    caught: list[torch.Tensor] = []
    hook = model.input.register_forward_hook(lambda module, inputs, output: caught.append(output))
    was = model.training
    model.eval()
    try:
        durations, pitches = model.nll(batch)
        # (What follows is padding.)
        last = durations[:, REACH] + pitches[:, REACH]
        gradient = torch.autograd.grad(last.sum(), caught[0])[0][:, : REACH + 1]
    finally:
        hook.remove()
        model.train(was)
    norms = gradient.norm(dim=-1).double().clamp_min(1e-300)  # (B, REACH + 1), the last event's own at the end
    ratios = (norms / norms[:, -1:]).log().mean(dim=0).exp().flip(0)
    return tuple(ratios.tolist())
