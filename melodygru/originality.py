"""Nobody else's tune: what a model has learned from, and how much of a melody stands in it.

A run is a row of consecutive notes of one piece that stands elsewhere too: the same intervals, and the same ratios of
inter-onset intervals, so in any key and at any tempo. A run of n notes has n - 1 intervals and n - 2 ratios; how long
its last note lasts does not matter. The index keeps each piece's intervals and inter-onset intervals, a byte each
before compression, so runs are told exactly, with piece and bar; hashes of n-grams only find them (Karp & Rabin 1987).
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import gcd
from typing import Any

import numpy as np
import numpy.typing as npt

from melodygru.errors import CheckpointError
from melodygru.melody import Melody

UInt64Array = npt.NDArray[np.uint64]
IntArray = npt.NDArray[np.int64]
Line = tuple[IntArray, IntArray]
"""Pitches and onsets, in steps, of consecutive notes."""

SHORTEST = 3
"""Runs of fewer notes have no ratio, and stand everywhere."""

_MAGIC = b"mgoi1"
_LONGEST_GAP = 0xFFFF
_MASK = (1 << 64) - 1
_BASE = 0x9E3779B97F4A7C15
_BASE_INVERSE = pow(_BASE, -1, 1 << 64)
_BUCKET_BITS = 16
_LARGEST = 1 << 28
"""Bytes that an index may have when unpacked: a hundred million notes."""


@dataclass(frozen=True)
class SharedRun:
    """The longest run that a melody shares with a piece.

    Attributes:
        notes: how many notes; 0 if not even `SHORTEST` stand anywhere.
        bars: from its first onset to its last, in bars of the melody.
        bar: where it begins in the melody: bar 1 is the first full one, 0 a pickup.
        piece: the name of the piece; of several, the first.
        piece_bar: the bar in which it begins there.
    """

    notes: int
    bars: float = 0.0
    bar: int = 0
    piece: str = ""
    piece_bar: int = 0


class OriginalityIndex:
    """The pieces that a model has learned from, as far as runs need them.

    Args:
        names: of P pieces.
        sizes: (P,) notes of each.
        places: (P, 3) onset of each first note, bar length, both in steps, and whether there is a pickup.
        intervals: (N,) int8, semitones from each of the N notes to the next of its piece; 0 at the last.
        table: (G,) uint16, the gaps that there are: steps from a note's onset to the next one's, at most 65535.
        codes: (N,) place in `table` of the gap from each note to the next of its piece; of gap 0 at the last.
    """

    def __init__(
        self,
        names: Sequence[str],
        sizes: npt.ArrayLike,
        places: npt.ArrayLike,
        intervals: npt.NDArray[np.int8],
        table: npt.NDArray[np.uint16],
        codes: npt.NDArray[np.unsignedinteger[Any]],
    ):
        self.names = list(names)
        self.sizes = np.asarray(sizes, np.int64)
        self.places = np.asarray(places, np.int64).reshape(-1, 3)
        self.intervals = intervals
        self.table = table
        self.codes = codes
        self.starts = np.cumsum(self.sizes) - self.sizes

    @classmethod
    def build(cls, names: Sequence[str], lines: Sequence[Line], bars: npt.ArrayLike) -> OriginalityIndex:
        """The index of P pieces: names, notes, and (P, 2) bar length in steps and whether there is a pickup."""
        steps = [_steps(line) for line in lines]
        empty = np.zeros(0)
        table, codes = np.unique(np.concatenate([empty, *(gaps for _, gaps in steps)]), return_inverse=True)
        firsts = [int(onsets[0]) if len(onsets) else 0 for _, onsets in lines]
        return cls(
            names,
            [len(pitches) for pitches, _ in lines],
            np.column_stack([np.array(firsts, np.int64), np.asarray(bars, np.int64).reshape(-1, 2)]),
            np.concatenate([empty, *(intervals for intervals, _ in steps)]).astype(np.int8),
            table.astype(np.uint16),
            codes.astype(np.uint8 if len(table) <= 256 else np.uint16),
        )

    @classmethod
    def of_melodies(cls, melodies: Sequence[Melody]) -> OriginalityIndex:
        """The index of these melodies."""
        bars = [(melody.time_signature.bar_steps, bool(melody.pickup)) for melody in melodies]
        return cls.build([melody.name for melody in melodies], [line_of(melody) for melody in melodies], bars)

    @property
    def notes(self) -> int:
        """Notes of all pieces together."""
        return len(self.intervals)

    def to_bytes(self) -> bytes:
        """The index, compressed."""
        width = self.codes.dtype.itemsize
        head = json.dumps(
            {
                "names": self.names,
                "sizes": self.sizes.tolist(),
                "places": self.places.tolist(),
                "table": self.table.tolist(),
                "width": width,
            },
            ensure_ascii=False,
            separators=(",", ":"),
        ).encode()
        body = self.intervals.tobytes() + self.codes.astype(f"<u{width}").tobytes()
        packed = zlib.compress(struct.pack("<I", len(head)) + head + body, 9)
        return _MAGIC + struct.pack("<Q", 4 + len(head) + len(body)) + packed

    @classmethod
    def from_bytes(cls, data: bytes) -> OriginalityIndex:
        """The inverse of `to_bytes`. Raises CheckpointError, whose message lacks the file's name, for anything else."""
        try:
            if not data.startswith(_MAGIC):
                raise ValueError("it is of an unknown kind")
            (size,) = struct.unpack_from("<Q", data, len(_MAGIC))
            if size > _LARGEST:
                raise ValueError("it claims to be huge")
            unpacker = zlib.decompressobj()
            plain = unpacker.decompress(data[len(_MAGIC) + 8 :], size)
            if len(plain) != size or not unpacker.eof:
                raise ValueError("it is cut off")
            (length,) = struct.unpack_from("<I", plain)
            head = json.loads(plain[4 : 4 + length])
            sizes, width = np.asarray(head["sizes"], np.int64), int(head["width"])
            table = np.asarray(head["table"], np.uint16)
            notes, places = int(sizes.sum()), np.asarray(head["places"], np.int64).reshape(-1, 3)
            names = [str(name) for name in head["names"]]
            body = plain[4 + length :]
            if width not in (1, 2) or len(body) != notes * (1 + width) or not len(sizes) == len(places) == len(names):
                raise ValueError("its parts do not fit together")
            if (sizes < 0).any() or (places[:, 1] < 1).any():
                raise ValueError("it has impossible sizes")
            codes = np.frombuffer(body, f"<u{width}", offset=notes)
            if notes and codes.max() >= len(table):
                raise ValueError("a gap is not in its table")
            return cls(names, sizes, places, np.frombuffer(body, np.int8, notes), table, codes)
        except (ValueError, TypeError, KeyError, IndexError, OverflowError, struct.error, zlib.error) as error:
            raise CheckpointError(f"has an index of its training music that is damaged ({error}).") from error

    @cached_property
    def _symbols(self) -> UInt64Array:
        """(N,): a hash of each note's interval to the next, and of the ratio of the gap to the one before."""
        return _symbols(self.intervals, self.table, self.codes)

    def gaps(self, first: int, last: int) -> list[int]:
        """Steps from each of the notes [first, last) to the next."""
        return self.table[self.codes[first:last]].tolist()

    @cached_property
    def _sums(self) -> tuple[UInt64Array, UInt64Array]:
        """Sums of symbols times powers of the base, (N + 1,), and the inverse powers, (N,)."""
        return _power_sums(self._symbols)

    def windows(self, notes: int) -> UInt64Array:
        """(N - notes + 1,): hashes of rows of so many notes from each note on, beyond the end of its piece or not."""
        return _window_hashes(self.intervals, *self._sums, notes)

    def begins(self, notes: int) -> npt.NDArray[np.bool_]:
        """(N - notes + 1,): which of those rows lie within one piece."""
        size = max(self.notes - notes + 1, 0)
        within: npt.NDArray[np.bool_] = self._left[:size] >= notes
        return within

    @cached_property
    def _left(self) -> npt.NDArray[np.int32]:
        """(N,): how many notes of its piece there are from each note on."""
        ends = np.repeat((self.starts + self.sizes).astype(np.int32), self.sizes)
        return np.subtract(ends, np.arange(self.notes), dtype=np.int32)

    def longest_run(self, melody: Melody) -> SharedRun:
        """The longest run of a melody that stands in a piece; of equally long ones the first in the melody."""
        notes, first, place = self._search([line_of(melody)])[0]
        return self._describe(melody, first, place, notes) if notes else SharedRun(0)

    def longest(self, lines: Sequence[Line]) -> list[int]:
        """The length of the longest shared run of each, in notes; 0 if not even `SHORTEST` stand anywhere."""
        return [notes for notes, _, _ in self._search(lines)]

    def distribution(self, lines: Sequence[Line]) -> dict[str, Any]:
        """Of `longest`: how many pieces, median, 95th percentile and longest, as JSON values."""
        lengths = self.longest(lines)
        if not lengths:
            return {"pieces": 0, "median": None, "p95": None, "longest": None}
        middle, high = np.percentile(lengths, [50, 95]).tolist()
        return {"pieces": len(lengths), "median": middle, "p95": high, "longest": max(lengths)}

    def _search(self, lines: Sequence[Line]) -> list[tuple[int, int, int]]:
        """Of each, (notes, first note in it, first note here) of its longest run.

        All together: the pieces are gone through once for each length, from the shortest on.
        """
        found = [(0, 0, 0)] * len(lines)
        steps = [_steps(line) for line in lines]
        sums = [_power_sums(_symbols(row[0], *np.unique(row[1], return_inverse=True))) for row in steps]
        left = [number for number, (pitches, _) in enumerate(lines) if len(pitches) >= SHORTEST]
        notes = SHORTEST
        while left:
            hashes = self.windows(notes)
            own = [_window_hashes(steps[i][0], *sums[i], notes) for i in left]
            # A table of the wanted hashes' first bits passes over nearly all pieces at once.
            wanted = np.unique(np.concatenate(own))
            table = np.zeros(1 << _BUCKET_BITS, np.bool_)
            table[_buckets(wanted)] = True
            near = np.flatnonzero(table[_buckets(hashes)[: len(self.begins(notes))]] & self.begins(notes))
            near = near[np.isin(hashes[near], wanted)][::-1]
            standing = dict(zip(hashes[near].tolist(), near.tolist(), strict=True))
            still = []
            for number, values in zip(left, own, strict=True):
                at = next(((i, standing[value]) for i, value in enumerate(values.tolist()) if value in standing), None)
                if at is not None:
                    found[number] = (notes, *at)
                    if len(steps[number][0]) > notes:
                        still.append(number)
            left, notes = still, notes + 1
        return found

    def _describe(self, melody: Melody, first: int, place: int, notes: int) -> SharedRun:
        begin, end = melody.notes[first].onset, melody.notes[first + notes - 1].onset
        bar = melody.time_signature.bar_steps
        piece = int(np.searchsorted(self.starts + self.sizes, place, side="right"))
        onset = int(self.places[piece, 0]) + sum(self.gaps(self.starts[piece], place))
        return SharedRun(
            notes,
            (end - begin) / bar,
            begin // bar + (not melody.pickup),
            self.names[piece],
            onset // int(self.places[piece, 1]) + (not self.places[piece, 2]),
        )


class CopyGuard:
    """Knows, note by note, what would make a run longer than `limit` notes, in [2, 1000].

    Setting up costs some 30 ms for 650,000 notes, a call some microseconds.
    """

    def __init__(self, index: OriginalityIndex, limit: int):
        self.index = index
        self.limit = limit
        # A run that is full, and goes on in its piece, is where a note can be forbidden.
        goes_on = index.begins(limit + 1)
        self._hashes = index.windows(limit)[: len(goes_on)]
        buckets = _buckets(self._hashes)[goes_on]
        self._order = np.flatnonzero(goes_on)[np.argsort(buckets, kind="stable")]
        counts = np.bincount(buckets, minlength=1 << _BUCKET_BITS)
        self._bounds = np.concatenate([[0], np.cumsum(counts)])

    def banned(self, pitches: Sequence[int], onsets: Sequence[int], onset: int) -> set[int]:
        """Pitches that a note at step `onset`, after those pitches and onsets, would make too long a run with."""
        limit = self.limit
        if len(pitches) < limit:
            return set()
        own_gaps = [two - one for one, two in zip(onsets[-limit:], onsets[1 - limit :], strict=False)]
        own_intervals = [two - one for one, two in zip(pitches[-limit:], pitches[1 - limit :], strict=False)]
        value = _first_hash(own_intervals[0])
        power = 1
        for i in range(1, limit - 1):
            power = power * _BASE & _MASK
            value += power * _symbol(own_intervals[i], own_gaps[i], own_gaps[i - 1])
        value &= _MASK
        bucket = value >> (64 - _BUCKET_BITS)
        near = self._order[self._bounds[bucket] : self._bounds[bucket + 1]]
        if not len(near):
            return set()
        gap, before = onset - onsets[-1], own_gaps[-1]
        found = set()
        index = self.index
        for place in near[self._hashes[near] == value].tolist():
            end = place + limit - 1
            # The last ratio, and all others once more: equal hashes of different runs are possible, if barely.
            theirs = index.gaps(place, end + 1)
            if theirs[-1] * before == gap * theirs[-2] and all(
                a * d == b * c for a, b, c, d in zip(theirs[:-1], theirs[1:-1], own_gaps, own_gaps[1:], strict=False)
            ):
                found.add(pitches[-1] + int(index.intervals[end]))
        return {pitch for pitch in found if 0 <= pitch < 128}


def line_of(melody: Melody) -> Line:
    """The pitches and onsets of a melody's notes."""
    pitches = np.array([note.pitch for note in melody.notes], np.int64)
    return pitches, np.array([note.onset for note in melody.notes], np.int64)


def _steps(line: Line) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.uint16]]:
    """Intervals to the next note, and gaps to its onset; 0 at the last."""
    pitches, onsets = line
    gaps = np.minimum(np.diff(onsets, append=onsets[-1:]), _LONGEST_GAP)
    return np.diff(pitches, append=pitches[-1:]).astype(np.int8), gaps.astype(np.uint16)


def _buckets(hashes: UInt64Array) -> npt.NDArray[np.uint16]:
    return (hashes >> np.uint64(64 - _BUCKET_BITS)).astype(np.uint16)


def _mixed(values: UInt64Array) -> UInt64Array:
    """SplitMix64's finalizer (Steele, Lea & Flood 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _mixed_one(value: int) -> int:
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & _MASK
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB & _MASK
    return value ^ (value >> 31)


_KNOWN: dict[tuple[int, int, int], int] = {}


def _symbol(interval: int, gap: int, before: int) -> int:
    key = (interval, gap, before)
    if key not in _KNOWN:
        shared = gcd(gap, before) or 1
        ratio = _mixed_one(gap // shared << 20 | before // shared)
        mixed = (_first_hash(interval) ^ ratio) * 0xBF58476D1CE4E5B9 & _MASK
        _KNOWN[key] = mixed ^ (mixed >> 32)
    return _KNOWN[key]


def _first_hash(interval: int) -> int:
    return _mixed_one(interval & 0xFF)


def _symbols(
    intervals: npt.NDArray[np.int8], table: npt.NDArray[np.uint16], codes: npt.NDArray[np.integer[Any]]
) -> UInt64Array:
    before = np.concatenate([codes[:1], codes[:-1]])
    wide = table.astype(np.int64)
    shared = np.maximum(np.gcd(wide[:, None], wide[None, :]), 1)
    ratios = _mixed((wide[:, None] // shared << 20 | wide[None, :] // shared).astype(np.uint64).ravel())
    pairs = codes.astype(np.int32) * len(table) + before
    return _blend(_FIRST[intervals.view(np.uint8)], ratios[pairs])


def _blend(interval: Any, ratio: Any) -> Any:
    """One hash of two; in 64 bits, wrapping."""
    mixed = (interval ^ ratio) * np.uint64(0xBF58476D1CE4E5B9)
    return mixed ^ (mixed >> np.uint64(32))


def _power_sums(symbols: UInt64Array) -> tuple[UInt64Array, UInt64Array]:
    size = len(symbols)
    powers, inverses = np.full(size, _BASE, np.uint64), np.full(size, _BASE_INVERSE, np.uint64)
    powers[:1] = inverses[:1] = 1
    powers, inverses = np.multiply.accumulate(powers), np.multiply.accumulate(inverses)
    return np.concatenate([np.zeros(1, np.uint64), np.cumsum(symbols * powers)]), inverses


_FIRST = np.array([_first_hash(interval) for interval in range(256)], np.uint64)


def _window_hashes(
    intervals: npt.NDArray[np.int8], sums: UInt64Array, inverses: UInt64Array, notes: int
) -> UInt64Array:
    """Hashes of the rows of `notes` notes (at least 2) that begin at each note."""
    size = max(len(intervals) - notes + 1, 0)
    first = _FIRST[intervals[:size].view(np.uint8)]
    if notes < SHORTEST or not size:
        return first
    return first + (sums[notes - 1 : notes - 1 + size] - sums[1 : 1 + size]) * inverses[:size]
