"""The chords that stand over pieces, as rows of an array: what a cache keeps of chord symbols.

A row is the number of the piece, the half-open range of steps [onset, end) in which the chord holds, its root (a pitch
class, -1: no chord), and its quality's place in `melodygru.network.conditions.QUALITIES`. Rows are in order of pieces,
then of onsets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from melodygru.music.chords import QUALITIES as SPELLED
from melodygru.music.chords import Chord, ChordSpan
from melodygru.network.arrays import Array
from melodygru.network.conditions import QUALITIES, quality_class

_FIELDS = ("piece", "onset", "end", "root", "quality")


def no_chords() -> Array:
    """(0, 5): of music without chord symbols."""
    return np.zeros((0, len(_FIELDS)), np.int32)


def rows_of(chords: Mapping[int, Sequence[ChordSpan]]) -> Array:
    """(C, 5) of the chords over pieces, by their numbers, in order."""
    rows = [
        (piece, span.onset, span.end, -1, 0)
        if span.chord is None
        else (piece, span.onset, span.end, span.chord.root, quality_class(span.chord.tones))
        for piece, spans in chords.items()
        for span in spans
    ]
    return np.array(rows, np.int32).reshape(-1, len(_FIELDS))


def joined_rows(parts: Sequence[tuple[Array, int]]) -> Array:
    """The rows of parts, one after the other, each with the number of its pieces."""
    found, before = [no_chords()], 0
    for rows, pieces in parts:
        found.append(moved(rows, before))
        before += pieces
    return np.concatenate(found)


def rows_within(rows: Array, first: int, last: int) -> Array:
    """The rows of pieces [first, last) alone, which are 0, 1, and so on then."""
    begin, end = np.searchsorted(rows[:, 0], (first, last)).tolist()
    return moved(rows[begin:end], -first)


def moved(rows: Array, by: int) -> Array:
    """The rows with the pieces' numbers higher by so many."""
    return rows + np.array([by, *[0] * (len(_FIELDS) - 1)], np.int32)


def chords_of(rows: Array, piece: int) -> tuple[ChordSpan, ...]:
    """The chords over a piece."""
    first, last = np.searchsorted(rows[:, 0], (piece, piece + 1)).tolist()
    return tuple(
        ChordSpan(onset, end, None if root < 0 else _chord(root, QUALITIES[quality]))
        for _, onset, end, root, quality in rows[first:last].tolist()
    )


def _chord(root: int, quality: str) -> Chord:
    return Chord(quality, root, tuple((root + tone) % 12 for tone in SPELLED[quality]), root)
