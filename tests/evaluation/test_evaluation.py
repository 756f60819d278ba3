"""`evaluate`: on models and tunes whose answer is known."""

import json
from pathlib import Path

import numpy as np
import pytest

from melodygru import Key, Melody, Note, TimeSignature
from melodygru.errors import DataError, UsageError
from melodygru.evaluation.counterparts import conditions, write_like
from melodygru.evaluation.evaluation import evaluate
from melodygru.evaluation.likelihoods import judge_likelihood, repeated_bars
from melodygru.evaluation.report import page
from melodygru.evaluation.set_statistics import compare_histograms, compare_scalars
from melodygru.network.likelihood import event_nats, event_nats_parts
from melodygru.network.tokenizer import END, Tokenizer
from melodygru.training.run import train
from melodygru.writing.model import Model, load_model
from tests.command_line import run
from tests.network.test_trace import Names, engine_of
from tests.networks import checkpoint
from tests.tunes import tune, write_tunes


def silent(what, done, total):
    pass


def encoded(melody):
    return Tokenizer().encode(melody)


def test_nats_of_pieces_do_not_depend_on_their_neighbours():
    engine, pieces = engine_of(), [encoded(tune(i, 2 + i % 3)) for i in range(7)]
    for piece, parts in zip(pieces, event_nats_parts(engine, pieces), strict=True):
        np.testing.assert_allclose(parts, event_nats_parts(engine, [piece])[0], atol=1e-4)
        np.testing.assert_allclose(parts.sum(axis=0), event_nats(engine, [piece])[0], atol=1e-4)
        assert parts[1, -1] == 0


def test_repeated_bars_are_those_that_stood_before():
    bar = [(60, 0, 48), (62, 48, 48)]
    other = [(64, 96, 96)]
    notes = [*bar, *other, *((p, at + 192, d) for p, at, d in bar), (60, 288, 48), (63, 336, 48)]
    piece = encoded(Melody(tuple(Note(*note) for note in notes)))
    assert repeated_bars(piece).tolist() == [False, False, False, True, True, False, False, False]
    assert piece.durations[-1] == END


def test_likelihood_is_split_up_as_by_hand():
    four = Melody((Note(60, 0, 96), Note(62, 96, 96), Note(60, 192, 96)))
    three = Melody((Note(60, 48, 24), Note(62, 72, 72)), TimeSignature(3, 4), pickup=24)
    pieces = [encoded(four), encoded(three)]
    # The second piece begins with the rest before its pickup.
    nats = [np.array([[1.0, 2, 3, 4], [10, 20, 30, 0]]), np.array([[5.0, 6, 7, 8], [50, 60, 70, 0]])]
    found = judge_likelihood(pieces, nats)
    assert (found.total.nats, found.total.notes) == (pytest.approx((10 + 60 + 26 + 180) / 5), 5)
    assert found.duration.nats == pytest.approx((10 + 26) / 5)
    assert found.pitch.nats == pytest.approx((60 + 180) / 5)
    assert (found.repeated.nats, found.repeated.notes) == (33, 1)  # the third bar is the first again
    assert found.new.nats == pytest.approx((276 - 33) / 4)
    assert {metre: figure.nats for metre, figure in found.by_metre.items()} == {
        "3/4": pytest.approx(206 / 2),
        "4/4": pytest.approx(70 / 3),
    }
    # Bar 0 has the rest and the upbeat; bar 1 its note and END, and the first note of the piece in 4/4.
    assert {bar: figure.nats for bar, figure in found.by_bar.items()} == {
        0: 5 + 50 + 6 + 60,
        1: pytest.approx((7 + 70 + 8 + 11) / 2),
        2: 22,
        3: 33 + 4,
    }
    assert found.total.low <= found.total.nats <= found.total.high


def test_conditions_are_the_tune_s_own():
    melody = Melody((Note(60, 72, 24), Note(55, 96, 96)), TimeSignature(4, 4), Key.parse("G"), pickup=24)
    assert conditions(melody) == {"bars": 1, "meter": "4/4", "key": "G major", "end_on": "tonic", "pickup": "1/4"}
    other = Melody((Note(60, 0, 24), Note(62, 96, 96)), TimeSignature(3, 4), Key.parse("G"))
    assert conditions(other) == {"bars": 3, "meter": "3/4", "key": "G major", "end_on": "any"}
    with pytest.raises(UsageError):  # a pickup off every grid
        conditions(Melody((Note(60, 91, 5), Note(55, 96, 96)), pickup=5))


def test_melodies_are_written_in_the_place_of_tunes():
    people = [tune(i) for i in range(5)] + [Melody((Note(60, 91, 5), Note(55, 96, 96)), pickup=5)]
    written, groups, left_out = write_like(Model(checkpoint()), people, 12, 0, {}, silent)
    assert (len(written), left_out) == (12, 1)
    assert sorted(np.bincount(groups, minlength=6)) == [0, 2, 2, 2, 3, 3]
    for melody, group in zip(written, groups, strict=True):
        other = people[group]
        assert (melody.bars, melody.time_signature, melody.key) == (other.bars, other.time_signature, other.key)
        if other.notes[-1].pitch % 12 == other.key.tonic:
            assert melody.notes[-1].pitch % 12 == other.key.tonic
    again = write_like(Model(checkpoint()), people, 12, 0, {}, silent)[0]
    assert [melody.notes for melody in again] == [melody.notes for melody in written]


def test_tunes_too_short_for_so_many_different_melodies_are_left_out():
    short, long = tune(0, 1), tune(1, 8)
    narrow = {"range": "C4:C4", "end_on": "any", "grid": "1/4", "triplets": False}
    written, groups, left_out = write_like(Model(checkpoint()), [short, long], 60, 0, narrow, silent)
    assert left_out == 1
    assert set(groups.tolist()) == {1}
    assert len(written) == 30
    with pytest.raises(DataError, match="No melody could be written"):
        write_like(Model(checkpoint()), [short], 60, 0, narrow, silent)


def test_equal_sets_are_alike_in_all_statistics():
    melodies = [tune(i, 20) for i in range(25)]
    for statistic in compare_scalars(melodies, melodies).values():
        assert statistic.people == statistic.generated
    for name, distance in compare_histograms(melodies, melodies).items():
        assert distance.overlap > 0.8, name


@pytest.fixture(scope="module")
def learned(tmp_path_factory):
    """The file of a model that has learned a little, and its folder."""
    home = tmp_path_factory.mktemp("learned")
    folder = write_tunes(home / "tunes", 60)
    settings = {"preset": "tiny", "hidden": 12, "val_split": 0.4, "device": "cpu", "epochs": 2}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MELODYGRU_CACHE", str(home / "cache"))
        return train(folder, home / "mine", **settings).checkpoint, folder


@pytest.fixture
def trained(learned, tmp_path, monkeypatch):
    """That model and its folder, in an empty folder; caches are new."""
    monkeypatch.setenv("MELODYGRU_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    file, folder = learned
    return load_model(file), folder


def test_training_folder_means_what_was_held_out(trained):
    model, folder = trained
    told = []
    found = evaluate(model, folder, samples=24, progress=lambda what, done, total: told.append(what))
    assert found.held_out
    assert found.pieces == model.provenance["validation_pieces"] == 24
    # What training told is of n-grams weighed by the other half of the same tunes; the model has weights from all.
    assert found.likelihood.total.nats == pytest.approx(model.human_nats_per_note, abs=0.02)
    assert found.samples == 24
    assert set(found.tests) == {"boosted trees", "logistic regression", "events (GRU)"}
    # An untaught network against walks up and down a scale.
    assert found.tests["boosted trees"].auc > 0.8
    assert found.features[0].tells >= found.features[-1].tells
    assert found.shared_runs["generated"]["pieces"] == 24
    assert {"reading files", "writing melodies", "telling them apart: folds"} <= set(told)
    as_json = json.dumps(found.as_dict(), allow_nan=True)
    assert "shown" not in as_json
    html = page(found)
    names = Names()
    names.feed(html)
    assert not [address for address in names.addresses if not address.startswith(("data:", "#"))]
    assert names.tags.count("table") == 4
    assert html.count('role="img"') == 10  # five rolls of each
    assert page(found) == html


def test_too_few_or_known_tunes_are_refused(trained, tmp_path):
    model, folder = trained
    few = write_tunes(tmp_path / "few", 5)
    with pytest.raises(DataError, match="has 5 tunes; give at least 20"):
        evaluate(model, few)
    with pytest.raises(UsageError, match="samples is 3"):
        evaluate(model, folder, samples=3)
    result = train(folder, tmp_path / "all", preset="tiny", hidden=8, val_data=few, epochs=1, device="cpu")
    with pytest.raises(DataError, match="learned from all of these"):
        evaluate(load_model(result.checkpoint), folder)


def test_command_prints_and_writes(learned, trained, capsys):
    file, folder = learned
    assert run("evaluate", file, folder, "--samples", "20", "--report", "r.html", "--top-p", "0.9") == 0
    text = capsys.readouterr().out
    for words in ("nats per note", "boosted trees", "what gives it away", "held out in training", "Wrote r.html."):
        assert words in text
    assert Path("r.html").read_text("utf-8").startswith("<!doctype html>")
    assert run("evaluate", file, folder, "--report", "r.html") == 1
    assert run("evaluate", file, folder, "--report", "r.txt") == 2
    assert run("evaluate", file, folder, "--seed", "-1") == 2
    assert run("evaluate", file, folder, "--temperature", "-1", "--samples", "20") == 2
    assert "temperature is -1" in capsys.readouterr().err
