"""The compiled masks say what those in NumPy say."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melodygru import GenerationConfig, libraries
from melodygru.writing.constraints.base import Progress
from melodygru.writing.masks import NONE, Asked, finder, legal_by_numpy
from melodygru.writing.planner import plan

pytestmark = pytest.mark.skipif(libraries.load("writing") is None, reason="the library was not built")

WISHES = [
    {"bars": 2},
    {"bars": 2, "meter": "6/8", "pickup": "1/8", "rests": "some", "max_leap": 7},
    {"bars": 4, "density": 4, "range": "C4-C5"},
    {"bars": 2, "chords": "C | G7", "density": 3},
]
PLANS = [plan(GenerationConfig.from_dict(wish)) for wish in WISHES]


def asked(tables, made, random, size):
    """Where melodies might stand: anywhere, after anything."""
    place = random.integers(0, len(tables.ends), size)
    reference = random.integers(-1, 128, size)
    where = Progress.start(size)
    where.onset, where.reference = place.copy(), reference
    where.sounding, where.resting = random.random((2, size)) < 0.5
    notes = random.integers(0, 12, (2, size))
    may = [None if random.random() < 0.5 else random.random((size, tables.ends.shape[1])) < 0.7 for _ in range(2)]
    following = random.random((size, 128)) < 0.8
    region, last = np.zeros(size, np.int64), np.where(reference < 0, NONE, reference)
    owed = random.integers(0, 2, (2, size))
    return Asked(where, place, region, last, notes.min(axis=0), notes.max(axis=0), *owed, following, *may)


@settings(max_examples=60)
@given(st.sampled_from(PLANS), st.integers(0, 1 << 30), st.integers(1, 5))
def test_masks_are_the_same(made, seed, size):
    tables = made.ahead.tables
    question = asked(tables, made, np.random.default_rng(seed), size)
    for one, two in zip(finder(tables)(question), legal_by_numpy(tables, question), strict=True):
        np.testing.assert_array_equal(one, two)


def test_look_aheads_go_to_other_processes():
    ahead = PLANS[0].ahead
    where = Progress.start(3)
    one, two = ahead.options(where), pickle.loads(pickle.dumps(ahead)).options(where)
    assert one.legal.any()
    np.testing.assert_array_equal(one.legal, two.legal)
