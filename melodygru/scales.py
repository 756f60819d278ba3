"""Scales by name: the pitch classes that a melody may be held to."""

from __future__ import annotations

from difflib import get_close_matches

from melodygru.errors import UsageError

SCALE_INTERVALS: dict[str, tuple[int, ...]] = {
    "major": (0, 2, 4, 5, 7, 9, 11),
    "natural minor": (0, 2, 3, 5, 7, 8, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
    "melodic minor": (0, 2, 3, 5, 7, 9, 11),
    "ionian": (0, 2, 4, 5, 7, 9, 11),
    "dorian": (0, 2, 3, 5, 7, 9, 10),
    "phrygian": (0, 1, 3, 5, 7, 8, 10),
    "lydian": (0, 2, 4, 6, 7, 9, 11),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10),
    "aeolian": (0, 2, 3, 5, 7, 8, 10),
    "locrian": (0, 1, 3, 5, 6, 8, 10),
    "major pentatonic": (0, 2, 4, 7, 9),
    "minor pentatonic": (0, 3, 5, 7, 10),
    "blues": (0, 3, 5, 6, 7, 10),
    "chromatic": tuple(range(12)),
}
"""Semitones above the tonic, ascending; melodic minor as it rises, blues the minor pentatonic with its flat fifth."""


def parse_scale(text: str) -> str:
    """The name of a scale, one of `SCALE_INTERVALS`; "minor" is natural minor, and "harmonic-minor" will do.

    Raises UsageError for a scale that nobody knows, with the nearest.
    """
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
    """The pitch classes (0..11) of the scale `name` on a tonic (0..11), from the tonic up."""
    return tuple((tonic + interval) % 12 for interval in SCALE_INTERVALS[name])
