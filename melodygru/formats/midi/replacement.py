"""Some notes of a melody replaced in the bytes of its MIDI file: which of its events go, and what comes in.

All other events stay byte for byte, see `melodygru.formats.midi.splice`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from melodygru.errors import MidiError
from melodygru.formats.midi import splice
from melodygru.formats.midi.chunks import OWN_TEXT
from melodygru.formats.midi.extraction import Extraction
from melodygru.formats.midi.parser import RawFile, RawNote


class Struck(NamedTuple):
    """A note to put in, in ticks [onset, end)."""

    onset: int
    end: int
    pitch: int
    velocity: int


_FAULTY = "is faulty in a way that reading survives and writing does not; export it again."
_ENDS_UNKNOWN = "has tracks with wrong lengths, so that what is to stay cannot be told; export it again."
_Begin = tuple[int, int, int]


def _begin(note: RawNote) -> _Begin:
    """What a melody's note is found by in its track: where it ends may have been put right on reading."""
    return note.onset, note.pitch, note.channel


def homes_of(found: Extraction, raw: RawFile) -> dict[_Begin, int]:
    """The track, from 0, that each note of the melody stands in.

    That is the one which has most of them, all as a rule, by its name if several have; what it lacks stands in others
    (the top line of all tracks).
    """
    melody = {_begin(note) for note in found.notes}
    held = [melody & {_begin(note) for note in track.notes} for track in raw.tracks]

    def likely(number: int) -> tuple[int, bool, int]:
        track = raw.tracks[number]
        return len(held[number]), found.track in (track.name, f"track {track.number}"), -number

    return {begin: number for number in sorted(range(len(held)), key=likely) for begin in held[number]}


def replaced(
    data: bytes,
    found: Extraction,
    homes: Mapping[_Begin, int],
    gone: Sequence[RawNote],
    added: Sequence[Struck],
    text: str,
) -> bytes:
    """A plain MIDI file without `gone` of the melody's notes, with those added in its track, and with the text.

    Raises MidiError, whose message lacks the file's name, if notes are not found where they were read.
    """
    if not homes or any(_begin(note) not in homes for note in gone):
        raise MidiError(_FAULTY)
    home = Counter(homes.values()).most_common(1)[0][0]
    channel = next(note.channel for note in found.notes if homes.get(_begin(note)) == home)
    chunks = splice.tracks(data)
    if max(homes.values()) >= len(chunks):
        raise MidiError(_ENDS_UNKNOWN)
    # The bytes are looked for first: all tracks' events would take long.
    maybe = [number for number, chunk in enumerate(chunks) if data.find(OWN_TEXT.encode(), *chunk) >= 0]
    told = [number for number in maybe if _own_texts(data, _events(data, chunks[number]))]
    leave: dict[int, list[RawNote]] = {number: [] for number in (home, *told)}
    for note in gone:
        leave.setdefault(homes[_begin(note)], []).append(note)
    made, at = [], 0
    for number in sorted(leave):
        chunk = chunks[number]
        events = _events(data, chunk)
        out = _own_texts(data, events) | _strokes(data, events, leave[number])
        put = [one for note in added for one in _insertions(note, channel)] if number == home else []
        if number == min(told, default=home):
            put.append(splice.Insertion(0, -1, splice.text_event(text)))
        made += [data[at : chunk[0]], splice.respliced(data, chunk, events, out, put)]
        at = chunk[1]
    return b"".join([*made, data[at:]])


def check_others(before: RawFile, after: RawFile, homes: Collection[int]) -> None:
    """Raise MidiError, whose message lacks the file's name, unless tracks that the melody is not in are read as before.

    They are copied; but in a file whose tracks' lengths are wrong, what is a track is a guess.
    """
    others = [
        [track.notes for number, track in enumerate(raw.tracks) if number not in homes] for raw in (before, after)
    ]
    if others[0] != others[1]:
        raise MidiError(_ENDS_UNKNOWN)


def _events(data: bytes, chunk: tuple[int, int]) -> list[splice.Event]:
    return list(splice.events(data, chunk[0] + splice.HEAD, chunk[1]))


def _own_texts(data: bytes, events: Sequence[splice.Event]) -> set[int]:
    """The numbers of those in which a file of ours says how it was made."""
    own = OWN_TEXT.encode()
    return {number for number, event in enumerate(events) if splice.text_in(data, event).startswith(own)}


def _strokes(data: bytes, events: Sequence[splice.Event], gone: Sequence[RawNote]) -> set[int]:
    """The numbers of those that strike and release these notes.

    A note that is written twice goes twice; one that only begins like it is another voice's, if it has any length.
    """
    alike: dict[_Begin, list[tuple[int, tuple[int, ...]]]] = {}
    for note, numbers in splice.notes(data, events) if gone else ():
        alike.setdefault(_begin(note), []).append((note.end, numbers))
    out: set[int] = set()
    for note in gone:
        there = alike.get(_begin(note), [])
        if not there:
            raise MidiError(_FAULTY)
        whole = min((end for end, _ in there if end >= note.end), default=max(end for end, _ in there))
        out.update(number for end, numbers in there if end in (note.onset, whole) for number in numbers)
    return out


def _insertions(note: Struck, channel: int) -> list[splice.Insertion]:
    """A note's events: struck after what stands at its tick, let go before."""
    on = bytes((splice.NOTE_ON | channel, note.pitch, note.velocity))
    off = bytes((splice.NOTE_OFF | channel, note.pitch, 0))
    return [splice.Insertion(note.onset, 2, on), splice.Insertion(note.end, 0, off)]
