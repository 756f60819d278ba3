"""A listener who finds the key of a melody by ear: has learned from people's tunes where a tonic is felt.

For each of the 24 keys, what sounds is counted as degrees of that key: how long, on strong beats, at the ends of
phrases, at the very end and at the beginning. A conditional logit (McFadden 1974) has learned what each is worth from
tunes that stay in their key. Modes count as the major or minor key with their third.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy.optimize import minimize

from melodygru.music.melody import Melody
from melodygru.music.statistics import strong_beat
from melodygru.music.theory import SCALES, Key
from melodygru.network.arrays import FloatArray
from repertoire.manifest import TRAIN
from repertoire.pieces import Piece

THIRDS = ("major", "minor")
_VIEWS = 5
_PENALTY = 0.5


def third_of(key: Key) -> str:
    """ "major" or "minor": the key's third."""
    return THIRDS[3 in SCALES[key.mode]]


def heard(melody: Melody) -> FloatArray:
    """(5, 12) shares of each pitch class: in time, on strong beats, where phrases end, at the end and beginning."""
    notes, strong = melody.notes, strong_beat(melody.time_signature)
    found = np.zeros((_VIEWS, 12))
    usual = np.median([note.duration for note in notes])
    for note, after in zip(notes, (*notes[1:], None), strict=True):
        pitch_class, end = note.pitch % 12, note.onset + note.duration
        found[0, pitch_class] += note.duration
        found[1, pitch_class] += note.onset % strong == 0
        rests = after is None or after.onset > end
        found[2, pitch_class] += rests or note.duration >= max(2 * usual, 24)
    found[3, notes[-1].pitch % 12] = 1
    first = next((n for n in notes if n.onset % strong == 0), notes[0])
    found[4, first.pitch % 12] = 1
    return found / np.maximum(found.sum(1, keepdims=True), 1)


class Listener:
    """Has learned from melodies whose keys are known, each with the weight that it is given."""

    def __init__(self, melodies: Sequence[Melody], weights: Sequence[float]):
        seen = np.stack([_views(melody) for melody in melodies])
        right = np.array([12 * THIRDS.index(third_of(m.key)) + m.key.tonic for m in melodies])
        weight = np.array(weights) / np.sum(weights)
        rows = np.arange(len(right))

        def loss(flat: FloatArray) -> tuple[float, FloatArray]:
            own = flat.reshape(2, -1)
            scores = (seen @ own.T).transpose(0, 2, 1).reshape(len(right), 24)
            scores -= scores.max(1, keepdims=True)
            chances = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
            value = -(weight * np.log(chances[rows, right] + 1e-12)).sum()
            chances[rows, right] -= 1
            each = (weight[:, None] * chances).reshape(len(right), 2, 12)
            slope = np.einsum("pkt,ptf->kf", each, seen).ravel()
            shrink = _PENALTY / len(right)
            return float(value + shrink * (flat**2).sum()), slope + 2 * shrink * flat

        start = np.zeros(2 * seen.shape[-1])
        self._worth = minimize(loss, start, jac=True, method="L-BFGS-B").x.reshape(2, -1)

    def chances(self, melody: Melody) -> FloatArray:
        """(2, 12) how likely each major and each minor key is."""
        scores = (_views(melody) @ self._worth.T).T
        odds = np.exp(scores - scores.max())
        return odds / odds.sum()

    def tonic(self, melody: Melody) -> int:
        """The pitch class that is felt to be the tonic."""
        return int(self.chances(melody).sum(0).argmax())


def _views(melody: Melody) -> FloatArray:
    """(12, 60): what is heard, as degrees of each tonic."""
    found = heard(melody)
    return np.stack([np.roll(found, -tonic, axis=1).ravel() for tonic in range(12)])


_SURE_KEYS = ("folk", "hymn")
"""Styles whose pieces are in the keys that their files name."""
WITHIN = ("song", "dance", "game")
"""Styles whose pieces are sections of longer music, which need not be in the key that the whole is in."""
_SURE = 5.0
"""So many times likelier another key must be than the one that the file names."""


def listener_of(pieces: Sequence[Piece]) -> Listener:
    """One who has learned from those folk tunes and hymns that may be learned from; rarer modes count more."""
    known = [p.melody for p in pieces if p.split == TRAIN and p.style in _SURE_KEYS]
    count = Counter(melody.key.mode for melody in known)
    return Listener(known, [count[melody.key.mode] ** -0.5 for melody in known])


def in_their_own_keys(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces, sections in the keys that are heard in them."""
    if not any(piece.style in _SURE_KEYS and piece.split == TRAIN for piece in pieces):
        return list(pieces)
    listener = listener_of(pieces)
    return [_heard(piece, listener) if piece.style in WITHIN else piece for piece in pieces]


def _heard(piece: Piece, listener: Listener) -> Piece:
    chances, key = listener.chances(piece.melody), piece.melody.key
    third, tonic = divmod(int(chances.argmax()), 12)
    if chances.max() <= _SURE * chances[THIRDS.index(third_of(key)), key.tonic]:
        return piece
    return replace(piece, melody=replace(piece.melody, key=Key(tonic, THIRDS[third])))
