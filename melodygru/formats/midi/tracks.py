"""Which notes of a MIDI file are its melody.

A track whose name says so wins. Otherwise the marks of a melody are weighed in each track (split by channel), and the
one that has most of them is taken; of its notes the line that `melodygru.formats.midi.line` makes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from melodygru.errors import MidiError
from melodygru.formats.midi.chunks import PERCUSSION
from melodygru.formats.midi.line import monophony, one_line
from melodygru.formats.midi.parser import RawFile, RawNote

# From the surest name to the least sure.
_MELODY_NAMES = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"melod(y|ie|ia|ic)|mélodie|мелоди",
        r"\b(lead\W*)?(vocals?|vox|voice|voix|voz|voce|gesang|stimme|singer|sing(ing)?|canto|cantus|chant)\b|вокал|голос",
        r"sopran|\btune\b|\btheme\b|\bthema\b",
        r"\blead\b",
    )
)
_NOT_THE_MELODY = re.compile(
    r"\b(back(ing|ground|up)?|bg|counter|harmon(y|ies|ie)|oohs?|aahs?|choirs?|chorus|chords?|bass|drums?|2nd|second)\b"
    r"|counter.?melod",
    re.IGNORECASE,
)

# Weights of the marks that make a track a melody, each mark in [0, 1]; see docs/decisions.md.
_MARKS = {"monophony": 3.0, "register": 2.0, "coverage": 1.0, "variety": 1.0, "count": 0.5}


@dataclass(frozen=True)
class Part:
    """A track's notes on one channel (or all, where the track was asked for): what may be the melody."""

    number: int
    name: str
    notes: tuple[RawNote, ...]

    @property
    def label(self) -> str:
        """How people know it: its name, or its number."""
        return self.name or f"track {self.number}"


@dataclass(frozen=True)
class Choice:
    """The melody's raw notes, which never overlap, the part they come from, and how it was found."""

    notes: tuple[RawNote, ...]
    label: str
    how: str  # "name", "marks", "skyline", or "asked"


def choose_melody(raw: RawFile, track: str = "auto", min_notes: int = 8) -> Choice:
    """The melody of a file. `track` is "auto", a track's number from 1, its name, or "skyline".

    Raises MidiError (its message lacks the file's name) when there is none.
    """
    if not any(part.notes for part in raw.tracks):
        raise MidiError("has no notes; leave it out.")
    if track == "skyline":
        notes = [note for part in raw.tracks for note in part.notes if note.channel != PERCUSSION]
        return _choice(Part(0, "all tracks", tuple(sorted(notes))), "skyline")
    if track != "auto":
        return _choice(_asked_for(raw, track), "asked")
    parts = [part for part in _parts(raw) if part.notes and part.notes[0].channel != PERCUSSION]
    if not parts:
        raise MidiError("has only percussion (channel 10); leave it out.")
    for pattern in _MELODY_NAMES:
        for part in parts:
            named = pattern.search(part.name) and not _NOT_THE_MELODY.search(part.name)
            if named and len(part.notes) >= min_notes and len(raw.tracks) > 1:
                return _choice(part, "name")
    last = max(note.end for part in parts for note in part.notes)
    most = max(len(part.notes) for part in parts)
    best = max(parts, key=lambda part: (len(part.notes) >= min_notes, _sum_of_marks(part.notes, last, most)))
    return _choice(best, "marks")


def _parts(raw: RawFile) -> list[Part]:
    """Tracks split by channel: type 0 files keep all instruments in one track."""
    parts = []
    for track in raw.tracks:
        for channel in sorted({note.channel for note in track.notes}):
            notes = tuple(note for note in track.notes if note.channel == channel)
            parts.append(Part(track.number, track.name, notes))
    return parts


def _asked_for(raw: RawFile, track: str) -> Part:
    found = [part for part in raw.tracks if str(part.number) == track and part.notes]
    wanted = track.casefold()
    found = found or [part for part in raw.tracks if part.name.casefold() == wanted and part.notes]
    found = found or [part for part in raw.tracks if wanted in part.name.casefold() and part.notes]
    if not found:
        names = ", ".join(f"{part.number} {part.name}".strip() for part in raw.tracks if part.notes)
        raise MidiError(f"has no track {track!r} with notes; those with notes are: {names}.")
    return Part(found[0].number, found[0].name, found[0].notes)


def _choice(part: Part, how: str) -> Choice:
    notes, polyphonic = one_line(part.notes, top=how == "skyline")
    return Choice(notes, part.label, "skyline" if polyphonic and how == "marks" else how)


def _sum_of_marks(notes: Sequence[RawNote], last: int, most: int) -> float:
    """How much like a melody a part is; higher is better. `last`: the file's last tick; `most`: its largest part."""
    pitch = median(note.pitch for note in notes)
    marks = {
        "monophony": monophony(notes),
        # Voices and lead instruments live around A4 (69); an octave and a half away is unlikely.
        "register": math.exp(-(((pitch - 69) / 12) ** 2)),
        "coverage": min(1.0, 1.5 * sum(note.end - note.onset for note in notes) / max(1, last)),
        "variety": min(1.0, len({note.pitch for note in notes}) / 8),
        "count": math.sqrt(len(notes) / most),
    }
    return sum(_MARKS[mark] * value for mark, value in marks.items())
