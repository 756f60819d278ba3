"""Statistics of people's tunes and of generated ones, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import field

import numpy as np

from melodygru.evaluation.distances import SetDistance, set_distance
from melodygru.music.melody import Melody
from melodygru.music.statistics import histograms, scalars
from melodygru.network.arrays import FloatArray
from melodygru.records import dataclass


@dataclass(frozen=True)
class Statistic:
    """One statistic of both sets: means, standard deviations, and `melodygru.evaluation.distances`; NaN is left out.

    Attributes:
        distance: None where a set has fewer than two values.
        values: of people's tunes, and of generated ones, for those that are one number each.
    """

    people: float
    generated: float
    people_spread: float
    generated_spread: float
    distance: SetDistance | None
    values: tuple[tuple[float, ...], tuple[float, ...]] = field(default=((), ()), repr=False)


def compare_scalars(people: Sequence[Melody], generated: Sequence[Melody]) -> dict[str, Statistic]:
    """Every statistic of `melodygru.music.statistics.scalars`, of both sets."""
    tables = [[scalars(melody) for melody in melodies] for melodies in (people, generated)]
    found = {}
    for name in tables[0][0]:
        one, two = (np.array([row[name] for row in table]) for table in tables)
        one, two = one[~np.isnan(one)], two[~np.isnan(two)]
        enough = len(one) > 1 and len(two) > 1
        distance = set_distance(one[:, None], two[:, None]) if enough else None
        (mean, spread), (own_mean, own_spread) = _moments(one), _moments(two)
        values = tuple(one.tolist()), tuple(two.tolist())
        found[name] = Statistic(mean, own_mean, spread, own_spread, distance, values)
    return found


def _moments(values: FloatArray) -> tuple[float, float]:
    """Mean and standard deviation; NaN of nothing."""
    return (float(values.mean()), float(values.std())) if len(values) else (float("nan"), float("nan"))


def compare_histograms(people: Sequence[Melody], generated: Sequence[Melody]) -> dict[str, SetDistance]:
    """Every statistic of `melodygru.music.statistics.histograms`, of both sets."""
    one, two = ([histograms(melody) for melody in melodies] for melodies in (people, generated))
    return {
        name: set_distance(np.array([row[name] for row in one]), np.array([row[name] for row in two]))
        for name in one[0]
    }
