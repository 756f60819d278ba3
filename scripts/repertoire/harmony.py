"""Where a piece's chords come from: symbols of a lead sheet, an analysis beside a score, or parts that sound together;
and what they say of its key."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from melodygru.formats.midi.chunks import PERCUSSION
from melodygru.formats.midi.extraction import Extraction
from melodygru.formats.midi.parser import RawFile, RawNote
from melodygru.formats.scores.layout import Placed
from melodygru.formats.scores.melodies import PlacedMelody, key_of_parts
from melodygru.formats.scores.written import TICKS_PER_STEP, WrittenScore
from melodygru.music.chord_keys import key_by_tones
from melodygru.music.chords import QUALITIES, Chord, ChordSpan, chord_or_none
from melodygru.music.melody import Melody
from repertoire.chords import harmonies, simplified
from repertoire.pieces import NO_CHORD, Harmony
from repertoire.romans import roman_chords

Change = tuple[int, tuple[int, str] | None]
"""A tick of the score as it is played, and the chord that holds from there on."""
LEAST_FIT = 0.7
"""Share of what sounds, in [0, 1], that has to belong to the chords of an analysis: of those whose bars are the score's
it is 0.87, of those that are a bar off 0.55."""
_SHIFTS = (0, 1, -1)
"""Bars by which an analysis may be off, since scores number their pickups differently."""
_SAFE_SOURCES = ("kulp/eog", "mutopia")
_DATED = re.compile(r"1[0-9]{3}\)")
"""How a person's years end."""


def of_symbols(placed: Placed, one: PlacedMelody) -> tuple[Harmony, ...]:
    """The chord symbols over a melody."""
    chords = ((tick, chord_or_none(symbol)) for tick, symbol in placed.chords)
    return within(((tick, None if chord is None else simplified(chord)) for tick, chord in chords), one)


def within(changes: Iterable[Change], one: PlacedMelody) -> tuple[Harmony, ...]:
    """The chords that hold while a melody sounds."""
    return harmonies(((one.steps(tick), chord) for tick, chord in changes), one.melody)


def with_key_of_chords(melody: Melody, chords: Sequence[Harmony]) -> Melody:
    """The melody in the minor key of its signature where its chords are in that: programs write "major" unasked."""
    spans = [
        ChordSpan(one.onset, one.end, _chord(one.root, one.quality) if one.root != NO_CHORD else None) for one in chords
    ]
    key = key_by_tones(spans)
    relative = key.mode == "minor" and melody.key.mode == "major" and (key.tonic + 3) % 12 == melody.key.tonic
    return replace(melody, key=key) if relative and chords[-1].root == key.tonic else melody


def _chord(root: int, quality: str) -> Chord:
    return Chord(quality, root, tuple((root + tone) % 12 for tone in QUALITIES[quality]), root)


def of_analysis(score: WrittenScore, placed: Placed, text: str) -> list[Change]:
    """The chords of an analysis in RomanText of a score, as it is played; none where they are plainly another's."""
    first = 0 if score.bars[0].anacrusis else 1
    told = list(roman_chords(text))
    found: list[tuple[float, list[Change]]] = []
    for shift in _SHIFTS:
        bars: list[list[Change]] = [[] for _ in score.bars]
        for measure, tick, chord in told:
            if 0 <= measure - first + shift < len(bars):
                bars[measure - first + shift].append((tick, chord))
        changes = _as_played(bars, score, placed)
        found.append((_fit(changes, placed), changes))
    fit, changes = max(found, key=lambda one: one[0])
    return changes if fit >= LEAST_FIT else []


def _as_played(told: Sequence[Sequence[Change]], score: WrittenScore, placed: Placed) -> list[Change]:
    """What is told of each bar of a score, put where the bar is played; each begins with what held before it."""
    before: list[tuple[int, str] | None] = []
    present: tuple[int, str] | None = None
    for own in told:
        before.append(present)
        present = own[-1][1] if own else present
    changes: list[Change] = []
    for start, index in zip(placed.starts, placed.order, strict=True):
        bar = score.bars[index]
        whole = bar.length if bar.metre is None else bar.metre.bar_steps * TICKS_PER_STEP
        missing = max(0, whole - bar.length) if index == 0 else 0  # beats of a pickup are counted as a whole bar's
        changes.append((start, before[index]))
        changes += [
            (start + max(0, tick - missing), chord) for tick, chord in told[index] if tick - missing < bar.length
        ]
    return changes


def _fit(changes: Sequence[Change], placed: Placed) -> float:
    """Share of what sounds, in [0, 1], that belongs to the chord of its time."""
    ends = [*(tick for tick, _ in changes[1:]), placed.end]
    belongs = total = first = 0
    for note in placed.sounding:
        while first < len(ends) - 1 and ends[first] <= note.onset:
            first += 1
        for (tick, chord), end in zip(islice(changes, first, None), islice(ends, first, None), strict=True):
            if tick >= note.end:
                break
            length = min(note.end, end) - max(note.onset, tick)
            if chord is not None and length > 0:
                total += length
                belongs += length * ((note.pitch - chord[0]) % 12 in QUALITIES[chord[1]])
    return belongs / total if total else 0.0


def parts_of(raw: RawFile, found: Extraction) -> list[list[RawNote]]:
    """All that sounds while each melody of a MIDI file does, in steps of the melody."""
    steps = [
        note._replace(onset=round(found.grid.steps(note.onset)), end=round(found.grid.steps(note.end)))
        for track in raw.tracks
        for note in track.notes
        if note.channel != PERCUSSION
    ]
    return [
        [
            note._replace(onset=note.onset - start, end=note.end - start)
            for note in steps
            if note.end > start and note.onset < start + melody.length
        ]
        for start, melody in zip(found.starts, found.melodies, strict=True)
    ]


def with_heard_key(melody: Melody, notes: Sequence[RawNote]) -> Melody:
    """The melody in the key of its signature that all parts are in; a minor key stays, since files state it."""
    if melody.key.mode == "minor":
        return melody
    own = [RawNote(note.onset, note.end, note.pitch, 0, 0) for note in melody.notes]
    return replace(melody, key=key_of_parts(melody.key.fifths, own, notes))


def free_settings(listing: Path) -> dict[str, bool]:
    """Of each hymn whether its harmony may be used, by the list of hymns.

    Not where nobody with years is named beside an old tune, or an arranger without: the parts may be a modern editor's.
    """
    with listing.open(encoding="utf-8", errors="replace", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return {
        row["file"]: row["source"].lower().startswith(_SAFE_SOURCES) or bool(_DATED.search(row["composer"] or ""))
        for row in rows
    }
