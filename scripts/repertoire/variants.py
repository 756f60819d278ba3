"""Tunes moved into modes that few tunes are in: what is learned of a mode's colour where people's music is silent.

Neighbouring modes differ in one degree, which is raised or lowered throughout. Blues differ in more: the thirds and
sevenths are low, the second and the sixth are left to their neighbours, and between fourth and fifth stands the blue
note in passing, where a fourth leads to a fifth or back.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace

from melodygru.music.melody import Melody, Note
from melodygru.music.theory import Key

_LOWER_2, _LOWER_3, _LOWER_5, _LOWER_6, _LOWER_7 = (2, -1), (4, -1), (7, -1), (9, -1), (11, -1)
_RAISE_4, _RAISE_6 = (5, 1), (8, 1)
MOVES: dict[str, tuple[tuple[str, tuple[tuple[int, int], ...]], ...]] = {
    "major": (
        ("mixolydian", (_LOWER_7,)),
        ("lydian", (_RAISE_4,)),
        ("dorian", (_LOWER_3, _LOWER_7)),
    ),
    "minor": (
        ("dorian", (_RAISE_6,)),
        ("phrygian", (_LOWER_2,)),
        ("phrygian", (_LOWER_2,)),
        ("locrian", (_LOWER_2, _LOWER_5)),
    ),
    "dorian": (("mixolydian", ((3, 1),)), ("minor", (_LOWER_6,))),
    "mixolydian": (("dorian", ((4, -1),)), ("major", ((10, 1),))),
}
"""Of each mode: others, and which degrees (semitones above the tonic) are moved by how much."""
LEADING = {"dorian": (_LOWER_7,), "phrygian": (_LOWER_7, _LOWER_6), "locrian": (_LOWER_7, _LOWER_6)}
"""What is moved besides where there is some: minor tunes raise degrees towards the tonic, these modes do not."""
BLUES = 0.15
"""Share of the variants that are blues."""
_TO_BLUES: Mapping[str, Mapping[int, int]] = {
    "major": {2: 1, 4: -1, 9: 1, 11: -1, 1: -1, 8: -1},
    "minor": {2: 1, 8: -1, 11: -1, 9: 1, 1: -1, 4: -1},
}
_CLEAN = 0.02
"""A tune in which the degree that is moved to has more than this share of the notes is left as it is."""
_BLUE = 0.6
"""Share of the fourths between fifths, or fifths between fourths, that become the blue note."""


def variant(melody: Melody, chance: random.Random) -> Melody | None:
    """The melody in another mode, or as a blues; None where it cannot be told from what it was."""
    if melody.key.mode in _TO_BLUES and chance.random() < BLUES:
        return in_blues(melody, chance)
    if melody.key.mode not in MOVES:
        return None
    mode, moves = chance.choice(MOVES[melody.key.mode])
    return in_another_mode(melody, mode, dict(moves), dict(LEADING.get(mode, ())))


def in_another_mode(
    melody: Melody, mode: str, moves: Mapping[int, int], besides: Mapping[int, int] | None = None
) -> Melody | None:
    """The melody with these degrees moved; None where it has not all of them, or has what they become besides.

    Args:
        besides: what is moved too, if there is any of it.
    """
    shares = [0.0] * 12
    for note in melody.notes:
        shares[(note.pitch - melody.key.tonic) % 12] += 1 / len(melody.notes)
    if any(shares[degree] == 0 or shares[degree + by] > _CLEAN for degree, by in moves.items()):
        return None
    return replace(melody, notes=_moved(melody, {**(besides or {}), **moves}), key=Key(melody.key.tonic, mode))


def in_blues(melody: Melody, chance: random.Random) -> Melody | None:
    """The melody in the blues scale on its tonic; None where no blue note finds a place."""
    notes = list(_moved(melody, _TO_BLUES[melody.key.mode]))
    tonic, beat, blue = melody.key.tonic, melody.time_signature.beat_steps, 0
    for i in range(1, len(notes) - 1):
        before, here, after = ((note.pitch - tonic) % 12 for note in notes[i - 1 : i + 2])
        passing = {before, after} <= {5, 7} and here in (5, 7) and notes[i].onset % (2 * beat) != 0
        if passing and chance.random() < _BLUE:
            notes[i] = replace(notes[i], pitch=notes[i].pitch + (1 if here == 5 else -1))
            blue += 1
    return replace(melody, notes=tuple(notes)) if blue else None


def _moved(melody: Melody, moves: Mapping[int, int]) -> tuple[Note, ...]:
    tonic = melody.key.tonic
    return tuple(replace(n, pitch=n.pitch + moves.get((n.pitch - tonic) % 12, 0)) for n in melody.notes)
