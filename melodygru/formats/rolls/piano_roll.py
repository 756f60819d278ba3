"""A melody as a piano roll of characters: which rows and columns, and what stands in each; no colours, no printing.

Time runs in columns of a fixed number of steps, bars side by side in systems like the lines of a score. A note fills
its row from the column of its onset on; its end is drawn in eighths of a column, a quarter of one early, so that notes
of the same pitch that touch stay two. Where columns would else be too many, a note may begin in the middle of one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from melodygru.formats.rolls.columns import Columns, degree
from melodygru.music.chords import ChordSpan
from melodygru.music.melody import Melody, Note
from melodygru.music.spelling import note_name
from melodygru.records import dataclass

NARROWEST = 20
"""Columns below which nothing is drawn narrower."""
_LEFT = " ▏▎▍▌▋▊▉█"
"""Blocks that fill 0 to 8 eighths of a column from the left."""
_GAP = 2
"""Eighths of a column between the end of a note and what follows it."""
_SHORTEST = 3
"""Eighths that the shortest note fills."""
_FAR = 8
"""Empty rows from which on a gap stands in their place."""


@dataclass(frozen=True)
class Signs:
    """The characters of a roll. `notes` holds all that stand for sound, in which nothing else is written."""

    notes: str
    bar: str
    beat: str
    tick: str
    tonic: str
    gap: str


BLOCKS = Signs(_LEFT[1:] + "▐", "│", "·", "╷", "╌", "⋮")
ASCII = Signs("#=", "|", ".", "'", "-", ":")
"""`#` is an onset, `=` goes on."""


@dataclass(frozen=True)
class Row:
    """One pitch of a system, or (pitch None) a gap where many would be empty.

    Attributes:
        label: the note's name, its degree and a space, as wide as all labels.
        degree: 1 to 7 in the key's scale; None outside of it.
        text: a character for each column, the bar lines between them.
    """

    pitch: int | None
    label: str
    degree: int | None
    text: str


@dataclass(frozen=True)
class System:
    """Some bars side by side.

    Attributes:
        indent: columns before the labels, where the pickup of the first system hangs out.
        chords: chord symbols where they begin, as wide as the rows, after the labels; empty without any.
        ruler: bar numbers and beats, likewise.
        rows: from high to low.
    """

    indent: int
    chords: str
    ruler: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Roll:
    """A melody in characters.

    Attributes:
        systems: at least one.
        unit: steps of a column.
        moved: notes that stand in the column in which they begin, though they begin later in it.
        lost: notes that are not there, because another of the same pitch begins in the same column.
        chords_lost: chord symbols that there was no room for.
    """

    systems: tuple[System, ...]
    unit: int
    moved: int
    lost: int
    chords_lost: int


def whole_range(melody: Melody) -> tuple[int, int]:
    """The numbers of the first and the last bar; the first is 0 with a pickup."""
    return 0 if melody.pickup else 1, melody.bars


def piano_roll(
    melody: Melody,
    width: int,
    bars: tuple[int, int] | None = None,
    chords: Sequence[ChordSpan] = (),
    signs: Signs = BLOCKS,
) -> Roll:
    """Some bars of a melody, in lines of at most `width` characters.

    Args:
        melody: its notes.
        width: of the terminal; below `NARROWEST` it is taken for that.
        bars: the first and the last, both included and in the melody; None: all.
        chords: in steps of the melody.
        signs: the characters, `BLOCKS` or `ASCII`.
    """
    first, last = bars or whole_range(melody)
    layout = Columns(melody, max(width, NARROWEST), first, last, halves=signs is BLOCKS)
    full = range(max(first, 1), last + 1)
    groups = [list(full[at : at + layout.bars]) for at in range(0, len(full), layout.bars)] or [[]]
    if first == 0:
        groups[0].insert(0, 0)
    systems, moved, lost, chords_lost = [], 0, 0, 0
    for number, group in enumerate(groups):
        drawn = _Drawing(layout, signs, group, indent=layout.lead if first == 0 and number else 0)
        systems.append(drawn.system(chords))
        moved += drawn.moved
        lost += drawn.lost
        chords_lost += drawn.chords_lost
    return Roll(tuple(systems), layout.unit, moved, lost, chords_lost)


class _Drawing:
    """One system as it is drawn."""

    def __init__(self, layout: Columns, signs: Signs, bars: Sequence[int], indent: int):
        self.layout, self.signs, self.numbers, self.indent = layout, signs, bars, indent
        self.moved = self.lost = self.chords_lost = 0
        self.start = (bars[0] - layout.shift) * layout.bar
        self.end = (bars[-1] - layout.shift + 1) * layout.bar
        self.hidden = (layout.bar - layout.pickup) // layout.unit if bars[0] == 0 else 0
        """Columns of the pickup's bar before the pickup."""
        self.width = len(bars) * (layout.columns + 1) + 1 - self.hidden
        self.notes = [note for note in layout.notes if note.onset < self.end and note.end > self.start]

    def line(self, step: int) -> int:
        """The column of the bar line at the beginning of the bar that holds `step`."""
        number = (step - self.start) // self.layout.bar
        return max(number * (self.layout.columns + 1) - (self.hidden if number else 0), 0)

    def column(self, step: int) -> int:
        """The column that holds `step`."""
        hidden = self.hidden if step < self.start + self.layout.bar else 0
        return self.line(step) + 1 + step % self.layout.bar // self.layout.unit - hidden

    def system(self, chords: Sequence[ChordSpan]) -> System:
        """All of it."""
        melody, signs = self.layout.melody, self.signs
        beat = melody.time_signature.beat_steps
        begin = self.layout.bar - self.layout.pickup if self.numbers[0] == 0 else self.start
        ruler = [(self.line(step) + 1, str(number)) for step, number in self._bars()]
        inner = [
            step for step in range(begin, self.end) if step % self.layout.bar % beat == 0 and step % self.layout.bar
        ]
        ticks = {self.column(step) for step in inner}
        numbers, _ = _written(ruler, self.width)
        marked = "".join(
            signs.tick if column in ticks and sign == " " and not _beside(numbers, column) else sign
            for column, sign in enumerate(numbers)
        )
        symbols = [
            (self.column(max(span.onset, begin)), span.chord.symbol if span.chord else "N.C.")
            for span in chords
            if span.onset < self.end and span.end > begin
        ]
        rows = tuple(self._rows(ticks))
        named, self.chords_lost = _written(symbols, self.width)
        return System(self.indent, named if symbols else "", marked, rows)

    def _bars(self) -> Iterator[tuple[int, int]]:
        for place, number in enumerate(self.numbers):
            yield self.start + place * self.layout.bar, number

    def _rows(self, ticks: set[int]) -> Iterator[Row]:
        key, labels, gap = self.layout.melody.key, self.layout.labels, self.signs.gap
        used = {note.pitch for note in self.notes} or {self.layout.home}
        empty: list[Row] = []
        for pitch in range(max(used), min(used) - 1, -1):
            place = degree(pitch, key)
            if pitch not in used and place is None:
                continue
            label = f"{note_name(pitch, key)} {place or ' '} ".rjust(labels)
            row = Row(pitch, label, place, self._text(pitch, ticks))
            if pitch in used:
                far = len(empty) >= _FAR
                yield from [Row(None, f"{gap}   ".rjust(labels), None, " " * self.width)] if far else empty
                empty = []
                yield row
            else:
                empty.append(row)

    def _text(self, pitch: int, ticks: set[int]) -> str:
        layout, signs = self.layout, self.signs
        tonic = pitch % 12 == layout.melody.key.tonic
        cells = [signs.tonic if tonic else signs.beat if at in ticks else " " for at in range(self.width)]
        for step in (*(step for step, _ in self._bars()), self.end):
            cells[self.line(step)] = signs.bar
        taken = -1
        for note in self.notes:
            if note.pitch == pitch:
                taken = self._draw(note, cells, taken)
        return "".join(cells)

    def _draw(self, note: Note, cells: list[str], taken: int) -> int:
        """Draw a note into its row; the column of its onset. `taken` is that of the note before it."""
        layout, plain = self.layout, self.signs is ASCII
        begins, goes_on = ("#", "=") if plain else ("█", "█")
        carried = note.onset < self.start
        first = 0 if carried else self.column(note.onset)
        late = note.onset % layout.unit
        if not carried:
            if first == taken:
                self.lost += 1
                return taken
            self.moved += bool(late) and not layout.halves
            if cells[first - 1] == "█":
                cells[first - 1] = _LEFT[8 - _GAP]
        if note.end > self.end:
            eighths = 8 * self.width
        else:
            at = note.end - 1
            # In the bar of its last step, since a note that ends on a bar line does not reach over it.
            inside = (at % layout.bar + 1) * 8 // layout.unit
            eighths = 8 * (self.column(at) - at % layout.bar // layout.unit) + inside - _GAP
        eighths = max(eighths, 8 * first + _SHORTEST)
        final = (eighths - 1) // 8
        for column in range(first, final + 1):
            cells[column] = goes_on
        if plain:
            cells[first] = goes_on if carried else begins
        else:
            cells[final] = _LEFT[eighths - 8 * final]
            if late and layout.halves and not carried:
                cells[first] = "▐"
        return first


def _written(words: Sequence[tuple[int, str]], width: int) -> tuple[str, int]:
    """Words at their columns, and how many were left out because they would touch the one before, or the end."""
    text, left_out = "", 0
    for column, word in words:
        if column > len(text) - (not text) and column + len(word) <= width:
            text = text.ljust(column) + word
        else:
            left_out += 1
    return text.ljust(width), left_out


def _beside(text: str, column: int) -> bool:
    return text[column - 1 : column].strip() != ""
