"""What the network scores, and how its scores are decoded, beside torch and beside all paths counted one by one."""

import sys
from itertools import pairwise, product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melodygru.arranging.beats import WIDTH, describe
from melodygru.arranging.chord_network import (
    CHORD_QUALITIES,
    QUALITY_COUNT,
    STATES,
    ChordScores,
    scored,
    state_of,
    tones_of_states,
    weights,
)
from melodygru.arranging.chord_paths import CHANGE_COST, ROOT_SHARE, best_path, expected_right, nats_of_path, worth
from melodygru.music.theory import MODES, Key
from tests.tunes import tune

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts"))
FEW = 2 * QUALITY_COUNT
"""States of two roots: few enough for all paths of three beats to be counted."""


def scores_of(seed, beats=3):
    random = np.random.default_rng(seed)
    return ChordScores(random.normal(0, 2, (beats, FEW)), random.normal(0, 2, beats), random.normal(0, 2, (FEW, FEW)))


def all_paths(scores, wishes, free):
    """Every path that may be, and its probability."""
    paths, totals = [], []
    for path in product(range(FEW), repeat=len(free)):
        if any(one != two and not open for one, two, open in zip(path, path[1:], free[1:], strict=False)):
            continue
        seen = sum(scores.states[at, state] + wishes[at, state] for at, state in enumerate(path))
        moves = sum(scores.moves[one, two] for one, two in pairwise(path))
        stays = sum(scores.stays[at] for at in range(1, len(path)) if path[at] == path[at - 1])
        paths.append(path)
        totals.append(seen + moves + stays)
    powers = np.exp(np.array(totals) - max(totals))
    return np.array(paths), powers / powers.sum()


@settings(max_examples=5)
@given(st.integers(0, 1000), st.booleans())
def test_chances_nats_and_the_best_path_are_those_of_all_paths_counted(seed, second):
    scores, free = scores_of(seed), np.array([True, second, True])
    wishes = np.where(np.random.default_rng(seed).random((3, FEW)) < 0.3, -np.inf, 0.0)
    wishes[:, 0] = 0.0
    paths, chances = all_paths(scores, wishes, free)
    right = np.full((3, FEW), -np.inf)
    for at, state in product(range(3), range(FEW)):
        if wishes[at, state] == 0:
            exact = chances[paths[:, at] == state].sum()
            root = chances[paths[:, at] // QUALITY_COUNT == state // QUALITY_COUNT].sum()
            right[at, state] = (1 - ROOT_SHARE) * exact + ROOT_SHARE * root
    found = expected_right(scores, wishes, free)
    np.testing.assert_allclose(found, right, atol=1e-9)
    changes = (paths[:, 1:] != paths[:, :-1]).sum(1)
    gained = right[np.arange(3), paths].sum(1) - CHANGE_COST * changes
    assert worth(found, best_path(found, free)) == pytest.approx(gained.max())
    everything, shares = all_paths(scores, np.zeros((3, FEW)), np.ones(3, bool))
    number = seed % len(everything)
    assert nats_of_path(scores, everything[number]) == pytest.approx(-np.log(shares[number]))


@pytest.mark.parametrize("mode", MODES)
def test_beats_are_told_in_finite_numbers(mode):
    rows = describe(tune(1), Key(3, mode), "hymn")
    assert rows.shape[1] == WIDTH == weights()["enter.weight"].shape[1]
    assert np.isfinite(rows).all()


def test_states_have_the_notes_of_their_chords():
    tones = tones_of_states()
    assert set(np.flatnonzero(tones[state_of(7, "7")])) == {7, 11, 2, 5}
    assert state_of(9, "m6") == state_of(9, "m")
    assert tones.shape == (STATES, 12) == (12 * len(CHORD_QUALITIES), 12)


def test_the_network_is_the_one_that_learned():
    torch = pytest.importorskip("torch")
    from repertoire.harmonized import Harmonized
    from train_harmony import Batch, Network, batch_of, log_sums, loss_of

    torch.manual_seed(1)
    network = Network().eval()
    with torch.no_grad():
        for weight in network.parameters():
            weight.copy_((weight + 0.1 * torch.randn_like(weight)).half().float())
    melody = tune(2, bars=6)
    rows = describe(melody, melody.key, "song")
    ours = scored(rows, {name: value.astype(np.float32) for name, value in network.arrays().items()})
    with torch.no_grad():
        states, stays = network(torch.from_numpy(rows)[None])
    np.testing.assert_allclose(ours.states, states[0], atol=0.02)
    np.testing.assert_allclose(ours.stays, stays[0], atol=0.02)
    path = np.random.default_rng(0).integers(0, STATES, len(rows)).repeat(2)[: len(rows)]
    batch = batch_of([Harmonized("song", rows, path)], np.random.default_rng(0), learning=False)
    assert isinstance(batch, Batch)
    with torch.no_grad():
        nats = float(loss_of(network, batch)) * len(rows)
        total = float(log_sums(states, stays, network.transitions(), batch.present)[0])
    assert nats_of_path(ours, path) == pytest.approx(nats, rel=0.01)
    assert np.isfinite(total)
