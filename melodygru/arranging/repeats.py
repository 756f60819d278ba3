"""Bars that come again: what is heard twice gets the same chords."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from melodygru.arranging.beats import beats_in_bar
from melodygru.music.melody import Melody
from melodygru.network.arrays import FloatArray, IntArray


def beats_alike(melody: Melody) -> list[IntArray]:
    """Bars whose notes are the same, as are those of the bars beside: of each group (bars, beats of a bar), its beats."""
    length = melody.time_signature.bar_steps
    notes: list[list[tuple[int, int, int]]] = [[] for _ in range(melody.length // length)]
    for note in melody.notes:
        notes[note.onset // length].append((note.onset % length, note.duration, note.pitch))
    # Bars are compared by numbers, so that long ones are looked at once.
    numbers: dict[tuple[tuple[int, int, int], ...], int] = {}
    named = [-1, *(numbers.setdefault(tuple(bar), len(numbers)) for bar in notes), -1]
    groups: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for bar in range(len(notes)):
        groups[tuple(named[bar : bar + 3])].append(bar)
    within = np.arange(beats_in_bar(melody))
    return [np.array(group)[:, None] * len(within) + within for group in groups.values() if len(group) > 1]


def in_common(values: FloatArray, alike: Sequence[IntArray]) -> FloatArray:
    """Values of T beats, (T,) or (T, S), of which beats that are alike have their mean."""
    found = values.copy()
    for beats in alike:
        found[beats] = values[beats].mean(0)
    return found
