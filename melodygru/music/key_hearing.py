"""The key of a melody that does not say it, heard from its notes.

For each tonic, what sounds is counted as degrees above it: how long, on strong beats, at the ends of phrases, at the
very end and at the beginning. A conditional logit (McFadden 1974) over tonics and modes weighs that; what it has
learned from people's tunes is in `melodygru.music.key_weights`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from melodygru.music.key_weights import WEIGHTS
from melodygru.music.melody import Note
from melodygru.music.statistics import strong_beat
from melodygru.music.theory import STEPS_PER_QUARTER, Key, TimeSignature

FloatArray = npt.NDArray[np.float64]

HEARD_MODES = ("major", "minor", "dorian", "mixolydian")
"""The modes that are told apart."""
VIEWS = ("time", "strong", "phrase_ends", "end", "beginning")
"""Where pitch classes are counted; see `heard`."""
KEYS = tuple(Key(tonic, mode) for mode in HEARD_MODES for tonic in range(12))
"""The keys that are weighed, in the order of `key_scores`."""


def heard(notes: Sequence[Note], metre: TimeSignature) -> FloatArray:
    """(VIEWS, 12) shares of each pitch class: in time, on strong beats, where phrases end, at the end and beginning.

    Of notes in order of onset, one at least; bar lines are at multiples of the bar.
    """
    strong = strong_beat(metre)
    onsets = np.array([note.onset for note in notes])
    lengths = np.array([note.duration for note in notes])
    classes = np.array([note.pitch for note in notes]) % 12
    rests = np.append(onsets[1:] > (onsets + lengths)[:-1], True)
    closes = rests | (lengths >= max(2 * float(np.median(lengths)), STEPS_PER_QUARTER))
    stressed = onsets % strong == 0
    views = [lengths, stressed, closes]
    counted = np.zeros((len(VIEWS), 12))
    for view, weights in enumerate(views):
        counted[view] = np.bincount(classes, weights.astype(np.float64), minlength=12)
    counted[3, classes[-1]] = 1
    counted[4, classes[int(stressed.argmax())]] = 1
    return np.asarray(counted / np.maximum(counted.sum(1, keepdims=True), 1))


def degrees_heard(notes: Sequence[Note], metre: TimeSignature) -> FloatArray:
    """(12, VIEWS * 12): what is heard, as degrees above each tonic."""
    found = heard(notes, metre)
    return np.stack([np.roll(found, -tonic, axis=1).ravel() for tonic in range(12)])


def key_scores(notes: Sequence[Note], metre: TimeSignature) -> FloatArray:
    """(KEYS,) how much speaks for each key: log-odds, in nats, up to a constant."""
    worth = np.array([[WEIGHTS[mode][view] for view in VIEWS] for mode in HEARD_MODES])
    return np.asarray((degrees_heard(notes, metre) @ worth.reshape(len(HEARD_MODES), -1).T).T.ravel())


def hear_key(notes: Sequence[Note], metre: TimeSignature) -> Key:
    """The likeliest key."""
    return KEYS[int(key_scores(notes, metre).argmax())]
