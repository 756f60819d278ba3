"""The result of a listening test, from the answers."""

from __future__ import annotations

from dataclasses import asdict
from itertools import combinations
from typing import Any

import numpy as np

from melodygru.errors import DataError, check_range
from melodygru.evaluation.listening.answers import Answers
from melodygru.evaluation.listening.excerpts import HUMAN
from melodygru.evaluation.listening.statistics import (
    Difference,
    Estimate,
    Told,
    equivalence,
    estimate,
    holm,
    krippendorff_alpha,
    signed_rank,
    told,
)
from melodygru.records import dataclass

FEWEST_LISTENERS = 2
"""Of one listener nothing can be said of others."""


@dataclass(frozen=True)
class Result:
    """What a listening test found.

    Attributes:
        listeners: how many.
        margin: points within which systems count as equivalent.
        means: of each scale, of each system.
        differences: of each scale, between all pairs of systems.
        agreement: of each scale, Krippendorff's alpha over all melodies.
        told: of each model, how often it was told from people.
        known: of each system, how many answers were left out because the melody was known.
    """

    listeners: int
    margin: float
    means: dict[str, dict[str, Estimate]]
    differences: dict[str, list[Difference]]
    agreement: dict[str, float]
    told: dict[str, Told]
    known: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """Plain values; null where there is no figure."""
        plain: dict[str, Any] = _without_nan(asdict(self))
        return plain


def score(answers: Answers, margin: float) -> Result:
    """Means, differences, equivalence, agreement, and who was told for what; see `Result`.

    `margin`: in points, in (0, 6]. Raises UsageError for another, and DataError for fewer than two listeners.
    """
    check_range("margin", margin, 0.01, 6)
    if len(answers.listeners) < FEWEST_LISTENERS:
        raise DataError(f"{len(answers.listeners)} listener's answers were given; give those of at least 2 listeners.")
    means = {
        scale: {system: estimate(ratings[:, place]) for place, system in enumerate(answers.systems)}
        for scale, ratings in answers.ratings.items()
    }
    agreement = {
        scale: krippendorff_alpha(ratings.reshape(len(ratings), -1)) for scale, ratings in answers.ratings.items()
    }
    human = answers.systems.index(HUMAN)
    models = {
        system: told(answers.machine[:, place], answers.machine[:, human])
        for place, system in enumerate(answers.systems)
        if place != human
    }
    return Result(
        len(answers.listeners), margin, means, _differences(answers, margin), agreement, models, answers.known
    )


def _differences(answers: Answers, margin: float) -> dict[str, list[Difference]]:
    """All pairs of systems on all scales; the p-values are corrected over all of them."""
    asked = [(scale, first, second) for scale in answers.ratings for first, second in combinations(answers.systems, 2)]
    place = answers.systems.index
    values = [
        answers.ratings[scale][:, place(one)] - answers.ratings[scale][:, place(two)] for scale, one, two in asked
    ]
    estimates = [estimate(one) for one in values]
    corrected = holm([one.p for one in estimates])
    ranked = holm([signed_rank(one) for one in values])
    found: dict[str, list[Difference]] = {scale: [] for scale in answers.ratings}
    for number, (scale, first, second) in enumerate(asked):
        found[scale].append(
            Difference(
                first, second, estimates[number], corrected[number], ranked[number], equivalence(values[number], margin)
            )
        )
    return found


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_nan(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_without_nan(one) for one in value]
    return None if isinstance(value, float) and np.isnan(value) else value
