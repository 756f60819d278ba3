"""What benchmarks tell their networks is of the past alone."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))
chung2014 = pytest.importorskip("chung2014")
best = pytest.importorskip("chung2014_best")


def piece(length=120, seed=0):
    """A piano roll with repeats: sixteen different frames in phrases that return."""
    random = np.random.default_rng(seed)
    kinds = (random.random((16, chung2014.KEYS)) < 0.04).astype(np.uint8)
    return kinds[np.tile(random.integers(0, 16, length // 4), 4)]


@pytest.mark.parametrize("due", [1, 37, 119])
def test_what_is_known_of_a_frame_does_not_depend_on_it_or_on_later_ones(due):
    one = piece()
    other = one.copy()
    other[due:] = 1 - other[due:]
    for mine, theirs in zip(best.sources(one), best.sources(other), strict=True):
        np.testing.assert_array_equal(mine[: due + 1], theirs[: due + 1])


def test_repeats_are_found_and_named():
    one = piece()
    frames, runs = best.sources(one)
    np.testing.assert_array_equal(frames[1:, 0], one[:-1])
    np.testing.assert_array_equal(frames[8:, 2], one[:-8])
    # From the second phrase on, what followed the longest passage like this one is what comes.
    np.testing.assert_array_equal(frames[60:, 1 + len(best.LAGS)], one[60:])
    assert best.RUNS[runs[100, 0]] >= 32


@pytest.mark.parametrize("cell", list(chung2014.UNITS))
def test_members_of_an_ensemble_do_not_know_each_other(cell):
    torch.manual_seed(0)
    network = chung2014.Ensemble(cell, 3)
    frames = torch.from_numpy(np.stack([piece(40, seed) for seed in range(2)])).float()
    inputs = chung2014.shifted(frames)
    together, _ = network.logits(inputs, network.start(2))
    whole, _ = chung2014.evaluate(network, [piece(40, 0), piece(24, 1)])
    network.keep([1])
    alone, _ = network.logits(inputs, network.start(2))
    torch.testing.assert_close(together[1:2], alone)
    torch.testing.assert_close(chung2014.evaluate(network, [piece(40, 0), piece(24, 1)])[0], whole[1:2])


def test_weights_are_as_many_as_in_the_paper():
    for cell in chung2014.UNITS:
        count = sum(weight[0].numel() for weight in chung2014.Ensemble(cell, 1).weights)
        assert 18_000 < count < 29_000
