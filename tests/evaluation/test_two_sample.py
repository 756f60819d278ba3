"""Two-sample tests and distances of sets: on data whose answer is known."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import norm
from sklearn.metrics import roc_auc_score

from melodygru.evaluation.distances import compare_densities, set_distance
from melodygru.evaluation.sequence_classifier import SequenceClassifier, SequenceLearner, columns
from melodygru.evaluation.two_sample import FOLDS, FeatureLearner, boosted, cross_validate, giveaways, logistic
from melodygru.music.statistics import feature_table, features
from melodygru.network.tokenizer import Tokenizer
from tests.tunes import tune


def judged(learn, labels, groups, folds=FOLDS):
    """What comes of one classifier alone."""
    return cross_validate({"": (learn, folds)}, labels, groups)[""]


def statistical_test(make, table, labels, groups, folds=4):
    return judged(FeatureLearner(make, table, labels), labels, groups, folds)


LABELS = np.repeat([1, 0], 100)
GROUPS = np.tile(np.arange(100), 2)


@pytest.mark.parametrize("make", [boosted, logistic])
def test_sets_drawn_alike_cannot_be_told_apart(make):
    found = [
        statistical_test(make, np.random.default_rng(seed).normal(size=(200, 6)), LABELS, GROUPS) for seed in range(3)
    ]
    assert np.mean([one.auc for one in found]) == pytest.approx(0.5, abs=0.06)
    assert all(abs(one.auc - 0.5) < 0.15 and one.low < 0.55 and one.high > 0.45 for one in found)


@pytest.mark.parametrize("make", [boosted, logistic])
def test_the_same_melodies_twice_cannot_be_told_apart(make):
    half = np.random.default_rng(1).normal(size=(100, 6))
    found = statistical_test(make, np.concatenate([half, half]), LABELS, GROUPS, FOLDS)
    assert found.auc == 0.5


@pytest.mark.parametrize("make", [boosted, logistic])
def test_sets_that_never_overlap_are_told_apart_always(make):
    table = np.random.default_rng(2).normal(size=(200, 6))
    table[:100, 3] += 20
    found = statistical_test(make, table, LABELS, GROUPS)
    assert (found.auc, found.low, found.high) == (1, 1, 1)
    assert found.roc[0] == (0, 0)
    assert found.roc[-1] == (1, 1)


def test_auc_of_a_known_difference_is_the_known_one():
    """For two normal distributions a distance d apart the AUC is Phi(d / sqrt 2)."""
    random = np.random.default_rng(3)
    labels, groups = np.repeat([1, 0], 1500), np.tile(np.arange(1500), 2)
    scores = random.normal(size=3000) + labels
    found = judged(lambda train, test: scores[test], labels, groups, 5)
    expected = norm.cdf(1 / math.sqrt(2))
    assert found.auc == pytest.approx(expected, abs=0.02)
    assert found.low < expected < found.high
    assert found.high - found.low < 0.05


def test_trees_see_combinations_and_missing_values():
    random = np.random.default_rng(4)
    table = random.normal(size=(200, 2))
    table[:, 1] = np.abs(table[:, 1]) * np.sign(table[:, 0]) * np.where(LABELS == 1, 1, -1)
    assert statistical_test(boosted, table, LABELS, GROUPS).auc > 0.9
    table[LABELS == 1, 0] = np.nan
    assert statistical_test(boosted, table, LABELS, GROUPS).auc == 1


@pytest.mark.parametrize("make", [boosted, logistic])
def test_features_without_values_are_passed_over(make):
    table = np.random.default_rng(9).normal(size=(200, 4))
    table[:, 0], table[:, 2] = np.nan, 7.0
    table[:100, 3] += 20
    assert statistical_test(make, table, LABELS, GROUPS).auc == 1
    assert statistical_test(make, table[:, [0, 2]], LABELS, GROUPS).auc == 0.5


def test_melodies_of_one_group_are_never_on_both_sides():
    def learn(train, test):
        assert not set(GROUPS[train]) & set(GROUPS[test])
        return np.zeros(len(test))

    assert judged(learn, LABELS, GROUPS, 5).auc == 0.5


def test_giveaways_name_the_feature_that_tells_most():
    table = np.random.default_rng(5).normal(size=(200, 3))
    table[:100, 1] -= 5
    table[0, 2] = np.nan
    first, *rest = giveaways(["a", "b", "c"], table, LABELS)
    assert (first.name, first.auc) == ("b", pytest.approx(0, abs=0.01))
    assert first.people == pytest.approx(-5, abs=0.4)
    assert all(feature.tells < 0.15 for feature in rest)


def test_auc_of_a_feature_is_that_of_its_curve_ties_and_all():
    random = np.random.default_rng(10)
    table = np.stack([random.normal(size=200) + LABELS, random.integers(0, 4, 200), np.zeros(200)], axis=1)
    for feature in giveaways(["a", "b", "c"], table, LABELS):
        assert feature.auc == pytest.approx(roc_auc_score(LABELS, table[:, "abc".index(feature.name)]), abs=1e-12)


def test_every_melody_has_the_same_features():
    names, table = feature_table([tune(i) for i in range(4)])
    assert len(set(names)) == len(names) == table.shape[1]
    assert names == list(features(tune(9)))


def test_events_tell_tunes_from_their_mirror_images():
    pieces = [Tokenizer().encode(tune(i)) for i in range(30)]
    mirrored = []
    for piece in pieces:
        turned = piece.pitches.copy()
        sounds = turned < 128
        # All in one place and key, then held: easily told.
        turned[sounds] = 60 + np.arange(sounds.sum()) % 2
        mirrored.append(type(piece)(piece.durations, turned, piece.meta))
    labels, groups = np.repeat([1, 0], 30), np.tile(np.arange(30), 2)
    found = judged(SequenceLearner([*pieces, *mirrored], labels), labels, groups, 2)
    assert found.auc > 0.95
    same = judged(SequenceLearner([*pieces, *pieces], labels), labels, groups, 2)
    assert same.auc == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("training", [True, False])
def test_melodies_of_any_length_are_scored_as_if_all_were_padded(training):
    """Against the plain network: `torch.nn.GRU` on rows as long as the longest, with a mask."""
    torch.manual_seed(1)
    network = SequenceClassifier().train(training)
    rows = [torch.from_numpy(columns(Tokenizer().encode(tune(i, 1 + 5 * i % 13)))) for i in range(9)]
    reference = torch.nn.GRU(48, 32, batch_first=True)
    reference.load_state_dict(network.recurrent.state_dict())

    def plainly():
        events = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)
        lengths = torch.tensor([len(row) for row in rows])
        mask = (torch.arange(events.shape[1]) < lengths[:, None]).float()
        x = torch.cat([table(events[..., i]) for i, table in enumerate(network.tables)], dim=-1)
        states, _ = reference(torch.nn.functional.dropout(x, 0.3, training))
        mean = (states * mask[..., None]).sum(1) / lengths[:, None]
        hidden = torch.cat([mean, states[torch.arange(len(rows)), lengths - 1]], dim=1)
        return network.out(torch.nn.functional.dropout(hidden, 0.3, training))[:, 0]

    torch.manual_seed(2)
    expected = plainly()
    torch.manual_seed(2)
    torch.testing.assert_close(network(rows), expected, atol=1e-5, rtol=1e-4)


def test_processes_and_threads_do_not_change_what_is_found():
    pieces = [Tokenizer().encode(tune(i)) for i in range(12)]
    labels, groups = np.repeat([1, 0], 6), np.tile(np.arange(6), 2)
    table = np.random.default_rng(8).normal(size=(12, 5))
    tests = {"events": (SequenceLearner(pieces, labels), 3), "trees": (FeatureLearner(boosted, table, labels), 2)}
    told = []
    before = torch.get_num_threads()
    alone = cross_validate(tests, labels, groups)
    shared = cross_validate(tests, labels, groups, jobs=2, progress=lambda *done: told.append(done))
    assert alone == shared
    assert told == [(number, 5) for number in range(1, 6)]
    assert judged(tests["trees"][0], labels, groups, 2) == alone["trees"]
    assert torch.get_num_threads() == before


def test_transposed_melodies_are_the_same_events_to_the_classifier():
    one, two = (Tokenizer().encode(melody) for melody in (tune(3), tune(3).transpose(4)))
    assert (columns(one) == columns(two)).all()


def test_equal_sets_are_not_apart_and_distant_ones_are():
    random = np.random.default_rng(6)
    one, two = random.normal(size=(150, 1)), random.normal(size=(150, 1))
    near, far = set_distance(one, two), set_distance(one, two + 30)
    assert near.overlap > 0.9
    assert near.divergence < 0.05
    assert far.overlap < 0.01
    assert far.divergence > 5
    assert far.inter == pytest.approx(30, abs=0.5)


def test_densities_of_known_distributions_overlap_as_calculated():
    random = np.random.default_rng(7)
    one, two = random.normal(size=20_000), random.normal(1, 1, size=20_000)
    divergence, overlap = compare_densities(one, two)
    assert overlap == pytest.approx(2 * norm.cdf(-0.5), abs=0.02)
    assert divergence == pytest.approx(0.5, abs=0.05)


def test_sets_without_any_spread_are_equal_or_not():
    assert compare_densities(np.zeros(5), np.zeros(4)) == (0, 1)
    assert compare_densities(np.zeros(5), np.ones(4)) == (math.inf, 0)
