"""Chords as constraints: what may sound over a progression."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

import numpy as np

from melodygru.music.chords import ChordSpan, chord_scale, strong_beats
from melodygru.music.theory import TimeSignature
from melodygru.network.arrays import BoolArray, IntArray
from melodygru.writing.constraints.base import PITCHES, Constraint, of_classes


class OverChords(Constraint):
    """Chord tones on strong beats, begun there or held into them; elsewhere the scale that follows the chord.

    Strong beats are those of `melodygru.music.chords.strong_beats` and wherever a chord begins. Where there is
    no chord (N.C.) the scale alone is asked for.

    Args:
        spans: the progression laid out over the piece, in order.
        scale: the key's scale, as pitch classes; None leaves what is not on a strong beat alone.
        tonic: its tonic, as a pitch class.
        echoes: (start, end, begin of the repeat) in steps: what is written in [start, end) is heard there again, over
            that place's chords.
    """

    def __init__(
        self,
        spans: Sequence[ChordSpan],
        metre: TimeSignature,
        scale: Sequence[int] | None,
        tonic: int,
        echoes: Sequence[tuple[int, int, int]] = (),
    ):
        self.spans = spans
        self.echoes = echoes
        self._starts = [span.onset for span in spans]
        self._tones, self._scales = [], []
        for span in spans:
            free = np.ones(PITCHES, np.bool_)
            self._tones.append(free if span.chord is None else of_classes(span.chord.tones))
            self._scales.append(free if scale is None else of_classes(chord_scale(scale, tonic, span.chord)))
        strong = {span.onset for span in spans}
        for bar in range(spans[0].onset, spans[-1].end, metre.bar_steps):
            strong.update(bar + beat for beat in strong_beats(metre))
        self._strong = np.array(sorted(strong))

    def _span(self, step: int) -> int | None:
        place = bisect_right(self._starts, step) - 1
        return place if place >= 0 and step < self.spans[place].end else None

    def _heard(self, onset: int) -> list[int]:
        """How far from `onset` what is written there is heard: 0, and the distances of its repeats."""
        return [0, *(again - start for start, end, again in self.echoes if start <= onset < end)]

    def begins(self, onset: int) -> BoolArray | None:
        """The scale that follows the chord; chord tones on strong beats."""
        legal: BoolArray | None = None
        for step in (onset + away for away in self._heard(onset)):
            place = self._span(step)
            if place is not None:
                here = self._tones[place] if step in self._strong else self._scales[place]
                legal = here if legal is None else legal & here
        return legal

    def sounds(self, onset: int, ends: IntArray) -> BoolArray | None:
        """Chord tones of all the strong beats that are sounded into."""
        legal = None
        for away in self._heard(onset):
            # With the beat at `onset` itself, which a note may be held over.
            first, last = np.searchsorted(self._strong, [onset + away, ends.max(initial=onset) + away])
            for beat in self._strong[first:last].tolist():
                place = self._span(beat)
                if place is not None:
                    legal = np.ones((len(ends), PITCHES), np.bool_) if legal is None else legal
                    legal[ends > beat - away] &= self._tones[place]
        return legal
