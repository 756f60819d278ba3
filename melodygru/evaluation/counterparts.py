"""Melodies that a model writes in the place of people's: each in the metre, key and length of one, with its pickup."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from melodygru.errors import DataError, MelodyGRUError, SamplingError
from melodygru.music.melody import Melody
from melodygru.music.theory import STEPS_PER_QUARTER
from melodygru.network.arrays import IntArray
from melodygru.writing.config import GenerationConfig
from melodygru.writing.model import Model

_TRIES = 4

Progress = Callable[[str, int, int], None]
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
    model: Model, people: Sequence[Melody], samples: int, seed: int, options: Mapping[str, Any], tell: Progress
) -> tuple[list[Melody], IntArray, int]:
    """Write melodies, each in the place of a people's tune, all tunes alike often.

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
    written: list[Melody] = []
    groups: list[int] = []
    for place, (asked, numbers) in enumerate(wishes.values()):
        wanted = [number for number in numbers for _ in range(times[number])]
        tell("writing melodies", len(written), samples)
        if wanted:
            # An end that is not on the tonic cannot be asked for, so more are written than are needed.
            many = len(wanted) if asked["end_on"] == "tonic" else _TRIES * len(wanted)
            try:
                drawn = model.compose(GenerationConfig.from_dict(asked), seed + place, many, as_drawn=True)
            except SamplingError:  # a bar or two, of which there are not so many different ones
                left_out += len(numbers)
                continue
            made = [one.melody for one in drawn]
            written += sorted(made, key=ends_on_tonic)[: len(wanted)] if many > len(wanted) else made
            groups += wanted
    if not written:
        raise DataError("No melody could be written in the place of any tune; give longer tunes, or fewer samples.")
    return written, np.array(groups), left_out
