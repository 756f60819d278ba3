"""Melodies between two: from one to the other in even steps, in rhythm and in line.

Both are laid over each other bar by bar, the shorter one again from its beginning. The rhythm of a melody between them
has all onsets that both have; of those that one has, the weak ones of the first go first, and the strong ones of the
second come first. Its heights lie near the line that has come so far from the one to the other, on pitches of the two
or of the key; which of these, the model says, and of several such melodies the one is taken that it finds most probable
and that keeps nearest to the line.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from melodygru.errors import UsageError
from melodygru.music.melody import Melody, Note
from melodygru.network.arrays import BoolArray, FloatArray
from melodygru.network.tokenizer import PieceMeta, Tokenizer
from melodygru.records import dataclass
from melodygru.writing.candidates import Generated
from melodygru.writing.config import GenerationConfig
from melodygru.writing.constraints.base import PITCHES, Constraint, Progress, of_classes
from melodygru.writing.constraints.fidelity import AsWritten
from melodygru.writing.layout import Layout, Region, Script
from melodygru.writing.problem import Problem
from melodygru.writing.sampler import sample
from melodygru.writing.styles import conditions_for, understood

if TYPE_CHECKING:
    from melodygru.writing.model import Model

CANDIDATES = 16
"""Melodies of which each step is chosen."""
REACH = 2
"""Semitones by which a pitch of the key may lie off the line."""
PULL = 0.35
"""Nats that a semitone off the line costs while drawing: two steps of a scale weigh as much as the model's doubt."""
WEIGHT = 0.5
"""Nats a note that a semitone off the line, on average, costs in choosing."""


@dataclass(frozen=True)
class Pair:
    """Two melodies laid over each other: the same metre, bars and tonic, no pickup."""

    first: Melody
    second: Melody


def laid_over(first: Melody, second: Melody) -> Pair:
    """Two melodies bar by bar: without pickups, the shorter one repeated, the second in the first one's key.

    Raises UsageError where the metres differ, or one has no notes in its full bars.
    """
    if first.time_signature != second.time_signature:
        raise UsageError(
            f"The first melody is in {first.time_signature} and the second in {second.time_signature}; give two of the "
            "same metre."
        )
    bars = max(first.bars, second.bars)
    up = (first.key.tonic - second.key.tonic + 6) % 12 - 6
    pitches = [note.pitch + up for note in second.notes]
    if pitches and not (min(pitches) >= 0 and max(pitches) < PITCHES):
        up += 12 if min(pitches) < 0 else -12
    return Pair(_repeated(first, bars), _repeated(second.transpose(up), bars))


def _repeated(melody: Melody, bars: int) -> Melody:
    bar = melody.time_signature.bar_steps
    skipped = bar if melody.pickup else 0
    own = [replace(note, onset=note.onset - skipped) for note in melody.notes if note.onset >= skipped]
    if not own:
        raise UsageError("A melody without notes in its full bars has nothing to blend; give another.")
    length, notes = bars * bar, []
    for again in range(-(-bars // melody.bars)):
        for note in own:
            onset = note.onset + again * melody.bars * bar
            if onset < length:
                notes.append(Note(note.pitch, onset, min(note.duration, length - onset)))
    return replace(melody, notes=tuple(notes), pickup=0, bars=bars)


def rhythm_between(pair: Pair, share: float) -> list[Note]:
    """Notes of no pitch in particular, with the onsets that belong to `share`, in [0, 1], of the way to the second.

    The nearer to the second, the more onsets are its own; no step of the way goes back.
    """
    firsts, seconds = ({note.onset: note for note in one.notes} for one in (pair.first, pair.second))
    metre = pair.first.time_signature

    def strength(onset: int) -> tuple[int, int]:
        """Stronger places later; where they are equal, the later one."""
        place, beat = onset % metre.bar_steps, metre.beat_steps
        return (place == 0) + (place % beat == 0) + (place % (beat // 2) == 0), onset

    leaving = sorted(firsts.keys() - seconds.keys(), key=strength)
    coming = sorted(seconds.keys() - firsts.keys(), key=strength, reverse=True)
    onsets = firsts.keys() & seconds.keys()
    onsets |= set(leaving[round(share * len(leaving)) :]) | set(coming[: round(share * len(coming))])
    ordered = sorted(onsets)
    found = []
    for onset, following in zip(ordered, [*ordered[1:], pair.first.length], strict=True):
        here = [one[onset] for one in ((firsts, seconds) if share < 0.5 else (seconds, firsts)) if onset in one]
        found.append(Note(0, onset, min(here[0].duration, following - onset)))
    return found


def line_between(pair: Pair, share: float) -> FloatArray:
    """(steps,): the height so far on the way from the first melody's to the second's at each step."""
    return (1 - share) * _heights(pair.first) + share * _heights(pair.second)


def _heights(melody: Melody) -> FloatArray:
    """(steps,): the pitch that sounds, or sounded last; before the first note, its pitch."""
    onsets = [note.onset for note in melody.notes]
    numbers = [max(bisect_right(onsets, step) - 1, 0) for step in range(melody.length)]
    return np.array([melody.notes[number].pitch for number in numbers], np.float64)


class Near(Constraint):
    """Would rather have pitches near a line of heights (one for each step)."""

    def __init__(self, line: FloatArray, pull: float):
        self.line, self.pull = line, pull

    def pitch_preference(self, progress: Progress) -> FloatArray:
        """Minus a cost for every semitone of distance."""
        heights = self.line[np.minimum(progress.onset, len(self.line) - 1)]
        return -self.pull * np.abs(np.arange(PITCHES) - heights[:, None])


def blend(
    model: Model,
    pair: Pair,
    share: float,
    config: GenerationConfig,
    seed: int,
    only: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Generated:
    """The melody `share` of the way, in (0, 1), from the first to the second.

    Args:
        model: what writes and weighs.
        pair: the two; see `laid_over`.
        share: how far on the way.
        config: how to draw (style, temperature, top-k, top-p).
        seed: at least 0.
        only: make this candidate and no other.
        progress: called with how many candidates are finished; of those under way, parts count.

    Raises SamplingError if nothing was found.
    """
    config = understood(config, model.context, model.name)
    near, tokens = pair.second if share > 0.5 else pair.first, model.checkpoint.tokenizer_config
    line = line_between(pair, share)
    rhythm = replace(pair.first, notes=tuple(rhythm_between(pair, share)), key=near.key)
    masks = {i: _pitches(pair, near, note.onset, line[note.onset]) for i, note in enumerate(rhythm.notes)}
    if any(one.notes[-1].pitch % 12 == one.key.tonic for one in (pair.first, pair.second)):
        home = of_classes([near.key.tonic]) & (np.abs(np.arange(PITCHES) - line[rhythm.notes[-1].onset]) <= 6)
        masks[len(rhythm.notes) - 1] = home  # what ends at home on one side at least, ends there
    metre = rhythm.time_signature
    meta = PieceMeta(metre, near.key, rhythm.bars, False, conditions_for(config, metre, (), whole=False))
    layout = Layout([Region(0, rhythm.length)], Script(), 0, rhythm.length)
    rules = [AsWritten(rhythm, masks, tokens.max_duration), Near(line, PULL)]
    first_by = max(metre.bar_steps, rhythm.notes[0].onset + 1)
    problem = Problem(config, meta, layout, tokens.max_duration, first_by, silence=1.0, further=rules)
    ahead = problem.look([])
    if ahead is None:  # every note has a pitch of its own to choose, whatever stands beside it
        raise AssertionError("a rhythm of two melodies' onsets can be written")
    first, count = (0, CANDIDATES) if only is None else (only, 1)
    drawn = sample(model.engine, meta, count, config.sampling, ahead, seed, first, progress=progress)
    qpm = round(pair.first.qpm + share * (pair.second.qpm - pair.first.qpm), 3)
    found = []
    for number, one in enumerate(drawn, first):
        melody = Tokenizer(tokens).decode(one.events, qpm, f"{model.name} {near.key}".strip())
        off = float(np.mean([abs(note.pitch - line[note.onset]) for note in melody.notes]))
        found.append((float(one.nats.sum()) / len(melody.notes) + WEIGHT * off, Generated(melody, (), None, number)))
    return min(found, key=lambda one: one[0])[1]


def _pitches(pair: Pair, near: Melody, onset: int, height: float) -> BoolArray:
    """(128,): pitches within reach of the line, of the key or of the two melodies; the nearest of those at least."""
    own = np.zeros(PITCHES, np.bool_)
    own[[int(_heights_at(one, onset)) for one in (pair.first, pair.second)]] = True
    pitches = np.arange(PITCHES)
    within = np.abs(pitches - height) <= REACH
    legal: BoolArray = (of_classes(near.key.scale) | own) & within
    return legal if legal.any() else np.abs(pitches - height) <= 0.5


def _heights_at(melody: Melody, onset: int) -> float:
    return float(melody.notes[max(bisect_right(melody.notes, onset, key=lambda note: note.onset) - 1, 0)].pitch)


def distance(one: Melody, two: Melody) -> float:
    """How far two melodies of the same bars are apart: 0 for the same one.

    The share of onsets that only one has, and the mean distance of what sounds, in octaves, added up.
    """
    onsets, others = ({note.onset for note in melody.notes} for melody in (one, two))
    rhythm = len(onsets ^ others) / max(len(onsets | others), 1)
    return rhythm + float(np.abs(_heights(one) - _heights(two)).mean()) / 12
