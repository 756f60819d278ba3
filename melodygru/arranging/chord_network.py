"""The network that scores chords under a melody: bidirectional GRUs over its beats, in NumPy, and its weights.

A conditional random field (Lafferty, McCallum & Pereira 2001) whose scores a recurrent network gives (Huang, Xu & Yu
2015): each beat has a score for each chord, and one for keeping the chord of the beat before; what follows what has a
table. It is learned by `scripts/train_harmony.py`, and decoded by `melodygru.arranging.chord_paths`.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from melodygru.music.chords import QUALITIES
from melodygru.network.arrays import Float32Array, FloatArray
from melodygru.records import dataclass

CHORD_QUALITIES = ("maj", "m", "7", "m7", "maj7", "6", "dim", "dim7", "m7b5", "aug")
"""The vocabulary, as `melodygru.music.chords` spells it; a chord of it stands on any of the twelve degrees."""
QUALITY_COUNT = len(CHORD_QUALITIES)
STATES = 12 * QUALITY_COUNT
"""A state is a chord: 10 times its root's semitones above the tonic, and its quality's place in the vocabulary."""
WEIGHTS = Path(__file__).with_name("harmony.safetensors")
_NEAREST = {"m6": "m", "sus4": "maj"}
"""Qualities of the repertoire that are not in the vocabulary, and what they are learned as."""
_LAYERS = 2


@dataclass(frozen=True)
class ChordScores:
    """What speaks for each path of S states through T beats: the sum of these along it.

    Attributes:
        states: (T, S), of each state in each beat.
        stays: (T,), added where a beat keeps the state of the one before; the first counts for nothing.
        moves: (S, S), of each state after each: the earlier one's row; keeping one is on the diagonal.
    """

    states: FloatArray
    stays: FloatArray
    moves: FloatArray


def state_of(degree: int, quality: str) -> int:
    """The state of a chord whose root is `degree` semitones above the tonic, 0 to 11."""
    return degree * QUALITY_COUNT + CHORD_QUALITIES.index(_NEAREST.get(quality, quality))


def tones_of_states() -> FloatArray:
    """(S, 12): 1 for the degrees, in semitones above the tonic, that each chord has."""
    found = np.zeros((STATES, 12))
    for degree, quality in product(range(12), CHORD_QUALITIES):
        found[state_of(degree, quality), [(degree + tone) % 12 for tone in QUALITIES[quality]]] = 1
    return found


@lru_cache(maxsize=1)
def weights() -> dict[str, Float32Array]:
    """The network's arrays, by name, as they come along."""
    return {name: array.astype(np.float32) for name, array in load_file(WEIGHTS).items()}


def scored(rows: Float32Array, own: dict[str, Float32Array]) -> ChordScores:
    """The scores of a melody's beats, from (T, W) rows of `melodygru.arranging.beats.describe`.

    `own` are the network's arrays (H units): "enter" (H, W), "gru.<layer>.<direction>" as torch has them (3H, H or 2H),
    "state" (S, 2H), "stay" (1, 2H), each with its bias, and "transitions" (S, S).
    """
    heard = np.tanh(rows @ own["enter.weight"].T + own["enter.bias"])
    for layer in range(_LAYERS):
        ahead = _gru(heard, own, f"gru.{layer}.forward")
        back = _gru(heard[::-1], own, f"gru.{layer}.backward")[::-1]
        heard = np.concatenate([ahead, back], axis=1)
    states = heard @ own["state.weight"].T + own["state.bias"]
    stays = (heard @ own["stay.weight"].T + own["stay.bias"])[:, 0]
    return ChordScores(states.astype(np.float64), stays.astype(np.float64), own["transitions"].astype(np.float64))


def _gru(seen: Float32Array, own: dict[str, Float32Array], name: str) -> Float32Array:
    """(T, H) what a GRU (Cho et al. 2014, its reset gate after the product) makes of (T, inputs)."""
    given = seen @ own[f"{name}.weight_ih"].T + own[f"{name}.bias_ih"]
    recurrent, bias = own[f"{name}.weight_hh"].T.copy(), own[f"{name}.bias_hh"]
    size = len(recurrent)
    state, found = np.zeros(size, np.float32), np.empty((len(seen), size), np.float32)
    for at, row in enumerate(given):
        kept = state @ recurrent + bias
        reset, update = np.split(1 / (1 + np.exp(-np.clip(row[: 2 * size] + kept[: 2 * size], -30, 30))), 2)
        fresh = np.tanh(row[2 * size :] + reset * kept[2 * size :])
        found[at] = state = fresh + update * (state - fresh)
    return found
