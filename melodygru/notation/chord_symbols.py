"""Chord symbols over a staff: which are written where, and how MusicXML says them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree import ElementTree

from melodygru.chords import QUALITIES, ChordSpan
from melodygru.notation.note_values import Bar

_KINDS = {
    (0, 4, 7): "major",
    (0, 3, 7): "minor",
    (0, 4, 8): "augmented",
    (0, 3, 6): "diminished",
    (0, 4, 7, 10): "dominant",
    (0, 4, 7, 11): "major-seventh",
    (0, 3, 7, 10): "minor-seventh",
    (0, 3, 6, 9): "diminished-seventh",
    (0, 4, 8, 10): "augmented-seventh",
    (0, 3, 6, 10): "half-diminished",
    (0, 3, 7, 11): "major-minor",
    (0, 4, 7, 9): "major-sixth",
    (0, 3, 7, 9): "minor-sixth",
    (0, 4, 7, 10, 2): "dominant-ninth",
    (0, 4, 7, 11, 2): "major-ninth",
    (0, 3, 7, 10, 2): "minor-ninth",
    (0, 4, 7, 10, 2, 5): "dominant-11th",
    (0, 3, 7, 10, 2, 5): "minor-11th",
    (0, 4, 7, 10, 2, 9): "dominant-13th",
    (0, 4, 7, 11, 2, 9): "major-13th",
    (0, 3, 7, 10, 2, 9): "minor-13th",
    (0, 2, 7): "suspended-second",
    (0, 5, 7): "suspended-fourth",
    (0, 7): "power",
}
# All other qualities: a kind, and what is added to it or altered in it, as (what, degree, alteration).
_ALTERED: dict[tuple[int, ...], tuple[str, tuple[tuple[str, int, int], ...]]] = {
    (0, 4, 7, 9, 2): ("major-sixth", (("add", 9, 0),)),
    (0, 3, 7, 9, 2): ("minor-sixth", (("add", 9, 0),)),
    (0, 4, 8, 11): ("major-seventh", (("alter", 5, 1),)),
    (0, 4, 6, 10): ("dominant", (("alter", 5, -1),)),
    (0, 5, 7, 10): ("suspended-fourth", (("add", 7, -1),)),
    (0, 5, 7, 10, 2): ("suspended-fourth", (("add", 7, -1), ("add", 9, 0))),
    (0, 4, 7, 2): ("major", (("add", 9, 0),)),
    (0, 3, 7, 2): ("minor", (("add", 9, 0),)),
    (0, 4, 7, 10, 1): ("dominant", (("add", 9, -1),)),
    (0, 4, 7, 10, 3): ("dominant", (("add", 9, 1),)),
    (0, 4, 7, 10, 6): ("dominant", (("add", 11, 1),)),
    (0, 4, 7, 11, 6): ("major-seventh", (("add", 11, 1),)),
}


def changes(chords: Sequence[ChordSpan]) -> list[ChordSpan]:
    """The spans at whose onset another chord begins."""
    return [
        span
        for index, span in enumerate(chords)
        if index == 0 or symbol_of(span) != symbol_of(chords[index - 1]) or chords[index - 1].end != span.onset
    ]


def chords_in(bar: Bar, changing: Sequence[ChordSpan]) -> dict[int, ChordSpan]:
    """The chords of a bar by the step where they stand; one that holds as a pickup begins stands there."""
    # A pickup's bar begins with its first note; what comes before is heard then, if nothing comes between.
    first = 0 if bar.number == 0 else bar.start
    return {max(span.onset, bar.start): span for span in changing if first <= span.onset < bar.end}


def symbol_of(span: ChordSpan) -> str:
    """What is written over the staff."""
    return "N.C." if span.chord is None else span.chord.symbol


def add_harmony(measure: ElementTree.Element, span: ChordSpan, offset: int, degrees: bool = True) -> None:
    """A chord symbol, `offset` steps after the beginning of the note that comes next, and what is added to its kind."""
    harmony = ElementTree.SubElement(measure, "harmony", placement="above")
    root = ElementTree.SubElement(harmony, "root")
    if span.chord is None:
        _text(root, "root-step", "C").set("text", "")
        _text(harmony, "kind", "none").set("text", "N.C.")
    else:
        letters = re.fullmatch("([A-G])([#b♯♭]?)(.*?)(?:/([A-G][#b♯♭]?))?", span.chord.symbol)
        assert letters is not None, f"{span.chord.symbol!r} was parsed before"
        _text(root, "root-step", letters[1])
        if letters[2]:
            _text(root, "root-alter", 1 if letters[2] in "#♯" else -1)
        tones = QUALITIES[letters[3]]
        kind, added = _ALTERED[tones] if tones in _ALTERED else (_KINDS[tones], ())
        _text(harmony, "kind", kind).set("text", letters[3])
        if bass := letters[4]:
            low = ElementTree.SubElement(harmony, "bass")
            _text(low, "bass-step", bass[0])
            if bass[1:]:
                _text(low, "bass-alter", 1 if bass[1] in "#♯" else -1)
        for what, value, alter in added if degrees else ():
            degree = ElementTree.SubElement(harmony, "degree", {"print-object": "no"})
            _text(degree, "degree-value", value)
            _text(degree, "degree-alter", alter)
            _text(degree, "degree-type", what)
    if offset:
        _text(harmony, "offset", offset)


def _text(parent: ElementTree.Element, tag: str, text: object) -> ElementTree.Element:
    child = ElementTree.SubElement(parent, tag)
    child.text = str(text)
    return child
