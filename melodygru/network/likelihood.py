"""How probable melodies are to a model, event by event, in NumPy; and how sure one can be of a mean over pieces.

Nats per note: the negative log-likelihood of a whole piece, all its events, rests and END included, over its number of
notes. Metre, key, number of bars and whether there is a pickup are given beforehand.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np

from melodygru.network.arrays import FloatArray, nats_of
from melodygru.network.engine import Engine
from melodygru.network.tokenizer import END, REST, Events

_BATCH = 64


def event_nats(
    engine: Engine, pieces: Sequence[Events], progress: Callable[[int, int], None] | None = None
) -> list[FloatArray]:
    """Of each piece, (T,) negative log-likelihoods of its T events, in nats.

    `progress` is called with events heard, and all.
    """
    return [parts.sum(axis=0) for parts in event_nats_parts(engine, pieces, progress)]


def event_nats_parts(
    engine: Engine, pieces: Sequence[Events], progress: Callable[[int, int], None] | None = None
) -> list[FloatArray]:
    """Of each piece, (2, T): `event_nats` of the duration, and of the pitch given that; END's pitch costs nothing."""
    order = np.argsort([len(piece.durations) for piece in pieces], kind="stable")
    found: list[FloatArray] = [np.zeros((2, 0))] * len(pieces)
    heard, total = 0, sum(len(piece.durations) for piece in pieces)

    def report(events: int) -> None:
        nonlocal heard
        heard += events
        if progress is not None:
            progress(heard, total)

    for first in range(0, len(order), _BATCH):
        chosen = order[first : first + _BATCH].tolist()
        for index, parts in zip(chosen, _together(engine, [pieces[i] for i in chosen], report), strict=True):
            found[index] = parts
    return found


def _together(engine: Engine, pieces: Sequence[Events], report: Callable[[int], None]) -> list[FloatArray]:
    sizes = [len(piece.durations) for piece in pieces]
    durations = np.full((len(pieces), max(sizes)), END, np.int64)
    pitches = np.full(durations.shape, REST, np.int64)
    for row, piece in enumerate(pieces):
        durations[row, : sizes[row]], pitches[row, : sizes[row]] = piece.durations, piece.pitches
    state = engine.start([piece.meta for piece in pieces])
    nats = np.zeros((2, *durations.shape))
    for at in range(durations.shape[1]):
        report(sum(at < size for size in sizes))
        nats[0, :, at] = nats_of(engine.duration_logits(state), durations[:, at])
        of_pitches = nats_of(engine.pitch_logits(state, durations[:, at]), pitches[:, at])
        nats[1, :, at] = np.where(durations[:, at] == END, 0.0, of_pitches)
        engine.advance(state, durations[:, at], pitches[:, at])
    return [nats[:, row, :size] for row, size in enumerate(sizes)]


def bootstrap(totals: FloatArray, counts: FloatArray, draws: int = 2000, seed: int = 0) -> tuple[float, float]:
    """The 95 % interval of sum(totals) / sum(counts) over pieces: percentiles of so many resamples of the pieces.

    Args:
        totals, counts: (P,) of each piece, nats and notes, say. NaN where no piece counts anything.
    """
    if not np.sum(counts):
        return float("nan"), float("nan")
    weights = _resamples(len(totals), draws, seed)
    below = weights @ counts
    ratios = (weights @ totals)[below > 0] / below[below > 0]
    low, high = np.percentile(ratios, [2.5, 97.5]).tolist()
    return low, high


@lru_cache(maxsize=1)
def _resamples(pieces: int, draws: int, seed: int) -> FloatArray:
    """(draws, pieces): how often each piece is drawn, in as many draws as there are pieces. Many figures share it."""
    random = np.random.default_rng(seed)
    return random.multinomial(pieces, np.full(pieces, 1 / pieces), size=draws).astype(np.float64)
