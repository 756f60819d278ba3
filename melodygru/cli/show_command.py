"""`melodygru show`: a melody as a piano roll."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer

from melodygru.cli import parameters
from melodygru.cli.parameters import Track
from melodygru.cli.progress import tell
from melodygru.errors import UsageError
from melodygru.records import dataclass

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from melodygru.formats.rolls.piano_roll import Roll, Signs, System
    from melodygru.music.chords import ChordSpan
    from melodygru.music.melody import Melody


PICTURES = (".png", ".svg", ".pdf")
PLAIN_WIDTH = 80
"""Columns where there is no terminal, unless COLUMNS says otherwise."""


def show(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The MIDI file or score to show.", show_default=False)],
    out: Annotated[
        Path | None,
        typer.Argument(
            metavar="[OUT]",
            help="Write a picture instead: a name ending in .png, .svg or .pdf.",
            show_default="the terminal",
        ),
    ] = None,
    bars: Annotated[
        str | None, typer.Option(help="Only these bars: 5-8, or 5; 0 is a pickup's.", show_default="all")
    ] = None,
    track: Track = "auto",
    meter: parameters.ReadMeter = "",
    key: parameters.ReadKey = "",
    pickup: parameters.ReadPickup = None,
    size: Annotated[
        str | None, typer.Option(help="The picture's width and height in pixels: 1600x600.", show_default="as it needs")
    ] = None,
    dpi: Annotated[
        int | None, typer.Option(help="Pixels to an inch: more make larger letters.", show_default="100")
    ] = None,
    dark: Annotated[bool, typer.Option("--dark", help="Light on dark.")] = False,
    force: parameters.Force = False,
) -> None:
    """Show a melody as a piano roll, in the terminal or as a picture.

    Rows are pitches with their degree in the key, columns are time; the tonic's
    rows are dashed. Into a pipe goes plain text, 80 columns wide or as many as
    COLUMNS says; NO_COLOR turns colours off on a terminal too.
    """
    from melodygru.formats.reading import read_melodies
    from melodygru.network.judge import by_shipped_model
    from melodygru.writing.replay import chords_in

    if out is not None and out.suffix.lower() not in PICTURES:
        raise UsageError(f"{out} ends in none of {', '.join(PICTURES)}; give OUT one of these endings.")
    for name, given in (("--size", size is not None), ("--dpi", dpi is not None), ("--dark", dark), ("--force", force)):
        if given and out is None:
            raise UsageError(f"{name} has no meaning without OUT; give the picture a name too, such as roll.png.")
    melodies = read_melodies(file, track, by_shipped_model, meter, key, pickup)
    if out is None:
        screen = Screen.of(sys.stdout)
        for number, melody in enumerate(melodies):
            if number:
                screen.blank()
            screen.draw(melody, _bars(bars, melody), chords_in(file, melodies))
        return
    _picture(file, melodies, out, bars, size, dpi, dark, force)


def _picture(
    file: str,
    melodies: Sequence[Melody],
    out: Path,
    bars: str | None,
    size: str | None,
    dpi: int | None,
    dark: bool,
    force: bool,
) -> None:
    from melodygru.cli.output import numbered
    from melodygru.formats.rolls.page import PictureStyle
    from melodygru.formats.rolls.picture import parse_size, roll_picture
    from melodygru.system.files import check_target, write_atomically
    from melodygru.writing.replay import chords_in

    pixels = None if size is None else parse_size(size)
    style = PictureStyle(dark=dark) if dpi is None else PictureStyle(dpi=dpi, dark=dark)
    targets = [check_target(target, force) for target in numbered(out, len(melodies))]
    chords = chords_in(file, melodies)
    for done, (target, melody) in enumerate(zip(targets, melodies, strict=True)):
        tell("drawing pictures", done, len(targets))
        kind = target.suffix.lower().lstrip(".")
        picture = roll_picture(melody, kind, pixels, style, _bars(bars, melody), chords)
        write_atomically(target, picture, force=force)
    where = str(targets[0])
    if len(targets) > 1:
        where = f"{where} … {targets[-1].name} ({len(targets)} pictures)"
    typer.echo(f"Wrote {where}.")


def _bars(text: str | None, melody: Melody) -> tuple[int, int] | None:
    from melodygru.writing.rewriting import parse_bars

    return None if text is None else parse_bars(text, melody)


def draw_written(written: Sequence[tuple[Melody, Sequence[ChordSpan]]], targets: Sequence[Path | None]) -> None:
    """Draw melodies, with their chords, that were written to the first of these files.

    On standard error where standard output (None) holds a file.
    """
    screen = Screen.of(sys.stderr if targets[0] is None else sys.stdout)
    for (melody, chords), target in zip(written, targets, strict=False):
        screen.blank()
        screen.draw(melody, chords=chords, name="" if target is None else target.stem)
    more = len(targets) - len(written)
    if more:
        screen.say(f"{more} more {'were' if more > 1 else 'was'} written; melodygru show draws any of them.")


@dataclass(frozen=True)
class Screen:
    """Where rolls are drawn.

    Attributes:
        console: writes to standard output or error; without colours it writes plain text.
        width: in columns.
        signs: what the stream can encode.
        encoding: the stream's.
    """

    console: Console
    width: int
    signs: Signs
    encoding: str

    @classmethod
    def of(cls, stream: TextIO) -> Screen:
        """A stream as it wants to be written to: see https://no-color.org."""
        from rich.console import Console

        from melodygru.formats.rolls.piano_roll import ASCII, BLOCKS

        plain = bool(os.environ.get("NO_COLOR"))
        console = Console(file=stream, color_system=None if plain else "auto", highlight=False)
        if not console.is_terminal:
            console = Console(file=stream, color_system=None, highlight=False)
        columns = os.environ.get("COLUMNS", "")
        tty = stream.isatty()
        width = console.width if tty else int(columns) if columns.isdecimal() and int(columns) else PLAIN_WIDTH
        encoding = getattr(stream, "encoding", None) or "ascii"
        try:
            "".join((BLOCKS.notes, BLOCKS.bar, BLOCKS.beat, BLOCKS.tick, BLOCKS.tonic, BLOCKS.gap)).encode(encoding)
        except (UnicodeEncodeError, LookupError):
            return cls(console, width, ASCII, "ascii")
        return cls(console, width, BLOCKS, encoding)

    def blank(self) -> None:
        """An empty line."""
        self._print("")

    def draw(
        self, melody: Melody, bars: tuple[int, int] | None = None, chords: Sequence[ChordSpan] = (), name: str = ""
    ) -> None:
        """A melody, and a line of facts under it."""
        from melodygru.formats.rolls.piano_roll import piano_roll

        roll = piano_roll(melody, self.width, bars, chords, self.signs)
        for number, system in enumerate(roll.systems):
            if number:
                self.blank()
            self._system(system)
        self.blank()
        self._legend(melody, roll)
        for line in _facts(melody, roll, bars, name):
            self.say(line)

    def say(self, text: str) -> None:
        """A sentence, in lines of the width."""
        from textwrap import wrap

        printable = "".join(character if character.isprintable() else "?" for character in text)
        written = printable.encode(self.encoding, "replace").decode(self.encoding)
        for line in wrap(written, max(self.width, 20)):
            self._print(line)

    def _system(self, system: System) -> None:
        from rich.text import Text

        from melodygru.formats.rolls.columns import DEGREE_COLOURS, FOREIGN_COLOUR

        before = " " * (system.indent + len(system.rows[0].label))
        if system.chords:
            self._print(Text(before + system.chords.rstrip(), "bold"))
        ruler = Text(before)
        for number, signs in groupby(system.ruler.rstrip(), str.isdecimal):
            ruler.append("".join(signs), "bold" if number else "dim")
        self._print(ruler)
        for row in system.rows:
            tonic = row.degree == 1
            line = Text(" " * system.indent)
            line.append(row.label, "bold" if tonic else "" if row.degree else "dim")
            colour = FOREIGN_COLOUR if row.degree is None else DEGREE_COLOURS[row.degree - 1]
            for note, signs in groupby(row.text, self.signs.notes.__contains__):
                line.append("".join(signs), f"bold {colour}" if note and tonic else colour if note else "dim")
            self._print(line)

    def _legend(self, melody: Melody, roll: Roll) -> None:
        """What the colours mean; without them, what the dashes mean."""
        from rich.text import Text

        from melodygru.formats.rolls.columns import DEGREE_COLOURS, FOREIGN_COLOUR
        from melodygru.music.spelling import class_name

        names = [class_name(tone, melody.key) for tone in melody.key.scale]
        tonic = self.signs.tonic * 2
        if self.console.color_system is None:
            self.say(f"1 {tonic} {names[0]}, the tonic")
            return
        entries = [(f"{number} {name}", DEGREE_COLOURS[number - 1]) for number, name in enumerate(names, 1)]
        entries[0] = (f"{entries[0][0]} {tonic} tonic", entries[0][1])
        if any(row.pitch is not None and row.degree is None for system in roll.systems for row in system.rows):
            entries.append(("other", FOREIGN_COLOUR))
        block = "#" if self.signs.bar == "|" else "█"
        line = Text()
        for words, colour in entries:
            if line and len(line) + len(words) + 4 > self.width:
                self._print(line)
                line = Text()
            line.append("  " if line else "").append(block, colour).append(f" {words}")
        self._print(line)

    def _print(self, line: str | Text) -> None:
        self.console.print(line, soft_wrap=True, markup=False, emoji=False)


def _facts(melody: Melody, roll: Roll, bars: tuple[int, int] | None, name: str) -> Iterator[str]:
    """The melody in a line, and what of it could not be drawn."""
    from melodygru.music.spelling import note_name

    pitches = sorted({note.pitch for note in melody.notes})
    name = name or melody.name
    words = [
        f"{melody.bars} bar{'s' * (melody.bars != 1)} of {melody.time_signature} in {melody.key}",
        f"{melody.qpm:g} bpm",
        f"{len(melody.notes)} note{'s' * (len(melody.notes) != 1)}",
    ]
    if pitches:
        words.append(f"{note_name(pitches[0], melody.key)} to {note_name(pitches[-1], melody.key)}")
    if bars is not None:
        words.append(f"bar{'s' * (bars[0] != bars[1])} {'-'.join(map(str, dict.fromkeys(bars)))} shown")
    yield f"{name}: " * bool(name) + f"{', '.join(words)}; a column is {Fraction(roll.unit, 96)}."
    if roll.chords_lost:
        yield f"{roll.chords_lost} chord symbol{'s' * (roll.chords_lost != 1)} did not fit; make the terminal wider."
    if roll.lost or roll.moved:
        lost = f", and {roll.lost} {'is' if roll.lost == 1 else 'are'} not shown" if roll.lost else ""
        late = f"{roll.moved} note{'s begin' if roll.moved != 1 else ' begins'} later in the column than drawn"
        yield f"There is too little room: {late}{lost}; make the terminal wider, or show fewer --bars."
