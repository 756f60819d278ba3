"""Pieces as arrays that are learned from: events, contexts, and what is known of each piece.

They are memory-mapped where `melodygru.data.cache` has them. The fingerprint that a checkpoint tells is of the music
alone: the same on every machine.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import field
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np

from melodygru.data.harmony import chords_of, no_chords
from melodygru.data.shards import Shard, with_contexts
from melodygru.errors import as_dict
from melodygru.music.chords import ChordSpan
from melodygru.music.originality import OriginalityIndex
from melodygru.music.theory import MODES, Key, TimeSignature
from melodygru.network.arrays import Array
from melodygru.network.config import ContextConfig, TokenizerConfig
from melodygru.network.context import CONTEXT_ARRAYS
from melodygru.network.tokenizer import REST, Events, PieceMeta
from melodygru.records import dataclass

EVENT_ARRAYS = ("durations", "pitches", *CONTEXT_ARRAYS)
_PART = 2000
"""Pieces whose contexts are made together where those of all are."""


@dataclass(frozen=True, eq=False)
class Dataset:
    """P pieces of N events in all.

    Attributes:
        arrays: "durations", "pitches", each (N,): all pieces one after the other. Where contexts are slow to make (no
            compiler) or few, those too, (N, ...); else they are made when they are needed, see `gathered`.
        table: (P, 6) numerator, denominator, tonic, place of the mode in `MODES`, bars, whether there is a pickup.
        context, tokenizer: what the pieces were read for.
        offsets: (P + 1,) where each piece begins; the last entry is N.
        families: (P,) near-duplicate pieces have the same number, and never cross a split.
        lowest, highest: (P,) range of pitches, both included.
        pickups: (P,) whether a piece has one.
        names: (P,) of the pieces.
        report: what was read and what was left out, as JSON values.
        fingerprint: of the pieces, in order: their events, metres, keys and lengths.
        chords: (C, 5) int32 of the chords that stand over pieces, in order: see `melodygru.data.harmony`.
    """

    arrays: Mapping[str, Array]
    table: Array
    context: ContextConfig
    tokenizer: TokenizerConfig
    offsets: Array
    families: Array
    lowest: Array
    highest: Array
    pickups: Array
    names: Sequence[str]
    report: Mapping[str, Any]
    fingerprint: str
    chords: Array = field(default_factory=no_chords)

    @property
    def pieces(self) -> int:
        """P."""
        return len(self.offsets) - 1

    def notes(self, pieces: Array) -> int:
        """Notes in these pieces (indices): what a likelihood is divided by."""
        pitches = self.arrays["pitches"]
        return int(sum((pitches[self.offsets[i] : self.offsets[i + 1]] < REST).sum() for i in pieces))

    def events(self, piece: int) -> Events:
        """A piece (an index) as it was read."""
        begin, end = self.offsets[piece], self.offsets[piece + 1]
        durations, pitches = (self.arrays[name][begin:end].astype(np.int64) for name in ("durations", "pitches"))
        numerator, denominator, tonic, mode, bars, has_pickup = self.table[piece].tolist()
        metre, key = TimeSignature(numerator, denominator), Key(tonic, MODES[mode])
        return Events(durations, pitches, PieceMeta(metre, key, bars, bool(has_pickup)))

    def chords_over(self, piece: int) -> tuple[ChordSpan, ...]:
        """The chords that stand over a piece (an index)."""
        return chords_of(self.chords, piece)

    def line(self, piece: int) -> tuple[Array, Array]:
        """Pitches and onsets, in steps, of a piece's notes."""
        begin, end = self.offsets[piece], self.offsets[piece + 1]
        pitches = self.arrays["pitches"][begin:end].astype(np.int64)
        durations = self.arrays["durations"][begin:end].astype(np.int64)
        sounds = pitches < REST
        return pitches[sounds], (np.cumsum(durations) - durations)[sounds]

    def gathered(self, pieces: Array) -> tuple[Mapping[str, Array], Array]:
        """Arrays that hold these pieces with their contexts, and where each begins in them.

        Args:
            pieces: (R,) indices, none twice.

        Returns:
            `EVENT_ARRAYS`, each (M, ...): the stored ones, or new ones of these pieces alone; and (R,) places in them.
        """
        if "inputs" in self.arrays:
            return self.arrays, self.offsets[pieces]
        stretches = [slice(self.offsets[piece], self.offsets[piece + 1]) for piece in pieces]
        durations, pitches = (
            np.concatenate([self.arrays[name][part] for part in stretches]) for name in ("durations", "pitches")
        )
        offsets = np.concatenate([[0], np.cumsum([part.stop - part.start for part in stretches])])
        table = np.column_stack([np.zeros(len(pieces), np.int32), self.table[pieces]])
        shard = with_contexts(Shard([], table, offsets, durations, pitches), self.context, self.tokenizer)
        return {"durations": durations, "pitches": pitches, **shard.contexts}, offsets[:-1]

    def complete(self) -> Mapping[str, Array]:
        """`EVENT_ARRAYS` of all pieces, each (N, ...): for where all of them have room."""
        if "inputs" in self.arrays:
            return self.arrays
        parts = [self.gathered(part)[0] for part in np.array_split(np.arange(self.pieces), -(-self.pieces // _PART))]
        return {name: np.concatenate([part[name] for part in parts]) for name in EVENT_ARRAYS}


def originality_index(*parts: tuple[Dataset, Array]) -> OriginalityIndex:
    """The index of these pieces of datasets, one part after the other."""
    names: list[str] = []
    lines: list[tuple[Array, Array]] = []
    bars: list[tuple[int, bool]] = []
    for dataset, pieces in parts:
        metres = dataset.table[:, :2].tolist()
        names += [dataset.names[piece] for piece in pieces]
        lines += [dataset.line(piece) for piece in pieces]
        bars += [(TimeSignature(*metres[piece]).bar_steps, bool(dataset.pickups[piece])) for piece in pieces]
    return OriginalityIndex.build(names, lines, bars)


def fingerprint_of(pieces: Sequence[Events]) -> str:
    """32 hexadecimal digits that tell these pieces from others: their events, metres, keys and lengths, in order."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(_described(piece.meta))
        digest.update(piece.durations.astype("<i2").tobytes() + piece.pitches.astype("<i2").tobytes())
    return digest.hexdigest()[:32]


def update_fingerprint(digest: Any, shard: Shard) -> None:
    """Take the pieces of a shard into a hash as `fingerprint_of` does."""
    durations, pitches = (memoryview(a.astype("<i2").tobytes()) for a in (shard.durations, shard.pitches))
    for (begin, end), meta in zip(pairwise((2 * shard.offsets).tolist()), shard.metas(), strict=True):
        digest.update(_described(meta))
        digest.update(durations[begin:end])
        digest.update(pitches[begin:end])


@lru_cache(maxsize=4096)
def _described(meta: PieceMeta) -> bytes:
    return json.dumps(as_dict(meta)).encode()
