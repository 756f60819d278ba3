"""A tune of ABC notation as it is written: its voices, their bars, and what sounds in them."""

from __future__ import annotations

from dataclasses import field
from fractions import Fraction

from melodygru.music.theory import Key, TimeSignature
from melodygru.records import dataclass

Steps = int | Fraction
"""A length in steps; a fraction where the grid does not hold it."""


@dataclass
class Sound:
    """A note (of a chord the top one) or, `pitch` being None, a rest; `tied` to the next.

    `symbol` is the chord symbol at it; empty where there is none.
    """

    pitch: int | None
    steps: Steps
    tied: bool = False
    symbol: str = ""


@dataclass
class WrittenBar:
    """What stands between two bar lines.

    Attributes:
        line: of the tune, where it begins, from 1.
        metre, key, qpm: what holds in it, the key as it sounds; None where none was named.
        sounds: in order.
        opens: 0, or how often it is gone back to: 1 after "|:", 2 after "|::".
        closes: the same of the sign after it.
        ends: a double bar, the end, or a sign of repetition stands after it.
        ending: the times of which it begins an ending; empty where it begins none.
        part: the part that it begins; empty where it begins none.
    """

    line: int
    metre: TimeSignature | None
    key: Key | None
    qpm: float | None
    sounds: list[Sound] = field(default_factory=list)
    opens: int = 0
    closes: int = 0
    ends: bool = False
    ending: tuple[int, ...] = ()
    part: str = ""

    @property
    def length(self) -> Steps:
        """Steps of what stands in it."""
        return sum(sound.steps for sound in self.sounds)


@dataclass(frozen=True)
class WrittenVoice:
    """A voice: its name (empty for the only one) and its bars, at least one; whether it is the drums'."""

    name: str
    bars: list[WrittenBar]
    percussion: bool


@dataclass(frozen=True)
class WrittenTune:
    """A tune as it is written.

    Attributes:
        header: the fields by letter; the first of each, but of M, L and Q the one that holds.
        voices: in the order in which they are named; those without a bar are left out.
        order: the parts in the order of play, a letter each; empty for the order in which they stand.
        qpm: the first tempo that is named anywhere; None if none is.
    """

    header: dict[str, str]
    voices: list[WrittenVoice]
    order: str
    qpm: float | None
