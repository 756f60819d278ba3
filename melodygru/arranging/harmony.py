"""Chords for a melody: as people put them under hymns, songs and standards, and more plainly under folk tunes.

    melody = Melody.from_midi("tune.mid")
    [best] = harmonize(melody, style="hymn")
    print([span.chord.symbol for span in best.chords if span.chord])

What a network learned of pieces with chords (`melodygru.arranging.chord_network`) is decoded exactly
(`melodygru.arranging.chord_paths`), among all chords that keep to the style's vocabulary and pace, have most of the
melody's notes, are the same where the melody is (`melodygru.arranging.repeats`), and end on the tonic where it does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import groupby

import numpy as np

from melodygru.arranging.beats import beat_count, beats_in_bar, describe, half_beat, sounding
from melodygru.arranging.chord_network import (
    CHORD_QUALITIES,
    QUALITY_COUNT,
    STATES,
    ChordScores,
    scored,
    state_of,
    tones_of_states,
    weights,
)
from melodygru.arranging.chord_paths import best_path, expected_right, nats_of_path, worth
from melodygru.arranging.repeats import beats_alike, in_common
from melodygru.errors import UsageError, check_range
from melodygru.music.chords import Chord, ChordSpan
from melodygru.music.melody import Melody
from melodygru.music.spelling import class_name
from melodygru.music.theory import Key
from melodygru.network.arrays import BoolArray, FloatArray, IntArray
from melodygru.records import dataclass

MOST_WAYS = 16
MOST_BEATS = 50_000
"""Of a melody that chords are found for: some seconds' work."""
DIFFERENT_BARS = 0.25
"""Share of bars, at least, in which each way has other roots than every other way."""
CHORDS_PER_BAR = (1, 2)
_MAJOR_THIRD = 4
FIT_SHARE = 0.2
"""What it is worth, in right beats, that a beat's notes belong to its chord; chosen on pieces that are watched."""
_PENALTIES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
"""Nats that a beat costs, at most, with the root of an earlier way: the first that leads to another way is taken."""


@dataclass(frozen=True)
class HarmonyStyle:
    """What a style asks of chords.

    Attributes:
        learned: the style of `melodygru.arranging.beats.LEARNED_STYLES` whose chords it has; None for what all share.
        qualities: those of `CHORD_QUALITIES` that there may be.
        chords_per_bar: at most; None for as many as beats.
        over_pickup: whether a pickup has chords too.
        pure_modes: whether in dorian, mixolydian and the like chords have no notes but the mode's.
    """

    learned: str | None
    qualities: tuple[str, ...] = CHORD_QUALITIES
    chords_per_bar: int | None = None
    over_pickup: bool = False
    pure_modes: bool = False


_PLAIN = ("maj", "m", "7", "dim")
STYLES = {
    "hymn": HarmonyStyle("hymn", over_pickup=True),
    "song": HarmonyStyle("song", ("maj", "m", "7", "m7", "dim", "dim7", "m7b5", "aug")),
    "standard": HarmonyStyle("standard"),
    "folk": HarmonyStyle("standard", _PLAIN, 2, pure_modes=True),
    "dance": HarmonyStyle("standard", _PLAIN, 2, pure_modes=True),
    "game": HarmonyStyle(None, ("maj", "m", "7", "m7", "maj7", "dim"), 2, pure_modes=True),
}
"""Styles by name. Folk tunes, dances and music of games have no chords to learn from: theirs are plain ones."""
ANY_STYLE = HarmonyStyle(None)


@dataclass(frozen=True)
class Harmonization:
    """One way to harmonize a melody.

    Attributes:
        chords: spans in order that cover the melody without a gap, from its first step (a pickup's, or 0) to its
            last bar line; spans side by side have different chords.
        nats: how unlikely the network finds exactly these chords, of all that there are: at least 0, less is likelier.
    """

    chords: tuple[ChordSpan, ...]
    nats: float


def harmonize(
    melody: Melody,
    *,
    style: str | None = None,
    key: Key | None = None,
    chords_per_bar: int | None = None,
    count: int = 1,
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[Harmonization, ...]:
    """Ways to harmonize a melody, the first being right, by what was learned, for as many beats as can be expected.

    Args:
        melody: with one note at least, of at most `MOST_BEATS` felt beats.
        style: one of `STYLES`; None for what hymns, songs and standards have in common.
        key: that the chords are in; the melody's own unless given.
        chords_per_bar: at most 1 or 2, changing with the bar or with its halves; None: as the style has it.
        count: how many ways, in [1, 16]. There are fewer where a melody is so short that no more differ.
        seed: of what the second and later ways change, at least 0; the first is the same whatever it is.
        progress: called with the ways found, and all.

    Returns:
        Ways, each likely right for no fewer beats than the next, of which any two have different roots in a quarter of
        the bars at least.

    Raises:
        UsageError: values out of range, a melody without notes or too long.
    """
    chosen = _checked(melody, style, chords_per_bar, count, seed)
    key = key or melody.key
    problem = _Problem.of(melody, key, chosen, chords_per_bar or chosen.chords_per_bar)
    rng = np.random.default_rng(seed)
    right = problem.right()
    paths = [best_path(right, problem.free)]
    for done in range(1, count):
        if progress is not None:
            progress(done, count)
        other = problem.other_way(paths, rng)
        if other is None:
            break
        paths.append(other)
    paths.sort(key=lambda path: -worth(right, path))  # which leaves the first where it is
    return tuple(
        Harmonization(_spans(path, melody, key, chosen), max(0.0, nats_of_path(problem.scores, path))) for path in paths
    )


@dataclass(frozen=True)
class _Problem:
    """What is to be decoded: T beats, S states.

    Attributes:
        scores: the network's.
        wishes: (T, S), -inf for what may not be.
        free: (T,), the beats on which the chord may change.
        fits: (T, S), what it is worth that a beat's notes belong to its chord.
        bars: (T,), the bar of each beat.
        alike: beats that are to have the same chords.
    """

    scores: ChordScores
    wishes: FloatArray
    free: BoolArray
    fits: FloatArray
    bars: IntArray
    alike: list[IntArray]

    @classmethod
    def of(cls, melody: Melody, key: Key, style: HarmonyStyle, chords_per_bar: int | None) -> _Problem:
        """That of a melody in a key."""
        alike = beats_alike(melody)
        scores = scored(describe(melody, key, style.learned), weights())
        return cls(
            replace(scores, states=in_common(scores.states, alike), stays=in_common(scores.stays, alike)),
            _possible(_vocabulary(melody, key, style), _close(melody, key)),
            _free(melody, chords_per_bar),
            FIT_SHARE * sounding(melody, key.tonic) @ tones_of_states().T,
            np.arange(beat_count(melody)) // beats_in_bar(melody),
            alike,
        )

    def right(self, more: FloatArray | float = 0.0) -> FloatArray:
        """(T, S) what each state is worth in each beat; `more` is added to the network's scores."""
        return expected_right(self.scores, self.wishes + more, self.free, self.alike) + self.fits

    def other_way(self, paths: list[IntArray], rng: np.random.Generator) -> IntArray | None:
        """A path whose roots differ from those of all earlier ones in enough bars; None where there is none.

        What it costs to have an earlier one's root is drawn for each bar.
        """
        costs = in_common(rng.random(int(self.bars[-1]) + 1)[self.bars], self.alike)
        roots = np.arange(STATES) // QUALITY_COUNT
        shared = sum((roots == path[:, None] // QUALITY_COUNT).astype(np.float64) for path in paths)
        for penalty in _PENALTIES:
            path = best_path(self.right(-penalty * costs[:, None] * shared), self.free)
            if all(self._different(path, other) >= DIFFERENT_BARS for other in paths):
                return path
        return None

    def _different(self, one: IntArray, other: IntArray) -> float:
        """The share of bars, in [0, 1], in which two paths have different roots."""
        differ = np.zeros(int(self.bars[-1]) + 1)
        np.maximum.at(differ, self.bars, one // QUALITY_COUNT != other // QUALITY_COUNT)
        return float(differ.mean())


def _checked(melody: Melody, style: str | None, chords_per_bar: int | None, count: int, seed: int) -> HarmonyStyle:
    """The style. Raises UsageError for what is not legal."""
    if style is not None and style not in STYLES:
        raise UsageError(f"There is no style {style!r} for chords; choose one of {', '.join(STYLES)}.")
    if chords_per_bar is not None and chords_per_bar not in CHORDS_PER_BAR:
        raise UsageError(f"chords-per-bar is {chords_per_bar}; choose 1, 2, or auto.")
    check_range("count", count, 1, MOST_WAYS)
    if seed < 0:
        raise UsageError(f"seed is {seed}; choose a number from 0 on.")
    if not melody.notes:
        raise UsageError("The melody has no notes, so no chords follow from it; give one with notes.")
    if beat_count(melody) > MOST_BEATS:
        raise UsageError(f"The melody has {beat_count(melody):,} beats; chords are found for up to {MOST_BEATS:,}.")
    return ANY_STYLE if style is None else STYLES[style]


def _vocabulary(melody: Melody, key: Key, style: HarmonyStyle) -> FloatArray:
    """(S,): 0 for states that there may be, -inf for others.

    In minor the tonic chord is minor, unless the melody has the major third somewhere; it may be a dominant's still.
    """
    allowed = np.tile(np.isin(CHORD_QUALITIES, style.qualities), 12)
    if style.pure_modes and key.mode not in ("major", "minor"):
        foreign = [degree for degree in range(12) if (key.tonic + degree) % 12 not in key.scale]
        allowed &= tones_of_states()[:, foreign].sum(1) == 0
    if _is_minor(key) and all((note.pitch - key.tonic) % 12 != _MAJOR_THIRD for note in melody.notes):
        allowed[[state_of(0, quality) for quality in ("maj", "maj7", "6")]] = False
    return np.where(allowed, 0.0, -np.inf)


def _possible(vocabulary: FloatArray, close: FloatArray) -> FloatArray:
    """(T, S): both together; where no chord would be left, as for the tonic of locrian, the vocabulary alone."""
    both = vocabulary + close
    return np.where(np.isneginf(both).all(1, keepdims=True), vocabulary, both)


def _is_minor(key: Key) -> bool:
    """Whether the third above the tonic is minor."""
    return (key.tonic + 3) % 12 in key.scale


def _close(melody: Melody, key: Key) -> FloatArray:
    """(T, S): -inf in the end for all but the tonic chord, where the melody ends on the tonic."""
    wishes = np.zeros((beat_count(melody), STATES))
    last = melody.notes[-1]
    if (last.pitch - key.tonic) % 12 == 0:
        tonic = state_of(0, "m" if _is_minor(key) else "maj")
        wishes[(last.end - 1) // melody.time_signature.beat_steps :, np.arange(STATES) != tonic] = -np.inf
    return wishes


def _free(melody: Melody, chords_per_bar: int | None) -> BoolArray:
    """(T,): the beats on which the chord may change."""
    within = np.arange(beat_count(melody)) % beats_in_bar(melody)
    if chords_per_bar is None:
        return np.ones(len(within), np.bool_)
    return np.asarray((within == 0) | ((within == half_beat(melody)) & (chords_per_bar == 2)))


def _spans(path: IntArray, melody: Melody, key: Key, style: HarmonyStyle) -> tuple[ChordSpan, ...]:
    """The chords of a path, from the melody's first step on."""
    metre = melody.time_signature
    begin = metre.bar_steps - melody.pickup if melody.pickup else 0
    silent = metre.bar_steps if melody.pickup and not style.over_pickup else begin
    found = [ChordSpan(begin, silent, None)] if silent > begin else []
    at = 0
    for state, beats in groupby(path):
        end = at + len(list(beats)) * metre.beat_steps
        if end > silent:
            found.append(ChordSpan(max(at, silent), end, _chord(int(state), key)))
        at = end
    return tuple(found)


def _chord(state: int, key: Key) -> Chord:
    degree, quality = divmod(state, QUALITY_COUNT)
    name = CHORD_QUALITIES[quality]
    return Chord.parse(class_name((key.tonic + degree) % 12, key) + ("" if name == "maj" else name))
