"""`train`: from a folder of MIDI files, and what somebody wishes, to a run of the trainer."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from melodygru.batches import split
from melodygru.checkpoint import SUFFIX, Checkpoint, resolve
from melodygru.config import PRESETS, ContextConfig, ModelConfig, TokenizerConfig, TrainConfig, check_range
from melodygru.dataset import load_dataset
from melodygru.errors import UsageError
from melodygru.gru_kernel import kernel
from melodygru.progress import Listener, Silent, TrainResult
from melodygru.trainer import Trainer
from melodygru.training_state import TrainingState


def train(
    data: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    *,
    preset: str = "small",
    cell: str = "gru",
    hidden: int | None = None,
    layers: int | None = None,
    dropout: float | None = None,
    context: ContextConfig | None = None,
    val_data: str | os.PathLike[str] | None = None,
    track: str = "auto",
    device: str = "auto",
    precision: str = "auto",
    threads: int = 1,
    resume: bool = False,
    init_from: str | os.PathLike[str] | None = None,
    tensorboard: bool = False,
    index: bool = True,
    force: bool = False,
    listener: Listener | None = None,
    **options: Any,
) -> TrainResult:
    """Train a model on a folder of MIDI files.

    Args:
        data: the folder.
        out: where the model goes: OUT.safetensors, and the run's state and metrics in the folder OUT/.
            Default: checkpoints/ and the name of the folder `data`.
        preset: "tiny", "small" or "base"; `hidden`, `layers` and `dropout` change single values of it.
        cell: one of `melodygru.config.CELLS`.
        context: what the network is told; default everything.
        val_data: validate on this folder instead of on a share of `data`.
        track: which track of a file: "auto", a number from 1, a name or "skyline".
        device: "auto", "cpu", "cuda" or "mps".
        precision: "fp32", "bf16", or "auto": bf16 on CUDA devices and CPUs that compute in it, fp32 elsewhere.
        threads: of torch on the CPU, in [1, 1024]. The steps of a recurrent network are too small to share: more
            pays only for models larger than the presets, on a machine that does nothing else.
        resume: go on with the run whose state lies in OUT/; its settings must be the same.
        init_from: begin with the weights of this model (and its shape).
        tensorboard: also write event files for TensorBoard to OUT/.
        index: keep in the model, compressed, the notes of what it has learned from (not their key and tempo): for
            `--max-copy` and `melodygru check`. Leave it out where the music must not be told.
        force: replace a model that is there.
        listener: told how it goes; `melodygru.cli.train_command.Lines()` prints a line an epoch.
        options: fields of `TrainConfig`: epochs, max_minutes, batch_size, lr, …

    Raises:
        UsageError: a value out of range. DataError: nothing to learn from. FileError, CheckpointError:
        a file in the way. TrainingError: the run cannot go on.
    """
    try:
        config = TrainConfig(**{name: value for name, value in options.items() if value is not None})
    except TypeError as error:
        raise UsageError(f"There is no such training option ({error}).") from error
    target = _target(Path(data), out, force=force, resume=resume)
    start = Checkpoint.load(resolve(init_from)) if init_from is not None else None
    if start is None:
        model_config = _model_config(preset, cell, hidden, layers, dropout, context)
    else:
        model_config = start.model_config if dropout is None else replace(start.model_config, dropout=dropout)
    where = _device(device)
    kind = _precision(precision, where, model_config.cell)
    check_range("threads", threads, 1, 1024)
    if tensorboard and importlib.util.find_spec("tensorboard") is None:
        raise UsageError('TensorBoard is not installed; run: pip install "melodygru[tensorboard]".')
    listener = listener or Silent()
    trainer = Trainer(model_config, config, target, where, kind, listener, index)
    tokenizer = TokenizerConfig(model_config.max_duration)
    dataset = load_dataset(data, tokenizer, model_config.context, track, listener.reading)
    if val_data is not None:
        held = load_dataset(val_data, tokenizer, model_config.context, track, listener.reading)
        chosen, held_pieces = np.arange(dataset.pieces), np.arange(held.pieces)
    else:
        held = dataset
        chosen, held_pieces = split(dataset.families, config.val_split, config.seed)
    if start is not None:
        trainer.model.load_state_dict({name: torch.from_numpy(a.copy()) for name, a in start.weights.items()})
        trainer.average = [parameter.detach().clone() for parameter in trainer.model.parameters()]
    with _threads(threads):
        return trainer.run(dataset, chosen, held, held_pieces, resume=resume, tensorboard=tensorboard)


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Let torch use `count` threads, for as long as the context lasts."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _target(data: Path, out: str | os.PathLike[str] | None, *, force: bool, resume: bool) -> Path:
    """OUT, the path without suffix, where nothing is in the way."""
    target = Path("checkpoints") / (data.resolve().name or "model") if out is None else Path(out)
    if target.name in ("", ".."):
        raise UsageError(f"{target} is a folder; give --out the name of a model in it, such as {target / 'tunes'}.")
    if target.suffix == SUFFIX:
        target = target.with_suffix("")
    model = target.with_name(target.name + SUFFIX)
    if not resume and not force and (model.exists() or (target / TrainingState.FILE).exists()):
        raise UsageError(f"{model} exists; go on with --resume, replace it with --force, or choose another --out.")
    if resume and not (target / TrainingState.FILE).exists():
        raise UsageError(f"There is no run to resume in {target}; leave --resume out, or give its --out.")
    return target


def _model_config(
    preset: str,
    cell: str,
    hidden: int | None,
    layers: int | None,
    dropout: float | None,
    context: ContextConfig | None,
) -> ModelConfig:
    if preset not in PRESETS:
        raise UsageError(f"The preset {preset!r} is not known; choose one of {', '.join(PRESETS)}.")
    base = PRESETS[preset]
    return replace(
        base,
        cell=cell,
        hidden=base.hidden if hidden is None else hidden,
        layers=base.layers if layers is None else layers,
        dropout=base.dropout if dropout is None else dropout,
        context=base.context if context is None else context,
    )


def _device(name: str) -> torch.device:
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = next(device for device in ("cuda", "mps", "cpu") if available[device])
    if name not in available:
        raise UsageError(f"The device {name!r} is not known; choose auto, cpu, cuda or mps.")
    if not available[name]:
        raise UsageError(f"This machine has no {name} device that torch can use; choose --device cpu or auto.")
    return torch.device(name)


def _precision(name: str, device: torch.device, cell: str) -> str:
    if name not in ("auto", "fp32", "bf16"):
        raise UsageError(f"The precision {name!r} is not known; choose auto, fp32 or bf16.")
    if name != "auto":
        return name
    if device.type == "cpu":
        compiled = kernel() if cell == "gru" else None
        return "bf16" if compiled is not None and compiled.bfloat16 else "fp32"
    return "bf16" if device.type == "cuda" and torch.cuda.is_bf16_supported() else "fp32"
