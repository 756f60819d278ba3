"""Chords by their degrees: "vi IV I V" in a key -> "Am F C G".

Capitals are major, small letters minor; what follows is as in chord symbols ("ii7", "Imaj7", "V7sus4"), and a slash
names the degree that a dominant leads to ("V7/V"). Degrees are the mode's own, so VI in A minor is F; a flat before a
numeral counts from the major scale, so bVI is F too; diminished on the seventh degree of minor is the leading tone. See
Aldwell & Schachter, "Harmony and Voice Leading" (2003), chapter 3.
"""

from __future__ import annotations

import re
from dataclasses import replace

from melodygru.errors import UsageError
from melodygru.music.chords import QUALITIES
from melodygru.music.spelling import class_name
from melodygru.music.theory import SCALES, Key

_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII")
_DEGREE = r"([b#♭♯]?)(VII|VI|IV|V|III|II|I|vii|vi|iv|v|iii|ii|i)"
_NUMERAL = re.compile(rf"{_DEGREE}([^/]*)(?:/{_DEGREE})?")
_LEADING_TONE = 11


def is_numeral(token: str) -> bool:
    """Whether a token is meant as a degree: it need not be a legal one."""
    return _NUMERAL.fullmatch(token) is not None


def symbol_of(token: str, key: Key) -> str:
    """The chord symbol of a degree in a key: "ii7" in C major is "Dm7".

    Raises UsageError for what is no degree, or follows one and nobody knows.
    """
    match = _NUMERAL.fullmatch(token)
    if match is None:
        raise UsageError(f"{token!r} is not a degree; write {_EXAMPLES}.")
    sign, numeral, quality, goal_sign, goal = match.groups()
    if goal is not None:
        # The key that an applied chord leads to: major, so that V/ii is A and not Am in C.
        key = replace(key, tonic=_root(goal_sign, goal, "", key), mode="major", written="")
    if numeral.islower() and not re.match(r"m|dim|o|°|ø|-", quality):
        quality = f"m{quality}"
    if quality not in QUALITIES:
        raise UsageError(f"{token!r} is not a chord on a degree; write {_EXAMPLES}.")
    return class_name(_root(sign, numeral, quality, key), key) + quality


_EXAMPLES = "I, ii, V7, vi, bVII, vii° or V7/V, and what else chord symbols have after them: Imaj7, ii7, Vsus4"


def _root(sign: str, numeral: str, quality: str, key: Key) -> int:
    """The pitch class of a degree in a key."""
    degree = _ROMAN.index(numeral.upper())
    if sign in ("b", "♭"):
        interval = SCALES["major"][degree] - 1
    elif degree == 6 and not sign and key.mode == "minor" and re.match(r"dim|o|°|ø", quality):
        interval = _LEADING_TONE
    else:
        interval = SCALES[key.mode][degree] + bool(sign)
    return (key.tonic + interval) % 12
