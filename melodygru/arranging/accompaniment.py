"""An accompaniment: a melody and its chords, and the tracks that play around it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from random import Random

from melodygru.arranging.bass import bass_strokes
from melodygru.arranging.chording import chord_strokes
from melodygru.arranging.drums import drum_strokes
from melodygru.arranging.patterns import Groove, Pattern, Strike, book
from melodygru.arranging.pulses import groups
from melodygru.arranging.room import Above, Harmony
from melodygru.music.chords import ChordSpan
from melodygru.music.melody import Melody
from melodygru.music.tracks import BASS, CHORDS, DRUMS, PARTS, Stroke, Track
from melodygru.records import dataclass

PROGRAMS: Mapping[str, int] = {CHORDS: 0, BASS: 32, DRUMS: 0}
"""A piano, an acoustic bass and the standard kit play where a groove names no others."""


@dataclass(frozen=True)
class Places:
    """Where an accompaniment is another one: bars, numbered as `Melody.bar_of` does.

    Attributes:
        other: bars of sections that are not like the first; patterns that have other rows play them.
        fills: bars whose last pulses lead on, in patterns that have fills.
    """

    other: frozenset[int] = frozenset()
    fills: frozenset[int] = frozenset()


NOWHERE = Places()


def accompany(
    melody: Melody,
    chords: Sequence[ChordSpan],
    parts: Collection[str],
    groove: Groove,
    seed: int = 0,
    places: Places = NOWHERE,
    bars: tuple[int, int] | None = None,
) -> tuple[Track, ...]:
    """The tracks that play around a melody, from its bar 1 to its last bar line; nothing sounds under a pickup.

    All is in steps of the melody's grid, 24 to a quarter. Drums apart, no note sounds at or above one of the melody's
    at the same time; none sounds over the last bar line. Where there is no chord, chords and bass are silent. The same
    arguments give the same notes.

    Args:
        melody: what is accompanied.
        chords: spans in order that do not overlap, half-open, in steps of the melody.
        parts: of `melodygru.music.tracks.PARTS`; the tracks come in that order.
        groove: what each part plays; of `melodygru.arranging.patterns.Book`.
        seed: what walking lines are drawn from, at least 0.
        places: where it is played another way.
        bars: only what begins in these, first to last, both included, numbered as `Melody.bar_of` does: the very notes
            that the whole has there. Later notes and chords may be missing, but for the next chord, to which a bass
            walks, and for notes over a chord that goes on.

    Raises:
        UsageError: a part or a pattern that there is not.
        FileError: a user's file of patterns that cannot be read.
    """
    shelf = book()
    playing = {part: shelf.pattern(part, groove.patterns[part]) for part in PARTS}
    harmony, above = Harmony(chords), Above(melody.notes)
    bass_plays = BASS in parts
    strokes = {CHORDS: chord_strokes(_strikes(melody, playing[CHORDS], harmony, places), harmony, above, bass_plays)}
    if bass_plays:
        over = Above([*melody.notes, *strokes[CHORDS]])

        def chance(step: int) -> Random:
            return Random(f"bass {seed} {step}")

        strikes = _strikes(melody, playing[BASS], harmony, places)
        strokes[BASS] = bass_strokes(strikes, harmony, over, melody.key, chance)
    if DRUMS in parts:
        pattern = playing[DRUMS]
        strokes[DRUMS] = drum_strokes({
            drum: _strikes(melody, pattern, None, places, drum) for drum in pattern.drums
        })  # fmt: skip
    found = [
        Track(part, groove.programs.get(part, PROGRAMS[part]), _within(strokes[part], melody, bars))
        for part in PARTS
        if part in parts
    ]
    return tuple(found)


def _strikes(
    melody: Melody, pattern: Pattern, harmony: Harmony | None, places: Places, voice: str = ""
) -> list[Strike]:
    """A voice's strikes from bar 1 to the end, in steps of the piece; rows take turns in each chord, or each bar."""
    metre = melody.time_signature
    bar = groups(metre)
    found: list[Strike] = []
    before: int | None = None
    since = 0
    for start in range(metre.bar_steps if melody.pickup else 0, melody.length, metre.bar_steps):
        turns = list(range(len(bar)))
        if harmony is not None:
            for place, group in enumerate(bar):
                now = harmony.number(start + group.onset)
                since = 0 if now != before else since + 1
                turns[place], before = since, now
        number = melody.bar_of(start)
        strikes = pattern.bar(metre, turns, voice, number in places.other, number in places.fills)
        found += [strike._replace(onset=start + strike.onset, end=start + strike.end) for strike in strikes]
    return found


def _within(strokes: Sequence[Stroke], melody: Melody, bars: tuple[int, int] | None) -> tuple[Stroke, ...]:
    if bars is None:
        return tuple(strokes)
    return tuple(stroke for stroke in strokes if bars[0] <= melody.bar_of(stroke.onset) <= bars[1])


def with_patterns(groove: Groove, patterns: Mapping[str, str], programs: Mapping[str, int]) -> Groove:
    """A groove in which some parts play another pattern, or on another instrument."""
    return replace(groove, patterns={**groove.patterns, **patterns}, programs={**groove.programs, **programs})
