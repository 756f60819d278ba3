"""Played onsets, set on the places that they were meant for."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru.formats.midi.played import PLACES, places_of

REEL = [12, 12, 12, 12, 12, 12, 6, 6, 12] * 12
SLOW = [36, 12, 24, 24, 18, 6, 24, 48] * 6
TRIPLETS = [24, 8, 8, 8, 12, 12, 24] * 10


def onsets_of(lengths):
    at, found = 0, []
    for steps in lengths:
        found.append(at)
        at += steps
    return found


@pytest.mark.parametrize(("lengths", "qpm"), [(REEL, 180), (SLOW, 120), (TRIPLETS, 120)])
@pytest.mark.parametrize("seed", range(3))
def test_what_was_meant_is_found_30_milliseconds_off(lengths, qpm, seed):
    chance, meant = random.Random(seed), onsets_of(lengths)
    off = 0.03 * qpm / 60 * 24
    found = places_of(sorted(at + chance.gauss(0, off) for at in meant))
    right = sum(one == two for one, two in zip(found, meant, strict=True))
    assert right >= 0.9 * len(meant)


@given(st.lists(st.integers(1, 40), min_size=1, max_size=80))
def test_what_is_on_eighths_stays_there(gaps):
    usual, meant = sorted(step + 24 * quarter for quarter in range(150) for step in (0, 12)), [0]
    for gap in gaps:
        meant.append(next(step for step in usual if step >= meant[-1] + gap))
    assert places_of(meant) == meant


@given(st.lists(st.floats(0, 500, allow_nan=False), min_size=1, max_size=60))
def test_any_onsets_have_a_place_each_near_where_they_were_played(onsets):
    onsets.sort()
    found = places_of(onsets)
    assert len(found) == len(onsets)
    assert all(place % 24 in PLACES for place in found)
    assert all(abs(place - onset) <= 30 for place, onset in zip(found, onsets, strict=True))


def test_a_player_who_is_always_late_is_understood():
    meant = onsets_of(SLOW)
    assert places_of([at + 2.4 for at in meant]) == meant
