"""`teach`: a model learns to tell its own melodies from people's, so that it can choose the best of several."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from threadpoolctl import threadpool_limits

from melodygru.data.collection import read_collection
from melodygru.data.dataset import fingerprint_of
from melodygru.data.families import families
from melodygru.errors import DataError, check_range
from melodygru.evaluation.counterparts import Progress, write_like
from melodygru.music.melody import Melody
from melodygru.music.statistics import feature_table
from melodygru.network.arrays import IntArray
from melodygru.network.checkpoint import Checkpoint
from melodygru.network.critic import Critic, own_names
from melodygru.network.tokenizer import Tokenizer
from melodygru.records import dataclass
from melodygru.training.batches import split
from melodygru.writing.model import Model

FEWEST = 50
"""Tunes below which there is nothing to learn."""
_HELD = 0.2


@dataclass(frozen=True)
class Taught:
    """A model that can choose.

    Attributes:
        checkpoint: the model with its critic.
        people, generated: melodies that it was taught with.
        auc: how well it tells a fifth of them, held out on a first run, in [0, 1]; 0.5 is chance.
    """

    checkpoint: Checkpoint
    people: int
    generated: int
    auc: float


@threadpool_limits.wrap(limits=1)  # several wait for one another, for minutes where a core is busy
def teach(
    model: Model,
    data: str | os.PathLike[str],
    *,
    tunes: int = 1000,
    seed: int = 0,
    track: str = "auto",
    progress: Progress | None = None,
    jobs: int = 1,
) -> Taught:
    """Teach a model to choose, with the tunes of a folder and twice as many melodies of its own.

    Args:
        data: MIDI files; of the folder that it was trained on, what was held out stays held out.
        tunes: how many of them are taken, in [50, 100000].
        jobs: processes; what is learned does not depend on them.

    Raises:
        UsageError: a value out of range. DataError: too few tunes.
    """
    check_range("tunes", tunes, FEWEST, 100_000)
    tell = progress or (lambda what, done, total: None)
    collection = read_collection(data, track=track, progress=lambda done, total: tell("reading files", done, total))
    people = _learned_from(model, collection.pieces)
    if len(people) < FEWEST:
        raise DataError(f"{os.fspath(data)} has {len(people)} tunes to teach with; give at least {FEWEST}.")
    chosen = np.random.default_rng([seed, 6]).permutation(len(people))[:tunes]
    people = [people[i] for i in chosen]
    plain = Model(replace(model.checkpoint, critic=None), model.name)
    written, groups, _ = write_like(plain, people, 2 * len(people), seed, {}, tell, jobs)
    tell("learning to choose", 0, 0)
    critic, auc = critic_of(people, written, groups, seed)
    return Taught(replace(model.checkpoint, critic=critic), len(np.unique(groups)), len(written), auc)


def critic_of(
    people: Sequence[Melody], written: Sequence[Melody], groups: IntArray, seed: int = 0
) -> tuple[Critic, float]:
    """A critic that has learned from people's melodies and from what was written in their place, and how well it tells
    a fifth of them, held out on a first run.

    `groups`: (N,) the index of the people's melody that each of the N written ones stands for; others are left out.
    """
    asked = np.unique(groups)
    _, of_people = feature_table([people[i] for i in asked])
    _, of_written = feature_table(written)
    held = asked[np.random.default_rng([seed, 7]).random(len(asked)) < _HELD]
    out = np.concatenate([np.isin(asked, held), np.isin(groups, held)])
    table, labels = np.concatenate([of_people, of_written]), np.repeat([1, 0], [len(of_people), len(of_written)])
    missing = _typical(table)
    table = np.where(np.isnan(table), missing, table)
    trial = _trees().fit(table[~out], labels[~out])
    auc = float(roc_auc_score(labels[out], trial.decision_function(table[out])))
    return _as_critic(_trees().fit(table, labels), missing), auc


def _learned_from(model: Model, pieces: Sequence[Melody]) -> list[Melody]:
    """The pieces, less those held out in training, if these are the ones that the model was trained on."""
    settings = model.provenance.get("settings") or {}
    tokenizer = Tokenizer(model.checkpoint.tokenizer_config)
    own = fingerprint_of([tokenizer.encode(piece) for piece in pieces]) == model.provenance.get("data_fingerprint")
    if not own or model.provenance.get("pieces") == len(pieces):
        return list(pieces)
    learned, _ = split(np.array(families(pieces)), settings["val_split"], settings["seed"])
    return [pieces[i] for i in learned]


def _typical(table: np.ndarray) -> np.ndarray:
    """(F,) medians of what is known of each feature; 0 of what never is."""
    return np.array([np.median(known) if len(known := column[~np.isnan(column)]) else 0.0 for column in table.T])


def _trees() -> GradientBoostingClassifier:
    return GradientBoostingClassifier(
        n_estimators=200, max_depth=3, learning_rate=0.05, subsample=0.7, min_samples_leaf=10, random_state=0
    )


def _as_critic(learned: GradientBoostingClassifier, missing: np.ndarray) -> Critic:
    """What scikit-learn has learned, as arrays."""
    parts: dict[str, list[np.ndarray]] = {name: [] for name in ("feature", "threshold", "below", "above", "value")}
    roots, size = [], 0
    for tree in (estimator.tree_ for estimator in learned.estimators_[:, 0]):
        leaf = tree.children_left < 0
        roots.append(size)
        parts["feature"].append(np.where(leaf, -1, tree.feature))
        parts["threshold"].append(_rounded_down(np.where(leaf, 0.0, tree.threshold)))
        parts["below"].append(np.where(leaf, 0, tree.children_left + size))
        parts["above"].append(np.where(leaf, 0, tree.children_right + size))
        parts["value"].append(learned.learning_rate * tree.value[:, 0, 0])
        size += tree.node_count
    prior = learned.init_.class_prior_
    kinds = {"threshold": np.float32, "value": np.float32}
    arrays: dict[str, Any] = {
        name: np.concatenate(rows).astype(kinds.get(name, np.int32)) for name, rows in parts.items()
    }
    base = np.array([np.log(prior[1] / prior[0])], np.float32)
    return Critic(own_names(), missing.astype(np.float32), roots=np.array(roots, np.int32), base=base, **arrays)


def _rounded_down(thresholds: np.ndarray) -> np.ndarray:
    """The largest float32 that is not above each: features are float32, so the same ones are up to it."""
    near = thresholds.astype(np.float32)
    return np.where(near > thresholds, np.nextafter(near, np.float32(-np.inf)), near)
