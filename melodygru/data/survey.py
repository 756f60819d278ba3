"""What is in a collection, gathered shard by shard: what `melodygru inspect` and a cache's report tell."""

from __future__ import annotations

import re
from collections import Counter
from functools import cached_property
from typing import Any

import numpy as np

from melodygru.data.families import families_of, ngrams
from melodygru.data.shards import Shard
from melodygru.music.estimation import BANDS, band_of, told_chance
from melodygru.music.theory import pitch_name
from melodygru.network.arrays import Array
from melodygru.network.tokenizer import REST

_PLACE = re.compile(r",? on (line \d+)| \(((?:tune|voice|part|bar|line) [^()]*)\)$")
_CHANCES = re.compile(r": [^:]* %\)$")
_QUOTED = re.compile(r""", (?:'[^']*'|"[^"]*")""")


class Survey:
    """Counts of the shards that were added, in the order of their files."""

    def __init__(self) -> None:
        self.files = self.kept = self.pieces = self.events = 0
        self.names: list[str] = []
        self._left_out: dict[str, str] = {}
        self._tracks: Counter[str] = Counter()
        self._remarks: Counter[str] = Counter()
        self._estimated: dict[str, Counter[str]] = {}
        self._metres: Counter[str] = Counter()
        self._keys: Counter[str] = Counter()
        self._notes = self._bars = self._with_pickup = 0
        self._grams: list[Array] = []
        self._lowest: list[Array] = []
        self._highest: list[Array] = []

    def add(self, shard: Shard) -> None:
        """Count one more shard in."""
        for file in shard.files:
            if file.reason:
                self._left_out[file.path] = file.reason
                continue
            self.kept += 1
            self._tracks[file.track] += 1
            self._remarks.update(map(kind_of, file.remarks))
            for told in filter(None, map(told_chance, file.remarks)):
                self._estimated.setdefault(told[0], Counter(dict.fromkeys(BANDS, 0)))[band_of(told[1])] += 1
        for meta in shard.metas():
            self._metres[str(meta.time_signature)] += 1
            self._keys[str(meta.key)] += 1
        self._bars += int(shard.table[:, 5].sum())
        self._with_pickup += int(shard.table[:, 6].sum())
        self._add_notes(shard)
        self.names += shard.names
        self.files += len(shard.files)
        self.pieces += len(shard.table)
        self.events += len(shard.durations)

    def _add_notes(self, shard: Shard) -> None:
        sounds = shard.pitches < REST
        ends = np.cumsum(shard.durations, dtype=np.int64)
        owner = np.repeat(np.arange(len(shard.table)), np.diff(shard.offsets))[sounds]
        pitches = shard.pitches[sounds]
        sizes = np.bincount(owner, minlength=len(shard.table))
        self._notes += len(pitches)
        self._grams.append(ngrams(pitches, (ends - shard.durations)[sounds], sizes, self.pieces))
        if len(pitches):
            # Every piece has a note.
            begins = np.cumsum(sizes) - sizes
            self._lowest.append(np.minimum.reduceat(pitches, begins))
            self._highest.append(np.maximum.reduceat(pitches, begins))

    @cached_property
    def families(self) -> Array:
        """(P,) see `melodygru.data.families`; to be asked for when all shards are in."""
        grams, self._grams = self._grams, []
        return families_of(grams, self.pieces)

    @property
    def lowest(self) -> Array:
        """(P,) lowest pitch of each piece."""
        return np.concatenate([np.zeros(0, np.int64), *self._lowest])

    @property
    def highest(self) -> Array:
        """(P,) highest pitch of each piece."""
        return np.concatenate([np.zeros(0, np.int64), *self._highest])

    def summary(self) -> dict[str, Any]:
        """What `melodygru inspect` shows, as JSON values."""
        kin = len(np.unique(self.families))
        low_high = [pitch_name(int(self.lowest.min())), pitch_name(int(self.highest.max()))] if self.pieces else []
        return {
            "files": self.files,
            "kept": self.kept,
            "left_out": _commonest(Counter(map(kind_of, self._left_out.values()))),
            "left_out_files": self._left_out,
            "pieces": self.pieces,
            "notes": self._notes,
            "bars": self._bars,
            "with_pickup": self._with_pickup,
            "estimated": {what: dict(bands) for what, bands in sorted(self._estimated.items())},
            "metres": _commonest(self._metres),
            "keys": _commonest(self._keys),
            "range": low_high,
            "families": kin,
            "near_duplicates": self.pieces - kin,
            "tracks": _commonest(self._tracks),
            "remarks": _commonest(self._remarks),
        }


def kind_of(reason: str) -> str:
    """A reason or remark without the place in the file, what stands there and how likely it is.

    So many files are counted together.
    """
    return _CHANCES.sub("", _QUOTED.sub("", _PLACE.sub("", reason)))


def place_of(reason: str) -> str:
    """The place in the file that a reason names: "line 4, bar 1"; empty where it names none."""
    return ", ".join(on_line or place for on_line, place in _PLACE.findall(reason))


def _commonest(counts: Counter[str]) -> dict[str, int]:
    return dict(counts.most_common())
