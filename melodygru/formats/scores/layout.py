"""The bars of a score in the order of play -> one line of notes, with bar lines at multiples of the bar.

A bar that is shorter than its metre is completed by the next one (the end of a section and the pickup of the next, or a
bar that is broken over two lines). Where it is not, it is done as players do it, and as
`melodygru.formats.scores.abc.grid` does: the last note is held on to the bar line; a pickup after a whole bar takes
its time from that bar's last note, or is not played.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain, pairwise

from melodygru.errors import MidiError
from melodygru.formats.midi.metres import METRE_ASSUMED
from melodygru.formats.midi.parser import RawFile, RawNote, RawTrack
from melodygru.formats.midi.tracks import choose_melody
from melodygru.formats.scores.written import TICKS, TICKS_PER_STEP, Bar, WrittenPart, WrittenScore
from melodygru.music.theory import Key, TimeSignature
from melodygru.records import dataclass

ROUNDED = "values finer than the grid rounded to it"
"""The remark on a melody with sixty-fourths, quintuplets and the like: the grid has 24 steps a quarter."""
METRE_OF_BARS = "metre taken from the bars' lengths"
"""The remark on a score that names no metre."""
_VELOCITY = 80
_SLIGHT = TICKS_PER_STEP
"""Bars that are off by less are as long as their metre: programs round."""


@dataclass(frozen=True)
class Stretch:
    """Bars of one metre, in ticks.

    Attributes:
        start: the bar line that all others are counted from; before `begin` where the first bar is a pickup.
        begin, end: where its notes lie, half-open.
        metre: its metre.
        pickup: the first bar is short, or said to be a pickup.
    """

    start: int
    begin: int
    end: int
    metre: TimeSignature
    pickup: bool

    @property
    def bar(self) -> int:
        """Ticks of a bar."""
        return _whole(self.metre)


@dataclass(frozen=True)
class Placed:
    """The melody of a score as it is played, in ticks, and what holds in its P bars.

    Attributes:
        notes: in order, never overlapping, all on the grid: few may have been set on it.
        label: the part's name, or its number.
        alone: no other part has notes.
        stretches: in order, at least one.
        starts: (P,) where each bar begins.
        end: where the last one ends.
        keys, tempi: (P,) see `melodygru.formats.scores.written`.
        order: (P,) which of the written bars each is.
        sounding: the notes of all parts, in order of onset.
        chords: (tick, symbol) of the chord symbols, in order of ticks; each holds until the next.
        remarks: what could not be taken at its word.
    """

    notes: tuple[RawNote, ...]
    label: str
    alone: bool
    stretches: tuple[Stretch, ...]
    starts: tuple[int, ...]
    end: int
    keys: tuple[Key | int | None, ...]
    tempi: tuple[float | None, ...]
    order: tuple[int, ...]
    sounding: tuple[RawNote, ...]
    chords: tuple[tuple[int, str], ...]
    remarks: tuple[str, ...]


@dataclass
class _Line:
    """Bars of the score where they are played, while they are laid out."""

    starts: list[int]
    held: list[int]
    """(P,) ticks from the bar's beginning back to where the notes before it end: those are held on."""
    squeezed: list[bool]
    """(P,) a pickup that begins within the bar before it."""
    stretches: list[Stretch]
    end: int


def lay_out(score: WrittenScore, track: str = "auto", min_notes: int = 8) -> Placed:
    """A score's melody as it is played; `track`: see `melodygru.formats.midi.tracks.choose_melody`.

    Raises MidiError if there is none.
    """
    remarks: dict[str, None] = {}
    if all(part.percussion or not any(part.notes) for part in score.parts):
        percussion = any(part.percussion for part in score.parts)
        raise MidiError(f"has {'only percussion' if percussion else 'no notes'}; leave it out.")
    bars = _with_metres(score.bars, remarks)
    line = _line(bars, score.order, remarks)
    tracks = [
        RawTrack(number, part.name, notes, {0: part.program} if notes and part.program is not None else {})
        for number, part in enumerate(score.parts, 1)
        for notes in [tuple(_notes(part, score.order, line))]
    ]
    choice = choose_melody(RawFile(TICKS, tuple(tracks), (), (), (), None, (), ()), track, min_notes)
    if len(choice.notes) < min_notes:
        raise MidiError(f"has a melody of fewer than {min_notes} notes; leave it out.")
    if choice.remark:
        remarks[choice.remark] = None
    number = max(choice.number - 1, 0)
    notes = _on_the_grid(choice.notes, remarks)
    keys, order = score.parts[number].keys, score.order
    return Placed(
        notes,
        choice.label if tracks[number].name else f"part {number + 1}",
        sum(bool(one.notes) for one in tracks) == 1,
        tuple(line.stretches),
        tuple(line.starts),
        line.end,
        tuple(keys[index] for index in order),
        tuple(bars[index].qpm for index in order),
        order,
        tuple(sorted(chain.from_iterable(one.notes for one in tracks))),
        tuple(
            (start + min(offset, bars[index].length), symbol)
            for start, index in zip(line.starts, order, strict=True)
            for offset, symbol in score.chords.get(index, ())
        ),
        tuple(remarks),
    )


def _on_the_grid(notes: Sequence[RawNote], remarks: dict[str, None]) -> tuple[RawNote, ...]:
    """Each note from the nearest step to the nearest, at least one; of those that fall on one step the last stays."""
    if not any(note.onset % TICKS_PER_STEP or note.end % TICKS_PER_STEP for note in notes):
        return tuple(notes)
    remarks[ROUNDED] = None
    placed: list[RawNote] = []
    for note in reversed(notes):
        onset, end = (round(tick / TICKS_PER_STEP) * TICKS_PER_STEP for tick in (note.onset, note.end))
        following = placed[-1].onset if placed else max(end, onset + TICKS_PER_STEP)
        if onset < following:
            placed.append(note._replace(onset=onset, end=min(max(end, onset + TICKS_PER_STEP), following)))
    return tuple(placed[::-1])


def _whole(metre: TimeSignature) -> int:
    """Ticks of a bar."""
    return metre.bar_steps * TICKS_PER_STEP


def _with_metres(bars: Sequence[Bar], remarks: dict[str, None]) -> list[Bar]:
    """Bars whose metres are all known, and with lengths that are only slightly off corrected."""
    if bars[0].metre is None:
        named = next((bar.metre for bar in bars if bar.metre is not None), None)
        metre = named or _metre_of_bars([bar.length for bar in bars])
        if metre is None:
            raise MidiError("has no metre; write one, or leave it out.")
        remarks[METRE_OF_BARS if named is None else METRE_ASSUMED] = None
        bars = [replace(bar, metre=bar.metre or metre) for bar in bars]
    found = []
    for bar in bars:
        assert bar.metre is not None
        whole = _whole(bar.metre)
        found.append(replace(bar, length=whole) if abs(bar.length - whole) < _SLIGHT else bar)
    for metre in {bar.metre for bar in found}:
        assert metre is not None
        lengths = Counter(bar.length for bar in found if bar.metre == metre)
        # Two bars between two bar lines, as in editions of old music, are whole bars too.
        whole = sum(number for length, number in lengths.items() if length % _whole(metre) == 0)
        if lengths.total() >= 4 and whole < max(lengths.values()):
            length = max(lengths, key=lambda length: lengths[length])
            first = next(n for n, bar in enumerate(found, 1) if (bar.metre, bar.length) == (metre, length))
            raise MidiError(
                f"has bars of another metre than the one named (bar {first}: {length / TICKS:g} quarters in {metre}); "
                "correct it, or leave it out."
            )
    return found


def _metre_of_bars(lengths: Sequence[int]) -> TimeSignature | None:
    """The metre, in quarters, of a score that names none but whose bars, first and last apart, are all as long."""
    inner = set(lengths[1:-1]) or {max(lengths)}
    if len(inner) != 1 or not all(one <= min(inner) for one in (lengths[0], lengths[-1])):
        return None
    quarters, rest = divmod(inner.pop(), TICKS)
    return None if rest or not 2 <= quarters <= 12 else TimeSignature(quarters, 4)


def _line(bars: Sequence[Bar], order: Sequence[int], remarks: dict[str, None]) -> _Line:
    line = _Line([], [], [], [], 0)
    position = start = begin = 0
    metre: TimeSignature | None = None
    pickup = False
    jumps = [False, *(two != one + 1 for one, two in pairwise(order))]  # it does not follow the one before on the page
    for number, index in enumerate(order):
        bar = bars[index]
        assert bar.metre is not None
        whole = _whole(bar.metre)
        held, squeezed = 0, False
        if bar.metre != metre:
            if metre is not None:
                line.stretches.append(Stretch(start, begin, position, metre, pickup))
            metre, pickup, begin = bar.metre, bar.length < whole or bar.anacrusis, position
            start = position - max(0, whole - bar.length)
        else:
            phase = (position - start) % whole
            following = bars[order[number + 1]].length if number + 1 < len(order) else 0
            after_whole = phase == 0 and bar.length < whole < bar.length + following
            if phase and phase + bar.length > whole:
                held = whole - phase
                remarks["short bars filled"] = None
            elif after_whole and (jumps[number] or bars[order[number - 1]].ends):
                held, squeezed = -bar.length, True
        position += held
        line.starts.append(position)
        line.held.append(held)
        line.squeezed.append(squeezed)
        position += bar.length
    assert metre is not None
    line.stretches.append(Stretch(start, begin, max(position, begin + 1), metre, pickup))
    line.end = position
    return line


def _notes(part: WrittenPart, order: Sequence[int], line: _Line) -> list[RawNote]:
    """A part's notes as they are played, ties joined, in order of onset and pitch."""
    notes: list[RawNote] = []
    tied: dict[int, int] = {}  # pitch -> where in `notes` the note is that goes on
    for start, held, squeezed, index in zip(line.starts, line.held, line.squeezed, order, strict=True):
        latest = max((note.onset for note in notes[-8:]), default=-1)
        if squeezed and latest >= start:
            continue
        if held:
            before = start - held if held > 0 else None
            for place in range(max(0, len(notes) - 8), len(notes)):
                note = notes[place]
                if note.end == before or (squeezed and note.end > start):
                    notes[place] = note._replace(end=start)
        for written in part.notes[index]:
            onset = start + written.offset
            place = tied.pop(written.pitch, -1)
            if place >= 0 and notes[place].end == onset:
                notes[place] = notes[place]._replace(end=onset + written.length)
            else:
                place = len(notes)
                notes.append(RawNote(onset, onset + written.length, written.pitch, _VELOCITY, 0))
            if written.tied:
                tied[written.pitch] = place
    return sorted(notes)
