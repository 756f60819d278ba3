"""MusicXML's <key>, <time> and <transpose> -> keys, metres and semitones; its numbers, none larger than scores have."""

from __future__ import annotations

import re
from math import isfinite, lcm
from xml.etree.ElementTree import Element

from melodygru.errors import MidiError, UsageError
from melodygru.music.theory import BEAT_UNITS, MODES, MOST_BEATS, Key, TimeSignature

_LIMITS = {
    "actual-notes": 1000,
    "alter": 4,
    "beat-type": 128,
    "chromatic": 48,
    "divisions": 10_000_000,
    "duration": 10**12,
    "fifths": 14,
    "key-alter": 4,
    "measure-repeat": 100,
    "normal-notes": 1000,
    "octave": 12,
    "octave-change": 6,
    "offset": 10**12,
    "staff": 64,
    "staves": 64,
}
"""The largest magnitude of what these elements say."""
_MODE_NAMES = {"ionian": "major", "aeolian": "minor"}
_SHARPS = "FCGDAEB"
_BEATS = re.compile(r"\s*\d{1,2}(\s*\+\s*\d{1,2}){0,7}\s*")


def number(tag: str, text: str | None) -> float:
    """What an element says. Raises MidiError where it is no number, or larger than any that a score has."""
    try:
        value = float(text or 0)
    except ValueError as error:
        raise MidiError(f"has a <{tag}> that is no number; export it again.") from error
    if not isfinite(value) or abs(value) > _LIMITS[tag]:
        raise MidiError(f"has a <{tag}> larger than any score has; export it again.")
    return value


def key_of(element: Element) -> Key | int | None:
    """A key, or a signature alone in sharps; None where its accidentals are those of no major scale."""
    if element.find("fifths") is None:
        return _key_of_steps(element)
    fifths = int(number("fifths", element.findtext("fifths")))
    mode = (element.findtext("mode") or "").strip().lower()
    mode = _MODE_NAMES.get(mode, mode)
    if mode in MODES:
        return Key.from_fifths(fifths, mode)
    return fifths if -7 <= fifths <= 7 else Key.from_fifths(fifths).fifths


def _key_of_steps(element: Element) -> int | None:
    steps = [(one.text or "").strip().upper() for one in element.findall("key-step")]
    alters = [number("key-alter", one.text) for one in element.findall("key-alter")]
    altered = {step: alter for step, alter in zip(steps, alters, strict=False) if alter}
    count = len(altered)
    if count <= 7 and altered == dict.fromkeys(_SHARPS[:count], 1.0):
        return count
    if count <= 7 and altered == dict.fromkeys(_SHARPS[7 - count :], -1.0):
        return -count
    return None


def transposed(key: Key | int | None, semitones: int) -> Key | int | None:
    """A key, or a signature in sharps, so many semitones higher."""
    if key is None or not semitones:
        return key
    if isinstance(key, Key):
        return key.transpose(semitones)
    return Key.from_fifths(key).transpose(semitones).fifths


def metre_of(element: Element) -> TimeSignature | None:
    """The metre of a <time>, such as 3+2 over 8, or 3/8 and then 1/4; None for "senza misura".

    Raises MidiError where it is none.
    """
    if element.find("senza-misura") is not None:
        return None
    beats = [one.text or "" for one in element.findall("beats")]
    types = [int(number("beat-type", one.text)) for one in element.findall("beat-type")]
    if not beats or len(beats) != len(types) or min(types) < 1 or not all(map(_BEATS.fullmatch, beats)):
        raise MidiError("has a metre that cannot be read; export it again.")
    finest = lcm(*types)
    count = sum(sum(map(int, one.split("+"))) * finest // unit for one, unit in zip(beats, types, strict=True))
    said = " + ".join(f"{one.strip()}/{unit}" for one, unit in zip(beats, types, strict=True))
    while (count > MOST_BEATS or finest > max(BEAT_UNITS)) and count % 2 == finest % 2 == 0:
        count, finest = count // 2, finest // 2  # 2/64 is as long as 1/32
    try:
        return TimeSignature(count, finest)
    except UsageError as error:
        raise MidiError(f"is in {said}, which is no metre here; leave it out.") from error


def semitones(transpose: Element) -> int:
    """How much higher a transposing instrument sounds than is written."""
    chromatic = number("chromatic", transpose.findtext("chromatic"))
    octaves = number("octave-change", transpose.findtext("octave-change"))
    return round(chromatic) + 12 * round(octaves)
