"""Families of near-duplicate pieces: the same tune in another key, another book, or with a few notes changed.

Two pieces are of one family when they share at least `SHARED` of the shorter one's n-grams of intervals and
onset times. Families never cross the split between training and validation: else a model that has
learned a tune by heart would look as if it understood it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from melodygru.music.melody import Melody
from melodygru.network.arrays import Array

NGRAM = 7
"""Notes of an n-gram: six intervals with their durations."""
SHARED = 0.4
"""Share of the shorter piece's n-grams, in [0, 1], from which two pieces are near-duplicates."""
COMMON = 100
"""N-grams that stand in more pieces than this (scales, drones) say nothing of kinship; without them the work
grows with the number of pieces, not with its square."""

_PIECE_BITS = 24
"""An n-gram is kept as 40 bits of its hash and the number of its piece: eight bytes, sorted as one number."""
_BLOCK = 4096
"""Pieces that are compared with all others at a time: bounds the memory."""


def ngrams(pitches: Array, onsets: Array, sizes: Array, first: int = 0) -> Array:
    """Hashes of all runs of `NGRAM` notes of P pieces, the same in every key: intervals, and times between onsets.

    Args:
        pitches, onsets: (N,) of the notes of all pieces, one after the other.
        sizes: (P,) notes of each piece.
        first: the number of the first piece; numbers are below 2**24.

    Returns:
        (G,) uint64, sorted, each once: the hash above the number of the piece.
    """
    intervals = np.diff(pitches.astype(np.int64))
    # A semitone down counts as two, as it did when the first models were trained (Python's hash of -1 is that of -2):
    # which tunes those held out follows from the families, and must stay as it was.
    intervals = np.where(intervals == -1, -2, intervals)
    steps = intervals * 65_537 + np.diff(onsets.astype(np.int64))
    mixed = _mix(steps.astype(np.uint64))
    windows = len(pitches) - NGRAM + 1
    if windows < 1:
        return np.zeros(0, np.uint64)
    hashes = np.zeros(windows, np.uint64)
    for i in range(NGRAM - 1):
        hashes = hashes * np.uint64(0x100000001B3) + mixed[i : i + windows]
    owner = np.repeat(np.arange(len(sizes)), sizes)
    whole = owner[:windows] == owner[NGRAM - 1 :]
    numbers = (owner[:windows][whole] + first).astype(np.uint64)
    keys = np.sort(_mix(hashes[whole]) >> np.uint64(_PIECE_BITS) << np.uint64(_PIECE_BITS) | numbers)
    return keys[np.concatenate([[True], keys[1:] != keys[:-1]])[: len(keys)]]


def _mix(values: Array) -> Array:
    """The finisher of SplitMix64 (Steele, Lea & Flood 2014): every bit comes to depend on all others."""
    values = (values ^ values >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ values >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return values ^ values >> np.uint64(31)


def families(pieces: Sequence[Melody], shared: float = SHARED) -> list[int]:
    """The number of each piece's family: that of its first member. Near-duplicates of near-duplicates are kin."""
    sizes = np.array([len(piece.notes) for piece in pieces], np.int64)
    notes = np.array([(note.pitch, note.onset) for piece in pieces for note in piece.notes], np.int64).reshape(-1, 2)
    return families_of([ngrams(notes[:, 0], notes[:, 1], sizes)], len(pieces), shared).tolist()


def families_of(grams: Iterable[Array], pieces: int, shared: float = SHARED) -> Array:
    """(P,) the number of each piece's family, from all n-grams as `ngrams` gives them, in any number of parts."""
    parts = list(grams)
    keys = np.sort(np.concatenate([np.zeros(0, np.uint64), *parts]))
    number = (keys & np.uint64((1 << _PIECE_BITS) - 1)).astype(np.int32)
    sizes = np.bincount(number, minlength=pieces)
    keys >>= np.uint64(_PIECE_BITS)
    begins = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])[: len(keys)])
    counts = np.diff(np.append(begins, len(keys)))
    told = (counts > 1) & (counts <= COMMON)
    if not told.any():
        return np.arange(pieces)
    from scipy.sparse import coo_array, csr_array
    from scipy.sparse.csgraph import connected_components

    members = np.repeat(told, counts)
    columns = np.repeat(np.arange(told.sum(), dtype=np.int32), counts[told])
    shape = (pieces, int(told.sum()))
    holds = csr_array((np.ones(len(columns), np.int32), (number[members], columns)), shape=shape)
    others = holds.T.tocsr()
    kin = []
    for first in range(0, pieces, _BLOCK):
        common = (holds[first : first + _BLOCK] @ others).tocoo()
        one, two = common.row + first, common.col
        near = (two < one) & (common.data >= shared * np.minimum(sizes[one], sizes[two]))
        kin.append(np.stack([one[near], two[near]]))
    pairs = np.concatenate(kin, axis=1)
    graph = coo_array((np.ones(pairs.shape[1], np.int8), (pairs[0], pairs[1])), shape=(pieces, pieces))
    labels = connected_components(graph, directed=False)[1]
    firsts = np.unique(labels, return_index=True)[1]
    return firsts[labels]
