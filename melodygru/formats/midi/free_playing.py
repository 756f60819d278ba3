"""The grid of what was played without a click: its beats lie where the notes say, with a tempo of their own each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np

from melodygru.formats.midi.beats import fits_no_grid, track
from melodygru.formats.midi.grid import Grid
from melodygru.formats.midi.parser import USUAL_TEMPO, RawFile, RawNote
from melodygru.music.estimation import Judge, estimate_pace
from melodygru.music.melody import Note
from melodygru.music.theory import STEPS_PER_QUARTER


def is_free(melody: Sequence[RawNote], grid: Grid, stated: bool) -> bool:
    """Whether a melody fits no grid of the file's ticks. `stated`: the file says its metre."""
    return grid.played and fits_no_grid([float(grid.steps(note.onset)) for note in melody], stated)


def tracked_grid(
    melody: Sequence[RawNote], raw: RawFile, judge: Judge | None = None, pace: float | None = None
) -> tuple[Grid, float, float]:
    """The grid of such a melody, which has its tempo map; its mean tempo in quarters a minute; and its pace.

    That is by what the steps that were found are multiplied: where `pace` is None, `judge` is asked whether they are
    quarters, or halves or eighths.
    """
    seconds = _seconds([note.onset for note in melody], raw)
    found = track(seconds)
    lasting = seconds[-1] - seconds[0]
    quarter = lasting * STEPS_PER_QUARTER / float(found.steps[-1] - found.steps[0])
    notes = [Note(note.pitch, int(at), 1) for note, at in zip(melody, found.steps, strict=True)]
    pace = estimate_pace(notes, quarter, judge) if pace is None else pace
    steps = [int(at * pace) for at in found.steps.tolist()]
    ticks = [note.onset for note in melody]
    before = ticks[0] - _ticks_of(float(found.periods[0]), melody[0], raw)
    after = ticks[-1] + _ticks_of(float(found.periods[-1]), melody[-1], raw)
    a_quarter = round(STEPS_PER_QUARTER * pace)
    anchors = [(before, steps[0] - a_quarter), *zip(ticks, steps, strict=True), (after, steps[-1] + a_quarter)]
    # Two notes of one tick, as in chords that are left, are told apart by none.
    kept = [one for one, two in pairwise(anchors) if one[0] < two[0]] + [anchors[-1]]
    grid = Grid(raw.ticks_per_quarter, held=False)
    return replace(grid, anchors=tuple(kept)), 60 * pace / quarter, pace


def _seconds(ticks: Sequence[int], raw: RawFile) -> list[float]:
    """When ticks are, by the tempi of the file."""
    tempi = [(0, USUAL_TEMPO), *raw.tempi]
    changes, at = [0], [0.0]
    for (tick, tempo), (following, _) in pairwise(tempi):
        changes.append(following)
        at.append(at[-1] + (following - tick) * tempo / raw.ticks_per_quarter / 1e6)
    places = np.asarray(ticks)
    last = np.searchsorted(changes, places, side="right") - 1
    rates = np.array([tempo for _, tempo in tempi]) / raw.ticks_per_quarter / 1e6
    found: list[float] = (np.array(at)[last] + (places - np.array(changes)[last]) * rates[last]).tolist()
    return found


def _ticks_of(seconds: float, note: RawNote, raw: RawFile) -> int:
    """How many ticks so many seconds are where a note begins; one at least."""
    tempo = next((tempo for tick, tempo in reversed(raw.tempi) if tick <= note.onset), USUAL_TEMPO)
    return max(1, round(seconds * 1e6 * raw.ticks_per_quarter / max(tempo, 1)))
