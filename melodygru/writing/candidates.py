"""Melodies that were asked for: what is to be written, what comes of it, and how good each candidate is.

The rating of a candidate says how much it is like people's melodies in what can be counted; the melodies with the best
ratings are given where the best of many was asked for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict

from melodygru.music.chords import ChordSpan
from melodygru.music.key_finding import key_correlations
from melodygru.music.melody import Melody
from melodygru.records import dataclass
from melodygru.writing.config import GenerationConfig

_NEAR = 0.25
"""Up to so far from people's likelihood, as a share of it, a likelihood is as good as theirs."""
_FORM = 0.6
"""The share of notes that stand again which is enough."""
_SPAN = (7, 19)
"""The least and the greatest range in semitones that costs nothing."""
_LAGS = (1, 2, 4, 8, 16)
"""Bars after which notes may stand again."""


@dataclass(frozen=True)
class Order:
    """What is to be written, but for how many; see `Model.generate_many` and `Model.compose`.

    Attributes:
        config: what is asked for.
        seed: at least 0.
        primer: a melody that it begins with; or of which only something is taken.
        include_primer: whether what it begins with is given too.
        as_drawn: see `Model.compose`.
        loops: whether the pickup finds its place free in the last bar, see `melodygru.writing.planner.plan`.
        takes: "" or, of the primer, "rhythm" or "pitches"; see `melodygru.writing.borrowing`.
    """

    config: GenerationConfig
    seed: int
    primer: Melody | None = None
    include_primer: bool = True
    as_drawn: bool = False
    takes: str = ""
    loops: bool = False

    @property
    def continued(self) -> Melody | None:
        """What it begins with, if anything."""
        return None if self.takes else self.primer


@dataclass(frozen=True)
class Rating:
    """The parts of a candidate's rating, each in [0, 1]; None for one that does not apply."""

    likelihood: float | None
    key: float
    form: float
    range: float
    joins: float | None = None

    @property
    def total(self) -> float:
        """The mean of the parts that apply."""
        parts = [part for part in asdict(self).values() if part is not None]
        return sum(parts) / len(parts)


@dataclass(frozen=True)
class Generated:
    """A melody that a model wrote.

    Attributes:
        melody: its notes.
        chords: the chords under it; empty if none were asked for.
        rating: why it was chosen among candidates; None where there was one only.
        number: which candidate it was, from 0.
    """

    melody: Melody
    chords: tuple[ChordSpan, ...] = ()
    rating: Rating | None = None
    number: int = 0


@dataclass(frozen=True)
class Candidate:
    """A melody, and how much the critic likes it (log odds that a person wrote it; 0 without a critic)."""

    generated: Generated
    liking: float


def rate(melody: Melody, nats_per_note: float, human: float | None, excess_at_joins: float | None = None) -> Rating:
    """The rating of a candidate.

    Args:
        melody: the candidate, with one note at least.
        nats_per_note: its negative log-likelihood under the model.
        human: what the model has for people's tunes; None if that is not known.
        excess_at_joins: nats per event by which what follows the joins is less probable than the rest.
    """
    likelihood = None
    if human:
        beyond = max(0.0, abs(nats_per_note - human) / human - _NEAR)
        likelihood = math.exp(-beyond / _NEAR)
    profile = melody.key if melody.key.mode in ("major", "minor") else None
    correlations = key_correlations(melody.pitch_class_weights())
    if profile is None:
        # Modes have no profile of their own: the nearest of major and minor is the one with the same third.
        third = melody.key.scale[2]
        mode = "major" if (third - melody.key.tonic) % 12 == 4 else "minor"
        profile = type(melody.key)(melody.key.tonic, mode)
    pitches = [note.pitch for note in melody.notes]
    span = max(pitches) - min(pitches)
    outside = max(_SPAN[0] - span, span - _SPAN[1], 0)
    repeated = max((share_repeated(melody, bars) for bars in _LAGS), default=0.0)
    return Rating(
        likelihood,
        max(0.0, correlations[profile]),
        min(repeated, _FORM) / _FORM,
        max(0.0, 1 - outside / 12),
        None if excess_at_joins is None else math.exp(-max(0.0, excess_at_joins)),
    )


def share_repeated(melody: Melody, bars: int) -> float:
    """The share of notes, in [0, 1], that stand again: the same pitch, `bars` bars earlier at the same place."""
    back = bars * melody.time_signature.bar_steps
    known = {(note.onset, note.pitch) for note in melody.notes}
    if back >= melody.length or not melody.notes:
        return 0.0
    return sum((note.onset - back, note.pitch) in known for note in melody.notes) / len(melody.notes)


def excess(nats: Sequence[float], onsets: Sequence[int], judged: Sequence[tuple[int, int]]) -> float | None:
    """Nats per event in the `judged` half-open ranges of steps, over the mean of the other events; None without any."""
    inside = [n for n, at in zip(nats, onsets, strict=True) if any(start <= at < end for start, end in judged)]
    outside = [n for n, at in zip(nats, onsets, strict=True) if not any(start <= at < end for start, end in judged)]
    if not inside or not outside:
        return None
    return sum(inside) / len(inside) - sum(outside) / len(outside)
