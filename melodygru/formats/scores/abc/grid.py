"""Bars of an ABC voice, in the order in which they are played, on the grid: bar lines at multiples of the bar."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import chain

from melodygru.formats.scores.abc.fields import LeftOut
from melodygru.formats.scores.abc.order import Section
from melodygru.formats.scores.abc.written import WrittenBar
from melodygru.music.melody import Note
from melodygru.records import dataclass

_WRONG_LENGTH = "a bar of the wrong length"


@dataclass(frozen=True)
class Laid:
    """Notes on the grid, the steps of the pickup in [0, bar), the step at which all is over, and chord symbols, each
    with the step from which it holds.
    """

    notes: tuple[Note, ...]
    pickup: int
    end: int
    symbols: tuple[tuple[int, str], ...] = ()


def lay_out(played: Sequence[Section], bar_steps: int) -> Laid:
    """Sections -> notes on the grid, where all bars have the right length. Raises LeftOut where one has not.

    Every section is put where its first bar line falls on one of the grid. As a rule the
    partial bar that ends a section and the pickup of the next make up a whole bar, and
    nothing is left to do. Where they do not, it is done as players do it: the last note is
    held on to fill a short bar, or cut short to make room for a pickup printed after a
    whole bar; a pickup for which that leaves no room is not played.
    """
    sections: list[Section] = []
    before: Section = []
    for section in played:
        # A partial bar alone between two signs ("A |: B c …") belongs to what follows.
        before += section
        if len(section) > 1 or section[0].length >= bar_steps:
            sections.append(before)
            before = []
    sections += [before] if before else []
    line = _Line(bar_steps)
    one_bar = len(sections) == len(sections[0]) == 1
    pickup = 0 if one_bar else _head(sections[0], bar_steps)
    line.end = bar_steps - pickup if pickup else 0
    for section in sections:
        start = -(-line.end // bar_steps) * bar_steps - _head(section, bar_steps)
        if len(section) == 1 and section[0].length < bar_steps:
            start = line.end
        if line.notes and line.notes[-1].onset >= start:
            if section[0].length * 2 >= bar_steps:
                raise LeftOut(_WRONG_LENGTH)
            start, section = start + int(section[0].length), section[1:]
        line.go_on_at(start)
        for bar in section:
            line.add(bar)
    return line.laid(pickup)


def fill(played: Sequence[Section], bar_steps: int, free: bool) -> Laid:
    """Bars of any length -> notes on the grid: one that does not go with what stands before begins on a bar line.

    In `free` metre one is played right behind the other, and bar lines mean nothing.
    """
    bars = list(chain.from_iterable(played))
    line = _Line(bar_steps)
    first = int(bars[0].length)
    pickup = first if first < bar_steps and len(bars) > 1 and not free else 0
    line.end = bar_steps - pickup if pickup else 0
    for bar in bars:
        within = line.end % bar_steps
        if within and within + bar.length > bar_steps and not free:
            line.go_on_at(line.end - within + bar_steps)
        line.add(bar)
    return line.laid(pickup)


class _Line:
    """Notes while they are put on the grid; `end` is the step at which the next bar begins."""

    def __init__(self, bar_steps: int) -> None:
        self.bar_steps = bar_steps
        self.end = 0
        self.notes: list[Note] = []
        self.symbols: list[tuple[int, str]] = []
        self._tie = False

    def go_on_at(self, start: int) -> None:
        """The next bar begins at `start`: the last note is held on to it, or cut short."""
        notes = self.notes
        if notes and (notes[-1].end > start or notes[-1].end == self.end):
            notes[-1] = replace(notes[-1], duration=start - notes[-1].onset)
        self.end = start

    def add(self, bar: WrittenBar) -> None:
        """The sounds of a bar, ties joined."""
        notes = self.notes
        for sound in bar.sounds:
            pitch, steps, end = sound.pitch, int(sound.steps), self.end
            if sound.symbol:
                self.symbols.append((end, sound.symbol))
            if pitch is not None and self._tie and notes[-1].end == end and notes[-1].pitch == pitch:
                notes[-1] = replace(notes[-1], duration=notes[-1].duration + steps)
            elif pitch is not None:
                notes.append(Note(pitch, end, steps))
            self.end = end + steps
            self._tie = sound.tied and pitch is not None

    def laid(self, pickup: int) -> Laid:
        """All of it, without a rest at the head of the pickup: that begins with its first note."""
        notes, bar = self.notes, self.bar_steps
        if pickup and notes and notes[0].onset >= bar:
            moved = tuple((step - bar, symbol) for step, symbol in self.symbols)
            return Laid(tuple(replace(note, onset=note.onset - bar) for note in notes), 0, self.end - bar, moved)
        begun = bar - notes[0].onset if pickup and notes else 0
        return Laid(tuple(notes), begun, self.end, tuple(self.symbols))


def _head(section: Section, bar_steps: int) -> int:
    """Steps before a section's first bar line, in [0, bar_steps).

    Raises LeftOut if a later bar line is not a whole number of bars away; only the
    last bar may be short, and a bar may be in two pieces (a sign in the middle of it).
    """
    lengths = [int(bar.length) for bar in section]
    two_pieces = len(lengths) > 1 and lengths[0] < bar_steps and lengths[0] + lengths[1] == bar_steps
    head = lengths[0] if lengths[0] < bar_steps and not two_pieces else 0
    filled = 0
    for i, length in enumerate(lengths[1:] if head else lengths):
        whole = (filled + length) % bar_steps == 0
        piece = filled == 0 and length < bar_steps
        if not (whole or piece or (i + (head > 0) == len(lengths) - 1 and filled + length < bar_steps)):
            raise LeftOut(_WRONG_LENGTH)
        filled = (filled + length) % bar_steps
    return head
