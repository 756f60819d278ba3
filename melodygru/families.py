"""Families of near-duplicate pieces: the same tune in another key, another book, or with a few notes changed.

Two pieces are of one family when they share at least `SHARED` of the shorter one's n-grams of intervals and
onset times. Families never cross the split between training and validation: else a model that has
learned a tune by heart would look as if it understood it.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from itertools import pairwise

from melodygru.melody import Melody

NGRAM = 7
"""Notes of an n-gram: six intervals with their durations."""
SHARED = 0.4
"""Share of the shorter piece's n-grams, in [0, 1], from which two pieces are near-duplicates."""
COMMON = 100
"""N-grams that stand in more pieces than this (scales, drones) say nothing of kinship; without them the work
grows with the number of pieces, not with its square."""


def ngrams(melody: Melody, length: int = NGRAM) -> set[int]:
    """Hashes of all runs of `length` notes, the same in every key: intervals, and times from onset to onset."""
    steps = [hash((two.pitch - one.pitch, two.onset - one.onset)) for one, two in pairwise(melody.notes)]
    return {hash(tuple(steps[i : i + length - 1])) for i in range(len(steps) - length + 2)}


def families(pieces: Sequence[Melody], shared: float = SHARED) -> list[int]:
    """The number of each piece's family: that of its first member. Near-duplicates of near-duplicates are kin."""
    grams = [ngrams(piece) for piece in pieces]
    holders: defaultdict[int, list[int]] = defaultdict(list)
    for index, found in enumerate(grams):
        for gram in found:
            holders[gram].append(index)
    parent = list(range(len(pieces)))

    def root(index: int) -> int:
        while parent[index] != index:
            parent[index] = parent[parent[index]]
            index = parent[index]
        return index

    for index, found in enumerate(grams):
        # Earlier pieces that share n-grams with this one, and how many.
        kin: Counter[int] = Counter()
        for gram in found:
            others = holders[gram]
            if len(others) <= COMMON:
                kin.update(other for other in others if other < index)
        for other, count in kin.items():
            if count >= shared * min(len(found), len(grams[other])):
                one, two = sorted((root(index), root(other)))
                parent[two] = one
    return [root(index) for index in range(len(pieces))]
