import errno
import os
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from melodygru.data import cache as module
from melodygru.data import preparation, shards
from melodygru.data.cache import load_dataset
from melodygru.data.dataset import originality_index
from melodygru.data.fast_lane import reader
from melodygru.errors import DataError
from melodygru.formats.midi.extraction import ExtractionConfig
from melodygru.formats.midi.writer import write_midi
from melodygru.network.config import ContextConfig, TokenizerConfig
from melodygru.network.context import CONTEXT_ARRAYS, context_arrays
from melodygru.network.tokenizer import Tokenizer
from melodygru.training.batches import Loader, Windows, epoch_batches, make_batch, shifts, split, whole_batches, windows
from tests.networks import SMALL, network
from tests.tunes import tune, write_tunes

CONTEXT = ContextConfig(lookback=(1, 2))


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MELODYGRU_CACHE", str(tmp_path / "cache"))
    return write_tunes(tmp_path / "tunes")


def load(folder, **changes):
    return load_dataset(folder, TokenizerConfig(), changes.pop("context", CONTEXT), **changes)


def counted(monkeypatch):
    """A list that grows by one whenever a folder is really read."""
    reads = []
    real = module.write_shards
    monkeypatch.setattr(module, "write_shards", lambda *a, **k: reads.append(1) or real(*a, **k))
    return reads


def test_pieces_and_their_context_are_those_of_the_files(folder):
    data = load(folder)
    assert data.pieces == 12
    assert sorted(data.names) == [f"{i:03}" for i in range(12)]
    for i in range(data.pieces):
        events = Tokenizer().encode(tune(int(data.names[i])))
        piece = slice(data.offsets[i], data.offsets[i + 1])
        assert data.arrays["durations"][piece].tolist() == events.durations.tolist()
        assert data.arrays["pitches"][piece].tolist() == events.pitches.tolist()
        expected = context_arrays([events], CONTEXT, 192)[0]
        for name in CONTEXT_ARRAYS:
            assert (data.arrays[name][piece] == expected[name]).all()
        assert (data.lowest[i], data.highest[i]) == (events.pitches[:-1].min(), events.pitches[:-1].max())


@pytest.mark.skipif(reader() is None, reason="the fast lane was not built")
def test_contexts_that_are_made_when_needed_are_the_same(folder, monkeypatch, tmp_path):
    stored = load(folder)
    monkeypatch.setattr(preparation, "FEW", 1)
    monkeypatch.setenv("MELODYGRU_CACHE", str(tmp_path / "other"))
    made = load(folder)
    assert set(made.arrays) == {"durations", "pitches"}
    assert made.fingerprint == stored.fingerprint
    assert made.report == stored.report
    for name, array in made.complete().items():
        assert array.dtype == stored.arrays[name].dtype
        assert (array == stored.arrays[name]).all()
    chosen = windows(made, np.arange(made.pieces), 10)
    rows = np.array([4, 0, len(chosen) - 1, 5, 1])
    expected = make_batch(stored, chosen, rows, "cpu")
    resident = Loader(torch.device("cpu"), resident=True)
    for found in (make_batch(made, chosen, rows, "cpu"), resident.batch(made, chosen, rows)):
        for name, values in expected.items():
            inside = expected["mask"] if values.dim() > 1 else slice(None)
            assert (found[name][inside] == values[inside]).all()
    # Also where it is opened without the fast lane.
    monkeypatch.setattr(shards, "reader", lambda: None)
    for name, values in make_batch(made, chosen, rows, "cpu").items():
        assert (values == expected[name]).all()
    index = originality_index((made, np.arange(made.pieces)))
    assert index.to_bytes() == originality_index((stored, np.arange(made.pieces))).to_bytes()


def test_a_second_load_reads_no_file(folder, monkeypatch):
    load(folder)
    reads = counted(monkeypatch)
    data = load(folder)
    assert not reads
    assert isinstance(data.arrays["inputs"], np.memmap)


@pytest.mark.parametrize("change", ["changed", "added", "removed", "touched", "context", "track"])
def test_whatever_changed_is_noticed(folder, monkeypatch, change):
    before = load(folder).fingerprint
    reads = counted(monkeypatch)
    options = {}
    if change == "changed":
        write_midi(tune(99), folder / "003.mid", force=True)
    elif change == "added":
        (folder / "more").mkdir()
        write_midi(tune(99), folder / "more" / "x.MID")
    elif change == "removed":
        (folder / "003.mid").unlink()
    elif change == "touched":
        os.utime(folder / "003.mid", (time.time() + 5, time.time() + 5))
    elif change == "context":
        options["context"] = ContextConfig(lookback=(1,))
    else:
        options["extraction"] = ExtractionConfig("1")
    data = load(folder, **options)
    assert reads
    # The fingerprint is of the music, which is the same read in another way or at another time.
    assert (data.fingerprint == before) == (change in ("touched", "context", "track"))
    assert data.pieces == {"added": 13, "removed": 11}.get(change, 12)


def test_a_damaged_cache_is_made_anew(folder, monkeypatch):
    load(folder)
    reads = counted(monkeypatch)
    for name in ("inputs.npy", "description.json", "lengths.npy", "lowest.npy"):
        for left in (40, 0):
            path = next(module.cache_home().rglob(name))
            path.write_bytes(path.read_bytes()[:left])
            assert load(folder).pieces == 12
    path.with_name("description.json").write_text("null")
    assert load(folder).pieces == 12
    path.unlink()
    assert load(folder).pieces == 12
    assert len(reads) == 10
    assert len(list(module.cache_home().glob("*/*"))) == 1


def test_a_newer_version_reads_anew(folder, monkeypatch):
    load(folder)
    reads = counted(monkeypatch)
    monkeypatch.setattr(module, "__version__", "99")
    load(folder)
    assert reads


def test_the_fingerprint_is_the_same_wherever_the_files_lie(folder, tmp_path):
    elsewhere = write_tunes(tmp_path / "elsewhere")
    assert load(elsewhere).fingerprint == load(folder).fingerprint


def test_two_processes_at_once_both_get_their_pieces(folder, monkeypatch):
    """While this one reads, another finishes; the other's cache stays, since it may be in use."""
    real = module.write_shards
    first = []

    def slowly(*arguments, **options):
        real(*arguments, **options)
        if not first:
            first.append(None)
            first.append(load(folder))

    monkeypatch.setattr(module, "write_shards", slowly)
    data = load(folder)
    assert first[1].fingerprint == data.fingerprint
    assert Path(first[1].arrays["inputs"].filename).exists()
    assert (first[1].arrays["inputs"] == data.arrays["inputs"]).all()
    assert len(list(module.cache_home().glob("*/*"))) == 1


def test_a_cache_that_cannot_be_written_is_one_sentence(folder, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(module.np, "save", full)
    with pytest.raises(DataError, match=r"cannot be written .*make room, or set MELODYGRU_CACHE"):
        load(folder)
    assert not [path for path in module.cache_home().glob("*/*") if not path.name.startswith(".part-")]


def test_old_caches_and_half_made_ones_do_not_pile_up(folder):
    load(folder)
    home = next(module.cache_home().iterdir())
    for name, age in (("old", 2 * 86_400), ("young", 60)):
        part = home / f".part-{name}"
        part.mkdir()
        os.utime(part, (time.time() - age, time.time() - age))
    for i in range(6):
        write_midi(tune(90 + i), folder / f"new{i}.mid")
        load(folder)
    assert not (home / ".part-old").exists()
    assert (home / ".part-young").exists()  # another process may be writing it
    assert len([path for path in home.iterdir() if path.name[0] != "."]) == 4
    assert load(folder).pieces == 18


def test_nothing_is_written_into_the_users_folder(folder):
    before = sorted(folder.rglob("*"))
    load(folder)
    assert sorted(folder.rglob("*")) == before


def test_a_folder_without_a_melody_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setenv("MELODYGRU_CACHE", str(tmp_path / "cache"))
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DataError):
        load(empty)
    (empty / "a.mid").write_text("not music")
    with pytest.raises(DataError):
        load(empty)


def test_windows_cover_every_event_once(folder):
    data = load(folder)
    chosen = windows(data, np.arange(data.pieces), 10)
    assert (chosen.stop - chosen.start).max() <= 10
    covered = np.concatenate([np.arange(a, b) for a, b in zip(chosen.start, chosen.stop, strict=True)])
    assert sorted(covered) == list(range(data.offsets[-1]))


def test_windows_keep_their_bar_numbers(folder):
    data = load(folder)
    chosen = windows(data, np.array([0]), 10)
    batch = make_batch(data, chosen, np.arange(len(chosen)), "cpu")
    for row in range(len(chosen)):
        length = chosen.stop[row] - chosen.start[row]
        assert (
            batch["inputs"][row, :length].numpy() == data.arrays["inputs"][chosen.start[row] : chosen.stop[row]]
        ).all()
        assert batch["mask"][row].sum() == length


def test_batches_from_data_on_the_device_are_the_same_where_there_are_events(folder):
    data = load(folder)
    chosen = windows(data, np.arange(data.pieces), 10)
    rows = np.array([3, 0, len(chosen) - 1, 7])
    expected = make_batch(data, chosen, rows, "cpu")
    found = Loader(torch.device("cpu"), resident=True).batch(data, chosen, rows)
    assert set(found) == set(expected)
    mask = expected["mask"]
    assert (found["mask"] == mask).all()
    for name, values in expected.items():
        if name != "mask":
            assert found[name].shape == values.shape
            assert (found[name][mask] == values[mask]).all()
    model = network(replace(SMALL, context=CONTEXT, max_duration=192))
    shift = torch.tensor([1, -2, 0, 5])
    for one, other in zip(model.nll(found, shift), model.nll(expected, shift), strict=True):
        torch.testing.assert_close(one, other)


def test_order_is_a_function_of_seed_and_epoch_and_holds_every_window_once():
    chosen = Windows(np.zeros(50, int), np.arange(1, 51), np.zeros(50, int))
    one, again = epoch_batches(chosen, 8, 1, 0), epoch_batches(chosen, 8, 1, 0)
    assert all((a == b).all() for a, b in zip(one, again, strict=True))
    assert sorted(np.concatenate(one)) == list(range(50))
    other = epoch_batches(chosen, 8, 1, 1)
    assert any(a.tolist() != b.tolist() for a, b in zip(one, other, strict=True))


def test_little_is_wasted_on_padding():
    random = np.random.default_rng(0)
    lengths = random.integers(40, 257, 1000)
    chosen = Windows(np.zeros(1000, int), lengths, np.zeros(1000, int))
    batches = epoch_batches(chosen, 12, 0, 0)
    padded = sum(len(batch) * lengths[batch].max() for batch in batches)
    assert lengths.sum() / padded > 0.9


def test_transposition_stays_in_range_and_leaves_its_share(folder):
    data = load(folder)
    chosen = windows(data, np.arange(data.pieces).repeat(100), None)
    drawn = shifts(data, chosen, 1.0, 0, 0)
    assert set(drawn) == set(range(-5, 7))
    assert 0.6 < (shifts(data, chosen, 0.3, 0, 0) == 0).mean() < 0.8
    assert not shifts(data, chosen, 0.0, 0, 0).any()
    data.lowest[:], data.highest[:] = 2, 125
    narrow = shifts(data, chosen, 1.0, 0, 0)
    assert set(narrow) == {-2, -1, 0, 1, 2}


def test_families_never_cross_the_split(folder):
    for copy in range(3):
        write_midi(tune(5).transpose(copy + 1), folder / f"copy{copy}.mid")
    data = load(folder)
    for seed in range(8):
        train, held = split(data.families, 0.3, seed)
        assert not set(data.families[train]) & set(data.families[held])
        assert sorted([*train, *held]) == list(range(15))
        assert 0 < len(held) <= 5
    assert len(split(data.families, 0, 0)[1]) == 0


def test_validation_sees_every_piece_whole_and_once(folder):
    data = load(folder)
    seen = []
    for chosen, rows in whole_batches(data, np.arange(data.pieces), events=60):
        batch = make_batch(data, chosen, rows, "cpu")
        assert batch["mask"].shape[0] * batch["mask"].shape[1] <= 60 or len(rows) == 1
        seen += chosen.piece[rows].tolist()
    assert sorted(seen) == list(range(12))
