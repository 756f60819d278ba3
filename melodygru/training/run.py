"""`train`: from a folder of MIDI files, and what somebody wishes, to a run of the trainer."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from melodygru.data.cache import load_dataset
from melodygru.data.dataset import Dataset
from melodygru.errors import DataError, UsageError, check_range
from melodygru.extras import require
from melodygru.formats.midi.extraction import ExtractionConfig
from melodygru.network.arrays import Array
from melodygru.network.config import SUFFIX, ContextConfig, ModelConfig, TokenizerConfig, preset_of
from melodygru.training.bars import Bars, in_notebook
from melodygru.training.batches import split, windows
from melodygru.training.conditioning import Conditioning, measuring
from melodygru.training.config import TrainConfig
from melodygru.training.distributed import Group
from melodygru.training.fitting import fitting
from melodygru.training.layers import gains_from_bfloat16
from melodygru.training.mixture import check_ngrams, mix, wanted
from melodygru.training.progress import Listener, Silent, TrainResult
from melodygru.training.start import BEGAN_WITH, Start, check_style, origin_of, shape_for
from melodygru.training.state import TrainingState
from melodygru.training.task import Origin
from melodygru.training.trainer import Trainer


def train(
    data: str | os.PathLike[str],
    out: str | os.PathLike[str] | None = None,
    *,
    preset: str | None = None,
    cell: str = "gru",
    hidden: int | None = None,
    layers: int | None = None,
    dropout: float | None = None,
    context: ContextConfig | None = None,
    val_data: str | os.PathLike[str] | None = None,
    track: str = "auto",
    meter: str = "",
    key: str = "",
    pickup: float | None = None,
    device: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
    resume: bool = False,
    init_from: str | os.PathLike[str] | None = None,
    style: str | None = None,
    tensorboard: bool = False,
    index: bool = True,
    ngrams: str = "auto",
    force: bool = False,
    save_minutes: float = 10.0,
    listener: Listener | None = None,
    **options: Any,
) -> TrainResult:
    """Train a model on a folder of MIDI files.

    Under `torchrun`, all its processes train one model: each batch is shared out over them. `data`, `out` and the
    cache should be folders that all machines see. When torchrun has started the processes again, since one of them
    died, the run goes on from its last saved state. The result is the same in every process.

    Args:
        data: the folder.
        out: where the model goes: OUT.safetensors, and the run's state and metrics in the folder OUT/.
            Default: checkpoints/ and the name of the folder `data`.
        preset: "tiny", "small" or "base"; `hidden`, `layers` and `dropout` change single values of it. None: "small".
        cell: one of `melodygru.network.cells.CELLS`.
        context: what the network is told; default everything that the music says.
        val_data: validate on this folder instead of on a share of `data`.
        track: which track of a file; see `melodygru.formats.midi.tracks.likeliest_melodies`.
        meter, key, pickup: what all MIDI files are in, whatever they say; see
            `melodygru.formats.midi.extraction.ExtractionConfig`.
        device: "auto", "cpu", "cuda" or "mps".
        precision: "fp32", "bf16", or "auto": bf16 on CUDA devices and CPUs that compute in it, fp32 elsewhere.
        threads: of torch on the CPU, in [1, 1024]. Two take a third less time than one where nothing else runs, and
            several times as long where another process keeps one of them waiting; so the default is one, under
            torchrun the cores shared out.
        resume: go on with the run whose state lies in OUT/, with its settings; those that are given must be the same.
        init_from: begin with the weights of this model (and its shape), or with "none". None: with the shipped model
            where it is of the shape that is asked for.
        style: what the folder's style is called, None for the folder's name; if it is one of
            `melodygru.writing.styles.STYLES`, a model that knows it begins with what it knows.
        tensorboard: also write event files for TensorBoard to OUT/.
        index: keep in the model, compressed, the notes of what it has learned from (not their key and tempo): for
            `--max-copy` and `melodygru check`. Leave it out where the music must not be told.
        ngrams: mix the network's pitches with n-grams of the folder (see `melodygru.network.mixing`), which small
            folders gain from: "on", "off", or "auto": if they make the tunes held out for validation likelier. They
            hold the notes, as the index does, so "auto" is "off" without it.
        force: replace a model that is there.
        save_minutes: save the state, for `resume`, when so much time has passed, in [0, 100000], besides at the end
            of each epoch; 0 after every step.
        listener: told how it goes; `melodygru.cli.train_command.Lines()` prints a line an epoch. Under torchrun,
            that of the first process is. None: `melodygru.training.bars.Bars()` in a notebook, elsewhere nobody.
        options: fields of `TrainConfig`: epochs, max_minutes, batch_size (of all processes together), lr, …

    Raises:
        UsageError: a value out of range. DataError: nothing to learn from. FileError, CheckpointError:
        a file in the way. TrainingError: the run cannot go on.
    """
    group = Group.from_environment()
    listener = (listener or (Bars() if in_notebook() else Silent())) if group.first else Silent()
    given = {name: value for name, value in options.items() if value is not None}
    shape = {"cell": cell, "hidden": hidden, "layers": layers, "dropout": dropout}
    with group.joined():
        with group.together():
            _config(given)
            name = check_style(style, Path(data))
            check_ngrams(ngrams, index)
            target = _target(Path(data), out)
        resume = group.of_first(partial(_resumes, target, group, sum(group.gather(group.restarts)), resume, force))
        with group.together():
            saved = TrainingState.saved(target) if resume else None
            scratch = preset_of(preset or "small").changed(**shape)
            start = None if saved else Start.of(init_from, scratch if context is None else None)
            where = _device(device, group)
            threads = _shared_cores(group) if threads is None else threads
            check_range("threads", threads, 1, 1024)
            check_range("save-minutes", save_minutes, 0, 100_000)
            if tensorboard:
                require("tensorboard")
        heard = saved.model if saved else shape_for(start, scratch, context, chords=False)
        folders = [data] if val_data is None else [data, val_data]
        extraction = ExtractionConfig(track, meter=meter, key=key, pickup=pickup)
        read = [_read(folder, heard, extraction, listener, group) for folder in folders]
        _check_same(read, group)
        with group.together():
            if saved is None:
                pieces = _pieces(read, _config(given))
                config = _fitted(pieces, given, start is not None)
                model = shape_for(start, scratch, context, chords=len(pieces.dataset.chords) > 0)
                model = model.changed(dropout=dropout)
                origin = origin_of(start, name, style, pieces.dataset, pieces.chosen)
            else:
                given = {**saved.settings, **given}
                pieces = _pieces(read, _config(given))
                # Runs of versions that did not fit themselves to the folder say nothing of where they come from.
                config = _fitted(pieces, given, BEGAN_WITH in saved.origin) if saved.origin else _config(given)
                model = _resumed_shape(saved.model, preset, shape)
                origin = Origin(saved.origin)
            mixes = wanted(ngrams, index, pieces.dataset, pieces.chosen, pieces.held_pieces)
        # The first process builds the GRU's loop, where it is not there yet.
        kind = group.first_alone(partial(_precision, precision, where, model.cell))
        told = model.context
        conditioning = None if told == told.of_events else Conditioning(told, measuring(), config.seed)
        trainer = Trainer(
            model, config, target, where, kind, listener, index, group, save_minutes, conditioning, origin
        )
        if start is not None:
            trainer.learner.begin_with(start.as_style(style))
        with _threads(threads):
            result = trainer.run(*pieces, resume=resume, tensorboard=tensorboard)
            return result if not mixes else group.of_first(partial(mix, result, ngrams, *pieces, listener))


class _Pieces(NamedTuple):
    """What is learned from, and what is validated on: datasets, and which of their pieces."""

    dataset: Dataset
    chosen: Array
    held: Dataset
    held_pieces: Array


def _pieces(read: Sequence[Dataset], config: TrainConfig) -> _Pieces:
    """The pieces of a folder, split; of two folders, all of both. Raises DataError if none is to be learned from."""
    dataset, held = read[0], read[-1]
    if len(read) > 1:
        return _Pieces(dataset, np.arange(dataset.pieces), held, np.arange(held.pieces))
    chosen, held_pieces = split(dataset.families, config.val_split, config.seed)
    if not len(chosen):
        raise DataError("No piece is left to train on; lower --val-split, or give more files.")
    return _Pieces(dataset, chosen, held, held_pieces)


def _fitted(pieces: _Pieces, given: Mapping[str, Any], from_model: bool) -> TrainConfig:
    """The settings, by the size of what is learned from where nothing is given."""
    asked = _config(given)
    count = len(windows(pieces.dataset, pieces.chosen, asked.window))
    return _config({**fitting(count, asked.batch_size, from_model), **given})


def _resumed_shape(saved: ModelConfig, preset: str | None, shape: Mapping[str, Any]) -> ModelConfig:
    """The network of a saved run; another one, which then is refused, where something else is asked for."""
    basis = saved if preset is None else preset_of(preset)
    return replace(basis, context=saved.context, dropout=saved.dropout).changed(**shape)


def _config(options: Mapping[str, Any]) -> TrainConfig:
    """The settings with these names. Raises UsageError for one that is not legal."""
    try:
        return TrainConfig(**options)
    except TypeError as error:
        raise UsageError(f"There is no such training option ({error}).") from error


def _read(
    folder: str | os.PathLike[str], model: ModelConfig, extraction: ExtractionConfig, listener: Listener, group: Group
) -> Dataset:
    """A folder's pieces as the model hears them; the first process makes the cache, the others find it."""
    tokenizer, context = TokenizerConfig(model.max_duration), model.context.of_events
    return group.first_alone(partial(load_dataset, folder, tokenizer, context, extraction, listener.reading))


def _check_same(read: list[Dataset], group: Group) -> None:
    """Raise DataError in all processes where one of them has read other music than the first."""
    marks = group.gather([dataset.fingerprint for dataset in read])
    with group.together():
        if marks[group.rank] != marks[0]:
            raise DataError(
                f"Process {group.rank} finds other files in its data folder than process 0; give all machines the same."
            )


def _shared_cores(group: Group) -> int:
    """Threads of a process that was not told how many to use."""
    return max(1, (os.cpu_count() or 1) // group.local_world) if group.launched else 1


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Let torch use `count` threads, for as long as the context lasts."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _target(data: Path, out: str | os.PathLike[str] | None) -> Path:
    """OUT, the path without suffix."""
    target = Path("checkpoints") / (data.resolve().name or "model") if out is None else Path(out)
    if target.name in ("", ".."):
        raise UsageError(f"{target} is a folder; give OUT the name of a model in it, such as {target / 'tunes'}.")
    return target.with_suffix("") if target.suffix == SUFFIX else target


def _resumes(target: Path, group: Group, restarts: int, resume: bool, force: bool) -> bool:
    """Whether the run goes on from a saved state, where nothing is in the way."""
    state = target / TrainingState.FILE
    if group.launched:
        if TrainingState.broken_off(target, group.run_id, restarts):
            return state.exists()
        # One that was left by a run long ago says nothing about this one, should it be broken off too.
        TrainingState.ended(target)
    model = target.with_name(target.name + SUFFIX)
    if not resume and not force and (model.exists() or state.exists()):
        raise UsageError(f"{model} exists; go on with --resume, replace it with --force, or choose another OUT.")
    if resume and not state.exists():
        raise UsageError(f"There is no run to resume in {target}; leave --resume out, or give its --out.")
    return resume


def _device(name: str, group: Group) -> torch.device:
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        # No library that torch comes with sums over several processes what lies on an MPS device.
        usable = ("cuda", "cpu") if group.world > 1 else ("cuda", "mps", "cpu")
        name = next(device for device in usable if available[device])
    if name not in available:
        raise UsageError(f"The device {name!r} is not known; choose auto, cpu, cuda or mps.")
    if not available[name]:
        raise UsageError(f"This machine has no {name} device that torch can use; choose --device cpu or auto.")
    if name == "mps" and group.world > 1:
        raise UsageError("Several processes cannot share mps devices; choose --device cpu, or start one process.")
    if name != "cuda" or not group.launched:
        return torch.device(name)
    if group.local_rank >= (count := torch.cuda.device_count()):
        raise UsageError(
            f"This machine has {count} CUDA device{'s' * (count > 1)} for {group.local_world} processes; start at most "
            "one for each (torchrun --nproc-per-node), or choose --device cpu."
        )
    torch.cuda.set_device(group.local_rank)
    return torch.device("cuda", group.local_rank)


def _precision(name: str, device: torch.device, cell: str) -> str:
    if name not in ("auto", "fp32", "bf16"):
        raise UsageError(f"The precision {name!r} is not known; choose auto, fp32 or bf16.")
    if name != "auto":
        return name
    if device.type == "cpu":
        return "bf16" if gains_from_bfloat16(cell) else "fp32"
    return "bf16" if device.type == "cuda" and torch.cuda.is_bf16_supported() else "fp32"
