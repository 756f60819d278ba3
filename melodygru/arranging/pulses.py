"""How the bars of a metre are counted: groups of two or three pulses.

Patterns are written for such groups, not for metres, so that every metre has every pattern: 4/4 is two and two
quarters, 3/4 three, 5/4 three and two, 6/8 three and three quavers, 7/8 two, two and three.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

from melodygru.music.theory import STEPS_PER_QUARTER, TimeSignature


class Group(NamedTuple):
    """Pulses of a bar that belong together: `size` of `pulse` steps each, from step `onset` of the bar on.

    `quick` pulses are shorter than a quarter.
    """

    onset: int
    size: int
    pulse: int
    quick: bool

    @property
    def kind(self) -> str:
        """By what name patterns have rows for it: two, three, quick-two or quick-three."""
        return f"{'quick-' if self.quick else ''}{'three' if self.size == 3 else 'two'}"


@cache
def groups(metre: TimeSignature) -> tuple[Group, ...]:
    """The groups of a bar, in order, without gaps; one pulse alone, where a bar has no more."""
    quick = metre.denominator > 4
    pulse = metre.bar_steps // metre.numerator if quick else STEPS_PER_QUARTER
    count = metre.bar_steps // pulse
    if count % 3 == 0 and metre.denominator >= 4:
        sizes = [3] * (count // 3)
    elif count == 5:
        sizes = [3, 2]
    else:
        sizes = [2] * (count // 2)
        if count % 2:
            sizes = [*sizes[:-1], 3] if sizes else [1]
    found, at = [], 0
    for size in sizes:
        found.append(Group(at, size, pulse, quick))
        at += size * pulse
    return tuple(found)
