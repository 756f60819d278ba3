"""The notes of one part as one line: a melody has one note at a time.

A part that is nearly so is made strictly so; of one that is polyphonic the top line is taken, the skyline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from melodygru.formats.midi.parser import RawFile, RawNote

LEGATO = 0.25
"""Share of a note, in [0, 1], that may sound into the next: players and sequencers do that."""
MONOPHONIC = 0.85
"""Share of a part's notes, in [0, 1], that are one at a time, from which its line is its notes; else it is the top."""
COVERED = 0.5
"""Share of a note, in [0, 1], from which one above it that sounds through that much leaves it out of the top line."""

ROLLED = 12
"""Parts of a quarter: notes less than one of them apart that sound together are one chord, rolled or uneven."""

NEIGHBOURS = 8
"""Notes of a top line, before and after each, that tell its register: their upper quartile."""
DROP = 12
"""Semitones under its register beyond which a note of a top line is an accompaniment's, heard in the melody's rests."""


def sounding(raw: RawFile) -> RawFile:
    """The file without strokes that last no time, in tracks that have others: no player sounds them."""
    tracks = []
    for track in raw.tracks:
        notes = tuple([note for note in track.notes if note[1] > note[0]])
        tracks.append(replace(track, notes=notes) if notes and len(notes) < len(track.notes) else track)
    return replace(raw, tracks=tuple(tracks))


def one_line(notes: Sequence[RawNote], ticks_per_quarter: int, top: bool = False) -> tuple[tuple[RawNote, ...], bool]:
    """The line that notes, in order of onset, make, and whether it is the top of polyphony; `top`: take it as that."""
    if top or monophony(notes) < MONOPHONIC:
        return skyline(notes, ticks_per_quarter), True
    return one_at_a_time(notes), False


def monophony(notes: Sequence[RawNote]) -> float:
    """Share of notes, in [0, 1], that begin alone, when the one before is nearly over (legato) or ends before they do.

    Strings that ring on fall silent in the order in which they were struck; what accompanies a held note does not
    outlast it. `notes` are in order of onset.
    """
    if len(notes) < 2:
        return 1.0
    alone = 0
    until = notes[0].end
    start = notes[0].onset
    for note in notes[1:]:
        if note.onset > start and (until - note.onset <= LEGATO * (until - start) or until < note.end):
            alone += 1
        start, until = note.onset, max(until, note.end) if note.onset == start else note.end
    return alone / (len(notes) - 1)


def one_at_a_time(notes: Sequence[RawNote]) -> tuple[RawNote, ...]:
    """A nearly monophonic part made strictly so: each note ends where the next begins, of a chord the top stays."""
    kept: list[RawNote] = []
    for note in notes:
        if kept and kept[-1].onset == note.onset:
            if note.pitch > kept[-1].pitch:
                kept[-1] = note
            continue
        if kept and kept[-1].end > note.onset:
            kept[-1] = kept[-1]._replace(end=note.onset)
        kept.append(note)
    return tuple(kept)


def skyline(notes: Sequence[RawNote], ticks_per_quarter: int) -> tuple[RawNote, ...]:
    """The top line of polyphony: of notes that sound together, the highest.

    A note is left out when a higher one sounds through at least `COVERED` of it, or is struck so soon after it that
    both are one chord (`ROLLED`), as pianists strike bass and melody.
    """
    kept: list[RawNote] = []
    for note in sorted(notes, key=lambda note: (note.onset, -note.pitch)):
        if kept and kept[-1].onset == note.onset:
            continue
        covered = COVERED * (note.end - note.onset)
        if kept and kept[-1].pitch >= note.pitch and kept[-1].end - note.onset >= covered:
            continue
        if kept and kept[-1].end > note.onset:
            if note.pitch > kept[-1].pitch and (note.onset - kept[-1].onset) * ROLLED < ticks_per_quarter:
                kept.pop()
            else:
                kept[-1] = kept[-1]._replace(end=note.onset)
        kept.append(note)
    return tuple(_without_fills(kept))


def _without_fills(line: Sequence[RawNote]) -> list[RawNote]:
    """A top line without what lies more than `DROP` under its register."""
    pitches = [note.pitch for note in line]
    kept = []
    for place, note in enumerate(line):
        around = sorted(pitches[max(0, place - NEIGHBOURS) : place + NEIGHBOURS + 1])
        if note.pitch >= around[3 * (len(around) - 1) // 4] - DROP:
            kept.append(note)
    return kept
