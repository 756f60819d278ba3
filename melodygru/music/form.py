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
from melodygru.music.melody import Melody

MAX_SECTIONS = 64

_PARTS = ("verse", "chorus", "bridge", "intro", "outro", "prechorus", "theme", "solo", "coda", "interlude", "strophe")
_PARTS_TOO = {"refrain": "chorus", "hook": "chorus", "middle": "bridge", "ending": "outro"}
"""Names of the parts of songs."""
_WORD = re.compile(r"[A-Za-z]*[a-z][A-Za-z]*")
_LETTERS_OF_FORMS = frozenset("abcdefgh")
"""Small letters that are meant as sections; a word has others."""


def parts_in_words(text: str) -> str | None:
    """The form of a song in words: "verse chorus verse 2" is ABA, letters in order of the parts; None for others."""
    joined = re.sub(r"pre[\s-]chorus", "prechorus", text.lower())
    words = re.sub(r"[\s\d,>-]", " ", joined).split()
    names = [_PARTS_TOO.get(word, word) for word in words]
    if not names or not set(names) <= set(_PARTS):
        return None
    letters = {name: chr(ord("A") + place) for place, name in enumerate(dict.fromkeys(names))}
    return "".join(letters[name] for name in names)


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
        words = [word for word in _WORD.findall(text) if len(set(word.lower())) > 3]
        if odd := next((word for word in words if not set(word.lower()) <= _LETTERS_OF_FORMS), None):
            raise UsageError(
                f"{text!r} is not a form: {odd[:30]!r} is a word; write letters for sections (AABA), or parts of a "
                f"song ({', '.join(_PARTS[:4])}, …)."
            )
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


SAME, VARIED = 0.95, 0.6
"""Shares of equal notes from which a section is the same as an earlier one, or a variation of it."""

_SECTION_BARS = (8, 4, 2)
_MOST_SECTIONS = 16


def find_form(melody: Melody) -> tuple[str, int] | None:
    """The form of a melody, such as ("AABA", 8) for sections of 8 bars; None if nothing stands again.

    Sections are of 8, 4 or 2 bars, the longest in which something returns; a pickup goes with the section that it leads
    into. Sections are alike by the share of notes with the same pitch at the same place: from 95 % on the same letter,
    from 60 % on the letter with a prime.
    """
    bar = melody.time_signature.bar_steps
    begin = bar - melody.pickup if melody.pickup else 0
    for bars in _SECTION_BARS:
        count = -(-melody.bars // bars)
        if not 2 <= count <= _MOST_SECTIONS or melody.bars % bars:
            continue
        sections: list[set[tuple[int, int]]] = [set() for _ in range(count)]
        for note in melody.notes:
            number, place = divmod(note.onset - begin, bars * bar)
            sections[min(number, count - 1)].add((place, note.pitch))
        letters = _letters(sections)
        if len({letter.rstrip("'") for letter in letters}) < count:
            return "".join(letters), bars
    return None


def _letters(sections: list[set[tuple[int, int]]]) -> list[str]:
    found: list[str] = []
    firsts: dict[str, set[tuple[int, int]]] = {}
    plain = 0
    for section in sections:
        near = max(firsts, key=lambda letter: _alike(section, firsts[letter]), default=None)
        likeness = 0.0 if near is None else _alike(section, firsts[near])
        if near is not None and likeness >= SAME:
            found.append(near)
            continue
        if near is not None and likeness >= VARIED:
            letter = near[0]
            primes = 1 + max(other.count("'") for other in firsts if other[0] == letter)
            name = letter + "'" * primes
        else:
            name = chr(ord("A") + plain)
            plain += 1
        firsts[name] = section
        found.append(name)
    return found


def _alike(one: set[tuple[int, int]], two: set[tuple[int, int]]) -> float:
    """The share of notes that two sections have in common, in [0, 1]; Dice's coefficient."""
    return 2 * len(one & two) / (len(one) + len(two)) if one and two else 0.0
