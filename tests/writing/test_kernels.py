"""The tables of runs, those of ways on, and who is suspected of a run: compiled, they are those of NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melodygru.music.originality import OriginalityIndex
from melodygru.writing.copy_guard import CopyGuard
from melodygru.writing.kernels import kernels
from melodygru.writing.ways import NO_WAY, Ways, fill_by_numpy, filler

pytestmark = pytest.mark.skipif(kernels() is None, reason="the library was not built")


@st.composite
def lines(draw):
    """Pieces of pitches and onsets, few of each, so that runs stand in several."""
    notes = st.tuples(st.integers(60, 63), st.sampled_from([6, 12, 24]))
    found = []
    for piece in draw(st.lists(st.lists(notes, min_size=1, max_size=30), min_size=1, max_size=6)):
        pitches, gaps = np.array(piece, np.int64).T
        found.append((pitches, np.cumsum(gaps)))
    return found


@settings(max_examples=60)
@given(lines(), st.integers(2, 12))
def test_tables_are_the_same(pieces, limit):
    index = OriginalityIndex.build([str(i) for i in range(len(pieces))], pieces, [(96, False)] * len(pieces))
    guard = CopyGuard(index, limit)
    one, two = guard._compiled(kernels()), guard._by_numpy()
    np.testing.assert_array_equal(one.order, two.order)
    np.testing.assert_array_equal(one.bounds, two.bounds)
    np.testing.assert_array_equal(one.hashes[one.order], two.hashes[two.order])


@settings(max_examples=60)
@given(lines(), lines(), st.integers(2, 8))
def test_the_same_melodies_are_suspected(pieces, melodies, limit):
    index = OriginalityIndex.build([str(i) for i in range(len(pieces))], pieces, [(96, False)] * len(pieces))
    guard = CopyGuard(index, limit)
    told = [[line[-limit:] for line in melody] for melody in (*pieces, *melodies) if len(melody[0]) >= limit]
    if not told:
        return
    pitches, onsets = (np.array(rows, np.int64) for rows in zip(*told, strict=True))
    assert guard._compiled_found(kernels(), pitches, onsets) == guard._found(pitches, onsets)


@settings(max_examples=80)
@given(st.integers(0, 1 << 30), st.integers(1, 2), st.booleans(), st.integers(2, 12))
def test_ways_are_filled_in_the_same(seed, kinds, free, places):
    random = np.random.default_rng(seed)
    foreseen = random.random((129, 128)) < (1 if free else 0.3)
    begins, closes = random.random((places, 128)) < 0.6, random.random((places, 129)) < 0.6
    told = (np.array([1, -1][:kinds], np.int16), foreseen, begins, closes, random.random(places) < 0.5, places // 2)
    both = [Ways(*(np.full((kinds, places, 129), NO_WAY, np.int16) for _ in range(2)), *told) for _ in range(2)]
    compiled = filler(both[0])
    assert type(compiled).__name__ == "_Compiled"
    for at in reversed(range(places)):
        ends = np.flatnonzero(random.random(places) < 0.6)
        ends = ends[ends > at]
        rests = random.random(len(ends)) < 0.6
        sounds = random.random((len(ends), 128)) < 0.8 if random.random() < 0.5 else None
        compiled(at, 1, ends, rests, sounds)
        fill_by_numpy(both[1], at, 1, ends, rests, sounds)
    np.testing.assert_array_equal(both[0].after_sound, both[1].after_sound)
    np.testing.assert_array_equal(both[0].after_rest, both[1].after_rest)
