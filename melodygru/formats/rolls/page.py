"""Where everything stands on a picture of a piano roll, and how it is drawn with matplotlib.

Everything is laid out in hundredths of an inch, so that pixels to the inch say how large letters are.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from melodygru.errors import UsageError, check_range
from melodygru.formats.rolls.columns import DEGREE_COLOURS, FOREIGN_COLOUR, degree, degree_colour
from melodygru.formats.rolls.piano_roll import whole_range
from melodygru.music.chords import ChordSpan
from melodygru.music.melody import Melody, Note
from melodygru.music.spelling import class_name, note_name
from melodygru.music.theory import STEPS_PER_QUARTER
from melodygru.records import dataclass

if TYPE_CHECKING:
    from matplotlib.axes import Axes


MAX_SIDE = 20_000
"""Pixels."""
_LEAST = (2.0, 1.2)
"""Inches that a picture has at least, so that there is room for letters."""
_WIDTH = 1600
_QUARTER = 40.0
"""Narrowest quarter note where the size is left to us."""
_ROW = 14.0
_SHAPE = 4.0
"""A quarter's width in rows, at best, where the size is given."""
_MARGIN, _LABELS, _RULER, _CHORDS, _BETWEEN = 20.0, 38.0, 18.0, 20.0, 16.0
_TITLE, _LEGEND = 58.0, 34.0
_SMALL = 260.0
"""Height from which on there is room for title and legend."""
_GAP = 1.4
_SMALLEST = 5.0
"""Size of letters that can be read; chords that would have to be smaller are not written."""


@dataclass(frozen=True)
class PictureStyle:
    """How a picture looks: `dpi`, pixels to an inch in [30, 1200]; `dark`, light on dark."""

    dpi: int = 100
    dark: bool = False

    def __post_init__(self) -> None:
        check_range("dpi", self.dpi, 30, 1200)


@dataclass(frozen=True)
class _Theme:
    paper: str
    scale: str
    foreign: str
    tonic: str
    beat: str
    bar: str
    ink: str
    quiet: str


_LIGHT = _Theme("#ffffff", "#fbfbfa", "#efefec", "#fdeee8", "#e2e2de", "#a9a9a4", "#222222", "#6b6b68")
_DARK = _Theme("#15171b", "#20232a", "#191b20", "#33241f", "#2f333b", "#666b76", "#ececec", "#a3a7b0")


class Page:
    """Where everything stands, in hundredths of an inch, from the upper left corner."""

    def __init__(
        self,
        melody: Melody,
        size: tuple[int, int] | None,
        style: PictureStyle,
        bars: tuple[int, int],
        chords: Sequence[ChordSpan],
    ):
        self.melody, self.theme = melody, _DARK if style.dark else _LIGHT
        self.first, self.last = bars
        self.chords, self.points = chords, 1.0
        self.width = self.height = float(_WIDTH)
        self.bar, self.shift = melody.time_signature.bar_steps, 0 if melody.pickup else 1
        self.pickup = melody.pickup if self.first == 0 else 0
        self.total = max(self.last - max(self.first, 1) + 1, 1)
        start, end = (self.first - self.shift) * self.bar, (self.last - self.shift + 1) * self.bar
        self.notes = [note for note in melody.notes if note.onset < end and note.end > start]
        pitches = [note.pitch for note in self.notes] or [60 + melody.key.tonic]
        self.low, self.high = max(min(pitches) - 1, 0), min(max(pitches) + 1, 127)
        self.rows = self.high - self.low + 1
        self.above = _RULER + (_CHORDS if chords else 0)
        if size is None:
            self.titled = True
            self._choose_height()
            self.pixels = (round(_WIDTH * style.dpi / 100), math.ceil(self.height * style.dpi / 100))
        else:
            self.pixels = size
            self.width, self.height = (side * 100 / style.dpi for side in size)
            if self.width < 100 * _LEAST[0] or self.height < 100 * _LEAST[1]:
                least = "x".join(str(math.ceil(inches * style.dpi)) for inches in _LEAST)
                raise UsageError(
                    f"size is {size[0]}x{size[1]}, too small for letters at {style.dpi} dpi; choose at least {least}."
                )
            self.titled = self.height >= _SMALL
            self._choose_bars()
        self.scale = self._room() / (self.bars * self.bar + self.pickup)
        wide = [(span.end - span.onset) * self.scale / len(_symbol(span)) for span in chords]
        self.chord_size = min(13.0, *(1.4 * letter for letter in wide), 13.0)

    def _room(self) -> float:
        return self.width - 2 * _MARGIN - _LABELS

    def _systems(self, bars: int) -> int:
        return -(-self.total // bars)

    def _choices(self) -> list[int]:
        return [1 << power for power in range(10) if 1 << power < self.total] + [self.total]

    def _choose_height(self) -> None:
        """As many bars a system as there is good room for, and more where the picture would grow too high."""
        self.row = _ROW
        for bars in reversed(self._choices()):
            self.bars = bars
            if self._room() / (bars * self.bar + self.pickup) * STEPS_PER_QUARTER >= _QUARTER:
                break
        for bars in [bars for bars in self._choices() if bars >= self.bars]:
            self.bars = bars
            self.height = self._systems(bars) * (self.above + self.rows * self.row + _BETWEEN) + _TITLE + _LEGEND
            if self.height <= MAX_SIDE:
                break

    def _choose_bars(self) -> None:
        """As many bars a system as give notes the best shape."""
        room = self.height - (_TITLE + _LEGEND if self.titled else _BETWEEN)

        def row(bars: int) -> float:
            return (room / self._systems(bars) - self.above - _BETWEEN) / self.rows

        def strangeness(bars: int) -> float:
            quarter = self._room() / (bars * self.bar + self.pickup) * STEPS_PER_QUARTER
            return abs(math.log(quarter / (_SHAPE * max(row(bars), 0.01))))

        self.bars = min(self._choices(), key=strangeness)
        # One system fits into the smallest picture that there is.
        self.row = max(row(self.bars), 0.25)

    def draw(self, axes: Axes) -> None:
        """All of it."""
        at = _BETWEEN / 2
        if self.titled:
            self._title(axes)
            at = _TITLE
        first = max(self.first, 1)
        for number in range(self._systems(self.bars)):
            begin = first + number * self.bars
            end = min(begin + self.bars - 1, self.last)
            self._system(axes, 0 if self.first == 0 and not number else begin, end, at + self.above)
            at += self.above + self.rows * self.row + _BETWEEN
        if self.titled:
            self._legend(axes)

    def _text(self, axes: Axes, x: float, y: float, text: str, size: float, **look: Any) -> Any:
        look = {"color": self.theme.ink, "va": "center", "ha": "left", **look}
        return axes.text(x, y, text, fontsize=size * self.points, parse_math=False, **look)

    def _title(self, axes: Axes) -> None:
        melody = self.melody
        pitches = [note.pitch for note in melody.notes]
        named = [_engraved(note_name(pitch, melody.key)) for pitch in (min(pitches), max(pitches))] if pitches else []
        facts = [
            f"{melody.bars} bar{'s' * (melody.bars != 1)} of {melody.time_signature} in {_engraved(str(melody.key))}",
            f"{melody.qpm:g} bpm",
            f"{len(pitches)} note{'s' * (len(pitches) != 1)}",
            *([" to ".join(named)] if named else []),
        ]
        if (self.first, self.last) != whole_range(melody):
            facts.append(f"bars {self.first} to {self.last}" if self.first != self.last else f"bar {self.first}")
        left = _MARGIN + _LABELS
        name = melody.name or "Melody"
        # About what the letters of this font are wide; longer titles are cut.
        most = max(int((self.width - left - _MARGIN) / 10.5), 4)
        self._text(axes, left, 20, name if len(name) <= most else name[: most - 1] + "…", 17, weight="bold")
        self._text(axes, left, 41, ", ".join(facts), min(12, (self.width - left) / 36), color=self.theme.quiet)

    def _legend(self, axes: Axes) -> None:
        from matplotlib.patches import FancyBboxPatch

        key = self.melody.key
        words = [f"{number} {_engraved(class_name(tone, key))}" for number, tone in enumerate(key.scale, 1)]
        words[0] += " tonic"
        colours = list(DEGREE_COLOURS)
        if any(degree(note.pitch, key) is None for note in self.notes):
            words.append("other")
            colours.append(FOREIGN_COLOUR)
        left, y = _MARGIN + _LABELS, self.height - _LEGEND / 2 - 2
        step = min(82.0, (self.width - left - _MARGIN) / len(words))
        x = left
        for word, colour in zip(words, colours, strict=True):
            axes.add_patch(
                FancyBboxPatch((x, y - 4.5), 14, 9, "round,pad=0,rounding_size=3", facecolor=colour, edgecolor="none")
            )
            self._text(axes, x + 19, y, word, min(11, step / 5.5), color=self.theme.quiet)
            x += step if word != words[0] else min(step * 1.4, step + 30)

    def _system(self, axes: Axes, first: int, last: int, top: float) -> None:
        from matplotlib.patches import Rectangle

        theme, key = self.theme, self.melody.key
        start = (first - self.shift) * self.bar if first else self.bar - self.pickup
        end = (last - self.shift + 1) * self.bar
        left = _MARGIN + _LABELS + (0 if first == 0 or not self.pickup else self.pickup * self.scale)
        right, bottom = left + (end - start) * self.scale, top + self.rows * self.row

        def x(step: float) -> float:
            return left + (step - start) * self.scale

        used = {note.pitch for note in self.notes}
        for pitch in range(self.low, self.high + 1):
            place, y = degree(pitch, key), top + (self.high - pitch) * self.row
            shade = theme.tonic if place == 1 else theme.scale if place else theme.foreign
            axes.add_patch(Rectangle((left, y), right - left, self.row, facecolor=shade, edgecolor="none"))
            padding = pitch in (self.low, self.high) and pitch not in used
            if not padding and (place == 1 or (place and self.row >= 6.5)):
                look = {"weight": "bold"} if place == 1 else {"color": theme.quiet}
                size = min(11.0, max(7.0, self.row))
                name = _engraved(note_name(pitch, key))
                self._text(axes, left - 6, y + self.row / 2, name, size, ha="right", **look)
        beat = self.melody.time_signature.beat_steps
        for step in range(start - start % beat, end + 1, beat):
            if step % self.bar and step > start and beat * self.scale >= 3:
                axes.plot([x(step)] * 2, [top, bottom], color=theme.beat, linewidth=0.8 * self.points, zorder=1.5)
        every = 1
        while every * self.bar * self.scale < 22:
            every *= 2
        for number in range(first, last + 1):
            line = max((number - self.shift) * self.bar, start)
            self._bar_line(axes, x(line), top, bottom)
            if number == first or (number - 1) % every == 0:
                self._text(axes, x(line) + 2, top - _RULER / 2, str(number), 10.5, color=theme.quiet)
        self._bar_line(axes, right, top, bottom)
        self._chord_row(axes, start, end, x, top - _RULER - _CHORDS / 2)
        for number, note in enumerate(self.notes):
            if note.onset < end and note.end > start:
                self._note(axes, number, note, x(max(note.onset, start)), x(min(note.end, end)), top, start)

    def _bar_line(self, axes: Axes, x: float, top: float, bottom: float) -> None:
        axes.plot([x, x], [top - 4, bottom], color=self.theme.bar, linewidth=0.9 * self.points, zorder=1.6)

    def _chord_row(self, axes: Axes, start: int, end: int, x: Any, y: float) -> None:
        inside = [span for span in self.chords if span.onset < end and span.end > start]
        for span in inside:
            if self.chord_size >= _SMALLEST:
                self._text(axes, x(max(span.onset, start)) + 2, y, _symbol(span), self.chord_size, weight="bold")

    def _note(self, axes: Axes, number: int, note: Note, left: float, right: float, top: float, start: int) -> None:
        from matplotlib.patches import FancyBboxPatch

        width, height = max(right - left - _GAP, 0.6 * (right - left)), self.row * 0.8
        patch = FancyBboxPatch(
            (left + 0.4 * (right - left - width), top + (self.high - note.pitch + 0.1) * self.row),
            width,
            height,
            f"round,pad=0,rounding_size={min(width, height) * 0.32:.4f}",
            facecolor=degree_colour(note.pitch, self.melody.key),
            edgecolor="none",
            zorder=3,
        )
        patch.set_gid(f"note-{number}" if note.onset >= start else f"note-{number}-goes-on")
        axes.add_patch(patch)


def _engraved(name: str) -> str:
    """A note's or key's name with the signs of music."""
    return name[:1] + name[1:2].replace("#", "♯").replace("b", "♭") + name[2:]


def _symbol(span: ChordSpan) -> str:
    symbol = "N.C." if span.chord is None else span.chord.symbol
    return re.sub(r"(?<=[A-G])b|b(?=\d)", "♭", symbol).replace("#", "♯")
