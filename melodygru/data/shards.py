"""Consecutive files of a folder as arrays: what readers work on, one such part each, and what a cache is made of.

Plain files take the fast lane (`melodygru.data.fast_lane`), all others the way of `melodygru.data.collection`. Both
give the same.
"""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, replace
from functools import lru_cache
from itertools import groupby, pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from melodygru.data.collection import judge
from melodygru.data.fast_lane import MOST_EVENTS, PlainPieces, Reader, reader
from melodygru.data.harmony import joined_rows, no_chords, rows_of, rows_within
from melodygru.formats.midi.extraction import ExtractionConfig
from melodygru.formats.scores.files import is_score
from melodygru.music.chords import ChordSpan
from melodygru.music.theory import MODES, Key, TimeSignature
from melodygru.network.arrays import Array
from melodygru.network.config import ContextConfig, TokenizerConfig
from melodygru.network.context import CONTEXT_ARRAYS, context_arrays
from melodygru.network.tokenizer import REST, Events, PieceMeta, Tokenizer
from melodygru.records import dataclass
from melodygru.system.files import printable, write_atomically

FEW = 200
"""From so many files on the fast lane saves more than it costs: it runs in processes of its own, which must start."""
_AT_ONCE = 64
"""Files that the fast lane is given together."""
_LARGEST = 1 << 16
"""Bytes from which on a file is left to others: tunes have some thousands."""
_FIELDS = ("file", "numerator", "denominator", "tonic", "mode", "bars", "has_pickup")


class FileReport(NamedTuple):
    """What became of one file: why it was left out (empty if it was kept), the track of its melodies, remarks; and the
    melodies' names where they are not the file's.
    """

    path: str
    reason: str = ""
    track: str = ""
    remarks: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Shard:
    """P pieces of N events from F consecutive files.

    Attributes:
        files: (F,) what became of each.
        table: (P, 7) int32: number of the file, numerator, denominator, tonic, place of the mode in `MODES`, bars,
            whether there is a pickup.
        offsets: (P + 1,) int64, where each piece begins.
        durations, pitches: (N,) uint8, see `melodygru.network.tokenizer`.
        chords: (C, 5) int32, see `melodygru.data.harmony`.
        contexts: the arrays of `melodygru.network.context.CONTEXT_ARRAYS`, (N, ...); none where they were not asked
            for.
    """

    files: list[FileReport]
    table: Array
    offsets: Array
    durations: Array
    pitches: Array
    chords: Array = field(default_factory=no_chords)
    contexts: Mapping[str, Array] = field(default_factory=dict)

    @classmethod
    def joined(cls, parts: Sequence[Shard]) -> Shard:
        """Shards of consecutive files as one; at least one."""
        before = np.cumsum([0, *(len(part.files) for part in parts[:-1])])
        tables = [
            part.table + np.array([number, *[0] * (len(_FIELDS) - 1)])
            for part, number in zip(parts, before, strict=True)
        ]
        lengths = [np.diff(part.offsets) for part in parts]
        return cls(
            [file for part in parts for file in part.files],
            np.concatenate(tables).astype(np.int32),
            np.concatenate([[0], np.cumsum(np.concatenate(lengths))]),
            np.concatenate([part.durations for part in parts]),
            np.concatenate([part.pitches for part in parts]),
            joined_rows([(part.chords, len(part.table)) for part in parts]),
            {name: np.concatenate([part.contexts[name] for part in parts]) for name in parts[0].contexts},
        )

    def part(self, first: int, last: int) -> Shard:
        """Its files [first, last) alone."""
        begin, end = np.searchsorted(self.table[:, 0], (first, last)).tolist()
        offsets = self.offsets[begin : end + 1]
        events = slice(offsets[0], offsets[-1])
        return Shard(
            self.files[first:last],
            self.table[begin:end] - np.array([first, *[0] * (len(_FIELDS) - 1)], np.int32),
            offsets - offsets[0],
            self.durations[events],
            self.pitches[events],
            rows_within(self.chords, begin, end),
            {name: array[events] for name, array in self.contexts.items()},
        )

    @property
    def names(self) -> list[str]:
        """(P,) of the pieces: their titles, else the file's name, with " #2" and so on where it has several."""
        names, before, count = [], -1, 0
        for number in self.table[:, 0].tolist():
            count = count + 1 if number == before else 1
            before = number
            file = self.files[number]
            stem = printable(os.path.splitext(os.path.basename(file.path))[0])
            name = stem if count == 1 else f"{stem} #{count}"
            names.append(file.titles[count - 1] if file.titles else name)
        return names

    def metas(self) -> Iterator[PieceMeta]:
        """(P,) what is known of each piece beforehand."""
        for _, numerator, denominator, tonic, mode, bars, has_pickup in self.table.tolist():
            yield PieceMeta(_metre(numerator, denominator), _key(tonic, mode), bars, bool(has_pickup))

    def events(self) -> Iterator[Events]:
        """(P,) the pieces."""
        for (begin, end), meta in zip(pairwise(self.offsets.tolist()), self.metas(), strict=True):
            yield Events(self.durations[begin:end].astype(np.int64), self.pitches[begin:end].astype(np.int64), meta)

    def save(self, path: Path) -> None:
        """Write it as .npz, all or nothing."""
        arrays = {name: getattr(self, name) for name in ("table", "offsets", "durations", "pitches", "chords")}
        arrays |= {f"context_{name}": array for name, array in self.contexts.items()}
        buffer = io.BytesIO()
        np.savez(buffer, files=np.frombuffer(json.dumps(self.files).encode(), np.uint8), **arrays)
        write_atomically(path, buffer.getvalue(), force=True)

    @classmethod
    def load(cls, path: Path) -> Shard:
        """The inverse of `save`. Raises OSError, ValueError or KeyError for what is no such file."""
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            arrays = dict(stored)
        told = json.loads(arrays.pop("files").tobytes())
        contexts = {name.removeprefix("context_"): arrays.pop(name) for name in list(arrays) if "context_" in name}
        files = [
            FileReport(path, reason, track, tuple(remarks), tuple(titles))
            for path, reason, track, remarks, titles in told
        ]
        return cls(files, **arrays, contexts=contexts)


@lru_cache(maxsize=256)
def _metre(numerator: int, denominator: int) -> TimeSignature:
    return TimeSignature(numerator, denominator)


@lru_cache(maxsize=256)
def _key(tonic: int, mode: int) -> Key:
    return Key(tonic, MODES[mode])


def read_shard(
    paths: Sequence[str],
    extraction: ExtractionConfig,
    tokenizer: TokenizerConfig,
    context: ContextConfig | None = None,
    fast: bool = True,
) -> Shard:
    """Read files; whatever is wrong with one ends in its report. `context` None: without contexts; `fast` False:
    without the fast lane.
    """
    lane = reader() if fast and extraction.track == "auto" and not extraction.overrides else None
    groups = [paths[i : i + _AT_ONCE] for i in range(0, max(len(paths), 1), _AT_ONCE)]
    shard = Shard.joined([_read_together(group, extraction, tokenizer, lane) for group in groups])
    return shard if context is None else with_contexts(shard, context, tokenizer, fast)


def with_contexts(shard: Shard, context: ContextConfig, tokenizer: TokenizerConfig, fast: bool = True) -> Shard:
    """The shard, with its contexts."""
    lane = reader() if fast else None
    arrays: Mapping[str, Array]
    if lane is not None and np.diff(shard.offsets).max(initial=0) <= MOST_EVENTS:
        metas = list(shard.metas())
        arrays = lane.context(shard.durations, shard.pitches, shard.offsets, metas, context, tokenizer.max_duration)
    else:
        made = context_arrays([*shard.events(), _NOTHING], context, tokenizer.max_duration)
        arrays = {name: np.concatenate([piece[name] for piece in made])[: shard.offsets[-1]] for name in CONTEXT_ARRAYS}
    return replace(shard, contexts=arrays)


_NOTHING = Events(np.zeros(1, np.int64), np.full(1, REST, np.int64), PieceMeta())
"""A piece of END alone: gives the arrays their shapes where there is no other."""


def _read_together(
    paths: Sequence[str], extraction: ExtractionConfig, tokenizer: TokenizerConfig, lane: Reader | None
) -> Shard:
    """A shard of a few files, without contexts."""
    plain, encoder = _plain(paths, extraction, tokenizer, lane), Tokenizer(tokenizer)
    files: list[FileReport] = []
    rows: list[tuple[int, ...]] = []
    events: list[tuple[Array, Array]] = []
    chords: dict[int, tuple[ChordSpan, ...]] = {}
    told_pieces = zip(plain.table.tolist(), plain.keys, np.cumsum(plain.table[:, 5]).tolist(), strict=True)
    of_files = {number: list(pieces) for number, pieces in groupby(told_pieces, lambda piece: piece[0][0])}
    for number, (path, told) in enumerate(zip(paths, plain.files, strict=True)):
        if told is None:
            verdict = judge(Path(path), extraction)
            titles = tuple(melody.name for melody in verdict.melodies) if is_score(path) else ()
            files.append(FileReport(path, verdict.reason, verdict.track, verdict.remarks, titles))
            chords |= {len(rows) + place: spans for place, spans in enumerate(verdict.chords)}
            for melody in verdict.melodies:
                piece = encoder.encode(melody)
                rows.append((number, *_row(piece.meta)))
                events.append((piece.durations.astype(np.uint8), piece.pitches.astype(np.uint8)))
            continue
        for (_, numerator, denominator, bars, pickup, size), key, end in of_files[number]:
            rows.append((number, numerator, denominator, key.tonic, MODES.index(key.mode), bars, pickup > 0))
            events.append((plain.durations[end - size : end], plain.pitches[end - size : end]))
        files.append(FileReport(path, "", told.track, told.remarks))
    none = np.zeros(0, np.uint8)
    return Shard(
        files,
        np.array(rows, np.int32).reshape(-1, len(_FIELDS)),
        np.cumsum([0, *(len(durations) for durations, _ in events)], dtype=np.int64),
        np.concatenate([none, *(durations for durations, _ in events)]),
        np.concatenate([none, *(pitches for _, pitches in events)]),
        rows_of(chords),
    )


def _row(meta: PieceMeta) -> tuple[int, ...]:
    metre, key = meta.time_signature, meta.key
    return metre.numerator, metre.denominator, key.tonic, MODES.index(key.mode), meta.bars, int(meta.has_pickup)


def _plain(
    paths: Sequence[str], extraction: ExtractionConfig, tokenizer: TokenizerConfig, lane: Reader | None
) -> PlainPieces:
    """What the fast lane makes of these files; without one, that none is plain."""
    none = np.zeros(0, np.uint8)
    if lane is None:
        return PlainPieces([None] * len(paths), np.zeros((0, 6), np.int64), [], none, none)
    return lane.extract(
        [_bytes(path) for path in paths], extraction.min_notes, extraction.max_rest_bars, tokenizer.max_duration
    )


def _bytes(path: str) -> bytes:
    """A file's bytes; nothing, which is not plain, where there is something to be said about it, and of scores."""
    if is_score(path):
        return b""
    try:
        # Without Python's file objects, which take longer than the system does.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        try:
            data = os.read(handle, _LARGEST)
        finally:
            os.close(handle)
    except OSError:
        return b""
    return data if len(data) < _LARGEST else b""
