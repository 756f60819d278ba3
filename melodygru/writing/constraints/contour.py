"""The line that the heights of a melody follow: an arch, a valley, or the line of another melody."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from melodygru.errors import UsageError
from melodygru.music.melody import Melody
from melodygru.network.arrays import BoolArray, FloatArray
from melodygru.writing.constraints.base import PITCHES, Constraint, Progress

SHAPES: dict[str, tuple[float, ...]] = {
    "arch": (0, 1, 0),
    "valley": (1, 0, 1),
    "up": (0, 1),
    "down": (1, 0),
    "wave": (0, 1, 0, 1, 0),
}
"""Heights at equal distances from beginning to end, straight lines between them; 0 is the lowest, 1 the highest."""
SPAN = 16
"""Semitones from the lowest to the highest place of a line that a word asks for, where the range has room for them."""
MOST_HEIGHTS = 64


class Contour(Constraint):
    """Each note begins within reach of a line of heights; the nearer to it, the likelier.

    Args:
        line: pitches at equal distances from the beginning to the end of each section, straight lines between them.
        sections: half-open ranges of steps (start, end), in order, each of which the line spans anew. What begins
            after the last, up to the last bar line, is held to the line's end.
    """

    PULL = 0.15
    """Nats that a semitone of distance costs."""

    def __init__(self, line: FloatArray, sections: Sequence[tuple[int, int]]):
        self.line = line
        self.sections = sections
        self.reach = reach(float(np.ptp(line)))

    def height(self, onset: int) -> float | None:
        """The line's pitch at a step; None before and between the sections."""
        for start, end in self.sections:
            if start <= onset < end:
                return float(np.interp(onset, np.linspace(start, end, len(self.line)), self.line))
        return float(self.line[-1]) if onset >= self.sections[-1][1] else None

    def begins(self, onset: int) -> BoolArray | None:
        """Pitches within reach."""
        height = self.height(onset)
        return None if height is None else np.abs(np.arange(PITCHES) - height) <= self.reach

    def pitch_preference(self, progress: Progress) -> FloatArray:
        """Minus a cost for every semitone of distance."""
        cost = np.zeros((len(progress.onset), PITCHES))
        for row, onset in enumerate(progress.onset.tolist()):
            if (height := self.height(onset)) is not None:
                cost[row] = -self.PULL * np.abs(np.arange(PITCHES) - height)
        return cost


def reach(span: float) -> int:
    """How far from a line of this span a note may begin, in semitones: 5 of 16, at least 2 and at most 6."""
    return min(max(round(span * 5 / SPAN), 2), 6)


def parse_contour(text: str) -> tuple[float, ...]:
    """Heights of a line: for a word those of `SHAPES`, for numbers ("60 64 67 60") those, in semitones.

    Raises UsageError for anything else.
    """
    if text in SHAPES:
        return SHAPES[text]
    try:
        heights = tuple(float(number) for number in text.split())
    except ValueError:
        heights = ()
    if not 2 <= len(heights) <= MOST_HEIGHTS or not all(0 <= height < PITCHES for height in heights):
        raise UsageError(
            f"contour is {text!r}; choose {', '.join(SHAPES)}, or write 2 to {MOST_HEIGHTS} heights in semitones, such "
            "as 60 67 64 60; the command line takes the file of a melody too."
        )
    return heights


def place(text: str, low: int, high: int, last: Collection[int]) -> FloatArray:
    """The line that `text` asks for, as pitches in [low, high].

    A word's line spans 16 semitones, one of numbers as many as they do; no more than 6 less than the range, or half of
    a range of less than an octave. It lies in the middle of the range, but for the smallest step that leads its end to
    a pitch of the classes `last` (where there is one that does not lead out of the range).
    """
    heights = np.array(parse_contour(text), np.float64)
    own, room = float(np.ptp(heights)), high - low
    span = min(SPAN if text in SHAPES else own, max(room - 6, room / 2))
    line = (heights - heights.min()) * (span / own if own else 0.0) + (low + high - span) / 2
    homes = (pitch for pitch in range(PITCHES) if pitch % 12 in last)
    steps = [home - line[-1] for home in homes if low <= line.min() + home - line[-1] <= high - span]
    return line + min(steps, key=abs, default=0.0)


def line_of(melody: Melody) -> str:
    """A melody's own line, in numbers that `parse_contour` reads.

    The mean height of what sounds in each bar, or in each of 64 equal parts where there are more bars; what is silent
    lies on the way from the part before to the next.
    """
    parts = min(max(melody.length // melody.time_signature.bar_steps, 2), MOST_HEIGHTS)
    edges = np.linspace(0, melody.length, parts + 1)
    starts, ends, pitches = np.array([(note.onset, note.end, note.pitch) for note in melody.notes]).T
    shares = np.clip(np.minimum(ends, edges[1:, None]) - np.maximum(starts, edges[:-1, None]), 0, None)  # (parts, N)
    total = shares.sum(axis=1)
    sounding = np.flatnonzero(total)
    heights = np.interp(np.arange(parts), sounding, shares[sounding] @ pitches / total[sounding])
    return " ".join(f"{height:.1f}" for height in heights)
