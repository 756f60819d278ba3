"""From where can the end still be reached? Constraints about places, worked through backwards.

A melody that keeps to its range, its leaps and its grid can still paint itself into a corner: the tonic four leaps
away, and room for two notes. So before anything is drawn, dynamic programming from the last bar line to the first finds
for every step of the grid and every last pitch whether there is a way on, and with how many notes. What is offered to
the sampler then never leads into a corner, as far as places decide; what depends on a melody's whole past (no
more than so many equal notes, nothing copied) is forbidden as it comes, see `melodygru.writing.sampler`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from melodygru.network.arrays import BoolArray, IntArray
from melodygru.network.tokenizer import END, REST, TIE
from melodygru.writing.constraints.base import PITCHES, Constraint, Progress
from melodygru.writing.constraints.past import Repeats
from melodygru.writing.layout import Region

_NONE = PITCHES
"""Stands for the last pitch where there is none yet."""
_NO_WAY = -16_000
"""A number of notes that says there is no way on; counts stay far above."""
_MANY = 1 << 30


class Lookahead:
    """What may come next at every place, given that the rest must be possible too.

    Args:
        constraints: the rules; preferences are not looked at.
        regions: the stretches to be written, in order and apart; no event crosses their borders.
        max_duration: longest duration of an event, in steps.
        first_by: the step before which the first note begins.
        relaxed: overlook that `Repeats` may ask for a change of pitch. Then a melody may meet a dead end.
    """

    def __init__(
        self,
        constraints: Sequence[Constraint],
        regions: Sequence[Region],
        max_duration: int,
        first_by: int,
        relaxed: bool = False,
    ):
        self.constraints = constraints
        self.max_duration = max_duration
        self._starts = np.array([region.start for region in regions], np.int64)
        bounds = [_bounds(constraints, region) for region in regions]
        self._counted = any(high < _MANY for _, high in bounds)
        self._lows, self._highs = (np.array(side, np.int64) for side in zip(*bounds, strict=True))
        self._region_ends = np.array([region.end for region in regions], np.int64)
        self._first_by = first_by
        self._steps = np.ones((PITCHES + 1, PITCHES), np.bool_)
        for constraint in constraints:
            if (steps := constraint.steps()) is not None:
                self._steps[:PITCHES] &= steps
        # With each change of pitch possible, so many equal ones in a row are never forced.
        self._ahead = self._steps.copy()
        if not relaxed and any(isinstance(constraint, Repeats) for constraint in constraints):
            np.fill_diagonal(self._ahead[:PITCHES], False)
        self._free = bool(self._ahead.all())
        # Where one region ends and the next begins, each has a place of its own: region k's are k further on.
        size = regions[-1].end + len(regions)
        # Most notes still to come and, where they are counted, minus the fewest; after a sound, and after a rest.
        self._gain = np.array([1, -1] if self._counted else [1], np.int16)
        shape = (len(self._gain), size, PITCHES + 1)
        self._on = np.full(shape, _NO_WAY, np.int16)
        self._after_rest = np.full(shape, _NO_WAY, np.int16)
        self._begins = np.zeros((size, PITCHES), np.bool_)
        self._closes = np.zeros((size, PITCHES + 1), np.bool_)
        self._may_tie = np.ones(size, np.bool_)
        self._ends: list[IntArray] = [np.zeros(0, np.int64)] * size
        self._rests: list[BoolArray] = [np.zeros(0, np.bool_)] * size
        self._sounds: dict[int, BoolArray] = {}
        self._begin_of = [region.start + number for number, region in enumerate(regions)]
        for number in reversed(range(len(regions))):
            self._work_through(number, regions[number])
        widest = max(len(ends) for ends in self._ends)
        self._end_table = np.zeros((size, widest), np.int32)
        self._rest_table = np.zeros((size, widest), np.bool_)
        for step, ends in enumerate(self._ends):
            self._end_table[step, : len(ends)] = ends
            self._rest_table[step, : len(ends)] = self._rests[step]

    def _work_through(self, number: int, region: Region) -> None:
        if region.joins is not None:
            for table, resting in ((self._on, False), (self._after_rest, True)):
                goes_on = region.joins.copy()
                for other in region.followed_by:
                    goes_on &= self._ways(other, resting)[:PITCHES]
                table[:, region.end + number, :PITCHES] = np.where(goes_on, 0, _NO_WAY)
        places = self._places(number, region)
        self._may_tie[region.start + number] = False  # what was given is not prolonged
        for step in reversed(places):
            self._look(step, number, final=region.joins is None)

    def _places(self, number: int, region: Region) -> list[int]:
        """The steps that can be reached from the region's start, in order; where events may end is noted."""
        reached = np.zeros(region.end + 1, np.bool_)
        reached[region.start] = True
        places = []
        for step in range(region.start, region.end + (region.joins is None)):
            if not reached[step]:
                continue
            places.append(step)
            ends = np.arange(step + 1, min(step + self.max_duration, region.end) + 1)
            for constraint in self.constraints:
                if (legal := constraint.ends(step, ends)) is not None:
                    ends = ends[legal]
                if constraint.holds(step) is False:
                    self._may_tie[step + number] = False
            reached[ends] = True
            self._ends[step + number] = ends + number
        return places

    def _look(self, step: int, number: int, final: bool) -> None:
        """Fill in one step of a region, all later ones being known."""
        ends = self._ends[step + number] - number
        begins, rests = np.ones(PITCHES, np.bool_), np.ones(len(ends), np.bool_)
        closes, sounds = np.full(PITCHES, final), None
        for constraint in self.constraints:
            if (legal := constraint.begins(step)) is not None:
                begins = begins & legal
            if (legal := constraint.rests(step, ends)) is not None:
                rests = rests & legal
            if final and (legal := constraint.closes(step)) is not None:
                closes = closes & legal
            if (legal := constraint.sounds(step, ends)) is not None:
                sounds = legal if sounds is None else sounds & legal
        step, ends, first_by = step + number, ends + number, self._first_by + number
        self._begins[step], self._closes[step, :PITCHES], self._rests[step] = begins, closes, rests
        on = np.where(self._closes[step], 0, _NO_WAY)[None, :].repeat(len(self._gain), axis=0)
        if len(ends):
            later = self._on[:, ends]
            if sounds is not None:
                self._sounds[step] = sounds
                later = np.where(np.concatenate([sounds, np.ones((len(ends), 1), bool)], axis=1), later, _NO_WAY)
            best = later.max(axis=1)
            note = np.where(begins & (best[:, :PITCHES] > _NO_WAY), best[:, :PITCHES] + self._gain[:, None], _NO_WAY)
            if self._free:
                following = note.max(axis=1, keepdims=True)
            else:
                following = np.where(self._ahead, note[:, None, :], _NO_WAY).max(axis=2)
            self._after_rest[:, step] = np.maximum(on, following)
            on = self._after_rest[:, step]
            if rests.any():
                silent = self._after_rest[:, ends[rests]].max(axis=1)
                early = ends[rests & (ends < first_by)]
                silent[:, _NONE] = self._after_rest[:, early, _NONE].max(axis=1) if len(early) else _NO_WAY
                on = np.maximum(on, silent)
            if self._may_tie[step]:
                best[:, _NONE] = _NO_WAY
                on = np.maximum(on, best)
        else:
            self._after_rest[:, step] = on
        self._on[:, step] = on

    def feasible(self, number: int, reference: int | None = -1, resting: bool = False) -> bool:
        """Whether region `number` can be written after the pitch `reference`; -1: after none, None: after any one."""
        ways = self._ways(number, resting)
        return bool(ways[:PITCHES].any() if reference is None else ways[reference if reference >= 0 else _NONE])

    def _ways(self, number: int, resting: bool) -> BoolArray:
        """(129,): last pitches with which region `number` can be begun."""
        counts = (self._after_rest if resting else self._on)[:, self._begin_of[number]]
        legal: BoolArray = counts[0] > _NO_WAY
        if self._counted:
            start = Progress.start(1)
            start.onset = self._starts[number : number + 1]
            owed, _ = self._owed(start, self._region_ends[number : number + 1])
            legal &= (counts[0] >= self._lows[number] + owed) & (-counts[1].astype(np.int64) <= self._highs[number])
        return legal

    def _owed(self, progress: Progress, until: IntArray) -> tuple[IntArray, IntArray]:
        """See `Constraint.owes`: the sums over all constraints."""
        after_note, after_rest = np.zeros((2, len(until)), np.int64)
        for constraint in self.constraints:
            if (owed := constraint.owes(progress, until)) is not None:
                after_note, after_rest = after_note + owed[0], after_rest + owed[1]
        return after_note, after_rest

    def _within(self, counts: npt.NDArray[np.int16], region: IntArray, notes: IntArray, owed: IntArray) -> BoolArray:
        """Which of the (kinds, B, ...) counts of notes to come lead to the end of the melodies' `region` (B,).

        `notes` (B,): how many they have had since the region began; `owed` (B,): how many places must stay empty.
        """
        legal: BoolArray = counts[0] > _NO_WAY
        if self._counted:
            shape = (-1, *[1] * (counts.ndim - 2))
            low = (self._lows[region] - notes + owed).reshape(shape)
            high = (self._highs[region] - notes).reshape(shape)
            legal &= (counts[0] >= low) & (-counts[1].astype(np.int64) <= high)
        return legal

    def options(self, progress: Progress) -> Options:
        """What may come next in each of B melodies; nothing where a melody stands at no place of its own."""
        rows = np.arange(len(progress.onset))
        region = np.maximum(np.searchsorted(self._starts, progress.onset, side="right") - 1, 0)
        at = np.minimum(np.maximum(progress.onset + region, 0), len(self._end_table) - 1)
        last = np.where(progress.reference < 0, _NONE, progress.reference)
        places = self._end_table[at].astype(np.int64)
        ends = places - region[:, None]
        exists = places > at[:, None]
        so_far = progress.notes_from(self._starts[region]) if self._counted else np.zeros_like(at)
        owed, owed_after_rest = np.zeros((2, len(at)), np.int64)
        if self._counted:
            owed, owed_after_rest = self._owed(progress, self._region_ends[region])
        on = self._on[:, places]
        way = self._within(on, region, so_far, owed)
        begun = self._within(on, region, so_far + 1, owed) if self._counted else way
        following = self._steps[last]
        for constraint in self.constraints:
            if (allowed := constraint.pitches(progress)) is not None:
                following = following & allowed
        notes = begun[:, :, :PITCHES] & exists[:, :, None] & (self._begins[at] & following)[:, None, :]
        ties = way[rows, :, last] & exists & (progress.sounding & self._may_tie[at])[:, None]
        if self._sounds:
            for row, place in enumerate(at.tolist()):
                if (sounds := self._sounds.get(place)) is not None:
                    notes[row, : len(sounds)] &= sounds
                    if last[row] != _NONE:
                        ties[row, : len(sounds)] &= sounds[:, last[row]]
        silent = self._after_rest[:, places, last[:, None]]
        rests = self._within(silent, region, so_far, owed_after_rest) & exists
        rests &= self._rest_table[at] & ~progress.resting[:, None]
        rests &= (progress.reference >= 0)[:, None] | (ends < self._first_by)
        for constraint in self.constraints:
            if (masks := constraint.silences(progress, ends)) is not None:
                rests &= masks[0]
                notes &= masks[1][:, :, None]
                ties &= masks[1]
        closes = self._closes[at, last]
        if self._counted:
            closes &= (so_far >= self._lows[region]) & (so_far <= self._highs[region])
        legal = np.dstack([notes, rests, ties])
        return Options(ends - progress.onset[:, None], legal, closes, following, self.max_duration + 1)


class Options:
    """What may come next in B melodies, at D durations each.

    Attributes:
        steps: (B, D) durations in steps.
        legal: (B, D, 130) pitch classes that are legal with each duration.
        durations: (B, size) legal durations; index 0 is END.
        following: (B, 128) pitches that may come next as far as the notes so far decide.
        any: (B,) whether there is anything.
    """

    def __init__(self, steps: IntArray, legal: BoolArray, closes: BoolArray, following: BoolArray, size: int):
        self.steps = steps
        self.legal = legal
        self.following = following
        self.durations = np.zeros((len(steps), size), np.bool_)
        rows, columns = np.nonzero(legal.any(axis=2))
        self.durations[rows, steps[rows, columns]] = True
        self.durations[:, END] = closes
        self.any = self.durations.any(axis=1)

    def pitches(self, durations: IntArray) -> BoolArray:
        """(B, 130): pitch classes that are legal with the durations (B,) chosen; with END, REST alone."""
        chosen = (self.steps == durations[:, None]).argmax(axis=1)
        legal = self.legal[np.arange(len(durations)), chosen].copy()
        ended = durations == END
        legal[ended] = False
        legal[ended, REST] = True
        return legal


def _bounds(constraints: Sequence[Constraint], region: Region) -> tuple[int, int]:
    """The fewest and the most notes that the region may have."""
    found = [c for constraint in constraints if (c := constraint.counts(region.start, region.end)) is not None]
    return max((low for low, _ in found), default=0), min((high for _, high in found), default=_MANY)


assert (REST, TIE) == (PITCHES, PITCHES + 1)
