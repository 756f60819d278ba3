"""What a network was told, followed more closely than it learned to: classifier-free guidance (Ho & Salimans 2022).

Beside each melody the same one is heard by the network told nothing. What telling changes in the logits is taken more
than once: `without + strength * (with - without)`. A mode is told less by its parent: of dorian, minor. Where traits of
character or the mode are stressed (`Conditions.stressed`) those alone are not told: nothing else is exaggerated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from melodygru.music.theory import SCALES, Key
from melodygru.network.arrays import Float32Array, IntArray
from melodygru.network.conditions import Conditions
from melodygru.network.engine import Engine
from melodygru.network.tokenizer import PieceMeta
from melodygru.records import dataclass

MODE = "mode"
"""Of `Conditions.stressed`: the mode, against its parent."""


@dataclass
class GuidedState:
    """The inner engine's state of 2 B melodies: those that are told of, then the same ones that are not."""

    both: Any

    @property
    def onset(self) -> IntArray:
        """(B,) steps from the beginning of the grid to the event due."""
        onset: IntArray = self.both.onset
        return onset[: len(onset) // 2]


class GuidedEngine:
    """An engine (see `melodygru.network.engine.Engine`) that follows what is told `strength` times as closely.

    1 is what was learned, and takes half the time without this; 0 is to be told nothing.
    """

    def __init__(self, engine: Engine, strength: float):
        self._engine, self._strength = engine, strength

    def start(self, metas: Sequence[PieceMeta]) -> GuidedState:
        """The state of B melodies before their first event."""
        return GuidedState(self._engine.start([*metas, *map(untold, metas)]))

    def duration_logits(self, state: GuidedState) -> Float32Array:
        """(B, max_duration + 1) logits of the durations of the event due; index 0 is END."""
        return self._guided(self._engine.duration_logits(state.both))

    def pitch_logits(self, state: GuidedState, durations: IntArray) -> Float32Array:
        """(B, PITCH_CLASSES) logits of the pitches of the event due, given its durations (B,)."""
        return self._guided(self._engine.pitch_logits(state.both, np.tile(durations, 2)))

    def advance(self, state: GuidedState, durations: IntArray, pitches: IntArray) -> None:
        """Append one event, (B,) durations and pitches, to each melody; changes `state`."""
        self._engine.advance(state.both, np.tile(durations, 2), np.tile(pitches, 2))

    def keep(self, state: GuidedState, rows: IntArray) -> None:
        """Go on with these melodies (indices) alone; changes `state`."""
        self._engine.keep(state.both, np.concatenate([rows, rows + len(state.onset)]))

    def _guided(self, logits: Float32Array) -> Float32Array:
        told, without = np.split(log_softmax(logits), 2)
        guided: Float32Array = without + np.float32(self._strength) * (told - without)
        return guided


def log_softmax(logits: Float32Array) -> Float32Array:
    """(B, V) logarithms of the probabilities."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    found: Float32Array = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return found


def untold(meta: PieceMeta) -> PieceMeta:
    """The same piece of which nothing is told that need not be, a mode is its parent; or all but what is stressed."""
    told = meta.conditions
    parent = Key(meta.key.tonic, "minor" if 3 in SCALES[meta.key.mode] else "major")
    if not told.stressed:
        return replace(meta, conditions=Conditions(), key=parent)
    hidden = {trait: 0 for trait in told.stressed if trait != MODE}
    told = replace(told, character=tuple(one._replace(**hidden) for one in told.character))
    return replace(meta, conditions=told, key=parent if MODE in told.stressed else meta.key)
