"""Constraints that look back: what a melody's own past forbids, or makes less welcome.

Unlike those of `melodygru.writing.constraints.base` they cannot all be looked ahead for: where one leaves nothing, the
sampler goes back. How many notes or rests are still due they say beforehand.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Sequence

import numpy as np

from melodygru.network.arrays import BoolArray, FloatArray, IntArray
from melodygru.writing.constraints.base import PITCHES, Constraint, Progress


class Repeats(Constraint):
    """Never more than `most` equal pitches in a row."""

    def __init__(self, most: int):
        self.most = most

    def pitches(self, progress: Progress) -> BoolArray | None:
        """Any but the last, where that has come often enough."""
        full = np.flatnonzero((progress.repeats >= self.most) & (progress.reference >= 0))
        if not len(full):
            return None
        legal = np.ones((len(progress.onset), PITCHES), np.bool_)
        legal[full, progress.reference[full]] = False
        return legal


class FewRests(Constraint):
    """At most `most` rests from the step `start` on, none longer than `longest` steps, and none up to the step `last`.

    A rest in a stretch that is heard again counts as often: `echoes` are (start, end, begin of the repeat) in steps.
    """

    def __init__(
        self,
        most: int,
        longest: int,
        start: int = 0,
        last: int = -1,
        echoes: Sequence[tuple[int, int, int]] = (),
    ):
        self.most = most
        self.longest = longest
        self.start = start
        self.last = last
        self.echoes = echoes

    def rests(self, onset: int, ends: IntArray) -> BoolArray:
        """Short ones."""
        return (ends - onset <= self.longest) & (ends != self.last) & (self._times(onset) <= self.most)

    def _times(self, onset: int) -> int:
        """How often a rest that is written at `onset` is heard; 0 where it is a repeat itself, counted before."""
        if onset < self.start or any(again <= onset < again + end - start for start, end, again in self.echoes):
            return 0
        return 1 + sum(start <= onset < end for start, end, _ in self.echoes)

    def silences(self, progress: Progress, ends: IntArray) -> tuple[BoolArray, BoolArray]:
        """No rest where there have been enough."""
        left = np.array(
            [
                sum(map(self._times, rests)) + self._times(onset) <= self.most
                for rests, onset in zip(progress.rests, progress.onset.tolist(), strict=True)
            ]
        )
        return np.broadcast_to(left[:, None], ends.shape), np.ones(ends.shape, np.bool_)


class SomeRests(Constraint):
    """A rest begins in each stretch: `stretches` are half-open ranges of steps (start, end), in order.

    `echoes` are (start, end, begin of the repeat) in steps: a repeat brings the rests of what it repeats.
    """

    def __init__(self, stretches: Sequence[tuple[int, int]], echoes: Sequence[tuple[int, int, int]] = ()):
        self.echoes = echoes
        self.stretches = stretches
        # What is left to do in a stretch must be done before the repeats that it ends with.
        self._ends = [self._last_drawn(start, end) for start, end in stretches]

    def _last_drawn(self, start: int, end: int) -> int:
        for first, last, again in reversed(self.echoes):
            if again < end <= again + last - first:
                end = again
        return max(start, end)

    def silences(self, progress: Progress, ends: IntArray) -> tuple[BoolArray, BoolArray]:
        """Notes leave room for a rest in each stretch that has had none."""
        far, last = np.iinfo(np.int64).max, self.stretches[-1][1]
        for_notes = np.full((len(progress.onset), 1), far)
        for_rests = for_notes.copy()
        for row, onset in enumerate(progress.onset.tolist()):
            rests = progress.rests[row]
            missing = self._missing(onset, rests)
            if missing:
                for_notes[row] = missing[0][1]
            if onset < last:
                # A rest serves the stretch that it begins in, and must not sleep through the next, nor up to the end.
                for_rests[row] = next((end for start, end in missing if start > onset), last + 1)
        return ends < for_rests, ends < for_notes

    def _missing(self, onset: int, rests: Sequence[int]) -> list[tuple[int, int]]:
        """Stretches that are not over at `onset`, and have had no rest nor will have a repeat's."""
        found = []
        for (start, end), last in zip(self.stretches, self._ends, strict=True):
            if onset < last:
                heard = [*rests, *(r + again - s for r in rests for s, e, again in self.echoes if s <= r < e)]
                if not any(start <= rest < end for rest in heard):
                    found.append((start, last))
        return found

    def owes(self, progress: Progress, until: IntArray) -> tuple[IntArray, IntArray]:
        """Room for one note for each stretch without a rest."""
        owed = np.zeros((2, len(until)), np.int64)
        for row, (onset, limit) in enumerate(zip(progress.onset.tolist(), until.tolist(), strict=True)):
            missing = [start for start, _ in self._missing(onset, progress.rests[row]) if start < limit]
            owed[:, row] = len(missing), sum(start > onset for start in missing)
        return owed[0], owed[1]


class Density(Constraint):
    """`wanted` notes a bar from the step `start` to `stop`, at most `off` more or fewer on average over each stretch.

    With a pickup `stop` is as far before the last bar line as the pickup is long: the two make one bar.
    """

    PULL = 0.5
    """By how much a lead of one note tilts durations: probabilities are multiplied by duration ** (PULL * lead)."""

    def __init__(self, wanted: float, bar_steps: int, start: int = 0, stop: int = 1 << 30, off: float = 1.0):
        self.wanted = wanted
        self.bar_steps = bar_steps
        self.start = start
        self.stop = stop
        self.off = off

    def counts(self, start: int, end: int) -> tuple[int, int]:
        """The bounds of a stretch."""
        bars = (min(end, self.stop) - start) / self.bar_steps
        fewest = max(0, math.ceil((self.wanted - self.off) * bars))
        return fewest, max(fewest, math.floor((self.wanted + self.off) * bars))

    def duration_preference(self, progress: Progress, size: int) -> FloatArray:
        """Longer durations where a melody is ahead of its count, shorter ones where it is behind."""
        notes = progress.notes_from(np.full(len(progress.onset), self.start))
        lead = notes - self.wanted * (progress.onset - self.start) / self.bar_steps
        tilt = np.log(np.maximum(np.arange(size), 1) / (self.bar_steps / self.wanted))
        tilt[0] = 0.0
        return np.clip(self.PULL * lead, -4.0, 4.0)[:, None] * tilt[None, :]


class Continues(Constraint):
    """A note begins in each stretch: what continues something is not silence alone."""

    def counts(self, start: int, end: int) -> tuple[int, int]:
        """One at least."""
        return 1, 1 << 29


class Prefers(Constraint):
    """Pitches outside a set cost `cost` nats each: a scale that may be left, but rarely is."""

    def __init__(self, wanted: Callable[[int], BoolArray], cost: float = 3.0):
        self.wanted = wanted
        self.cost = cost

    def pitch_preference(self, progress: Progress) -> FloatArray:
        """Nothing for pitches that `wanted` (a step -> (128,)) holds, minus the cost for the others."""
        wanted = np.stack([self.wanted(onset) for onset in progress.onset.tolist()])
        return np.where(wanted, 0.0, -self.cost)


class Breathes(Constraint):
    """Would rather begin a note than hold one, or be silent, where none has begun for `longest` steps.

    A network that has once been silent, or held a note, for bars finds nothing likelier than to go on.
    """

    COST = 8.0
    """Nats that going on costs: less likely by a factor of 3,000."""

    def __init__(self, longest: int):
        self.longest = longest
        self._costs = np.zeros(0)

    def duration_preference(self, progress: Progress, size: int) -> FloatArray:
        """Minus the cost for what is longer by itself."""
        if len(self._costs) != size:
            self._costs = np.where(np.arange(size) > self.longest, -self.COST, 0.0)
        return np.broadcast_to(self._costs, (len(progress.onset), size))

    def pitch_preference(self, progress: Progress) -> FloatArray | None:
        """The cost in favour of all pitches, against ties and rests, where it is time for a note."""
        last = np.array([onsets[-1] if onsets else 0 for onsets in progress.onsets])
        due = progress.onset - last >= self.longest
        if not due.any():
            return None
        return np.broadcast_to(np.where(due, self.COST, 0.0)[:, None], (len(due), PITCHES))


class Departs(Constraint):
    """What is to be other music than something before: at most half of its notes (rounded up) are the same there.

    `stretches` are (start, end, source) in steps: what stands in [start, end) departs from what begins at `source`. A
    pitch that would be the same costs `cost` nats, and is forbidden where it would make more than half of the notes
    since `start`. Pitches in `home` (128,) are not forbidden, so that an ending is left.
    """

    def __init__(self, stretches: Sequence[tuple[int, int, int]], home: BoolArray, cost: float = 2.0):
        self.stretches = stretches
        self.home = home
        self.cost = cost

    def _same(self, progress: Progress, row: int) -> Iterator[tuple[int, bool]]:
        """For each stretch that the melody of a row stands in: what would be the same, and if it has been too often."""
        onset, pitches, onsets = int(progress.onset[row]), progress.pitches[row], progress.onsets[row]
        for start, end, source in self.stretches:
            if start <= onset < end:
                there = bisect_left(onsets, onset - start + source)
                if there < len(onsets) and onsets[there] == onset - start + source:
                    begin = bisect_left(onsets, start)
                    earlier = dict(zip(onsets[:begin], pitches[:begin], strict=True))
                    same = sum(
                        earlier.get(at - start + source) == pitch
                        for at, pitch in zip(onsets[begin:], pitches[begin:], strict=True)
                    )
                    yield pitches[there], 2 * (same + 1) > len(onsets) - begin + 2

    def pitches(self, progress: Progress) -> BoolArray | None:
        """All but what has been the same too often."""
        legal: BoolArray | None = None
        for row in range(len(progress.onset)):
            for pitch, often in self._same(progress, row):
                if often and not self.home[pitch]:
                    if legal is None:
                        legal = np.ones((len(progress.onset), PITCHES), np.bool_)
                    legal[row, pitch] = False
        return legal

    def pitch_preference(self, progress: Progress) -> FloatArray | None:
        """Minus the cost for what would be the same."""
        cost = np.zeros((len(progress.onset), PITCHES))
        for row in range(len(progress.onset)):
            for pitch, _ in self._same(progress, row):
                cost[row, pitch] = -self.cost
        return cost


Banned = Callable[[Sequence[int], Sequence[int], int], Collection[int]]
"""Given the pitches and onsets of a melody so far, and the onset of the next note: pitches that it must not have."""

_MANY = 3
"""From so many melodies on they are asked about together."""


class Guard(Constraint):
    """Pitches that a rule with a memory of its own forbids, such as `melodygru.writing.copy_guard.CopyGuard`.

    A rule that has a method `suspects`, as that one has, is asked first which of many melodies it may concern.
    """

    def __init__(self, banned: Banned):
        self.banned = banned

    def pitches(self, progress: Progress) -> BoolArray | None:
        """All but those that `banned(pitches, onsets, onset)` names."""
        legal: BoolArray | None = None
        size = len(progress.onset)
        suspects = getattr(self.banned, "suspects", None) if size >= _MANY else None
        rows = range(size) if suspects is None else suspects(progress.pitches, progress.onsets)
        for row in rows:
            banned = self.banned(progress.pitches[row], progress.onsets[row], int(progress.onset[row]))
            if banned:
                if legal is None:
                    legal = np.ones((len(progress.onset), PITCHES), np.bool_)
                legal[row, list(banned)] = False
        return legal
