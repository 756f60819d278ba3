"""Files whose readers die, hang, grow or raise what nobody expects cost themselves alone."""

import os
import shutil
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from melodygru.data import collection, preparation, workers
from melodygru.data.budget import OUT_OF_MEMORY, Budget, OutOfTime
from melodygru.data.collection import read_collection
from melodygru.data.preparation import Reading, read_shards, write_shards
from melodygru.data.shards import Shard
from melodygru.errors import FileError
from tests.data.hostile import Hostile
from tests.tunes import write_tunes

BUDGET = Budget(seconds=0.4, memory=256 << 20)
SLOW = "takes longer than 0.4 seconds to read"
CRASHED = "makes its reader crash"
UNEXPECTED = {
    "refuse": "could not be understood (Unexpected: so there)",
    "quit_": "could not be understood (SystemExit: 0)",
    "nest": "could not be understood (RecursionError: maximum recursion depth exceeded)",
}
HANGS = {"sleep": SLOW, "spin": SLOW, "swallow": SLOW}
GROWS = {"allocate": OUT_OF_MEMORY}
DEADLY = {
    "hold": SLOW,
    "leave": CRASHED,
    "crash": CRASHED,
    "interrupt": "could not be understood (KeyboardInterrupt)",
}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits are POSIX's")


@pytest.fixture
def paths(tmp_path):
    folder = write_tunes(tmp_path / "tunes", 5)
    for number, name in enumerate(("002bad.mid", "004bad.mid")):
        shutil.copy(folder / f"{number:03}.mid", folder / name)
    return [str(path) for path in sorted(folder.iterdir())]


def read(paths, deed, jobs):
    # A busy machine is no reason to be out of time, but where that is what is tried.
    budget = BUDGET if SLOW in ({**HANGS, **DEADLY}.get(deed),) else replace(BUDGET, seconds=60)
    reading = Hostile(fast=False, budget=budget, deed=deed)
    return list(read_shards(paths, reading, jobs=jobs))


def reasons(shards):
    return {os.path.basename(file.path): file.reason for shard in shards for file in shard.files if file.reason}


@pytest.mark.parametrize(("deed", "reason"), [("refuse", UNEXPECTED["refuse"]), *GROWS.items(), *DEADLY.items()])
def test_a_file_costs_itself_alone_among_processes(paths, monkeypatch, deed, reason):
    monkeypatch.setattr(preparation, "SHARD_FILES", 4)
    monkeypatch.setattr(preparation, "_WORTH_PROCESSES", 1)
    shards = read(paths, deed, jobs=1)
    assert reasons(shards) == {"002bad.mid": reason, "004bad.mid": reason}
    good = [path for path in paths if "bad" not in path]
    assert [name for shard in shards for name in shard.names] == [Path(path).stem for path in good]


@pytest.mark.parametrize(("deed", "reason"), [*UNEXPECTED.items(), *HANGS.items(), *GROWS.items()])
def test_a_file_costs_itself_alone_in_this_process(paths, deed, reason):
    shards = read(paths, deed, jobs=None)
    assert reasons(shards) == {"002bad.mid": reason, "004bad.mid": reason}
    assert shards[0].names == [Path(path).stem for path in paths if "bad" not in path]


def test_all_bad_files_at_once_are_each_told(paths, monkeypatch):
    """With two processes and many shards, of which most have one that dies."""
    monkeypatch.setattr(preparation, "SHARD_FILES", 2)
    shards = list(read_shards(paths[:5], Hostile(fast=False, deed="leave", of="0"), jobs=2))
    assert reasons(shards) == {os.path.basename(path): CRASHED for path in paths[:5]}


def test_a_collection_is_watched_too(paths, monkeypatch):
    real = collection.read

    def slow(path, config, *others):
        if "bad" in path.name:
            time.sleep(600)
        return real(path, config, *others)

    monkeypatch.setattr(collection, "read", slow)
    found = read_collection(Path(paths[0]).parent, budget=BUDGET)
    assert {verdict.path.name: verdict.reason for verdict in found.left_out} == {
        "002bad.mid": SLOW,
        "004bad.mid": SLOW,
    }
    assert len(found.pieces) == 5


@pytest.mark.parametrize("error", [MemoryError, RecursionError, SystemExit, GeneratorExit])
def test_whatever_a_reader_raises_ends_in_the_verdict(paths, monkeypatch, error):
    def fail(path, config, *others):
        raise error

    monkeypatch.setattr(collection, "read", fail)
    told = {verdict.reason for verdict in read_collection(Path(paths[0]).parent).left_out}
    assert told == {OUT_OF_MEMORY if error is MemoryError else f"could not be understood ({error.__name__})"}


def test_ctrl_c_is_no_fault_of_a_file(paths, monkeypatch):
    def stop(path, config, *others):
        raise KeyboardInterrupt

    monkeypatch.setattr(collection, "read", stop)
    with pytest.raises(KeyboardInterrupt):
        read_collection(Path(paths[0]).parent)


def test_limits_are_taken_back():
    import resource
    import signal

    before = resource.getrlimit(resource.RLIMIT_AS), signal.getsignal(signal.SIGALRM)
    with pytest.raises(OutOfTime), Budget(0.05).held():
        time.sleep(10)
    with pytest.raises(MemoryError), Budget(memory=1 << 24).held():
        bytearray(1 << 34)  # more than this process may have kept of what it freed before
    assert (resource.getrlimit(resource.RLIMIT_AS), signal.getsignal(signal.SIGALRM)) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


@pytest.mark.parametrize("jobs", [None, 2])
def test_a_shard_that_cannot_be_written_ends_the_run(paths, monkeypatch, tmp_path, jobs):
    monkeypatch.setattr(preparation, "SHARD_FILES", 2)
    monkeypatch.setenv("SHARDS_OF_TEST", str(tmp_path / "shards"))
    reading = Hostile(fast=False, deed="remove_shards", of="002bad")
    with pytest.raises(FileError, match="shards does not exist"):
        write_shards(paths, reading, tmp_path / "shards", jobs=jobs)


def test_processes_end_with_the_reading(paths, monkeypatch):
    import multiprocessing

    monkeypatch.setattr(preparation, "SHARD_FILES", 2)
    shards = read_shards(paths, Reading(fast=False), jobs=2)
    assert isinstance(next(shards), Shard)
    assert multiprocessing.active_children()
    shards.close()
    assert not multiprocessing.active_children()


def die(*_):
    os._exit(1)


def test_where_no_process_starts_this_one_reads(paths, monkeypatch):
    monkeypatch.setattr(preparation, "SHARD_FILES", 2)
    monkeypatch.setattr(workers, "_serve", die)
    found = list(read_shards(paths, Reading(fast=False), jobs=2))
    assert [name for shard in found for name in shard.names] == [Path(path).stem for path in paths]
