"""A hidden Markov model that harmonizes melodies: what `melodygru.arranging.harmony` has to be better than.

States are chords in degrees of the key, as those of `melodygru.arranging.chord_network`. Transitions are counted by mode
and style, each backed off to all styles, that to intervals between chords whatever their degrees. Whether the chord
stays is counted by style, metre and place in the bar. A beat's notes are independent given the chord: each degree's
likelihood is counted by mode and state, backed off to intervals above the root by quality, and weighs by its duration,
more where it is struck on the beat and on strong beats. After Simon, Morris & Basu, "MySong" (2008), and Raphael &
Stoddard, "Functional Harmonic Analysis Using Probabilistic Models" (2004).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from repertoire.harmonized import filled, states_of
from repertoire.pieces import Piece

from melodygru.arranging.beats import beat_count, beats_in_bar, half_beat
from melodygru.arranging.chord_network import QUALITY_COUNT, STATES, ChordScores
from melodygru.music.melody import Melody
from melodygru.network.arrays import FloatArray, IntArray

STYLES = ("hymn", "song", "standard")
_ROOT, _QUALITY = np.divmod(np.arange(STATES), QUALITY_COUNT)
_INTERVAL = (_ROOT[None] - _ROOT[:, None]) % 12


@dataclass(frozen=True)
class Tuning:
    """What is chosen on pieces that are watched.

    Attributes:
        heard: how much a beat's notes weigh against the transitions.
        struck, strong: how much more a note weighs that is struck on the beat, on a strong one.
        tones, styles, moves: counts that what is backed off to stands for: of a degree over a state, of a transition
            in all styles, of one by interval.
    """

    heard: float = 0.35
    struck: float = 2.0
    strong: float = 1.5
    tones: float = 20.0
    styles: float = 10.0
    moves: float = 5.0


class HiddenMarkovModel:
    """Counted from pieces with chords."""

    def __init__(self, pieces: Sequence[Piece], tuning: Tuning):
        self._tuning = tuning
        tones = np.full((2, STATES, 12), 0.0)
        moves = np.zeros((2, len(STYLES), STATES, STATES))
        stays = np.ones((len(STYLES), 3, 3, 2))
        starts = np.zeros((2, STATES))
        for piece in pieces:
            states, heard = filled(states_of(piece)), self._heard(piece.melody)
            mode, style = _mode(piece.melody), STYLES.index(piece.style)
            np.add.at(tones[mode], states, heard)
            before, after = states[:-1], states[1:]
            changed = before != after
            np.add.at(moves[mode, style], (before[changed], after[changed]), 1)
            metre, place = _metre(piece.melody), _places(piece.melody)[1:]
            np.add.at(stays[style, metre], (place, changed.astype(int)), 1)
            starts[mode, states[0]] += 1
        self._tones = np.log(self._backed_off(tones))
        self._moves = np.log(self._transitions(moves))
        self._stays = np.log(stays / stays.sum(-1, keepdims=True))
        self._starts = np.log((starts + 0.1) / (starts + 0.1).sum(1, keepdims=True))

    def scores(self, melody: Melody, style: str) -> ChordScores:
        """What speaks for each path of chords."""
        mode, number = _mode(melody), STYLES.index(style)
        states = self._tuning.heard * self._heard(melody) @ self._tones[mode].T
        stays = self._stays[number, _metre(melody), _places(melody)]
        states[0] += self._starts[mode]
        states[1:] += stays[1:, 1, None]
        moves = self._moves[mode, number].copy()
        np.fill_diagonal(moves, 0.0)
        return ChordScores(states, stays[:, 0] - stays[:, 1], moves)

    def _heard(self, melody: Melody) -> FloatArray:
        """(T, 12) how much each degree weighs in each beat."""
        beat = melody.time_signature.beat_steps
        found = np.zeros((beat_count(melody), 12))
        strong = _places(melody) < 2
        for note in melody.notes:
            for number in range(note.onset // beat, -(-note.end // beat)):
                share = (min(note.end, (number + 1) * beat) - max(note.onset, number * beat)) / beat
                share *= self._tuning.struck if note.onset == number * beat else 1
                share *= self._tuning.strong if strong[number] else 1
                found[number, (note.pitch - melody.key.tonic) % 12] += share
        return found

    def _backed_off(self, tones: FloatArray) -> FloatArray:
        """(2, S, 12) probabilities of degrees over states."""
        above = np.full((QUALITY_COUNT, 12), 0.5)
        for degree in range(12):
            np.add.at(above, (_QUALITY, (degree - _ROOT) % 12), tones[..., degree].sum(0))
        above /= above.sum(1, keepdims=True)
        expected = np.stack([above[_QUALITY, (degree - _ROOT) % 12] for degree in range(12)], axis=1)
        found = tones + self._tuning.tones * expected
        return np.asarray(found / found.sum(-1, keepdims=True))

    def _transitions(self, moves: FloatArray) -> FloatArray:
        """(2, styles, S, S) probabilities of chords after chords, of changes alone."""
        of_all = moves.sum(1)
        by_interval = np.full((2, 12, QUALITY_COUNT, QUALITY_COUNT), 0.01)
        of = (_INTERVAL, _QUALITY[:, None], _QUALITY[None])
        for mode in range(2):
            np.add.at(by_interval[mode], of, of_all[mode])
        expected = by_interval[:, of[0], of[1], of[2]]
        expected[:, np.arange(STATES), np.arange(STATES)] = 0
        expected /= expected.sum(-1, keepdims=True)
        of_all = of_all + self._tuning.moves * expected
        of_all /= of_all.sum(-1, keepdims=True)
        found = moves + self._tuning.styles * of_all[:, None]
        return np.asarray(found / found.sum(-1, keepdims=True) + 1e-12)


def _mode(melody: Melody) -> int:
    return int((melody.key.tonic + 3) % 12 in melody.key.scale)


def _metre(melody: Melody) -> int:
    """2 or 4 beats, 3 beats, others."""
    beats = beats_in_bar(melody)
    return 0 if beats in (2, 4) else 1 if beats == 3 else 2


def _places(melody: Melody) -> IntArray:
    """(T,): 0 where a bar begins, 1 where its second half does, 2 elsewhere."""
    within = np.arange(beat_count(melody)) % beats_in_bar(melody)
    return np.where(within == 0, 0, np.where(within == half_beat(melody), 1, 2))
