"""What may come next in each of B melodies, as masks: from the tables of a look-ahead and where the melodies stand.

Twice: in NumPy, and compiled (`kernels/masks.cpp`), which is taken where it was built. Both say the same.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt

from melodygru.network.arrays import BoolArray, IntArray
from melodygru.network.structs import Struct
from melodygru.records import dataclass
from melodygru.writing.constraints.base import PITCHES, Progress
from melodygru.writing.kernels import kernels
from melodygru.writing.ways import NO_WAY, NONE

_CLASSES = PITCHES + 2
_MAY, _SOUNDS, _LEGAL, _DURATIONS = (25, 26), 27, 28, 29
"""Which fields of the struct in masks.cpp point elsewhere each time."""


@dataclass(frozen=True)
class Tables:
    """What is known of places beforehand; D durations at most at each.

    Attributes:
        after_sound, after_rest: (kinds, places, 129) most notes still to come and, where they are counted, minus the
            fewest, by the last pitch.
        ends, rests: (places, D) the places at which events may end that begin at one, filled up with 0, and whether
            they may be rests.
        begins: (places, 128) pitches that may begin.
        may_tie: (places,) whether a tie may.
        sounds: of some places, (ends, 128) pitches that may sound up to each end.
        counted: whether notes are counted.
        first_by: the step before which the first note begins.
        size: of durations, one above the longest.
    """

    after_sound: npt.NDArray[np.int16]
    after_rest: npt.NDArray[np.int16]
    ends: npt.NDArray[np.int32]
    rests: BoolArray
    begins: BoolArray
    may_tie: BoolArray
    sounds: Mapping[int, BoolArray]
    counted: bool
    first_by: int
    size: int


@dataclass(frozen=True)
class Asked:
    """Where B melodies stand, and what their past allows.

    Attributes:
        progress: see there.
        place, region, last: (B,) place, region and last pitch, `NONE` for none.
        low, high: (B,) bounds of the notes still to come in the region.
        owed, owed_after_rest: (B,) for how many of them room must stay empty.
        following: (B, 128) pitches that may begin.
        may_rest, may_sound: (B, D) up to which ends there may be a rest, and a note or a tie; None: up to all.
    """

    progress: Progress
    place: IntArray
    region: IntArray
    last: IntArray
    low: IntArray
    high: IntArray
    owed: IntArray
    owed_after_rest: IntArray
    following: BoolArray
    may_rest: BoolArray | None
    may_sound: BoolArray | None


Masks = tuple[BoolArray, BoolArray]
"""(B, D, 130) pitch classes that are legal with each duration, and (B, size) durations with which there are any."""


def finder(tables: Tables) -> Callable[[Asked], Masks]:
    """What gives masks by these tables."""
    library = kernels()
    return partial(legal_by_numpy, tables) if library is None else _Compiled(library, tables)


def legal_by_numpy(tables: Tables, asked: Asked) -> Masks:
    """The masks; see there."""
    progress, place, last, region = asked.progress, asked.place, asked.last, asked.region
    rows = np.arange(len(place))
    end_places = tables.ends[place].astype(np.int64)
    ends = end_places - region[:, None]
    exists = end_places > place[:, None]  # rows of the table are filled up with 0
    counts = tables.after_sound[:, end_places]

    def within(counts: npt.NDArray[np.int16], notes: int, owed: IntArray) -> BoolArray:
        """Which counts lead to the end, when so many notes come before them."""
        legal: BoolArray = counts[0] > NO_WAY
        if tables.counted:
            shape = (-1, *[1] * (counts.ndim - 2))
            legal &= counts[0] >= (asked.low - notes + owed).reshape(shape)
            legal &= -counts[1].astype(np.int64) <= (asked.high - notes).reshape(shape)
        return legal

    held = within(counts, 0, asked.owed)
    begun = within(counts, 1, asked.owed) if tables.counted else held
    notes = begun[:, :, :PITCHES] & exists[:, :, None] & (tables.begins[place] & asked.following)[:, None, :]
    ties = held[rows, :, last] & exists & (progress.sounding & tables.may_tie[place])[:, None]
    for row, at in enumerate(place.tolist() if tables.sounds else ()):
        if (sounds := tables.sounds.get(at)) is not None:
            notes[row, : len(sounds)] &= sounds
            if last[row] != NONE:
                ties[row, : len(sounds)] &= sounds[:, last[row]]
    rests = within(tables.after_rest[:, end_places, last[:, None]], 0, asked.owed_after_rest) & exists
    rests &= tables.rests[place] & ~progress.resting[:, None]
    rests &= (progress.reference >= 0)[:, None] | (ends < tables.first_by)
    if asked.may_rest is not None:
        rests &= asked.may_rest
    if asked.may_sound is not None:
        notes &= asked.may_sound[:, :, None]
        ties &= asked.may_sound
    legal = np.dstack([notes, rests, ties])
    durations = np.zeros((len(place), tables.size), np.bool_)
    some, columns = np.nonzero(legal.any(axis=2))
    durations[some, (ends - progress.onset[:, None])[some, columns]] = True
    return legal, durations


class _Compiled:
    """The compiled function for these tables."""

    def __init__(self, library: ctypes.CDLL, tables: Tables):
        self._library, self._tables = library, tables
        of_places = (tables.after_sound, tables.after_rest, tables.ends, tables.rests, tables.begins, tables.may_tie)
        self._kept = [np.ascontiguousarray(table) for table in of_places]
        places, most = tables.ends.shape
        numbers = (places, most, tables.size, int(tables.counted), NO_WAY, tables.first_by)
        self._begins = [*numbers, *(table.ctypes.data for table in self._kept)]
        self._rooms = threading.local()  # whoever shares a plan does not share what is being asked
        self._sounds = {place: np.ascontiguousarray(sounds) for place, sounds in tables.sounds.items()}

    def __reduce__(self) -> tuple[Callable[[Tables], Callable[[Asked], Masks]], tuple[Tables]]:
        return finder, (self._tables,)  # another process loads the library for itself

    def __call__(self, asked: Asked) -> Masks:
        """The masks; see there."""
        tables, progress, size = self._tables, asked.progress, len(asked.place)
        room: _Room | None = getattr(self._rooms, "last", None)
        if room is None or room.size != size:
            room = self._rooms.last = _Room(size, self._begins, tables.ends.shape[1])
        struct = room.struct
        room.numbers[...] = (
            *(asked.place, asked.region, asked.last, progress.onset, progress.reference),
            *(asked.low, asked.high, asked.owed, asked.owed_after_rest),
        )
        room.sounding[...], room.resting[...] = progress.sounding, progress.resting
        room.following[...] = asked.following
        for place, mask, kept in zip(_MAY, (asked.may_rest, asked.may_sound), room.may, strict=True):
            if mask is not None:
                kept[...] = mask
            struct.point(place, None if mask is None else kept)
        legal = np.empty((size, tables.ends.shape[1], _CLASSES), np.bool_)
        durations = np.zeros((size, tables.size), np.bool_)
        if self._sounds:
            found = [self._sounds.get(place) for place in asked.place.tolist()]
            room.sounds[...] = [0 if one is None else one.ctypes.data for one in found]
            struct.point(_SOUNDS, room.sounds)
        struct.point(_LEGAL, legal)
        struct.point(_DURATIONS, durations)
        self._library.masks_find(struct.at)
        return legal, durations


class _Room:
    """Arrays of as many melodies that are written anew each time, and the struct of `Masks` in masks.cpp with them."""

    def __init__(self, size: int, begins: Sequence[int], most: int):
        self.size = size
        self.numbers = np.zeros((9, size), np.int64)
        self.sounding, self.resting = np.zeros((2, size), np.bool_)
        self.following = np.zeros((size, PITCHES), np.bool_)
        self.may = np.zeros((2, size, most), np.bool_)
        self.sounds = np.zeros(size, np.int64)
        fields = [size, *begins, *self.numbers, self.sounding, self.resting, self.following]
        assert len(fields) == _MAY[0]
        self.struct = Struct([*fields, None, None, None, None, None])
