"""The inside of a MIDI track chunk: bytes -> notes and meta events, in ticks.

Files in the wild are often faulty in ways that leave the notes whole: an impossible key signature, data bytes over 127,
a track that breaks off. Those are named in `FileEvents.faults` and read past. `melodygru.formats.midi.parser` reads
whole files with this.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from melodygru.errors import UsageError
from melodygru.music.theory import Key

INFORMATION = "@I"
"""Begins a text event that is no lyric, by the convention of karaoke files: MuseScore sings all others."""
OWN_TEXT = f"{INFORMATION}melodygru "
"""What the text event begins with in which a file of ours says how it was made."""
KEY_IN_WORDS = b"key: "
"""Begins, perhaps after `INFORMATION`, a text event such as "key: D dorian": a key signature knows two modes only."""
BLANK = "\0 \t\r\n"
"""Characters that are no part of a text where they stand at its ends."""
PERCUSSION = 9
"""General MIDI's channel 10, counted from 0."""


class RawNote(NamedTuple):
    """One note of a file: sounds in the half-open range of ticks [onset, end); pitch and velocity in [0, 128)."""

    onset: int
    end: int
    pitch: int
    velocity: int
    channel: int  # 0..15; `PERCUSSION` is one


@dataclass
class FileEvents:
    """What the tracks of one file say about the whole file, gathered while reading."""

    tempi: list[tuple[int, int]] = field(default_factory=list)
    time_signatures: list[tuple[int, int, int]] = field(default_factory=list)
    key_signatures: list[tuple[int, int, bool]] = field(default_factory=list)
    key_in_words: Key | None = None
    texts: list[str] = field(default_factory=list)
    faults: dict[str, None] = field(default_factory=dict)  # an ordered set

    def add_meta(self, tick: int, kind: int, payload: bytes) -> None:
        """Take in one meta event; those that are no text and say nothing of tempo, metre or key pass by."""
        if kind == 0x01:
            self.texts.append(text_of(payload))
        words = payload.removeprefix(INFORMATION.encode())
        if kind == 0x01 and words.startswith(KEY_IN_WORDS):
            try:
                self.key_in_words = Key.parse(text_of(words[len(KEY_IN_WORDS) :]))
            except UsageError:
                self.faults["an impossible key in words"] = None
        elif kind == 0x51 and len(payload) >= 3:
            self.tempi.append((tick, int.from_bytes(payload[:3], "big")))
        elif kind == 0x58 and len(payload) >= 2:
            self.time_signatures.append((tick, payload[0], 1 << min(payload[1], 8)))
        elif kind == 0x59:
            fifths = int.from_bytes(payload[:1], "big", signed=True)
            if len(payload) >= 2 and -7 <= fifths <= 7 and payload[1] <= 1:
                self.key_signatures.append((tick, fifths, payload[1] == 1))
            else:
                self.faults["an impossible key signature"] = None


def read_track(data: bytes, events: FileEvents) -> tuple[str, list[RawNote], int | None]:
    """One track chunk's name, notes, and the bytes it used up to its end-of-track (None: it has none)."""
    name, notes = "", []
    # First in, first out: where a key is struck again before it is let go, the first release ends the first note.
    sounding: dict[int, deque[tuple[int, int]]] = {}
    position = tick = status = 0
    used: int | None = None
    size = len(data)
    try:
        while position < size:
            value = data[position] & 0x7F
            while data[position] & 0x80:
                position += 1
                value = value << 7 | data[position] & 0x7F
            tick += value
            position += 1
            if data[position] >= 0x80:
                status = data[position] if data[position] < 0xF0 else status
                event = data[position]
                position += 1
            else:
                event = status
            if event in (0xFF, 0xF0, 0xF7):
                kind = data[position] if event == 0xFF else 0
                position += event == 0xFF
                length = data[position] & 0x7F
                while data[position] & 0x80:
                    position += 1
                    length = length << 7 | data[position] & 0x7F
                payload = data[position + 1 : position + 1 + length]
                position += 1 + length
                if event == 0xFF and kind == 0x2F:
                    used = min(position, size)
                    break
                if event == 0xFF and kind == 0x03 and not name:
                    name = text_of(payload)
                elif event == 0xFF:
                    events.add_meta(tick, kind, payload)
            elif event >= 0xF0:
                position += {0xF1: 1, 0xF2: 2, 0xF3: 1}.get(event, 0)
            elif event < 0x80:
                events.faults["data without a status"] = None
                position += 1
            elif 0xC0 <= event < 0xE0:
                position += 1
            else:
                if event < 0xA0:
                    pitch, velocity = data[position], data[position + 1]
                    if pitch > 127 or velocity > 127:
                        events.faults["data bytes over 127"] = None
                        pitch, velocity = min(pitch, 127), min(velocity, 127)
                    voice = (event & 0x0F) << 7 | pitch
                    if event >= 0x90 and velocity:
                        sounding.setdefault(voice, deque()).append((tick, velocity))
                    elif sounding.get(voice):
                        onset, struck = sounding[voice].popleft()
                        notes.append(RawNote(onset, tick, pitch, struck, event & 0x0F))
                position += 2
    except IndexError:
        pass  # the data ends within an event: what came before it stands
    for voice, waiting in sounding.items():
        if waiting:
            events.faults["notes never released"] = None
        notes += [RawNote(onset, tick, voice & 0x7F, velocity, voice >> 7) for onset, velocity in waiting]
    return name, notes, used


def text_of(payload: bytes) -> str:
    """Text of a meta event: UTF-8 where it is, else Latin-1, which every byte string is."""
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError:
        text = payload.decode("latin-1")
    return text.strip(BLANK)
