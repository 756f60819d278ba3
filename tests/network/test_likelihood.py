"""The bootstrap of a mean over pieces: on data whose answer is known."""

import math

import numpy as np
import pytest

from melodygru.network.likelihood import bootstrap


def test_bootstrap_covers_the_true_mean_about_95_times_in_100():
    random = np.random.default_rng(8)
    inside = 0
    for trial in range(200):
        totals = random.normal(2.0, 1.0, 60)
        low, high = bootstrap(totals, np.ones(60), draws=400, seed=trial)
        inside += low <= 2.0 <= high
    assert 0.89 <= inside / 200 <= 0.99


def test_bootstrap_of_equal_pieces_has_no_width():
    low, high = bootstrap(np.full(10, 3.0), np.full(10, 2.0))
    assert low == pytest.approx(1.5)
    assert high == pytest.approx(1.5)
    assert all(math.isnan(value) for value in bootstrap(np.zeros(3), np.zeros(3)))
