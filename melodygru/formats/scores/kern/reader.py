"""Humdrum **kern -> what is written there: the bars, parts and order of play of each piece.

One pass over the lines. All voices are followed in exact time: a note begins where the one before it in its voice ends,
what stands on one line begins together, and at each bar line all voices have arrived. Where they have not, a spine was
lost or a length is wrong, and the file is refused, with the line and the bar. Of a staff with several voices the top
one is taken: of each stretch of a bar in which it is split, the uppermost voice that has notes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from melodygru.errors import MidiError
from melodygru.formats.scores.files import decoded
from melodygru.formats.scores.kern import tokens
from melodygru.formats.scores.kern.order import Sections, played_order
from melodygru.formats.scores.kern.parts import Part
from melodygru.formats.scores.kern.spines import MOST_SPINES, Row, Staff, Time, Voice, rows
from melodygru.formats.scores.order import Signs
from melodygru.formats.scores.written import TICKS, Bar, WrittenScore
from melodygru.music.theory import TimeSignature

MOST_BARS = 20_000
"""Of a piece, as it is written: Wagner's longest act has under 3,000."""
MOST_PART_BARS = 1_000_000
"""Bars times parts."""
LONGEST_BAR = 512 * TICKS
"""Ticks: 128 whole notes, though nothing were barred."""
MOST_NOTES = 300_000
"""Of a file: the score of a symphony's longest movement has a fifth of that."""
MOST_PIECES = 20_000
"""Of a file, one after another."""
_MOST_KNOWN = 100_000
"""Different cells whose meaning is kept."""
_NO_METRE = ("X", "Z", "FREI", "free")
_UNTITLED = ("title", "untitled")
_SPINE = re.compile(r"^(?:[^!\n][^\n]*\t)?\*\*kern *(?=\t|$)", re.MULTILINE)


def scores_in_kern(data: bytes) -> list[WrittenScore]:
    """The pieces of a Humdrum file, at least one. Raises MidiError, with the line and the bar where there is one."""
    text = decoded(data)
    if _SPINE.search(text) is None:
        if "**mens" in text:
            raise MidiError("is Humdrum **mens, mensural notation, which is not read; convert it to **kern.")
        raise MidiError("is not Humdrum **kern: it has no **kern spine.")
    found: list[WrittenScore] = []
    notes = 0
    for piece in _pieces(text):
        notes += piece.count
        if notes > MOST_NOTES:
            raise MidiError(f"has over {MOST_NOTES:,} notes in all its pieces; split it.")
        found.append(piece.written())
    if not found:
        raise MidiError("has no notes; leave it out.")
    return found


def _pieces(text: str) -> Iterator[_Piece]:
    """Each piece of a file that has bars. A title before its spines, within them or after them is its own."""
    events: dict[str, tokens.Event] = {}
    piece, done = _Piece(events), None
    pieces = 0
    for row in rows(text):
        if not row.voices:
            if not row.cells:
                pieces += 1
                if pieces > MOST_PIECES:
                    raise MidiError(f"has over {MOST_PIECES:,} pieces up to line {row.number}; split it.")
                piece.end(row.number)
                if done is not None and done.bars:
                    yield done
                piece, done = _Piece(events), piece
            elif row.cells[0].startswith("!!!!SEGMENT") and done is not None:
                done.titles = {**piece.titles, **done.titles}
                piece.titles = {}
            else:
                piece.record(row.cells[0])
        elif row.cells[0][:1] == "*":
            piece.interpret(row)
        else:
            piece.play(row)
    piece.end(None)
    if done is not None and not piece.bars:
        done.titles = {**piece.titles, **done.titles}
    for one in (done, piece):
        if one is not None and one.bars:
            yield one


class _Piece:
    """A piece while its lines are read."""

    def __init__(self, events: dict[str, tokens.Event]) -> None:
        self.events = events  # what cells say: most of them stand in a file many times
        self.titles: dict[str, str] = {}
        self.parts: dict[Staff, Part] = {}  # from left to right
        self.bars: list[Bar] = []
        self.signs = Signs()
        self.sections = Sections()
        self.metre: TimeSignature | None = None
        self.qpm: float | None = None
        self.cues: set[Voice] = set()
        self.voices: Sequence[Voice] = ()
        self.number = 0  # of the bar, as the bar line before it has it
        self.first_number: int | None = None  # of the bar lines
        self.count = 0  # of notes
        self.begun = False  # a note or rest stands in this bar
        self.furthest: Time = 0  # where the last note of this bar ends
        self.held: tuple[TimeSignature | None, float | None] = (None, None)  # when this bar began

    def record(self, text: str) -> None:
        """A reference record, such as "!!!OTL: Title"."""
        code, _, value = text.lstrip("!").partition(":")
        code = code.split("@")[0].strip()
        if code not in ("OTL", "OMD"):
            return
        value = tokens.plain(value)
        if value and value.lower() not in _UNTITLED:
            self.titles.setdefault(code, value)
        if code == "OMD":
            self.qpm = tokens.spoken_tempo(value) or self.qpm

    def interpret(self, row: Row) -> None:
        """What a line of interpretations says; what it does to the spines is done by `rows`."""
        self._see(row.voices)
        for label in dict.fromkeys(cell[2:] for cell in row.cells if cell.startswith("*>")):
            if "[" not in label:
                self._close_bar(row.number)
            self.sections.note(label, len(self.bars))
        for voice, cell in zip(row.voices, row.cells, strict=True):
            if voice.staff is None or cell == "*":
                continue
            part = self.parts[voice.staff]
            if cell.startswith("*M"):
                self._metre_or_tempo(cell, row.number)
            elif cell.startswith("*k["):
                part.sign(cell)
            elif cell.startswith("*I"):
                part.name = min(part.name, tokens.name(cell) or part.name, key=lambda told: told[0])
            elif cell.endswith("cue"):
                (self.cues.add if cell == "*cue" else self.cues.discard)(voice)
            elif cell.startswith("*clef"):
                part.for_drums |= cell == "*clefX"
            elif ":" in cell:
                part.name_key(cell)
        if all(cell == "*-" for cell in row.cells):
            self._close_bar(row.number)

    def _metre_or_tempo(self, cell: str, line: int) -> None:
        if cell.startswith("*MM"):
            self.qpm = tokens.tempo(cell) or self.qpm
        elif cell[2:] in _NO_METRE:
            raise MidiError(f"has no metre from line {line} on (senza misura); leave it out.")
        elif cell[2:3].isdigit():
            try:
                self.metre = tokens.metre(cell)
            except MidiError as error:
                raise MidiError(f"has {error} on line {line}; leave it out.") from error

    def _see(self, voices: Sequence[Voice]) -> None:
        """The spines that are open, among which there may be new ones."""
        if voices is self.voices:
            return
        self.voices = voices
        for voice in voices:
            if voice.staff is not None and voice.staff not in self.parts:
                self.parts[voice.staff] = part = Part(len(self.bars))
                if self.begun:
                    part.begin_bar()
        if len(self.parts) > MOST_SPINES:
            raise MidiError(f"has over {MOST_SPINES:,} parts, more than any score; leave it out.")

    def play(self, row: Row) -> None:
        """A line of data, or of bar lines."""
        self._see(row.voices)
        sounding: list[tuple[Voice, tokens.Event]] = []
        waiting: list[Voice] = []
        lines = []
        for voice, cell in zip(row.voices, row.cells, strict=True):
            if voice.staff is None:
                if not voice.kind:
                    raise MidiError(f"has a spine without a kind, such as **kern, on line {row.number}; correct it.")
            elif cell == ".":
                waiting.append(voice)
            elif cell[:1] == "=":
                lines.append(cell)
            else:
                found = self.events.get(cell) or self._event(cell, row.number)
                if found.length:
                    sounding.append((voice, found))
                    self.count += len(found.notes)
        if self.count > MOST_NOTES:
            raise self._refusal(f"over {MOST_NOTES:,} notes", row.number)
        if lines:
            if sounding:
                raise self._refusal("a bar line in some spines and notes in others", row.number)
            self._bar_line(lines, row.number)
        elif sounding:
            self._sound(sounding, waiting, row.number)

    def _event(self, cell: str, line: int) -> tokens.Event:
        try:
            found = tokens.event(cell)
        except MidiError as error:
            raise self._refusal(str(error), line) from error
        if found is None:
            raise self._refusal(f"a token that is no note, {cell[:40]!r},", line)
        if len(self.events) >= _MOST_KNOWN:
            self.events.clear()
        self.events[cell] = found
        return found

    def _refusal(self, what: str, line: int) -> MidiError:
        return MidiError(f"has {what} on line {line} (bar {self.number}); correct or leave it out.")

    def _sound(self, sounding: Sequence[tuple[Voice, tokens.Event]], waiting: Sequence[Voice], line: int) -> None:
        """Notes and rests that begin together, while the waiting voices go on."""
        begins = {voice.ready for voice, _ in sounding if voice.ready is not None}
        if len(begins) > 1:
            raise self._refusal("notes that should begin together but do not", line)
        begin = begins.pop() if begins else self.furthest
        for voice in waiting:
            if voice.ready is not None and voice.ready <= begin:
                self._be_silent(voice, begin, line)
        if not self.begun:
            self._begin_bar()
        for voice, found in sounding:
            staff = voice.staff
            assert staff is not None
            part = self.parts[staff]
            voice.ready = end = begin + found.length
            if end > self.furthest:
                self.furthest = end
            part.beaten |= found.beaten
            rank = staff.voices.index(voice) if len(staff.voices) > 1 else -1
            part.add(rank, begin, found if voice not in self.cues else tokens.REST)
        if self.furthest > LONGEST_BAR:
            raise self._refusal("a bar longer than any score has", line)

    def _be_silent(self, voice: Voice, now: Time, line: int) -> None:
        """A voice may be silent without a rest for a whole bar, or where it is not the top one of its staff."""
        assert voice.staff is not None
        assert voice.ready is not None
        if voice.ready < now or (now and voice is voice.staff.voices[0]):
            raise self._refusal("a voice that lacks a note or a rest", line)
        voice.ready = None

    def _begin_bar(self) -> None:
        self.begun = True
        self.held = self.metre, self.qpm
        for part in self.parts.values():
            part.begin_bar()

    def _bar_line(self, cells: Sequence[str], line: int) -> None:
        said = list(map(tokens.bar_line, cells))
        closed = self._close_bar(line)
        number = next((one.number for one in said if one.number is not None), None)
        if self.first_number is None and number is not None:
            self.first_number = number
            if number == 1 and self.bars:
                self.bars[0] = replace(self.bars[0], anacrusis=True)
        self.number = number if number is not None else self.number + closed
        here = len(self.bars)
        if here:
            if any(one.section for one in said):
                self.bars[-1] = replace(self.bars[-1], ends=True)
            if any(one.repeat_ends for one in said):
                self.signs.backward[here - 1] = 2
        if any(one.repeat_begins for one in said):
            self.signs.forward.add(here)

    def _close_bar(self, line: int) -> bool:
        """Whether there was a bar to close."""
        if not self.begun:
            return False
        length = self.furthest
        for voice in self.voices:
            if voice.staff is not None:
                if voice.ready is not None and voice.ready != length:
                    raise self._refusal("voices that do not end together at the bar line", line)
                voice.ready = 0
        metre, qpm = self.held
        self.bars.append(Bar(round(length), metre, qpm, False, not self.bars and self.first_number == 0))
        if len(self.bars) > MOST_BARS or len(self.bars) * len(self.parts) > MOST_PART_BARS:
            raise MidiError(f"has more bars up to line {line} than any score; leave it out.")
        for part in self.parts.values():
            part.close_bar()
        self.begun, self.furthest = False, 0
        return True

    def end(self, line: int | None) -> None:
        """After the last line."""
        self._close_bar(line or 0)

    def written(self) -> WrittenScore:
        """The whole piece."""
        bars = [*self.bars[:-1], replace(self.bars[-1], ends=True)]
        parts = tuple(part.written() for part in reversed(self.parts.values()))
        counts = [sum(len(part.notes[index]) for part in parts) for index in range(len(bars))]
        order, understood = played_order(self.sections, self.signs, counts)
        remarks = () if understood else ("repeats not understood, played once",)
        title = self.titles.get("OTL") or self.titles.get("OMD", "")
        return WrittenScore(title, tuple(bars), parts, order, remarks)
