"""The tempo changes of a file, by the steps of its melody, so that they can be written again under other notes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from melodygru.formats.midi.parser import USUAL_TEMPO, RawFile
from melodygru.music.melody import Melody
from melodygru.music.theory import STEPS_PER_QUARTER

if TYPE_CHECKING:
    from melodygru.formats.midi.extraction import Extraction

MOST = 20_000
"""Changes that are kept: a recording's tempo track may say one at every note."""
SLOWEST, FASTEST = 4.0, 1000.0
"""Quarters a minute that a melody may have."""

Tempi = tuple[tuple[int, float], ...]
"""(step, quarters a minute) in rising order, the first at step 0; empty for a melody of one tempo."""


def tempi_under(raw: RawFile, found: Extraction) -> Tempi:
    """The tempo changes under the one melody that was found in a file.

    None where the file has one tempo, where a player's beats were found in its stead, and of more than `MOST`.
    """
    if found.pace is not None or len(found.melodies) != 1:
        return ()
    start, length = found.starts[0], found.melodies[0].length
    by_step = {0: 60_000_000 / USUAL_TEMPO}
    for tick, tempo in raw.tempi:
        step = max(0, round(found.grid.steps(tick)) - start)
        if step < length and tempo > 0:
            by_step[step] = max(SLOWEST, min(60_000_000 / tempo, FASTEST))
    kept: list[tuple[int, float]] = []
    for step, qpm in sorted(by_step.items()):
        if not kept or kept[-1][1] != qpm:
            kept.append((step, qpm))
    return tuple(kept) if 1 < len(kept) <= MOST else ()


def seconds_under(melody: Melody, tempi: Sequence[tuple[int, float]]) -> float:
    """How long a melody lasts with these tempo changes; with none, in its own tempo."""
    if not tempi:
        return melody.seconds
    ends = [*(step for step, _ in tempi[1:]), melody.length]
    steps = [(max(0, min(end, melody.length) - step), qpm) for (step, qpm), end in zip(tempi, ends, strict=True)]
    return sum(count * 60 / (STEPS_PER_QUARTER * qpm) for count, qpm in steps)
