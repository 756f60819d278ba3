import json
import struct
from dataclasses import replace

import numpy as np
import pytest
from safetensors import safe_open
from safetensors.numpy import save

from melodygru.errors import CheckpointError, FileError
from melodygru.network.checkpoint import FORMAT_VERSION, Checkpoint
from melodygru.network.config import ContextConfig, ModelConfig
from melodygru.network.engine import weight_shapes
from melodygru.network.model_files import resolve
from melodygru.training.torch_network import MelodyGRU
from tests.networks import SMALL, checkpoint, presets


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "model.safetensors"
    checkpoint().save(path)
    return path


def rewrite(path, **changes):
    """The same file with other metadata; None takes an entry out."""
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    for name, value in changes.items():
        header["__metadata__"].pop(name, None)
        if value is not None:
            header["__metadata__"][name] = value
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])
    return path


def test_a_checkpoint_comes_back_as_it_was(saved):
    before, after = checkpoint(), Checkpoint.load(saved)
    assert after.model_config == before.model_config == SMALL
    assert after.tokenizer_config == before.tokenizer_config
    assert after.provenance == before.provenance
    assert set(after.weights) == set(before.weights)
    assert all((after.weights[name] == before.weights[name]).all() for name in before.weights)


def test_half_precision_is_half_the_size_and_nearly_the_same(tmp_path, saved):
    half = tmp_path / "half.safetensors"
    checkpoint().save(half, half=True)
    weights = Checkpoint.load(half).weights
    assert half.stat().st_size < 0.6 * saved.stat().st_size
    for name, array in checkpoint().weights.items():
        assert weights[name].dtype == np.float32
        np.testing.assert_allclose(weights[name], array, atol=5e-3)


@pytest.mark.parametrize(
    ("name", "config"),
    [*presets(), ("bare", ModelConfig(context=ContextConfig(False, False, False, False, False, (), False)))],
)
def test_shapes_are_told_without_torch(name, config):
    config = replace(config, hidden=min(config.hidden, 32))
    real = {name: tuple(tensor.shape) for name, tensor in MelodyGRU(config).state_dict().items()}
    assert weight_shapes(config) == real


def test_saving_leaves_nothing_beside_the_file(saved):
    assert [path.name for path in saved.parent.iterdir()] == ["model.safetensors"]


def test_saving_where_there_is_no_folder_is_one_sentence(tmp_path):
    with pytest.raises(FileError, match="does not exist"):
        checkpoint().save(tmp_path / "nowhere" / "model.safetensors")


def refused(path, words):
    with pytest.raises(CheckpointError, match=words) as caught:
        Checkpoint.load(path)
    assert "model.safetensors" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_way_of_cutting_a_file_is_refused(saved):
    data = saved.read_bytes()
    for size in (0, 1, 7, 8, 9, 100, len(data) // 2, len(data) - 1):
        saved.write_bytes(data[:size])
        refused(saved, "cut off|no melodygru model|not a melodygru model")


def test_a_file_that_is_longer_than_it_says_is_refused(saved):
    saved.write_bytes(saved.read_bytes() + b"more")
    refused(saved, "damaged")


@pytest.mark.parametrize(
    "data",
    [
        b"\x89PNG\r\n\x1a\n" + bytes(300),
        struct.pack("<Q", 1 << 62) + b"{}",
        struct.pack("<Q", 500_000) + b"[" * 500_000,
        struct.pack("<Q", 2) + b"[]",
        struct.pack("<Q", 40) + b"\xff" * 40,
        save({"a": np.zeros(3)}),
        save({"a": np.zeros(3)}, {"format": "pt"}),
    ],
)
def test_a_foreign_file_is_refused(tmp_path, data):
    path = tmp_path / "model.safetensors"
    path.write_bytes(data)
    refused(path, "melodygru")


def test_a_newer_format_asks_for_an_update(saved):
    refused(rewrite(saved, format_version=str(FORMAT_VERSION + 1)), "update melodygru")
    refused(rewrite(saved, format_version="x" * 1000), "format version x")
    for odd in ("²", "-1", "9" * 5000):
        refused(rewrite(saved, format_version=odd), "format version")


@pytest.mark.parametrize(
    "changes",
    [
        {"model": None},
        {"model": "{"},
        {"model": "[]"},
        {"model": '{"hidden": 1e300}'},
        {"model": '{"hidden": "many"}'},
        {"model": '{"surprise": 1}'},
        {"model": '{"embedding": 1.5}'},
        {"model": '{"hidden": true}'},
        {"model": '{"cell": 3}'},
        {"model": '{"context": {"metre": 1}}'},
        {"model": '{"context": {"lookback": [1.5]}}'},
        {"model": '{"context": []}'},
        {"tokenizer": '{"max_duration": 192.0}'},
        {"tokenizer": '{"max_duration": -1}'},
        {"model": "[" * 100_000},
        {"tokenizer": '{"max_duration": 96}'},
        {"provenance": "{"},
        {"provenance": "5"},
    ],
)
def test_a_damaged_description_is_refused(saved, changes):
    refused(rewrite(saved, **changes), "damaged")


def test_weights_that_do_not_fit_the_description_are_refused(saved):
    refused(rewrite(saved, model=json.dumps({"hidden": 4096, "layers": 8})), "weights|damaged")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e30])
def test_weights_that_are_not_finite_are_refused(saved, bad):
    weights = {name: array.copy() for name, array in checkpoint().weights.items()}
    weights["input.bias"][3] = bad
    replace(checkpoint(), weights=weights).save(saved)
    refused(saved, "not finite")


def test_other_types_and_too_many_tensors_are_refused(tmp_path):
    path = tmp_path / "model.safetensors"
    good = checkpoint()
    metadata = {
        "format": "melodygru",
        "format_version": "1",
        "model": json.dumps({"hidden": 12}),
        "tokenizer": "{}",
    }
    path.write_bytes(save({name: array.astype(np.float64) for name, array in good.weights.items()}, metadata))
    refused(path, "damaged|weights")
    path.write_bytes(save({str(i): np.zeros(1, np.float32) for i in range(20_000)}, metadata))
    refused(path, "melodygru|weights")


QUANTIZED = "duration.weight"
"""A matrix of the network below that is large enough."""


@pytest.fixture
def int8(tmp_path):
    """An int8 file's arrays and metadata, and how to write them, changed, and read what comes of it."""
    path = tmp_path / "model.safetensors"
    checkpoint(replace(SMALL, duration_hidden=32)).save(path, int8=True)
    with safe_open(path, framework="np") as file:
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        metadata = file.metadata()
    assert arrays[QUANTIZED].dtype == np.int8

    def write(changes, **described):
        changed = {name: array for name, array in {**arrays, **changes}.items() if array is not None}
        path.write_bytes(save(changed, {**metadata, **described}))
        return path

    return arrays, write


def test_an_int8_file_is_read_by_its_scales(int8):
    arrays, write = int8
    scales = np.arange(193, dtype=np.float32) / 4
    weights = Checkpoint.load(write({QUANTIZED + ".scale": scales})).weights
    expected = arrays[QUANTIZED].astype(np.float64) * scales[:, None]
    np.testing.assert_array_equal(weights[QUANTIZED], expected)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, -1.0, 3e38, 9e3])
def test_scales_that_are_none_are_refused(int8, bad):
    arrays, write = int8
    scales = arrays[QUANTIZED + ".scale"].copy()
    scales[7] = bad
    refused(write({QUANTIZED + ".scale": scales}), "no scales|huge")


@pytest.mark.parametrize(
    "changes",
    [
        {QUANTIZED + ".scale": None},
        {QUANTIZED + ".scale": np.ones(193)},
        {QUANTIZED + ".scale": np.ones(193, np.float16)},
        {QUANTIZED + ".scale": np.ones(192, np.float32)},
        {QUANTIZED + ".scale": np.ones((193, 1), np.float32)},
        {QUANTIZED: np.ones((193, 32), np.float32)},
        {QUANTIZED: np.ones((193, 32), np.uint8)},
        {QUANTIZED: np.ones((193, 31), np.int8)},
        {QUANTIZED: None},
        {"duration.bias": np.ones(193, np.int8), "duration.bias.scale": np.ones(193, np.float32)},
        {"duration.bias.scale": np.ones(193, np.float32)},
        {"input.weight.scale": np.ones(12, np.float32)},
        {"surprise.scale": np.ones(1, np.float32)},
        {QUANTIZED + ".scale.scale": np.ones(193, np.float32)},
    ],
)
def test_int8_weights_that_do_not_fit_are_refused(int8, changes):
    _, write = int8
    refused(write(changes), "damaged|weights")


def test_int8_weights_are_none_of_an_older_format(int8):
    _, write = int8
    refused(write({}, format_version="2"), "weights")


def test_every_way_of_cutting_an_int8_file_is_refused(int8):
    _, write = int8
    data = (path := write({})).read_bytes()
    assert Checkpoint.load(path)
    for size in (9, 100, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:size])
        refused(path, "cut off|no melodygru model|not a melodygru model")


def test_a_model_is_found_by_path_and_by_name(tmp_path, monkeypatch, saved):
    monkeypatch.chdir(tmp_path)
    assert resolve(str(saved)) == saved
    assert resolve(saved.with_suffix("")) == saved
    (tmp_path / "checkpoints").mkdir()
    checkpoint().save("checkpoints/mine.safetensors")
    assert resolve("mine").name == "mine.safetensors"
    with pytest.raises(CheckpointError, match=r"no model 'yours'.*mine"):
        resolve("yours")


@pytest.mark.parametrize("name", ["", ".", "..", "/", "a/b/c", "x" * 5000, "nul\0", "checkpoints"])
def test_what_is_no_model_is_refused_however_it_is_called(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "checkpoints").mkdir()
    with pytest.raises(CheckpointError, match="There is no model"):
        resolve(name)


def test_a_name_may_have_dots_and_is_not_taken_for_a_folder_of_that_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "folk.v2").mkdir()
    checkpoint().save("checkpoints/folk.v2.safetensors")
    assert resolve("folk.v2").as_posix() == "checkpoints/folk.v2.safetensors"
    assert resolve("checkpoints/folk.v2").as_posix() == "checkpoints/folk.v2.safetensors"


def test_characters_come_back_and_nonsense_is_refused(tmp_path):
    table = np.array([[1, 2, 3, 4, 5, 5], [9, 4, 5, 5, 6, 1]], np.uint8)
    made = replace(checkpoint(), characters={"song": table, "dance/waltz": table[:1]})
    made.save(tmp_path / "m.safetensors")
    read = Checkpoint.load(tmp_path / "m.safetensors").characters
    assert {name: rows.tolist() for name, rows in read.items()} == {
        "song": table.tolist(),
        "dance/waltz": table[:1].tolist(),
    }
    for wrong in (table + 9, table[:, :5], table.astype(np.int32), table[:0], table * 0):
        replace(made, characters={"song": wrong}).save(tmp_path / "w.safetensors")
        with pytest.raises(CheckpointError, match="characters of 'song'"):
            Checkpoint.load(tmp_path / "w.safetensors")
