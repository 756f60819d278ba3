"""Is what comes out unasked like people's? Notes a bar, eighths, long notes and rests, beside people's quartiles."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from melodygru.music.melody import Melody

MEASURES: dict[str, Callable[[Melody], float]] = {
    "notes a bar": lambda m: len(m.notes) / m.bars,
    "eighths": lambda m: float(np.mean([n.duration == 12 for n in m.notes])),
    "long notes": lambda m: float(np.mean([n.duration >= 48 for n in m.notes])),
    "rests": lambda m: silence(m),
}


def silence(melody: Melody) -> float:
    """Share of the time from the first note to the end of the last that is silent."""
    begin, end = melody.notes[0].onset, melody.notes[-1].onset + melody.notes[-1].duration
    return 1 - sum(note.duration for note in melody.notes) / (end - begin)


def compared(people: Sequence[Melody], written: Sequence[Melody]) -> list[tuple[str, float, float, float, float, bool]]:
    """Of each measure: people's quartiles and median, the median of what was written, and whether it lies within."""
    rows = []
    for name, measure in MEASURES.items():
        low, middle, high = np.percentile([measure(m) for m in people], [25, 50, 75]).tolist()
        own = float(np.median([measure(m) for m in written]))
        rows.append((name, low, middle, high, own, low <= own <= high))
    return rows
