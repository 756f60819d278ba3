"""A MusicXML <harmony> -> a chord symbol as `melodygru.music.chords` reads it: "C#m7b5", "F7b9", "G/B", "N.C."."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from melodygru.formats.notation.chord_symbols import KINDS
from melodygru.music.chords import QUALITIES

NO_CHORD = "N.C."
_TONES = {kind: tones for tones, kind in KINDS.items()}
_SPELLINGS: dict[frozenset[int], str] = {}
for _spelling, _tones in QUALITIES.items():
    _SPELLINGS.setdefault(frozenset(_tones), _spelling)  # the first of a quality is the usual one
_DEGREES = {1: 0, 2: 2, 3: 4, 4: 5, 5: 7, 6: 9, 7: 10, 9: 2, 10: 4, 11: 5, 12: 7, 13: 9}
"""Semitones above the root of a degree that is added, as in a dominant chord."""
_ALTERS = {"-1": "b", "0": "", "1": "#", "": ""}


def chord_symbol(element: Element) -> str | None:
    """The symbol of a <harmony>; None where it names no root, or a kind that no symbol tells.

    Degrees that are added, altered or taken away are told where that makes a chord that is known, else passed by.
    """
    kind = element.find("kind")
    name, text = ("", "") if kind is None else ((kind.text or "").strip(), kind.get("text", ""))
    if name == "none":
        return NO_CHORD
    root, tones = _pitch(element, "root"), _TONES.get(name)
    if tones is None and text and text in QUALITIES:  # programs have kinds of their own
        tones = QUALITIES[text]
    if root is None or tones is None:
        return None
    altered = frozenset(tones)
    for degree in element.findall("degree"):
        altered = _with_degree(altered, degree)
    quality = _SPELLINGS.get(altered, _SPELLINGS[frozenset(tones)])
    bass = _pitch(element, "bass")
    return f"{root}{quality}" + (f"/{bass}" if bass is not None and bass != root else "")


def _pitch(element: Element, which: str) -> str | None:
    """The root or bass by name; None where there is none, or one with two signs."""
    step = (element.findtext(f"{which}/{which}-step") or "").strip()
    alter = _ALTERS.get(_whole(element.findtext(f"{which}/{which}-alter")))
    return None if alter is None or step not in tuple("ABCDEFG") else step + alter


def _with_degree(tones: frozenset[int], degree: Element) -> frozenset[int]:
    """The tones of a chord, semitones above its root, with one degree more, less, or altered."""
    value, alter = _whole(degree.findtext("degree-value")), _whole(degree.findtext("degree-alter"))
    if value not in map(str, _DEGREES) or alter not in _ALTERS:
        return tones
    plain = _DEGREES[int(value)]
    if plain == _DEGREES[7] and alter == "-1":
        alter = "0"  # some take it from the major seventh
    what, tone = (degree.findtext("degree-type") or "").strip(), (plain + int(alter or 0)) % 12
    return tones - {tone} if what == "subtract" else tones - ({plain} if what == "alter" else set()) | {tone}


def _whole(text: str | None) -> str:
    return (text or "").strip().removesuffix(".0")
