"""Can one tell generated melodies from people's? The classifier two-sample test (Lopez-Paz & Oquab 2017).

A classifier learns to tell two sets apart, and is judged on melodies that it has not seen: the area under its ROC
curve (AUC) is the probability that it ranks one of each rightly. 0.5 is chance: nothing that it can see tells them
apart; 1 is perfect.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import starmap

import numpy as np
from scipy.stats import rankdata
from sklearn.base import ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score, roc_curve
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from melodygru.network.arrays import FloatArray, IntArray
from melodygru.system import by_processes

FOLDS = 10
_DRAWS = 500


@dataclass(frozen=True)
class TwoSample:
    """How well a classifier tells the sets apart.

    Attributes:
        auc: in [0, 1]; 0.5 is chance.
        low, high: its 95 % interval, by resampling pieces (groups).
        roc: points (false positive rate, true positive rate) of the curve, each in [0, 1].
    """

    auc: float
    low: float
    high: float
    roc: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True)
class Feature:
    """One feature by itself.

    Attributes:
        auc: of telling people's melodies by a higher value; 0.5: it tells nothing.
        people, generated: its means.
    """

    name: str
    auc: float
    people: float
    generated: float

    @property
    def tells(self) -> float:
        """How much it gives away, in [0, 0.5]."""
        return abs(self.auc - 0.5)


def boosted() -> ClassifierMixin:
    """Gradient-boosted trees: see combinations of features. NaN is a value like another."""
    return HistGradientBoostingClassifier(
        max_iter=150, learning_rate=0.05, max_leaf_nodes=8, min_samples_leaf=10, l2_regularization=1.0, random_state=0
    )


def logistic() -> ClassifierMixin:
    """Logistic regression on standardised features; a NaN is the feature's mean."""
    return make_pipeline(
        SimpleImputer(keep_empty_features=True), StandardScaler(), LogisticRegression(C=0.05, max_iter=2000)
    )


def statistical_test(
    make: Callable[[], ClassifierMixin], table: FloatArray, people: IntArray, groups: IntArray, seed: int = 0
) -> TwoSample:
    """Cross-validate a classifier on features.

    Args:
        table: (N, features).
        people: (N,) 1 for people's melodies, 0 for generated ones.
        groups: (N,) melodies of one group (a people's tune, and what was written like it) are in one fold.
    """

    def learn(train: IntArray, test: IntArray) -> FloatArray:
        # Columns of one value, or of none, tell nothing, and scikit-learn 1.9 cannot bin them.
        various = np.array([len(np.unique(column[~np.isnan(column)])) > 1 for column in table[train].T])
        if not various.any():
            return np.zeros(len(test))
        # More threads would wait for one another: where a core is busy, they take ten times as long.
        with threadpool_limits(1):
            classifier = make().fit(table[train][:, various], people[train])
            scores: FloatArray = classifier.predict_proba(table[test][:, various])[:, 1]
        return scores

    return cross_validate(learn, people, groups, FOLDS, seed)


def cross_validate(
    learn: Callable[[IntArray, IntArray], FloatArray],
    people: IntArray,
    groups: IntArray,
    folds: int,
    seed: int = 0,
    jobs: int = 1,
    progress: Callable[[int], None] | None = None,
) -> TwoSample:
    """AUC of scores that `learn(train, test)`, given indices, finds for those of `test`; every melody is in one.

    Args:
        people, groups: as in `statistical_test`.
        folds: how many; fewer where there are fewer groups.
        jobs: processes, to each of which `learn` is sent where there are several.
        progress: told how many folds are done.
    """
    scores = np.zeros(len(people))
    folds = min(folds, len(np.unique(groups)))
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    splits = list(splitter.split(np.zeros((len(people), 1)), people, groups))
    learned = by_processes(learn, splits, jobs) if jobs > 1 else starmap(learn, splits)
    for number, ((_, test), found) in enumerate(zip(splits, learned, strict=True), 1):
        # Ranks within a fold, since another fold's classifier may put its scores elsewhere.
        scores[test] = rankdata(found) / len(test)
        if progress is not None:
            progress(number)
    low, high = _interval(people, scores, groups, seed)
    false, true, _ = roc_curve(people, scores)
    curve = tuple(zip(false.round(4).tolist(), true.round(4).tolist(), strict=True))
    return TwoSample(float(roc_auc_score(people, scores)), low, high, curve)


def _interval(people: IntArray, scores: FloatArray, groups: IntArray, seed: int) -> tuple[float, float]:
    """Percentiles of the AUC over resamples of the groups."""
    random = np.random.default_rng(seed)
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    found = []
    for _ in range(_DRAWS):
        chosen = np.concatenate([members[i] for i in random.integers(0, len(members), len(members))])
        if 0 < people[chosen].sum() < len(chosen):
            found.append(roc_auc_score(people[chosen], scores[chosen]))
    low, high = np.percentile(found, [2.5, 97.5]).tolist()
    return low, high


def giveaways(names: Sequence[str], table: FloatArray, people: IntArray) -> list[Feature]:
    """Every feature by itself, those that tell the most first."""
    found = []
    for column, name in enumerate(names):
        known = ~np.isnan(table[:, column])
        values, labels = table[known, column], people[known]
        if 0 < labels.sum() < len(labels):
            means = (float(values[labels == side].mean()) for side in (1, 0))
            found.append(Feature(name, float(roc_auc_score(labels, values)), *means))
    return sorted(found, key=lambda feature: -feature.tells)
