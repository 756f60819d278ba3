"""`evaluate`: how good a model is, in numbers.

People's tunes that the model has not learned from stand on one side; on the other, melodies that it writes, each in the
metre, key and length, and with the pickup, of one of those tunes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, field
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from melodygru.data.collection import read_collection
from melodygru.data.dataset import fingerprint_of
from melodygru.data.families import families
from melodygru.errors import DataError, check_range
from melodygru.evaluation.counterparts import Progress, write_like
from melodygru.evaluation.distances import SetDistance
from melodygru.evaluation.likelihoods import Likelihood, judge_likelihood
from melodygru.evaluation.sequence_classifier import SequenceLearner
from melodygru.evaluation.set_statistics import Statistic, compare_histograms, compare_scalars
from melodygru.evaluation.two_sample import (
    FOLDS,
    Feature,
    FeatureLearner,
    Learn,
    TwoSample,
    boosted,
    cross_validate,
    giveaways,
    logistic,
)
from melodygru.music.melody import Melody
from melodygru.music.originality import OriginalityIndex, line_of
from melodygru.music.statistics import feature_table
from melodygru.network.arrays import IntArray
from melodygru.network.likelihood import event_nats_parts
from melodygru.network.tokenizer import Tokenizer
from melodygru.records import dataclass
from melodygru.training.batches import split
from melodygru.writing.model import Model

FEWEST = 20
"""Tunes below which nothing can be said."""
_WHOLE = 0.9
"""A tune of which so much stands in a row in the training music was learned from, or its near-duplicate was."""
_SEQUENCE_FOLDS = 5
_WORTH_PROCESSES = 20_000
"""From so many events on, starting processes takes less time than it saves."""
_SHOWN = 5


@dataclass(frozen=True)
class Evaluation:
    """All that `evaluate` found.

    Attributes:
        model, data: their names.
        held_out: whether the data is the training folder, of which only what was held out is judged.
        pieces, notes: people's tunes.
        known: how many of them stand whole, or nearly, in what the model has learned from; None if that is not known.
        samples: melodies that were written; `left_out` tunes have a length or pickup that cannot be asked for.
        tests: two-sample tests by the name of the classifier.
        features: what gives the model away, most first.
        shared_runs: longest runs shared with the training music (`melodygru.music.originality`), of people's tunes and
            of generated ones; empty if that is not known.
        shown: some of the melodies, people's and what was written like them.
    """

    model: str
    data: str
    held_out: bool
    pieces: int
    notes: int
    known: int | None
    samples: int
    left_out: int
    likelihood: Likelihood
    statistics: Mapping[str, Statistic]
    histograms: Mapping[str, SetDistance]
    tests: Mapping[str, TwoSample]
    features: Sequence[Feature]
    shared_runs: Mapping[str, Mapping[str, Any]]
    shown: Sequence[tuple[Melody, Melody]] = field(default=(), repr=False)

    def as_dict(self) -> dict[str, Any]:
        """As JSON values: all but single values and melodies."""
        found = asdict(self)
        del found["shown"]
        for statistic in found["statistics"].values():
            del statistic["values"]
        for test in found["tests"].values():
            del test["roc"]
        return found


@threadpool_limits.wrap(limits=1)  # several wait for one another, for minutes where a core is busy
def evaluate(
    model: Model,
    data: str | os.PathLike[str],
    *,
    samples: int = 500,
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
    track: str = "auto",
    progress: Progress | None = None,
    jobs: int = 1,
) -> Evaluation:
    """Judge a model by the tunes of a folder.

    Args:
        data: MIDI files that the model has not learned from; or the very folder that it was trained on, of which then
            only what was held out is taken.
        samples: how many melodies are written, in [20, 100000].
        seed: of all that is random.
        options: how melodies are written: fields of `GenerationConfig`, such as temperature.
        jobs: processes; what is found does not depend on them.

    Raises:
        UsageError: a value out of range. DataError: too few tunes.
    """
    check_range("samples", samples, FEWEST, 100_000)
    tell = progress or (lambda what, done, total: None)
    collection = read_collection(data, track=track, progress=lambda done, total: tell("reading files", done, total))
    people, held_out = _unseen(model, collection.pieces)
    if len(people) < FEWEST:
        raise DataError(
            f"{os.fspath(data)} has {len(people)} tunes{' that were held out' if held_out else ''}; give at least "
            f"{FEWEST}."
        )
    tokenizer = Tokenizer(model.checkpoint.tokenizer_config)
    pieces = [tokenizer.encode(melody) for melody in people]
    tell("asking how likely the tunes are", 0, 0)
    likelihood = judge_likelihood(pieces, event_nats_parts(model.engine, pieces))
    written, groups, left_out = write_like(model, people, samples, seed, options or {}, tell, jobs)
    tell("comparing statistics", 0, 0)
    asked = [people[i] for i in np.unique(groups)]
    tests, features = _tests(tokenizer, people, written, groups, tell, jobs)
    known, runs = _originality(model.checkpoint.learned_index, people, written)
    return Evaluation(
        model.name,
        os.fspath(data),
        held_out,
        len(people),
        sum(len(melody.notes) for melody in people),
        known,
        len(written),
        left_out,
        likelihood,
        compare_scalars(asked, written),
        compare_histograms(asked, written),
        tests,
        features,
        runs,
        _pairs(people, written, groups),
    )


def _unseen(model: Model, pieces: list[Melody]) -> tuple[list[Melody], bool]:
    """The pieces; those held out in training, if these are the ones that the model was trained on, and whether so."""
    provenance = model.provenance
    settings = provenance.get("settings") or {}
    tokenizer = Tokenizer(model.checkpoint.tokenizer_config)
    if not pieces or fingerprint_of([tokenizer.encode(piece) for piece in pieces]) != provenance.get(
        "data_fingerprint"
    ):
        return pieces, False
    if provenance.get("pieces") == len(pieces) or not settings.get("val_split"):
        raise DataError("The model has learned from all of these tunes; give some that it has not seen.")
    _, held = split(np.array(families(pieces)), settings["val_split"], settings["seed"])
    return [pieces[i] for i in held], True


def _originality(
    index: OriginalityIndex | None, people: Sequence[Melody], written: Sequence[Melody]
) -> tuple[int | None, dict[str, Mapping[str, Any]]]:
    """How many of people's tunes stand in what was learned from, and the runs that both sets share with it."""
    if index is None:
        return None, {}
    lines = [line_of(melody) for melody in people]
    longest = zip(index.longest(lines), people, strict=True)
    known = sum(run >= _WHOLE * len(melody.notes) for run, melody in longest)
    generated = index.distribution([line_of(melody) for melody in written])
    return known, {"people": index.distribution(lines), "generated": generated}


def _pairs(people: Sequence[Melody], written: Sequence[Melody], groups: IntArray) -> list[tuple[Melody, Melody]]:
    """The first of people's tunes that something was written like, each with the first of that."""
    first = {group: number for number, group in reversed(list(enumerate(groups.tolist())))}
    return [(people[group], written[number]) for group, number in sorted(first.items())[:_SHOWN]]


def _tests(
    tokenizer: Tokenizer,
    people: Sequence[Melody],
    written: Sequence[Melody],
    groups: IntArray,
    tell: Progress,
    jobs: int,
) -> tuple[dict[str, TwoSample], list[Feature]]:
    """The two-sample tests, and what gives the model away."""
    asked = np.unique(groups)
    melodies = [*(people[i] for i in asked), *written]
    labels = np.repeat([1, 0], [len(asked), len(written)])
    kin = np.concatenate([asked, groups])
    names, table = feature_table(melodies)
    pieces = [tokenizer.encode(melody) for melody in melodies]
    # What takes longest comes first, so that no process is left alone with it.
    tests: dict[str, tuple[Learn, int]] = {
        "events (GRU)": (SequenceLearner(pieces, labels), _SEQUENCE_FOLDS),
        "boosted trees": (FeatureLearner(boosted, table, labels), FOLDS),
        "logistic regression": (FeatureLearner(logistic, table, labels), FOLDS),
    }
    many = sum(len(piece.durations) for piece in pieces) >= _WORTH_PROCESSES
    found = cross_validate(
        tests,
        labels,
        kin,
        jobs=jobs if many else 1,
        progress=lambda done, total: tell("telling them apart: folds", done, total),
    )
    found["events (GRU)"] = found.pop("events (GRU)")  # shown last, since the others are quicker to grasp
    return found, giveaways(names, table, labels)
