"""Are modes heard? The note that makes the mode as frequent as in its parent, and used as people use it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from melodygru.music.melody import Melody
from melodygru.music.theory import SCALES
from melodygru.network.arrays import FloatArray


class Colour(NamedTuple):
    """What makes a mode: its note, the same degree in its parent (both semitones above the tonic), the parent."""

    note: int
    instead: int
    parent: str


COLOURS = {
    "dorian": Colour(9, 8, "minor"),
    "mixolydian": Colour(10, 11, "major"),
    "lydian": Colour(6, 5, "major"),
    "phrygian": Colour(1, 2, "minor"),
    "locrian": Colour(6, 7, "minor"),
}


def weights(melody: Melody) -> FloatArray:
    """(12,) shares of the time that each pitch class sounds."""
    found = np.zeros(12)
    for note in melody.notes:
        found[note.pitch % 12] += note.duration
    return found / found.sum()


def degree_share(melodies: Sequence[Melody], degree: int) -> float:
    """Share of the time in which this degree (semitones above the tonic) sounds."""
    return float(np.mean([weights(melody)[(melody.key.tonic + degree) % 12] for melody in melodies]))


def mode_judge(of_mode: Sequence[Melody], of_parent: Sequence[Melody], colour: Colour) -> LogisticRegression:
    """A classifier that has learned from people's tunes to tell a mode from its parent by where the two differ."""
    table = np.array([_usage(m, colour) for m in (*of_mode, *of_parent)])
    labels = np.repeat([1, 0], [len(of_mode), len(of_parent)])
    judge = make_pipeline(StandardScaler(), LogisticRegression(class_weight="balanced", C=0.5))
    return judge.fit(table, labels)


def judged(judge: LogisticRegression, melodies: Sequence[Melody], colour: Colour) -> float:
    """Share of melodies that the judge finds to be in the mode."""
    return float(judge.predict(np.array([_usage(m, colour) for m in melodies])).mean())


def _usage(melody: Melody, colour: Colour) -> list[float]:
    """How much of each of the two degrees there is: in time, on beats, long, and reached from either side."""
    tonic, beat = melody.key.tonic, melody.time_signature.beat_steps
    found = []
    for degree in (colour.note, colour.instead):
        mine = [(i, n) for i, n in enumerate(melody.notes) if (n.pitch - tonic) % 12 == degree]
        count = len(melody.notes)
        found += [
            weights(melody)[(tonic + degree) % 12],
            sum(n.onset % beat == 0 for _, n in mine) / count,
            sum(n.duration >= beat for _, n in mine) / count,
        ]
    return found


def foreign(melody: Melody, mode: str) -> int:
    """Notes outside the mode."""
    legal = {(melody.key.tonic + step) % 12 for step in SCALES[mode]}
    return sum(note.pitch % 12 not in legal for note in melody.notes)
