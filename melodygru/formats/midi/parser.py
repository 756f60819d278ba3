"""Bytes of a MIDI file -> what it says, exactly: integer ticks, as they stand in the file.

`read_midi` gives a `RawFile`: every track's notes, and the file's tempi, metres and key signatures, in ticks. The
inside of a track is `melodygru.formats.midi.chunks`'s affair; what is wrong around it (a track without its end or with
a wrong length) is named in `RawFile.faults` too, and read past. `melodygru.formats.midi.writer` goes the other way.

The format: The Complete MIDI 1.0 Detailed Specification, "Standard MIDI Files 1.0" (1996).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import field
from os import PathLike

from melodygru.errors import FileError, MidiError
from melodygru.formats.midi.chunks import UNRELEASED, FileEvents, RawNote, read_track
from melodygru.music.theory import Key
from melodygru.records import dataclass

MAX_FILE_BYTES = 32 * 1024 * 1024
"""Larger files are refused: the largest real ones have a few megabytes."""
MAX_QUARTERS = 100_000
"""Quarters until the last note begins. At 120 a minute that is almost 14 hours: no piece comes near."""
MAX_SECONDS = 24 * 3600
"""The same, in seconds."""
LONGEST_NOTE = 512
"""Quarters; a note that sounds longer was never let go. The longest pedal point of an opera has some 400."""
USUAL_TEMPO = 500_000
"""Microseconds a quarter until a file says otherwise."""
_END = b"\xff\x2f\0"
"""The end-of-track event."""


@dataclass(frozen=True)
class RawTrack:
    """A track chunk.

    Attributes:
        number: counts from 1, as DAWs do.
        name: of the track, else of its instrument; may be empty.
        notes: by onset, then end, then pitch.
        programs: the General MIDI program, in [0, 128), that each channel begins with, where one is told.
        lyrics: how many lyric events it has.
        end: the tick at which it ends.
    """

    number: int
    name: str
    notes: tuple[RawNote, ...]
    programs: Mapping[int, int] = field(default_factory=dict)
    lyrics: int = 0
    end: int = 0


@dataclass(frozen=True)
class RawFile:
    """What a file says, in ticks, `ticks_per_quarter` to a quarter note.

    Attributes:
        tracks: in file order, those without notes too.
        tempi: (tick, microseconds a quarter), by tick.
        time_signatures: (tick, numerator, denominator), by tick; whatever the file says, 0/1 and 1/4 included.
        key_signatures: (tick, sharps in [-7, 7], is minor), by tick; impossible ones are left out and named in faults.
        key_in_words: what a text event "key: D dorian" says, if there is one.
        texts: all text events, that one too, as they follow one another in the file.
        faults: what was wrong with the file and could be read past.
    """

    ticks_per_quarter: int
    tracks: tuple[RawTrack, ...]
    tempi: tuple[tuple[int, int], ...]
    time_signatures: tuple[tuple[int, int, int], ...]
    key_signatures: tuple[tuple[int, int, bool], ...]
    key_in_words: Key | None
    texts: tuple[str, ...]
    faults: tuple[str, ...]


def read_midi(path: str | PathLike[str]) -> RawFile:
    """Read a MIDI file (.mid, .midi, .kar, or RIFF-wrapped .rmi).

    Raises FileError when it cannot be opened, MidiError when it is empty, over `MAX_FILE_BYTES`, not MIDI or cut short,
    keeps its time in SMPTE frames or in no ticks at all, or exceeds `melodygru.formats.midi.chunks.MAX_EVENTS`,
    `MAX_QUARTERS` or `MAX_SECONDS`.
    """
    data = read_bytes(path)
    try:
        return parse_midi(data)
    except MidiError as error:
        raise MidiError(f"{os.fspath(path)} {error}") from None


def read_bytes(path: str | PathLike[str]) -> bytes:
    """A file's bytes, one more than `MAX_FILE_BYTES` at most. Raises FileError when it cannot be opened."""
    try:
        with open(path, "rb") as file:
            # What has no size is no plain file. Python makes room for all that it is asked to read.
            size = os.fstat(file.fileno()).st_size or MAX_FILE_BYTES
            return file.read(min(size, MAX_FILE_BYTES) + 1)
    except OSError as error:
        reason = error.strerror or error
        raise FileError(f"{os.fspath(path)} cannot be read ({reason}); check the path and its permissions.") from error


def parse_midi(data: bytes) -> RawFile:
    """Read a MIDI file's bytes. Raises MidiError; its message lacks the file's name ("is not a MIDI file; ...")."""
    if len(data) > MAX_FILE_BYTES:
        raise MidiError(f"is over {MAX_FILE_BYTES >> 20} MiB, too large for a MIDI file; leave it out.")
    if not data:
        raise MidiError("is empty (0 bytes); export it again.")
    start = header_at(data)
    if start < 0:
        raise MidiError("is not a MIDI file: it does not begin with a MIDI header.")
    if len(data) < start + 14:
        raise MidiError("is cut short: its header is incomplete; export it again.")
    division = int.from_bytes(data[start + 12 : start + 14], "big")
    if division & 0x8000:
        raise MidiError("keeps its time in SMPTE frames, which have no beats; export it with ticks per quarter note.")
    if division == 0:
        raise MidiError("has 0 ticks to a quarter note, so its notes have no time; export it again.")
    events = FileEvents(division)
    tracks = _tracks(data, start, int.from_bytes(data[start + 10 : start + 12], "big"), events)
    if not tracks:
        raise MidiError("is cut short: it has a header but no track; export it again.")
    raw = RawFile(
        division,
        tuple(tracks),
        tuple(sorted(events.tempi)),
        tuple(sorted(events.time_signatures, key=lambda entry: entry[0])),
        tuple(sorted(events.key_signatures, key=lambda entry: entry[0])),
        events.key_in_words,
        tuple(events.texts),
        tuple(events.faults),
    )
    _check_length(raw)
    return raw


def header_at(data: bytes) -> int:
    """Where the header is, -1: nowhere. RIFF files wrap the file in a chunk, Macintosh ones put 128 bytes before it."""
    if data[:4] == b"RIFF":
        position = 12
        while (kind := data[position : position + 4]) != b"data" and kind.strip().isalnum():
            size = int.from_bytes(data[position + 4 : position + 8], "little")
            position += 8 + size + size % 2
        if data[position + 8 : position + 12] == b"MThd":
            return position + 8
    return data.find(b"MThd", 0, 4096 if data[:4] == b"RIFF" or data[:1] == b"\0" else 4)


def _check_length(raw: RawFile) -> None:
    """Raise MidiError where the last note begins later than in any piece, as after one broken byte of time."""
    last = max((track.notes[-1].onset for track in raw.tracks if track.notes), default=0)
    if last > MAX_QUARTERS * raw.ticks_per_quarter:
        quarters = last // raw.ticks_per_quarter
        raise MidiError(f"lasts {quarters:,} quarter notes, more than the {MAX_QUARTERS:,} of any piece; leave it out.")
    seconds, before, tempo = 0.0, 0, USUAL_TEMPO
    for tick, following in (*raw.tempi, (last, 0)):
        seconds += (min(tick, last) - before) * tempo / raw.ticks_per_quarter / 1e6
        before, tempo = min(tick, last), following
    if seconds > MAX_SECONDS:
        raise MidiError(
            f"lasts {seconds / 3600:,.0f} hours, more than the {MAX_SECONDS // 3600} of any piece; leave it out."
        )


def _tracks(data: bytes, position: int, announced: int, events: FileEvents) -> list[RawTrack]:
    """The tracks from the chunk at `position` on. Of what follows those that the header announces, whole ones count."""
    tracks: list[RawTrack] = []
    position = ended = next_track(data, position)
    while position >= 0:
        begin = position + 8
        declared = begin + int.from_bytes(data[position + 4 : begin], "big")
        following = data.find(b"MTrk", begin)
        limit = len(data) if following < 0 else following
        # Where the length is right, it bounds the track; otherwise the next track's header does, or the end of file.
        right = (
            declared == len(data) or data[declared : declared + 4] == b"MTrk" or data[declared - 3 : declared] == _END
        )
        right = right and declared <= len(data)
        limit = declared if right else len(data) if following < 0 else following
        if len(tracks) >= announced > 0 and not (right and position == ended):
            events.faults["bytes after the last track"] = None
            break
        track = read_track(data[begin:limit], events, right)
        if track.used is None and declared > len(data) and following < 0:
            raise MidiError("is cut short in the middle of a track; export it again.")
        if track.used is None:
            events.faults["no end of track"] = None
        used = limit - begin if track.used is None or right else track.used
        if begin + used != declared:
            events.faults["a wrong track length"] = None
        ended = begin + used
        notes = tuple(sorted(_let_go(track.notes, events)))
        tracks.append(RawTrack(len(tracks) + 1, track.name, notes, track.programs, track.lyrics, track.end))
        position = next_track(data, ended)
    return tracks


def next_track(data: bytes, position: int) -> int:
    """Where the next track's chunk begins; -1: nowhere. Other chunks are passed by, whatever they hold."""
    while data[position : position + 4] != b"MTrk":
        end = position + 8 + int.from_bytes(data[position + 4 : position + 8], "big")
        if not data[position : position + 4].isalpha() or end > len(data):
            return data.find(b"MTrk", position)
        position = end
    return position


def _let_go(notes: list[RawNote], events: FileEvents) -> list[RawNote]:
    """The notes, those that sound longer than any does cut as if they were never let go."""
    longest = LONGEST_NOTE * events.ticks_per_quarter
    if all(note[1] - note[0] <= longest for note in notes):
        return notes
    events.faults["a note longer than any"] = None
    short = UNRELEASED * events.ticks_per_quarter
    return [note if note.end - note.onset <= longest else note._replace(end=note.onset + short) for note in notes]
