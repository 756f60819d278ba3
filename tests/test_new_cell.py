"""A cell that the package does not have needs an entry in two registries, and nothing else."""

import importlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from melodygru import train
from melodygru.cli import compare_command, train_command
from melodygru.errors import UsageError
from melodygru.evaluation.comparison import count_parameters, matched, plan_comparison
from melodygru.network.cells import CELLS, GATES, Cell, Gate, sigmoid
from melodygru.network.checkpoint import Checkpoint
from melodygru.network.config import ContextConfig, ModelConfig
from melodygru.network.engine import NumpyEngine
from melodygru.network.trace import trace
from melodygru.training.layers import LAYERS, make_layer
from tests.command_line import run
from tests.network.test_onnx_export import assert_graph_is_engine
from tests.networks import SMALL, checkpoint
from tests.tunes import tune, write_tunes

NAME = "ugrnn"
"""The update gate RNN (Collins et al. 2017, arXiv:1611.09913): z = sigma(W_z x + U_z h' + b_z),
h = z * h' + (1 - z) * tanh(W x + U h' + b)."""


def gates(x, h, w):
    scores = x @ w.x + w.b_x + h @ w.h
    n = h.shape[1]
    return sigmoid(scores[:, :n]), np.tanh(scores[:, n:])


def step(x, h, w):
    z, candidate = gates(x, h, w)
    return z * h + (1 - z) * candidate


def named_gates(x, h, w):
    z, _ = gates(x, h, w)
    return {"keep": z, "novelty": 1 - z}


def nodes(graph, x, h, w):
    scores = graph.op("Add", graph.product(x, w.x, w.b_x), graph.product(h, w.h, w.b_h))
    z, candidate = graph.split(scores, 2)
    z, candidate = graph.op("Sigmoid", z), graph.op("Tanh", candidate)
    state = graph.op("Add", candidate, graph.op("Mul", z, graph.op("Sub", h, candidate)))
    return state, state


class UGRNN(nn.Module):
    def __init__(self, inputs, hidden):
        super().__init__()
        self.weight_ih_l0 = nn.Parameter(torch.randn(2 * hidden, inputs) / inputs**0.5)
        self.weight_hh_l0 = nn.Parameter(torch.randn(2 * hidden, hidden) / hidden**0.5)
        self.bias_ih_l0 = nn.Parameter(torch.zeros(2 * hidden))

    def forward(self, x):
        from_x, states = x @ self.weight_ih_l0.T + self.bias_ih_l0, []
        h = x.new_zeros(len(x), self.weight_hh_l0.shape[1])
        for scores in from_x.unbind(1):
            z, candidate = (scores + h @ self.weight_hh_l0.T).chunk(2, dim=1)
            z = z.sigmoid()
            h = z * h + (1 - z) * candidate.tanh()
            states.append(h)
        return torch.stack(states, dim=1), h


@pytest.fixture
def _registered(monkeypatch):
    monkeypatch.setitem(CELLS, NAME, Cell(step, named_gates, nodes, 2, 2, h_bias=False))
    monkeypatch.setitem(LAYERS, NAME, UGRNN)
    monkeypatch.setitem(GATES, "novelty", Gate("How new it is", "novelty gate", "Is it new?", "Near 1, it is."))
    yield
    monkeypatch.undo()
    for module in (train_command, compare_command):
        importlib.reload(module)


def test_a_cell_that_is_not_registered_is_refused():
    with pytest.raises(UsageError, match="gru, lstm, rnn, gru-v1, mingru"):
        ModelConfig(cell=NAME)


@pytest.mark.usefixtures("_registered")
def test_a_registered_cell_has_one_function_in_torch_and_in_numpy():
    torch.manual_seed(0)
    layer = make_layer(NAME, 5, 7)
    named = {name: parameter.detach().numpy() for name, parameter in layer.named_parameters()}
    assert {name: array.shape for name, array in named.items()} == CELLS[NAME].shapes(5, 7)
    x, state = torch.randn(3, 9, 5), np.zeros((3, 7), np.float32)
    own = CELLS[NAME].weights(named, 7)
    found = layer(x)[0].detach().numpy()
    for at in range(9):
        state = step(x[:, at].numpy(), state, own)
        np.testing.assert_allclose(found[:, at], state, atol=1e-5)


@pytest.mark.usefixtures("_registered")
def test_a_registered_cell_trains_writes_is_explained_and_exported(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("MELODYGRU_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    folder = write_tunes(tmp_path / "tunes", 4)
    small = {"preset": "tiny", "hidden": 8, "context": ContextConfig(lookback=(1,)), "device": "cpu", "val_split": 0}
    result = train(folder, "out", cell=NAME, epochs=1, batch_size=16, **small)
    made = Checkpoint.load(result.checkpoint)
    assert made.model_config.cell == NAME
    assert made.weights["recurrent.1.weight_hh_l0"].shape == (16, 8)
    # One step has moved what began as zeros.
    assert made.weights["recurrent.0.bias_ih_l0"].any()
    assert run("generate", "--model", "out.safetensors", "--bars", 2, "--seed", 1, "new.mid") == 0
    assert run("explain", "new.mid", "--model", "out.safetensors", "--out", "new.html") == 0
    page = Path("new.html").read_text("utf-8")
    assert "<li><b>Is it new?</b> (novelty gate) Near 1, it is.</li>" in page
    assert page.count("How new it is (novelty gate)") == 2 * made.model_config.layers
    assert Path("new.png").stat().st_size > 1000
    assert run("export", "out.safetensors", "out.onnx") == 0
    assert_graph_is_engine(made, 3)
    capsys.readouterr()


@pytest.mark.usefixtures("_registered")
def test_a_registered_cell_is_traced():
    made = checkpoint(replace(SMALL, cell=NAME))
    found = trace(NumpyEngine(made.model_config, made.weights), tune(1))
    for layer, states in zip(found.gates, found.states, strict=True):
        before = np.concatenate([np.zeros_like(states[:1]), states[:-1]])
        candidate = (states - layer["keep"] * before) / np.maximum(layer["novelty"], 1e-6)
        assert (np.abs(candidate[layer["novelty"] > 0.01]) < 1 + 1e-3).all()


@pytest.mark.usefixtures("_registered")
def test_a_registered_cell_can_be_compared_and_is_named_on_the_help_pages(capsys):
    plans = plan_comparison("nowhere", cells=("gru", NAME), seeds=1)
    assert [plan.model.cell for plan in plans] == ["gru", NAME]
    sizes = [count_parameters(plan.model)[0] for plan in plans]
    assert sizes[1] == pytest.approx(sizes[0], rel=0.02)
    assert count_parameters(matched(SMALL, NAME, "hidden"))[1] == 2 * (2 * 12 * (12 + 12) + 2 * 12)
    for module in (train_command, compare_command):
        importlib.reload(module)
    assert run("train", "--help") == 0
    assert f"mingru or {NAME}." in " ".join(capsys.readouterr().out.split())
    assert run("compare", "--help") == 0
    assert f"mingru, {NAME};" in " ".join(capsys.readouterr().out.replace("│", " ").split())
