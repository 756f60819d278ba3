"""The chords of a piece: a small vocabulary, and what is heard when several parts sound.

Chords are heard by a hidden Markov model with a state for each chord: how likely the notes of a beat are over it, how
likely it is in the key, and what a change costs, less at a bar line than within. So a passing note makes no chord.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import product

import numpy as np

from melodygru.formats.midi.parser import RawNote
from melodygru.music.chords import QUALITIES, Chord
from melodygru.music.melody import Melody
from melodygru.music.theory import SCALES, Key
from melodygru.network.arrays import Array
from repertoire.pieces import NO_CHORD, Harmony

VOCABULARY = ("maj", "m", "7", "m7", "maj7", "6", "m6", "dim", "dim7", "m7b5", "aug", "sus4")
"""Qualities, as `melodygru.music.chords` spells them; of equally near ones the earlier counts."""
HEARD = ("maj", "m", "7", "m7", "maj7", "dim", "dim7", "m7b5", "aug", "sus4")
"""Those that are heard: a sixth chord has the notes of a seventh chord on another root."""

_STATES = tuple(product(range(12), HEARD))
_FOREIGN = 0.12
"""Share of what sounds over a chord, in [0, 1], that does not belong to it. This and what follows was guessed, and then
looked at on hymns: see docs/repertoire.md."""
_STRUCK = 1.5
"""How much more what is struck on the beat tells than what is struck within it, or held over from before."""
_ROOT_WEIGHT = 1.4
"""How much oftener than its other tones a chord's root sounds."""
_BASS = {0: 0.6, 1: 0.22, 2: 0.1, 3: 0.06}
"""How likely the lowest note is the chord's root, third, fifth or seventh; the rest is shared by all others."""
_QUALITY_COST = {
    "maj": 0.0,
    "m": 0.0,
    "7": 0.3,
    "m7": 0.8,
    "maj7": 1.5,
    "dim": 0.5,
    "dim7": 1.0,
    "m7b5": 1.0,
    "aug": 2.0,
    "sus4": 1.5,
}
_OUT_OF_KEY = 1.0
"""Nats for each tone of a chord that is not in the key."""
_CHANGE_AT_BAR, _CHANGE_WITHIN = 0.7, 1.4
"""Nats that a change costs."""


def simplified(chord: Chord) -> tuple[int, str]:
    """Root and the quality of the vocabulary whose tones are most like a chord's."""
    tones = {(tone - chord.root) % 12 for tone in chord.tones}
    return chord.root, max(VOCABULARY, key=lambda name: _alike(tones, set(QUALITIES[name])))


def _alike(one: set[int], two: set[int]) -> float:
    return len(one & two) / len(one | two)


def harmonies(changes: Iterable[tuple[int, tuple[int, str] | None]], melody: Melody) -> tuple[Harmony, ...]:
    """Chords from (step, root and quality, or None for no chord), each holding until the next, within the melody."""
    found: list[Harmony] = []
    told = sorted(changes, key=lambda change: change[0])
    for number, (step, chord) in enumerate(told):
        onset, end = max(step, 0), min(told[number + 1][0] if number + 1 < len(told) else melody.length, melody.length)
        if onset >= end:
            continue
        root, quality = chord or (NO_CHORD, "")
        if found and (found[-1].root, found[-1].quality, found[-1].end) == (root, quality, onset):
            found[-1] = Harmony(found[-1].onset, end, root, quality)
        else:
            found.append(Harmony(onset, end, root, quality))
    return tuple(found)


def heard(notes: Sequence[RawNote], melody: Melody) -> tuple[Harmony, ...]:
    """The chords of a piece, at most one a felt beat, from all notes that sound, in steps of the piece.

    Beats in which nothing sounds have none.
    """
    beat, bar = melody.time_signature.beat_steps, melody.time_signature.bar_steps
    count = -(-melody.length // beat)
    weights, bass = np.zeros((count, 12)), np.full(count, -1)
    lowest = np.full(count, 128)
    for note in notes:
        for number in range(max(note.onset // beat, 0), min(-(-note.end // beat), count)):
            begin = number * beat
            share = (min(note.end, begin + beat) - max(note.onset, begin)) / beat
            weights[number, note.pitch % 12] += share * (_STRUCK if note.onset == begin else 1.0)
            if note.onset <= begin < note.end and note.pitch < lowest[number]:
                lowest[number], bass[number] = note.pitch, note.pitch % 12
    strong = np.arange(count) * beat % bar == 0
    path = _likeliest(_log_likelihoods(weights, bass) + _prior(melody.key), strong)
    silent = weights.sum(1) == 0
    return harmonies(
        ((number * beat, None if silent[number] else _STATES[state]) for number, state in enumerate(path)), melody
    )


def _log_likelihoods(weights: Array, bass: Array) -> Array:
    """(T, S) of what sounds in each beat over each chord."""
    tones = np.full((len(_STATES), 12), 0.0)
    low = np.full((len(_STATES), 12), (1 - sum(_BASS.values())) / 8)
    for state, (root, quality) in enumerate(_STATES):
        for place, tone in enumerate(QUALITIES[quality]):
            tones[state, (root + tone) % 12] = _ROOT_WEIGHT if place == 0 else 1.0
            low[state, (root + tone) % 12] = _BASS[place]
    own = tones / tones.sum(1, keepdims=True) * (1 - _FOREIGN)
    foreign = (tones == 0) / (tones == 0).sum(1, keepdims=True) * _FOREIGN
    fits = weights @ np.log(own + foreign).T
    sounding = bass >= 0
    fits[sounding] += np.log(low).T[bass[sounding]]
    return np.asarray(fits)


def _prior(key: Key) -> Array:
    """(S,) nats of each chord in a key: of minor the leading note belongs to it too."""
    scale = {(key.tonic + step) % 12 for step in SCALES[key.mode]}
    if key.mode in ("minor", "dorian"):
        scale.add((key.tonic + 11) % 12)
    costs = [
        _QUALITY_COST[quality] + _OUT_OF_KEY * sum((root + tone) % 12 not in scale for tone in QUALITIES[quality])
        for root, quality in _STATES
    ]
    return -np.array(costs)


def _likeliest(fits: Array, strong: Array) -> list[int]:
    """The likeliest row of T chords, of their log-likelihoods (T, S); Viterbi's algorithm."""
    best = fits[0]
    came = np.zeros(fits.shape, np.int64)
    stay = np.arange(fits.shape[1])
    for place in range(1, len(fits)):
        source = int(best.argmax())
        changed = best[source] - (_CHANGE_AT_BAR if strong[place] else _CHANGE_WITHIN)
        came[place] = np.where(best >= changed, stay, source)
        best = np.maximum(best, changed) + fits[place]
    path = [int(best.argmax())]
    for place in range(len(fits) - 1, 0, -1):
        path.append(int(came[place, path[-1]]))
    return path[::-1]
