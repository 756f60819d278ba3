"""Whether a melody is written out swung, and an accompaniment that swings with it."""

from __future__ import annotations

from collections.abc import Callable

from melodygru.formats.midi.performance import can_swing
from melodygru.music.melody import Melody
from melodygru.music.theory import STEPS_PER_QUARTER

_HALF, _LATE = STEPS_PER_QUARTER // 2, 2 * STEPS_PER_QUARTER // 3
_FEWEST = 4
"""Notes off the beat from which on it can be told."""


def is_swung(melody: Melody) -> bool:
    """Whether its quavers off the beat lie at two thirds of their quarters, as swing is written in triplets.

    Quarters that have a note on their middle triplet as well are triplets, and do not count.
    """
    if not can_swing(melody.time_signature):
        return False
    onsets = {note.onset for note in melody.notes}
    late = straight = 0
    for onset in onsets:
        quarter, inside = divmod(onset, STEPS_PER_QUARTER)
        straight += inside == _HALF
        late += inside == _LATE and quarter * STEPS_PER_QUARTER + _LATE // 2 not in onsets
    return late >= _FEWEST and late > 2 * straight


def swung(tick: Callable[[int], int]) -> Callable[[int], int]:
    """When a step sounds that is swung so: the first half of each quarter is stretched to two thirds, evenly."""

    def late(step: int) -> int:
        quarter, inside = divmod(step, STEPS_PER_QUARTER)
        moved = inside * _LATE // _HALF
        if inside > _HALF:
            moved = _LATE + (inside - _HALF) * (STEPS_PER_QUARTER - _LATE) // (STEPS_PER_QUARTER - _HALF)
        return tick(quarter * STEPS_PER_QUARTER + moved)

    return late
