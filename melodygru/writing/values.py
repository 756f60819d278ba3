"""The values that wishes can have: words for them, limits, what holds where nothing is said, and how they are read."""

from __future__ import annotations

import re

from melodygru.errors import UsageError
from melodygru.music.theory import STEPS_PER_QUARTER, parse_pitch

DEFAULT_MODEL = "repertoire"
DEFAULT_STYLE = "song"
"""What that model writes where no style is said: what most people need, a melody that can be sung, and breathes."""
MAX_BARS = 1000
DEFAULT_BARS = 16
DEFAULT_METER = "4/4"
DEFAULT_QPM = 120.0
DEFAULT_RANGE = "C3:C7"
DEFAULT_GRID = "1/16"
DEFAULT_SECTION_BARS = 8
DEFAULT_MAX_COPY = 11
"""The longest run in notes that half of people's own tunes share with the shipped model's training music."""
MODES = ("strict", "soft")
LEARNED = "learned"
CHORD_MODES = (*MODES, LEARNED)
RESTS = ("none", "few", "some", "many")
SYNCOPATIONS = ("none", "some", "much")
LEAPS = ("few", "some", "many")
END_ON = ("tonic", "chord", "any")
BEGINNINGS = ("other", "any")
MOTIFS = ("none", "rhythm", "contour")
SEAMS = ("free", "lead")
GRIDS = ("1/2", "1/4", "1/8", "1/16", "1/32")


def parse_range(text: str) -> tuple[int, int]:
    """The lowest and the highest pitch of a range such as "C4:C6". Raises UsageError for anything else."""
    parts = text.split(":")
    if len(parts) != 2:
        raise UsageError(f"The range {text!r} is not two pitches; write the lowest and the highest: C4:C6.")
    low, high = (parse_pitch(part) for part in parts)
    if low > high:
        raise UsageError(f"The range {text} is empty; put the lower pitch first: {parts[1]}:{parts[0]}.")
    return low, high


def fraction_steps(text: str, what: str, choices: tuple[str, ...] = ()) -> int:
    """Steps of a fraction of a whole note such as "1/8" or "3/16". Raises UsageError, naming `what`."""
    match = re.fullmatch(r"\s*(\d{1,3})\s*/\s*(\d{1,3})\s*", text)
    whole = 4 * STEPS_PER_QUARTER
    if match is None or not int(match[2]) or whole * int(match[1]) % int(match[2]) or (choices and text not in choices):
        hint = f"choose {', '.join(choices)}" if choices else "write a fraction of a whole note: 1/4, 1/8, 3/16"
        raise UsageError(f"{what} is {text!r}; {hint}.")
    return whole * int(match[1]) // int(match[2])
