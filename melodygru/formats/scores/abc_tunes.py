"""One tune in ABC notation -> one Melody, as it is played: repeats written out, bar lines right.

The tokens are music21's, the bars are not: its streams give some pickups a metre of their
own, and cut bars that are too long in two, so that a fault of the text can no longer be seen.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Any

from melodygru.formats.scores.abc_text import (
    LeftOut,
    read_key,
    read_metre,
    read_pitch,
    read_steps,
    read_tempo,
    tokenize,
)
from melodygru.music.melody import Melody, Note
from melodygru.music.theory import TimeSignature

_MOST_BARS = 20_000
"""Bars before second endings, heard again: without a limit a small file could become more than there is memory for."""


@dataclass
class _Bar:
    """What stands between two bar lines: (pitch or None for a rest, steps, tied to the next) in order."""

    sounds: list[tuple[int | None, int, bool]] = field(default_factory=list)
    opens: bool = False  # "|:" stands before it
    closes: bool = False  # ":|" stands after it
    ends_section: bool = False  # "||", "|]" or a repeat sign stands after it
    ending: int = 0  # 1, 2, … when it begins a first, second, … ending

    @property
    def length(self) -> int:
        return sum(steps for _, steps, _ in self.sounds)


def read_tune(text: str) -> Melody:
    """The melody of one tune in ABC notation, from its `X:` line to its last bar.

    Repeats and their endings are written out, ties merged, grace notes dropped; of a
    chord the top note is kept. Bar lines come at multiples of the bar: a section that
    ends early is completed by the pickup of the next, as the printed page has it.

    Raises LeftOut with the reason: several metres, several voices, a rhythm off the grid,
    a bar of the wrong length, or text that music21 cannot read.
    Source of the notation: the ABC standard 2.1, https://abcnotation.com/wiki/abc:standard:v2.1
    """
    tokens, header = tokenize(text)
    time_signature, key = read_metre(header.get("M")), read_key(header.get("K"))
    sections = _sections(_bars(tokens, time_signature))
    notes, pickup = _lay_out(sections, time_signature.bar_steps)
    # In Ryan's book stray colons stand in words: "Amat:eur".
    title = re.sub(r"(?<=[a-z]):(?=[a-z])", "", header["T"].data) if "T" in header else ""
    return Melody(notes, time_signature, key, read_tempo(header, time_signature), title, pickup)


def _bars(tokens: list[Any], time_signature: TimeSignature) -> list[_Bar]:
    """The bars as they are printed, empty ones dropped. Raises LeftOut for a second metre or a bad note."""
    from music21 import abcFormat

    bars = [_Bar()]
    for token, tied in tokens:
        bar = bars[-1]
        if isinstance(token, abcFormat.ABCMetadata):
            if token.tag == "M" and len(bars) > 1 and read_metre(token) != time_signature:
                raise LeftOut("several metres")
        elif isinstance(token, abcFormat.ABCNote):
            bar.sounds.append((read_pitch(token), read_steps(token), tied))
        elif isinstance(token, abcFormat.ABCBar):
            sign = token.src.strip()
            if bar.sounds:
                bars.append(_Bar())
            if len(bars) > 1 and sign != "[1":
                bars[-2].closes |= sign == ":|"
                bars[-2].ends_section |= sign in (":|", "|:", "||", "|]", "[|")
            # A lone ":" is what is left of "||:".
            bars[-1].opens |= sign in ("|:", ":")
            bars[-1].ending = {"[1": 1, "[2": 2}.get(sign, bars[-1].ending)
    if not bars[-1].sounds:
        bars.pop()
    if len(bars) < 2:
        raise LeftOut("fewer than two bars")
    lengths = [bar.length for bar in bars]
    if lengths.count(time_signature.bar_steps) < max(map(lengths.count, lengths)):
        # The header is wrong about the metre or the unit of length.
        raise LeftOut("bars of another metre than the one named")
    return bars


def _sections(bars: list[_Bar]) -> list[list[_Bar]]:
    """The bars as they are played, repeats written out, cut wherever two sections meet.

    ":|" goes back to the last "|:", double bar or ":|", or to the beginning, as the ABC
    standard (2.1, section 4.8) tells players to. A first ending is left out the second time.

    Raises LeftOut where endings without end go back to the same place.
    """
    sections: list[list[_Bar]] = [[]]
    start, ending, first_ending, again = 0, 0, 0, 0
    for i, bar in enumerate(bars):
        if bar.opens:
            start, ending = i, 0
        if bar.ending:
            ending = bar.ending
            first_ending = i if ending == 1 else first_ending
        sections[-1].append(bar)
        second_follows = i + 1 < len(bars) and bars[i + 1].ending == 2
        if ending == 1 and (bar.closes or second_follows):
            # Only what came before the first ending is heard again, and the second goes on from it.
            sections.append(bars[start:first_ending])
            again += first_ending - start
            ending = 2
        elif bar.closes and ending == 0:
            sections.extend((bars[start : i + 1], []))
            start = i + 1
        elif bar.ends_section and ending != 1:
            sections.append([])
            start, ending = i + 1, 0
        if again > _MOST_BARS:
            raise LeftOut("more repeats than any tune has")
    return [section for section in sections if section]


def _lay_out(sections: list[list[_Bar]], bar_steps: int) -> tuple[tuple[Note, ...], int]:
    """Sections -> notes on the grid, and the steps of the pickup in [0, bar_steps).

    Every section is put where its first bar line falls on one of the grid. As a rule the
    partial bar that ends a section and the pickup of the next make up a whole bar, and
    nothing is left to do. Where they do not, it is done as players do it: the last note is
    held on to fill a short bar, or cut short to make room for a pickup printed after a
    whole bar; a pickup for which that leaves no room is not played.
    """
    # A partial bar alone between two signs ("A |: B c …") belongs to what follows.
    for i in range(len(sections) - 1, 0, -1):
        if len(sections[i - 1]) == 1 and sections[i - 1][0].length < bar_steps:
            sections[i - 1 : i + 1] = [sections[i - 1] + sections[i]]
    notes: list[Note] = []
    pickup = _head(sections[0], bar_steps)
    position = bar_steps - pickup if pickup else 0
    tie = False
    for section in sections:
        start = -(-position // bar_steps) * bar_steps - _head(section, bar_steps)
        if len(section) == 1 and section[0].length < bar_steps:
            start = position
        if notes and notes[-1].onset >= start:
            if section[0].length * 2 >= bar_steps:
                raise LeftOut("a bar of the wrong length")
            start, section = start + section[0].length, section[1:]
        if notes and (notes[-1].end > start or notes[-1].end == position):
            notes[-1] = replace(notes[-1], duration=start - notes[-1].onset)
        position = start
        for pitch, steps, tied in (sound for bar in section for sound in bar.sounds):
            if pitch is not None and tie and notes[-1].end == position and notes[-1].pitch == pitch:
                notes[-1] = replace(notes[-1], duration=notes[-1].duration + steps)
            elif pitch is not None:
                notes.append(Note(pitch, position, steps))
            position += steps
            tie = tied and pitch is not None
    if not notes:
        raise LeftOut("no notes")
    return _trim_silence(notes, pickup, bar_steps)


def _trim_silence(notes: list[Note], pickup: int, bar_steps: int) -> tuple[tuple[Note, ...], int]:
    """The notes and the pickup without a rest at its head: a pickup begins with its first note."""
    if pickup and notes[0].onset >= bar_steps:
        return tuple(replace(note, onset=note.onset - bar_steps) for note in notes), 0
    return tuple(notes), bar_steps - notes[0].onset if pickup else 0


def _head(section: list[_Bar], bar_steps: int) -> int:
    """Steps before a section's first bar line, in [0, bar_steps).

    Raises LeftOut if a later bar line is not a whole number of bars away; only the
    last bar may be short, and a bar may be in two pieces (a sign in the middle of it).
    """
    lengths = [bar.length for bar in section]
    two_pieces = len(lengths) > 1 and lengths[0] < bar_steps and lengths[0] + lengths[1] == bar_steps
    head = lengths[0] if lengths[0] < bar_steps and not two_pieces else 0
    filled = 0
    for i, length in enumerate(lengths[1:] if head else lengths):
        whole = (filled + length) % bar_steps == 0
        piece = filled == 0 and length < bar_steps
        if not (whole or piece or (i + (head > 0) == len(lengths) - 1 and filled + length < bar_steps)):
            raise LeftOut("a bar of the wrong length")
        filled = (filled + length) % bar_steps
    return head
