"""Musical form: letters for sections, primes for variations of them.

`AABA` is four sections of which the first, second and fourth are the same music. A prime marks a section that begins
like its letter's first and goes its own way towards the end: A' from its last quarter on (its cadence), A'' in the bar
before its middle too, A''' and further from its middle on.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from melodygru.errors import UsageError

MAX_SECTIONS = 64


@dataclass(frozen=True)
class Section:
    """One section: its letter, and how many primes it has."""

    letter: str
    primes: int = 0

    def __str__(self) -> str:
        return self.letter + "'" * self.primes


@dataclass(frozen=True)
class Form:
    """A row of sections."""

    sections: tuple[Section, ...]

    @classmethod
    def parse(cls, text: str) -> Form:
        """A form from text: "AABA", "A A' B A''" (’ and ′ are primes too). Raises UsageError for anything else."""
        plain = re.sub(r"[\s,-]+", "", text.replace("’", "'").replace("′", "'").replace("″", "''"))
        if not re.fullmatch(r"(?:[A-Za-z]'{0,8})+", plain):
            raise UsageError(
                f"{text!r} is not a form; write letters for sections, and primes for variations: AABA, AA'BA''."
            )
        sections = tuple(Section(m[1].upper(), len(m[2])) for m in re.finditer(r"([A-Za-z])('*)", plain))
        if len(sections) > MAX_SECTIONS:
            raise UsageError(f"The form has {len(sections)} sections; choose at most {MAX_SECTIONS}.")
        return cls(sections)

    def __str__(self) -> str:
        return "".join(map(str, self.sections))


@dataclass(frozen=True)
class Stretch:
    """A stretch of a piece in bars from its beginning, half-open: to be written, or the same as at the bar `source`.

    `departs` are bars at which music begins that this stretch is not to be like: what it varies, other letters'.
    """

    start: float
    end: float
    source: float | None = None
    departs: tuple[float, ...] = ()


def stretches(form: Form, section_bars: int) -> list[Stretch]:
    """What is to be written and what repeated, in order, for sections of `section_bars` bars."""
    first: dict[Section, int] = {}
    letters: dict[str, int] = {}
    found = []
    for number, section in enumerate(form.sections):
        at = number * section_bars
        if section in first:
            found.append(Stretch(at, at + section_bars, source=first[section]))
        elif section.letter in letters and section.primes:
            alike = [bar for other, bar in first.items() if other.letter == section.letter]
            found += _variation(at, letters[section.letter], section_bars, section.primes, alike)
        else:
            # A prime whose plain letter has not come is where the letter begins.
            found.append(Stretch(at, at + section_bars, departs=tuple(letters.values())))
        first.setdefault(section, at)
        letters.setdefault(section.letter, at)
    return found


def _variation(at: int, source: int, bars: int, primes: int, alike: Sequence[int]) -> list[Stretch]:
    """A section that begins like the one at `source`; its own parts are unlike those of all that are `alike`."""
    cadence = bars - max(bars // 4, 1) if bars > 1 else 0.5
    own: list[tuple[float, float]] = [(cadence, bars)]
    if primes >= 2 and bars >= 4:
        own.insert(0, (bars // 2 - 1, bars // 2))
    if primes >= 3 and bars >= 4:
        own = [(bars // 2, bars)]
    found, done = [], 0.0
    for start, end in own:
        if start > done:
            found.append(Stretch(at + done, at + start, source=source + done))
        found.append(Stretch(at + start, at + end, departs=tuple(other + start for other in alike)))
        done = end
    if done < bars:
        found.append(Stretch(at + done, at + bars, source=source + done))
    return found
