"""The tables of runs, compiled, are those of NumPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melodygru.music.originality import OriginalityIndex
from melodygru.writing.copy_guard import CopyGuard
from melodygru.writing.kernels import kernels

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
