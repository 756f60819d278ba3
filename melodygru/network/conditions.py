"""What a melody shall be: its style, its character and its chords, as the network is told.

All of it is known before the first event, and all of it may be left out: class 0 of each column says that nothing is
known. Training leaves out parts at random, so that one model serves who says much and who says nothing.

- Style: the collection that the music is of, and the kind within it.
- Character: notes a quarter, rests, syncopation, leaps, range and repetition, in a few classes each. The first three
  are told for each phrase of four bars.
- Chords: root and quality of the chord at the place of the event due and of the next one, and how long it still lasts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from melodygru.music.chords import ChordSpan
from melodygru.music.theory import SCALES
from melodygru.network.arrays import Array, IntArray
from melodygru.records import dataclass

if TYPE_CHECKING:
    from melodygru.network.config import ContextConfig

STYLES = ("", "folk", "song", "hymn", "standard", "dance", "game")
"""Collections; the first stands for none that is known, such as a user's own folder."""
KINDS = (
    *("", "reel", "jig", "slip jig", "hornpipe", "strathspey", "air", "march", "waltz", "mazurka", "polonaise"),
    *("polka", "polska", "krakowiak", "contradance", "minuet", "rag", "gavotte", "galop", "tango"),
)
"""Kinds of folk tunes and dances; the first stands for none that is known."""
QUALITIES = ("", "maj", "min", "7", "maj7", "m7", "dim", "aug", "sus")
"""What the network tells apart of chords; the first: no chord is known here."""
PHRASE_BARS = 4
"""Bars for which density, rests and syncopation are told together."""
_REST, _TIE = 128, 129
"""`melodygru.network.tokenizer.REST` and TIE: that module knows this one."""
LEAP = 5
"""Semitones from which on a move is a leap: a fourth."""
NATURAL = "natural"
SCALES_TOLD = (
    *("", NATURAL, "harmonic minor", "melodic minor", "major pentatonic", "minor pentatonic", "blues", "chromatic"),
)
"""What a melody makes of its mode; the first: nothing is known."""
LASTS = (24, 48, 72, 96, 144, 192)
"""Steps that are told apart of how long a chord still lasts: less than the first is class 1, and so on."""
CHORD_DEGREES = 13
"""0..11 semitones above the root, then: no note, or no chord."""


class Trait(NamedTuple):
    """One trait of a melody's character: what it counts, and the edges of its classes, from 1 on."""

    counts: str
    edges: tuple[float, ...]


CHARACTER: dict[str, Trait] = {
    "density": Trait("notes a quarter", (0.5, 0.7, 0.9, 1.15, 1.45, 1.75, 2.1, 2.7)),
    "rests": Trait("share of the time in which nothing sounds", (0.01, 0.06, 0.14)),
    "syncopation": Trait("share of the notes that begin off a beat and last over the next", (0.001, 0.05, 0.15, 0.3)),
    "leaps": Trait("share of the moves that are a fourth or more", (0.07, 0.12, 0.17, 0.25)),
    "span": Trait("semitones from the lowest note to the highest", (11, 13, 16, 19, 24)),
    "repetition": Trait("share of the notes in bars whose rhythm was heard before", (0.3, 0.6, 0.75, 0.85)),
}
"""The traits in the order of their columns. Edges: about equal shares of all collections together."""
_CHARACTER_DRAW = 8
"""Tells this draw from others that have the same seed."""
LOCAL = ("density", "rests", "syncopation")
"""Those that are told for each phrase."""


class Character(NamedTuple):
    """A class of each trait of `CHARACTER`; 0: not said."""

    density: int = 0
    rests: int = 0
    syncopation: int = 0
    leaps: int = 0
    span: int = 0
    repetition: int = 0


@dataclass(frozen=True)
class Conditions:
    """What a melody shall be.

    Attributes:
        style, kind: of `STYLES` and `KINDS`.
        scale: of `SCALES_TOLD`.
        character: of the whole; or, a tuple of it for each phrase of `each` bars, the last for all that follow.
        each: bars of a phrase; with sections of other lengths than were learned of, each bar is told by itself.
        chords: in order, on the melody's grid; they need not cover it.
        drawn: characters of people's pieces, of which each melody is told another one where `character` says nothing.
            Told nothing, a network drifts into what is likeliest at every step: it repeats more than people do.
        stressed: traits of character, or "mode", that guidance goes along, and nothing else; none: along all that is
            told.
    """

    style: str = ""
    kind: str = ""
    scale: str = ""
    character: tuple[Character, ...] = (Character(),)
    chords: tuple[ChordSpan, ...] = ()
    drawn: tuple[Character, ...] = ()
    stressed: tuple[str, ...] = ()
    each: int = PHRASE_BARS

    def settled(self, *seed: int) -> Conditions:
        """The same for one melody, with one of the characters that may be drawn: one that has all that is said."""
        if not self.drawn:
            return self
        said = self.character[0]
        fitting = [one for one in self.drawn if all(a in (0, b) for a, b in zip(said, one, strict=True))] or self.drawn
        one = fitting[np.random.default_rng([*seed, _CHARACTER_DRAW]).integers(len(fitting))]
        character = tuple(Character(*(a or b for a, b in zip(told, one, strict=True))) for told in self.character)
        return replace(self, character=character, drawn=())


def class_of(trait: str, value: float) -> int:
    """The class of a value, from 1."""
    return int(np.searchsorted(CHARACTER[trait].edges, value, side="right")) + 1


def quality_class(tones: Sequence[int]) -> int:
    """The place in `QUALITIES` of a chord with these pitch classes, the root's first."""
    above = {(tone - tones[0]) % 12 for tone in tones}
    if 3 in above and 4 not in above:
        if 6 in above and 7 not in above:
            return QUALITIES.index("dim")
        return QUALITIES.index("m7" if above & {10, 11} else "min")
    if 4 in above:
        if 8 in above and 7 not in above:
            return QUALITIES.index("aug")
        return QUALITIES.index("7" if 10 in above else "maj7" if 11 in above else "maj")
    return QUALITIES.index("sus" if above & {2, 5} else "maj")


def measured(
    durations: IntArray,
    pitches: IntArray,
    bar_steps: int,
    beat_steps: int,
    bars: int,
    has_pickup: bool,
    phrase_bars: int = PHRASE_BARS,
) -> tuple[Character, ...]:
    """The character of a piece's events (T,): of each phrase, the traits of the whole the same in all."""
    ends = np.cumsum(durations)
    sounds = pitches < _REST
    onset = (ends - durations)[sounds]
    heard = pitches[sounds]
    length = durations[sounds].copy()
    # A tie prolongs the note before it.
    tied = np.flatnonzero(pitches == _TIE)
    if len(tied) and len(length):
        np.add.at(length, np.cumsum(sounds)[tied] - 1, durations[tied])
    if not len(onset):
        return (Character(),)
    begin = int(onset[0]) if has_pickup else 0
    moves = np.abs(np.diff(heard))
    whole = {
        "leaps": float((moves >= LEAP).mean()) if len(moves) else 0.0,
        "span": float(heard.max() - heard.min()),
        "repetition": _repetition(onset, length, bar_steps),
    }
    of_all = {name: class_of(name, value) for name, value in whole.items()}
    first = bar_steps if has_pickup else 0
    total = (bars + has_pickup) * bar_steps
    edges = [begin, *range(first + phrase_bars * bar_steps, total, phrase_bars * bar_steps), total]
    if len(edges) > 2 and edges[-1] - edges[-2] < phrase_bars * bar_steps // 2:
        del edges[-2]  # what is left over belongs to the phrase before it
    off = (onset % beat_steps != 0) & (onset + length > (onset // beat_steps + 1) * beat_steps)
    found = []
    for low, high in pairwise(edges):
        inside = (onset >= low) & (onset < high)
        count = int(inside.sum())
        filled = np.minimum(onset + length, high) - np.maximum(onset, low)
        local = {
            "density": 24 * count / (high - low),
            "rests": 1 - float(filled[filled > 0].sum()) / (high - low),
            "syncopation": float(off[inside].mean()) if count else 0.0,
        }
        found.append(Character(**{name: class_of(name, value) for name, value in local.items()}, **of_all))
    return tuple(found)


def measured_scale(durations: IntArray, pitches: IntArray, tonic: int, mode: str) -> str:
    """What a piece's events (T,) make of its mode: one of `SCALES_TOLD`."""
    sounds = pitches < _REST
    weight = np.bincount(((pitches[sounds] - tonic) % 12).astype(np.intp), durations[sounds], 12)
    weight = weight / max(weight.sum(), 1)
    inside = {name: weight[list(tones)].sum() for name, tones in _TONES.items()}
    if inside["blues"] >= 0.95 and weight[6] >= 0.01 and weight[3] > 0:
        return "blues"
    for name in ("major pentatonic", "minor pentatonic"):
        if inside[name] >= 0.99:
            return name
    if mode == "minor" and weight[11] > weight[10]:
        return "melodic minor" if weight[9] > weight[8] else "harmonic minor"
    return "natural" if weight[list(SCALES[mode])].sum() >= 0.97 else "chromatic"


_TONES = {"blues": (0, 3, 5, 6, 7, 10), "major pentatonic": (0, 2, 4, 7, 9), "minor pentatonic": (0, 3, 5, 7, 10)}


def _repetition(onset: IntArray, length: IntArray, bar_steps: int) -> float:
    bars: dict[int, list[tuple[int, int]]] = {}
    for at, lasts in zip(onset.tolist(), length.tolist(), strict=True):
        bars.setdefault(at // bar_steps, []).append((at % bar_steps, lasts))
    seen: set[tuple[tuple[int, int], ...]] = set()
    again = 0
    for rhythm in map(tuple, bars.values()):
        again += len(rhythm) * (rhythm in seen)
        seen.add(rhythm)
    return again / max(len(onset), 1)


class Told:
    """The conditions of B melodies, ready to be asked for any place of any of them."""

    def __init__(self, conditions: Sequence[Conditions], bar_steps: Array, tonic: Array, has_pickup: Array):
        self._style = np.array([STYLES.index(one.style) for one in conditions], np.int64)
        self._kind = np.array([KINDS.index(one.kind) for one in conditions], np.int64)
        self._scale = np.array([SCALES_TOLD.index(one.scale) for one in conditions], np.int64)
        self._tonic, self._bar_steps = np.asarray(tonic, np.int64), np.asarray(bar_steps, np.int64)
        self._first = np.asarray(has_pickup, np.int64) * self._bar_steps
        phrases = max((len(one.character) for one in conditions), default=1)
        self._character = np.array(
            [[*one.character, *[one.character[-1]] * (phrases - len(one.character))] for one in conditions], np.int64
        ).reshape(-1, phrases, len(CHARACTER))
        self._each = np.array([one.each for one in conditions], np.int64)
        spans = max((len(one.chords) for one in conditions), default=0)
        # Of each chord: where it begins and ends, its root, its quality. After the last there is none.
        self._chords = np.zeros((len(conditions), spans + 1, 4), np.int64)
        self._chords[:, :, :2] = np.iinfo(np.int64).max
        for row, one in enumerate(conditions):
            for place, span in enumerate(one.chords):
                root, quality = (0, 0) if span.chord is None else (span.chord.root, quality_class(span.chord.tones))
                self._chords[row, place] = span.onset, span.end, root, quality

    @property
    def of_melodies(self) -> tuple[IntArray, ...]:
        """(B,) each: classes of style, kind and scale, the step of the first bar line after the pickup, and the bars
        of a phrase.
        """
        return self._style, self._kind, self._scale, self._first, self._each

    @property
    def of_phrases(self) -> IntArray:
        """(B, phrases, traits) classes of character; the last phrase's are those of all that follow."""
        return self._character

    @property
    def of_chords(self) -> IntArray:
        """(B, spans, 4): onset, end, root and quality of each chord, in order; the last is none."""
        return self._chords

    def keep(self, rows: IntArray) -> None:
        """Go on with these melodies (indices) alone."""
        for name, array in vars(self).items():
            setattr(self, name, array[rows])

    def columns(
        self, config: ContextConfig, rows: IntArray, onset: IntArray, previous: IntArray
    ) -> tuple[list[IntArray], IntArray]:
        """What the network is told, in the order of `melodygru.network.columns.condition_columns`, and the root.

        Args:
            config: what is told.
            rows: (N,) of the melodies.
            onset: (N,) steps, of the places.
            previous: (N,) the pitch classes before them.

        Returns:
            Columns (N,), and (N,) the pitch class of the chord's root, -1 for none.
        """
        columns = self.style(rows) if config.style else []
        if config.character:
            columns += self.character(rows, onset)
        if not config.chords:
            return columns, np.full(len(rows), -1, np.int64)
        of_chords, root = self.chords(rows, onset)
        return [*columns, *of_chords, chord_degrees(previous, root)], root

    def style(self, rows: IntArray) -> list[IntArray]:
        """Columns (N,) of style and kind, of melodies `rows` (N,)."""
        return [self._style[rows], self._kind[rows]]

    def character(self, rows: IntArray, onset: IntArray) -> list[IntArray]:
        """Columns (N,): of the scale, and one a trait, at these places (steps)."""
        phrase = (onset - self._first[rows]) // (self._each[rows] * self._bar_steps[rows])
        at = self._character[rows, np.clip(phrase, 0, self._character.shape[1] - 1)]
        return [self._scale[rows], *(at[:, trait] for trait in range(at.shape[1]))]

    def chords(self, rows: IntArray, onset: IntArray) -> tuple[list[IntArray], IntArray]:
        """Columns (N,): root above the tonic and quality of the chord at these places, the same of the next, how long
        it still lasts; and (N,) the root's pitch class, -1 for none.
        """
        if self._chords.shape[1] == 1:  # nobody has any
            none, far = np.zeros(len(rows), np.int64), np.full(len(rows), CHORD_DEGREES - 1, np.int64)
            return [far, none, far, none, none], none - 1
        of = self._chords[rows]
        place = (of[:, :, 0] <= onset[:, None]).sum(axis=1) - 1
        every = np.arange(len(rows))
        now, after = of[every, np.maximum(place, 0)], of[every, np.minimum(place + 1, of.shape[1] - 1)]
        there = (place >= 0) & (now[:, 1] > onset) & (now[:, 3] > 0)
        next_there = (after[:, 3] > 0) & (after[:, 0] < np.iinfo(np.int64).max)
        tonic = self._tonic[rows]
        lasts = np.searchsorted(LASTS, now[:, 1] - onset, side="right") + 1
        columns = [
            np.where(there, (now[:, 2] - tonic) % 12, CHORD_DEGREES - 1),
            np.where(there, now[:, 3], 0),
            np.where(next_there, (after[:, 2] - tonic) % 12, CHORD_DEGREES - 1),
            np.where(next_there, after[:, 3], 0),
            np.where(there, lasts, 0),
        ]
        return columns, np.where(there, now[:, 2], -1)


def chord_degrees(pitches: IntArray, root: IntArray) -> IntArray:
    """Classes, in [0, CHORD_DEGREES), of pitch classes above roots (-1: no chord)."""
    return np.where((pitches < _REST) & (root >= 0), (pitches - root) % 12, CHORD_DEGREES - 1)
