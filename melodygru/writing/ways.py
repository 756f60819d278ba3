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
    """

    after_sound: Counts
    after_rest: Counts
    gain: Counts
    foreseen: BoolArray


@dataclass(frozen=True)
class Place:
    """What is legal at a place, D events long.

    Attributes:
        at: which place it is.
        ends: (D,) places at which an event may end that begins here.
        begins, closes: (128,) pitches that may begin here; (129,) last pitches after which all may end here.
        rests, early: (D,) up to which ends there may be a rest, and one before the first note.
        sounds: (D, 128) pitches that may sound up to each end; None: all.
        may_tie: whether a note may be held over it.
    """

    at: int
    ends: IntArray
    begins: BoolArray
    closes: BoolArray
    rests: BoolArray
    early: BoolArray
    sounds: BoolArray | None
    may_tie: bool


def filler(ways: Ways) -> Callable[[Place], None]:
    """What fills in a place of these tables, all later ones being known."""
    library = kernels()
    return partial(fill_by_numpy, ways) if library is None else _Compiled(library, ways)


def fill_by_numpy(ways: Ways, place: Place) -> None:
    """See `filler`."""
    at, ends = place.at, place.ends
    on = np.where(place.closes, 0, NO_WAY).astype(np.int16)[None, :].repeat(len(ways.gain), axis=0)
    if len(ends):
        later = ways.after_sound[:, ends]
        if place.sounds is not None:
            may = np.concatenate([place.sounds, np.ones((len(ends), 1), np.bool_)], axis=1)
            later = np.where(may, later, NO_WAY)
        best = later.max(axis=1)
        possible = place.begins & (best[:, :PITCHES] > NO_WAY)
        note = np.where(possible, best[:, :PITCHES] + ways.gain[:, None], NO_WAY)
        if ways.foreseen.all():
            following = note.max(axis=1, keepdims=True)
        else:
            following = np.where(ways.foreseen, note[:, None, :], NO_WAY).max(axis=2)
        on = ways.after_rest[:, at] = np.maximum(on, following)
        if place.rests.any():
            silent = ways.after_rest[:, ends[place.rests]].max(axis=1)
            early = ends[place.rests & place.early]
            silent[:, NONE] = ways.after_rest[:, early, NONE].max(axis=1) if len(early) else NO_WAY
            on = np.maximum(on, silent)
        if place.may_tie:
            best[:, NONE] = NO_WAY
            on = np.maximum(on, best)
    else:
        ways.after_rest[:, at] = on
    ways.after_sound[:, at] = on


_AT, _MANY, _MAY_TIE, _ENDS, _BEGINS, _CLOSES, _RESTS, _EARLY, _SOUNDS = range(8, 17)
"""The fields of the struct in ways.cpp that are written anew for each place."""


class _Compiled:
    """The compiled function for these tables."""

    def __init__(self, library: CDLL, ways: Ways):
        self._library = library
        kinds, places, _ = ways.after_sound.shape
        tables = (ways.gain, np.ascontiguousarray(ways.foreseen), ways.after_sound, ways.after_rest)
        self._struct = Struct([kinds, places, NO_WAY, int(ways.foreseen.all()), *tables, *[None] * 9])

    def __call__(self, place: Place) -> None:
        struct = self._struct
        struct.put(_AT, place.at)
        struct.put(_MANY, len(place.ends))
        struct.put(_MAY_TIE, int(place.may_tie))
        ends = np.ascontiguousarray(place.ends, np.int64)
        masks = [
            None if mask is None else np.ascontiguousarray(mask, np.bool_)
            for mask in (place.begins, place.closes, place.rests, place.early, place.sounds)
        ]
        for field, array in zip((_ENDS, _BEGINS, _CLOSES, _RESTS, _EARLY, _SOUNDS), (ends, *masks), strict=True):
            struct.point(field, array)
        self._library.ways_fill(struct.at)
