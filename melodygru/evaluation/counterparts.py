"""Melodies that a model writes in the place of people's: each in the metre, key and length of one, with its pickup."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from melodygru.errors import DataError, MelodyGRUError
from melodygru.music.melody import Melody
from melodygru.music.theory import STEPS_PER_QUARTER
from melodygru.network.arrays import IntArray
from melodygru.writing.candidates import Order
from melodygru.writing.config import GenerationConfig
from melodygru.writing.model import Model
from melodygru.writing.orders import compose_all

_TRIES = 4

Progress = Callable[[str, float, int], None]
"""Told what is being done, how much of it is done, and how much there is."""


def conditions(melody: Melody) -> dict[str, Any]:
    """What is asked for, so that a melody is written in the place of this one: fields of `GenerationConfig`.

    Metre, key, number of bars, pickup; and to end on the tonic if this one does. Raises UsageError for a length or
    pickup that cannot be asked for.
    """
    asked: dict[str, Any] = {
        "bars": melody.bars,
        "meter": str(melody.time_signature),
        "key": str(melody.key),
        "end_on": "tonic" if ends_on_tonic(melody) else "any",
    }
    if melody.pickup:
        asked["pickup"] = str(Fraction(melody.pickup, 4 * STEPS_PER_QUARTER))
    GenerationConfig.from_dict(asked)
    return asked


def ends_on_tonic(melody: Melody) -> bool:
    """Whether the last note's pitch class is the tonic's."""
    return melody.notes[-1].pitch % 12 == melody.key.tonic


def write_like(
    model: Model,
    people: Sequence[Melody],
    samples: int,
    seed: int,
    options: Mapping[str, Any],
    tell: Progress,
    jobs: int = 1,
) -> tuple[list[Melody], IntArray, int]:
    """Write melodies, each in the place of a people's tune, all tunes alike often; by `jobs` processes.

    Returns:
        The melodies; (samples,) which tune each is written like; and how many tunes cannot be written like.
    """
    wishes: dict[str, tuple[dict[str, Any], list[int]]] = {}
    left_out = 0
    for number, melody in enumerate(people):
        try:
            asked = {**conditions(melody), **options}
        except MelodyGRUError:
            left_out += 1
            continue
        wishes.setdefault(repr(asked), (asked, []))[1].append(number)
    possible = [number for _, numbers in wishes.values() for number in numbers]
    if not possible:
        raise DataError("No tune has a length that can be asked for; give others.")
    times = {number: samples // len(possible) for number in possible}
    for number in np.random.default_rng([seed, 5]).permutation(possible)[: samples % len(possible)].tolist():
        times[number] += 1
    wanted = [[number for number in numbers for _ in range(times[number])] for _, numbers in wishes.values()]
    orders: dict[int, tuple[Order, int]] = {}
    for place, (asked, _) in enumerate(wishes.values()):
        if wanted[place]:
            # An end that is not on the tonic cannot be asked for, so more are written than are needed.
            many = (1 if asked["end_on"] == "tonic" else _TRIES) * len(wanted[place])
            orders[place] = Order(GenerationConfig.from_dict(asked), seed + place, as_drawn=True), many
    places = sorted(orders, key=lambda place: -people[wanted[place][0]].length)
    composed = compose_all(
        model, [orders[place] for place in places], jobs, lambda done, total: tell("writing melodies", done, total)
    )
    found = dict(zip(places, composed, strict=True))
    written: list[Melody] = []
    groups: list[int] = []
    for place, (_, numbers) in enumerate(wishes.values()):
        if place not in found:
            continue
        if (drawn := found[place]) is None:  # a bar or two, of which there are not so many different ones
            left_out += len(numbers)
            continue
        made, many = [one.melody for one in drawn], len(wanted[place])
        written += sorted(made, key=ends_on_tonic)[:many] if len(made) > many else made
        groups += wanted[place]
    if not written:
        raise DataError("No melody could be written in the place of any tune; give longer tunes, or fewer samples.")
    return written, np.array(groups), left_out
