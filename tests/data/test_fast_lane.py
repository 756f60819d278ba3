"""Reading many files: the fast lane gives what the others give, and nothing that happens to one file costs the rest."""

import random
import struct

import mido
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru import libraries
from melodygru.data import cache, fast_lane, preparation
from melodygru.data.cache import load_dataset, read_part
from melodygru.data.fast_lane import reader
from melodygru.data.key_finding import find_keys
from melodygru.data.preparation import Reading, in_shards, read_shards
from melodygru.data.shards import Shard, read_shard
from melodygru.formats.midi.extraction import ExtractionConfig
from melodygru.formats.midi.writer import write_midi
from melodygru.music.key_finding import estimate_key, key_for_signature
from melodygru.network.config import ContextConfig, TokenizerConfig
from tests.command_line import run
from tests.tunes import tune

compiled = pytest.mark.skipif(reader() is None, reason="the fast lane was not built")
CONTEXTS = (ContextConfig(), ContextConfig(key=False, matches=False, pickup=False), ContextConfig(lookback=()))


def same(one, other):
    assert one.files == other.files
    for name in ("table", "offsets", "durations", "pitches"):
        assert getattr(one, name).dtype == getattr(other, name).dtype
        assert getattr(one, name).tolist() == getattr(other, name).tolist()
    assert set(one.contexts) == set(other.contexts)
    for name, array in one.contexts.items():
        assert array.dtype == other.contexts[name].dtype
        assert (array == other.contexts[name]).all()


def read(paths, fast, context=ContextConfig()):
    return read_shard([str(path) for path in paths], ExtractionConfig(), TokenizerConfig(), context, fast)


def random_file(seed):
    """A file of one or two tracks: plain, or odd in one of many ways."""
    random_ = random.Random(seed)
    ppq = random_.choice([24, 96, 120, 384, 480])
    made = mido.MidiFile(type=1, ticks_per_beat=ppq)
    head, track = mido.MidiTrack(), mido.MidiTrack()
    made.tracks += [head, track]
    if random_.random() < 0.9:
        top, bottom = random_.choice([(4, 4), (3, 4), (6, 8), (2, 2), (1, 4), (7, 8), (33, 4)])
        head.append(mido.MetaMessage("time_signature", numerator=top, denominator=bottom))
    if random_.random() < 0.7:
        head.append(mido.MetaMessage("key_signature", key=random_.choice(["C", "G", "Bb", "Em", "F#"])))
    if random_.random() < 0.3:
        head.append(mido.MetaMessage("text", text=random_.choice(["@Ikey: D dorian", "key: G", "key: no", "hello"])))
    if random_.random() < 0.5:
        track.append(mido.MetaMessage("track_name", name=random_.choice(["Tune", " ", "", "Violin"])))
    step = ppq // 24
    at = last = 0
    uneven = random_.random() < 0.2
    sounding = []
    for _ in range(random_.randrange(4, 60)):
        at += step * random_.choice([0, 0, 0, 24, 48, 12, 400]) if random_.random() < 0.2 else 0
        if uneven and random_.random() < 0.05:
            at += random_.randrange(ppq)  # off the grid
        length = step * random_.choice([12, 12, 24, 24, 36, 48, 240, *([8, 6, 3] if uneven else [])])
        pitch = random_.randrange(48, 84)
        sounding += [(at, 1, pitch), (at + length, 0, pitch)]
        if random_.random() < 0.1:
            sounding += [(at, 1, pitch - 4), (at + length, 0, pitch - 4)]
        at += length - (step if random_.random() < 0.05 else 0)
    for tick, on, pitch in sorted(sounding):
        velocity = 80 if on else 0
        track.append(mido.Message("note_on", note=pitch, velocity=velocity, time=tick - last))
        last = tick
        if random_.random() < 0.02:
            head.append(mido.MetaMessage("key_signature", key="D", time=tick))
    if random_.random() < 0.2:
        made.tracks.append(track.copy() if random_.random() < 0.5 else mido.MidiTrack())
    return made


@compiled
@pytest.mark.parametrize("context", CONTEXTS, ids=str)
def test_the_fast_lane_gives_what_the_others_give(tmp_path, context):
    paths = []
    for seed in range(150):
        paths.append(tmp_path / f"{seed:03}.mid")
        random_file(seed).save(paths[-1])
    for seed in range(30):
        paths.append(tmp_path / f"own-{seed:03}.mid")
        write_midi(tune(seed, bars=seed % 9 + 4).transpose(seed % 5), paths[-1])
    fast = read(paths, True, context)
    same(fast, read(paths, False, context))
    # The test is of something: most files take the lane, and some do not.
    plain = reader().extract([path.read_bytes() for path in paths], 8, 2, 192)
    assert 40 < sum(file is not None for file in plain.files) < len(paths)


@compiled
@given(
    st.integers(0, 40), st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=4), st.integers(0, 9)
)
def test_damaged_files_are_read_alike(tmp_path_factory, seed, changes, cut):
    path = tmp_path_factory.mktemp("damaged") / "x.mid"
    random_file(seed).save(path)
    data = bytearray(path.read_bytes())
    for place, value in changes:
        data[place % len(data)] = value
    path.write_bytes(bytes(data[: len(data) - cut * 7]) if cut < 5 else bytes(data))
    same(read([path], True), read([path], False))


@compiled
def test_sizes_that_lie_read_nothing_beyond_the_file():
    head = b"MThd" + struct.pack(">IHHH", 6, 1, 1, 96)
    for body in (b"", b"MTrk", b"MTrk\xff\xff\xff\xff", b"MTrk\0\0\0\4\0\xff\x03\x7f", b"MTrk\0\0\0\3\x80\x80\x80"):
        plain = reader().extract([head + body, head + body], 8, 2, 192)
        assert plain.files == [None, None]
        assert not len(plain.durations)
    assert reader().extract([], 8, 2, 192).files == []


@given(
    st.lists(st.tuples(st.lists(st.integers(0, 50), min_size=12, max_size=12), st.integers(-8, 7), st.integers(0, 11)))
)
def test_keys_of_many_are_those_of_each(drawn):
    weights = np.array([row for row, _, _ in drawn]).reshape(-1, 12)
    signatures = [None if fifths == -8 else fifths for _, fifths, _ in drawn]
    last = np.array([last for _, _, last in drawn], np.int64)
    expected = [
        estimate_key(row) if fifths is None else key_for_signature(fifths, row, final)
        for row, fifths, final in zip(weights.tolist(), signatures, last.tolist(), strict=True)
    ]
    assert find_keys(weights, signatures, last) == expected


def test_a_shard_comes_back_as_it_was(tmp_path):
    paths = write_tunes(tmp_path, 5)
    (tmp_path / "empty.mid").write_bytes(b"")
    shard = read([*paths, tmp_path / "empty.mid"], False)
    shard.save(tmp_path / "shard.npz")
    same(Shard.load(tmp_path / "shard.npz"), shard)
    assert shard.names == [path.stem for path in paths]
    assert [meta.time_signature for meta in shard.metas()] == [tune(i, bars=8).time_signature for i in range(5)]
    assert [meta.key for meta in shard.metas()] == [tune(i, bars=8).key for i in range(5)]


def write_tunes(folder, count):
    paths = [folder / f"{i:03}.mid" for i in range(count)]
    for i, path in enumerate(paths):
        write_midi(tune(i, bars=8), path)
    return paths


def test_processes_change_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(preparation, "SHARD_FILES", 2)
    paths = [str(path) for path in write_tunes(tmp_path, 7)]
    told = []
    one = list(read_shards(paths, Reading(fast=False), lambda *counts: told.append(counts), jobs=1))
    assert told == [(2, 7), (4, 7), (6, 7), (7, 7)]
    for shard, other in zip(one, read_shards(paths, Reading(fast=False), jobs=2), strict=True):
        same(shard, other)


def test_reading_that_was_stopped_goes_on(tmp_path, monkeypatch):
    monkeypatch.setenv("MELODYGRU_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(preparation, "SHARD_FILES", 3)
    (tmp_path / "tunes").mkdir()
    write_tunes(tmp_path / "tunes", 10)
    whole = load_dataset(tmp_path / "tunes")
    monkeypatch.setenv("MELODYGRU_CACHE", str(tmp_path / "other"))

    def stop(done, total):
        if done >= 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        load_dataset(tmp_path / "tunes", progress=stop)
    told = []
    again = load_dataset(tmp_path / "tunes", progress=lambda *counts: told.append(counts))
    assert told == [(9, 10), (10, 10)]
    assert again.fingerprint == whole.fingerprint
    assert again.names == whole.names
    assert again.report == {**whole.report}
    for name, array in whole.arrays.items():
        assert (again.arrays[name] == array).all()


def test_parts_are_read_by_different_machines(tmp_path, monkeypatch):
    monkeypatch.setenv("MELODYGRU_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(preparation, "SHARD_FILES", 2)
    (tmp_path / "tunes").mkdir()
    write_tunes(tmp_path / "tunes", 9)
    for i in range(3):
        read_part(tmp_path / "tunes", (i, 3))
    monkeypatch.setattr(preparation, "_done", lambda tasks, *_: iter([None] * len(tasks)))
    told = []
    data = load_dataset(tmp_path / "tunes", progress=lambda *counts: told.append(counts))
    assert told == []
    assert data.pieces == 9
    # What is there is whole: no part need be read, or lies about, any more.
    read_part(tmp_path / "tunes", (0, 3))
    assert not list(cache.cache_home().rglob("shard-*"))


@given(st.integers(0, 2000), st.integers(1, 300))
def test_every_file_is_in_one_shard(count, size):
    files = [str(i) for i in range(count)]
    before = preparation.SHARD_FILES
    preparation.SHARD_FILES = size
    try:
        groups = in_shards(files)
    finally:
        preparation.SHARD_FILES = before
    assert [path for group in groups for path in group] == files
    assert groups


def test_a_damaged_shard_is_read_again(tmp_path, monkeypatch):
    monkeypatch.setenv("MELODYGRU_CACHE", str(tmp_path / "cache"))
    (tmp_path / "tunes").mkdir()
    write_tunes(tmp_path / "tunes", 4)
    read_part(tmp_path / "tunes", (0, 1))
    shard = next(cache.cache_home().rglob("shard-*"))
    shard.write_bytes(shard.read_bytes()[:100])
    assert load_dataset(tmp_path / "tunes").pieces == 4


def test_there_is_no_fast_lane_where_it_was_not_built(monkeypatch, tmp_path):
    monkeypatch.setattr(libraries, "place", lambda name: tmp_path / name)
    assert fast_lane.reader.__wrapped__() is None


def test_the_fast_lane_can_be_left_out(monkeypatch):
    monkeypatch.setenv("MELODYGRU_KERNEL", "0")
    assert fast_lane.reader.__wrapped__() is None


def test_prepare_reads_once_and_says_what(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MELODYGRU_CACHE", str(tmp_path / "cache"))
    (tmp_path / "tunes").mkdir()
    write_tunes(tmp_path / "tunes", 4)
    (tmp_path / "tunes" / "empty.mid").write_bytes(b"")
    assert run("prepare", tmp_path / "tunes") == 0
    told = capsys.readouterr().out
    assert "4 tunes with" in told
    assert "from 4 of 5 files" in told
    assert "why 1 is left out" in told
    monkeypatch.setattr(cache, "write_shards", lambda *_: pytest.fail("it was read again"))
    assert load_dataset(tmp_path / "tunes").pieces == 4
    assert run("prepare", tmp_path / "tunes", "--jobs", 0) == 2
    assert "jobs is 0" in capsys.readouterr().err
    assert run("prepare", tmp_path / "nothing") == 1


def test_ctrl_c_says_that_reading_goes_on(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MELODYGRU_CACHE", str(tmp_path / "cache"))

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(cache, "write_shards", stop)
    (tmp_path / "tunes").mkdir()
    write_tunes(tmp_path / "tunes", 1)
    assert run("prepare", tmp_path / "tunes") == 130
    assert capsys.readouterr().err.strip() == "Stopped. What was read is kept: the same command goes on from there."
