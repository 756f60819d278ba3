"""While a melody is written: which next note would copy too much."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from ctypes import CDLL
from threading import Thread
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from melodygru.music.originality import OriginalityIndex
from melodygru.music.run_hashing import (
    BASE,
    BLEND,
    BUCKET_BITS,
    FIRST,
    MASK,
    UInt64Array,
    buckets,
    first_hash,
    ratio_hashes,
    run_hashes,
    symbol,
)
from melodygru.network.arrays import IntArray
from melodygru.network.structs import Struct
from melodygru.writing.kernels import kernels

_SIGNED = [number - (1 << 64) if number >> 63 else number for number in (BASE, BLEND)]
"""As a struct's cells hold them."""


class _Tables(NamedTuple):
    """Hashes of runs by where they begin, (N,); places by the first bits of their hash; where each bucket begins."""

    hashes: UInt64Array
    order: npt.NDArray[np.integer[Any]]
    bounds: npt.NDArray[np.int64]


class CopyGuard:
    """Knows, note by note, what would make a run longer than `limit` notes, in [2, 1000].

    Setting up costs some 10 ms for 650,000 notes, and thrice that in NumPy; a call some microseconds.
    """

    def __init__(self, index: OriginalityIndex, limit: int):
        self.index = index
        self.limit = limit
        self._tables: _Tables | None = None
        # Nothing can be a run before there are `limit` notes: until then the tables are made in the background.
        self._making = Thread(target=self._make, daemon=True)
        # In a browser there are no threads: they are made when they are asked for.
        with suppress(RuntimeError):
            self._making.start()

    def __reduce__(self) -> tuple[type[CopyGuard], tuple[OriginalityIndex, int]]:
        # For other processes, to which no thread can be sent.
        return CopyGuard, (self.index, self.limit)

    def _make(self) -> None:
        library = kernels()
        self._tables = self._by_numpy() if library is None else self._compiled(library)

    def _compiled(self, library: CDLL) -> _Tables:
        index, limit = self.index, self.limit
        room, sizes = max(index.notes - limit, 0), np.ascontiguousarray(index.sizes, np.int64)
        tables = _Tables(
            np.zeros(room, np.uint64), np.zeros(room, np.int32), np.zeros((1 << BUCKET_BITS) + 1, np.int64)
        )
        struct = Struct(
            [
                *(len(sizes), limit, index.codes.dtype.itemsize, len(index.table), BUCKET_BITS),
                *_SIGNED,
                sizes,
                *(np.ascontiguousarray(index.intervals), np.ascontiguousarray(index.codes)),
                *(FIRST, ratio_hashes(index.table), np.zeros(int(sizes.max(initial=0)), np.uint64)),
                *(tables.hashes, tables.order, tables.bounds),
            ]
        )
        return tables._replace(order=tables.order[: library.runs_find(struct.at)])

    def _by_numpy(self) -> _Tables:
        # A run that is full, and goes on in its piece, is where a note can be forbidden.
        goes_on = self.index.begins(self.limit + 1)
        hashes = self.index.windows(self.limit)[: len(goes_on)]
        places = buckets(hashes)[goes_on]
        order = np.flatnonzero(goes_on)[np.argsort(places, kind="stable")]
        counts = np.bincount(places, minlength=1 << BUCKET_BITS)
        return _Tables(hashes, order, np.concatenate([[0], np.cumsum(counts)]))

    def _made(self) -> _Tables:
        if self._tables is None and self._making.ident is not None:
            self._making.join()
        if self._tables is None:
            self._make()  # where the thread met an error, it is met here again
        assert self._tables is not None
        return self._tables

    def __call__(self, pitches: Sequence[int], onsets: Sequence[int], onset: int) -> set[int]:
        """See `banned`."""
        return self.banned(pitches, onsets, onset)

    def suspects(self, pitches: Sequence[Sequence[int]], onsets: Sequence[Sequence[int]]) -> list[int]:
        """Of many melodies, the numbers of those that `banned` may have something to say about: told all at once."""
        limit = self.limit
        rows = [row for row, line in enumerate(pitches) if len(line) >= limit]
        if not rows:
            return []
        recent = [np.array([line[row][-limit:] for row in rows], np.int64) for line in (pitches, onsets)]
        library = kernels()
        found = self._found(*recent) if library is None else self._compiled_found(library, *recent)
        return [row for row, suspect in zip(rows, found, strict=True) if suspect]

    def _found(self, pitches: IntArray, onsets: IntArray) -> list[bool]:
        """Of (R, limit) last notes of melodies: whether a run with their hash stands anywhere."""
        values = run_hashes(np.diff(pitches, axis=1), np.diff(onsets, axis=1))
        places, tables = buckets(values).astype(np.int64), self._made()
        begins, ends = tables.bounds[places].tolist(), tables.bounds[places + 1].tolist()
        return [
            begin < end and bool((tables.hashes[tables.order[begin:end]] == value).any())
            for value, begin, end in zip(values, begins, ends, strict=True)
        ]

    def _compiled_found(self, library: CDLL, pitches: IntArray, onsets: IntArray) -> list[bool]:
        """`_found`, compiled."""
        tables, found = self._made(), np.zeros(len(pitches), np.bool_)
        numbers = (len(pitches), self.limit, BUCKET_BITS, *_SIGNED)
        struct = Struct([*numbers, pitches, onsets, FIRST, tables.hashes, tables.order, tables.bounds, found])
        library.runs_suspects(struct.at)
        return found.tolist()

    def banned(self, pitches: Sequence[int], onsets: Sequence[int], onset: int) -> set[int]:
        """Pitches that a note at step `onset`, after those pitches and onsets, would make too long a run with."""
        limit = self.limit
        if len(pitches) < limit:
            return set()
        own_gaps = [two - one for one, two in zip(onsets[-limit:], onsets[1 - limit :], strict=False)]
        own_intervals = [two - one for one, two in zip(pitches[-limit:], pitches[1 - limit :], strict=False)]
        value = first_hash(own_intervals[0])
        power = 1
        for i in range(1, limit - 1):
            power = power * BASE & MASK
            value += power * symbol(own_intervals[i], own_gaps[i], own_gaps[i - 1])
        value &= MASK
        bucket = value >> (64 - BUCKET_BITS)
        tables = self._made()
        near = tables.order[tables.bounds[bucket] : tables.bounds[bucket + 1]]
        if not len(near):
            return set()
        gap, before = onset - onsets[-1], own_gaps[-1]
        found = set()
        index = self.index
        for place in near[tables.hashes[near] == value].tolist():
            end = place + limit - 1
            # The last ratio, and all others once more: equal hashes of different runs are possible, if barely.
            theirs = index.gaps(place, end + 1)
            if theirs[-1] * before == gap * theirs[-2] and all(
                a * d == b * c for a, b, c, d in zip(theirs[:-1], theirs[1:-1], own_gaps, own_gaps[1:], strict=False)
            ):
                found.add(pitches[-1] + int(index.intervals[end]))
        return {pitch for pitch in found if 0 <= pitch < 128}
