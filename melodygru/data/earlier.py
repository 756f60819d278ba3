"""What an earlier cache of a folder knows of its files: those that have not changed since need not be read again.

It knows what lies in a cache's files of that kind, and nothing of how a cache comes to be; see `melodygru.data.cache`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from melodygru.data.harmony import rows_within
from melodygru.data.shards import FileReport, Shard
from melodygru.errors import DataError
from melodygru.network.arrays import Array
from melodygru.network.context import CONTEXT_ARRAYS
from melodygru.records import dataclass

_KEPT = "files.npz"
_MAY_PASS = "cannot be read"
"""How reasons begin that may be none the next time, though the file is the same: permissions, a disk that is away."""
_TOGETHER = 250
"""Files that are handed on together: bounds the memory."""


@dataclass(frozen=True)
class Listing:
    """Files of a folder as they were when it was looked at.

    Attributes:
        beside: letters of each name that are the folder's.
        names: (F,) with the folder's, sorted.
        states: (F, 2) int64: size in bytes, and time of the last change in nanoseconds.
    """

    beside: int
    names: Sequence[str]
    states: Array

    @classmethod
    def of(cls, folder: Path, names: Sequence[str]) -> Listing:
        """The files of these names; what has gone since they were found is left out. Raises DataError if all have."""
        found, states = [], []
        for name in names:
            try:
                status = os.stat(name)
            except OSError:
                continue
            found.append(name)
            states.append((status.st_size, status.st_mtime_ns))
        if not found:
            raise DataError(f"{folder} was emptied while it was read; give the folder that your MIDI files are in.")
        return cls(len(str(folder)), found, np.array(states, np.int64).reshape(-1, 2))

    def chosen(self, which: Array) -> Listing:
        """Those for which the mask is true."""
        return Listing(self.beside, [self.names[i] for i in np.flatnonzero(which).tolist()], self.states[which])

    def marks(self) -> Iterator[tuple[str, int, int]]:
        """What each file is known by: its name within the folder, size and time."""
        for name, (size, time) in zip(self.names, self.states.tolist(), strict=True):
            yield name[self.beside :], size, time


@dataclass(frozen=True)
class Notes:
    """What is to be known of a cache's files: gathered while it is made, and kept beside it."""

    reports: list[FileReport]
    pieces: list[int]

    def add(self, shard: Shard) -> None:
        """Count the files of one more shard in."""
        self.reports.extend(shard.files)
        self.pieces.extend(np.bincount(shard.table[:, 0], minlength=len(shard.files)).tolist())

    def save(self, place: Path, listing: Listing) -> None:
        """Write them into a cache's folder; they are of the files of that listing."""
        told = json.dumps(
            [[name[listing.beside :], *report[1:]] for name, report in zip(listing.names, self.reports, strict=True)]
        )
        np.savez(
            place / _KEPT,
            states=listing.states,
            pieces=np.array(self.pieces, np.int64),
            told=np.frombuffer(told.encode(), np.uint8),
        )


class Earlier:
    """Files that a cache of before has, read in the same way.

    Raises OSError, ValueError, KeyError, TypeError or BadZipFile where it is none.
    """

    def __init__(self, place: Path):
        self.name = place.name
        with (place / _KEPT).open("rb") as file, np.load(file, allow_pickle=False) as stored:
            states, pieces, told = stored["states"], stored["pieces"], json.loads(stored["told"].tobytes())
        self._reports = [
            FileReport("", reason, track, tuple(more), tuple(titles)) for _, reason, track, more, titles in told
        ]
        self._known = {
            (name, size, time): number
            for number, ((name, reason, *_), (size, time)) in enumerate(zip(told, states.tolist(), strict=True))
            if not reason.startswith(_MAY_PASS)
        }
        lengths = np.load(place / "lengths.npy")
        if pieces.sum() != len(lengths) or len(pieces) != len(told):
            raise ValueError("a cache whose parts disagree")
        self._table = np.load(place / "table.npy")
        self._chords = np.load(place / "chords.npy")
        self._first_piece = np.concatenate([[0], np.cumsum(pieces)])
        self._first_event = np.concatenate([[0], np.cumsum(lengths)])
        stored_too = [path.stem for path in place.glob("*.npy") if path.stem in CONTEXT_ARRAYS]
        self._events = {
            name: np.load(place / f"{name}.npy", mmap_mode="r") for name in ("durations", "pitches", *stored_too)
        }

    def places(self, listing: Listing) -> Array:
        """(F,) which of its files each is that is the same still; -1 for others."""
        return np.array([self._known.get(key, -1) for key in listing.marks()], np.int64)

    def shard(self, first: int, paths: Sequence[str]) -> Shard:
        """Its files from `first` on, as many as there are paths, by which they are called now.

        With contexts if it has them.
        """
        pieces = self._first_piece[first : first + len(paths) + 1]
        begin, end = pieces[0], pieces[-1]
        offsets = self._first_event[begin : end + 1]
        owner = np.repeat(np.arange(len(paths)), np.diff(pieces)).astype(np.int32)
        events = {name: np.array(array[offsets[0] : offsets[-1]]) for name, array in self._events.items()}
        reports = self._reports[first : first + len(paths)]
        return Shard(
            [report._replace(path=path) for report, path in zip(reports, paths, strict=True)],
            np.column_stack([owner, self._table[begin:end]]),
            offsets - offsets[0],
            events.pop("durations"),
            events.pop("pitches"),
            rows_within(self._chords, begin, end),
            events,
        )


def merged(listing: Listing, places: Array, earlier: Earlier | None, fresh: Iterator[Shard]) -> Iterator[Shard]:
    """All files of a listing, in order: those with a place from the earlier cache, all others from fresh shards."""
    waiting: Shard | None = None
    steps = np.flatnonzero(np.diff(places) != np.where(places[:-1] < 0, 0, 1)) + 1
    for begin, end in pairwise([0, *steps.tolist(), len(places)]):
        while begin < end:
            if earlier is not None and places[begin] >= 0:
                count = min(end - begin, _TOGETHER)
                yield earlier.shard(int(places[begin]), listing.names[begin : begin + count])
            else:
                waiting = waiting if waiting is not None and waiting.files else next(fresh)
                count = min(end - begin, len(waiting.files))
                yield waiting.part(0, count)
                waiting = waiting.part(count, len(waiting.files))
            begin += count
