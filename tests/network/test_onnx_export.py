"""The step in ONNX is the step in NumPy; int8 weights are what they say; and `melodygru export` as a user runs it."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from safetensors import safe_open

from melodygru.errors import MissingPackageError
from melodygru.network.cells import CELLS
from melodygru.network.checkpoint import Checkpoint
from melodygru.network.columns import PITCH_CLASSES, candidate_columns, input_columns
from melodygru.network.config import ContextConfig, ModelConfig
from melodygru.network.engine import NumpyEngine, NumpyState, weight_shapes
from melodygru.network.model_files import resolve
from melodygru.network.onnx_export import OPSET, onnx_bytes
from melodygru.network.quantization import LARGEST_LEVEL, SCALE, dequantize, quantize, worth_quantizing
from melodygru.writing.model import load_model
from tests.command_line import modules_after, run
from tests.network.test_engine import tunes
from tests.networks import SMALL, checkpoint
from tests.tunes import write_tunes

CONTEXTS = [
    ContextConfig(False, False, False, False, False, (), False),
    ContextConfig(lookback=(), matches=False),
    ContextConfig(key=False, lookback=(1,)),
    ContextConfig(metre=False, lookback=(2, 3), matches=False),
]
LARGE = replace(SMALL, hidden=40, duration_hidden=32)
"""With matrices that are large enough to be quantized."""


def session_of(checkpoint):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(onnx_bytes(checkpoint), options, providers=["CPUExecutionProvider"])


def assert_graph_is_engine(checkpoint, batch):
    """Over whole melodies, with the graph's own states given back to it."""
    pieces, length = tunes()
    pieces = pieces[-batch:]
    session, engine = session_of(checkpoint), NumpyEngine(checkpoint.model_config, checkpoint.weights)
    names = [one.name for one in session.get_outputs()]
    state = engine.start([piece.meta for piece in pieces])
    states = {
        one.name: np.zeros((batch, one.shape[1]), np.float32)
        for one in session.get_inputs()
        if one.name.startswith("state_")
    }
    for step in range(length):
        durations = np.array([piece.durations[step] for piece in pieces])
        pitches = np.array([piece.pitches[step] for piece in pieces])
        known = {"durations": durations, **states}
        feed = {one.name: known.get(one.name, getattr(state.context, one.name, None)) for one in session.get_inputs()}
        found = dict(zip(names, session.run(names, feed), strict=True))
        expected = {
            "duration_logits": engine.duration_logits(state),
            "pitch_logits": engine.pitch_logits(state, durations),
        }
        expected |= {f"next_state_{layer}": values for layer, values in enumerate(state.layers)}
        assert set(found) == set(expected)
        for name, values in expected.items():
            assert found[name].shape == values.shape
            np.testing.assert_allclose(found[name], values, atol=1e-4, rtol=1e-4, err_msg=f"{name}, event {step}")
        states = {f"state_{layer}": found[f"next_state_{layer}"] for layer in range(len(state.layers))}
        engine.advance(state, durations, pitches)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_the_graph_is_the_engine_for_every_cell(cell, batch):
    assert_graph_is_engine(checkpoint(replace(SMALL, cell=cell)), batch)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("context", CONTEXTS)
def test_the_graph_is_the_engine_with_less_context(context, batch):
    assert_graph_is_engine(checkpoint(replace(SMALL, context=context, layers=3), seed=1), batch)


@pytest.mark.parametrize("cell", CELLS)
def test_the_graph_is_the_engine_for_everything_that_is_legal(cell):
    """One step from anywhere: bars longer than are told apart, every reference, class and run."""
    made = checkpoint(replace(SMALL, cell=cell, max_duration=240))
    config, rng, batch = made.model_config, np.random.default_rng(7), 200
    places = input_columns(config.context, config.max_duration)
    spots = candidate_columns(config.context, config.max_duration)
    columns = [*places, *spots * config.context.candidates]
    inputs = np.stack([rng.integers(0, column.size, batch) for column in columns], axis=1)
    each = inputs[:, len(places) :].reshape(batch, -1, len(spots))
    bar_steps = rng.integers(12, 600, batch)
    context = SimpleNamespace(
        inputs=inputs,
        position=rng.integers(0, bar_steps),
        bar_steps=bar_steps,
        reference=rng.integers(-1, 128, batch),
        tonic=rng.integers(0, 12, batch),
        candidate_pitch=rng.integers(0, PITCH_CLASSES, each.shape[:2]),
        candidate_duration=each[:, :, -2],
        candidate_run=each[:, :, -1],
    )
    durations = np.where(rng.random(batch) < 0.5, each[:, 0, -2], rng.integers(0, config.max_duration + 1, batch))
    engine, session = NumpyEngine(config, made.weights), session_of(made)
    state = NumpyState(
        context,
        [rng.standard_normal((batch, config.hidden * CELLS[cell].states), np.float32) for _ in range(config.layers)],
    )
    feed = {f"state_{layer}": values for layer, values in enumerate(state.layers)} | {"durations": durations}
    feed = {one.name: feed.get(one.name, getattr(context, one.name, None)) for one in session.get_inputs()}
    found = dict(zip([one.name for one in session.get_outputs()], session.run(None, feed), strict=True))
    engine._step(state)
    np.testing.assert_allclose(found["duration_logits"], engine.duration_logits(state), atol=1e-4, rtol=1e-4)
    np.testing.assert_allclose(found["pitch_logits"], engine.pitch_logits(state, durations), atol=1e-4, rtol=1e-4)
    for layer, values in enumerate(state.layers):
        np.testing.assert_allclose(found[f"next_state_{layer}"], values, atol=1e-4, rtol=1e-4)


def test_the_graph_is_the_engine_for_the_model_that_comes_along():
    assert_graph_is_engine(Checkpoint.load(resolve("folk")), 3)


@pytest.mark.parametrize("context", [SMALL.context, *CONTEXTS])
def test_the_graph_is_sound_and_asks_for_what_it_needs_alone(context):
    made = checkpoint(replace(SMALL, context=context))
    model = onnx.load_from_string(onnx_bytes(made))
    onnx.checker.check_model(model, full_check=True)
    assert [(one.domain, one.version) for one in model.opset_import] == [("", OPSET)]
    used = {name for node in model.graph.node for name in node.input}
    asked = {one.name for one in model.graph.input}
    assert asked <= used
    assert ("position" in asked, "bar_steps" in asked) == (context.metre, context.metre)
    assert ("tonic" in asked, "candidate_pitch" in asked) == (context.key, context.candidates > 0)
    assert {"inputs", "reference", "durations", "state_0", "state_1"} <= asked


def test_every_weight_stands_in_the_file_as_it_is():
    made = checkpoint()
    model = onnx.load_from_string(onnx_bytes(made))
    stored = {one.name: onnx.numpy_helper.to_array(one) for one in model.graph.initializer}
    for name, array in made.weights.items():
        assert stored[name].dtype == np.float32
        np.testing.assert_array_equal(stored[name], array)


def test_the_file_tells_what_it_is():
    made = checkpoint(replace(SMALL, cell="lstm"))
    told = session_of(made).get_modelmeta().custom_metadata_map
    assert told["format"] == "melodygru"
    assert ModelConfig.from_dict(json.loads(told["model"])) == made.model_config
    assert json.loads(told["provenance"]) == made.provenance
    assert json.loads(told["tokenizer"]) == {"max_duration": 192}


def test_without_the_package_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MissingPackageError, match=r'pip install "melodygru\[onnx\]"'):
        onnx_bytes(checkpoint())


def test_onnx_is_imported_by_nothing_but_an_export():
    loaded = modules_after(
        "import melodygru.network.onnx_export, melodygru.cli.export_command, melodygru.writing.model"
    )
    assert not loaded & {"onnx", "onnxruntime", "torch"}


matrices = arrays(np.float32, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.floats(-1e4, 1e4, width=32))


@given(matrices)
def test_a_number_comes_back_to_half_a_scale(weights):
    levels, scales = quantize(weights)
    assert levels.dtype == np.int8
    assert scales.dtype == np.float32
    assert np.abs(levels.astype(int)).max() <= LARGEST_LEVEL
    back = dequantize(levels, scales)
    assert back.dtype == np.float32
    for row, (own, scale) in enumerate(zip(weights, scales, strict=True)):
        assert scale == pytest.approx(np.abs(own).max() / 127, rel=1e-6, abs=1e-44)
        if scale > 1e-36:  # smaller ones are themselves rounded
            assert np.abs(back[row] - own).max() <= scale * 0.5001


@given(matrices)
def test_what_was_quantized_is_quantized_to_itself(weights):
    levels, scales = quantize(weights)
    again, _ = quantize(dequantize(levels, scales))
    rows = scales > 1e-36
    np.testing.assert_array_equal(again[rows], levels[rows])


def test_zeros_stay_zeros():
    levels, scales = quantize(np.zeros((3, 4), np.float32))
    assert not levels.any()
    assert not scales.any()
    assert not dequantize(levels, scales).any()


def test_large_matrices_are_quantized_and_nothing_else(tmp_path):
    made = checkpoint(LARGE)
    made.save(tmp_path / "int8.safetensors", int8=True)
    made.save(tmp_path / "float.safetensors")
    expected = {name for name, shape in weight_shapes(LARGE).items() if worth_quantizing(shape)}
    assert {"input.weight", "duration.weight", "recurrent.0.weight_hh_l0"} <= expected
    assert "input.bias" not in expected
    with safe_open(tmp_path / "int8.safetensors", framework="np") as file:
        kinds = {name: file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
        assert file.metadata()["format_version"] == "3"
    assert {name for name, kind in kinds.items() if kind == "I8"} == expected
    assert {name for name in kinds if name.endswith(SCALE)} == {name + SCALE for name in expected}
    with safe_open(tmp_path / "float.safetensors", framework="np") as file:
        assert file.metadata()["format_version"] == "2"
        assert set(file.keys()) == set(made.weights)
    after = Checkpoint.load(tmp_path / "int8.safetensors")
    assert after.provenance == {**made.provenance, "quantized": "int8"}
    for name, array in made.weights.items():
        assert after.weights[name].dtype == np.float32
        tolerance = np.abs(array).max(axis=1, keepdims=True) / 253 if name in expected else 0
        assert (np.abs(after.weights[name] - array) <= tolerance).all(), name
    assert any((after.weights[name] != made.weights[name]).any() for name in expected)


def test_the_judge_and_the_index_come_along(tmp_path):
    before = Checkpoint.load(resolve("folk"))
    assert before.is_half
    before.save(tmp_path / "folk.safetensors", half=True, int8=True)
    after = load_model(tmp_path / "folk.safetensors")
    assert after.checkpoint.packed_index == before.packed_index
    for name, array in before.critic.arrays().items():
        np.testing.assert_array_equal(after.checkpoint.critic.arrays()[name], array)
    assert after.fingerprint != load_model("folk").fingerprint
    assert after.fingerprint == load_model(tmp_path / "folk.safetensors").fingerprint
    assert after.generate(4, seed=1).bars == 4


def test_export_writes_onnx(here, capsys):
    assert run("export", "toy", "toy.onnx") == 0
    assert "opset 17" in capsys.readouterr().out
    assert Path("toy.onnx").read_bytes() == onnx_bytes(checkpoint())
    assert run("export", "toy", "toy.onnx") == 1
    assert "exists" in capsys.readouterr().err
    assert run("export", "toy", "toy.onnx", "--force") == 0
    assert sorted(path.name for path in here.iterdir()) == ["checkpoints", "toy.onnx"]


def test_export_writes_int8_and_tells_what_it_costs(here, capsys):
    checkpoint(LARGE).save("checkpoints/large.safetensors")
    folder = write_tunes(here / "tunes", 4)
    assert run("export", "large", "less.safetensors", "--int8", "--data", folder) == 0
    out = capsys.readouterr().out
    assert "Nats per note on 4 tunes" in out
    before, after = Path("checkpoints/large.safetensors"), Path("less.safetensors")
    assert after.stat().st_size < 0.6 * before.stat().st_size
    assert run("info", after) == 0
    assert "int8" in capsys.readouterr().out
    assert run("generate", "--model", "less.safetensors", "--bars", 2, "a.mid") == 0
    # Of an exported model another can be exported, and it is the same.
    assert run("export", "less.safetensors", "again.safetensors", "--int8") == 0
    one, two = Checkpoint.load(after), Checkpoint.load("again.safetensors")
    for name, array in one.weights.items():
        np.testing.assert_allclose(two.weights[name], array, rtol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("toy.txt",), "does not end in .onnx, .html or .safetensors"),
        (("toy.safetensors",), "add --int8"),
        (("toy.onnx", "--int8"), "leave them out"),
        (("toy.onnx", "--data", "tunes"), "leave them out"),
    ],
)
def test_export_says_what_does_not_go_together(here, capsys, arguments, words):
    assert run("export", "toy", *arguments) == 2
    assert words in capsys.readouterr().err
    assert not Path(arguments[0]).exists()


def test_export_writes_nothing_if_there_are_no_tunes(here, capsys):
    assert run("export", "toy", "toy.safetensors", "--int8", "--data", "nowhere") == 1
    assert "nowhere" in capsys.readouterr().err
    assert not Path("toy.safetensors").exists()
