"""How probable a melody is to a model, event by event, in NumPy."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from melodygru.engine import Engine
from melodygru.sampler import nats_of
from melodygru.tokenizer import END, REST, Events


def event_nats(engine: Engine, pieces: Sequence[Events]) -> list[npt.NDArray[np.float64]]:
    """Of each piece, (T,) negative log-likelihoods of its T events, in nats; END's pitch class costs nothing."""
    sizes = [len(piece.durations) for piece in pieces]
    durations = np.full((len(pieces), max(sizes, default=0)), END, np.int64)
    pitches = np.full(durations.shape, REST, np.int64)
    for row, piece in enumerate(pieces):
        durations[row, : sizes[row]], pitches[row, : sizes[row]] = piece.durations, piece.pitches
    state = engine.start([piece.meta for piece in pieces])
    nats = np.zeros(durations.shape)
    for at in range(durations.shape[1]):
        nats[:, at] = nats_of(engine.duration_logits(state), durations[:, at])
        of_pitches = nats_of(engine.pitch_logits(state, durations[:, at]), pitches[:, at])
        nats[:, at] += np.where(durations[:, at] == END, 0.0, of_pitches)
        engine.advance(state, durations[:, at], pitches[:, at])
    return [nats[row, :size] for row, size in enumerate(sizes)]
