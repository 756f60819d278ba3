"""What in the notes of a file's parts tells which of them is the melody: numbers, most of them beside the other parts'.

`features` gives a row for each part; `melodygru.formats.midi.tracks` weighs them. The order of parts changes nothing,
and time grows with the number of notes alone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain, pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from melodygru.formats.midi.chunks import RawNote
from melodygru.formats.midi.line import LEGATO
from melodygru.formats.midi.part_names import name_claim
from melodygru.records import dataclass

Array = npt.NDArray[Any]

MOMENTS = 509
"""Moments of a file at which its parts are compared. A prime: no beat is looked at in the same place throughout."""
SUNG = 0.3
"""Lyric events a note, from which a part is sung: a syllable may have several notes, an event several words."""

VOICE = 69
"""The pitch about which voices and leading instruments lie, A4."""
SPARSE, CEASELESS = 0.4, 0.7
"""Shares of the time that the busiest part is heard, in [0, 1]: a part that is heard for less than the first may be no
more than fills; accompaniments are heard for more than the second.
"""
SECTIONS = 16
"""Equal parts of a file's time, in which a part is present or not: an introduction is heard in few of them."""
PRESENT = 0.2
"""Share of the time that the busiest part is heard, in [0, 1], below which a part's name counts for less: "Vocal" over
a few notes is no melody.
"""

FAMILIES = {
    "piano": range(8),
    "mallets": (*range(8, 16), 108),
    "organ": range(16, 24),
    "guitar": (*range(24, 32), *range(104, 108)),
    "bass": (*range(32, 40), 43, 58),
    "bowed": (40, 41, 42, 110),
    "ensemble": (*range(44, 52), 55),
    "voice": range(52, 55),
    "brass": (56, 57, *range(59, 64)),
    "reed": (*range(64, 72), 109, 111),
    "pipe": range(72, 80),
    "lead": range(80, 88),
    "pad": range(88, 104),
    "noise": range(112, 128),
}
"""Families of General MIDI's programs, counted from 0."""
_FAMILY = {program: family for family, programs in FAMILIES.items() for program in programs}


@dataclass(frozen=True)
class Part:
    """A track's notes on one channel (or all, where the track was asked for): what may be the melody.

    Attributes:
        number: the track's, from 1.
        name: the track's, perhaps empty.
        notes: in order of onset.
        program: General MIDI's, in [0, 128); None where none is named.
        lyrics: how many lyric events the track has.
    """

    number: int
    name: str
    notes: tuple[RawNote, ...]
    program: int | None = None
    lyrics: int = 0

    @property
    def label(self) -> str:
        """How people know it: its name, or its number."""
        return self.name or f"track {self.number}"


OWN = (
    "monophony", "chords", "steps", "same", "leaps", "pitches", "rhythms", "figures", "density", "density_squared",
    "phrases", "staccato", "on_beat", "range", "low", "register",
)  # fmt: skip
"""What a part's own notes tell."""
BESIDE = (
    "top", "top_while_heard", "lowest_while_heard", "covers", "ceaseless", "sparse", "spread", "below_highest",
    "above_lowest", "higher_parts", "onsets", "usable", "louder", "doubled", "figures_beside", "density_beside",
)  # fmt: skip
"""What it is beside the other parts."""
TOLD = ("named", "named_other", "sung", *(f"program_{family}" for family in FAMILIES))
"""What the file says of it."""
FEATURES = (*OWN, *BESIDE, *TOLD)
"""The columns of `features`."""


class _Line:
    """A part's notes as G onsets, each with its highest note."""

    def __init__(self, notes: Sequence[RawNote]) -> None:
        values = np.fromiter(chain.from_iterable(notes), np.int64, 5 * len(notes))
        onset, end, pitch, velocity, _ = values.reshape(-1, 5).T
        begins = onset[1:] != onset[:-1]
        first = np.concatenate(([0], np.flatnonzero(begins) + 1))
        self.notes = len(onset)
        self.onsets = onset[first]
        self.ends: Array = np.maximum.reduceat(end, first)
        self.first_ends = end[first]
        self.tops: Array = np.maximum.reduceat(pitch, first)
        self.velocity = float(velocity.mean())
        self.pitch_classes = len(first)
        """Of all its onsets together: octaves double a line, and make no chord."""
        if self.notes > len(first):
            group = np.concatenate(([0], np.cumsum(begins)))
            self.pitch_classes = _different(group * 12 + pitch % 12)
        self.gaps = self.onsets[1:] - self.onsets[:-1]
        self.by_pitch = np.sort(self.tops)
        self.median = float(self.by_pitch[len(first) // 2])

    def at(self, moments: Array) -> Array:
        """(M,) the pitch of the line at each moment, -1 where it rests."""
        place = np.searchsorted(self.onsets, moments, "right") - 1
        heard = (place >= 0) & (self.ends[place] > moments)
        return np.where(heard, self.tops[place], -1)

    def usable(self, longest: float, fewest: int) -> int:
        """How many of its onsets lie in stretches of at least `fewest` without a rest longer than `longest`."""
        breaks = np.flatnonzero(self.onsets[1:] - self.ends[:-1] > longest) + 1
        bounds = [0, *breaks.tolist(), len(self.onsets)]
        return sum(end - begin for begin, end in pairwise(bounds) if end - begin >= fewest)


def features(parts: Sequence[Part], ticks_per_quarter: int, longest_rest: float, fewest: int) -> tuple[Array, Array]:
    """(P, len(FEATURES)) float64 of P parts with notes, and (P,) how many onsets of each can be in a melody: those in
    stretches of at least `fewest` without a rest over `longest_rest` ticks.
    """
    lines = [_Line(part.notes) for part in parts]
    usable = np.array([line.usable(longest_rest, fewest) for line in lines])
    own = np.array([_own(line, ticks_per_quarter) for line in lines])
    beside = _beside(lines, own, usable)
    told = np.array([_told(part) for part in parts])
    # A name over few notes says little: "Vocal" may be a shout.
    told[:, 0] *= np.minimum(1.0, (1 - beside[:, BESIDE.index("sparse")]) * SPARSE / PRESENT)
    return np.hstack([own, beside, told]), usable


def _own(line: _Line, quarter: int) -> list[float]:
    count = len(line.onsets)
    intervals, gaps = np.abs(line.tops[1:] - line.tops[:-1]), line.gaps / quarter
    if count < 2:
        intervals, gaps = np.array([12]), np.array([4.0])
    lengths = (line.ends - line.onsets) / quarter
    overlap = line.ends[:-1] - line.onsets[1:]
    # As melodygru.formats.midi.line.monophony has it, octaves apart.
    legato = overlap <= LEGATO * (line.ends - line.onsets)[:-1]
    alone = np.count_nonzero(legato | (line.ends[:-1] < line.first_ends[1:]))
    rhythm = np.minimum(np.rint(gaps * 12), 255).astype(np.int64)
    density = math.log2(1 / max(_median(gaps), 1 / 16)) if count > 1 else -4.0
    phase = np.rint(line.onsets * (12 / quarter)).astype(np.int64) % 12
    low, high = (float(line.by_pitch[int(share * (count - 1))]) for share in (0.05, 0.95))
    return [
        alone / (line.pitch_classes - 1) if line.pitch_classes > 1 else 1.0,
        min(2.0, math.log2(line.pitch_classes / count)),
        _share((intervals > 0) & (intervals <= 2)),
        _share(intervals == 0),
        _share(intervals > 7),
        _entropy(line.tops),
        _entropy(rhythm),
        math.log2(_figures(line.tops, rhythm)),
        density,
        density**2,
        _share(-overlap >= quarter / 2),
        _median(np.minimum(lengths[:-1] / np.maximum(gaps, 1 / 96), 1.5)) if count > 1 else 1.0,
        _share(phase == 0),
        min(high - low, 36) / 12,
        max(0.0, 58 - line.median) / 12,
        min(4.0, ((line.median - VOICE) / 12) ** 2),
    ]


def _share(those: Array) -> float:
    return float(np.count_nonzero(those)) / max(1, len(those))


def _median(values: Array) -> float:
    ordered, middle = np.sort(values), len(values) // 2
    return float(ordered[middle] if len(values) % 2 else (ordered[middle - 1] + ordered[middle]) / 2)


def _different(values: Array) -> int:
    """How many different ones there are, of at least one."""
    ordered = np.sort(values)
    return 1 + int(np.count_nonzero(ordered[1:] != ordered[:-1]))


def _entropy(values: Array) -> float:
    """In bits, of whole numbers from 0."""
    counts = np.bincount(values)
    shares = counts[counts > 0] / len(values)
    return float(-(shares * np.log2(shares)).sum())


def _figures(tops: Array, rhythm: Array) -> int:
    """How many different figures of four notes there are, at least one: an ostinato has few of them."""
    if len(tops) < 4:
        return 1
    moves = (tops[1:] - tops[:-1] + 128) * 256 + rhythm
    return _different((moves[:-2] << 34) + (moves[1:-1] << 17) + moves[2:])


def _beside(lines: Sequence[_Line], own: Array, usable: Array) -> Array:
    first = min(int(line.onsets[0]) for line in lines)
    last = max(int(line.ends.max()) for line in lines)
    moments = first + (np.arange(MOMENTS) + 0.5) * ((last - first) / MOMENTS)
    heard = np.array([line.at(moments) for line in lines])  # (P, M)
    sounds = heard >= 0
    highest = heard.max(0)
    lowest = np.where(sounds, heard, 999).min(0)
    share = sounds.mean(1)
    covers = share / max(share.max(), 1e-9)
    time = np.maximum(sounds.sum(1), 1)
    sections = np.array_split(sounds, SECTIONS, axis=1)
    present = np.stack([part.any(1) for part in sections], axis=1)
    spread = present.mean(1)
    is_top = sounds & (heard == highest)
    medians = np.array([line.median for line in lines])
    weight = share / max(share.sum(), 1e-9)
    higher = ((medians[None, :] > medians[:, None]) * weight[None, :]).sum(1)
    onsets = np.array([len(line.onsets) for line in lines], dtype=float)
    velocity = np.array([line.velocity for line in lines])
    sizes = np.array([line.notes for line in lines], dtype=float)
    loud = velocity - (velocity * sizes).sum() / sizes.sum()
    figures, density = own[:, OWN.index("figures")], own[:, OWN.index("density")]
    # Which pitches are heard more than once at a moment.
    place = np.maximum(heard, 0) * MOMENTS + np.arange(MOMENTS)
    twice = sounds & (np.bincount(place[sounds], minlength=128 * MOMENTS)[place] > 1)
    return np.stack(
        [
            is_top.mean(1) / max((highest >= 0).mean(), 1e-9),
            is_top.sum(1) / time,
            (sounds & (heard == lowest)).sum(1) / time,
            covers,
            np.maximum(0.0, covers - CEASELESS) / (1 - CEASELESS),
            np.maximum(0.0, SPARSE - covers) / SPARSE,
            spread,
            np.minimum(medians.max() - medians, 36) / 12,
            np.minimum(medians - medians.min(), 36) / 12,
            higher,
            np.log2(onsets / onsets.max()).clip(-6),
            np.minimum(0.0, np.log2((1 + usable) / (1 + usable.max())).clip(-6) + 2),
            (loud / 16).clip(-1, 1),
            twice.sum(1) / time,
            figures - figures.max(),
            np.abs(density - np.average(density, weights=weight + 1e-9)),
        ],
        axis=1,
    )


def _told(part: Part) -> list[float]:
    claim = name_claim(part.name)
    family = None if part.program is None else _FAMILY.get(part.program)
    sung = float(part.lyrics >= SUNG * len(part.notes))
    return [claim.melody, claim.other, sung, *(float(family == one) for one in FAMILIES)]
