"""How often the listening test's statistics find what there is, and what there is not, with simulated raters.

    python scripts/check_listening_statistics.py [--runs 1000] [--seed 0]

Each run is a test of two systems on one scale. A rating is 4, plus how generous the listener is, how good the melody,
how much more this listener likes one system than others do, what the second system lacks (the effect), and noise;
rounded to 1 to 7. "any difference" is how often p < 0.05 by Clark's t, "signed ranks" by Wilcoxon's test of listeners
alone, "any equivalence" how often both are called equivalent (margin 0.5) at 0.05.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np

from melodygru.evaluation.listening.statistics import MARGIN, FloatArray, equivalence, estimate, signed_rank

LEVEL = 0.05


@dataclass(frozen=True)
class Taste:
    """Of raters, in points on the scale: standard deviations, and how much less they like the second system."""

    listener: float = 0.8
    melody: float = 0.6
    slope: float = 0.3
    noise: float = 1.0
    effect: float = 0.0


def simulate(taste: Taste, listeners: int, seats: int, chance: np.random.Generator) -> FloatArray:
    """Ratings of (listeners, two systems, seats)."""
    rating = 4 + chance.normal(0, taste.listener, (listeners, 1, 1)) + chance.normal(0, taste.melody, (1, 2, seats))
    rating = rating + chance.normal(0, taste.slope, (listeners, 2, 1)) - np.array([0, taste.effect])[:, None]
    return np.clip(np.round(rating + chance.normal(0, taste.noise, (listeners, 2, seats))), 1, 7)


def alarms(taste: Taste, listeners: int, seats: int, runs: int, seed: int) -> dict[str, float]:
    """Of so many simulated tests, the share that found a difference, or equivalence."""
    chance = np.random.default_rng(seed)
    found = np.zeros(3)
    for _ in range(runs):
        ratings = simulate(taste, listeners, seats, chance)
        difference = ratings[:, 0] - ratings[:, 1]
        p_values = estimate(difference).p, signed_rank(difference), equivalence(difference, MARGIN)
        found += np.array(p_values) < LEVEL
    return dict(zip(("any difference", "signed ranks", "any equivalence"), (found / runs).tolist(), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    print("| listeners | melodies a system | true difference | found (Clark) | signed ranks | called equivalent |")
    print("| --: | --: | --: | --: | --: | --: |")
    for listeners, seats in ((10, 8), (20, 8), (20, 16), (50, 16), (50, 40)):
        for effect in (0.0, 0.5, 1.0):
            shares = alarms(Taste(effect=effect), listeners, seats, asked.runs, asked.seed).values()
            print(f"| {listeners} | {seats} | {effect:g} | " + " | ".join(f"{one:.1%}" for one in shares) + " |")


if __name__ == "__main__":
    main()
