"""A MIDI file with events of its tracks taken out and put in, and every other byte as it was.

Nothing is decoded that need not be: a track in which nothing changes is copied, with whatever stands between and behind
tracks, and in a changed one every event that stays keeps its tick, its place and its bytes. A status byte is written
out where the event that a running status came from is gone.

The format: The Complete MIDI 1.0 Detailed Specification, "Standard MIDI Files 1.0" (1996).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from melodygru.formats.midi.chunks import BLANK, LONGEST_QUANTITY, MAX_QUANTITY, RawNote
from melodygru.formats.midi.parser import header_at, next_track

HEAD = 8
"""Bytes of a chunk before its contents: its kind and its length."""
NOTE_OFF, NOTE_ON = 0x80, 0x90
_META, _SYSEX, _SYSEX_GOES_ON = 0xFF, 0xF0, 0xF7
_TEXT, _END = 0x01, 0x2F
_OPERANDS = {0xC0: 1, 0xD0: 1}
"""Data bytes of channel messages that have not two, by their status without the channel."""
_SYSTEM_OPERANDS = {0xF1: 1, 0xF2: 2, 0xF3: 1}
"""The same of system messages, which do not belong in files; others have none."""
_MAC_BINARY, _FORK_SIZE = 128, slice(83, 87)
"""Bytes of the head that old Macintosh files have before them, and where in it the file's own size stands."""


class Event(NamedTuple):
    """One event of a track, where it stands in the file's bytes.

    Its delta time is [begin, body), all else [body, end). `status` is 0 for data without any, and the one that runs on
    where the event has none of its own (`running`); `tick` counts from the track's beginning, `delta` from the event
    before.
    """

    begin: int
    body: int
    end: int
    tick: int
    delta: int
    status: int
    running: bool


class Insertion(NamedTuple):
    """An event to put in, with its status: before what stands at its tick (`rank` 0), or behind it (2)."""

    tick: int
    rank: int
    data: bytes


def unwrapped(data: bytes) -> bytes:
    """The MIDI file within a RIFF file or behind a Macintosh head; other bytes as they are."""
    start = header_at(data)
    if data[:4] == b"RIFF":
        if start >= 8 and data[start - 8 : start - 4] == b"data":
            return data[start : start + int.from_bytes(data[start - 4 : start], "little")]
        return data[max(start, 0) :]
    if start == _MAC_BINARY and (size := int.from_bytes(data[_FORK_SIZE], "big")) > 14:
        return data[start : start + size]
    return data[max(start, 0) :]


def tracks(data: bytes) -> list[tuple[int, int]]:
    """Where the tracks' chunks lie in a plain MIDI file, each [begin, end) from its "MTrk" on.

    A length that is wrong is not believed: such a chunk ends with its end of track, else where the next one begins.
    """
    found = []
    position = next_track(data, max(data.find(b"MThd"), 0))
    while position >= 0:
        begin = position + HEAD
        end = begin + int.from_bytes(data[position + 4 : begin], "big")
        if end != len(data) and not _is_chunk(data, end):
            following = data.find(b"MTrk", begin)
            limit = len(data) if following < 0 else following
            end = next((event.end for event in events(data, begin, limit) if _is(data, event, _END)), limit)
        found.append((position, end))
        position = next_track(data, end)
    return found


def _is_chunk(data: bytes, at: int) -> bool:
    kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + HEAD], "big")
    return len(kind) == 4 and all(0x20 <= byte < 0x7F for byte in kind) and at + HEAD + size <= len(data)


def events(data: bytes, begin: int, end: int) -> Iterator[Event]:
    """The events of a track's bytes [begin, end), up to the last that is whole."""
    position, tick, running = begin, 0, 0
    try:
        while position < end:
            start = position
            delta, position = _number(data, position)
            tick += delta
            body, first = position, data[position]
            status = first if first >= 0x80 else running
            position += first >= 0x80
            if 0x80 <= status < _SYSEX:
                running = status
                position += _OPERANDS.get(status & 0xF0, 2)
            elif status in (_META, _SYSEX, _SYSEX_GOES_ON):
                size, position = _number(data, position + (status == _META))
                position += size
            else:
                position += _SYSTEM_OPERANDS.get(status, 0) if status else 1
            if position > end:
                return
            yield Event(start, body, position, tick, delta, status, bool(status) and first < 0x80)
    except IndexError:
        return


def _number(data: bytes, position: int) -> tuple[int, int]:
    """A number of variable length at a place, and the place behind it, as `melodygru.formats.midi.chunks` reads it.

    Raises IndexError where the data ends, or where it has more bytes than any broken one of real files.
    """
    value, last = 0, position + LONGEST_QUANTITY
    while data[position] & 0x80:
        value = min(value << 7 | data[position] & 0x7F, MAX_QUANTITY)
        position += 1
        if position > last:
            raise IndexError
    return min(value << 7 | data[position], MAX_QUANTITY), position + 1


def number_bytes(value: int) -> bytes:
    """A number, at least 0, as bytes of variable length."""
    found = [value & 0x7F]
    while value := value >> 7:
        found.append(value & 0x7F | 0x80)
    return bytes(reversed(found))


def text_event(text: str) -> bytes:
    """A text event, in UTF-8."""
    payload = text.encode()
    return bytes((_META, _TEXT)) + number_bytes(len(payload)) + payload


def text_in(data: bytes, event: Event) -> bytes:
    """What a text event says; nothing for all other events."""
    if not _is(data, event, _TEXT):
        return b""
    size, at = _number(data, event.body + 2)
    return data[at : at + size].strip(BLANK.encode())


def _is(data: bytes, event: Event, kind: int) -> bool:
    """Whether it is a meta event of that kind."""
    return event.status == _META and data[event.body + 1] == kind


def notes(data: bytes, read: Sequence[Event]) -> Iterator[tuple[RawNote, tuple[int, ...]]]:
    """The notes of events as read, and the numbers of the events that strike and release each, as
    `melodygru.formats.midi.chunks` pairs them: first in, first out. One that is never released lasts to the last event.
    """
    sounding: dict[tuple[int, int], deque[tuple[int, int, int]]] = {}
    for number, event in enumerate(read):
        if event.status & 0xE0 != NOTE_OFF:
            continue
        at = event.body if event.running else event.body + 1
        pitch, velocity = (min(127, byte) for byte in data[at : at + 2])
        waiting = sounding.setdefault((event.status & 0x0F, pitch), deque())
        if event.status >= NOTE_ON and velocity:
            waiting.append((event.tick, velocity, number))
        elif waiting:
            onset, struck, begins = waiting.popleft()
            yield RawNote(onset, event.tick, pitch, struck, event.status & 0x0F), (begins, number)
    for (channel, pitch), waiting in sounding.items():
        for onset, struck, begins in waiting:
            yield RawNote(onset, read[-1].tick, pitch, struck, channel), (begins,)


def respliced(
    data: bytes, chunk: tuple[int, int], read: Sequence[Event], out: Collection[int], put: Sequence[Insertion]
) -> bytes:
    """A track's chunk without the events whose numbers are in `out`, and with those of `put`, its length put right.

    `read` are all its events. What is put in stands before the last end of track, which moves back if it must.
    """
    made = _Track(data)
    waiting = deque(sorted(put, key=lambda one: one[:2]))
    last = max((number for number, event in enumerate(read) if _is(data, event, _END)), default=-1)
    for number, event in enumerate(read):
        while waiting and (number == last or waiting[0][:2] < (event.tick, 1)):
            made.insert(waiting.popleft())
        if number in out:
            made.changed = True
        else:
            made.keep(event)
    for one in waiting:
        made.insert(one)
    body = bytes(made.bytes) + data[read[-1].end if read else chunk[0] + HEAD : chunk[1]]
    return data[chunk[0] : chunk[0] + 4] + len(body).to_bytes(4, "big") + body


class _Track:
    """The bytes of a track that is being made."""

    def __init__(self, data: bytes):
        self.bytes = bytearray()
        self.changed = False
        self._data, self._tick = data, 0
        # By the letter any event that is not a channel's ends a running status; files and readers disagree on that. So
        # one goes on for what stood there so, and begins anew for what is put in.
        self._running = self._strict = 0

    def keep(self, event: Event) -> None:
        """An event as it stands, but for its delta time and status where what comes before it is another."""
        delta = max(0, event.tick - self._tick)
        self.bytes += self._data[event.begin : event.body] if delta == event.delta else number_bytes(delta)
        self._tick += delta
        is_channels = NOTE_OFF <= event.status < _SYSEX
        if event.running and self._running != event.status:
            self.bytes.append(event.status)
        known = self.changed and is_channels and not event.running and event.status == self._strict
        self.bytes += self._data[event.body + known : event.end]
        self._running = event.status if is_channels else self._running
        self._strict = event.status if is_channels else 0
        self.changed = False

    def insert(self, one: Insertion) -> None:
        """An event that did not stand there."""
        status = one.data[0] if one.data[0] < _SYSEX else 0
        self.bytes += number_bytes(max(0, one.tick - self._tick))
        self.bytes += one.data[1:] if status and status == self._strict else one.data
        self._tick = max(self._tick, one.tick)
        self._running = self._strict = status
        self.changed = True
