"""Nobody else's tune: what a model has learned from, and how much of a melody stands in it.

A run is a row of consecutive notes of one piece that stands elsewhere too: the same intervals, and the same ratios of
inter-onset intervals, so in any key and at any tempo. A run of n notes has n - 1 intervals and n - 2 ratios; how long
its last note lasts does not matter. The index keeps each piece's intervals and inter-onset intervals, a byte each
before compression, so runs are told exactly, with piece and bar; hashes (`melodygru.music.run_hashing`) only find them.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from melodygru.errors import CheckpointError
from melodygru.music.melody import Melody
from melodygru.music.run_hashing import (
    BUCKET_BITS,
    SHORTEST,
    Line,
    UInt64Array,
    buckets,
    power_sums,
    steps_of,
    symbols,
    window_hashes,
    window_hashes_at,
)
from melodygru.records import dataclass

_MAGIC = b"mgoi1"
_LARGEST = 1 << 28
"""Bytes that an index may have when unpacked: a hundred million notes."""
_LIKELY = 8
"""Notes in a row that nearly every melody shares with the shipped model's training music."""


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
    """The pieces that a model has learned from, and those that were held out then, as far as runs need them.

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
        steps = [steps_of(line) for line in lines]
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

    def first(self, pieces: int) -> OriginalityIndex:
        """The index of its first so many pieces alone."""
        notes = int(self.sizes[:pieces].sum())
        parts = self.names[:pieces], self.sizes[:pieces], self.places[:pieces]
        return OriginalityIndex(*parts, self.intervals[:notes], self.table, self.codes[:notes])

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
        return symbols(self.intervals, self.table, self.codes)

    def gaps(self, first: int, last: int) -> list[int]:
        """Steps from each of the notes [first, last) to the next."""
        return self.table[self.codes[first:last]].tolist()

    @cached_property
    def _sums(self) -> tuple[UInt64Array, UInt64Array]:
        """Sums of symbols times powers of the base, (N + 1,), and the inverse powers, (N,)."""
        return power_sums(self._symbols)

    def windows(self, notes: int) -> UInt64Array:
        """(N - notes + 1,): hashes of rows of so many notes from each note on, beyond the end of its piece or not."""
        return window_hashes(self.intervals, *self._sums, notes)

    def begins(self, notes: int) -> npt.NDArray[np.bool_]:
        """(N - notes + 1,): which of those rows lie within one piece."""
        size = max(self.notes - notes + 1, 0)
        within: npt.NDArray[np.bool_] = self._left[:size] >= notes
        return within

    @cached_property
    def _left(self) -> npt.NDArray[np.int32]:
        """(N,): how many notes of its piece there are from each note on."""
        ends = np.repeat((self.starts + self.sizes).astype(np.int32), self.sizes.astype(np.intp))
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

        All together, and from a length on that nearly all melodies share with something: shorter rows, which stand
        everywhere, are looked for only where none of that length is found.
        """
        found = [(0, 0, 0)] * len(lines)
        steps = [steps_of(line) for line in lines]
        sums = [power_sums(symbols(row[0], *np.unique(row[1], return_inverse=True))) for row in steps]
        for shortest in (_LIKELY, SHORTEST):
            left = [i for i, (pitches, _) in enumerate(lines) if len(pitches) >= shortest and not found[i][0]]
            self._climb(left, shortest, steps, sums, found)
        return found

    def _climb(
        self,
        left: list[int],
        notes: int,
        steps: Sequence[Any],
        sums: Sequence[tuple[UInt64Array, UInt64Array]],
        found: list[tuple[int, int, int]],
    ) -> None:
        """`_search` for the lines that are `left`, from rows of so many notes on; longer ones stand where these do."""
        places: npt.NDArray[np.int64] | None = None
        while left:
            own = [window_hashes(steps[i][0], *sums[i], notes) for i in left]
            # A table of the wanted hashes' first bits passes over nearly all pieces at once.
            wanted = np.unique(np.concatenate(own))
            table = np.zeros(1 << BUCKET_BITS, np.bool_)
            table[buckets(wanted)] = True
            if places is None:
                hashes = self.windows(notes)
                near = np.flatnonzero(table[buckets(hashes)] & self.begins(notes))
                hashes = hashes[near]
            else:
                near = places[self._left[places] >= notes]
                hashes = window_hashes_at(near, self.intervals, *self._sums, notes)
            here = np.isin(hashes, wanted)
            places, hashes = near[here], hashes[here]
            # Of equal rows the first here.
            standing = dict(zip(hashes[::-1].tolist(), places[::-1].tolist(), strict=True))
            still = []
            for number, values in zip(left, own, strict=True):
                at = next(((i, standing[value]) for i, value in enumerate(values.tolist()) if value in standing), None)
                if at is not None:
                    found[number] = (notes, *at)
                    if len(steps[number][0]) > notes:
                        still.append(number)
            left, notes = still, notes + 1

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


def line_of(melody: Melody) -> Line:
    """The pitches and onsets of a melody's notes."""
    pitches = np.array([note.pitch for note in melody.notes], np.int64)
    return pitches, np.array([note.onset for note in melody.notes], np.int64)
