"""From where can the end still be reached? Constraints about steps, worked through backwards.

A melody that keeps to its range, its leaps and its grid can still paint itself into a corner: the tonic four leaps
away, and room for two notes. So before anything is drawn, dynamic programming from the last bar line to the first finds
for every step of the grid and every last pitch whether there is a way on, and with how many notes. What is offered to
the sampler then never leads into a corner, as far as steps decide; what depends on a melody's whole past (no
more than so many equal notes, nothing copied) is forbidden as it comes, see `melodygru.writing.sampler`.

Two coordinates: a *step* is a point of the grid, as constraints and melodies count them. A *place* is a step within a
region. At the step where one region ends and the next begins there are two places, which say different things: whether
the one may end there, and what the other may begin with. Region k's places are its steps plus k, so no two regions
share one, and tables are indexed by place.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from melodygru.network.arrays import BoolArray, IntArray
from melodygru.network.tokenizer import END, REST, TIE
from melodygru.writing.constraints.base import PITCHES, Constraint, Progress, answering
from melodygru.writing.constraints.past import Repeats
from melodygru.writing.layout import Region
from melodygru.writing.masks import Asked, Tables, finder
from melodygru.writing.ways import NO_WAY, NONE, Fill, Ways, filler

assert (REST, TIE) == (PITCHES, PITCHES + 1)

_MANY = 1 << 30
_ALL = np.ones(1 << 12, np.bool_)
_ALL.setflags(write=False)
"""As many of it as there are pitches or ends: all are legal until a rule says otherwise."""


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
        self._answering: dict[str, list[Constraint]] = {}
        self.max_duration = max_duration
        self._first_by = first_by
        self._starts = np.array([region.start for region in regions], np.int64)
        self._stops = np.array([region.end for region in regions], np.int64)
        bounds = [_bounds(constraints, region) for region in regions]
        self._counted = any(high < _MANY for _, high in bounds)
        self._lows, self._highs = (np.array(side, np.int64) for side in zip(*bounds, strict=True))
        self._follows = np.ones((PITCHES + 1, PITCHES), np.bool_)
        for constraint in constraints:
            if (follows := constraint.follows()) is not None:
                self._follows[:PITCHES] &= follows
        # With each change of pitch possible, so many equal ones in a row are never forced.
        self._foreseen = self._follows.copy()
        if not relaxed and any(isinstance(constraint, Repeats) for constraint in constraints):
            np.fill_diagonal(self._foreseen[:PITCHES], False)
        places = regions[-1].end + len(regions)
        # Most notes still to come and, where they are counted, minus the fewest; after a sound, and after a rest.
        self._gain = np.array([1, -1] if self._counted else [1], np.int16)
        shape = (len(self._gain), places, PITCHES + 1)
        self._after_sound = np.full(shape, NO_WAY, np.int16)
        self._after_rest = np.full(shape, NO_WAY, np.int16)
        self._begins = np.zeros((places, PITCHES), np.bool_)
        self._closes = np.zeros((places, PITCHES + 1), np.bool_)
        self._may_tie = np.ones(places, np.bool_)
        # At which places the events may end that begin at one, and which of them may be rests.
        self._ends: list[IntArray] = [np.zeros(0, np.int64)] * places
        self._rests: list[BoolArray] = [np.zeros(0, np.bool_)] * places
        self._sounds: dict[int, BoolArray] = {}
        fill = filler(
            Ways(
                *(self._after_sound, self._after_rest, self._gain, self._foreseen),
                *(self._begins, self._closes, self._may_tie, first_by),
            )
        )
        for number in reversed(range(len(regions))):
            self._work_through(number, regions[number], fill)
        widest = max(len(ends) for ends in self._ends)
        end_table = np.zeros((places, widest), np.int32)
        rest_table = np.zeros((places, widest), np.bool_)
        for place, ends in enumerate(self._ends):
            end_table[place, : len(ends)] = ends
            rest_table[place, : len(ends)] = self._rests[place]
        self.tables = Tables(
            self._after_sound,
            self._after_rest,
            end_table,
            rest_table,
            self._begins,
            self._may_tie,
            self._sounds,
            self._counted,
            first_by,
            max_duration + 1,
        )
        self._find = finder(self.tables)

    def _work_through(self, number: int, region: Region, fill: Fill) -> None:
        """Fill in the places of region `number`, all later regions being known."""
        if region.joins is not None:
            for table, resting in ((self._after_sound, False), (self._after_rest, True)):
                goes_on = region.joins.copy()
                for other in region.followed_by:
                    goes_on &= self._ways(other, resting)[:PITCHES]
                table[:, region.end + number, :PITCHES] = np.where(goes_on, 0, NO_WAY)
        reached = self._reached(number, region)
        self._may_tie[region.start + number] = False  # what was given is not prolonged
        for step in reversed(reached):
            self._look(step, number, region.joins is None, fill)

    def _reached(self, number: int, region: Region) -> list[int]:
        """The steps that can be reached from the region's start, in order; where events may end is noted."""
        steps_of_grid = np.arange(region.end + 1)
        reached = np.zeros(region.end + 1, np.bool_)
        reached[region.start] = True
        steps = []
        for step in range(region.start, region.end + (region.joins is None)):
            if not reached[step]:
                continue
            steps.append(step)
            ends = steps_of_grid[step + 1 : step + self.max_duration + 1]
            for constraint in self.answering("ends"):
                if (legal := constraint.ends(step, ends)) is not None:
                    ends = ends[legal]
            for constraint in self.answering("holds"):
                if constraint.holds(step) is False:
                    self._may_tie[step + number] = False
            reached[ends] = True
            self._ends[step + number] = ends + number
        return steps

    def _look(self, step: int, number: int, final: bool, fill: Fill) -> None:
        """Fill in the place of region `number` at one step, all later ones being known; `final`: it may be the end."""
        place = step + number
        end_places = self._ends[place]
        ends = end_places - number
        begins, rests = _ALL[:PITCHES], _ALL[: len(ends)]
        for constraint in self.answering("begins"):
            if (legal := constraint.begins(step)) is not None:
                begins = begins & legal
        for constraint in self.answering("rests"):
            if (legal := constraint.rests(step, ends)) is not None:
                rests = rests & legal
        sounds = None
        for constraint in self.answering("sounds"):
            if (legal := constraint.sounds(step, ends)) is not None:
                sounds = legal if sounds is None else sounds & legal
        self._begins[place], self._rests[place] = begins, rests
        if final:
            closes = _ALL[:PITCHES]
            for constraint in self.answering("closes"):
                if (legal := constraint.closes(step)) is not None:
                    closes = closes & legal
            self._closes[place, :PITCHES] = closes
        if sounds is not None and len(ends):
            self._sounds[place] = sounds
        fill(place, number, end_places, rests, sounds)

    def answering(self, question: str) -> list[Constraint]:
        """The constraints that have an answer of their own to a question, a method's name."""
        if question not in self._answering:
            self._answering[question] = answering(self.constraints, question)
        return self._answering[question]

    def feasible(self, number: int, reference: int | None = -1, resting: bool = False) -> bool:
        """Whether region `number` can be written after the pitch `reference`; -1: after none, None: after any one."""
        ways = self._ways(number, resting)
        return bool(ways[:PITCHES].any() if reference is None else ways[reference])  # the last place is that of none

    def _ways(self, number: int, resting: bool) -> BoolArray:
        """(129,): last pitches with which region `number` can be begun."""
        start = self._starts[number]
        counts = (self._after_rest if resting else self._after_sound)[:, start + number]
        legal: BoolArray = counts[0] > NO_WAY
        if self._counted:
            under_way = Progress.start(1)
            under_way.onset = self._starts[number : number + 1]
            owed, _ = self._owed(under_way, self._stops[number : number + 1])
            legal &= (counts[0] >= self._lows[number] + owed) & (-counts[1].astype(np.int64) <= self._highs[number])
        return legal

    def _owed(self, progress: Progress, until: IntArray) -> tuple[IntArray, IntArray]:
        """See `Constraint.owes`: the sums over all constraints."""
        after_note, after_rest = np.zeros((2, len(until)), np.int64)
        for constraint in self.answering("owes"):
            if (owed := constraint.owes(progress, until)) is not None:
                after_note, after_rest = after_note + owed[0], after_rest + owed[1]
        return after_note, after_rest

    def options(self, progress: Progress) -> Options:
        """What may come next in each of B melodies. For one that stands outside of all regions it means nothing."""
        tables = self.tables
        region = np.maximum(np.searchsorted(self._starts, progress.onset, side="right") - 1, 0)
        place = np.minimum(progress.onset + region, len(tables.ends) - 1)
        last = np.where(progress.reference < 0, NONE, progress.reference)
        ends = tables.ends[place].astype(np.int64) - region[:, None]
        low, high = self._lows[region], self._highs[region]
        owed = owed_after_rest = np.zeros_like(place)
        if self._counted:
            so_far = progress.notes_from(self._starts[region])
            low, high = low - so_far, high - so_far
            owed, owed_after_rest = self._owed(progress, self._stops[region])
        following = self._follows[last]
        may: list[BoolArray | None] = [None, None]  # rest, and sound
        for constraint in self.answering("pitches"):
            if (allowed := constraint.pitches(progress)) is not None:
                following = following & allowed
        for constraint in self.answering("silences"):
            if (masks := constraint.silences(progress, ends)) is not None:
                may = [new if mask is None else mask & new for mask, new in zip(may, masks, strict=True)]
        legal, durations = self._find(
            Asked(progress, place, region, last, low, high, owed, owed_after_rest, following, *may)
        )
        durations[:, END] = self._closes[place, last]
        if self._counted:
            durations[:, END] &= (low <= 0) & (high >= 0)
        return Options(ends - progress.onset[:, None], legal, durations, following)


class Options:
    """What may come next in B melodies, at D durations each.

    Attributes:
        steps: (B, D) durations in steps.
        legal: (B, D, 130) pitch classes that are legal with each duration.
        durations: (B, size) legal durations; index 0 is END.
        following: (B, 128) pitches that may come next as far as the notes so far decide.
        any: (B,) whether there is anything.
    """

    def __init__(self, steps: IntArray, legal: BoolArray, durations: BoolArray, following: BoolArray):
        self.steps = steps
        self.legal = legal
        self.durations = durations
        self.following = following
        self.any = durations.any(axis=1)

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
