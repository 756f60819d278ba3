"""What a run goes on from is believed only as far as it fits."""

import json
import struct

import pytest
import torch

from melodygru.errors import CheckpointError
from melodygru.training.config import TrainConfig
from melodygru.training.optimization import optimizers
from melodygru.training.state import Learned, TrainingState
from tests.networks import network

IDENTITY = {"data": ["a", 1], "model": {"hidden": 12}, "train": {"seed": 0, "optimizer": "muon"}}


def learned(seed=0):
    """A network that has made one step."""
    model = network(seed=seed)
    moved_by = optimizers(model, TrainConfig(), torch.float32)
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)
    for optimizer in moved_by:
        optimizer.step()
    return Learned(model, moved_by, [parameter.detach().clone() for parameter in model.parameters()])


@pytest.fixture
def saved(tmp_path):
    state = TrainingState(step=3, seconds=1.5, rows=[{"epoch": 1.0}], best=[{"epoch": 1.0}])
    state.save(tmp_path, IDENTITY, learned())
    return tmp_path


def rewrite(folder, change):
    """The same file with its description and its numbers changed by a function."""
    path = folder / TrainingState.FILE
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header, body = json.loads(data[8 : 8 + length]), bytearray(data[8 + length :])
    change(header, body)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body)


def test_it_comes_back_as_it_was(saved):
    before, after, state = learned(), learned(seed=1), TrainingState()
    state.load(saved, IDENTITY, after)
    assert (state.step, state.seconds, state.seconds_before, state.rows) == (3, 1.5, 1.5, [{"epoch": 1.0}])
    for one, two in zip(before.model.parameters(), after.model.parameters(), strict=True):
        assert torch.equal(one, two)
        known, again = (
            of.optimizers[0].state[p] | of.optimizers[1].state[p] for of, p in ((before, one), (after, two))
        )
        assert known
        assert known.keys() == again.keys()
        assert all(torch.equal(known[entry], again[entry]) for entry in known)
    assert all(map(torch.equal, before.average, after.average))


@pytest.mark.parametrize(
    ("name", "value"),
    [("step", -1), ("step", "3"), ("step", True), ("step", 1.5), ("seconds", None), ("rows", {}), ("best", [1])],
)
def test_numbers_of_another_kind_are_refused(saved, name, value):
    def change(header, body):
        numbers = json.loads(header["__metadata__"]["numbers"])
        header["__metadata__"]["numbers"] = json.dumps({**numbers, name: value})

    rewrite(saved, change)
    with pytest.raises(CheckpointError, match="damaged"):
        TrainingState().load(saved, IDENTITY, learned())


@pytest.mark.parametrize(
    ("entry", "value"), [("numbers", "[]"), ("numbers", "["), ("identity", "[]"), ("numbers", None)]
)
def test_a_damaged_description_is_refused(saved, entry, value):
    def change(header, body):
        del header["__metadata__"][entry]
        if value is not None:
            header["__metadata__"][entry] = value

    rewrite(saved, change)
    with pytest.raises(CheckpointError, match="damaged"):
        TrainingState().load(saved, IDENTITY, learned())


@pytest.mark.parametrize(
    "prefix", ["model.", "average.", "optimizer.exp_avg.", "optimizer.step.", "optimizer.momentum."]
)
def test_numbers_that_are_not_finite_are_refused(saved, prefix):
    def change(header, body):
        name = next(name for name in sorted(header) if name.startswith(prefix))
        begin = header[name]["data_offsets"][0]
        body[begin : begin + 4] = struct.pack("<f", float("nan"))

    rewrite(saved, change)
    with pytest.raises(CheckpointError, match="not finite"):
        TrainingState().load(saved, IDENTITY, learned())


@pytest.mark.parametrize("entry", ["exp_avg_sq", "step"])
def test_squares_and_counts_below_zero_are_refused(saved, entry):
    def change(header, body):
        name = next(name for name in sorted(header) if name.startswith(f"optimizer.{entry}."))
        begin = header[name]["data_offsets"][0]
        body[begin : begin + 4] = struct.pack("<f", -1.0)

    rewrite(saved, change)
    with pytest.raises(CheckpointError, match="is below 0"):
        TrainingState().load(saved, IDENTITY, learned())


def test_an_average_that_torch_would_stretch_to_fit_is_refused(tmp_path):
    whole = learned()
    TrainingState().save(tmp_path, IDENTITY, whole._replace(average=[mean.flatten()[:1] for mean in whole.average]))
    with pytest.raises(CheckpointError, match="damaged"):
        TrainingState().load(tmp_path, IDENTITY, learned())
