"""Pieces with chords as a harmonizing model learns them: a row and a state for each beat."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from melodygru.arranging.beats import beat_count, describe
from melodygru.arranging.chord_network import state_of
from melodygru.network.arrays import Float32Array, IntArray
from repertoire.pieces import NO_CHORD, Piece

_WATCHED_OF = 10


@dataclass(frozen=True)
class Harmonized:
    """A piece's style, its (T, W) rows, and its (T,) states; where no chord is known, the one before holds on."""

    style: str
    rows: Float32Array
    states: IntArray


def watched(piece: Piece) -> bool:
    """Whether a piece is of the tenth of works that choices are made by, which depends on the work's name alone."""
    return int(hashlib.sha256(piece.work.encode()).hexdigest(), 16) % _WATCHED_OF == 0


def harmonized(piece: Piece) -> Harmonized:
    """A piece as it is learned."""
    melody = piece.melody
    return Harmonized(piece.style, describe(melody, melody.key, piece.style), filled(states_of(piece)))


def filled(states: IntArray) -> IntArray:
    """States in which the last one known holds on where none is; before all the first."""
    known = np.flatnonzero(states >= 0)
    return states[known[np.maximum(np.searchsorted(known, np.arange(len(states)), side="right") - 1, 0)]]


def states_of(piece: Piece) -> IntArray:
    """(T,) int64: of each beat the state that holds for most of it, -1 where there is no chord."""
    beat, tonic = piece.melody.time_signature.beat_steps, piece.melody.key.tonic
    found, held = np.full(beat_count(piece.melody), -1), np.zeros(beat_count(piece.melody))
    for chord in piece.chords:
        state = -1 if chord.root == NO_CHORD else state_of((chord.root - tonic) % 12, chord.quality)
        for number in range(chord.onset // beat, -(-chord.end // beat)):
            overlap = min(chord.end, (number + 1) * beat) - max(chord.onset, number * beat)
            if overlap > held[number]:
                found[number], held[number] = state, overlap
    return found
