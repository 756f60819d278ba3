"""How n-grams look at notes: several viewpoints (Conklin & Witten 1995), each of which makes other notes the same.

A viewpoint says three things of a note: what stands for it once it is past (its *code*), what is known of it before its
pitch is (how long it is and where it stands, since timing is given), and from where its pitch is counted: from the
tonic or from the note before, so that no transposition is needed. All are whole numbers, which mean something only by
being equal or not.
"""

from __future__ import annotations

import numpy as np

from melodygru.network.arrays import IntArray
from melodygru.records import dataclass

VIEWPOINTS: tuple[str, ...] = (
    "interval",
    "pitch and duration",
    "interval, degree and duration",
    "pitch, by accent and bars left",
    "pitch, by place in the bar",
)
"""V of them; pitch is counted from the tonic, octave and all. Chosen on hymns, songs and dances: see
docs/decisions.md."""
_FROM_TONIC = np.array([False, True, False, True, True])
_NO_INTERVAL = 200
"""Stands for the interval of a first note."""
_MANY_BARS = 4
"""From so many bars left on, how many are left is not told apart."""


@dataclass(frozen=True)
class Notes:
    """N notes, each of its own melody or one after another; all (N,).

    Attributes:
        reference: the pitch of the note before, -1 for a first note.
        tonic: pitch class of the key's tonic.
        duration, position: in steps; since the bar line.
        bar_steps, beat_steps: lengths of a bar and a beat.
        bars_left: full bars to come, this one included.
    """

    reference: IntArray
    tonic: IntArray
    duration: IntArray
    position: IntArray
    bar_steps: IntArray
    beat_steps: IntArray
    bars_left: IntArray

    def base(self) -> IntArray:
        """(V, N) from what pitch the next is counted; -1 where a viewpoint has none."""
        return np.where(_FROM_TONIC[:, None], self.tonic, self.reference)

    def known(self) -> IntArray:
        """(V, N) what each viewpoint knows of these notes beside their pitch."""
        on_beat, on_half = self.position % self.beat_steps == 0, self.position * 2 % self.beat_steps == 0
        accent = np.where(self.position == 0, 3, np.where(on_beat, 2, on_half))
        left = np.minimum(np.maximum(self.bars_left, 0), _MANY_BARS)
        place = self.position << 16 | self.bar_steps
        return np.stack([np.zeros_like(place), self.duration, self.duration, accent * (_MANY_BARS + 1) + left, place])

    def codes(self, pitch: IntArray) -> IntArray:
        """(V, N) what stands for these notes once their pitches (N,) have come."""
        above = pitch - self.tonic
        interval = np.where(self.reference >= 0, pitch - self.reference, _NO_INTERVAL)
        timed = (interval << 4 | above % 12) << 8 | self.duration
        return np.stack([interval, above << 8 | self.duration, timed, above, above])
