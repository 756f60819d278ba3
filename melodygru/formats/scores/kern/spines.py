"""The lines of a Humdrum file -> its spines, line by line, each under the voice and the staff that it belongs to.

A **kern spine begins a staff with one voice. `*^` splits a voice in two, the left of which is the upper one; `*v` joins
the voices it stands under, side by side: those of each staff, where every staff there has several, else all of them;
`*x` exchanges the places of two spines, which stay the voices that they were; `*+` adds a spine, `*-` ends one. What
the tokens mean is `melodygru.formats.scores.kern.tokens`' affair, when they sound
`melodygru.formats.scores.kern.reader`'s.

The Humdrum syntax: https://www.humdrum.org/guide/ch05/.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import groupby
from typing import NamedTuple

from melodygru.errors import MidiError

MOST_CELLS = 1_000_000
"""Cells of a file, one a line and spine: the score of a symphony's longest movement has a fifth of that."""
MOST_SPINES = 1_000
"""Open at once; an orchestra with its words has a hundred."""

MOST_VOICES = 32
"""Of a staff; four can be read."""

Time = int | Fraction
"""Ticks from the last bar line (see `melodygru.formats.scores.written.TICKS`), exact."""


class Staff:
    """One **kern spine and all that splits off it: its voices that are open, from top to bottom."""

    def __init__(self) -> None:
        self.voices: list[Voice] = []


class Voice:
    """A spine: its `kind` ("**kern"; empty until it is named) and, of **kern, its staff.

    `ready`: where its last note ends, kept by `melodygru.formats.scores.kern.reader`; None while it is silent
    without a rest.
    """

    __slots__ = ("kind", "ready", "staff")

    def __init__(self, kind: str, staff: Staff | None, ready: Time | None) -> None:
        self.kind, self.staff, self.ready = kind, staff, ready


class Row(NamedTuple):
    """A line: its number, from 1, and its cells, each under its voice.

    Of a record (`!!!`), one cell and no voice; neither where all spines have ended, and a piece with them.
    """

    number: int
    voices: Sequence[Voice]
    cells: Sequence[str]


def rows(text: str) -> Iterator[Row]:
    """The records, interpretations, bar lines and data of a file, comments passed by.

    Interpretations come before what they do to the spines is done; the row after one that ended all of them begins
    another piece. Raises MidiError for what is no Humdrum, with the line.
    """
    if text.count("\t") + text.count("\n") > MOST_CELLS:
        raise MidiError(f"has over {MOST_CELLS:,} cells, more than any score; leave it out.")
    voices: list[Voice] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line or line[0] == "!":
            if line.startswith("!!!"):
                yield Row(number, (), (line,))
            continue
        cells = line.split("\t")
        if not voices:
            if not all(cell.startswith("**") for cell in cells):
                if not line.strip():
                    continue
                raise MidiError(f"has music on line {number} before spines begin, with **kern; correct it.")
            voices = [Voice("", None, 0) for _ in cells]
        if len(cells) != len(voices):
            if any(cells[len(voices) :]) or len(cells) < len(voices):
                were = f"{len(cells)} cell{'s' * (len(cells) > 1)} on line {number} where {len(voices)}"
                raise MidiError(f"has {were} spine{'s are' if len(voices) > 1 else ' is'} open; correct it.")
            cells = cells[: len(voices)]  # tabs at the end of a line
        if line[0] != "*":
            yield Row(number, voices, cells)
            continue
        if not all(cell.startswith("*") for cell in cells):
            raise MidiError(f"mixes interpretations with something else on line {number}; correct it.")
        yield Row(number, voices, cells)
        if not _PLAIN.isdisjoint(cells) or any(cell.startswith("**") for cell in cells):
            voices = _rearranged(voices, cells, number)
            if not voices:
                yield Row(number, (), ())
            if len(voices) > MOST_SPINES:
                raise MidiError(f"has over {MOST_SPINES:,} spines on line {number}, more than any score; leave it out.")


_PLAIN = {"*^", "*v", "*x", "*+", "*-"}


def _rearranged(voices: Sequence[Voice], cells: Sequence[str], number: int) -> list[Voice]:
    """The spines after a line of interpretations that changes them."""
    places = [place for place, cell in enumerate(cells) if cell == "*x"]
    order = list(range(len(cells)))
    if len(places) % 2:
        raise MidiError(f"exchanges one spine (*x) with none on line {number}; correct it.")
    for one, other in zip(places[::2], places[1::2], strict=True):
        order[one], order[other] = other, one
    found: list[Voice] = []
    for joins, group in groupby(((cells[place], voices[place]) for place in order), lambda told: told[0] == "*v"):
        if joins:
            found += _joined([voice for _, voice in group], number)
            continue
        for cell, voice in group:
            if cell == "*-":
                _close(voice)
                continue
            found.append(voice)
            if cell == "*^":
                found.append(_split(voice, number))
            elif cell == "*+":
                found.append(Voice("", None, None))
            elif cell.startswith("**"):
                _name(voice, cell.rstrip())
    return found


def _split(voice: Voice, number: int) -> Voice:
    """The lower one of the two that a voice becomes."""
    lower = Voice(voice.kind, voice.staff, voice.ready)
    if voice.staff is not None:
        at = voice.staff.voices
        if len(at) >= MOST_VOICES:
            raise MidiError(f"splits a staff into over {MOST_VOICES} voices on line {number}; leave it out.")
        at.insert(at.index(voice) + 1, lower)
    return lower


def _joined(group: Sequence[Voice], number: int) -> list[Voice]:
    """What is left of spines side by side that join."""
    by_staff = [list(members) for _, members in groupby(group, lambda voice: voice.staff or voice.kind)]
    if any(len(members) < 2 for members in by_staff):
        by_staff = [list(group)]
    left = []
    for members in by_staff:
        if len(members) < 2:
            raise MidiError(f"joins one spine (*v) with none on line {number}; correct it.")
        if len({voice.kind for voice in members}) > 1:
            raise MidiError(f"joins spines of several kinds (*v) on line {number}; correct it.")
        ends = {voice.ready for voice in members} - {None}
        if len(ends) > 1:
            raise MidiError(f"joins voices that do not end together (*v) on line {number}; correct it.")
        # The uppermost goes on, though it may not be the leftmost after an exchange.
        staff = members[0].staff
        kept = members[0] if staff is None else next(voice for voice in staff.voices if voice in members)
        kept.ready = next(iter(ends), None)
        for voice in members:
            if voice is not kept:
                _close(voice)
        left.append(kept)
    return left


def _close(voice: Voice) -> None:
    if voice.staff is not None:
        voice.staff.voices.remove(voice)


def _name(voice: Voice, kind: str) -> None:
    """Give a spine its kind; what was a staff's before is closed."""
    if kind == voice.kind:
        return
    _close(voice)
    voice.kind, voice.staff = kind, Staff() if kind == "**kern" else None
    if voice.staff is not None:
        voice.staff.voices.append(voice)
