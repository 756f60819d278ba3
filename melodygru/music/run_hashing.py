"""Hashes of rows of notes that are the same in any key and at any tempo.

A row's hash is that of its first interval plus a polynomial of its other symbols, each an interval and the ratio of two
inter-onset intervals; all arithmetic is in 64 bits, wrapping (Karp & Rabin 1987). The same is computed for whole
collections in NumPy, and note by note in Python's integers.
"""

from __future__ import annotations

from math import gcd
from typing import Any

import numpy as np
import numpy.typing as npt

UInt64Array = npt.NDArray[np.uint64]
IntArray = npt.NDArray[np.int64]
Line = tuple[IntArray, IntArray]
"""Pitches and onsets, in steps, of consecutive notes."""

SHORTEST = 3
"""Runs of fewer notes have no ratio, and stand everywhere."""

BUCKET_BITS = 16
"""First bits of a hash by which hashes are sorted."""
BASE = 0x9E3779B97F4A7C15
BLEND = 0xBF58476D1CE4E5B9
"""What one hash of two is multiplied with."""
MASK = (1 << 64) - 1
_BASE_INVERSE = pow(BASE, -1, 1 << 64)
_LONGEST_GAP = 0xFFFF


def steps_of(line: Line) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.uint16]]:
    """Intervals to the next note, and gaps to its onset; 0 at the last."""
    pitches, onsets = line
    gaps = np.minimum(np.diff(onsets, append=onsets[-1:]), _LONGEST_GAP)
    return np.diff(pitches, append=pitches[-1:]).astype(np.int8), gaps.astype(np.uint16)


def buckets(hashes: UInt64Array) -> npt.NDArray[np.uint16]:
    """The first bits of each hash."""
    return (hashes >> np.uint64(64 - BUCKET_BITS)).astype(np.uint16)


def _mixed(values: UInt64Array) -> UInt64Array:
    """SplitMix64's finalizer (Steele, Lea & Flood 2014)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _mixed_one(value: int) -> int:
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9 & MASK
    value = (value ^ (value >> 27)) * 0x94D049BB133111EB & MASK
    return value ^ (value >> 31)


_KNOWN: dict[tuple[int, int, int], int] = {}


def symbol(interval: int, gap: int, before: int) -> int:
    """`symbols` for one note, in Python's integers: `gap` follows `before`."""
    key = (interval, gap, before)
    if key not in _KNOWN:
        shared = gcd(gap, before) or 1
        ratio = _mixed_one(gap // shared << 20 | before // shared)
        mixed = (first_hash(interval) ^ ratio) * BLEND & MASK
        _KNOWN[key] = mixed ^ (mixed >> 32)
    return _KNOWN[key]


def first_hash(interval: int) -> int:
    """The hash of the interval that a row begins with."""
    return _mixed_one(interval & 0xFF)


def symbols(
    intervals: npt.NDArray[np.int8], table: npt.NDArray[np.uint16], codes: npt.NDArray[np.integer[Any]]
) -> UInt64Array:
    """A hash of each note's interval to the next, and of the ratio of the gap to the one before."""
    before = np.concatenate([codes[:1], codes[:-1]])
    ratios = ratio_hashes(table)
    pairs = codes.astype(np.int32) * len(table) + before
    return _blend(FIRST[intervals.view(np.uint8)], ratios[pairs])


def ratio_hashes(table: npt.NDArray[np.uint16]) -> UInt64Array:
    """(G * G,) hashes of the ratio of each of G gaps to each that it follows."""
    wide = table.astype(np.int64)
    shared = np.maximum(np.gcd(wide[:, None], wide[None, :]), 1)
    return _mixed((wide[:, None] // shared << 20 | wide[None, :] // shared).astype(np.uint64).ravel())


def _blend(interval: Any, ratio: Any) -> Any:
    """One hash of two; in 64 bits, wrapping."""
    mixed = (interval ^ ratio) * np.uint64(BLEND)
    return mixed ^ (mixed >> np.uint64(32))


def power_sums(symbols: UInt64Array) -> tuple[UInt64Array, UInt64Array]:
    """Sums of symbols times powers of the base, (N + 1,), and the inverse powers, (N,)."""
    size = len(symbols)
    powers, inverses = np.full(size, BASE, np.uint64), np.full(size, _BASE_INVERSE, np.uint64)
    powers[:1] = inverses[:1] = 1
    powers, inverses = np.multiply.accumulate(powers), np.multiply.accumulate(inverses)
    return np.concatenate([np.zeros(1, np.uint64), np.cumsum(symbols * powers)]), inverses


FIRST = np.array([first_hash(interval) for interval in range(256)], np.uint64)
"""`first_hash` of each interval, as a byte."""


def window_hashes(intervals: npt.NDArray[np.int8], sums: UInt64Array, inverses: UInt64Array, notes: int) -> UInt64Array:
    """Hashes of the rows of `notes` notes (at least 2) that begin at each note."""
    size = max(len(intervals) - notes + 1, 0)
    first = FIRST[intervals[:size].view(np.uint8)]
    if notes < SHORTEST or not size:
        return first
    return first + (sums[notes - 1 : notes - 1 + size] - sums[1 : 1 + size]) * inverses[:size]


def window_hashes_at(
    places: npt.NDArray[np.int64],
    intervals: npt.NDArray[np.int8],
    sums: UInt64Array,
    inverses: UInt64Array,
    notes: int,
) -> UInt64Array:
    """`window_hashes` of the rows that begin at these places alone; each ends within the notes that there are."""
    first = FIRST[intervals[places].view(np.uint8)]
    if notes < SHORTEST:
        return first
    return first + (sums[places + notes - 1] - sums[places + 1]) * inverses[places]


def run_hashes(intervals: npt.NDArray[np.int64], gaps: npt.NDArray[np.int64]) -> UInt64Array:
    """(R,) hashes of R rows of n notes each, from their (R, n - 1) intervals and gaps between onsets."""
    shared = np.maximum(np.gcd(gaps[:, 1:], gaps[:, :-1]), 1)
    ratios = _mixed((gaps[:, 1:] // shared << 20 | gaps[:, :-1] // shared).astype(np.uint64))
    first = FIRST[intervals & 0xFF]
    values = first[:, 0].copy()
    power = 1
    for i in range(1, intervals.shape[1]):
        power = power * BASE & MASK
        values += np.uint64(power) * _blend(first[:, i], ratios[:, i - 1])
    return values
