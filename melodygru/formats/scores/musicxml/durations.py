"""Durations as programs write them -> the values that stand on the page, and where in the bar each note begins.

MusicXML counts in divisions of a quarter. Many programs have a fixed number of them, in which a third, or a note as it
was played, comes out only nearly: 85, 85 and 86 of 256. What is written (type, dots, tuplet) is then the truth; where
it is not told, the nearest value is. What is exact is left alone. All lengths are in ticks, `TICKS` a quarter.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from enum import IntEnum
from functools import lru_cache
from typing import NamedTuple

from melodygru.formats.scores.written import TICKS

TYPES = {
    name: TICKS * 32 / 2**power
    for power, name in enumerate(
        ("maxima", "long", "breve", "whole", "half", "quarter", "eighth", "16th", "32nd", "64th", "128th", "256th",
         "512th", "1024th")
    )
}  # fmt: skip
"""MusicXML's names of note values -> ticks."""

_EXACT = 0.01
"""Ticks by which lengths may differ that are the same but for the computer's own rounding."""
_PLAYED = 0.05
"""How far, as a share of it, a written value may be from a length as played: no two tuplets lie so near each other."""
_UNTOLD = 0.025
"""The same where no value is told: half of it, since any may be meant."""
_ROUNDED = 1.0001
"""Divisions by which rounding changes a length at most, as the difference of two rounded places."""
_GRIDS = tuple(TICKS / parts for parts in (64, 48, 40, 36, 28))
"""Lengths made of these mean what they say: 64th notes, and tuplets of 3, 5, 9 and 7."""


def _values(tuplets: Sequence[float]) -> list[float]:
    plain = [value * dots for value in TYPES.values() for dots in (1, 1.5)]
    return sorted({value * tuplet for value in plain for tuplet in tuplets})


_USUAL, _RARE = _values((1, 2 / 3)), _values((4 / 5, 4 / 7))


class Kind(IntEnum):
    """What moves through a bar: a note or rest, another note of its chord, a step back or forward."""

    NOTE = 0
    CHORD = 1
    MOVE = 2


class Event(NamedTuple):
    """Something that takes time: `length` ticks as the file counts (back: below 0), `written` on the page (0: untold).

    `exact`: the two agree, or the length alone is one that scores have.
    """

    kind: Kind
    length: float
    written: float
    exact: bool


def event(kind: Kind, length: float, written: float = 0.0) -> Event:
    """An event, with whether it is exact."""
    agree = abs(length - written) < _EXACT if written else _is_simple(length)
    return Event(kind, length, written, agree)


def placed(events: Sequence[Event], division: float, whole: float) -> tuple[list[float], list[float]]:
    """Where the E events of a bar begin, and E lengths (of moves 0), in ticks.

    The first list has E + 1 places: the last is where what follows would begin.

    Args:
        events: in the order of the file.
        division: ticks of the unit that lengths were rounded to.
        whole: ticks of a full bar, 0 where no metre is known.
    """
    if not all(one.exact for one in events):
        return _Bar(events, division, whole).placed()
    onsets, lengths, begin, end = [], [], 0.0, 0.0
    for kind, length, _, _ in events:
        if kind == Kind.NOTE:
            begin, end = end, end + length
        onsets.append(begin if kind != Kind.MOVE else end)
        lengths.append(length if kind != Kind.MOVE else 0.0)
        if kind == Kind.MOVE:
            begin = end = max(0.0, end + length)
    onsets.append(end)
    return onsets, lengths


class _Bar:
    """A bar in which something is not exact: two clocks, one as the file counts and one as it is written."""

    def __init__(self, events: Sequence[Event], division: float, whole: float) -> None:
        self.events, self.division, self.whole = events, division, whole
        self.counted = self.written = 0.0
        self.drift = 0.0
        self.known = [0.0]  # as the file counts, in order
        self.place = {0.0: 0.0}  # those -> where it is as written

    def placed(self) -> tuple[list[float], list[float]]:
        onsets: list[float] = []
        lengths: list[float] = []
        at = 0
        while at < len(self.events):
            if self.events[at].kind == Kind.MOVE:
                onsets.append(self.written)
                lengths.append(0.0)
                self._move(self.events[at].length)
                at += 1
                continue
            stop = next((i for i in range(at, len(self.events)) if self.events[i].kind == Kind.MOVE), len(self.events))
            begin = self.written
            for one, length in zip(self.events[at:stop], self._run(self.events[at:stop]), strict=True):
                if one.kind == Kind.NOTE:
                    begin = self.written
                    self._advance(self.counted + one.length, self.written + length)
                onsets.append(begin)
                lengths.append(length)
            at = stop
        return [*onsets, self.written], lengths

    def _run(self, events: Sequence[Event]) -> list[float]:
        """The lengths of what follows without a move: as written where that is near, unless it fills no bar.

        Then it is the file's own lengths that may do so, since tuplets and dots are not always told; or else all that
        is written, since the file's own may be wrong by more than rounding.
        """
        near = [_written(one, self.division) for one in events]
        if self._fills(near, events):
            return near
        counted = [_nearest(one.length, self.division) for one in events]
        if self._fills(counted, events):
            return counted
        written = [one.written for one in events]
        return written if all(written) and self._fills(written, events) else near

    def _fills(self, lengths: Sequence[float], events: Sequence[Event]) -> bool:
        end = self.written + sum(length for length, one in zip(lengths, events, strict=True) if one.kind == Kind.NOTE)
        return abs(end - self.whole) < _EXACT

    def _advance(self, counted: float, written: float) -> None:
        self.counted, self.written = counted, written
        self.drift = max(self.drift, abs(written - counted))
        before = self.place.get(counted)
        if before is None:
            insort(self.known, counted)
        if before is None or abs(written - counted) < abs(before - counted):
            self.place[counted] = written

    def _move(self, by: float) -> None:
        """To a place that is known, if one is near; else as far from the one before it as is written."""
        counted = max(0.0, self.counted + by)
        at = bisect_left(self.known, counted)
        nearest = min(self.known[max(0, at - 1) : at + 1], key=lambda one: abs(one - counted))
        near = 1.5 * self.drift if self.drift > self.division else 0.99 * self.division
        if abs(nearest - counted) <= near:
            written = self.place[nearest]
        elif by > 0 and abs(counted - self.whole) <= near:
            written = self.whole
        else:
            before = self.known[at] if at < len(self.known) and self.known[at] == counted else self.known[at - 1]
            written = self.place[before] + _nearest(counted - before, self.division)
        self._advance(counted, written)


def _written(one: Event, division: float) -> float:
    """The length as written, where the file's own may be a rounded or played one of it."""
    # What comes out even in divisions is not rounded.
    rounded = 0.0 if abs(one.written - division * round(one.written / division)) < _EXACT else _ROUNDED * division
    if one.written and abs(one.length - one.written) <= max(rounded, _PLAYED * one.written):
        return one.written
    return _nearest(one.length, division)


def _is_simple(length: float) -> bool:
    return any(abs(length - grid * round(length / grid)) < _EXACT for grid in _GRIDS)


@lru_cache(maxsize=4096)
def _nearest(length: float, division: float) -> float:
    """The value nearest to a length that no score has, if one is near."""
    if _is_simple(length):
        return length
    for values, near in ((_USUAL, division), (_RARE, division), (_USUAL, _UNTOLD * length)):
        at = bisect_left(values, length)
        found = min(values[max(0, at - 1) : at + 1], key=lambda value: abs(value - length))
        if abs(found - length) < near:
            return found
    return length
