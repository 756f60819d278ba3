"""The part of the chords: a pattern's strikes, voiced below the melody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from melodygru.arranging.patterns import Strike
from melodygru.arranging.room import Above, Harmony
from melodygru.arranging.voicing import voice
from melodygru.music.chords import Chord
from melodygru.music.tracks import Stroke
from melodygru.records import dataclass

LOUD, SOFT = -30, -38
"""How much softer than the melody."""
LOW_FLOOR = 33
"""A1: the lowest note that a chord's own bass is played with."""
FIRST_CEILING = 59
"""A melody that dips below this for a moment does not pull the whole chord down: what it dips into is left out."""
_LOW, _FIFTH = "B", "F"


@dataclass(frozen=True)
class _Sound:
    """A strike within one chord."""

    onset: int
    end: int
    sign: str
    place: int
    fresh: bool


def chord_strokes(strikes: Sequence[Strike], harmony: Harmony, above: Above, with_bass: bool) -> tuple[Stroke, ...]:
    """What the chords play.

    Args:
        strikes: a pattern's, in order, in steps of the piece, with what holds on (-) and silence.
        harmony: the chords.
        above: the melody, of which everything stays below.
        with_bass: whether another part has the bass, so that low notes are left to it.
    """
    voicings: dict[int, tuple[int, ...]] = {}
    found: list[Stroke] = []
    before: tuple[int, ...] = ()
    for sound in _sounds(strikes, harmony):
        span = harmony.spans[sound.place]
        assert span.chord is not None
        if sound.place not in voicings:
            ceiling = max(above.ceiling(span.onset, span.end), FIRST_CEILING)
            voicings[sound.place] = voice(span.chord, ceiling, before)
        ceiling = above.ceiling(sound.onset, sound.end)
        pitches = voicings[sound.place]
        if pitches and pitches[-1] > ceiling:
            pitches = voice(span.chord, ceiling, pitches)
        before = pitches or before
        strokes = _struck(sound, span.chord, pitches, ceiling, with_bass)
        if sound.sign.upper() == "P" and sound.fresh:
            strokes = _held_on(found, strokes)
        found += strokes
    return tuple(sorted(found, key=lambda one: (one.onset, one.pitch)))


def _sounds(strikes: Sequence[Strike], harmony: Harmony) -> Iterator[_Sound]:
    """Strikes with all that goes on behind them, cut where chords change: there everything is struck again."""
    for onset, end, sign in lasting(strikes, "HhPp", harmony):
        for start, stop, place in harmony.within(onset, end):
            yield _Sound(start, stop, sign, place, start == harmony.spans[place].onset)


def lasting(strikes: Sequence[Strike], holding: str, harmony: Harmony | None = None) -> Iterator[tuple[int, int, str]]:
    """(onset, end, sign) of what sounds: each with the cells behind it in which it goes on.

    The signs `holding` go on too, if they do not stand first: where the chord is new they are cut there anyway.
    """
    open_: tuple[int, int, str] | None = None
    for strike in strikes:
        goes_on = strike.sign == "-" or (strike.sign in holding and open_ is not None and open_[2] == strike.sign)
        if goes_on and open_ is not None and open_[1] == strike.onset:
            open_ = (open_[0], strike.end, open_[2])
            continue
        if open_ is not None:
            yield open_
        open_ = None if strike.sign in "-." else (strike.onset, strike.end, strike.sign)
    if open_ is not None:
        yield open_


def _struck(sound: _Sound, chord: Chord, pitches: Sequence[int], ceiling: int, with_bass: bool) -> list[Stroke]:
    sign, louder = sound.sign.upper(), SOFT if sound.sign.islower() else LOUD
    if sign in (_LOW, _FIFTH):
        low = None if with_bass else _low_note(chord, sign, min([ceiling, *(pitch - 1 for pitch in pitches)]))
        return [] if low is None else [Stroke(sound.onset, sound.end, low, louder)]
    if not pitches:
        return []
    if sign in "1234":
        pitch = pitches[min(int(sign), len(pitches)) - 1]
        return [Stroke(sound.onset, sound.end, pitch, louder)]
    if sign in "DU":
        order = pitches if sign == "D" else pitches[:-4:-1]  # an upstroke meets the high strings
        # A step after a step, as strings are; the last still sounds half of its time.
        room = (sound.end - sound.onset) // 2
        return [Stroke(sound.onset + min(place, room), sound.end, pitch, louder) for place, pitch in enumerate(order)]
    return [Stroke(sound.onset, sound.end, pitch, louder) for pitch in pitches]


def _low_note(chord: Chord, sign: str, ceiling: int) -> int | None:
    """The chord's bass note, or the fifth below it, in the octave from `LOW_FLOOR` on; None without room."""
    fifth = next((tone for tone in chord.tones if (tone - chord.root) % 12 in (7, 6, 8)), chord.bass)
    tone = chord.bass if sign == _LOW else fifth
    pitch = LOW_FLOOR + (tone - LOW_FLOOR) % 12
    return pitch if pitch <= ceiling else None


def _held_on(found: list[Stroke], strokes: Sequence[Stroke]) -> list[Stroke]:
    """The strokes but for those whose note sounds until they begin: that goes on instead."""
    until: dict[tuple[int, int], int] = {}
    for place in range(len(found) - 1, max(-1, len(found) - 16), -1):
        until.setdefault((found[place].end, found[place].pitch), place)
    new: list[Stroke] = []
    for stroke in strokes:
        before = until.get((stroke.onset, stroke.pitch))
        if before is None:
            new.append(stroke)
        else:
            found[before] = found[before]._replace(end=stroke.end)
    return new
