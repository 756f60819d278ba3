"""Musical form: letters for sections, primes for variations of them, and how many bars each has.

`AABA` is four sections of which the first, second and fourth are the same music. A prime marks a section that begins
like its letter's first and goes its own way towards the end: A' from its last quarter on (its cadence), A'' in the bar
before its middle too, A''' and further from its middle on. A number after a letter is its length: `V8 C8 B4 C8`.

In a form that has a V and no A, the letters of `PARTS` stand for the parts of a song: V is the verse, C the chorus.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate

from melodygru.errors import UsageError
from melodygru.music.melody import Melody
from melodygru.records import dataclass

MAX_SECTIONS = 64
MAX_SECTION_BARS = 1000

PARTS = {
    "verse": "V", "chorus": "C", "bridge": "B", "intro": "I", "outro": "O", "prechorus": "P", "theme": "T",
    "solo": "S", "coda": "K", "interlude": "L", "strophe": "H",
}  # fmt: skip
"""Parts of songs, and the letters that they are written with where there is a verse."""
_PARTS_TOO = {"refrain": "chorus", "hook": "chorus", "middle": "bridge", "ending": "outro"}
"""Other names of the parts of songs."""
_WORD = re.compile(r"[A-Za-z]*[a-z][A-Za-z]*")
_LETTERS_OF_FORMS = frozenset("abcdefgh")
"""Small letters that are meant as sections; a word has others."""
_IN_WORDS = re.compile(r"([a-z]+)|(\d{1,4})[\s-]*(bars?|measures?)?")


def part_named(word: str) -> str | None:
    """The letter of a part of a song, whatever it is called; None for a word that is none."""
    name = word.strip().lower().replace("-", "").replace(" ", "")
    return PARTS.get(_PARTS_TOO.get(name, name))


def parts_in_words(text: str) -> str | None:
    """The form of a song in words: "verse chorus verse 2" is VCV, "verse 8 chorus 4" is V8 C4; None for others.

    A number that counts how often a part has come says that ("verse 2" is the second verse), any other how many bars
    it has. Where there is no verse, the letters are A, B, … in order of the parts.
    """
    joined = re.sub(r"pre[\s-]chorus", "prechorus", text.lower())
    if len(joined) > 2000 or not re.fullmatch(r"[a-z0-9\s,>()-]*", joined):
        return None
    names: list[str] = []
    lengths: dict[str, str] = {}
    for word, number, unit in _IN_WORDS.findall(joined):
        if word:
            names.append(_PARTS_TOO.get(word, word))
        elif names and (unit or int(number) != names.count(names[-1])):
            lengths.setdefault(names[-1], number.lstrip("0") or "0")
            if lengths[names[-1]] != (number.lstrip("0") or "0"):
                return None
        elif not names:
            return None
    if not names or not set(names) <= set(PARTS):
        return None
    kinds = list(dict.fromkeys(names))
    letters = PARTS if "verse" in names else {name: chr(ord("A") + place) for place, name in enumerate(kinds)}
    written = [letters[name] + lengths.get(name, "") for name in names]
    return (" " if lengths else "").join(written)


@dataclass(frozen=True)
class Section:
    """One section: its letter, how many primes it has, and its length in bars (0: not said)."""

    letter: str
    primes: int = 0
    bars: int = 0

    def __str__(self) -> str:
        return self.letter + "'" * self.primes + (str(self.bars) if self.bars else "")

    @property
    def name(self) -> str:
        """The letter with its primes: sections of one name are the same music."""
        return self.letter + "'" * self.primes


@dataclass(frozen=True)
class Form:
    """A row of sections; those of one letter have the same length."""

    sections: tuple[Section, ...]

    @classmethod
    def parse(cls, text: str) -> Form:
        """A form from text: "AABA", "A A' B A''" (’ and ′ are primes too), "V8 C8 B4 C8".

        A length counts for all sections of its letter. Raises UsageError for anything else.
        """
        words = [word for word in _WORD.findall(text) if len(set(word.lower())) > 3]
        if odd := next((word for word in words if not set(word.lower()) <= _LETTERS_OF_FORMS), None):
            raise UsageError(
                f"{text!r} is not a form: {odd[:30]!r} is a word; write letters for sections (AABA), or parts of a "
                f"song ({', '.join([*PARTS][:4])}, …)."
            )
        plain = re.sub(r"[\s,-]+", "", text.replace("’", "'").replace("′", "'").replace("″", "''"))
        if not re.fullmatch(r"(?:[A-Za-z]'{0,8}\d{0,4})+", plain):
            raise UsageError(
                f"{text!r} is not a form; write letters for sections, primes for variations, and numbers for bars: "
                "AABA, AA'BA'', V8 C8 B4 C8."
            )
        rows = [(m[1].upper(), len(m[2]), m[3]) for m in re.finditer(r"([A-Za-z])('*)(\d*)", plain)]
        if len(rows) > MAX_SECTIONS:
            raise UsageError(f"The form has {len(rows)} sections; choose at most {MAX_SECTIONS}.")
        bars: dict[str, int] = {}
        for letter, _, number in rows:
            if number and not 1 <= int(number) <= MAX_SECTION_BARS:
                raise UsageError(f"Section {letter} of the form has {number} bars; choose 1 to {MAX_SECTION_BARS}.")
            if number and bars.setdefault(letter, int(number)) != int(number):
                raise UsageError(
                    f"Section {letter} of the form has {bars[letter]} bars and {int(number)} bars: what has the same "
                    "letter is the same music; use another letter for one of them."
                )
        return cls(tuple(Section(letter, primes, bars.get(letter, 0)) for letter, primes, _ in rows))

    def __str__(self) -> str:
        return (" " if self.says_bars else "").join(map(str, self.sections))

    @property
    def says_bars(self) -> bool:
        """Whether any section says how long it is."""
        return any(section.bars for section in self.sections)

    @property
    def letters(self) -> list[str]:
        """Each letter once, in order."""
        return list(dict.fromkeys(section.letter for section in self.sections))

    @property
    def of_a_song(self) -> bool:
        """Whether its letters stand for the parts of a song, see `PARTS`."""
        return "V" in self.letters and "A" not in self.letters

    def placed(self, lengths: Sequence[int]) -> Iterator[tuple[Section, int, int]]:
        """Each section with the half-open range of bars, from 0, that it has with these lengths."""
        ends = list(accumulate(lengths))
        yield from zip(self.sections, (0, *ends), ends, strict=False)


@dataclass(frozen=True)
class Stretch:
    """A stretch of a piece in bars from its beginning, half-open: to be written, or the same as at the bar `source`.

    `departs` are bars at which music begins that this stretch is not to be like: what it varies, other letters'.
    """

    start: float
    end: float
    source: float | None = None
    departs: tuple[float, ...] = ()


def stretches(form: Form, lengths: Sequence[int]) -> list[Stretch]:
    """What is to be written and what repeated, in order, for sections of these lengths in bars."""
    first: dict[str, int] = {}
    letters: dict[str, int] = {}
    found = []
    for section, at, end in form.placed(lengths):
        if section.name in first:
            found.append(Stretch(at, end, source=first[section.name]))
        elif section.letter in letters and section.primes:
            alike = [bar for other, bar in first.items() if other[0] == section.letter]
            found += _variation(at, letters[section.letter], end - at, section.primes, alike)
        else:
            # A prime whose plain letter has not come is where the letter begins.
            found.append(Stretch(at, end, departs=tuple(letters.values())))
        first.setdefault(section.name, at)
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
