"""Degrees of a key's scale, for pictures: the number, the name and the colour of a pitch."""

from __future__ import annotations

from melodygru.notation.spelling import spell
from melodygru.theory import Key

DEGREE_COLOURS = ("#e5431f", "#b07a2a", "#2a8f4f", "#1f8f86", "#3478d8", "#8b6fb8", "#c2528b")
"""Of the seven degrees: a contrast of about 4 to both white and black, the tonic's the brightest hue."""
FOREIGN_COLOUR = "#808080"
"""Of notes outside the key's scale."""


def degree(pitch: int, key: Key) -> int | None:
    """The degree of a pitch in the key's scale, 1 to 7; None outside of it."""
    return key.scale.index(pitch % 12) + 1 if pitch % 12 in key.scale else None


def degree_colour(pitch: int, key: Key) -> str:
    """The colour of a pitch, as six hexadecimal digits after a #."""
    place = degree(pitch, key)
    return FOREIGN_COLOUR if place is None else DEGREE_COLOURS[place - 1]


def note_name(pitch: int, key: Key) -> str:
    """A pitch as the key spells it, with its octave: C#5 in D minor, Bb4 in C major, E#4 in F# major."""
    spelling = spell([pitch], key)[0]
    return f"{spelling.letter}{('b', '', '#')[spelling.alter + 1]}{spelling.octave}"


def class_name(pitch_class: int, key: Key) -> str:
    """A pitch class in 0..11 as the key spells it: C# in D minor."""
    return note_name(60 + pitch_class, key).rstrip("0123456789")
