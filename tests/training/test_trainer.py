import csv
import errno
import json
import math
import os
import re
import signal
import struct
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from melodygru import load_model, train
from melodygru.cli.train_command import Live
from melodygru.errors import CheckpointError, DataError, FileError, TrainingError, UsageError
from melodygru.network.checkpoint import Checkpoint
from melodygru.network.config import ContextConfig
from melodygru.training import learner, trainer, validation
from melodygru.training.batches import Loader, Pending, whole_batches
from melodygru.training.config import TrainConfig
from melodygru.training.progress import METRICS, Listener
from melodygru.training.torch_network import MelodyGRU
from tests.command_line import run as command
from tests.tunes import tune, write_tunes

TINY = {
    "hidden": 8,
    "layers": 2,
    "preset": "tiny",
    "batch_size": 4,
    "window": 16,
    "context": ContextConfig(lookback=(1,)),
    "device": "cpu",
    "ngrams": "off",  # they have tests of their own
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MELODYGRU_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return write_tunes(tmp_path / "tunes")


class StopAfter(Listener):
    """Presses Ctrl-C after a number of steps."""

    def __init__(self, steps):
        self.steps = steps

    def stepped(self, *_):
        self.steps -= 1
        if self.steps == 0:
            signal.raise_signal(signal.SIGINT)


def metrics(folder="out"):
    with Path(folder, "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def weights(path):
    return Checkpoint.load(path).weights


def test_a_notebook_shows_bars(folder, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    train(folder, "out", epochs=2, val_split=0.2, **TINY)
    told = capsys.readouterr()
    assert "learning: 100%" in told.err
    assert re.search(r"epoch 2: \d\.\d{3} nats a note", told.out)


def test_training_learns(folder):
    result = train(folder, "out", epochs=6, lr=0.02, warmup=4, average=0.9, val_split=0.2, **TINY)
    rows = metrics()
    assert tuple(rows[0]) == METRICS
    assert len(rows) == result.epochs == 6
    assert float(rows[-1]["val_nats"]) < float(rows[0]["val_nats"]) < 11
    assert result.val_nats == pytest.approx(result.val_duration_nats + result.val_pitch_nats)
    assert result.stopped == "finished"
    melody = load_model("out").generate(bars=4, seed=1)
    assert melody.bars == 4


def test_the_checkpoint_tells_where_it_comes_from(folder):
    result = train(folder, epochs=1, val_split=0.2, seed=7, **TINY)
    assert result.checkpoint == Path("checkpoints/tunes.safetensors")
    told = Checkpoint.load(result.checkpoint).provenance
    assert told["pieces"] + told["validation_pieces"] == 12
    assert told["settings"]["seed"] == 7
    assert told["validation_nats_per_note"] == pytest.approx(result.val_nats, abs=1e-4)
    assert {"data_fingerprint", "notes", "date", "torch", "melodygru"} <= set(told)


def test_the_validation_figure_is_the_models_own(folder):
    """The whole negative log-likelihood over the notes, computed once more from the written file."""
    from tests.networks import batch_of

    held = write_tunes("held", count=3)
    result = train(folder, "out", val_data=held, epochs=2, patience=0, **TINY)
    checkpoint = Checkpoint.load(result.checkpoint)
    model = MelodyGRU(checkpoint.model_config).eval()
    model.load_state_dict({name: torch.from_numpy(a.copy()) for name, a in checkpoint.weights.items()})
    from melodygru.network.tokenizer import Tokenizer

    pieces = [Tokenizer().encode(tune(seed)) for seed in range(3)]
    with torch.no_grad():
        total = sum(float(nll.sum()) for nll in model.nll(batch_of(pieces, checkpoint.model_config)))
    assert result.val_nats == pytest.approx(total / sum(piece.notes for piece in pieces), abs=1e-4)


@pytest.mark.parametrize("steps", [1, 4, 7, 10])
def test_a_resumed_run_ends_at_the_very_same_weights(folder, steps):
    options = {**TINY, "epochs": 3, "seed": 3, "val_split": 0.2, "patience": 0}
    whole = train(folder, "whole", **options)
    first = train(folder, "parts", listener=StopAfter(steps), **options)
    assert first.stopped == "interrupted"
    second = train(folder, "parts", resume=True, **options)
    assert second.stopped == "finished"
    one, two = weights(whole.checkpoint), weights(second.checkpoint)
    assert all(np.array_equal(one[name], two[name]) for name in one)
    for name in ("train_nats", "val_nats"):
        assert getattr(whole, name) == getattr(second, name)


@pytest.mark.parametrize(("at", "epochs"), [(1, 0), (4, 1), (8, 2)])
def test_a_run_that_is_stopped_in_validation_validates_when_it_goes_on(folder, monkeypatch, at, epochs):
    monkeypatch.setattr(validation, "whole_batches", partial(whole_batches, events=1))  # a batch a tune
    options = {**TINY, "epochs": 3, "seed": 3, "patience": 0, "val_data": write_tunes("held", count=3)}
    heard = []

    class Stop(Listener):
        """Presses Ctrl-C before the batch of validation of that number; each epoch has three."""

        def busy(self, what, done=0, total=0):
            if what.startswith("validating"):
                heard.append(done)
                if len(heard) == at:
                    signal.raise_signal(signal.SIGINT)

    whole = train(folder, "whole", **options)
    first = train(folder, "parts", listener=Stop(), **options)
    assert (first.stopped, first.epochs, len(heard)) == ("interrupted", epochs, at)
    assert heard[0] == 0
    assert Checkpoint.load(first.checkpoint).provenance["epochs"] == epochs
    second = train(folder, "parts", resume=True, **options)
    assert second.stopped == "finished"
    one, two = weights(whole.checkpoint), weights(second.checkpoint)
    assert all(np.array_equal(one[name], two[name]) for name in one)
    shown = [[{**row, "seconds": "", "events_per_second": ""} for row in metrics(run)] for run in ("whole", "parts")]
    assert shown[0] == shown[1]


@pytest.mark.parametrize("place", ["write_metrics", "Trainer.validate"])
@pytest.mark.parametrize("rows", [1, 2])
def test_a_run_that_dies_at_the_end_of_an_epoch_has_all_its_metrics_in_the_end(folder, monkeypatch, place, rows):
    class DiedError(Exception):
        pass

    owner = trainer.Trainer if "." in place else trainer
    name = place.split(".")[-1]
    calls, real = [], getattr(owner, name)

    def die(*arguments, **options):
        calls.append(None)
        if len(calls) == rows:
            raise DiedError
        return real(*arguments, **options)

    def told(run):
        return [[row[column] for column in METRICS[:7]] for row in metrics(run)]

    options = {**TINY, "epochs": 2, "seed": 3, "val_split": 0.2, "save_minutes": 0}
    train(folder, "whole", **options)
    monkeypatch.setattr(owner, name, die)
    with pytest.raises(DiedError):
        train(folder, "out", **options)
    monkeypatch.setattr(owner, name, real)
    train(folder, "out", resume=True, **options)
    assert told("out") == told("whole")


def test_a_run_that_dies_goes_on_from_what_was_saved_within_the_epoch(folder):
    class DiedError(Exception):
        pass

    class DieAfter(Listener):
        steps = 5

        def stepped(self, *_):
            self.steps -= 1
            if self.steps == 0:
                raise DiedError

    options = {**TINY, "epochs": 1, "seed": 3, "batch_size": 1, "patience": 0}
    whole = train(folder, "whole", **options)
    for save_minutes in (0, 10):
        with pytest.raises(DiedError):
            train(folder, f"parts{save_minutes}", listener=DieAfter(), save_minutes=save_minutes, **options)
        assert Path(f"parts{save_minutes}/state.safetensors").exists() == (save_minutes == 0)
    started = []

    class Watch(Listener):
        def started(self, run):
            started.append(run.resumed_at)

    second = train(folder, "parts0", resume=True, listener=Watch(), **options)
    assert started == [4]
    one, two = weights(whole.checkpoint), weights(second.checkpoint)
    assert all(np.array_equal(one[name], two[name]) for name in one)
    with pytest.raises(UsageError, match="save-minutes is -1"):
        train(folder, "out", save_minutes=-1, **TINY)


def test_the_same_seed_gives_the_same_model_and_another_seed_another(folder):
    results = [train(folder, f"out{i}", epochs=1, seed=seed, **TINY) for i, seed in enumerate((1, 1, 2))]
    one, again, other = (weights(result.checkpoint) for result in results)
    assert all(np.array_equal(one[name], again[name]) for name in one)
    assert any(not np.array_equal(one[name], other[name]) for name in one)


def test_early_stopping_keeps_the_best(folder):
    result = train(folder, "out", epochs=40, lr=0.5, warmup=0, average=0, patience=2, val_split=0.3, **TINY)
    rows = [float(row["val_nats"]) for row in metrics()]
    assert result.stopped == "patience"
    assert result.val_nats == pytest.approx(min(rows), rel=1e-4)
    assert rows.index(min(rows)) == len(rows) - 3
    kept = Checkpoint.load(result.checkpoint).provenance["validation_nats_per_note"]
    assert kept == pytest.approx(min(rows), abs=1e-3)


def test_a_run_that_stopped_early_stays_stopped(folder):
    options = {"epochs": 40, "lr": 0.5, "warmup": 0, "average": 0, "val_split": 0.3, **TINY}
    first = train(folder, "out", patience=2, **options)
    again = train(folder, "out", patience=2, resume=True, **options)
    assert (again.stopped, again.epochs) == ("patience", first.epochs)
    assert train(folder, "out", patience=3, resume=True, **options).epochs > first.epochs


def test_a_short_run_warms_up_in_a_tenth_of_its_time(folder):
    train(folder, "out", epochs=20, warmup=10_000, patience=0, **TINY)
    rates = [float(row["learning_rate"]) for row in metrics()]
    assert max(rates) > 0.9 * 2e-3
    assert rates.index(max(rates)) < 4


def test_torch_has_its_threads_back_afterwards(folder, monkeypatch):
    before, seen = torch.get_num_threads(), []
    real = MelodyGRU.nll
    monkeypatch.setattr(MelodyGRU, "nll", lambda *a: seen.append(torch.get_num_threads()) or real(*a))
    torch.set_num_threads(3)
    try:
        train(folder, "out", epochs=1, **TINY)
        assert torch.get_num_threads() == 3
    finally:
        torch.set_num_threads(before)
    assert set(seen) == {1}


def test_a_time_limit_ends_the_run_and_its_schedule(folder):
    # Long enough that on a busy machine too the last steps are made near its end.
    result = train(folder, "out", epochs=10_000, patience=1000, max_minutes=0.05, **TINY)
    assert result.stopped == "time"
    rows = metrics()
    assert float(rows[-1]["learning_rate"]) < 0.3 * 2e-3


def test_a_loss_that_is_no_number_is_one_sentence_and_nothing_is_lost(folder, monkeypatch):
    train(folder, "out", epochs=1, **TINY)
    before = weights("out.safetensors")
    real = MelodyGRU.nll
    monkeypatch.setattr(MelodyGRU, "nll", lambda *a, **k: tuple(part * math.nan for part in real(*a, **k)))
    with pytest.raises(TrainingError, match="loss is nan at step"):
        train(folder, "out", epochs=2, resume=True, **TINY)
    assert all(np.array_equal(before[name], array) for name, array in weights("out.safetensors").items())


def test_a_gradient_that_is_no_number_does_not_spoil_the_model(folder, monkeypatch):
    train(folder, "out", epochs=1, **TINY)
    before = weights("out.safetensors")
    real, steps = MelodyGRU.nll, []

    def nll(self, *arguments, **options):
        durations, pitches = real(self, *arguments, **options)
        steps.append(self.training)
        # The root of 0 is 0, and its slope infinite.
        return durations + (durations * 0).sqrt(), pitches

    monkeypatch.setattr(MelodyGRU, "nll", nll)
    with pytest.raises(TrainingError, match=r"The gradient is nan at step .* The model of epoch 1 is kept"):
        train(folder, "out", epochs=2, resume=True, **TINY)
    assert steps == [True]
    assert all(np.array_equal(before[name], array) for name, array in weights("out.safetensors").items())


def on_a_gpu(monkeypatch, lag):
    """What is done on a GPU, as far as a CPU can do it: the data lies there, and losses come some steps later."""
    monkeypatch.setattr(learner, "Loader", lambda device, **more: Loader(device, resident=True, **more))
    monkeypatch.setattr(learner, "Pending", lambda device: Pending(device, lag))


def test_losses_that_come_later_change_nothing(folder, monkeypatch):
    train(folder, "now", epochs=3, val_split=0.2, seed=3, **TINY)
    on_a_gpu(monkeypatch, 5)
    train(folder, "later", epochs=3, val_split=0.2, seed=3, **TINY)
    for one, other in zip(metrics("now"), metrics("later"), strict=True):
        for name in ("step", "train_nats", "val_nats", "learning_rate"):
            assert float(one[name]) == pytest.approx(float(other[name]), rel=1e-5)


def test_a_gradient_that_is_seen_too_late_has_not_spoiled_the_model(folder, monkeypatch):
    on_a_gpu(monkeypatch, 3)
    real, steps, seen = MelodyGRU.nll, [], []

    def nll(self, *arguments, **options):
        durations, pitches = real(self, *arguments, **options)
        seen.append({name: values.clone() for name, values in self.state_dict().items()})
        steps.append(self.training)
        return durations + ((durations * 0).sqrt() if len(steps) > 2 else 0), pitches

    monkeypatch.setattr(MelodyGRU, "nll", nll)
    with pytest.raises(TrainingError, match="The gradient is nan at step 2 "):
        train(folder, "out", epochs=9, **TINY)
    assert steps == [True] * 6
    for name, values in seen[2].items():
        assert (seen[1][name] == values).all() == (seen[1][name] == seen[0][name]).all()
        assert (seen[5][name] == values).all()


def test_a_full_disk_is_one_sentence_and_nothing_is_lost(folder, monkeypatch):
    train(folder, "out", epochs=1, **TINY)
    before = {path: path.read_bytes() for path in (Path("out.safetensors"), Path("out/state.safetensors"))}

    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("melodygru.system.files.os.replace", full)
    with pytest.raises(FileError, match=r"cannot be written .*check the disk"):
        train(folder, "out", epochs=2, resume=True, **TINY)
    assert all(path.read_bytes() == content for path, content in before.items())
    assert not list(Path().rglob("*.part"))


def test_running_out_of_memory_is_one_sentence(folder, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes.")

    monkeypatch.setattr(MelodyGRU, "nll", fail)
    with pytest.raises(TrainingError, match="--batch-size 4; choose a smaller one"):
        train(folder, "out", epochs=1, **TINY)


def test_what_is_there_is_not_replaced_without_a_word(folder):
    train(folder, "out", epochs=1, **TINY)
    with pytest.raises(UsageError, match="--resume, replace it with --force"):
        train(folder, "out", epochs=1, **TINY)
    train(folder, "out", epochs=1, force=True, **TINY)
    with pytest.raises(UsageError, match="no run to resume"):
        train(folder, "other", epochs=1, resume=True, **TINY)


def test_a_run_is_resumed_only_with_its_own_data_and_settings(folder):
    train(folder, "out", epochs=1, **TINY)
    with pytest.raises(CheckpointError, match="other settings of training"):
        train(folder, "out", epochs=2, resume=True, lr=0.1, **TINY)
    with pytest.raises(CheckpointError, match="other settings of the model"):
        train(folder, "out", epochs=2, resume=True, **{**TINY, "hidden": 9})
    with pytest.raises(CheckpointError, match="other data"):
        train(folder, "out", epochs=2, resume=True, val_data=write_tunes("held", count=3), **TINY)
    (folder / "000.mid").unlink()
    with pytest.raises(CheckpointError, match="other data"):
        train(folder, "out", epochs=2, resume=True, **TINY)
    state = Path("out/state.safetensors")
    state.write_bytes(state.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="damaged"):
        train(folder, "out", epochs=2, resume=True, **TINY)


def test_a_resumed_run_keeps_the_settings_that_are_not_given(folder):
    shape = {name: TINY[name] for name in ("hidden", "layers", "preset", "context", "device")}
    given = {"batch_size": 3, "window": 12, "lr": 0.01, "seed": 5, "val_split": 0.2, "average": 0.9}
    whole = train(folder, "whole", epochs=2, **shape, **given)
    train(folder, "out", epochs=2, listener=StopAfter(5), **shape, **given)
    second = train(folder, "out", epochs=2, resume=True, lr=0.01, **shape)
    one, two = weights(whole.checkpoint), weights(second.checkpoint)
    assert all(np.array_equal(one[name], two[name]) for name in one)


def test_a_run_begun_before_there_was_a_choice_of_optimizer_goes_on_with_adamw(folder):
    options = {**TINY, "epochs": 2, "seed": 3, "val_split": 0.2}
    whole = train(folder, "whole", optimizer="adamw", **options)
    train(folder, "out", optimizer="adamw", listener=StopAfter(5), **options)
    state = Path("out/state.safetensors")
    data = state.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    identity = json.loads(header["__metadata__"]["identity"])
    assert identity["train"].pop("optimizer") == "adamw"
    header["__metadata__"]["identity"] = json.dumps(identity)
    text = json.dumps(header).encode()
    state.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])
    second = train(folder, "out", resume=True, **options)
    one, two = weights(whole.checkpoint), weights(second.checkpoint)
    assert all(np.array_equal(one[name], two[name]) for name in one)


def test_settings_that_cannot_be_are_damage(folder):
    train(folder, "out", epochs=1, **TINY)
    state = Path("out/state.safetensors")
    data = state.read_bytes()
    state.write_bytes(data.replace(b'\\"batch_size\\": 4', b'\\"batch_size\\": 0'))
    assert state.read_bytes() != data
    with pytest.raises(CheckpointError, match="damaged"):
        train(folder, "out", epochs=2, resume=True, **TINY)


def test_beginning_from_a_model_begins_from_its_weights(folder):
    first = train(folder, "first", epochs=2, patience=0, **TINY)
    second = train(folder, "second", epochs=1, lr=1e-8, init_from="first", patience=0, device="cpu")
    one, two = weights(first.checkpoint), weights(second.checkpoint)
    # (The second is told more, so its input layer is wider.)
    assert all(np.allclose(one[name], two[name], atol=1e-5) for name in set(one) - {"input.weight"})


@pytest.mark.parametrize("cell", ["lstm", "rnn", "gru-v1", "mingru"])
def test_other_cells_train_too(folder, cell):
    result = train(folder, "out", epochs=1, cell=cell, **TINY)
    assert Checkpoint.load(result.checkpoint).model_config.cell == cell


def test_bf16_trains_too(folder):
    assert math.isfinite(train(folder, "out", epochs=1, precision="bf16", **TINY).val_nats)


def test_without_validation_the_last_weights_are_kept(folder):
    result = train(folder, "out", epochs=2, val_split=0, **TINY)
    assert math.isnan(result.val_nats)
    assert Checkpoint.load(result.checkpoint).provenance["epochs"] == 2


def test_training_works_outside_the_main_thread(folder):
    done = []
    thread = threading.Thread(target=lambda: done.append(train(folder, "out", epochs=1, **TINY)))
    thread.start()
    thread.join()
    assert done[0].stopped == "finished"


def test_tensorboard_files_are_written(folder):
    pytest.importorskip("tensorboard")
    train(folder, "out", epochs=1, tensorboard=True, **TINY)
    assert list(Path("out").glob("events.out.tfevents.*"))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"preset": "huge"}, "'huge' is not known"),
        ({"device": "tpu"}, "'tpu' is not known"),
        ({"precision": "int4"}, "'int4' is not known"),
        ({"epochs": 0}, "epochs is 0"),
        ({"lr": -1}, "lr is -1"),
        ({"val_split": 1.5}, "val-split is 1.5"),
        ({"threads": 0}, "threads is 0"),
        ({"surprise": 1}, "surprise"),
        ({"out": "."}, "is a folder; give --out the name of a model in it"),
    ],
)
def test_settings_out_of_range_are_refused(folder, options, words):
    with pytest.raises(UsageError, match=words):
        train(folder, **{"out": "out", **options})
    assert not Path("out.safetensors").exists()


def test_a_folder_of_nothing_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("MELODYGRU_CACHE", str(tmp_path / "cache"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError):
        train(tmp_path / "empty", tmp_path / "out", epochs=1)
    assert not (tmp_path / "out").exists()


def test_the_command_prints_plain_lines_where_there_is_no_terminal(folder, capsys):
    options = ["--preset", "tiny", "--hidden", 8, "--epochs", 2, "--batch-size", 4, "--device", "cpu"]
    assert command("train", folder, "--out", "out", *options) == 0
    text = capsys.readouterr().out
    assert "training on" in text
    assert "epoch   2  training" in text
    assert "melodygru generate --model out.safetensors out.mid" in text
    assert "\x1b" not in text
    assert "\r" not in text
    assert command("train", folder, "--out", "out", *options) == 2
    assert "exists; go on with --resume" in capsys.readouterr().err


def test_help_tells_the_defaults_that_hold(capsys):
    assert command("train", "--help") == 0
    text = " ".join(capsys.readouterr().out.replace("│", " ").split())
    for option in ("epochs", "batch_size", "lr", "weight_decay", "grad_clip", "val_split", "patience", "seed"):
        after = text.split(f"--{option.replace('_', '-')} ")[1]
        assert re.split("[;)]", after.split("[default: (")[1])[0] == f"{getattr(TrainConfig(), option):g}", option


def test_the_live_line_shows_brackets_as_they_are(capsys):
    screen = Live()
    screen.reading(1, 2)
    screen.show("  1 could not be read [Errno 13]")
    screen.stepped(1, 0.5, 2.0, 1000.0, 75.0)
    screen.finished_epoch(dict.fromkeys(METRICS, 1.5))
    screen.close()
    text = capsys.readouterr().out
    assert "[Errno 13]" in text
    assert "validation 1.500 nats per note" in text


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c_saves_and_says_how_to_go_on(folder):
    """As a user does it: another process, a real signal."""
    arguments = ["train", str(folder), "--out", "out", "--preset", "tiny", "--epochs", "100000", "--patience", "0"]
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "melodygru", *arguments, "--device", "cpu"], stdout=subprocess.PIPE, text=True
    )
    for line in process.stdout:
        if line.startswith("epoch"):
            process.send_signal(signal.SIGINT)
            break
    rest = process.stdout.read()
    process.stdout.close()
    assert process.wait(timeout=60) == 0
    assert "Stopped, as you asked" in rest
    assert "--resume" in rest
    assert Checkpoint.load("out.safetensors").provenance["pieces"]
    assert Path("out/state.safetensors").exists()


def test_the_live_line_is_followed_by_what_stays(folder, capsys):
    from melodygru.cli.train_command import Live

    screen = Live()
    try:
        train(folder, "out", epochs=2, listener=screen, **TINY)
    finally:
        screen.close()
    lines = capsys.readouterr().out
    assert "training on" in lines
    assert "epoch   2  training" in lines
