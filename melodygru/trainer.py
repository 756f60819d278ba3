"""The training loop: pieces to a checkpoint.

AdamW with warm-up and cosine decay, gradient clipping, random transposition; what is validated and
kept is a moving average of the weights (Polyak & Juditsky 1992). Everything random in step n follows from
(seed, n), so a run that was stopped goes on, on a CPU, to the very weights of one that was not.
"""

from __future__ import annotations

import datetime
import math
import platform
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from melodygru import __version__
from melodygru.batches import Windows, epoch_batches, make_batch, shifts, whole_batches, windows
from melodygru.checkpoint import SUFFIX, Checkpoint
from melodygru.config import ModelConfig, TokenizerConfig, TrainConfig, as_dict
from melodygru.dataset import Dataset
from melodygru.errors import DataError, FileError, TrainingError
from melodygru.metrics import summary_writer, write_metrics
from melodygru.model import MelodyGRU
from melodygru.progress import METRICS, Listener, Run, TrainResult
from melodygru.tokenizer import REST
from melodygru.training_state import TrainingState

_WARMUP_SHARE = 0.1
"""The warm-up takes at most this share of a run."""
_COMPARED = 200
"""Held-out pieces that are compared with what is learned from, at most."""


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
    ):
        self.config = config
        self.target = target
        self.device = device
        self.precision = precision
        self.listener = listener
        torch.manual_seed(config.seed)
        self.model = MelodyGRU(model_config).to(device)
        parameters = list(self.model.parameters())
        groups = [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": config.weight_decay},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(groups, lr=config.lr, betas=(0.9, 0.98), fused=True)
        self.average = [p.detach().clone() for p in parameters]
        self.keep_index = keep_index
        self.state = TrainingState()
        self._stop = threading.Event()

    @property
    def model_file(self) -> Path:
        """The checkpoint that the run writes."""
        return self.target.with_name(self.target.name + SUFFIX)

    def run(
        self, dataset: Dataset, chosen: Any, held: Dataset, held_pieces: Any, *, resume: bool, tensorboard: bool
    ) -> TrainResult:
        """Train on the pieces `chosen` of `dataset`, validate on `held_pieces` of `held`."""
        if not len(chosen):
            raise DataError("No piece is left to train on; lower --val-split, or give more files.")
        try:
            self.target.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise FileError(f"{self.target} cannot be made ({error.strerror}); choose another --out.") from error
        pieces = windows(dataset, chosen, self.config.window)
        per_epoch = -(-len(pieces) // self.config.batch_size)
        identity = {
            "data": [dataset.fingerprint, len(chosen), held.fingerprint, len(held_pieces)],
            "model": as_dict(self.model.config),
            "train": {k: v for k, v in asdict(self.config).items() if k not in ("epochs", "patience", "max_minutes")},
        }
        if resume:
            self.state.load(self.target, identity, self.model, self.optimizer, self.average)
        parameters = sum(p.numel() for p in self.model.parameters())
        self.run_facts = Run(
            dataset,
            len(chosen),
            dataset.notes(chosen),
            len(held_pieces),
            held.notes(held_pieces),
            parameters,
            str(self.device),
            self.precision,
            per_epoch,
            self.state.step,
        )
        index = dataset.originality_index(chosen)
        self.packed_index = index.to_bytes() if self.keep_index else None
        lines = [held.line(piece) for piece in held_pieces[:: max(1, len(held_pieces) // _COMPARED)][:_COMPARED]]
        self.shared_runs = index.distribution(lines)
        self.listener.started(self.run_facts)
        writer = summary_writer(self.target) if tensorboard else None
        try:
            with self._interruptible():
                stopped = self._epochs(dataset, pieces, per_epoch, held, held_pieces, identity, writer)
        except (MemoryError, RuntimeError) as error:
            # torch has no one class for it: CUDA, MPS and the CPU's allocator word it each in their own way.
            words = str(error).lower()
            if isinstance(error, RuntimeError) and not any(w in words for w in ("out of memory", "allocate memory")):
                raise
            raise TrainingError(
                f"Memory ran out with --batch-size {self.config.batch_size}; choose a smaller one, or a smaller preset."
            ) from error
        finally:
            if writer is not None:
                writer.close()
        kept = self.state.best if self.config.patience and self.state.best else self.state.rows[-1:]
        last = dict(kept[0]) if kept else dict.fromkeys(METRICS, math.nan)
        return TrainResult(
            self.model_file,
            parameters,
            len(self.state.rows),
            train_nats=last["train_nats"],
            val_nats=last["val_nats"],
            val_duration_nats=last["val_duration_nats"],
            val_pitch_nats=last["val_pitch_nats"],
            seconds=self.state.seconds,
            stopped=stopped,
        )

    def _epochs(
        self,
        dataset: Dataset,
        pieces: Windows,
        per_epoch: int,
        held: Dataset,
        held_pieces: Any,
        identity: dict[str, Any],
        writer: Any,
    ) -> str:
        state, config = self.state, self.config
        began = time.monotonic() - state.seconds
        state.share_before = self._share(per_epoch, state.seconds)
        while (share := self._share(per_epoch, state.seconds)) < 1:
            if config.patience and len(held_pieces) and state.epochs_since_best >= config.patience:
                return "patience"
            epoch, before = state.step // per_epoch, state.step
            batches = epoch_batches(pieces, config.batch_size, config.seed, epoch)
            semitones = shifts(dataset, pieces, config.transpose, config.seed, epoch)
            for rows in batches[state.step % per_epoch :]:
                if self._stop.is_set() or share >= 1:
                    break
                self._step(dataset, pieces, rows, semitones, share)
                state.seconds = time.monotonic() - began
                share = self._share(per_epoch, state.seconds)
                left = state.seconds_here * (1 - share) / max(share - state.share_before, 1e-9)
                self.listener.stepped(epoch + 1, share, state.recent_nats, state.events_per_second, left)
            state.seconds = time.monotonic() - began
            within = state.step % per_epoch > 0
            if self._stop.is_set() and (within or state.step == before):
                if not state.rows:
                    self._save_model(None)
                state.save(self.target, identity, self.model, self.optimizer, self.average)
                return "interrupted"
            row = self._finish_epoch(epoch, held, held_pieces)
            better = self._is_better(row)
            if better or not config.patience:
                self._save_model(row)
            state.save(self.target, identity, self.model, self.optimizer, self.average)
            write_metrics(self.target, state.rows, writer)
            self.listener.finished_epoch(row)
            if self._stop.is_set():
                return "interrupted"
            if within:
                return "time"
        return "finished" if state.step >= config.epochs * per_epoch else "time"

    def _share(self, per_epoch: int, seconds: float) -> float:
        """How much of the run is done, in [0, 1]: by steps or by time, whichever runs out first."""
        by_steps = self.state.step / (self.config.epochs * per_epoch)
        limit = self.config.max_minutes
        return min(1.0, by_steps if limit is None else max(by_steps, seconds / (60 * limit)))

    def _step(self, dataset: Dataset, pieces: Windows, rows: Any, semitones: Any, share: float) -> None:
        """One step of the optimizer."""
        config, state = self.config, self.state
        # All that is random in this step, dropout above all, follows from its number.
        torch.manual_seed((config.seed * 1_000_003 + state.step) % 2**63)
        # A short run, such as one of a minute, has no time for the whole warm-up.
        rate = config.lr * min(1.0, max((state.step + 1) / max(config.warmup, 1), share / _WARMUP_SHARE))
        rate *= config.final_lr + (1 - config.final_lr) * 0.5 * (1 + math.cos(math.pi * share))
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.model.train()
        batch = make_batch(dataset, pieces, rows, self.device)
        shift = torch.from_numpy(semitones[rows]).to(self.device)
        with self._autocast():
            durations, pitches = self.model.nll(batch, shift)
        total = durations.sum() + pitches.sum()
        events = batch["mask"].sum()
        notes = ((batch["pitches"] < REST) & batch["mask"]).sum()
        self.optimizer.zero_grad(set_to_none=True)
        (total / events).backward()
        norm = torch.nn.utils.clip_grad_norm_(self.model.parameters(), config.grad_clip or math.inf)
        loss = float(total.detach())
        self._check_finite("loss", loss, rate)
        # A loss may be finite and its gradient not: one such step would spoil all weights.
        self._check_finite("gradient", float(norm), rate)
        self.optimizer.step()
        state.counted(loss, int(notes), int(events), rate)
        # The average forgets the random beginning fast.
        decay = min(config.average, (state.step + 1) / (state.step + 10))
        with torch.no_grad():
            torch._foreach_lerp_(self.average, list(self.model.parameters()), 1 - decay)

    def _check_finite(self, what: str, value: float, rate: float) -> None:
        if not math.isfinite(value):
            last = len(self.state.rows)
            kept = f"The model of epoch {last} is kept" if last else "Nothing was learned yet"
            raise TrainingError(
                f"The {what} is {value} at step {self.state.step} with a learning rate of {rate:.2g}. {kept}; train "
                "again with a lower --lr and --force, or another --out."
            )

    def _autocast(self) -> Any:
        if self.precision == "fp32":
            return nullcontext()
        return torch.autocast(self.device.type, torch.bfloat16)

    def _finish_epoch(self, epoch: int, held: Dataset, held_pieces: Any) -> dict[str, float]:
        """Validate, and write the epoch's row."""
        state = self.state
        duration_nats, pitch_nats = self.validate(held, held_pieces)
        if len(held_pieces):
            self._check_finite("validation", duration_nats + pitch_nats, state.learning_rate)
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

    def _is_better(self, row: dict[str, float]) -> bool:
        """Note whether this epoch's validation is the best so far; without validation, every epoch is."""
        state = self.state
        better = not state.best or not row["val_nats"] >= state.best[0]["val_nats"]
        state.epochs_since_best = 0 if better else state.epochs_since_best + 1
        if better:
            state.best = [row]
        return better

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The model with its averaged weights, for as long as the context lasts."""
        parameters: list[torch.Tensor] = list(self.model.parameters())
        current = [parameter.detach().clone() for parameter in parameters]
        with torch.no_grad():
            torch._foreach_copy_(parameters, self.average)
        try:
            yield
        finally:
            with torch.no_grad():
                torch._foreach_copy_(parameters, current)

    def validate(self, dataset: Dataset, pieces: Any) -> tuple[float, float]:
        """Nats per note of durations and of pitches, with the averaged weights; NaN without pieces."""
        if not len(pieces):
            return math.nan, math.nan
        self.model.eval()
        totals = [0.0, 0.0]
        with self.averaged(), torch.no_grad():
            for chosen, rows in whole_batches(dataset, pieces):
                for i, nll in enumerate(self.model.nll(make_batch(dataset, chosen, rows, self.device))):
                    totals[i] += float(nll.float().sum())
        notes = dataset.notes(pieces)
        return totals[0] / notes, totals[1] / notes

    def _save_model(self, row: dict[str, float] | None) -> None:
        """Write the checkpoint, with the averaged weights."""
        facts = self.run_facts
        with self.averaged():
            weights = {name: tensor.float().cpu().numpy() for name, tensor in self.model.state_dict().items()}
            weights = {name: array.copy() for name, array in weights.items()}
        provenance = {
            "data_fingerprint": facts.dataset.fingerprint,
            "pieces": facts.train_pieces,
            "notes": facts.train_notes,
            "validation_pieces": facts.val_pieces,
            "validation_notes": facts.val_notes,
            "validation_nats_per_note": _number(row["val_nats"] if row else None),
            "training_nats_per_note": _number(row["train_nats"] if row else None),
            "shared_runs": self.shared_runs,
            "epochs": int(row["epoch"]) if row else 0,
            "minutes": round(self.state.seconds / 60, 1),
            "settings": asdict(self.config),
            "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
            "melodygru": __version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
        }
        tokenizer = TokenizerConfig(self.model.config.max_duration)
        Checkpoint(self.model.config, weights, tokenizer, provenance, self.packed_index).save(self.model_file)

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Ctrl-C and SIGTERM end the run after the step in hand; a second Ctrl-C at once."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(signum: int, frame: Any) -> None:
            if self._stop.is_set():
                raise KeyboardInterrupt
            self._stop.set()

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _number(value: float | None) -> float | None:
    """For JSON, which has no NaN."""
    return None if value is None or not math.isfinite(value) else round(value, 5)
