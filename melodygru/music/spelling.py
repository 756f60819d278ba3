"""How pitches are written: letter, accidental and octave, by the key and by where the tune goes.

Degrees of the key's scale are spelled as its signature has them, and other white keys of the piano by their own names.
A black key that leads a semitone up is a sharp, one that leads a semitone down a flat; else it is what lies nearer on
the line of fifths to the key and to the notes beside it: G# in A minor, C# in D minor, Eb in a blues on C; in C major
C# between A and E, and Ab between C and F.

Sources: E. Gould, "Behind Bars" (2011), pp. 85-87; D. Temperley, "The Cognition of Basic Musical Structures" (2001),
chapter 5.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from melodygru.music.theory import Key
from melodygru.records import dataclass

LETTERS = "CDEFGAB"
_CLASSES = dict(zip(LETTERS, (0, 2, 4, 5, 7, 9, 11), strict=True))
_SHARPS = "FCGDAEB"
_MAJOR = ("major", "lydian", "mixolydian")


@dataclass(frozen=True)
class Spelling:
    """A pitch as it is written: a letter of `LETTERS`, its alteration in [-1, 1], and its octave (middle C: 4)."""

    letter: str
    alter: int
    octave: int


def signature(key: Key) -> dict[str, int]:
    """What a key's signature makes of each letter: -1, 0 or 1."""
    sharps, flats = _SHARPS[: max(key.fifths, 0)], _SHARPS[len(_SHARPS) + min(key.fifths, 0) :]
    return {letter: (letter in sharps) - (letter in flats) for letter in LETTERS}


def spell(pitches: Sequence[int], key: Key) -> list[Spelling]:
    """The pitches of a melody (MIDI, in order) as they are written."""
    found: list[Spelling] = []
    before = _others(pitches)
    after = _others(pitches[::-1])[::-1]
    for pitch, last, following in zip(pitches, before, after, strict=True):
        leads = 0 if following is None or abs(following - pitch) != 1 else following - pitch
        beside = tuple(other % 12 for other in (last, following) if other is not None)
        letter, alter = _name(pitch % 12, leads, beside, key, key.fifths)
        found.append(Spelling(letter, alter, (pitch - alter) // 12 - 1))
    return found


def note_name(pitch: int, key: Key) -> str:
    """A pitch as the key spells it, with its octave: C#5 in D minor, Bb4 in C major, E#4 in F# major."""
    spelling = spell([pitch], key)[0]
    return f"{spelling.letter}{('b', '', '#')[spelling.alter + 1]}{spelling.octave}"


def class_name(pitch_class: int, key: Key) -> str:
    """A pitch class in 0..11 as the key spells it: C# in D minor."""
    return note_name(60 + pitch_class, key).rstrip("0123456789")


def _others(pitches: Sequence[int]) -> list[int | None]:
    """Of each pitch the last one before it that was another; None if there was none."""
    found: list[int | None] = []
    for index, pitch in enumerate(pitches):
        repeats = index > 0 and pitches[index - 1] == pitch
        found.append(found[-1] if repeats else pitches[index - 1] if index else None)
    return found


@lru_cache(maxsize=16384)
def _name(pitch_class: int, leads: int, beside: tuple[int, ...], key: Key, fifths: int) -> tuple[str, int]:
    """Letter and alteration of a pitch class that leads a semitone up (1) or down (-1), or anywhere (0).

    `fifths` are the key's: what is kept must tell F# major from Gb major, which are equal.
    """
    own = _own_name(pitch_class, key)
    if own is not None:
        return own
    sharp = next(letter for letter, natural in _CLASSES.items() if natural + 1 == pitch_class)
    flat = next(letter for letter, natural in _CLASSES.items() if natural - 1 == pitch_class)
    if not leads:
        tonic = _own_name(key.tonic, key)
        assert tonic is not None, "a key's signature has its tonic"
        home = _fifths(*tonic) + (1.5 if key.mode in _MAJOR else 0.5)
        neighbours = [_fifths(*name) for other in beside if (name := _own_name(other, key)) is not None]
        middle = (2 * home + sum(neighbours)) / (2 + len(neighbours))
        leads = 1 if _fifths(sharp, 1) - middle < middle - _fifths(flat, -1) else -1
    return (sharp, 1) if leads > 0 else (flat, -1)


def _own_name(pitch_class: int, key: Key) -> tuple[str, int] | None:
    """The name that the signature has for a pitch class, or that it has by itself; None for other black keys."""
    for letter, alter in signature(key).items():
        if (_CLASSES[letter] + alter) % 12 == pitch_class:
            return letter, alter
    return next(((letter, 0) for letter, natural in _CLASSES.items() if natural == pitch_class), None)


def _fifths(letter: str, alter: int) -> int:
    """The place of a name on the line of fifths; C is 0, G 1, F# 6, Bb -2."""
    return _SHARPS.index(letter) - 1 + 7 * alter


def accidentals(notes: Sequence[tuple[Spelling, bool]], key: Key) -> list[bool]:
    """Whether each note of one bar shows its accidental: where the signature and the bar so far say otherwise.

    `notes` are spellings, and whether a tie leads to them: those show none, and those after them are as if they were
    not there, since the accidental of a tied note does not last beyond it.
    """
    plain = signature(key)
    state: dict[tuple[str, int], int] = {}
    shown = []
    for one, held in notes:
        place = (one.letter, one.octave)
        differs = not held and state.get(place, plain[one.letter]) != one.alter
        if differs:
            state[place] = one.alter
        shown.append(differs)
    return shown
