"""Degrees of a key's scale, for pictures: the number, the name and the colour of a pitch."""

from __future__ import annotations

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
