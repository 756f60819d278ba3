"""The metre of notes that come without one, and where its bar lines are: what each reading has for it.

A reading is a metre and the place of its bar lines. Each is described by how accents (long notes, leaps, turning
points, ends of phrases) fall on its strong places, by how much stands again a bar or several later, and by how whole
the piece is in its bars. A conditional logit (McFadden 1974) weighs all of that: what it has learned from people's
tunes is in `melodygru.music.metre_weights`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from melodygru.music.melody import Note
from melodygru.music.metre_weights import WEIGHTS
from melodygru.music.theory import STEPS_PER_QUARTER, TimeSignature

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

METRES = tuple(TimeSignature.parse(text) for text in ("2/4", "3/4", "4/4", "6/8", "9/8", "12/8", "5/4", "7/8", "3/2"))
"""The metres that are looked for."""
Metres = tuple[TimeSignature, ...]
GRID = STEPS_PER_QUARTER // 4
"""Steps between places where a bar line may be: a sixteenth."""
MOST_NOTES = 1000
"""Notes at the beginning of a piece that are listened to."""
LEVELS = ("bar", "half", "beat", "division", "weak")
"""How strong a place in a bar is: its first, the middle of a bar of four beats, a beat, a part of a beat, any other."""
ACCENTS = ("onset", "length", "long", "longer", "shorter", "leap", "top", "bottom", "phrase_end", "phrase_start",
           "again", "last")  # fmt: skip
"""What makes a note stand out; see `_accents`."""
LAGS = (1, 2, 4, 8)
"""Bars after which repeats are looked for."""
PICKUPS = (0, 6, 12, 18, 24, 36, 48)
"""Steps before the first bar line that are told apart."""
_SEVEN = TimeSignature(7, 8)
"""Of 2 + 2 + 3 eighths."""
_MANY = 8
"""Notes that must be left to compare, for repeats to count in full."""


class Reading(NamedTuple):
    """A metre, and the steps from the first note's onset to the next bar line, in [0, bar)."""

    metre: TimeSignature
    pickup: int

    def __str__(self) -> str:
        if not self.pickup:
            return str(self.metre)
        quarters = self.pickup / STEPS_PER_QUARTER
        return f"{self.metre} after a pickup of {quarters:.3g} quarter{'s' * (quarters != 1)}"


def metre_class(metre: TimeSignature) -> str:
    """ "duple", "triple", "compound" or "odd". 3/8 is half of a bar of 6/8, hence compound."""
    if metre.is_compound or (metre.numerator, metre.denominator) == (3, 8):
        return "compound"
    return "duple" if metre.numerator in (2, 4, 8) else "triple" if metre.numerator in (3, 6) else "odd"


@lru_cache(maxsize=64)
def readings(metres: Metres = METRES) -> tuple[Reading, ...]:
    """All readings that are weighed."""
    return tuple(Reading(metre, pickup) for metre in metres for pickup in range(0, metre.bar_steps, GRID))


def _levels(metre: TimeSignature) -> IntArray:
    """(places,) which of `LEVELS` each place of a bar is, a place every `GRID` steps."""
    bar, beat = metre.bar_steps, metre.beat_steps
    division = beat // 3 if metre.is_compound else beat // 2
    if metre == _SEVEN:
        beat, division = 2 * beat, beat
    places = np.arange(0, bar, GRID)
    found = np.full(len(places), 4)
    found[places % division == 0] = 3
    found[places % beat == 0] = 2
    if metre == _SEVEN:
        found[places == 3 * beat] = 3  # within the last beat, of three eighths
    if bar == 4 * beat:
        found[places == 2 * beat] = 1
    found[0] = 0
    return found


@lru_cache(maxsize=64)
def _layout(metres: Metres) -> tuple[IntArray, IntArray, IntArray]:
    """Of all readings: (R,) bars and pickups in steps, (R, places) levels, 4 beyond the bar."""
    all_of_them = readings(metres)
    bars = np.array([one.metre.bar_steps for one in all_of_them])
    pickups = np.array([one.pickup for one in all_of_them])
    levels = np.full((len(all_of_them), -(-int(bars.max()) // GRID)), 4)
    for row, one in enumerate(all_of_them):
        own = _levels(one.metre)
        levels[row, : len(own)] = own
    return bars, pickups, levels


def names() -> list[str]:
    """Names of the features of a reading."""
    base = [f"{accent}_on_{level}" for accent in ACCENTS for level in LEVELS]
    base += [f"{level}_struck" for level in LEVELS[:3]]
    base += [f"{what}_after_{lag}" for what in ("rhythm", "contour", "tune") for lag in (*LAGS, "beat")]
    base += [f"whole_in_{lag}" for lag in LAGS] + ["complement", "end_on_line"]
    base += [f"end_in_{lag}" for lag in LAGS[1:]]
    base += [f"phrase_in_{lag}" for lag in LAGS[1:3]]
    base += [f"pickup_{steps}" for steps in PICKUPS] + ["pickup_odd", "pickup_share"]
    return base


def metre_scores(notes: Sequence[Note], metres: Metres = METRES) -> FloatArray:
    """(R,) how much speaks for each of `readings(metres)`: log-odds, in nats, up to a constant."""
    worth = np.array([WEIGHTS[name] for name in names()])
    usual = np.array([WEIGHTS.get(str(reading.metre), 0.0) for reading in readings(metres)])
    return np.asarray(features(notes, metres) @ worth + usual)


def features(notes: Sequence[Note], metres: Metres = METRES) -> FloatArray:
    """(R, F): what each of `readings(metres)` has for it, by `names()`. Of notes in order of onset, one at least."""
    notes = notes[:MOST_NOTES]
    onsets = np.array([note.onset for note in notes]) - notes[0].onset
    ends = np.array([note.end for note in notes]) - notes[0].onset
    pitches = np.array([note.pitch for note in notes])
    lengths = np.append(np.diff(onsets), ends[-1] - onsets[-1]).clip(1)
    accents = _accents(onsets, ends, pitches, lengths)
    bars, pickups, levels = _layout(metres)
    places = (onsets[None, :] - pickups[:, None]) % bars[:, None]
    exact = places % GRID == 0
    level = np.where(exact, np.take_along_axis(levels, places // GRID, 1), 4)
    on_level = (level[:, :, None] == np.arange(len(LEVELS))).astype(np.float64)
    shares = np.einsum("na,rnl->ral", accents / np.maximum(accents.sum(0), 1), on_level)
    lag = _repeats(onsets, lengths, pitches, metres)
    struck = _struck(level, levels, bars, ends[-1])
    return np.concatenate([
        shares.reshape(len(bars), -1),
        struck,
        lag,
        _closing(notes, accents, bars, pickups, int(ends[-1]), onsets),
    ], axis=1)  # fmt: skip


def _accents(onsets: IntArray, ends: IntArray, pitches: IntArray, lengths: IntArray) -> FloatArray:
    """(N, A) how much of each of `ACCENTS` a note has."""
    size = len(onsets)
    usual = max(float(np.median(lengths)), 1)
    before = np.roll(lengths, 1)
    steps = np.append(0, np.diff(pitches))
    then = np.append(steps[1:], 0)
    inner = np.ones(size)
    inner[0] = inner[-1] = 0
    rests = np.append(onsets[1:] - ends[:-1] > 0, True)
    closes = rests | (lengths >= np.maximum(2 * usual, 24))
    return np.stack([
        np.ones(size),
        np.minimum(lengths / STEPS_PER_QUARTER, 4),
        lengths >= 2 * usual,
        (lengths > before) * inner,
        (lengths < before) * inner,
        np.abs(steps) >= 5,
        ((steps > 0) & (then < 0)) * inner,
        ((steps < 0) & (then > 0)) * inner,
        closes,
        np.append(True, closes[:-1]),
        (steps == 0) * inner,
        np.arange(size) == size - 1,
    ], axis=1).astype(np.float64)  # fmt: skip


@lru_cache(maxsize=64)
def _lags(metres: Metres) -> tuple[IntArray, IntArray]:
    """All distances at which repeats are looked for, in steps; and (R, LAGS + 1) which of them a reading has."""
    each = np.array([[*(lag * one.metre.bar_steps for lag in LAGS), one.metre.beat_steps] for one in readings(metres)])
    distances, places = np.unique(each, return_inverse=True)
    return distances, places.reshape(each.shape)


def _repeats(onsets: IntArray, lengths: IntArray, pitches: IntArray, metres: Metres) -> FloatArray:
    """(R, 3 * lags) the shares of notes that stand again: their length, with the step to them, with their pitch."""
    distances, places = _lags(metres)
    steps = np.append(99, np.diff(pitches))
    found = np.zeros((3, len(distances)))
    for number, distance in enumerate(distances.tolist()):
        there = np.searchsorted(onsets, onsets + distance)
        inside = there < len(onsets)
        if not inside.any():
            continue
        there = there[inside]
        same = (onsets[there] == onsets[inside] + distance) & (lengths[there] == lengths[inside])
        contour = same & (steps[there] == steps[inside])
        tune = same & (pitches[there] == pitches[inside])
        found[:, number] = [part.mean() * min(1, len(there) / _MANY) for part in (same, contour, tune)]
    return np.asarray(found[:, places].transpose(1, 0, 2).reshape(len(places), -1))


def _struck(level: IntArray, levels: IntArray, bars: IntArray, end: int) -> FloatArray:
    """(R, 3) the shares of strong places at which a note begins."""
    number = np.maximum(end / bars, 1)
    columns = []
    for kind in range(3):
        there = np.maximum((levels == kind).sum(1), 1)
        columns.append(np.minimum((level == kind).sum(1) / (number * there), 1.2))
    return np.stack(columns, axis=1)


def _closing(notes: Sequence[Note], accents: FloatArray, bars: IntArray, pickups: IntArray, end: int,
             onsets: IntArray) -> FloatArray:  # fmt: skip
    """(R, …) how whole the piece and its phrases are in bars; and which pickup there is."""
    columns = [end % (bars * lag) == 0 for lag in LAGS]
    columns.append((end % bars == 0) & (pickups > 0))
    left = (end - pickups) % bars
    columns.append(left == 0)
    columns += [(end - pickups + bars - 1) // bars % lag == 0 for lag in LAGS[1:]]
    starts = onsets[accents[:, ACCENTS.index("phrase_start")] > 0]
    for lag in LAGS[1:3]:
        columns.append(((starts[None, :] % (bars[:, None] * lag)) == 0).mean(1))
    columns += [pickups == steps for steps in PICKUPS]
    columns += [~np.isin(pickups, PICKUPS), pickups / bars]
    return np.stack(columns, axis=1).astype(np.float64)
