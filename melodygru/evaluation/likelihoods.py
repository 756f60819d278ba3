"""How surprising people's tunes are to a model: of all, and split up by metre, by bar, and by what is repeated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from melodygru.network.arrays import BoolArray, FloatArray, IntArray
from melodygru.network.likelihood import bootstrap
from melodygru.network.tokenizer import END, REST, Events
from melodygru.records import dataclass


@dataclass(frozen=True)
class Figure:
    """Nats per note of some material, the 95 % bootstrap interval over pieces, and how many notes there are."""

    nats: float
    low: float
    high: float
    notes: int


@dataclass(frozen=True)
class Likelihood:
    """Nats per note of people's tunes; see `melodygru.network.likelihood`.

    Attributes:
        total, duration, pitch: of all events; of their durations; of their pitches, given those.
        new, repeated: of events in bars that stand in the piece for the first time, and of all other bars.
        by_metre, by_bar: of the pieces in each metre; of each bar (0: the pickup's), the pieces that have it together.
    """

    total: Figure
    duration: Figure
    pitch: Figure
    new: Figure
    repeated: Figure
    by_metre: Mapping[str, Figure]
    by_bar: Mapping[int, Figure]


def judge_likelihood(pieces: Sequence[Events], nats: Sequence[FloatArray]) -> Likelihood:
    """Split up the likelihood of pieces, whose events have these nats, (2, T) each: of duration, of pitch."""
    together = [parts.sum(axis=0) for parts in nats]
    everything = [np.ones(len(piece.durations), np.bool_) for piece in pieces]
    repeated = [repeated_bars(piece) for piece in pieces]
    metres = [str(piece.meta.time_signature) for piece in pieces]
    bars = [_bars(piece) for piece in pieces]
    by_metre = {
        metre: _figure(pieces, together, [mask & (metre == own) for mask, own in zip(everything, metres, strict=True)])
        for metre in sorted(set(metres), key=lambda metre: (-metres.count(metre), metre))
    }
    by_bar = {
        number: _figure(pieces, together, [numbers == number for numbers in bars])
        for number in range(max(int(numbers.max()) for numbers in bars) + 1)
    }
    return Likelihood(
        _figure(pieces, together, everything),
        _figure(pieces, [parts[0] for parts in nats], everything),
        _figure(pieces, [parts[1] for parts in nats], everything),
        _figure(pieces, together, [~mask for mask in repeated]),
        _figure(pieces, together, repeated),
        by_metre,
        {number: figure for number, figure in by_bar.items() if figure.notes},
    )


def _bars(piece: Events) -> IntArray:
    """(T,) numbers of the bars in which events begin: 0 for the pickup's, else from 1; END's is the last one's."""
    onsets = np.cumsum(piece.durations) - piece.durations
    numbers = onsets // piece.meta.time_signature.bar_steps + (not piece.meta.has_pickup)
    return np.minimum(numbers, piece.meta.bars)


def repeated_bars(piece: Events) -> BoolArray:
    """(T,) whether each event begins in a bar that an earlier bar of the piece is equal to.

    Bars are equal that have the same events at the same places, one at least; END belongs to none.
    """
    bar = piece.meta.time_signature.bar_steps
    onsets = np.cumsum(piece.durations) - piece.durations
    numbers, places = np.divmod(onsets, bar)
    inside = piece.durations != END
    known: set[tuple[tuple[int, int, int], ...]] = set()
    repeated = np.zeros(len(onsets), np.bool_)
    for number in np.unique(numbers[inside]):
        here = np.flatnonzero(inside & (numbers == number))
        content = tuple(zip(*(a[here].tolist() for a in (places, piece.durations, piece.pitches)), strict=True))
        repeated[here] = content in known
        known.add(content)
    return repeated


def _figure(pieces: Sequence[Events], nats: Sequence[FloatArray], masks: Sequence[BoolArray]) -> Figure:
    totals = np.array([values[mask].sum() for values, mask in zip(nats, masks, strict=True)])
    counts = np.array([(piece.pitches[mask] < REST).sum() for piece, mask in zip(pieces, masks, strict=True)], float)
    notes = int(counts.sum())
    return Figure(float(totals.sum()) / notes if notes else float("nan"), *bootstrap(totals, counts), notes)
