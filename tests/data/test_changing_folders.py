"""Folders that change: between two readings, of which the second reads what is new alone, and while they are read."""

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from melodygru.data import cache, collection, preparation
from melodygru.data.cache import load_dataset
from melodygru.data.collection import find_names, read_collection
from melodygru.data.earlier import Listing
from melodygru.errors import DataError
from melodygru.formats.midi.writer import write_midi
from melodygru.network.config import ContextConfig, TokenizerConfig
from tests.command_line import run
from tests.tunes import tune, write_tunes

CONTEXT = ContextConfig(lookback=(1, 2))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MELODYGRU_CACHE", str(tmp_path / "cache"))
    folder = write_tunes(tmp_path / "tunes", 8)
    (folder / "empty.mid").write_bytes(b"")
    return folder


def load(folder):
    return load_dataset(folder, TokenizerConfig(), CONTEXT)


def same(one, other):
    assert (one.fingerprint, one.names, one.report) == (other.fingerprint, other.names, other.report)
    assert set(one.arrays) == set(other.arrays)
    for name in one.arrays:
        np.testing.assert_array_equal(one.arrays[name], other.arrays[name])
    for name in ("table", "offsets", "families", "lowest", "highest", "pickups"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def read_names(monkeypatch):
    """The names of files as they are really read."""
    read = []
    real = cache.write_shards
    monkeypatch.setattr(cache, "write_shards", lambda files, *rest: read.extend(files) or real(files, *rest))
    return read


def change(folder, what, number):
    """One change; the names of what has to be read for it."""
    path = folder / f"{number:03}.mid"
    if what == "remove":
        path.unlink(missing_ok=True)
        return set()
    if what == "rename" and path.exists():
        path.rename(folder / f"z{number:03}.mid")
        return {f"z{number:03}.mid"}
    if what == "break":
        path.write_bytes(b"MThd")
    elif what == "touch" and path.exists():
        os.utime(path, ns=(number, os.stat(path).st_mtime_ns + 1))
    else:
        write_midi(tune(number + 50), path, force=True)
    return {path.name}


changes = st.lists(
    st.tuples(st.sampled_from(["remove", "rename", "break", "touch", "write"]), st.integers(1, 11))
)  # the first tune stays


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(changes, min_size=1, max_size=3))
def test_what_changed_alone_is_read_and_all_is_as_if_read_anew(tmp_path, rounds):
    with pytest.MonkeyPatch.context() as monkeypatch:
        home = Path(os.path.realpath(tmp_path)) / "round"
        shutil.rmtree(home, ignore_errors=True)
        monkeypatch.setenv("MELODYGRU_CACHE", str(home / "cache"))
        folder = write_tunes(home / "tunes", 8)
        load(folder)
        for some in rounds:
            new = set().union(*(change(folder, *one) for one in some))
            read = read_names(monkeypatch)
            found = load(folder)
            assert {os.path.basename(name) for name in read} <= new
            monkeypatch.undo()
            monkeypatch.setenv("MELODYGRU_CACHE", str(home / "other"))
            shutil.rmtree(home / "other", ignore_errors=True)
            same(found, load(folder))
            monkeypatch.setenv("MELODYGRU_CACHE", str(home / "cache"))


def test_one_more_file_is_read_alone(folder, monkeypatch):
    load(folder)
    read = read_names(monkeypatch)
    write_midi(tune(99), folder / "0035.mid")
    assert load(folder).pieces == 9
    assert [os.path.basename(name) for name in read] == ["0035.mid"]
    assert "0035" in load(folder).names


def test_what_was_only_closed_is_tried_again(folder, monkeypatch):
    from melodygru.formats.midi import parser

    def refuse(path, mode):
        if os.path.basename(path) == "003.mid":
            raise PermissionError(13, "Permission denied")
        return open(path, mode)

    monkeypatch.setattr(parser, "open", refuse, raising=False)
    assert load(folder).pieces == 7
    monkeypatch.undo()
    monkeypatch.setenv("MELODYGRU_CACHE", str(folder.parent / "cache"))
    write_midi(tune(99), folder / "zzz.mid")
    assert load(folder).pieces == 9


@pytest.mark.parametrize("name", ["files.npz", "table.npy", "lengths.npy", "durations.npy"])
def test_a_damaged_earlier_cache_is_none(folder, name):
    load(folder)
    [path] = cache.cache_home().rglob(name)
    path.write_bytes(path.read_bytes()[: -(path.stat().st_size // 3)])
    write_midi(tune(99), folder / "zzz.mid")
    assert load(folder).pieces == 9


def test_a_run_that_was_stopped_goes_on_beside_an_earlier_cache(folder, monkeypatch):
    monkeypatch.setattr(preparation, "SHARD_FILES", 2)
    load(folder)
    for number in range(6):
        write_midi(tune(60 + number), folder / f"new{number}.mid")

    def stop(done, total):
        if done >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_dataset(folder, TokenizerConfig(), CONTEXT, progress=stop)
    told = []
    found = load_dataset(folder, TokenizerConfig(), CONTEXT, progress=lambda *counts: told.append(counts))
    assert told == [(6, 6)]
    monkeypatch.setenv("MELODYGRU_CACHE", str(folder.parent / "other"))
    same(found, load(folder))


def disturbed(monkeypatch, folder, deed):
    """Does it once the files are listed, before any is read."""
    real = cache.find_names
    for module in (cache, collection):
        monkeypatch.setattr(module, "find_names", lambda asked: (real(asked), deed())[0])


@pytest.mark.parametrize("deed", ["vanish", "folder", "grow", "appear"])
def test_a_folder_may_change_while_it_is_read(folder, monkeypatch, deed, capsys):
    path = folder / "003.mid"

    def act():
        if deed == "appear":
            write_midi(tune(99), folder / "zzz.mid", force=True)
        elif deed == "grow":
            path.write_bytes(path.read_bytes() + b"more")
        elif path.is_file():
            path.unlink()
            if deed == "folder":
                path.mkdir()

    disturbed(monkeypatch, folder, act)
    assert load(folder).pieces == (8 if deed in ("grow", "appear") else 7)
    assert len(read_collection(folder).pieces) == {"appear": 9}.get(deed, load(folder).pieces)
    monkeypatch.undo()
    monkeypatch.setenv("MELODYGRU_CACHE", str(folder.parent / "cache"))
    assert load(folder).pieces == {"grow": 8, "appear": 9}.get(deed, 7)
    for command in ("inspect", "prepare"):
        assert run(command, folder) == 0
    assert capsys.readouterr().err == ""


def test_a_file_that_goes_while_it_is_read_is_left_out(folder, monkeypatch):
    real = cache.write_shards

    def first_remove(files, *rest):
        (folder / "003.mid").unlink()
        return real(files, *rest)

    monkeypatch.setattr(cache, "write_shards", first_remove)
    found = load(folder)
    assert found.pieces == 7
    assert found.report["left_out"] == {"cannot be read (No such file or directory)": 1, "is empty (0 bytes)": 1}


def test_a_folder_that_is_emptied_is_one_sentence(folder, monkeypatch):
    disturbed(monkeypatch, folder, lambda: [path.unlink(missing_ok=True) for path in folder.iterdir()])
    with pytest.raises(DataError, match="was emptied while it was read"):
        load(folder)


def test_a_subfolder_that_is_closed_is_told(folder, monkeypatch, capsys):
    (folder / "closed").mkdir()
    real = os.scandir

    def scandir(path):
        if os.path.basename(path) == "closed":
            raise PermissionError(13, "Permission denied", path)
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert [verdict.path.name for verdict in read_collection(folder).left_out] == ["closed", "empty.mid"]
    with pytest.raises(DataError, match=r"closed cannot be read \(Permission denied\); check its permissions"):
        find_names(folder / "closed")
    assert run("inspect", folder) == 0
    assert "cannot be read" in capsys.readouterr().out


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_names_that_are_no_text_are_shown_and_kept(folder, capsys):
    shutil.copy(folder / "003.mid", os.fsencode(folder) + b"/caf\xe9\n2.mid")
    (folder / "broken\nname.mid").write_bytes(b"MThd")
    assert "caf\ufffd\ufffd2" in load(folder).names
    assert run("inspect", folder) == 0
    assert "broken\ufffdname.mid" in capsys.readouterr().out
    assert run("prepare", folder) == 0


def test_names_beyond_what_a_system_takes_are_one_sentence():
    with pytest.raises(DataError, match="There is no folder xxx"):
        find_names("x" * 10_000)


def test_links_that_loop_are_no_files(folder):
    (folder / "self").symlink_to(folder)
    (folder / "loop.mid").symlink_to("loop.mid")
    assert len(find_names(folder)) == 9
    assert len(Listing.of(folder, [*find_names(folder), str(folder / "loop.mid")]).names) == 9


def test_a_full_disk_is_one_sentence_with_the_systems_word(folder, monkeypatch):
    def full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DataError, match=r"cannot be written \(No space left on device\); make room, or set [A-Z_]+\.$"):
        load(folder)
