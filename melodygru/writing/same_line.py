"""Which pitches may take the place of others where the line stays: where a melody rises, falls or repeats."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from melodygru.music.melody import Melody
from melodygru.network.arrays import BoolArray
from melodygru.writing.constraints.base import PITCHES, in_range


def along_the_line(
    melody: Melody, order: Sequence[int], target: int, legal: BoolArray, leap: int
) -> dict[int, BoolArray]:
    """(128,) pitches of the notes that change: as many notes as asked for where the line leaves so many room.

    Notes that repeat each other change together. Each pitch that is left has one that is left on its right side before
    it and after it, so a melody drawn from left to right finds a way.
    """
    pitches = [note.pitch for note in melody.notes]
    signs = [_sign(two - one) for one, two in pairwise(pitches)]
    masks = [in_range(pitch, pitch) for pitch in pitches]
    distance = np.arange(PITCHES)[None, :] - np.arange(PITCHES)[:, None]
    near = np.abs(distance) <= leap
    steps = {sign: (np.sign(distance) == sign) & near for sign in (-1, 0, 1)}
    chosen: set[int] = set()
    inside = set(order)
    for number in order:
        if len(chosen) >= target or number in chosen:
            continue
        first = last = number
        while first > 0 and signs[first - 1] == 0:
            first -= 1
        while last < len(signs) and signs[last] == 0:
            last += 1
        unit = set(range(first, last + 1))
        if not unit <= inside:
            continue
        # Kept notes part the chain: what changes between two of them is narrowed alone.
        while first > 0 and first - 1 in chosen:
            first -= 1
        while last < len(signs) and last + 1 in chosen:
            last += 1
        row = range(max(first - 1, 0), min(last + 1, len(signs)) + 1)
        # What was narrowed for others is wide again: this one leaves them room.
        wide = [legal[i] & ~in_range(pitches[i], pitches[i]) if first <= i <= last else masks[i] for i in row]
        narrow = _narrowed(wide, [steps[signs[i]] for i in row[:-1]])
        if narrow is not None:
            chosen |= unit
            masks[row.start : row.stop] = narrow
    return {i: masks[i] for i in chosen}


def _narrowed(masks: list[BoolArray], steps: Sequence[BoolArray]) -> list[BoolArray] | None:
    """Each note's pitches narrowed to those with neighbours on the right side of them; None where none are left.

    A chain needs one pass to and one fro. `steps`: from each note to the next (128, 128), which pitch (column) may
    follow which (row).
    """
    for i, step in enumerate(steps):
        masks[i + 1] = masks[i + 1] & step[masks[i]].any(axis=0)
    for i in range(len(steps) - 1, -1, -1):
        masks[i] = masks[i] & steps[i][:, masks[i + 1]].any(axis=1)
    return masks if all(mask.any() for mask in masks) else None


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
