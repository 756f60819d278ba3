"""What one section of a form has to do with another: a motif that they share, and a seam that leads over."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping

import numpy as np

from melodygru.network.arrays import BoolArray, FloatArray, IntArray
from melodygru.writing.constraints.base import PITCHES, Constraint, Progress

STEP = 2
"""Semitones of the largest interval that is a step."""


class Leads(Constraint):
    """Before a seam no rest and no long note; and over the seam rather a step than a leap.

    Args:
        seams: the steps where a section ends that is to lead over.
        last: steps that the last note before them may last.
        ahead: of steps where a section ends (these, or others that end as they like) the step where what follows it was
            written before: what is near its first pitch leads there.
    """

    PULL = 1.0
    """Nats that a semitone beyond a step costs, of an octave at most."""

    def __init__(self, seams: frozenset[int], last: int, ahead: Mapping[int, int]):
        self.seams, self.last, self.ahead = seams, last, ahead
        self._places = np.array(sorted(seams), np.int64)

    def ends(self, onset: int, ends: IntArray) -> BoolArray | None:
        """At a seam only what began shortly before."""
        legal = ~np.isin(ends, self._places)
        return legal | (ends - onset <= self.last)

    def rests(self, onset: int, ends: IntArray) -> BoolArray | None:
        """None up to a seam."""
        return ~np.isin(ends, self._places)

    def holds(self, onset: int) -> bool | None:
        """Not shortly before a seam, where a tie would make the last note long."""
        return False if any(seam - self.last <= onset < seam for seam in self.seams) else None

    def pitch_preference(self, progress: Progress) -> FloatArray | None:
        """Minus a cost for what is farther than a step: of a first note from the last, of last notes from the next."""
        cost: FloatArray | None = None
        for row, onset in enumerate(progress.onset.tolist()):
            near = int(progress.reference[row]) if onset in self.seams else self._next(progress, row, onset)
            if near >= 0:
                cost = np.zeros((len(progress.onset), PITCHES)) if cost is None else cost
                away = np.abs(np.arange(PITCHES) - near)
                cost[row] = -self.PULL * np.clip(away - STEP, 0, 12)
        return cost

    def _next(self, progress: Progress, row: int, onset: int) -> int:
        """The first pitch of what comes after a seam that is near, where it is known; else -1."""
        for seam, begin in self.ahead.items():
            if seam - self.last <= onset < seam:
                place = bisect_left(progress.onsets[row], begin)
                if place < len(progress.onsets[row]):
                    return progress.pitches[row][place]
        return -1


class SharedMotif(Constraint):
    """Sections rather begin with the motif of another: its rhythm, or where it rises and falls.

    Args:
        starts: the steps where those sections begin.
        source: the step where the motif begins.
        length: its steps.
        contour: whether its line is shared, note by note; else its rhythm.
    """

    GAIN = 5.0
    """Nats in favour of what the motif has; the network is seldom that sure of anything else."""

    def __init__(self, starts: tuple[int, ...], source: int, length: int, contour: bool = False):
        self.starts, self.source, self.length, self.contour = starts, source, length, contour

    def _start(self, onset: int) -> int | None:
        return next((start for start in self.starts if start <= onset < start + self.length), None)

    def _event(self, progress: Progress, row: int, onset: int, start: int) -> tuple[bool, bool, int]:
        """Of the motif at a place: whether a note begins there, whether a rest does, and how far the next event is."""
        at, until = onset - start + self.source, self.source + self.length
        notes, rests = progress.onsets[row], progress.rests[row]
        one, two = bisect_left(notes, at), bisect_left(rests, at)
        note, rest = notes[one : one + 1] == [at], rests[two : two + 1] == [at]
        following = [*notes[one + note : one + note + 1], *rests[two + rest : two + rest + 1]]
        return note, rest, min([*following, until]) - at

    def duration_preference(self, progress: Progress, size: int) -> FloatArray | None:
        """The gain for the motif's own duration."""
        if self.contour:
            return None
        wanted: FloatArray | None = None
        for row, onset in enumerate(progress.onset.tolist()):
            if (start := self._start(onset)) is not None:
                _, _, lasts = self._event(progress, row, onset, start)
                if lasts < size:
                    wanted = np.zeros((len(progress.onset), size)) if wanted is None else wanted
                    wanted[row, lasts] = self.GAIN
        return wanted

    def pitch_preference(self, progress: Progress) -> FloatArray | None:
        """The gain for a note, or against it, as the motif has one; or for moves in its direction."""
        wanted: FloatArray | None = None
        for row, onset in enumerate(progress.onset.tolist()):
            if (start := self._start(onset)) is not None:
                wanted = np.zeros((len(progress.onset), PITCHES)) if wanted is None else wanted
                if self.contour:
                    wanted[row] = self._direction(progress, row, start)
                else:
                    note, rest, _ = self._event(progress, row, onset, start)
                    wanted[row] = self.GAIN if note else -self.GAIN if rest else 0.0
        return wanted

    def _direction(self, progress: Progress, row: int, start: int) -> FloatArray:
        """(128,): the gain for pitches to which the motif's next note moves, up, down or nowhere."""
        onsets, pitches = progress.onsets[row], progress.pitches[row]
        place = len(onsets) - bisect_left(onsets, start) + bisect_left(onsets, self.source)
        found = np.zeros(PITCHES)
        if (
            place
            and place < bisect_left(onsets, self.source + self.length)
            and len(onsets) > bisect_left(onsets, start)
        ):
            move = np.sign(pitches[place] - pitches[place - 1])
            found[np.sign(np.arange(PITCHES) - progress.reference[row]) == move] = self.GAIN
        return found


class Tessitura(Constraint):
    """Notes rather lie in the middle of a section's own range, so that it is heard to lie higher or lower than others.

    Within [low, high] alone they would keep to where the ranges of all sections meet.
    """

    PULL = 0.25
    """Nats that a semitone of distance costs: enough for three semitones between ranges that lie four apart."""

    def __init__(self, low: int, high: int):
        self.cost = -self.PULL * np.abs(np.arange(PITCHES) - (low + high) / 2)

    def pitch_preference(self, progress: Progress) -> FloatArray:
        """Minus a cost for every semitone of distance."""
        return np.broadcast_to(self.cost, (len(progress.onset), PITCHES))


class BeginsElsewhere(Constraint):
    """Sections rather begin on another degree than what begins at the step `source`; `starts` are theirs."""

    COST = 8.0
    """Nats that the same degree costs: less likely by a factor of 3,000."""

    def __init__(self, starts: frozenset[int], source: int):
        self.starts, self.source = starts, source

    def pitch_preference(self, progress: Progress) -> FloatArray | None:
        """Minus the cost for that degree, in all octaves."""
        cost: FloatArray | None = None
        for row, onset in enumerate(progress.onset.tolist()):
            place = bisect_left(progress.onsets[row], self.source)
            if onset in self.starts and place < len(progress.onsets[row]):
                cost = np.zeros((len(progress.onset), PITCHES)) if cost is None else cost
                cost[row, progress.pitches[row][place] % 12 :: 12] = -self.COST
        return cost
