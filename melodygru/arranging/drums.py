"""The part of the drums: a pattern's strikes on the drums of General MIDI's percussion map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from melodygru.arranging.patterns import KIT, Strike
from melodygru.music.tracks import Stroke

LOUDER = {"X": 8, "x": -6, "o": -30}
"""By sign, against the melody's loudness."""
LONGEST = 6
"""Steps that a drum is held: samples ring by themselves, and editors show short notes best."""


def drum_strokes(strikes: Mapping[str, Sequence[Strike]]) -> tuple[Stroke, ...]:
    """What the drums play: strikes by drum, in order, in steps of the piece."""
    found = []
    for drum, row in strikes.items():
        for strike in row:
            if strike.sign in LOUDER:
                end = min(strike.end, strike.onset + LONGEST)
                found.append(Stroke(strike.onset, end, KIT[drum], LOUDER[strike.sign]))
    return tuple(sorted(found, key=lambda one: (one.onset, one.pitch)))
