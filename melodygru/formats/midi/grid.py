"""From ticks to steps: where a file's beats and bar lines are, and how its notes lie on them.

Most files are written on a grid from tick 0, and rounding is all they need. Some are
written on a grid whose beats are not the file's (transcriptions laid over a recording:
POP909), and some were played. `find_grid` tells which; `snap` does the rest.
"""

from __future__ import annotations

import cmath
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import cached_property
from itertools import pairwise
from typing import NamedTuple

from melodygru.formats.midi.chunks import PERCUSSION
from melodygru.formats.midi.parser import RawNote
from melodygru.formats.midi.played import places_of
from melodygru.music.theory import STEPS_PER_QUARTER, TimeSignature
from melodygru.records import dataclass

USUAL = {0: 1.0, 12: 0.9, 6: 0.7, 18: 0.7, 8: 0.7, 16: 0.7, 3: 0.3, 9: 0.3, 15: 0.3, 21: 0.3, 4: 0.3, 20: 0.3}
"""How usual, in (0, 1], an onset is at each step of a quarter: on the beat, at its half, quarters and thirds, at
thirty-seconds and sixths; anywhere else it is not written music.
"""
WRITTEN = 0.5
"""A file whose onsets are at least this usual on average, counted from tick 0, is taken at its word."""
NEAR_A_STEP = 1 / 3
"""Steps from the nearest step within which an onset is as usual as one that is there."""
NEAR_A_PLACE = 0.25
"""Steps from the nearest usual place (or one tick, which rounding costs) within which a tick is on the grid."""
ONSETS_ON_GRID = 0.9
"""Share of onsets on the grid below which they were played rather than written."""
ENDS_ON_GRID = 0.8
"""Share of ends on the grid from which they are as exact as the onsets."""
FINER = (10, 12, 14, 16)
"""Parts of a quarter that are written more seldom: quintuplets, sextuplets, septuplets, sixty-fourths.

A tick is there only if it is the nearest one, and only in files that have `_TELLING` ticks between two of them.
"""
_TELLING = 8
SHORTEST_REST = 3
"""Steps below which a gap between notes is no rest, where ends are exact."""

_SHORTEST_PLAYED_REST = 8
"""The same where ends are a player's."""


class Placed(NamedTuple):
    """A note in steps from the grid's origin, in the half-open range [onset, end)."""

    onset: int
    end: int
    pitch: int


@dataclass(frozen=True)
class Grid:
    """Where a file's bar lines are.

    Attributes:
        ticks_per_quarter: the file's resolution.
        origin: tick of a bar line, in [0, bar); 0 when the file's own bar lines hold.
        played: onsets are near the grid rather than on it, so they are set on the likeliest places together.
        held: ends of notes are as exact as onsets; otherwise they are a player's, and short gaps are no rests.
        anchors: (tick, step) of notes played without a click, or of swung eighths, both rising: between them the tempo
            is even. None where the file's ticks are in time.
    """

    ticks_per_quarter: int
    origin: int = 0
    played: bool = False
    held: bool = True
    anchors: tuple[tuple[int, int], ...] = ()

    def steps(self, tick: int) -> Fraction:
        """Ticks of the file as (exact) steps from the origin."""
        if self.anchors:
            return _between(self.anchors, tick)
        return Fraction((tick - self.origin) * STEPS_PER_QUARTER, self.ticks_per_quarter)

    def tick(self, step: float) -> int:
        """The tick nearest to so many steps from the origin; 0 for what is before the file begins."""
        if self.anchors:
            return max(0, int(_between(self._by_step, step) + Fraction(1, 2)))  # as `Clock` rounds
        return max(0, self.origin + round(step * self.ticks_per_quarter / STEPS_PER_QUARTER))

    @cached_property
    def _by_step(self) -> tuple[tuple[int, int], ...]:
        """The anchors as (step, tick)."""
        return tuple((step, tick) for tick, step in self.anchors)


def _between(anchors: Sequence[tuple[int, int]], place: float) -> Fraction:
    """What belongs to a place, by the two anchors around it; beyond them, by the first or last two."""
    after = bisect_right(anchors, (place, float("inf")))
    (begin, first), (end, last) = anchors[max(0, min(after - 1, len(anchors) - 2)) :][:2]
    return first + Fraction(place - begin) * (last - first) / (end - begin)


def find_grid(melody: Sequence[RawNote], everything: Iterable[RawNote], ticks_per_quarter: int,
              metre: TimeSignature, trusted: bool = False) -> Grid:  # fmt: skip
    """The grid that a melody lies on.

    `everything`: all the file's notes, whose bass tells the bar lines; `trusted`: the file's own bar lines hold,
    whatever its notes say.
    """
    onsets = [note.onset for note in melody]
    origin = 0
    if not trusted and _usualness(onsets, 0, ticks_per_quarter) < WRITTEN:
        fine = _fine_phase(onsets, ticks_per_quarter)
        if fine is not None:
            phase, period = fine
            origin = _downbeat(phase, period, everything, ticks_per_quarter, metre)
    played = _on_grid(onsets, origin, ticks_per_quarter) < ONSETS_ON_GRID
    held = not played and _on_grid([note.end for note in melody], origin, ticks_per_quarter) >= ENDS_ON_GRID
    return Grid(ticks_per_quarter, origin, played, held)


def _step_in_quarter(tick: int, origin: int, tpq: int) -> float:
    return (tick - origin) * STEPS_PER_QUARTER / tpq % STEPS_PER_QUARTER


def _usualness(onsets: Sequence[int], origin: int, tpq: int) -> float:
    """Mean of `USUAL` over onsets, in [0, 1]; 0 for one that is not near a step."""
    total = 0.0
    for onset in onsets:
        position = _step_in_quarter(onset, origin, tpq)
        if abs(position - round(position)) <= NEAR_A_STEP:
            total += USUAL.get(round(position) % STEPS_PER_QUARTER, 0.0)
    return total / len(onsets)


def _on_grid(ticks: Sequence[int], origin: int, tpq: int) -> float:
    """Share of ticks, in [0, 1], that are at a usual place or near it, or where finer values are written."""
    near = 0
    finer = [parts for parts in FINER if tpq >= _TELLING * parts]
    for tick in ticks:
        position = _step_in_quarter(tick, origin, tpq)
        usual = round(position) % STEPS_PER_QUARTER in USUAL
        near += (usual and abs(position - round(position)) <= max(NEAR_A_PLACE, STEPS_PER_QUARTER / tpq)) or any(
            _is_nearest((tick - origin) * parts, parts, tpq) for parts in finer
        )
    return near / len(ticks)


def _is_nearest(ticks: int, parts: int, tpq: int) -> bool:
    """Whether the tick `ticks` / `parts` is the nearest to a multiple of `tpq` / `parts`."""
    return 2 * abs(ticks - round(ticks / tpq) * tpq) <= parts


def _fine_phase(onsets: Sequence[int], tpq: int) -> tuple[float, float] | None:
    """The phase of the finest grid that onsets share, as (ticks, period in ticks); None when they share none.

    The mean of onsets as angles on a circle one period round: its length is 1 when all
    agree and near 0 when they are spread (Mardia & Jupp, Directional Statistics, 2.3).
    """
    for period, least in ((tpq / 12, 0.8), (tpq / 4, 0.5)):
        mean = sum(cmath.exp(2j * cmath.pi * onset / period) for onset in onsets) / len(onsets)
        if abs(mean) >= least:
            return cmath.phase(mean) / (2 * cmath.pi) % 1 * period, period
    return None


def _downbeat(phase: float, period: float, notes: Iterable[RawNote], tpq: int, metre: TimeSignature) -> int:
    """The tick in [0, bar) of the likeliest bar line among `phase` + k * `period`.

    Bass notes that are held begin on strong beats: a candidate is as likely as the sum over the lowest voice's onsets
    of their metrical weight times how long each lasts.
    """
    bar = metre.bar_steps * tpq // STEPS_PER_QUARTER
    beat = metre.beat_steps * tpq // STEPS_PER_QUARTER
    weights: dict[int, float] = {}
    slots = max(1, round(bar / period))
    for onset, length in _bass(notes, tpq):
        slot = round((onset - phase) / period) % slots
        weights[slot] = weights.get(slot, 0.0) + min(length, bar)
    per_beat = max(1, round(beat / period))

    def evidence(first: int) -> float:
        total = 0.0
        for slot, weight in weights.items():
            place = (slot - first) % slots
            strength = 3.0 if place == 0 else 1.5 if place * 2 == slots and slots // per_beat % 2 == 0 else 1.0
            total += weight * (strength if place % per_beat == 0 else 0.0)
        return total

    return round(phase + max(range(slots), key=evidence) * period) % bar


def _bass(notes: Iterable[RawNote], tpq: int) -> list[tuple[int, int]]:
    """(onset, ticks to the next) of the lowest voice: notes with nothing lower beginning within half a quarter."""
    ordered = sorted(notes)
    low: list[RawNote] = []
    for note in ordered:
        if note.channel == PERCUSSION:
            continue
        if low and note.onset - low[-1].onset < tpq // 2:
            if note.pitch < low[-1].pitch:
                low[-1] = note
        elif not low or note.pitch <= low[-1].pitch + 7 or note.onset - low[-1].onset >= 2 * tpq:
            low.append(note)
    return [(one.onset, two.onset - one.onset) for one, two in pairwise(low)]


def snap(notes: Sequence[RawNote], grid: Grid) -> list[Placed]:
    """Notes in steps, none overlapping, each at least a step long.

    Notes are in order of onset and never overlap. Where two fall on one step, the later one stays.
    """
    onsets = [grid.steps(note.onset) for note in notes]
    places = places_of([float(onset) for onset in onsets]) if grid.played else [round(onset) for onset in onsets]
    shortest_rest = SHORTEST_REST if grid.held else _SHORTEST_PLAYED_REST
    placed: list[Placed] = []
    following: int | None = None
    for note, onset in zip(reversed(notes), reversed(places), strict=True):
        if following is not None and following <= onset:
            continue
        end = round(grid.steps(note.end))
        if not grid.held:
            end = max(onset + 6, 6 * round(end / 6))
        end = max(end, onset + 1)
        if following is not None and following - end < shortest_rest:
            end = following
        placed.append(Placed(onset, end, note.pitch))
        following = onset
    return placed[::-1]
