"""Which of the melodies that were drawn are given, in which order; no two are the same.

Either the best of each few in a row, as they come (`Selection`), or the best of all, when all are there (`BestOfAll`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from melodygru.writing.candidates import Candidate, Generated

_SPARE = 1000
"""Candidates that were not chosen are kept up to so many, in case too few others are different."""


class Selection:
    """Of each `size` candidates in a row the one that the critic likes best, as they come.

    Attributes:
        rated: whether candidates need their ratings.
        kept: those that may still be given.
    """

    rated = False

    def __init__(self, size: int = 1):
        self.size = size
        self.kept: list[Generated] = []
        self._given = 0
        self._seen: set[int] = set()

    @property
    def found(self) -> int:
        """How many different melodies there are to give, or were given."""
        return self._given + len(self.kept)

    def choose(self, drawn: Sequence[Candidate]) -> Iterator[Generated]:
        """Those of a window's candidates that are given at once; some of the others are kept."""
        for _, row in groupby(self._new(drawn), lambda one: one.generated.number // self.size):
            group = list(row)
            best = max(group, key=lambda one: one.liking)
            self._given += 1
            yield best.generated
            if len(self.kept) < _SPARE:
                self.kept += [one.generated for one in group if one is not best]

    def keep(self, drawn: Sequence[Candidate]) -> None:
        """Candidates among which nothing is chosen: where too many were the same, more are drawn to fill up."""
        self.kept += [one.generated for one in self._new(drawn)]

    def fill(self, count: int) -> list[Generated]:
        """What is still to be given so that it is `count` in all."""
        return self.kept[: count - self._given]

    def _new(self, drawn: Sequence[Candidate]) -> Iterator[Candidate]:
        """Those that are like none before."""
        for one in drawn:
            mark = hash(one.generated.melody.notes)
            if mark not in self._seen:
                self._seen.add(mark)
                yield one


class BestOfAll(Selection):
    """The candidates with the highest ratings, the best first, when all are drawn."""

    rated = True

    def choose(self, drawn: Sequence[Candidate]) -> Iterator[Generated]:
        """Nothing yet: all are kept."""
        self.keep(drawn)
        return iter(())

    def fill(self, count: int) -> list[Generated]:
        """The `count` best."""
        return sorted(self.kept, key=_total, reverse=True)[:count]


def _total(generated: Generated) -> float:
    assert generated.rating is not None
    return generated.rating.total
