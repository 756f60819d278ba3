"""What learns: a network, its optimizers, and the moving average of its weights, a step at a time.

Muon and AdamW, gradient clipping, random transposition; what is validated and kept is the average (Polyak & Juditsky
1992). Everything random in step n follows from (seed, n).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any, NamedTuple

import torch

from melodygru.data.dataset import Dataset
from melodygru.errors import MelodyGRUError
from melodygru.network.arrays import Array, Float32Array
from melodygru.network.checkpoint import Checkpoint
from melodygru.network.config import ModelConfig
from melodygru.network.tokenizer import REST
from melodygru.network.widening import widened
from melodygru.training.batches import Loader, Pending, Windows
from melodygru.training.conditioning import Conditioning
from melodygru.training.config import TrainConfig
from melodygru.training.distributed import Group
from melodygru.training.optimization import follow, learning_rate, optimizers, weights_of
from melodygru.training.state import Learned
from melodygru.training.torch_network import MelodyGRU
from melodygru.training.validation import held_out_nats

_RANK_SEED = 1_000_000_000_039
"""What the seed of each process's dropout is further by than that of the one before: a prime beyond any step."""


class Counted(NamedTuple):
    """What a step came to: its loss in nats, summed; notes and events; the gradient's norm; step and learning rate."""

    loss: float
    notes: int
    norm: float
    step: int
    events: int
    rate: float


class Learner:
    """A network that learns, as one of a group of processes."""

    def __init__(
        self,
        model_config: ModelConfig,
        config: TrainConfig,
        device: torch.device,
        precision: str,
        group: Group,
        conditioning: Conditioning | None,
    ):
        self.config = config
        self.device = device
        self.precision = precision
        self.group = group
        torch.manual_seed(config.seed)
        self.model = MelodyGRU(model_config).to(device)
        low = torch.bfloat16 if precision == "bf16" else torch.float32
        self.optimizers = optimizers(self.model, config, low)
        self.average = [parameter.detach().clone() for parameter in self.model.parameters()]
        self._pending = Pending(device)
        self._loader = Loader(device, conditioning=conditioning)

    @property
    def learned(self) -> Learned:
        """All that is to be kept of a run that goes on."""
        return Learned(self.model, self.optimizers, self.average)

    def begin_with(self, start: Checkpoint) -> None:
        """Put a checkpoint's weights in place of the random ones, in the average too.

        Raises UsageError for one of another shape, or that is told more.
        """
        fresh = {name: tensor.cpu().numpy() for name, tensor in self.model.state_dict().items()}
        weights = widened(start.weights, start.model_config, self.model.config, fresh)
        self.model.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in weights.items()})
        self.average = [parameter.detach().clone() for parameter in self.model.parameters()]

    def averaged_weights(self) -> dict[str, Float32Array]:
        """The weights that are kept."""
        with weights_of(self.average, self.model):
            weights = {name: tensor.float().cpu().numpy() for name, tensor in self.model.state_dict().items()}
            return {name: array.copy() for name, array in weights.items()}

    def nats(
        self, dataset: Dataset, pieces: Array, progress: Callable[[int, int], None] | None = None
    ) -> tuple[float, float]:
        """Nats per note of durations and of pitches, with the averaged weights; NaN without pieces."""
        with self.group.together(), weights_of(self.average, self.model):
            return held_out_nats(self.model, self._loader, self.group, dataset, pieces, progress)

    def find_gradients(
        self, dataset: Dataset, pieces: Windows, rows: Array, semitones: Array, step: int, share: float
    ) -> None:
        """The gradients of step `step`, from the whole group's batch `rows`; `share` of the run, in [0, 1], is done."""
        config, group = self.config, self.group
        # All that is random in this step, dropout above all, follows from its number.
        torch.manual_seed((config.seed * 1_000_003 + step + group.rank * _RANK_SEED) % 2**63)
        rate = learning_rate(config, step, share)
        for optimizer in self.optimizers:
            for parameters in optimizer.param_groups:
                parameters["lr"] = rate
            optimizer.zero_grad(set_to_none=True)
        events = int((pieces.stop - pieces.start)[rows].sum())
        failure = None
        try:
            numbers = self._backward(dataset, pieces, group.part(rows), semitones, events, step)
        except (MemoryError, RuntimeError, MelodyGRUError) as error:
            # The others are about to wait for this process's gradients: it tells them, in place of those.
            failure, numbers = error, torch.tensor([0.0, 0.0, 1.0], device=self.device)
        group.sum_gradients(self.model, numbers)
        if group.world > 1 and numbers[2]:
            group.raise_first(failure)
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), config.grad_clip or math.inf)
        self._pending.add([numbers[0], numbers[1], norm], (step, events, rate))
        if failure is not None:
            raise failure
        # What is wrong with a loss may be seen later: a step that would spoil all weights is left out on the device.
        found_inf = (~torch.isfinite(numbers[0] + norm)).float()
        for optimizer in self.optimizers:
            optimizer.found_inf = found_inf  # type: ignore[attr-defined]

    def move(self, step: int) -> None:
        """Move the weights as the gradients say, and the average after them; `step` steps are done then."""
        for optimizer in self.optimizers:
            optimizer.step()
        follow(self.average, self.model, self.config.average, step)

    def counted(self, everything: bool = False) -> Iterator[Counted]:
        """The steps whose losses have come from the device; `everything`: wait for those of all."""
        for (loss, notes, norm), (step, events, rate) in self._pending.arrived(everything):
            yield Counted(loss, round(notes), norm, step, events, rate)

    def _backward(
        self, dataset: Dataset, pieces: Windows, rows: Array, semitones: Array, events: int, step: int
    ) -> torch.Tensor:
        """The gradient of the summed loss of `rows` over `events`.

        Returns the loss itself, the notes learned from, and a 0: all went well. Of no rows all are 0.
        """
        if not len(rows):
            return torch.zeros(3, device=self.device)
        self.model.train()
        batch = self._loader.batch(dataset, pieces, rows, step)
        shift = self._loader.sent(torch.from_numpy(semitones[rows]))
        with self._autocast():
            durations, pitches = self.model.nll(batch, shift)
        total = durations.sum() + pitches.sum()
        notes = ((batch["pitches"] < REST) & batch["mask"]).sum()
        (total / events).backward()
        return torch.stack([total.detach().float(), notes.float(), torch.zeros_like(notes).float()])

    def _autocast(self) -> Any:
        if self.precision == "fp32":
            return nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)
