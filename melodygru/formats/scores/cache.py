"""What was made of a score, kept by the score's content: reading it takes up to a hundred times as long as MIDI.

What is old is thrown away. A cache that cannot be written or read is as good as none.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from melodygru.errors import FileError, MidiError, UsageError
from melodygru.music.chords import Chord, ChordSpan
from melodygru.music.melody import Melody, Note
from melodygru.music.theory import Key, TimeSignature
from melodygru.records import dataclass
from melodygru.system.files import write_atomically
from melodygru.system.folders import cache_home

_FORMAT = 7
_MOST = 400
"""Entries of each of the 256 folders, from which on the older half goes: a hundred thousand scores in all."""


@dataclass(frozen=True)
class Reading:
    """The melodies of one file, at least one, in order.

    Attributes:
        melodies: each named by its title, else after the file, with " #2" and so on for further ones.
        track: the name (or number) of the track or part that they come from.
        remarks: what was estimated, not taken at its word, or left out; once for each time it happened.
        chords: what stands over each melody in chord symbols; empty where the file's kind has none.
    """

    melodies: tuple[Melody, ...]
    track: str
    remarks: tuple[str, ...]
    chords: tuple[tuple[ChordSpan, ...], ...] = ()


def cache_key(data: bytes, *told: object) -> str:
    """The key of what is made of `data`, given what `told` says of how."""
    digest = hashlib.sha256(repr((_FORMAT, _version_of_music21(), *told)).encode())
    digest.update(data)
    return digest.hexdigest()


@cache
def _version_of_music21() -> str:
    try:
        return version("music21")
    except PackageNotFoundError:
        return ""


def load(key: str) -> Reading | MidiError | None:
    """What was kept under a key: melodies, or why there are none. None where there is nothing, or nothing sound."""
    try:
        kept = json.loads(_place(key).read_bytes())
        if "error" in kept:
            return MidiError(str(kept["error"]))
        melodies, chords = tuple(map(_melody, kept["melodies"])), tuple(map(_chords, kept["chords"]))
        return Reading(melodies, str(kept["track"]), tuple(kept["remarks"]), chords)
    except (OSError, ValueError, KeyError, TypeError, UsageError):
        return None


def store(key: str, found: Reading | MidiError) -> None:
    """Keep what a score was read as."""
    if isinstance(found, MidiError):
        value: dict[str, Any] = {"error": str(found)}
    else:
        value = {"melodies": list(map(_told, found.melodies)), "track": found.track, "remarks": found.remarks}
        value["chords"] = [[_told_chord(span) for span in spans] for spans in found.chords]
    place = _place(key)
    with suppress(OSError, FileError):
        place.parent.mkdir(parents=True, exist_ok=True)
        _tidy(place.parent)
        write_atomically(place, json.dumps(value, separators=(",", ":")).encode(), force=True)


def _told(melody: Melody) -> list[Any]:
    metre, key = melody.time_signature, melody.key
    notes = [(note.pitch, note.onset, note.duration) for note in melody.notes]
    signs = (metre.numerator, metre.denominator), (key.tonic, key.mode)
    return [notes, *signs, melody.qpm, melody.name, melody.pickup, melody.bars]


def _melody(told: Any) -> Melody:
    notes, metre, key, *rest = told
    return Melody(tuple(Note(*note) for note in notes), TimeSignature(*metre), Key(*key), *rest)


def _told_chord(span: ChordSpan) -> list[Any]:
    return [span.onset, span.end, None if span.chord is None else span.chord.symbol]


def _chords(told: Any) -> tuple[ChordSpan, ...]:
    return tuple(ChordSpan(onset, end, None if symbol is None else Chord.parse(symbol)) for onset, end, symbol in told)


def _place(key: str) -> Path:
    return cache_home() / "scores" / key[:2] / f"{key[2:]}.json"


def _tidy(folder: Path) -> None:
    names = os.listdir(folder)
    if len(names) < _MOST:
        return
    newest_last = sorted((folder / name for name in names), key=lambda path: path.stat().st_mtime)
    for path in newest_last[: len(names) // 2]:
        path.unlink(missing_ok=True)
