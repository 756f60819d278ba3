import csv
import os
import re
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from melodygru import load_model, train
from melodygru.data.cache import load_dataset
from melodygru.errors import DataError, TrainingError, UsageError
from melodygru.network.checkpoint import Checkpoint
from melodygru.training.distributed import Group, PeerLostError, _unused, told_elsewhere
from melodygru.training.state import TrainingState
from tests.command_line import run as command
from tests.training.test_trainer import TINY
from tests.tunes import write_tunes

OPTIONS = ("--preset", "tiny", "--hidden", "16", "--batch-size", "5", "--device", "cpu", "--precision", "fp32")
SAME = ("--dropout", "0", "--val-split", "0.3", "--patience", "0")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MELODYGRU_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.chdir(tmp_path)
    return write_tunes(tmp_path / "tunes")


@pytest.fixture
def alone(monkeypatch):
    """The environment of torchrun with one process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"RANK": 0, "WORLD_SIZE": 1, "LOCAL_RANK": 0, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    for name, value in settings.items():
        monkeypatch.setenv(name, str(value))


def metrics(name):
    with Path(name, "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def weights(name):
    return Checkpoint.load(f"{name}.safetensors").weights


def torchrun(*arguments, processes=2, restarts=0, program=("-m", "melodygru")):
    """torchrun as a process that is going on."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"]
    command = [*launcher, f"--max-restarts={restarts}", *program, *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment)


def finished(process, seconds=120):
    """What a process has printed, and its exit code, once it has ended; it fails where the process hangs."""
    try:
        text, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        text, _ = process.communicate()
        pytest.fail(f"it hangs:\n{text}")
    return text, process.returncode


def until(process, words):
    """Lines of a process up to the first with these words."""
    lines = []
    for line in process.stdout:
        lines.append(line)
        if words in line:
            return "".join(lines)
    pytest.fail(f"{words!r} never came:\n{''.join(lines)}")


# A group of one


def test_a_plain_run_never_touches_torch_distributed(folder, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("torch.distributed was touched")

    for name in ("init_process_group", "all_reduce", "all_gather_object", "destroy_process_group", "rendezvous"):
        monkeypatch.setattr(torch.distributed, name, refuse)
    assert train(folder, "out", epochs=1, **TINY).stopped == "finished"
    assert not Path("out", TrainingState.RUNNING).exists()


def test_a_group_of_one_changes_nothing():
    group = Group()
    tensor, rows = torch.arange(3.0), np.arange(7)
    model = torch.nn.Linear(2, 1)
    group.sum_([tensor])
    group.sum_gradients(model, tensor)
    assert tensor.tolist() == [0, 1, 2]
    assert model.weight.grad is None
    assert group.sum(1.5, 2) == [1.5, 2]
    assert group.gather("a") == ["a"]
    assert np.array_equal(group.part(rows), rows)
    calls = []
    assert group.first_alone(lambda: calls.append(1) or 5) == group.of_first(lambda: 5) == 5
    assert calls == [1]
    group.raise_first(None)
    error = DataError("nothing")
    with pytest.raises(DataError) as raised, group.together():
        raise error
    assert raised.value is error
    assert not told_elsewhere(error)


@given(st.lists(st.integers(0, 1000), max_size=40), st.integers(1, 12))
def test_every_row_is_in_one_part(rows, world):
    parts = [Group(rank=rank, world=world).part(np.array(rows, int)) for rank in range(world)]
    assert sorted(np.concatenate(parts).tolist()) == sorted(rows)
    sizes = [len(part) for part in parts]
    assert max(sizes) - min(sizes) <= 1


def test_the_group_is_what_torchrun_says(monkeypatch):
    assert Group.from_environment() == Group()
    values = {"RANK": 3, "WORLD_SIZE": 4, "LOCAL_RANK": 1, "LOCAL_WORLD_SIZE": 2, "TORCHELASTIC_RESTART_COUNT": 2}
    for name, value in values.items():
        monkeypatch.setenv(name, str(value))
    assert Group.from_environment() == Group()  # not all of it is there
    monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "night")
    group = Group.from_environment()
    assert group == Group(3, 4, 1, 2, True, 2, "night")
    assert not group.first
    for name, value, words in (("RANK", "4", "RANK is 4"), ("WORLD_SIZE", "two", "WORLD_SIZE is 'two'")):
        with monkeypatch.context() as wrong:
            wrong.setenv(name, value)
            with pytest.raises(UsageError, match=words):
                Group.from_environment()


def test_one_process_tells_of_an_error():
    class Two(Group):
        def gather(self, value):
            return [value, UsageError("of the second")] if self.first else [UsageError("of the first"), value]

    for rank, words in ((0, "of the second"), (1, "of the first")):
        with pytest.raises(UsageError, match=words) as raised, Two(rank, 2).together():
            pass
        assert told_elsewhere(raised.value) == (rank == 1)
    with pytest.raises(UsageError) as raised, Two(0, 2, restarts=1).together():
        pass
    assert told_elsewhere(raised.value)  # it was told before the restart
    with pytest.raises(ZeroDivisionError), Two(0, 2).together():
        raise ZeroDivisionError  # its own comes first


def test_an_error_in_other_words_is_told_by_the_same_process():
    first, second = TrainingError("memory"), TrainingError("memory")
    first.__cause__ = RuntimeError("memory")
    second.__cause__ = RuntimeError("memory")
    second.__cause__.told_elsewhere = True
    assert not told_elsewhere(first)
    assert told_elsewhere(second)


def test_a_lost_process_is_one_sentence(monkeypatch):
    def broken(*_, **__):
        raise RuntimeError("[tcp/pair.cc:547] Connection closed by peer [127.0.0.1]:1")

    monkeypatch.setattr(torch.distributed, "all_reduce", broken)
    for rank in (0, 1):
        with pytest.raises(PeerLostError, match="Another process of this run has ended") as raised:
            Group(rank, 2).sum(1)
        assert isinstance(raised.value, TrainingError)
        assert told_elsewhere(raised.value) == (rank == 1)


@pytest.mark.parametrize("world", [1, 2, 5])
def test_processes_that_are_started_again_do_not_meet_dead_ones(world):
    store = torch.distributed.HashStore()
    for start in range(3):
        found = {}

        def join(rank, found=found):
            found[rank] = _unused(store, rank, world)

        # The first comes late: the others find what an older first one has left.
        threads = [threading.Thread(target=join, args=(rank,)) for rank in reversed(range(world))]
        for thread in threads:
            thread.start()
            time.sleep(0.02)
        for thread in threads:
            thread.join(20)
        assert sorted(found) == list(range(world))
        assert not any(part.check(["address"]) for part in found.values())
        found[0].set("address", str(start))
        assert {part.get("address") for part in found.values()} == {str(start).encode()}


def test_only_the_very_run_that_broke_off_goes_on(tmp_path):
    state = tmp_path / TrainingState.FILE
    assert not TrainingState.broken_off(tmp_path, "none", 1)
    state.write_bytes(b"of an older run")
    TrainingState.begun(tmp_path, "none", anew=True)
    assert not state.exists()
    assert not TrainingState.broken_off(tmp_path, "none", 0)
    assert TrainingState.broken_off(tmp_path, "none", 1)
    assert not TrainingState.broken_off(tmp_path, "night", 1)
    TrainingState.begun(tmp_path, "night", anew=False)
    assert TrainingState.broken_off(tmp_path, "night", 0)  # a machine joined: nobody counts that as a restart
    TrainingState.ended(tmp_path)
    assert not TrainingState.broken_off(tmp_path, "night", 1)


def test_torchrun_with_one_process_is_a_plain_run(folder, alone, monkeypatch):
    options = {"epochs": 2, "val_split": 0.2, "threads": 1, **TINY}
    launched = train(folder, "launched", **options)
    assert not torch.distributed.is_initialized()
    assert not Path("launched", TrainingState.RUNNING).exists()
    again = train(folder, "again", **options)  # the group can be joined twice
    monkeypatch.delenv("RANK")
    plain = train(folder, "plain", **options)
    assert launched.val_nats == again.val_nats == plain.val_nats
    one, two = weights("launched"), weights("plain")
    assert all(np.array_equal(one[name], two[name]) for name in one)


def test_a_run_broken_off_goes_on_by_itself(folder, alone, monkeypatch):
    """As torchrun does it, without the wait for new processes."""

    class KilledError(Exception):
        pass

    def kill(self, epoch, *_):
        if epoch == 2:
            raise KilledError

    options = {"epochs": 3, "val_split": 0.2, "patience": 0, "save_minutes": 0, **TINY}
    whole = train(folder, "whole", **options)
    with monkeypatch.context() as patch:
        patch.setattr("melodygru.training.progress.Silent.stepped", kill)
        with pytest.raises(KilledError):
            train(folder, "parts", **options)
    with pytest.raises(UsageError, match="go on with --resume"):
        train(folder, "whole", **options)
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "1")
    with pytest.raises(UsageError, match="go on with --resume"):
        train(folder, "whole", **options)  # a model that this run has not made
    assert train(folder, "parts", **options).val_nats == whole.val_nats
    one, two = weights("whole"), weights("parts")
    assert all(np.array_equal(one[name], two[name]) for name in one)


def test_threads_are_the_cores_shared_out(folder, alone, monkeypatch):
    seen = []
    monkeypatch.setattr("os.cpu_count", lambda: 6)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.setattr("torch.set_num_threads", seen.append)
    train(folder, "out", epochs=1, **TINY)
    assert seen[0] == 3


# Two processes


@pytest.mark.slow
@pytest.mark.parametrize("processes", [2, 3])
def test_several_processes_learn_as_one_does(folder, processes):
    """8 tunes in batches of 5: the last one of 3 gives one row to each of three processes."""
    arguments = ("train", folder, "--out", "several", *OPTIONS, *SAME, "--epochs", 4, "--lr", 0.01)
    text, code = finished(torchrun(*arguments, processes=processes))
    assert code == 0, text
    assert text.count("Finished after 4 epochs") == text.count("epoch   4  training") == 1
    single = [sys.executable, "-m", "melodygru", *map(str, arguments)]
    single[single.index("several")] = "one"
    subprocess.run(single, check=True, capture_output=True)
    one, several = metrics("one"), metrics("several")
    assert len(one) == len(several) == 4
    for left, right in zip(one, several, strict=True):
        for name in ("epoch", "step", "train_nats", "val_nats", "val_duration_nats", "val_pitch_nats", "learning_rate"):
            assert float(right[name]) == pytest.approx(float(left[name]), rel=1e-4), name
    left, right = weights("one"), weights("several")
    assert max(float(np.abs(left[name] - right[name]).max()) for name in left) < 1e-3


@pytest.mark.slow
def test_a_process_without_a_row_takes_part(folder):
    text, code = finished(torchrun("train", folder, "--out", "out", *OPTIONS, *SAME, "--batch-size", 1, "--epochs", 1))
    assert code == 0, text
    assert float(metrics("out")[0]["train_nats"]) > 0


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_killed_process_costs_what_was_not_saved_only(folder):
    whole = train(folder, "whole", preset="tiny", hidden=16, batch_size=5, device="cpu", precision="fp32", dropout=0,
                  val_split=0.3, patience=0, epochs=60)  # fmt: skip
    process = torchrun(
        "train", folder, "--out", "out", *OPTIONS, *SAME, "--epochs", 60, "--save-minutes", 0, restarts=1
    )
    before = until(process, "epoch   3")
    assert Path("out", TrainingState.RUNNING).exists()
    os.kill(worker(process, rank=1), signal.SIGKILL)
    text, code = finished(process)
    assert code == 0, text
    begun = [int(step) for step in re.findall(r"resumed at step (\d+)", text)]
    assert len(begun) == 1
    assert begun[0] >= 6
    told = [int(epoch) for epoch in re.findall(r"^epoch +(\d+)", before + text, re.MULTILINE)]
    assert told == sorted(set(told))  # no epoch twice
    rows = metrics("out")
    assert [int(row["epoch"]) for row in rows] == list(range(1, 61))
    assert float(rows[-1]["val_nats"]) == pytest.approx(whole.val_nats, rel=1e-3)
    assert load_model("out").generate(bars=2, seed=1).bars == 2
    assert not Path("out", TrainingState.RUNNING).exists()


def worker(process, rank):
    """The process number of one that torchrun has started."""
    for place in Path("/proc").glob("[0-9]*"):
        try:
            parent = re.search(r"^PPid:\s+(\d+)", (place / "status").read_text(), re.MULTILINE)
            settings = (place / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if parent and int(parent[1]) == process.pid and f"RANK={rank}".encode() in settings:
            return int(place.name)
    pytest.skip("this system does not tell its processes")


@pytest.mark.slow
def test_a_wrong_option_is_told_once(folder):
    text, code = finished(torchrun("train", folder, "--out", "out", "--preset", "huge", restarts=1))
    assert code == 1
    assert re.findall(r"^.*Error: [^\n]*$", text, re.MULTILINE)[:1] == [
        "Error: The preset 'huge' is not known; choose one of tiny, small, base."
    ]
    assert text.count("is not known") == 1
    assert "exitcode  : 2" in text
    assert not Path("out").exists()


@pytest.mark.slow
def test_what_is_there_is_not_replaced_by_a_restart(folder):
    train(folder, "out", epochs=1, **TINY)
    before = Path("out.safetensors").read_bytes(), Path("out/state.safetensors").read_bytes()
    text, code = finished(torchrun("train", folder, "--out", "out", *OPTIONS, restarts=1))
    assert code == 1
    assert text.count("go on with --resume") == 1
    assert before == (Path("out.safetensors").read_bytes(), Path("out/state.safetensors").read_bytes())


@pytest.mark.slow
def test_no_music_is_told_once(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("empty").mkdir()
    text, code = finished(torchrun("train", "empty", "--out", "out", *OPTIONS))
    assert code == 1
    assert text.count("holds no MIDI file") == 1


@pytest.mark.slow
def test_memory_that_runs_out_in_one_process_ends_all(folder):
    Path("scarce.py").write_text(
        textwrap.dedent(
            """
            import os
            from melodygru.cli import main
            from melodygru.training.torch_network import MelodyGRU

            real, steps = MelodyGRU.nll, []

            def nll(self, *arguments):
                steps.append(1)
                if os.environ["RANK"] == "1" and len(steps) == 3:
                    raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes.")
                return real(self, *arguments)

            MelodyGRU.nll = nll
            main()
            """
        )
    )
    text, code = finished(torchrun("train", folder, "--out", "out", *OPTIONS, program=("scarce.py",)))
    assert code == 1
    assert text.count("Memory ran out with --batch-size 5") == 1
    assert "Another process" not in text


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c_ends_all_processes_in_good_order(folder):
    process = torchrun("train", folder, "--out", "out", *OPTIONS, *SAME, "--epochs", 100_000)
    until(process, "epoch   2")
    process.send_signal(signal.SIGINT)
    text, _ = finished(process)
    assert text.count("Stopped, as you asked") == 1
    assert Path("out/state.safetensors").exists()
    assert not Path("out", TrainingState.RUNNING).exists()
    assert Checkpoint.load("out.safetensors").provenance["pieces"]


@pytest.mark.slow
def test_a_time_limit_ends_all_processes(folder):
    arguments = ("train", folder, "--out", "out", *OPTIONS, *SAME, "--epochs", 100_000, "--max-minutes", 0.03)
    text, code = finished(torchrun(*arguments))
    assert code == 0, text
    assert text.count("Stopped at the time limit") == 1


@pytest.mark.gpu
def test_one_process_on_a_gpu_sums_over_nccl(folder, alone):
    options = {"epochs": 2, "val_split": 0.2, **TINY, "device": "cuda"}
    assert train(folder, "out", **options).stopped == "finished"


# Reading by several processes


@pytest.mark.slow
def test_prepare_under_torchrun_shares_out_the_reading(folder, monkeypatch):
    plain = command("prepare", folder)
    assert plain == 0
    expected = load_dataset(folder).fingerprint
    monkeypatch.setenv("MELODYGRU_CACHE", str(folder.parent / "other"))
    text, code = finished(torchrun("prepare", folder))
    assert code == 0, text
    assert text.count("12 tunes with") == 1
    assert load_dataset(folder, progress=lambda *_: pytest.fail("it was read again")).fingerprint == expected
    text, code = finished(torchrun("prepare", folder / "nowhere"))
    assert code == 1
    assert text.count("There is no folder") == 1
