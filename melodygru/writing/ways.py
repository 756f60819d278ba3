"""One place of a look-ahead's tables: with how many notes the end can be reached from there, by the last pitch.

Twice: in NumPy, and compiled (`kernels/ways.cpp`), which is taken where it was built. Both say the same.
"""

from __future__ import annotations

from collections.abc import Callable
from ctypes import CDLL
from functools import partial

import numpy as np
import numpy.typing as npt

from melodygru.network.arrays import BoolArray, IntArray
from melodygru.network.structs import Struct
from melodygru.records import dataclass
from melodygru.writing.constraints.base import PITCHES
from melodygru.writing.kernels import kernels

NO_WAY = -16_000
"""A number of notes that says there is no way on; counts stay far above."""
NONE = PITCHES
"""Stands for the last pitch where there is none yet."""

Counts = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Ways:
    """The tables; see `melodygru.writing.masks.Tables`, and what a note adds to them.

    Attributes:
        after_sound, after_rest: (kinds, places, 129).
        gain: (kinds,) what one note more adds to each kind of count.
        foreseen: (129, 128) which pitch may follow which.
        begins, closes: (places, 128) pitches that may begin; (places, 129) last pitches after which all may end.
        may_tie: (places,) whether a note may be held over a place.
        first_by: the step before which the first note begins.
    """

    after_sound: Counts
    after_rest: Counts
    gain: Counts
    foreseen: BoolArray
    begins: BoolArray
    closes: BoolArray
    may_tie: BoolArray
    first_by: int


Fill = Callable[[int, int, IntArray, BoolArray, BoolArray | None], None]
"""Fills in a place, all later ones being known. Told is what is legal there, for D events of different lengths:

- which place it is, and the number of its region;
- (D,) places at which an event may end that begins here, and up to which of them there may be a rest;
- (D, 128) pitches that may sound up to each; None: all.
"""


def filler(ways: Ways) -> Fill:
    """What fills in the places of these tables."""
    library = kernels()
    return partial(fill_by_numpy, ways) if library is None else _Compiled(library, ways)


def fill_by_numpy(ways: Ways, at: int, region: int, ends: IntArray, rests: BoolArray, sounds: BoolArray | None) -> None:
    """See `Fill`."""
    on = np.where(ways.closes[at], 0, NO_WAY).astype(np.int16)[None, :].repeat(len(ways.gain), axis=0)
    if len(ends):
        later = ways.after_sound[:, ends]
        if sounds is not None:
            may = np.concatenate([sounds, np.ones((len(ends), 1), np.bool_)], axis=1)
            later = np.where(may, later, NO_WAY)
        best = later.max(axis=1)
        possible = ways.begins[at] & (best[:, :PITCHES] > NO_WAY)
        note = np.where(possible, best[:, :PITCHES] + ways.gain[:, None], NO_WAY)
        if ways.foreseen.all():
            following = note.max(axis=1, keepdims=True)
        else:
            following = np.where(ways.foreseen, note[:, None, :], NO_WAY).max(axis=2)
        on = ways.after_rest[:, at] = np.maximum(on, following)
        if rests.any():
            silent = ways.after_rest[:, ends[rests]].max(axis=1)
            early = ends[rests & (ends - region < ways.first_by)]
            silent[:, NONE] = ways.after_rest[:, early, NONE].max(axis=1) if len(early) else NO_WAY
            on = np.maximum(on, silent)
        if ways.may_tie[at]:
            best[:, NONE] = NO_WAY
            on = np.maximum(on, best)
    else:
        ways.after_rest[:, at] = on
    ways.after_sound[:, at] = on


_PLACE, _REGION, _MANY, _ENDS, _RESTS, _SOUNDS = range(12, 18)
"""The fields of the struct in ways.cpp that are written anew for each place."""


class _Compiled:
    """The compiled function for these tables."""

    def __init__(self, library: CDLL, ways: Ways):
        self._library = library
        kinds, places, _ = ways.after_sound.shape
        numbers = (kinds, places, NO_WAY, int(ways.foreseen.all()), ways.first_by)
        tables = (ways.gain, np.ascontiguousarray(ways.foreseen), ways.after_sound, ways.after_rest)
        self._struct = Struct([*numbers, *tables, ways.begins, ways.closes, ways.may_tie, *[None] * 6])

    def __call__(self, at: int, region: int, ends: IntArray, rests: BoolArray, sounds: BoolArray | None) -> None:
        struct = self._struct
        struct.put(_PLACE, at)
        struct.put(_REGION, region)
        struct.put(_MANY, len(ends))
        kept = (np.ascontiguousarray(ends, np.int64), np.ascontiguousarray(rests, np.bool_))
        struct.point(_ENDS, kept[0])
        struct.point(_RESTS, kept[1])
        may = None if sounds is None else np.ascontiguousarray(sounds, np.bool_)
        struct.point(_SOUNDS, may)
        self._library.ways_fill(struct.at)
