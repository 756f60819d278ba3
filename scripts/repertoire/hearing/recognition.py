"""Is the style that was asked for found again? By a classifier that has learned styles from people's music.

Styles differ in their metres, which are asked for by themselves: so each metre is judged by itself, with the same five
styles in all of its melodies, and every style counts as much as another.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import balanced_accuracy_score, confusion_matrix
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.utils.class_weight import compute_sample_weight
from threadpoolctl import threadpool_limits

from melodygru.music.melody import Melody
from melodygru.music.statistics import feature_table
from melodygru.network.arrays import FloatArray
from repertoire.pieces import Piece

STYLES = {
    "4/4": ("folk", "song", "hymn", "standard", "game"),
    "3/4": ("folk", "song", "hymn", "standard", "dance"),
}
"""Of each metre, the styles with enough pieces in it to learn from."""
_FOLDS = 10


class Recogniser:
    """A classifier of styles in one metre, learned from people's pieces."""

    def __init__(self, pieces: Sequence[Piece], metre: str):
        self.metre, self.styles = metre, STYLES[metre]
        self._pieces = [p for p in pieces if str(p.melody.time_signature) == metre and p.style in self.styles]
        self._labels = np.array([self.styles.index(p.style) for p in self._pieces])
        self._table = _table([p.melody for p in self._pieces])

    def of_people(self) -> float:
        """Share of people's pieces that are recognised, cross-validated by work; all styles count alike."""
        works = np.unique([p.work for p in self._pieces], return_inverse=True)[1]
        found = np.zeros(len(self._labels), int)
        for train, test in StratifiedGroupKFold(_FOLDS, shuffle=True, random_state=0).split(
            self._table, self._labels, works
        ):
            found[test] = self._learned(train).predict(self._table[test])
        return float(balanced_accuracy_score(self._labels, found))

    def of_written(self, melodies: Sequence[Melody], asked: Sequence[str]) -> tuple[float, FloatArray]:
        """Share of melodies whose style is recognised, and (asked, found) shares."""
        labels = np.array([self.styles.index(style) for style in asked])
        found = self._learned(np.arange(len(self._labels))).predict(_table(melodies))
        numbers = range(len(self.styles))
        shares = confusion_matrix(labels, found, labels=list(numbers), normalize="true")
        return float(balanced_accuracy_score(labels, found)), shares

    def _learned(self, rows: np.ndarray) -> ClassifierMixin:
        trees = HistGradientBoostingClassifier(max_iter=150, learning_rate=0.06, max_leaf_nodes=12, random_state=0)
        weights = compute_sample_weight("balanced", self._labels[rows])
        # More threads would wait for one another: where a core is busy, they take ten times as long.
        with threadpool_limits(1):
            return trees.fit(self._table[rows], self._labels[rows], sample_weight=weights)


def _table(melodies: Sequence[Melody]) -> FloatArray:
    names, table = feature_table(melodies)
    # How long a melody is was asked for.
    return table[:, [name != "notes" for name in names]]
