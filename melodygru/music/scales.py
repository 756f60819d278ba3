"""Scales by name, or as the names of their notes."""

from __future__ import annotations

import re

from melodygru.errors import UsageError
from melodygru.music.theory import SCALES, parse_pitch

SCALE_INTERVALS: dict[str, tuple[int, ...]] = {
    "major": SCALES["major"],
    "natural minor": SCALES["minor"],
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "melodic minor": (0, 2, 3, 5, 7, 9, 11),
    "ionian": SCALES["major"],
    "aeolian": SCALES["minor"],
    **{mode: SCALES[mode] for mode in ("dorian", "phrygian", "lydian", "mixolydian", "locrian")},
    "major pentatonic": (0, 2, 4, 7, 9),
    "minor pentatonic": (0, 3, 5, 7, 10),
    "blues": (0, 3, 5, 6, 7, 10),
    "chromatic": tuple(range(12)),
}
"""Semitones above the tonic, ascending, of scales that have names; melodic minor as it rises, blues the minor
pentatonic with its flat fifth."""
_SCALE_NOTES = re.compile(r"[A-G][#b♯♭]?( [A-G][#b♯♭]?)+")
"""A scale in notes, which blanks part."""


def parse_scale(text: str) -> str:
    """The name of a scale, one of `SCALE_INTERVALS`; "minor" is natural minor, and "harmonic-minor" will do.

    Or the names of its notes, blanks between them, out of "C D Eb F# G" or "C, D, Eb".

    Raises UsageError for a scale that nobody knows, with the nearest.
    """
    from difflib import get_close_matches

    notes = " ".join(text.replace(",", " ").replace("-", " ").split())
    if _SCALE_NOTES.fullmatch(notes):
        return notes
    name = " ".join(text.lower().replace("-", " ").replace("_", " ").split())
    name = "natural minor" if name == "minor" else name
    if name in SCALE_INTERVALS:
        return name
    if name == "pentatonic":
        raise UsageError("The scale 'pentatonic' comes in two kinds; choose major pentatonic or minor pentatonic.")
    near = get_close_matches(name, SCALE_INTERVALS, 1)
    guess = f"did you mean {near[0]}? The" if near else "the"
    raise UsageError(f"{text!r} is not a scale; {guess} scales are {', '.join(SCALE_INTERVALS)}.")


def scale_pitch_classes(name: str, tonic: int) -> tuple[int, ...]:
    """The pitch classes (0..11) of a scale as `parse_scale` gives it, on a tonic (0..11), from the tonic up.

    A scale in notes is where its notes are.
    """
    if name in SCALE_INTERVALS:
        return tuple((tonic + interval) % 12 for interval in SCALE_INTERVALS[name])
    classes = {parse_pitch(f"{note}4") % 12 for note in name.split()}
    return tuple(sorted(classes, key=lambda tone: (tone - tonic) % 12))
