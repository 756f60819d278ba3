import re

import numpy as np
import pytest

from melodygru import train
from melodygru.errors import UsageError
from melodygru.network.checkpoint import Checkpoint
from melodygru.network.likelihood import event_nats_parts
from melodygru.network.mixing import CONTEXTS, EXPERTS
from melodygru.network.tokenizer import Tokenizer
from melodygru.training import ngram_fitting
from melodygru.training.ngram_fitting import costs, expert_weights, fit_ngrams, fit_weights
from tests.command_line import run
from tests.networks import checkpoint
from tests.tunes import tune, write_tunes

TINY = {"preset": "tiny", "hidden": 16, "epochs": 1, "threads": 1, "seed": 1}


def test_weights_are_found_that_drew_the_pitches(monkeypatch):
    monkeypatch.setattr(ngram_fitting, "_PULL", 1e-3)
    random = np.random.default_rng(0)
    values, true = random.normal(0, 1, (4000, 3, 128)), np.array([0.8, -0.3, 1.5])
    scores = np.einsum("nfa,f->na", values, true) + random.gumbel(size=(4000, 128))
    found = fit_weights(values, scores.argmax(axis=1), np.zeros(3))
    np.testing.assert_allclose(found, true, atol=0.06)


def test_few_notes_leave_weights_where_they_were():
    start = np.array([0.5, 0.6])
    values = np.random.default_rng(0).normal(0, 1, (2, 2, 128))
    assert np.abs(fit_weights(values, np.array([3, 90]), start) - start).max() < 0.3
    assert costs(values, np.array([3, 90]), start * 0) == pytest.approx(np.log(128))


def test_pieces_of_one_family_do_not_foretell_each_other():
    piece = Tokenizer().encode(tune(0, 16))
    other = [Tokenizer().encode(tune(seed)) for seed in range(1, 8)]
    kin, strangers = np.zeros(8, int), np.arange(8)
    kin[1:] = np.arange(1, 8)
    twice = [piece, piece, *other[:6]]
    kin[1] = 0
    # Were one copy foretold by the other, long contexts would be believed far more.
    longest = slice(0, EXPERTS // 2), CONTEXTS - 1
    assert expert_weights(twice, strangers)[longest].sum() > expert_weights(twice, kin)[longest].sum() + 0.05


def test_without_pieces_held_out_nothing_is_judged():
    pieces = [Tokenizer().encode(tune(seed)) for seed in range(4)]
    found = fit_ngrams(checkpoint().engine(), pieces, np.arange(4), [])
    assert np.isnan(found.alone)
    assert not found.pays
    assert found.ngrams.network[0] == pytest.approx(0.6)


def test_ngrams_are_in_the_model_and_help_as_much_as_is_told(tmp_path):
    folder = write_tunes(tmp_path / "tunes", 24)
    results = [train(folder, tmp_path / how, ngrams=how, **TINY) for how in ("off", "on", "auto")]
    off, on, auto = (Checkpoint.load(result.checkpoint) for result in results)
    assert off.ngrams is None
    assert results[0].ngrams_gain is None
    for name, array in off.weights.items():
        np.testing.assert_array_equal(on.weights[name], array)
    # A network that has hardly learned anything is glad of them.
    assert auto.ngrams is not None
    assert on.ngrams.arrays().keys() == auto.ngrams.arrays().keys()
    assert results[1].val_nats == pytest.approx(results[0].val_nats - results[1].ngrams_gain)
    assert on.provenance["validation_nats_per_note"] == pytest.approx(results[1].val_nats, abs=1e-4)
    assert on.provenance["ngrams"]["pieces"] == on.provenance["pieces"]
    new = [Tokenizer().encode(tune(seed)) for seed in range(50, 60)]
    costs_of = [sum(parts.sum() for parts in event_nats_parts(one.engine(), new)) for one in (off, on)]
    assert costs_of[1] < costs_of[0]


def test_ngrams_that_do_not_help_are_left_out(tmp_path, monkeypatch):
    monkeypatch.setattr(ngram_fitting, "_GAIN", 1e9)
    result = train(write_tunes(tmp_path / "tunes"), tmp_path / "model", **TINY)
    assert Checkpoint.load(result.checkpoint).ngrams is None
    assert result.ngrams_gain is None


def test_where_the_music_is_not_to_be_told_there_are_none(tmp_path):
    folder = write_tunes(tmp_path / "tunes", 24)
    result = train(folder, tmp_path / "model", index=False, **TINY)
    assert Checkpoint.load(result.checkpoint).ngrams is None
    with pytest.raises(UsageError, match="--no-index keeps those out"):
        train(folder, tmp_path / "other", index=False, ngrams="on", **TINY)
    with pytest.raises(UsageError, match="--ngrams is 'yes'; choose auto, on or off"):
        train(folder, tmp_path / "other", ngrams="yes", **TINY)


def test_too_much_music_is_refused_before_it_is_learned(tmp_path, monkeypatch):
    monkeypatch.setattr("melodygru.training.mixture.MOST_EVENTS", 50)
    folder = write_tunes(tmp_path / "tunes", 24)
    with pytest.raises(UsageError, match="counts at most 50 events"):
        train(folder, tmp_path / "other", ngrams="on", **TINY)
    assert Checkpoint.load(train(folder, tmp_path / "other", **TINY).checkpoint).ngrams is None


def test_the_command_says_that_ngrams_are_in_and_what_they_bring(tmp_path, capsys):
    folder = write_tunes(tmp_path / "tunes", 24)
    options = [f"--{name}={value}" for name, value in TINY.items()]
    assert run("train", folder, "--out", tmp_path / "model", *options) == 0
    assert re.search(r"N-grams of the folder are mixed in: \d\.\d{3} nats per note better", capsys.readouterr().out)
    assert run("train", folder, "--out", tmp_path / "other", "--ngrams", "off", *options) == 0
    assert "N-grams" not in capsys.readouterr().out
