import json
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from melodygru.errors import CheckpointError
from melodygru.network.arrays import softmax
from melodygru.network.checkpoint import Checkpoint, read_metadata
from melodygru.network.likelihood import event_nats_parts
from melodygru.network.mixing import CONTEXTS, EXPERTS, NgramModel
from melodygru.network.ngrams import Heard
from melodygru.network.tokenizer import END, REST, Tokenizer
from melodygru.network.trace import trace
from melodygru.writing.model import Model
from tests.command_line import run
from tests.networks import checkpoint
from tests.tunes import tune


def mixed(weight=0.2, network=0.5):
    """An untrained checkpoint with n-grams of some tunes."""
    pieces = [Tokenizer().encode(tune(seed)) for seed in range(6)]
    weights = np.random.default_rng(0).uniform(0, weight, (EXPERTS, CONTEXTS))
    return replace(checkpoint(), ngrams=NgramModel.of(pieces, weights, network))


def content(path):
    """All that a checkpoint holds: its header, in which entries have no order, and the bytes of its arrays."""
    data = path.read_bytes()
    length = int.from_bytes(data[:8], "little")
    return json.loads(data[8 : 8 + length]), data[8 + length :]


def test_a_model_with_ngrams_comes_back_from_its_file(tmp_path):
    before = mixed()
    before.save(tmp_path / "a.safetensors")
    after = Checkpoint.load(tmp_path / "a.safetensors")
    assert read_metadata(tmp_path / "a.safetensors")["format_version"] == "4"
    for name, array in before.ngrams.arrays().items():
        np.testing.assert_array_equal(after.ngrams.arrays()[name], array)
    assert Model(after).fingerprint == Model(before).fingerprint != Model(checkpoint()).fingerprint
    after.save(tmp_path / "b.safetensors")
    assert content(tmp_path / "a.safetensors") == content(tmp_path / "b.safetensors")
    pieces = [tune(seed) for seed in range(6)]
    assert [Tokenizer().decode(events).notes for events in after.ngrams.events()] == [one.notes for one in pieces]
    after.save(tmp_path / "c.safetensors", int8=True)
    assert Checkpoint.load(tmp_path / "c.safetensors").ngrams is not None


def test_a_model_without_ngrams_is_written_as_before(tmp_path):
    checkpoint().save(tmp_path / "a.safetensors")
    assert read_metadata(tmp_path / "a.safetensors")["format_version"] == "2"
    replace(mixed(), ngrams=None).save(tmp_path / "b.safetensors")
    assert content(tmp_path / "a.safetensors") == content(tmp_path / "b.safetensors")
    assert Checkpoint.load(tmp_path / "a.safetensors").ngrams is None


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("pitches", lambda array: np.full_like(array, 255)),
        ("pitches", lambda array: array[:-1]),
        ("pieces", lambda array: array * 0 - 1),
        ("pieces", lambda array: array[:, :5]),
        ("weights", lambda array: array * np.nan),
        ("weights", lambda array: array.astype(np.float64)),
        ("network", lambda array: array + 1e9),
        ("durations", None),
    ],
)
def test_damaged_ngrams_are_refused_in_one_sentence(tmp_path, name, change):
    arrays = mixed().ngrams.arrays()
    arrays = {key: array for key, array in arrays.items() if key != name or change is not None}
    if change is not None:
        arrays[name] = change(arrays[name])
    with pytest.raises(CheckpointError, match=r"is damaged: its n-grams .*train it again\.$"):
        NgramModel.from_arrays(arrays)


def test_that_a_note_comes_is_as_likely_as_the_network_has_it():
    model = mixed()
    alone, both = replace(model, ngrams=None).engine(), model.engine()
    metas = [Tokenizer().encode(tune(9)).meta] * 3
    states = [engine.start(metas) for engine in (alone, both)]
    durations = np.array([12, 24, 36])
    for pitch in (60, 62, REST, 65):
        one, two = (
            softmax(engine.pitch_logits(state, durations).astype(np.float64))
            for engine, state in zip((alone, both), states, strict=True)
        )
        np.testing.assert_allclose(one[:, REST:], two[:, REST:], atol=1e-6)
        assert np.abs(one[:, :REST] - two[:, :REST]).max() > 1e-3
        for engine, state in zip((alone, both), states, strict=True):
            engine.advance(state, durations, np.full(3, pitch))


def test_with_a_network_of_weight_one_and_silent_ngrams_nothing_changes():
    model = mixed(weight=0.0, network=1.0)
    pieces = [Tokenizer().encode(tune(seed)) for seed in (7, 8)]
    for one, two in zip(
        event_nats_parts(model.engine(), pieces),
        event_nats_parts(replace(model, ngrams=None).engine(), pieces),
        strict=True,
    ):
        np.testing.assert_allclose(one, two, atol=1e-5)


def test_the_mixture_is_the_weighted_sum_of_logs_for_one_melody_as_for_many():
    model = mixed()
    pieces = [Tokenizer().encode(tune(seed, bars)) for seed, bars in ((7, 4), (8, 9), (9, 2))]
    together = event_nats_parts(model.engine(), pieces)
    alone = replace(model, ngrams=None).engine()
    for piece, said in zip(pieces, together, strict=True):
        state, heard = alone.start([piece.meta]), Heard([piece.meta])
        for at, (duration, pitch) in enumerate(zip(piece.durations, piece.pitches, strict=True)):
            chosen = np.array([duration]), np.array([pitch])
            chances = softmax(alone.pitch_logits(state, chosen[0]).astype(np.float64))[0]
            if duration != END and pitch < REST:
                expected = model.ngrams.expected(heard, chosen[0])[0]
                powers = chances[:REST] ** 0.5 * np.exp(expected)
                chance = powers[pitch] / powers.sum() * chances[:REST].sum()
                assert said[1, at] == pytest.approx(-np.log(chance), abs=1e-4)
            alone.advance(state, *chosen)
            heard.advance(*chosen)


def test_what_explain_shows_is_the_mixture():
    model = mixed()
    melody = tune(11)
    nats = event_nats_parts(model.engine(), [Tokenizer().encode(melody)])[0]
    np.testing.assert_allclose(trace(model.engine(), melody).nats, nats, atol=1e-5)


@pytest.mark.parametrize("options", [{"scale": "major"}, {"range": "A3:A5", "max_leap": 5}])
def test_what_is_promised_is_kept(options):
    model = Model(mixed(weight=0.3))
    for melody in model.generate_many(4, 4, seed=3, key="C major", **options):
        pitches = [note.pitch for note in melody.notes]
        assert melody.bars == 4
        if "scale" in options:
            assert {pitch % 12 for pitch in pitches} <= {0, 2, 4, 5, 7, 9, 11}
        else:
            assert min(pitches) >= 57
            assert max(pitches) <= 81
            assert max(abs(b - a) for a, b in pairwise(pitches)) <= 5


def test_the_same_seed_writes_the_same_alone_and_among_others():
    model = Model(mixed())
    many = model.generate_many(5, 4, seed=8)
    assert model.generate(4, seed=8).notes == many[0].notes
    assert model.generate_many(5, 4, seed=8) == many


def test_the_graph_is_said_to_be_of_the_network_alone(tmp_path, capsys):
    pytest.importorskip("onnx")
    for name, model in (("with", mixed()), ("without", checkpoint())):
        model.save(tmp_path / f"{name}.safetensors")
        run("export", tmp_path / f"{name}.safetensors", tmp_path / f"{name}.onnx")
        assert ("Its n-grams stay outside" in capsys.readouterr().out) == (name == "with")
