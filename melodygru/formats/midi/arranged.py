"""Tracks of an accompaniment in MIDI files: known again, put in place of earlier ones, written as files of their own.

Each of ours says so in a text event, "@Iaccompaniment " and a JSON object: its part. All other tracks stay byte for
byte, but for the texts that say how the file was made, and which chords it has.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from melodygru.errors import MidiError
from melodygru.formats.midi import splice
from melodygru.formats.midi.chord_text import CHORDS_TEXT, chords_of_texts
from melodygru.formats.midi.chunks import INFORMATION, OWN_TEXT
from melodygru.music.chords import ChordSpan

_ACCOMPANIMENT = f"{INFORMATION}accompaniment "
HEADER = 14
"""Bytes of the header's chunk."""
_MARKER, _NAME = 0x06, 0x03
MELODY = "melody"
"""What the file of all that is not ours is called, among those of `split`."""
_MOST_TRACKS = 0xFFFF
_ENDLESS = 1 << 40
"""Steps; longer than any melody."""


def accompaniment_text(part: str) -> str:
    """The text event of a track of an accompaniment."""
    return _ACCOMPANIMENT + json.dumps({"part": part}, separators=(",", ":"))


def changes_of(chords: Sequence[ChordSpan]) -> list[list[int | str]]:
    """Spans as JSON values: [step, symbol] where a chord begins, "N.C." where there is none."""
    found: list[list[int | str]] = []
    end = chords[0].onset if chords else 0
    for span in chords:
        if span.onset > end:
            found.append([end, "N.C."])
        found.append([span.onset, span.chord.symbol if span.chord else "N.C."])
        end = span.end
    return found


def own_tracks(data: bytes) -> dict[int, str]:
    """The tracks of a plain MIDI file that are of an accompaniment of ours: number from 0 -> part."""
    return {
        number: part
        for number, chunk in enumerate(splice.tracks(data))
        if data.find(_ACCOMPANIMENT.encode(), *chunk) >= 0 and (part := _part(data, chunk))
    }


def _part(data: bytes, chunk: tuple[int, int]) -> str:
    for event in splice.events(data, chunk[0] + splice.HEAD, chunk[1]):
        text = splice.text_in(data, event)
        if text.startswith(_ACCOMPANIMENT.encode()):
            try:
                return str(json.loads(text[len(_ACCOMPANIMENT) :].decode())["part"])
            except (ValueError, KeyError, TypeError, RecursionError):
                return ""
    return ""


def arranged(data: bytes, tracks: Sequence[bytes], text: str, names: Sequence[str] = ()) -> bytes:
    """A MIDI file with these tracks in place of all that earlier accompaniments of ours put there.

    Args:
        data: the file; what wraps it (RIFF, an old Macintosh's head) goes.
        tracks: chunks, at least one, each from its "MTrk" on.
        text: how the file is made: in place of what says so, else in the first of the new tracks.
        names: of tracks that are ours without saying so.

    Raises:
        MidiError: a file of too many tracks, or with none; its message lacks the file's name.
    """
    data = splice.unwrapped(data)
    chunks, ours = splice.tracks(data), own_tracks(data)
    own, symbols = (OWN_TEXT.encode(), CHORDS_TEXT.encode()), _symbols(data, chunks)
    kept: list[bytes] = []
    told = False
    for number, chunk in enumerate(chunks):
        if number in ours:
            continue
        read: list[splice.Event] = []
        if names or any(data.find(one, *chunk) >= 0 for one in own):
            read = list(splice.events(data, chunk[0] + splice.HEAD, chunk[1]))
        if any(_meta(data, event, _NAME).decode("utf-8", "replace") in names for event in read):
            continue
        out = {place for place, event in enumerate(read) if splice.text_in(data, event).startswith(own)}
        if not out:
            kept.append(data[chunk[0] : chunk[1]])
            continue
        if not any(splice.NOTE_OFF <= event.status < 0xA0 for event in read):  # the track of what holds for all
            out |= {place for place, event in enumerate(read) if _meta(data, event, _MARKER) in symbols}
        ours_here = any(splice.text_in(data, read[place]).startswith(own[0]) for place in out)
        put = [splice.Insertion(0, -1, splice.text_event(text))] if ours_here and not told else []
        told = told or ours_here
        kept.append(splice.respliced(data, chunk, read, out, put))
    if not kept or len(kept) + len(tracks) > _MOST_TRACKS:
        raise MidiError("has no tracks to play around, or too many; export it again.")
    new = list(tracks)
    if not told:
        chunk = (0, len(new[0]))
        events = list(splice.events(new[0], splice.HEAD, len(new[0])))
        new[0] = splice.respliced(new[0], chunk, events, (), [splice.Insertion(0, -1, splice.text_event(text))])
    return _file(data, [*kept, *new])


def _symbols(data: bytes, chunks: Sequence[tuple[int, int]]) -> set[bytes]:
    """The chord symbols that the file says it has, which markers name."""
    found = {b"N.C."}
    for begin, end in chunks:
        if data.find(CHORDS_TEXT.encode(), begin, end) < 0:
            continue
        texts = [splice.text_in(data, event) for event in splice.events(data, begin + splice.HEAD, end)]
        told = chords_of_texts([text.decode("utf-8", "replace") for text in texts], _ENDLESS)
        found |= {span.chord.symbol.encode() for span in told if span.chord is not None}
    return found


def _meta(data: bytes, event: splice.Event, kind: int) -> bytes:
    """The text of a meta event of that kind; nothing for all others."""
    if event.status != 0xFF or data[event.body + 1] != kind:
        return b""
    at = event.body + 2
    while data[at] & 0x80:
        at += 1
    return data[at + 1 : event.end]


def _file(data: bytes, chunks: Sequence[bytes]) -> bytes:
    """A file of format 1 of these tracks, with the resolution of another."""
    head = max(data.find(b"MThd"), 0)
    division = data[head + 12 : head + HEADER]
    return b"MThd\0\0\0\6\0\1" + len(chunks).to_bytes(2, "big") + division + b"".join(chunks)


def split(data: bytes) -> dict[str, bytes]:
    """A plain MIDI file as one file for each part of its accompaniment, and before them "melody" for all else.

    Files of parts have one track (format 0), with tempo, metre and key, and what says how the file was made.
    """
    chunks, ours = splice.tracks(data), own_tracks(data)
    rest = [data[begin:end] for number, (begin, end) in enumerate(chunks) if number not in ours]
    found = {MELODY: _file(data, rest)}
    for number, part in ours.items():
        found[part] = _alone(data, number, ours)
    return found


_OF_ALL = {0x51, 0x54, 0x58, 0x59}
"""Tempo, SMPTE offset, metre and key: meta events that hold for all tracks."""


def _alone(data: bytes, number: int, ours: dict[int, str]) -> bytes:
    chunks = splice.tracks(data)
    put = []
    for other, chunk in enumerate(chunks):
        if other == number:
            continue
        for event in splice.events(data, chunk[0] + splice.HEAD, chunk[1]):
            own = splice.text_in(data, event).startswith((OWN_TEXT.encode(), CHORDS_TEXT.encode()))
            in_words = other not in ours and splice.text_in(data, event).startswith(f"{INFORMATION}key: ".encode())
            if own or in_words or (event.status == 0xFF and data[event.body + 1] in _OF_ALL):
                put.append(splice.Insertion(event.tick, -1, data[event.body : event.end]))
    chunk = chunks[number]
    read = list(splice.events(data, chunk[0] + splice.HEAD, chunk[1]))
    track = splice.respliced(data, chunk, read, (), put)
    single = _file(data, [track])
    return single[:9] + b"\0" + single[10:]
