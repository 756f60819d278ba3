"""The part of the bass: roots, fifths, octaves, a pedal, and lines that walk from chord to chord.

A walking line has the root where a chord begins, chord tones on strong beats, and comes to the next root by step
(Levine, "The Jazz Piano Book", 1989, ch. 15).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from melodygru.arranging.chording import lasting
from melodygru.arranging.patterns import Strike
from melodygru.arranging.room import Above, Harmony
from melodygru.music.chords import Chord, chord_scale
from melodygru.music.theory import Key
from melodygru.music.tracks import Stroke
from melodygru.records import dataclass

LOWEST, HIGHEST = 28, 50
"""E1 to D3: a bass guitar's strings, as far as they are played low."""
HOME = 36
LOUD, SOFT = -6, -18
WIDEST = 7
"""Semitones that a walking line moves at most from beat to beat, but for what the chord's root asks for."""
_DRIFT = 0.4


@dataclass(frozen=True)
class _Beat:
    """A strike of the bass within one chord; `first` of it, on the first pulse of a group (`strong`) or not."""

    onset: int
    end: int
    sign: str
    place: int
    first: bool
    strong: bool


def bass_strokes(
    strikes: Sequence[Strike], harmony: Harmony, above: Above, key: Key, chance: Callable[[int], Random]
) -> tuple[Stroke, ...]:
    """What the bass plays.

    Args:
        strikes: a pattern's, in order, in steps of the piece, with what holds on (-) and silence.
        harmony: the chords.
        above: what sounds above it: the melody, and the chords.
        key: the melody's, of whose scale walking lines are.
        chance: random numbers for what begins at a step.
    """
    line = _Line(harmony, above, key)
    beats = _beats(strikes, harmony)
    for number, beat in enumerate(beats):
        after = beats[number + 1] if number + 1 < len(beats) else None
        line.play(beat, after, chance(beat.onset))
    return tuple(line.strokes)


def _beats(strikes: Sequence[Strike], harmony: Harmony) -> list[_Beat]:
    leads = {strike.onset for strike in strikes if strike.leads}
    found: list[_Beat] = []
    for onset, end, sign in lasting(strikes, ""):
        for start, stop, place in harmony.within(onset, end):
            first = not found or found[-1].place != place
            found.append(_Beat(start, stop, sign, place, first, start in leads or start != onset))
    return found


class _Line:
    """A bass line as far as it has come."""

    def __init__(self, harmony: Harmony, above: Above, key: Key):
        self.strokes: list[Stroke] = []
        self._harmony, self._above, self._key = harmony, above, key
        self._root = self._last = HOME
        self._aim: int | None = None

    def play(self, beat: _Beat, after: _Beat | None, chance: Random) -> None:
        """One beat more; `after` is the one behind it."""
        chord = self._harmony.spans[beat.place].chord
        assert chord is not None
        sign = beat.sign.upper()
        room = range(LOWEST, min(HIGHEST, self._above.ceiling(beat.onset, beat.end)) + 1)
        if sign == "P":
            pitch = self._nearest(self._key.tonic, room, HOME)
        elif beat.first or sign == "R":
            pitch = self._at_root(chord, room)
        elif sign == "F":
            pitch = self._nearest(_fifth(chord), room, self._root - 2)  # rather below the root than above
        elif sign == "O":
            pitch = next((p for p in (self._root + 12, self._root - 12, self._root) if p in room), None)
        else:
            pitch = self._walked(beat, after, chord, room, chance)
        if sign != "P" and (beat.first or sign == "R"):
            self._root = self._root if pitch is None else pitch
        if pitch is not None:
            self.strokes.append(Stroke(beat.onset, beat.end, pitch, SOFT if beat.sign.islower() else LOUD))
            self._last = pitch

    def _at_root(self, chord: Chord, room: range) -> int | None:
        aim, self._aim = self._aim, None
        return aim if aim is not None and aim in room else self._nearest(chord.bass, room, self._last)

    def _nearest(self, tone: int, room: range, to: int) -> int | None:
        """The pitch of a class that is nearest to another, and not far from home."""
        found = [pitch for pitch in room if pitch % 12 == tone]
        return min(found, key=lambda pitch: (abs(pitch - to) + _DRIFT * abs(pitch - HOME), pitch), default=None)

    def _walked(self, beat: _Beat, after: _Beat | None, chord: Chord, room: range, chance: Random) -> int | None:
        """A note of a line that walks: on the way to the next chord's root by step, else within the chord."""
        scale = chord_scale(self._key.scale, self._key.tonic, chord)
        if after is not None and after.first and not beat.strong:
            following = self._harmony.spans[after.place].chord
            assert following is not None
            room_there = range(LOWEST, min(HIGHEST, self._above.ceiling(after.onset, after.end)) + 1)
            steps = self._approaches(following, room, room_there, scale)
            if steps:
                pitch, self._aim = chance.choice(steps)
                return pitch
        near = [p for p in room if abs(p - self._last) <= WIDEST and p != self._last]
        tones = [p for p in near if p % 12 in chord.tones]
        passing = [] if beat.strong else [p for p in near if p % 12 in scale and abs(p - self._last) <= 2]
        if tones or passing:
            return chance.choice(self._towards([*tones, *passing], beat.place))
        return self._nearest(chord.bass, room, self._last)

    def _towards(self, pitches: list[int], place: int) -> list[int]:
        """Those that do not lead away from the next chord's root, if there are any."""
        spans = self._harmony.spans
        following = spans[place + 1].chord if place + 1 < len(spans) else None
        if following is None:
            return pitches
        to = self._nearest(following.bass, range(LOWEST, HIGHEST + 1), self._last)
        assert to is not None  # in a range of two octaves
        return [pitch for pitch in pitches if abs(pitch - to) <= abs(self._last - to)] or pitches

    def _approaches(
        self, following: Chord, room: range, room_there: range, scale: frozenset[int]
    ) -> list[tuple[int, int]]:
        """(a note, the next root that it leads to by step): of the scale or a semitone away, as near as can be."""
        found = []
        for root in room_there:
            if root % 12 != following.bass:
                continue
            for step in (-2, -1, 1, 2):
                pitch = root + step
                fits = pitch in room and pitch != self._last and (abs(step) == 1 or pitch % 12 in scale)
                if fits:
                    found.append((pitch, root))
        near = [step for step in found if abs(step[0] - self._last) <= WIDEST]
        return near or sorted(found, key=lambda step: (abs(step[0] - self._last), step))[:1]


def _fifth(chord: Chord) -> int:
    """The pitch class of a chord's fifth, whatever it is; its root where it has none."""
    return next((tone for tone in chord.tones if (tone - chord.root) % 12 in (7, 6, 8)), chord.root)
