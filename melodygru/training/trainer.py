"""The training loop: pieces to a checkpoint.

What learns is `melodygru.training.learner`; here is when it does, what is told and saved on the way, and when it ends.
A run that was stopped goes on, on a CPU, to the very weights of one that was not.

Several processes may share each step (`melodygru.training.distributed`): each learns from its part of the same batch,
the gradients are summed, and what is decided (the end, an error) is decided by all in the same step.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import torch

from melodygru.data.dataset import Dataset
from melodygru.errors import FileError, TrainingError
from melodygru.network.arrays import Array
from melodygru.network.checkpoint import Checkpoint
from melodygru.network.config import SUFFIX, ModelConfig, TokenizerConfig
from melodygru.system.signals import Interruption
from melodygru.training.batches import Windows, epoch_batches, shifts, windows
from melodygru.training.conditioning import Conditioning
from melodygru.training.config import TrainConfig
from melodygru.training.distributed import Group
from melodygru.training.learner import Learner
from melodygru.training.progress import METRICS, Listener, Run, TrainResult, provenance, summary_writer, write_metrics
from melodygru.training.state import TrainingState
from melodygru.training.task import Index, Origin, Task, identity_of


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
    """One run: what learns, where it stands, and where it is written."""

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
        origin: Origin = Origin(),
    ):
        self.config = config
        self.target = target
        self.listener = listener
        self.keep_index = keep_index
        self.group = group or Group()
        self.save_minutes = save_minutes
        self.origin = origin
        self.learner = Learner(model_config, config, device, precision, self.group, conditioning)
        self.state = TrainingState()
        self._began = self._saved = time.monotonic()
        """When the run began, had it been one sitting, and when its state was saved last."""
        self._interruption = Interruption()

    @property
    def model_file(self) -> Path:
        """The checkpoint that the run writes."""
        return self.target.with_name(self.target.name + SUFFIX)

    def run(
        self, dataset: Dataset, chosen: Array, held: Dataset, held_pieces: Array, *, resume: bool, tensorboard: bool
    ) -> TrainResult:
        """Train on the pieces `chosen` of `dataset`, validate on `held_pieces` of `held`."""
        pieces = windows(dataset, chosen, self.config.window)
        identity = identity_of(dataset, chosen, held, held_pieces, self.learner.model.config, self.config)
        identity["origin"] = dict(self.origin.provenance)
        group = self.group
        with group.together():
            if group.first:
                self._prepare(resume)
            if resume:
                self.state.load(self.target, identity, self.learner.learned)
        facts = self._facts(dataset, chosen, held, held_pieces, len(pieces))
        index, writer = None, None
        with group.together():
            if group.first:
                self.listener.busy("making the index of the music")
                index = Index.of(dataset, chosen, held, held_pieces, self.keep_index)
                writer = summary_writer(self.target) if tensorboard else None
            self.listener.started(facts)
        task = Task(facts, pieces, held, held_pieces, identity, index)
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
            sum(p.numel() for p in self.learner.model.parameters()),
            str(self.learner.device),
            self.learner.precision,
            -(-number_of_windows // self.config.batch_size),
            self.state.step,
            self.config.epochs,
            self.config.lr,
            self.origin.remarks,
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

    def _epochs(self, task: Task, writer: Any) -> str:
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

    def _tell(self, task: Task, epoch: int) -> None:
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

    def _save_state(self, task: Task) -> None:
        """Write the state: the first process does."""
        self._count(everything=True)
        if self.group.first:
            self.state.save(self.target, task.identity, self.learner.learned)
        self._saved = time.monotonic()

    def _share(self, per_epoch: int) -> float:
        """How much of the run is done, in [0, 1]: by steps or by time, whichever runs out first."""
        by_steps = self.state.step / (self.config.epochs * per_epoch)
        limit = self.config.max_minutes
        return min(1.0, by_steps if limit is None else max(by_steps, self.state.seconds / (60 * limit)))

    def step(self, dataset: Dataset, pieces: Windows, rows: Array, semitones: Array, share: float) -> None:
        """One step of the optimizer, from the whole group's batch `rows`."""
        self.learner.find_gradients(dataset, pieces, rows, semitones, self.state.step, share)
        self._count()
        self.state.step += 1
        self.learner.move(self.state.step)

    def _count(self, everything: bool = False) -> None:
        """Count the steps whose losses have come from the device; `everything`: wait for those of all."""
        for one in self.learner.counted(everything):
            self._check_finite("loss", one.loss, one.rate, one.step)
            # A loss may be finite and its gradient not.
            self._check_finite("gradient", one.norm, one.rate, one.step)
            self.state.counted(one.loss, one.notes, one.events, one.rate)

    def _check_finite(self, what: str, value: float, rate: float, step: int) -> None:
        if not math.isfinite(value):
            last = len(self.state.rows)
            kept = f"The model of epoch {last} is kept" if last else "Nothing was learned yet"
            raise TrainingError(
                f"The {what} is {value} at step {step} with a learning rate of {rate:.2g}. {kept}; train "
                "again with a lower --lr and --force, or another --out."
            )

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

        return self.learner.nats(dataset, pieces, heard)

    def _save_model(self, task: Task, row: dict[str, float] | None) -> None:
        """Write the checkpoint, with the averaged weights: the first process does."""
        if task.index is None:
            return
        told = provenance(task.facts, self.config, row, self.state.seconds) | task.index.as_told()
        config = self.learner.model.config
        Checkpoint(
            config,
            self.learner.averaged_weights(),
            TokenizerConfig(config.max_duration),
            told | dict(self.origin.provenance),
            task.index.packed,
        ).save(self.model_file)
