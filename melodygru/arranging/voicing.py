"""Which notes a chord is played with, after the chord before: voices move little, and stay below the melody.

Close position, as books of harmony have it for accompaniments: common tones are held, the others move to the nearest
(Piston, "Harmony", 5th ed., 1987, ch. 2), and the whole does not leap in parallel.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from melodygru.music.chords import Chord

LOWEST, HIGHEST = 48, 76
"""C3 to E5: where chords sound as chords, unless the melody lies so low that they must give way."""
LOWEST_OF_ALL = 40
"""E2: lower, close chords are mud."""
HOME = 60
"""Around which pitch they lie, where nothing else pulls."""
MOST_TONES = 4
LEAP = 4
"""Semitones from which on all voices that move the same way have leapt."""
_DRIFT, _LEAPT, _DOUBLED = 0.3, 12.0, 3.0
"""What a semitone from home, a leap of the whole, and a voice more or less costs, in semitones of movement."""


def tones_of(chord: Chord) -> tuple[int, ...]:
    """The pitch classes that are played, four at most: of more the perfect fifth goes, then the root: they tell least."""
    tones = list(dict.fromkeys(chord.tones))
    for spare in ((chord.root + 7) % 12, chord.root):
        if len(tones) > MOST_TONES and spare in tones:
            tones.remove(spare)
    return tuple(tones[:MOST_TONES])


def voice(chord: Chord, ceiling: int, before: Sequence[int] = ()) -> tuple[int, ...]:
    """MIDI pitches of a chord, ascending, none above `ceiling`; after the voicing `before`, if there was one.

    Where there is no room for all tones in [`LOWEST`, `HIGHEST`], they lie lower, down to `LOWEST_OF_ALL`; where there
    is none there either, there are fewer, those that tell most of the chord; empty where there is room for none.
    """
    top = min(ceiling, HIGHEST)
    tones = tones_of(chord)
    for count in range(len(tones), 0, -1):
        for floor in (LOWEST, LOWEST_OF_ALL):
            found = list(_close(_telling(chord, tones, count), floor, top))
            if found:
                return min(found, key=lambda pitches: (_cost(pitches, before), pitches))
    return ()


def _telling(chord: Chord, tones: tuple[int, ...], count: int) -> tuple[int, ...]:
    """So many of the tones: third and seventh last to go."""
    order = sorted(tones, key=lambda tone: ((tone - chord.root) % 12 in (7, 0), tones.index(tone)))
    kept = {chord.root} if count == 1 and chord.root in tones else set(order[:count])
    return tuple(tone for tone in tones if tone in kept)


def _close(tones: Sequence[int], floor: int, top: int) -> Iterator[tuple[int, ...]]:
    """All inversions in close position within [floor, top]."""
    for bottom in range(floor, top + 1):
        if bottom % 12 in tones:
            pitches = tuple(sorted(bottom + (tone - bottom) % 12 for tone in tones))
            if pitches[-1] <= top:
                yield pitches


def _cost(pitches: Sequence[int], before: Sequence[int]) -> float:
    drift = _DRIFT * abs(sum(pitches) / len(pitches) - HOME)
    if not before:
        return drift
    return drift + movement(before, pitches) + _LEAPT * leaps(before, pitches)


def movement(before: Sequence[int], after: Sequence[int]) -> float:
    """Semitones that voices move in all: each to its own place, in voicings of other sizes to the nearest note."""
    if len(before) == len(after):
        return sum(abs(one - other) for one, other in zip(before, after, strict=True))
    few, many = sorted((before, after), key=len)
    return sum(min(abs(one - other) for other in few) for one in many) + _DOUBLED


def leaps(before: Sequence[int], after: Sequence[int]) -> bool:
    """Whether all voices move the same way, each by more than `LEAP` semitones."""
    if len(before) != len(after):
        return False
    moves = [other - one for one, other in zip(before, after, strict=True)]
    return min(moves) > LEAP or max(moves) < -LEAP
