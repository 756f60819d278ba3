"""Which events may come next: small objects that each forbid something, or would rather have something else.

A constraint answers two kinds of question, and leaves those that do not concern it unanswered (None: anything goes):

- about places, whatever came before: where an event may end, which pitches may begin or sound there. From these
  answers `melodygru.lookahead` finds out, before anything is drawn, from where the last bar line can still be reached;
- about a melody under way (`Progress`): pitches and rests that its past forbids, and preferences, which are added to
  the scores and forbid nothing.

Steps are counted from the first bar line of the grid. Pitches are MIDI numbers in [0, 128).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from melodygru.theory import TimeSignature

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

PITCHES = 128


@dataclass
class Progress:
    """Where B melodies stand; all arrays are (B,), the lists have B entries.

    Attributes:
        onset: steps from the beginning of the grid to the event due.
        reference: the last pitch that sounded, -1 if none yet.
        sounding: whether the event before was a note (or its tie), so that a tie may follow.
        resting: whether the event before was a rest.
        repeats: how many notes in a row, up to the last, had the last one's pitch.
        rests: the onsets of each melody's rests.
        pitches, onsets: of each melody's notes.
    """

    onset: IntArray
    reference: IntArray
    sounding: BoolArray
    resting: BoolArray
    repeats: IntArray
    rests: list[list[int]] = field(default_factory=list)
    pitches: list[list[int]] = field(default_factory=list)
    onsets: list[list[int]] = field(default_factory=list)

    @classmethod
    def start(cls, size: int) -> Progress:
        """B = `size` melodies before their first event."""
        zeros, no = np.zeros(size, np.int64), np.zeros(size, np.bool_)
        lists: list[list[list[int]]] = [[[] for _ in range(size)] for _ in range(3)]
        return cls(zeros, zeros - 1, no, no, zeros, *lists)

    def notes_from(self, steps: IntArray) -> IntArray:
        """(B,): how many notes of each melody began at its step of `steps` (B,) or later."""
        counts = [len(at) - bisect_left(at, step) for at, step in zip(self.onsets, steps.tolist(), strict=True)]
        return np.array(counts, np.int64)


class Constraint:
    """One rule. Every answer is None, for "anything goes", unless a subclass says otherwise."""

    def ends(self, onset: int, ends: IntArray) -> BoolArray | None:
        """(D,): at which of the steps `ends`, all after `onset`, an event that begins at `onset` may end."""

    def begins(self, onset: int) -> BoolArray | None:
        """(128,): pitches that a note may begin with at `onset`."""

    def sounds(self, onset: int, ends: IntArray) -> BoolArray | None:
        """(D, 128): pitches that may sound in each of [onset, end), whether they begin there or are held."""

    def rests(self, onset: int, ends: IntArray) -> BoolArray | None:
        """(D,): which of [onset, end) may be a rest."""

    def holds(self, onset: int) -> bool | None:
        """Whether a note may be held over `onset`, by a tie that begins there."""

    def steps(self) -> BoolArray | None:
        """(128, 128): which pitch (column) may follow which (row)."""

    def closes(self, onset: int) -> BoolArray | None:
        """(128,): last pitches after which a melody may end at `onset`; the rest of its last bar is silent."""

    def counts(self, start: int, end: int) -> tuple[int, int] | None:
        """The fewest and the most notes that may begin in the steps [start, end), both included."""

    def pitches(self, progress: Progress) -> BoolArray | None:
        """(B, 128): pitches that each melody's past leaves."""

    def silences(self, progress: Progress, ends: IntArray) -> tuple[BoolArray, BoolArray] | None:
        """Two (B, D) masks: whether a rest, and whether a note or tie, may end at the steps `ends` (B, D)."""

    def owes(self, progress: Progress, until: IntArray) -> tuple[IntArray, IntArray] | None:
        """Two (B,): note places to be left empty before the steps `until` (B,), if a note comes next, or a rest."""

    def duration_preference(self, progress: Progress, size: int) -> FloatArray | None:
        """(B, size): added to the scores of durations, in nats; index 0 is END."""

    def pitch_preference(self, progress: Progress) -> FloatArray | None:
        """(B, 128): added to the scores of pitches, in nats."""


class Bars(Constraint):
    """Exactly the bars asked for: nothing passes the last bar line, and the end comes where nothing is left.

    The silence between the last event and the bar line is at most `silence` of a bar (0: none).
    """

    def __init__(self, length: int, bar_steps: int, silence: float = 0.0):
        self.length = length
        self.silence = silence * bar_steps

    def ends(self, onset: int, ends: IntArray) -> BoolArray:
        """Up to the last bar line."""
        return ends <= self.length

    def closes(self, onset: int) -> BoolArray:
        """On the last bar line, or close before it."""
        return np.full(PITCHES, self.length - onset <= self.silence)


class EndsOn(Constraint):
    """The last note is of one of `classes` (pitch classes), in any octave, and lasts `shortest` steps or more.

    A melody that is not there yet does not end. Without `shortest`, which is at most a bar, a melody that had not meant
    to end would be given its tonic as a last sixteenth.
    """

    def __init__(self, classes: Collection[int], length: int, shortest: int = 1):
        self.home = of_classes(classes)
        self.length = length
        self.shortest = shortest

    def ends(self, onset: int, ends: IntArray) -> BoolArray:
        """Where the last note still has room, or with it."""
        left = self.length - ends
        return (left >= self.shortest) | (left <= 0)

    def closes(self, onset: int) -> BoolArray:
        """After a pitch of those classes."""
        return self.home


class Seams(Constraint):
    """Steps that no event crosses: where one section ends and the next begins, with a note.

    A rest there would join one that the section before may end with, here or where either is repeated.
    """

    def __init__(self, seams: Sequence[int]):
        self.seams = np.sort(np.asarray(seams, np.int64))

    def ends(self, onset: int, ends: IntArray) -> BoolArray | None:
        """Up to the next seam."""
        after = int(np.searchsorted(self.seams, onset, side="right"))
        return ends <= self.seams[after] if after < len(self.seams) else None

    def rests(self, onset: int, ends: IntArray) -> BoolArray | None:
        """None that begins at a seam."""
        return np.zeros(len(ends), np.bool_) if onset in self.seams else None

    def holds(self, onset: int) -> bool:
        """Not over a seam."""
        return onset not in self.seams


class Grid(Constraint):
    """Onsets and durations with a plain name: multiples of `straight` steps, and triplets that fill their group.

    A triplet divides `3 * triplet` steps of the bar by three; 0 means that there are none. Every bar must be a multiple
    of `straight`. An onset that is off the grid (in something given) leads back to it.
    """

    def __init__(self, bar_steps: int, straight: int = 6, triplet: int = 8):
        self.bar_steps = bar_steps
        self.straight = straight
        self.triplet = triplet

    def ends(self, onset: int, ends: IntArray) -> BoolArray:
        """From one place of the grid to another; within a triplet, only to the triplet's own places."""
        straight = ends % self.straight == 0
        if not self.triplet:
            return straight
        position, group = onset % self.bar_steps, 3 * self.triplet
        group_end = onset - position % group + group
        # Where a bar ends with part of a group (7/8), a triplet would cross the bar line and leave the grid.
        if position % self.triplet or group_end > onset - position + self.bar_steps:
            return straight
        triplet = (ends <= group_end) & ((group_end - ends) % self.triplet == 0)
        return straight | triplet if onset % self.straight == 0 else triplet


class Pitches(Constraint):
    """Only these pitches, everywhere: a range, a scale, or both."""

    def __init__(self, allowed: BoolArray):
        self.allowed = allowed

    def begins(self, onset: int) -> BoolArray:
        """The pitches allowed."""
        return self.allowed


class Leaps(Constraint):
    """From one note to the next at most `largest` semitones, up or down."""

    def __init__(self, largest: int):
        self.largest = largest

    def steps(self) -> BoolArray:
        """Pitches no farther away than the largest leap."""
        pitches = np.arange(PITCHES)
        return np.abs(pitches[:, None] - pitches[None, :]) <= self.largest


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


class Joints(Constraint):
    """What is repeated begins with a note, of one of a few pitches: so what comes before its repeats can lead there.

    `starts` are the steps where what is repeated is written.
    """

    def __init__(self, starts: Collection[int], allowed: BoolArray):
        self.starts = frozenset(starts)
        self.allowed = allowed

    def begins(self, onset: int) -> BoolArray | None:
        """Those pitches, where a repeat begins."""
        return self.allowed if onset in self.starts else None

    def rests(self, onset: int, ends: IntArray) -> BoolArray | None:
        """Not where a repeat begins."""
        return np.zeros(len(ends), np.bool_) if onset in self.starts else None


class NoRests(Constraint):
    """No rest anywhere."""

    def rests(self, onset: int, ends: IntArray) -> BoolArray:
        """None."""
        return np.zeros(len(ends), np.bool_)


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
        """A place for each stretch without a rest."""
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


class Departs(Constraint):
    """What is to be other music than something before: at most half of its notes are the same there at the same place.

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
                    earlier = {at: pitch for at, pitch in zip(onsets[:begin], pitches[:begin], strict=True)}
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


class Guard(Constraint):
    """Pitches that a rule with a memory of its own forbids, such as `melodygru.originality.CopyGuard.banned`."""

    def __init__(self, banned: Callable[[Sequence[int], Sequence[int], int], Collection[int]]):
        self.banned = banned

    def pitches(self, progress: Progress) -> BoolArray | None:
        """All but those that `banned(pitches, onsets, onset)` names."""
        legal: BoolArray | None = None
        for row, onset in enumerate(progress.onset.tolist()):
            banned = self.banned(progress.pitches[row], progress.onsets[row], onset)
            if banned:
                if legal is None:
                    legal = np.ones((len(progress.onset), PITCHES), np.bool_)
                legal[row, list(banned)] = False
        return legal


def of_classes(classes: Collection[int]) -> BoolArray:
    """(128,): pitches of these pitch classes (0..11), in all octaves."""
    return np.isin(np.arange(PITCHES) % 12, list(classes))


def in_range(low: int, high: int) -> BoolArray:
    """(128,): pitches from `low` to `high`, both included."""
    pitches = np.arange(PITCHES)
    return (pitches >= low) & (pitches <= high)


def shortest_end(time_signature: TimeSignature) -> int:
    """How long the last note is at least: a beat, in steps."""
    return min(time_signature.beat_steps, time_signature.bar_steps)
