"""Chord symbols over a staff: which are written where, and how MusicXML says them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from melodygru.formats.notation.note_values import Bar
from melodygru.music.chords import QUALITIES, Chord, ChordSpan
from melodygru.records import dataclass

KINDS: dict[tuple[int, ...], str] = {
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
"""MusicXML's names of qualities, by their tones."""
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


@dataclass(frozen=True)
class Harmony:
    """A chord as notation programs take it apart.

    Attributes:
        root, bass: a letter, with "#" or "b" where it has one; the bass is "" but for a slash.
        kind: MusicXML's name of what stands over the root, https://www.w3.org/2021/06/musicxml40/.
        text: how the kind is written.
        degrees: what is added to the kind or altered in it, as (what, degree, alteration).
    """

    root: str
    kind: str
    text: str
    bass: str
    degrees: tuple[tuple[str, int, int], ...]


def harmony_of(chord: Chord) -> Harmony:
    """What a chord symbol says."""
    letters = re.fullmatch("([A-G][#b♯♭]?)(.*?)(?:/([A-G][#b♯♭]?))?", chord.symbol)
    assert letters is not None, f"{chord.symbol!r} was parsed before"
    root, bass = (name.replace("♯", "#").replace("♭", "b") for name in (letters[1], letters[3] or ""))
    tones = QUALITIES[letters[2]]
    kind, degrees = _ALTERED[tones] if tones in _ALTERED else (KINDS[tones], ())
    return Harmony(root, kind, letters[2], bass, degrees)
