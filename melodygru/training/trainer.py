"""The training loop: pieces to a checkpoint.

Muon and AdamW with warm-up and cosine decay, gradient clipping, random transposition; what is validated and
kept is a moving average of the weights (Polyak & Juditsky 1992). Everything random in step n follows from
(seed, n), so a run that was stopped goes on, on a CPU, to the very weights of one that was not.

Several processes may share each step (`melodygru.training.distributed`): each learns from its part of the same batch,
the gradients are summed, and what is decided (the end, an error) is decided by all in the same step.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from melodygru.data.dataset import Dataset
from melodygru.errors import DataError, FileError, MelodyGRUError, TrainingError, as_dict
from melodygru.network.arrays import Array
from melodygru.network.checkpoint import SUFFIX, Checkpoint
from melodygru.network.config import ModelConfig, TokenizerConfig
from melodygru.network.tokenizer import REST
from melodygru.network.widening import widened
from melodygru.system import Interruption
from melodygru.training.batches import Loader, Pending, Windows, epoch_batches, shifts, windows
from melodygru.training.conditioning import Conditioning
from melodygru.training.config import TrainConfig
from melodygru.training.distributed import Group
from melodygru.training.optimization import follow, learning_rate, optimizers, weights_of
from melodygru.training.progress import METRICS, Listener, Run, TrainResult, provenance, summary_writer, write_metrics
from melodygru.training.state import Learned, TrainingState
from melodygru.training.torch_network import MelodyGRU
from melodygru.training.validation import held_out_nats

_COMPARED = 200
"""Held-out pieces that are compared with what is learned from, at most."""
_RANK_SEED = 1_000_000_000_039
"""What the seed of each process's dropout is further by than that of the one before: a prime beyond any step."""


@dataclass(frozen=True)
class _Task:
    """What a run has before it, once its data is read.

    Attributes:
        facts: what listeners are told, and the data to learn from.
        windows: the stretches of it that are learned.
        held, held_pieces: what is validated on, and which of its pieces.
        identity: what the state of a run must be of to be gone on with, as JSON values.
        packed_index: what is learned from, for the checkpoint; None where it is not to be kept.
        shared_runs: how much pieces held out have in common with it, as JSON values. The first process alone knows this
            and the index.
    """

    facts: Run
    windows: Windows
    held: Dataset
    held_pieces: Array
    identity: dict[str, Any]
    packed_index: bytes | None
    shared_runs: Any


@contextmanager
def _memory_in_words(config: TrainConfig) -> Iterator[None]:
    """Raise TrainingError, with what to do, where memory runs out."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        # torch has no one class for it: CUDA, MPS and the CPU's allocator word it each in their own way.
        words = str(error).lower()
        if isinstance(error, RuntimeError) and not any(w in words for w in ("out of memory", "allocate memory")):
            raise
        raise TrainingError(
            f"Memory ran out with --batch-size {config.batch_size}; choose a smaller one, or a smaller preset."
        ) from error


class _Interrupted(BaseException):
    """The user has asked to stop in the midst of validation: no error of which other processes are told."""


class Trainer:
    """One run: a model, its optimizer, the averaged weights, and where they are written."""

    def __init__(
        self,
        model_config: ModelConfig,
        config: TrainConfig,
        target: Path,
        device: torch.device,
        precision: str,
        listener: Listener,
        keep_index: bool = True,
        group: Group | None = None,
        save_minutes: float = 10.0,
        conditioning: Conditioning | None = None,
    ):
        self.config = config
        self.target = target
        self.device = device
        self.precision = precision
        self.listener = listener
        torch.manual_seed(config.seed)
        self.model = MelodyGRU(model_config).to(device)
        low = torch.bfloat16 if precision == "bf16" else torch.float32
        self.optimizers = optimizers(self.model, config, low)
        self.average = [parameter.detach().clone() for parameter in self.model.parameters()]
        self.keep_index = keep_index
        self.group = group or Group()
        self.save_minutes = save_minutes
        self.state = TrainingState()
        self._began = self._saved = time.monotonic()
        """When the run began, had it been one sitting, and when its state was saved last."""
        self._interruption = Interruption()
        self._pending = Pending(device)
        self._loader = Loader(device, conditioning=conditioning)

    @property
    def model_file(self) -> Path:
        """The checkpoint that the run writes."""
        return self.target.with_name(self.target.name + SUFFIX)

    @property
    def _learned(self) -> Learned:
        return Learned(self.model, self.optimizers, self.average)

    def begin_with(self, start: Checkpoint) -> None:
        """Put a checkpoint's weights in place of the random ones, in the average too.

        Raises UsageError for one of another shape, or that is told more.
        """
        fresh = {name: tensor.cpu().numpy() for name, tensor in self.model.state_dict().items()}
        weights = widened(start.weights, start.model_config, self.model.config, fresh)
        self.model.load_state_dict({name: torch.from_numpy(array.copy()) for name, array in weights.items()})
        self.average = [parameter.detach().clone() for parameter in self.model.parameters()]

    def run(
        self, dataset: Dataset, chosen: Array, held: Dataset, held_pieces: Array, *, resume: bool, tensorboard: bool
    ) -> TrainResult:
        """Train on the pieces `chosen` of `dataset`, validate on `held_pieces` of `held`."""
        if not len(chosen):
            raise DataError("No piece is left to train on; lower --val-split, or give more files.")
        pieces = windows(dataset, chosen, self.config.window)
        identity = {
            "data": [dataset.fingerprint, len(chosen), held.fingerprint, len(held_pieces)],
            "model": as_dict(self.model.config),
            "train": {k: v for k, v in asdict(self.config).items() if k not in ("epochs", "patience", "max_minutes")},
        }
        group = self.group
        with group.together():
            if group.first:
                self._prepare(resume)
            if resume:
                self.state.load(self.target, identity, self._learned)
        facts = self._facts(dataset, chosen, held, held_pieces, len(pieces))
        packed_index, shared_runs, writer = None, None, None
        with group.together():
            if group.first:
                self.listener.busy("making the index of what is learned from")
                index = dataset.originality_index(chosen)
                packed_index = index.to_bytes() if self.keep_index else None
                compared = held_pieces[:: max(1, len(held_pieces) // _COMPARED)][:_COMPARED]
                shared_runs = index.distribution([held.line(piece) for piece in compared])
                writer = summary_writer(self.target) if tensorboard else None
            self.listener.started(facts)
        task = _Task(facts, pieces, held, held_pieces, identity, packed_index, shared_runs)
        try:
            with _memory_in_words(self.config), self._interruption.heeded():
                stopped = self._epochs(task, writer)
        finally:
            if writer is not None:
                writer.close()
        if group.launched and group.first:
            self.state.ended(self.target)
        return self._result(facts, stopped)

    def _facts(self, dataset: Dataset, chosen: Array, held: Dataset, held_pieces: Array, number_of_windows: int) -> Run:
        """What is told of the run before its first step."""
        # To count notes is to read everything: the first process does it for all.
        notes, held_notes = self.group.of_first(lambda: (dataset.notes(chosen), held.notes(held_pieces)))
        return Run(
            dataset,
            len(chosen),
            notes,
            len(held_pieces),
            held_notes,
            sum(p.numel() for p in self.model.parameters()),
            str(self.device),
            self.precision,
            -(-number_of_windows // self.config.batch_size),
            self.state.step,
        )

    def _result(self, facts: Run, stopped: str) -> TrainResult:
        """What came out, by the epoch that was kept."""
        kept = self.state.best if self.config.patience and self.state.best else self.state.rows[-1:]
        last = dict(kept[0]) if kept else dict.fromkeys(METRICS, math.nan)
        return TrainResult(
            self.model_file,
            facts.parameters,
            len(self.state.rows),
            train_nats=last["train_nats"],
            val_nats=last["val_nats"],
            val_duration_nats=last["val_duration_nats"],
            val_pitch_nats=last["val_pitch_nats"],
            seconds=self.state.seconds,
            stopped=stopped,
        )

    def _prepare(self, resume: bool) -> None:
        """Make the folder, and note in it that torchrun's run has begun."""
        try:
            self.target.mkdir(parents=True, exist_ok=True)
            if self.group.launched:
                self.state.begun(self.target, self.group.run_id, anew=not resume)
        except OSError as error:
            raise FileError(f"{self.target} cannot be made ({error.strerror}); choose another --out.") from error

    def _epochs(self, task: _Task, writer: Any) -> str:
        """All epochs that are left; why they ended, as `TrainResult.stopped` has it."""
        state, config, group = self.state, self.config, self.group
        dataset, pieces, per_epoch = task.facts.dataset, task.windows, task.facts.steps_per_epoch
        self._began = time.monotonic() - state.seconds
        self._saved = time.monotonic()
        state.share_before = share = self._share(per_epoch)
        while share < 1 or self._owes_validation(per_epoch):
            if config.patience and len(task.held_pieces) and state.epochs_since_best >= config.patience:
                return "patience"
            owed = self._owes_validation(per_epoch)
            epoch, before = (state.step - owed) // per_epoch, state.step
            batches = epoch_batches(pieces, config.batch_size, config.seed, epoch)
            semitones = shifts(dataset, pieces, config.transpose, config.seed, epoch)
            for rows in batches[per_epoch if owed else state.step % per_epoch :]:
                stop, share = self._agree(per_epoch)
                if stop or share >= 1:
                    break
                self.step(dataset, pieces, rows, semitones, share)
                self._tell(task, epoch)
            stop, share = self._agree(per_epoch)
            within = state.step % per_epoch > 0
            row = None
            if not (stop and (within or state.step == before)):
                with suppress(_Interrupted):
                    row = self._finish_epoch(epoch, task.held, task.held_pieces)
            if row is None:
                with group.together():
                    if not state.rows:
                        self._save_model(task, None)
                    self._save_state(task)
                return "interrupted"
            better = state.is_best(row)
            with group.together():
                if better or not config.patience:
                    self._save_model(task, row)
                if group.first:  # before the state: a run that is killed in between writes them again
                    write_metrics(self.target, state.rows, writer)
                self._save_state(task)
                self.listener.finished_epoch(row)
            if self._agree(per_epoch)[0]:
                return "interrupted"
            if within:
                return "time"
        return "finished" if state.step >= config.epochs * per_epoch else "time"

    def _owes_validation(self, per_epoch: int) -> bool:
        """Whether the run was stopped after an epoch's last step and before its row was written."""
        state = self.state
        return state.step % per_epoch == 0 and state.step > (state.rows[-1]["step"] if state.rows else 0)

    def _agree(self, per_epoch: int) -> tuple[bool, float]:
        """Whether a process was told to stop, and how much of the run is done by the clock of the first."""
        seconds = time.monotonic() - self._began if self.group.first else 0.0
        stop, self.state.seconds = self.group.sum(self._interruption.asked, seconds)
        return stop > 0, self._share(per_epoch)

    def _tell(self, task: _Task, epoch: int) -> None:
        """Tell how it goes; save the state when it is time to."""
        state, now = self.state, time.monotonic()
        # The others' clocks are not heeded: the next step begins with what the first one's says.
        state.seconds = now - self._began
        share = self._share(task.facts.steps_per_epoch)
        left = state.seconds_here * (1 - share) / max(share - state.share_before, 1e-9)
        self.listener.stepped(epoch + 1, share, state.recent_nats, state.events_per_second, left)
        # After an epoch's last step its validation comes first: who goes on from here would leave it out.
        if now - self._saved >= 60 * self.save_minutes and state.step % task.facts.steps_per_epoch:
            self._save_state(task)

    def _save_state(self, task: _Task) -> None:
        """Write the state: the first process does."""
        self._count(everything=True)
        if self.group.first:
            self.state.save(self.target, task.identity, self._learned)
        self._saved = time.monotonic()

    def _share(self, per_epoch: int) -> float:
        """How much of the run is done, in [0, 1]: by steps or by time, whichever runs out first."""
        by_steps = self.state.step / (self.config.epochs * per_epoch)
        limit = self.config.max_minutes
        return min(1.0, by_steps if limit is None else max(by_steps, self.state.seconds / (60 * limit)))

    def step(self, dataset: Dataset, pieces: Windows, rows: Array, semitones: Array, share: float) -> None:
        """One step of the optimizer, from the whole group's batch `rows`."""
        config, state, group = self.config, self.state, self.group
        # All that is random in this step, dropout above all, follows from its number.
        torch.manual_seed((config.seed * 1_000_003 + state.step + group.rank * _RANK_SEED) % 2**63)
        rate = learning_rate(config, state.step, share)
        for optimizer in self.optimizers:
            for parameters in optimizer.param_groups:
                parameters["lr"] = rate
            optimizer.zero_grad(set_to_none=True)
        events = int((pieces.stop - pieces.start)[rows].sum())
        failure = None
        try:
            numbers = self._backward(dataset, pieces, group.part(rows), semitones, events)
        except (MemoryError, RuntimeError, MelodyGRUError) as error:
            # The others are about to wait for this process's gradients: it tells them, in place of those.
            failure, numbers = error, torch.tensor([0.0, 0.0, 1.0], device=self.device)
        group.sum_gradients(self.model, numbers)
        if group.world > 1 and numbers[2]:
            group.raise_first(failure)
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), config.grad_clip or math.inf)
        self._pending.add([numbers[0], numbers[1], norm], (state.step, events, rate))
        # What is wrong with a loss may be seen later: a step that would spoil all weights is left out on the device.
        found_inf = (~torch.isfinite(numbers[0] + norm)).float()
        if failure is not None:
            raise failure
        self._count()
        for optimizer in self.optimizers:
            optimizer.found_inf = found_inf  # type: ignore[attr-defined]
            optimizer.step()
        state.step += 1
        follow(self.average, self.model, config.average, state.step)

    def _count(self, everything: bool = False) -> None:
        """Count the steps whose losses have come from the device; `everything`: wait for those of all."""
        for (loss, notes, norm), (step, events, rate) in self._pending.arrived(everything):
            self._check_finite("loss", loss, rate, step)
            # A loss may be finite and its gradient not.
            self._check_finite("gradient", norm, rate, step)
            self.state.counted(loss, round(notes), events, rate)

    def _backward(self, dataset: Dataset, pieces: Windows, rows: Array, semitones: Array, events: int) -> torch.Tensor:
        """The gradient of the summed loss of `rows` over `events`.

        Returns the loss itself, the notes learned from, and a 0: all went well. Of no rows all are 0.
        """
        if not len(rows):
            return torch.zeros(3, device=self.device)
        self.model.train()
        batch = self._loader.batch(dataset, pieces, rows, self.state.step)
        shift = self._loader.sent(torch.from_numpy(semitones[rows]))
        with self._autocast():
            durations, pitches = self.model.nll(batch, shift)
        total = durations.sum() + pitches.sum()
        notes = ((batch["pitches"] < REST) & batch["mask"]).sum()
        (total / events).backward()
        return torch.stack([total.detach().float(), notes.float(), torch.zeros_like(notes).float()])

    def _check_finite(self, what: str, value: float, rate: float, step: int) -> None:
        if not math.isfinite(value):
            last = len(self.state.rows)
            kept = f"The model of epoch {last} is kept" if last else "Nothing was learned yet"
            raise TrainingError(
                f"The {what} is {value} at step {step} with a learning rate of {rate:.2g}. {kept}; train "
                "again with a lower --lr and --force, or another --out."
            )

    def _autocast(self) -> Any:
        if self.precision == "fp32":
            return nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)

    def _finish_epoch(self, epoch: int, held: Dataset, held_pieces: Array) -> dict[str, float]:
        """Validate, and write the epoch's row."""
        state = self.state
        self._count(everything=True)
        duration_nats, pitch_nats = self.validate(held, held_pieces)
        if len(held_pieces):
            self._check_finite("validation", duration_nats + pitch_nats, state.learning_rate, state.step)
        row = {
            "epoch": epoch + 1,
            "step": state.step,
            "train_nats": state.epoch_nats,
            "val_nats": duration_nats + pitch_nats,
            "val_duration_nats": duration_nats,
            "val_pitch_nats": pitch_nats,
            "learning_rate": state.learning_rate,
            "events_per_second": state.events_per_second,
            "seconds": state.seconds,
        }
        state.rows.append(row)
        state.begin_epoch()
        return row

    def validate(self, dataset: Dataset, pieces: Array) -> tuple[float, float]:
        """Nats per note of durations and of pitches, with the averaged weights; NaN without pieces."""

        def heard(done: int, total: int) -> None:
            self.listener.busy("validating: tunes", done, total)
            # One of several processes must not leave the others waiting for its sums.
            if self._interruption.asked and self.group.world == 1:
                raise _Interrupted

        with self.group.together(), weights_of(self.average, self.model):
            return held_out_nats(self.model, self._loader, self.group, dataset, pieces, heard)

    def _save_model(self, task: _Task, row: dict[str, float] | None) -> None:
        """Write the checkpoint, with the averaged weights: the first process does."""
        if not self.group.first:
            return
        with weights_of(self.average, self.model):
            weights = {name: tensor.float().cpu().numpy() for name, tensor in self.model.state_dict().items()}
            weights = {name: array.copy() for name, array in weights.items()}
        told = provenance(task.facts, self.config, row, task.shared_runs, self.state.seconds)
        tokenizer = TokenizerConfig(self.model.config.max_duration)
        Checkpoint(self.model.config, weights, tokenizer, told, task.packed_index).save(self.model_file)
