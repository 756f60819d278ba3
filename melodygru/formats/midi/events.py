"""Events, tracks and files of MIDI as bytes: what `melodygru.formats.midi.writer` writes them with.

Importing mido takes a fifth as long as NumPy, most of it to find out its own version; what a melody needs of the format
fits here. Tests compare every byte with mido's.

The format: The Complete MIDI 1.0 Detailed Specification, "Standard MIDI Files 1.0" (1996).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from melodygru.music.theory import Key

Event = tuple[int, bytes]
"""A tick, and the bytes of what happens then, without the time that has passed."""
TEXT, TRACK_NAME, MARKER = 0x01, 0x03, 0x06
"""Kinds of meta events that are texts."""
_END_OF_TRACK, _TEMPO, _METRE, _KEY, _META = 0x2F, 0x51, 0x58, 0x59, 0xFF
_CHANNEL_EVENTS = range(0x80, 0xF0)
_MICROSECONDS = 60_000_000
"""Of a minute: tempos are written as those of a quarter."""
_LONGEST_QUARTER = (1 << 24) - 1


def note_on(channel: int, pitch: int, velocity: int) -> bytes:
    """A key is struck; channels count from 0."""
    return bytes((0x90 | channel, pitch, velocity))


def note_off(channel: int, pitch: int) -> bytes:
    """A key is let go."""
    return bytes((0x80 | channel, pitch, 0))


def program_change(channel: int, program: int) -> bytes:
    """What plays from here on; programs count from 0."""
    return bytes((0xC0 | channel, program))


def words(kind: int, text: str) -> bytes:
    """A text, in UTF-8; what is no text, as in names of files that are none, becomes question marks."""
    return _meta(kind, text.encode(errors="replace"))


def tempo(qpm: float) -> bytes:
    """Quarter notes a minute: at least 3.58, the slowest that the format has, which a slow tune may slow down below."""
    return _meta(_TEMPO, min(round(_MICROSECONDS / qpm), _LONGEST_QUARTER).to_bytes(3, "big"))


def time_signature(numerator: int, denominator: int, clocks: int) -> bytes:
    """A metre, whose metronome clicks every so many clocks, 24 of which are a quarter."""
    return _meta(_METRE, bytes((numerator, denominator.bit_length() - 1, clocks, 8)))


def key_signature(key: Key) -> bytes:
    """A key. MIDI knows major and minor: other modes go by their sharps or flats."""
    return _meta(_KEY, bytes((key.fifths & 0xFF, key.mode == "minor")))


def _meta(kind: int, payload: bytes) -> bytes:
    return bytes((_META, kind)) + quantity(len(payload)) + payload


def quantity(value: int) -> bytes:
    """A number of at least 0 in as many bytes as it takes, seven bits each."""
    found = [value & 0x7F]
    while value := value >> 7:
        found.append(0x80 | value & 0x7F)
    return bytes(reversed(found))


def track(events: Iterable[Event], last: int) -> bytes:
    """A track chunk: events in order of their tick, and its end at tick `last`.

    Where two events of one kind and channel follow each other, the second leaves that out ("running status").
    """
    data, now, status = bytearray(), 0, 0
    for tick, event in (*events, (last, _meta(_END_OF_TRACK, b""))):
        if tick < now:
            raise ValueError(f"an event at tick {tick} comes after tick {now}")
        data += quantity(tick - now)
        data += event[1:] if event[0] == status else event
        status = event[0] if event[0] in _CHANNEL_EVENTS else 0
        now = tick
    return b"MTrk" + len(data).to_bytes(4, "big") + bytes(data)


def file_of(tracks: Sequence[bytes], ppq: int) -> bytes:
    """A file of these track chunks, of format 0 if there is one and 1 if there are more; `ppq` ticks a quarter."""
    header = b"".join(number.to_bytes(2, "big") for number in (int(len(tracks) > 1), len(tracks), ppq))
    return b"MThd" + len(header).to_bytes(4, "big") + header + b"".join(tracks)
