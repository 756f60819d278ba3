"""The metres of a MIDI file as sections, each of one metre with its own bar lines.

Files say many things that are not so: 1/4 all through (a sequencer's default), 0/4, two
metres at once. What cannot be meant is read as 4/4, and a remark says so.
"""

from __future__ import annotations

from melodygru.formats.midi.grid import Grid
from melodygru.formats.midi.parser import RawFile
from melodygru.music.theory import BEAT_UNITS, MOST_BEATS, STEPS_PER_QUARTER, TimeSignature
from melodygru.records import dataclass

DEFAULT_METRE = TimeSignature(4, 4)
"""MIDI's own metre where a file has none."""
UNKNOWN_METRE = TimeSignature(1, 4)
"""In place of a metre that is still to be estimated: only the beats are looked for."""
FEWEST_BEATS = 2
"""The smallest numerator that is taken at its word: 1/4 all through is a sequencer's default."""
METRE_ASSUMED = "metre of the beginning assumed"
"""The remark on a file that states one only later."""


@dataclass(frozen=True)
class Section:
    """A stretch of one metre, in steps from the grid's origin: [start, end), with bar lines counted from `start`.

    `pickup`: the first bar is incomplete, and `start` lies before the file's first tick so that it can be padded.
    """

    start: int
    end: int
    metre: TimeSignature
    pickup: bool = False


def stated_metres(raw: RawFile, remarks: dict[str, None]) -> list[tuple[int, TimeSignature]]:
    """(tick, metre) from tick 0 on, by tick, changes only; none where the file states none at all.

    `remarks` takes in what was not taken at its word. What comes before the first metre stated is assumed to be in it.
    """
    stated: dict[int, TimeSignature | None] = {}
    for told, numerator, denominator in raw.time_signatures:
        # Some sequencers tell the first one a tick or a few after the beginning.
        tick = told if 2 * STEPS_PER_QUARTER * told > raw.ticks_per_quarter else 0
        meant = FEWEST_BEATS <= numerator <= MOST_BEATS and denominator in BEAT_UNITS
        if not meant and stated.get(tick) is not None:
            remarks[f"metre {numerator}/{denominator} passed over"] = None
            continue
        # Metres of one beat are kept for now: they may be the file's way to write a pickup.
        legal = 1 <= numerator <= MOST_BEATS and denominator in BEAT_UNITS
        stated[tick] = TimeSignature(numerator, denominator) if legal else None
        if not legal:
            remarks[f"metre {numerator}/{denominator} read as {DEFAULT_METRE}"] = None
    if stated and 0 not in stated:
        remarks[METRE_ASSUMED] = None
        stated[0] = stated[min(stated)]
    return [(tick, metre or DEFAULT_METRE) for tick, metre in sorted(stated.items())]


def believable_metre(metres: list[tuple[int, TimeSignature]]) -> TimeSignature:
    """The metre of a file whose own bar lines miss its notes.

    What it states is then no better founded: only a metre in three is believed, all else is the commonest, 4/4.
    """
    metre = metres[0][1] if metres else UNKNOWN_METRE
    return metre if metre == UNKNOWN_METRE or metre.numerator % 3 == 0 else DEFAULT_METRE


def sections(metres: list[tuple[int, TimeSignature]], grid: Grid, last: int, remarks: dict[str, None]) -> list[Section]:
    """The sections of a melody that ends at step `last`, in order. `metres` as of `stated_metres`."""
    if grid.origin:
        metre = believable_metre(metres)
        if metre != metres[0][1]:
            remarks[f"metre {metres[0][1]} read as {metre}"] = None
        # The first notes may come before the first bar line of the grid.
        return [Section(-metre.bar_steps, max(last, 1), metre)]
    starts = [round(grid.steps(tick)) for tick, _ in metres]
    ends = [*starts[1:], max(last, starts[-1] + 1)]
    found: list[Section] = []
    short = False
    for index, ((_, metre), start, end) in enumerate(zip(metres, starts, ends, strict=True)):
        if end <= start:
            continue
        if index == 0 and len(starts) > 1 and end - start < metres[1][1].bar_steps:
            short = True  # the next section's pickup
            continue
        if metre.numerator < FEWEST_BEATS:
            remarks[f"metre {metre} read as {DEFAULT_METRE}"] = None
            metre = DEFAULT_METRE
        if short:
            found.append(Section(start - metre.bar_steps, end, metre, pickup=True))
            short = False
        elif found and found[-1].metre == metre and (start - found[-1].start) % metre.bar_steps == 0:
            found[-1] = Section(found[-1].start, end, metre, found[-1].pickup)
        else:
            found.append(Section(start, end, metre))
    return found
