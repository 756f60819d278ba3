"""Can classifiers tell what a model writes from people's music? Style by style, on held-out works."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from melodygru.evaluation.two_sample import (
    FOLDS,
    FeatureLearner,
    TwoSample,
    boosted,
    cross_validate,
    giveaways,
    logistic,
)
from melodygru.music.melody import Melody
from melodygru.music.statistics import feature_table
from melodygru.network.arrays import IntArray

BREATH = (
    *(
        "silence",
        "length of the last note",
        "notes on a beat",
        "phrases end on a long note",
        "mean inter-onset interval",
    ),
    *("share of notes of 2 quarters", "share of notes of 3 quarters", "share of notes of 4 quarters"),
    *("share of notes off the beat and held over it", "empty-measure rate"),
)
"""Features of rests, long notes and syncopation alone."""


def held_over(melody: Melody) -> float:
    """Share of the notes that begin off a beat and last over the next one."""
    beat = melody.time_signature.beat_steps
    off = [n.onset % beat != 0 and n.onset + n.duration > (n.onset // beat + 1) * beat for n in melody.notes]
    return sum(off) / len(off)


def told_apart(
    people: Sequence[Melody], written: Sequence[Melody], groups: IntArray, works: Sequence[str]
) -> tuple[dict[str, TwoSample], list[str]]:
    """Tests by name, and the features that tell most, in words.

    `groups`: (N,) index of the people's melody that each one stands for; `works`: of people's melodies. What is of one
    work, or stands for it, is in one fold.
    """
    melodies = [*people, *written]
    labels = np.repeat([1, 0], [len(people), len(written)])
    number = {work: place for place, work in enumerate(dict.fromkeys(works))}
    of_people = np.array([number[work] for work in works])
    kin = np.concatenate([of_people, of_people[groups]])
    names, table = feature_table(melodies)
    names = [*names, "share of notes off the beat and held over it"]
    table = np.column_stack([table, [held_over(melody) for melody in melodies]])
    breath = np.array([name in BREATH for name in names])
    tests = {
        f"{what}, {how}": (FeatureLearner(make, some, labels), FOLDS)
        for what, some in (("all", table), ("breath", table[:, breath]))
        for how, make in (("trees", boosted), ("logistic", logistic))
    }
    found = cross_validate(tests, labels, kin)
    most = [f"{f.name} ({f.people:.3g} / {f.generated:.3g}, {f.auc:.2f})" for f in giveaways(names, table, labels)[:6]]
    return found, most
