"""Analyses in RomanText -> chords: "m5 b2.5 V65/V" and the like, as AugmentedNet writes them.

RomanText: Tymoczko, Gotham, Cuthbert & Ariza, "The RomanText Format" (ISMIR 2019). What is read is what stands in the
analyses of the art songs: keys, numerals with inversions, chords applied to other degrees, augmented sixths and the
Neapolitan. What is not understood is no chord.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from melodygru.formats.scores.written import TICKS
from melodygru.music.theory import SCALES, Key, TimeSignature, parse_pitch

_LINE = re.compile(r"m(\d+)((?:\s+\S+)*)\s*")
_KEY = re.compile(r"([A-Ga-g])([#b]?):")
_BEAT = re.compile(r"b(\d+(?:\.\d+)?)")
_NUMERAL = re.compile(r"([#b]*)(VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i)([oø°+]?)(\d*)")
_SPECIAL = re.compile(r"(Ger|Fr|It|N|Cad)(\d*)")
_DEGREES = ("i", "ii", "iii", "iv", "v", "vi", "vii")
_SEVENTHS = ("7", "65", "43", "42", "2")
_AUGMENTED_SIXTH, _NEAPOLITAN = 8, 1
"""Semitones from the tonic to their roots; the former sound as a dominant seventh chord there."""


class RomanChord(NamedTuple):
    """A chord from a tick of a bar on: `measure` is the bar's number in the analysis; root and quality, or None."""

    measure: int
    tick: int
    chord: tuple[int, str] | None


def roman_chords(text: str) -> Iterator[RomanChord]:
    """The chords of an analysis, in order."""
    key, metre = Key(), TimeSignature()
    for line in text.splitlines():
        named = re.fullmatch(r"Time Signature:\s*(\d+)/(\d+)\s*", line)
        if named:
            metre = TimeSignature(int(named[1]), int(named[2]))
        told = _LINE.fullmatch(line)
        if told is None:
            continue
        tick = 0
        for word in told[2].split():
            beat, new = _BEAT.fullmatch(word), _KEY.fullmatch(word)
            if beat:
                tick = round((float(beat[1]) - 1) * _beat_ticks(metre))
            elif new:
                key = Key(parse_pitch(f"{new[1].upper()}{new[2]}4") % 12, "major" if new[1].isupper() else "minor")
            else:
                yield RomanChord(int(told[1]), tick, chord_of(word, key))


def _beat_ticks(metre: TimeSignature) -> float:
    """Ticks of a beat as RomanText counts: of compound metres, 3/8 among them, it is three units."""
    compound = metre.numerator % 3 == 0 and (metre.numerator > 3 or metre.denominator > 4)
    return 4 * TICKS / metre.denominator * (3 if compound else 1)


def chord_of(numeral: str, key: Key) -> tuple[int, str] | None:
    """Root and quality of a numeral in a key; None for what is not understood.

    "V7/ii" is the dominant seventh of the key on the second degree, which is minor since it is written small.
    """
    own, *applied = numeral.split("/")
    for degree in reversed(applied):
        match = _NUMERAL.fullmatch(degree)
        if match is None:
            return None
        key = Key(_root(match[1], match[2], key), "major" if match[2].isupper() else "minor")
    special = _SPECIAL.fullmatch(own)
    if special:
        if special[1] == "Cad":
            return key.tonic, "maj" if key.mode == "major" else "m"
        if special[1] == "N":
            return (key.tonic + _NEAPOLITAN) % 12, "maj"
        return (key.tonic + _AUGMENTED_SIXTH) % 12, "7"
    match = _NUMERAL.fullmatch(own)
    if match is None:
        return None
    sharps, name, quality, figures = match.groups()
    root = _root(sharps, name, key)
    seventh = figures in _SEVENTHS
    if quality in ("o", "°"):
        return root, "dim7" if seventh else "dim"
    if quality == "ø":
        return root, "m7b5"
    if quality == "+":
        return root, "aug"
    if name.islower():
        return root, "m7" if seventh else "m"
    if not seventh:
        return root, "maj"
    scale = {(key.tonic + step) % 12 for step in SCALES[key.mode]}
    return root, "maj7" if name != "V" and (root + 11) % 12 in scale else "7"


def _root(sharps: str, name: str, key: Key) -> int:
    """The pitch class of a degree. In minor the sixth and seventh are raised where they are written small, and
    bVII is counted from the leading note, as AugmentedNet does."""
    degree = _DEGREES.index(name.lower())
    step = SCALES[key.mode][degree]
    if key.mode == "minor" and ((degree in (5, 6) and name.islower()) or (degree == 6 and "b" in sharps)):
        step += 1
    return (key.tonic + step + sharps.count("#") - sharps.count("b")) % 12
