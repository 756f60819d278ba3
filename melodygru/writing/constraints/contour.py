"""The line that the heights of a melody follow: an arch, a valley, or the line of another melody."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from melodygru.errors import UsageError
from melodygru.music.melody import Melody
from melodygru.network.arrays import BoolArray, FloatArray, IntArray
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
LEAST_ROOM = 8
"""Semitones of the narrowest range in which a line can be heard."""
MOST_HEIGHTS = 64


class Contour(Constraint):
    """Each note sounds within reach of a line of heights, the nearer the likelier.

    A rest of more than a beat ends before the line has moved on by half of that. So neither a held note nor silence
    passes a bend by.

    Args:
        line: pitches at equal distances from the beginning to the end of each section, straight lines between them.
        sections: half-open ranges of steps (start, end), in order, each of which the line spans anew. What follows the
            last, up to the last bar line, is held to the line's end; before and between them anything goes.
        beat: in steps; so long before the end of each section the line has come to its own, so that a last note of
            a beat can be there.
    """

    PULL = 0.15
    """Nats that a semitone of distance costs."""

    def __init__(self, line: FloatArray, sections: Sequence[tuple[int, int]], beat: int = 0):
        self.reach = reach(float(np.ptp(line)))
        self.beat = beat
        self.heights = np.full(sections[-1][1] + 1 if sections else 1, np.nan)
        """Of each step the line's pitch, NaN where there is none; the last entry holds from there on."""
        for start, end in sections:
            places = np.linspace(start, max(end - beat, start + 1), len(line))
            self.heights[start:end] = np.interp(np.arange(start, end), places, line)
            self.heights[-1] = line[-1]

    def height(self, onset: int) -> float:
        """The line's pitch at a step, NaN where there is none."""
        return float(self.heights[min(onset, len(self.heights) - 1)])

    def begins(self, onset: int) -> BoolArray:
        """Pitches within reach."""
        return ~(np.abs(np.arange(PITCHES) - self.height(onset)) > self.reach)

    def sounds(self, onset: int, ends: IntArray) -> BoolArray:
        """Pitches that the line stays within reach of."""
        low, high = self._bounds(onset, ends)
        pitches = np.arange(PITCHES)
        return ~((high[:, None] - pitches > self.reach) | (pitches - low[:, None] > self.reach))

    def rests(self, onset: int, ends: IntArray) -> BoolArray:
        """Those of a beat, and longer ones in which the line stays where it is, or near."""
        low, high = self._bounds(onset, ends)
        return ~(high - low > self.reach / 2) | (ends - onset <= self.beat)

    def closes(self, onset: int) -> BoolArray:
        """After pitches that may be held up to the end."""
        return self.sounds(onset, np.array([max(onset + 1, len(self.heights))]))[0]

    def _bounds(self, onset: int, ends: IntArray) -> tuple[FloatArray, FloatArray]:
        """(D,) the line's lowest and highest pitch in each of [onset, end)."""
        last = len(self.heights) - 1
        path = self.heights[min(onset, last) : max(int(ends.max(initial=onset + 1)), min(onset, last) + 1)]
        until = np.clip(ends - 1 - min(onset, last), 0, len(path) - 1)
        return np.fmin.accumulate(path)[until], np.fmax.accumulate(path)[until]

    def pitch_preference(self, progress: Progress) -> FloatArray:
        """Minus a cost for every semitone of distance."""
        heights = self.heights[np.minimum(progress.onset, len(self.heights) - 1)]
        return np.nan_to_num(-self.PULL * np.abs(np.arange(PITCHES) - heights[:, None]))


def reach(span: float) -> int:
    """How far from a line of this span a note may sound, in semitones: 5 of 16, at least 2 and at most 6."""
    return min(max(round(span * 5 / SPAN), 2), 6)


def parse_contour(text: str) -> tuple[float, ...]:
    """Heights of a line: for a word those of `SHAPES`, for numbers ("0 7 4 0") those, in semitones.

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
            f"contour is {_shortened(text)!r}; choose {', '.join(SHAPES)}, or write 2 to {MOST_HEIGHTS} heights in "
            "semitones, of which the differences count: 0 7 4 0; the command line takes the file of a melody too."
        )
    return heights


def _shortened(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"


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
