"""A MusicXML score -> what is written in it, bar by bar.

MusicXML 4.0, https://www.w3.org/2021/06/musicxml40/, and what went before it. The score is read as it streams by: bars
go to the readers of their parts (`melodygru.formats.scores.musicxml.parts`), and are forgotten. What they say is put
together here.
"""

from __future__ import annotations

from typing import NamedTuple
from xml.etree.ElementTree import Element

from melodygru.errors import MidiError
from melodygru.formats.scores.musicxml.files import score_file
from melodygru.formats.scores.musicxml.parts import PartReader, Shared
from melodygru.formats.scores.musicxml.stream import Measure, stream
from melodygru.formats.scores.order import played_order
from melodygru.formats.scores.written import TICKS_PER_STEP, Bar, WrittenScore
from melodygru.music.theory import TimeSignature

MOST_PARTS = 400
"""Parts of a score: of the largest orchestras there are a hundred."""
MOST_BARS = 500_000
"""Bars of all staves together: an opera has some 200,000."""
MOST_NOTES = 600_000
"""Notes of all parts as they are played: an opera has some 500,000."""
_UNTITLED = ("", "music21 fragment", "music21", "untitled", "untitled score", "title")
_LONGEST_TITLE = 120
_NOT_UNDERSTOOD = "repeats not understood, played once"


class _Head(NamedTuple):
    """What the list of parts says of one."""

    name: str = ""
    program: int | None = None


def written_score(data: bytes, zipped: bool) -> WrittenScore:
    """The score in a MusicXML file, `zipped` as .mxl or not.

    Raises MidiError for what cannot be read, with the part and the bar where that is.
    """
    return _Score(data, zipped).written()


class _Score:
    """A score while it is read."""

    def __init__(self, data: bytes, zipped: bool) -> None:
        self.heads: dict[str, _Head] = {}
        self.titles: dict[str, str] = {}
        self.shared = Shared()
        self.readers: dict[tuple[int, str], PartReader] = {}
        self.cells = 0
        data, part_by_part = score_file(data, zipped)
        _check_counts(data)
        for element in stream(data, part_by_part):
            if isinstance(element, Measure):
                self._read(element)
            else:
                self._read_head(element)

    def _read(self, measure: Measure) -> None:
        """Give a bar to the reader of its part."""
        if measure.part not in self.readers:
            if len(self.readers) >= MOST_PARTS:
                raise MidiError(f"has over {MOST_PARTS} parts; leave it out.")
            self.readers[measure.part] = PartReader(len(self.readers), self.shared)
        reader = self.readers[measure.part]
        try:
            while reader.bars < measure.before:  # bar by bar, parts may be left out of some
                reader.read([], "")
            reader.read(measure.items, measure.number)
        except MidiError as error:
            what, _, remedy = str(error).partition(";")
            place = f"part {reader.index + 1}, bar {measure.number[:12] or reader.bars + 1}"
            raise MidiError(f"{what} ({place});{remedy}") from error
        self.cells += reader.staves
        if self.cells > MOST_BARS:
            raise MidiError(f"has over {MOST_BARS:,} bars in all its parts; leave it out.")

    def _read_head(self, element: Element) -> None:
        if element.tag != "score-part":
            self.titles.setdefault(element.tag, _plain(element.text))
            return
        name = _plain(element.findtext("part-name")) or _plain(element.findtext("score-instrument/instrument-name"))
        program = (element.findtext("midi-instrument/midi-program") or "").strip()
        known = program.isdecimal() and 1 <= int(program[:4]) <= 128
        self.heads[element.get("id", "")] = _Head(name, int(program) - 1 if known else None)

    def written(self) -> WrittenScore:
        """All that has been read, put together."""
        shared = self.shared
        if not self.readers:
            raise MidiError("has no notes; leave it out.")
        count = len(shared.filled)
        parts = []
        for (_, identity), reader in self.readers.items():
            head = self.heads.get(identity, _Head())
            parts += reader.parts(head.name, head.program, count)
        bars = self._bars(count)
        first = next(iter(self.readers.values()))
        begins = [bar for bar in first.begins if bar - 1 in shared.section_ends]
        order, understood = played_order(shared.signs, count, begins)
        notes = [sum(len(part.notes[bar]) for part in parts) for bar in range(count)]
        if sum(notes[bar] for bar in order) > MOST_NOTES:
            order, understood = tuple(range(count)), False
        if not understood:
            shared.remarks[_NOT_UNDERSTOOD] = None
        title = self.titles.get("work-title", "")
        title = self.titles.get("movement-title", "") if title.lower() in _UNTITLED else title
        title = "" if title.lower() in _UNTITLED else title[:_LONGEST_TITLE]
        chords = {bar: tuple(sorted(told)) for bar, told in shared.chords.items()}
        return WrittenScore(title, bars, tuple(parts), order, tuple(shared.remarks), chords)

    def _bars(self, count: int) -> tuple[Bar, ...]:
        shared = self.shared
        shared.section_ends.add(count - 1)
        if shared.free and not any(shared.metres):
            raise MidiError("has no metre (senza misura); leave it out.")
        first = next(iter(self.readers.values()))
        bars: list[Bar] = []
        metre: TimeSignature | None = None
        tempo: float | None = None
        for bar in range(count):
            metre = shared.metres[bar] or metre
            here = tempo
            for _, at_start, qpm in sorted(shared.tempi.get(bar, ()), key=lambda told: -told[0]):
                tempo = qpm
                here = qpm if at_start else here
            ends = bar in shared.section_ends
            pickup = bars[0].length if bars else 0
            length = self._length(bar, metre, pickup if ends else 0)
            bars.append(Bar(length, metre, here, ends, bar == 0 and first.first_number == "0"))
        return tuple(bars)

    def _length(self, bar: int, metre: TimeSignature | None, pickup: int) -> int:
        """Ticks of a bar, the last before a `pickup` of so many ticks comes again (0: none does)."""
        filled, noted, rested = (told[bar] for told in (self.shared.filled, self.shared.noted, self.shared.rested))
        whole = 0 if metre is None else metre.bar_steps * TICKS_PER_STEP
        if noted and pickup < whole == round(noted + pickup):
            return round(noted)  # what is not written only fills the bar up
        # Rests of a whole bar, in the first bar, are often longer than the pickup that it is.
        length = (filled or rested) if bar == 0 else max(filled, rested)
        return round(length) or whole


def _check_counts(data: bytes) -> None:
    """Raises MidiError for XML of more parts or bars than any score has, before any of them is read."""
    for tag, most, what in ((b"<score-part", MOST_PARTS, "parts"), (b"<measure", MOST_BARS, "bars in all its parts")):
        # Other tags begin so too.
        if data.count(tag) > most and sum(data.count(tag + end) for end in (b" ", b">", b"/")) > most:
            raise MidiError(f"has over {most:,} {what}; leave it out.")


def _plain(text: str | None) -> str:
    """Text on one line, without what cannot be shown."""
    return " ".join("".join(c if c.isprintable() else " " for c in text or "").split())
