"""What a melody looks like from outside: what stands again where, as letters."""

from __future__ import annotations

from melodygru.melody import Melody

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
