"""The inside of a MIDI track chunk: bytes -> notes and meta events, in ticks.

Files in the wild are often faulty in ways that leave the notes whole: an impossible key signature, data bytes over 127,
a track that breaks off. Those are named in `FileEvents.faults` and read past. `melodygru.formats.midi.parser` reads
whole files with this.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import deque
from dataclasses import field
from typing import NamedTuple

from melodygru.errors import MidiError, UsageError
from melodygru.music.theory import Key
from melodygru.records import dataclass

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
MAX_EVENTS = 1_000_000
"""Files of more are refused. An opera act has some 200,000; what has more was made to stall players."""
MAX_QUANTITY = 0x0FFFFFFF
"""The largest variable-length quantity that four bytes hold, which is all that the format allows."""
LONGEST_QUANTITY = 64
"""Bytes; broken files have up to twelve."""
UNRELEASED = 4
"""Quarters that a note sounds at most which is never let go."""


class RawNote(NamedTuple):
    """One note of a file: sounds in the half-open range of ticks [onset, end); pitch and velocity in [0, 128)."""

    onset: int
    end: int
    pitch: int
    velocity: int
    channel: int  # 0..15; `PERCUSSION` is one


@dataclass
class FileEvents:
    """What the tracks of one file say about the whole file, gathered while reading. `left`: events that it may have."""

    ticks_per_quarter: int = 480
    left: int = field(default_factory=lambda: MAX_EVENTS)
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
                self.key_in_words = Key.parse(text_of(words[len(KEY_IN_WORDS) :]), as_written=True)
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


@dataclass(frozen=True)
class TrackEvents:
    """What one track chunk holds.

    Attributes:
        name: its sequence or track name (FF 03), else its instrument name (FF 04), else empty.
        notes: in order of their ends.
        programs: the General MIDI program, in [0, 128), of each channel that is told one here: the one in force at the
            channel's first note, else the first.
        lyrics: how many lyric events (FF 05) it has.
        end: the tick at which it ends.
        used: bytes up to and with its end-of-track event; None where it has none.
    """

    name: str
    notes: list[RawNote]
    programs: dict[int, int]
    lyrics: int
    end: int
    used: int | None


def read_track(data: bytes, events: FileEvents, whole: bool = True) -> TrackEvents:
    """One track chunk's inside. `whole`: its length is known, so that all of `data` is its own.

    Raises MidiError for a file of more than `MAX_EVENTS`; its message lacks the file's name.
    """
    names: dict[int, str] = {}
    notes: list[RawNote] = []
    programs: list[tuple[int, int, int]] = []
    # First in, first out: where a key is struck again before it is let go, the first release ends the first note.
    sounding: dict[int, deque[tuple[int, int]]] = {}
    position = tick = status = lyrics = 0
    used: int | None = None
    size, left = len(data), events.left
    try:
        while position < size:
            left -= 1
            if left < 0:
                raise MidiError(f"has over {MAX_EVENTS:,} events, more than any piece has; leave it out.")
            value = data[position] & 0x7F
            if data[position] & 0x80:
                value, position = _quantity(data, position, events)
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
                length, position = _quantity(data, position, events)
                payload = data[position + 1 : position + 1 + length]
                position += 1 + length
                if event == 0xFF and kind == 0x2F:
                    used = min(position, size)
                    if not whole or not any(data[used:]):
                        break
                    # Some converters write it after the header's events, and all notes after it.
                    events.faults["an early end of track"] = None
                    status = 0
                elif event == 0xFF and kind in (0x03, 0x04):
                    names[kind] = names.get(kind) or text_of(payload)
                elif event == 0xFF:
                    lyrics += kind == 0x05
                    events.add_meta(tick, kind, payload)
            elif event >= 0xF0:
                position += {0xF1: 1, 0xF2: 2, 0xF3: 1}.get(event, 0)
            elif event < 0x80:
                if used is not None:
                    break  # not music that goes on after an early end, but rubbish
                events.faults["data without a status"] = None
                position += 1
            elif 0xC0 <= event < 0xE0:
                if event < 0xD0:
                    programs.append((tick, event & 0x0F, data[position] & 0x7F))
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
    events.left = left
    stuck = {voice: waiting for voice, waiting in sounding.items() if waiting}
    if stuck:
        events.faults["notes never released"] = None
        notes = _released(notes, stuck, tick, events.ticks_per_quarter)
    return TrackEvents(names.get(0x03) or names.get(0x04, ""), notes, _programs(programs, notes), lyrics, tick, used)


def _quantity(data: bytes, position: int, events: FileEvents) -> tuple[int, int]:
    """A variable-length quantity that begins at `position`, at most `MAX_QUANTITY`, and where its last byte is.

    Raises IndexError where the data ends within it, or it has more bytes than any broken one of real files.
    """
    begin, value = position, data[position] & 0x7F
    while data[position] & 0x80:
        position += 1
        value = min(value << 7 | data[position] & 0x7F, MAX_QUANTITY)
        if position - begin > LONGEST_QUANTITY:
            raise IndexError
    if position - begin > 3:
        events.faults["a quantity of more than four bytes"] = None
    return value, position


def _released(
    notes: list[RawNote], stuck: dict[int, deque[tuple[int, int]]], last: int, ticks_per_quarter: int
) -> list[RawNote]:
    """A track's notes, with those of keys that lack a release paired anew.

    Such a key's first release belongs to its latest stroke. A note without one ends where its channel strikes next,
    `UNRELEASED` later or at the track's end, whichever comes first.
    """
    paired = [note for note in notes if note.channel << 7 | note.pitch not in stuck]
    strokes: dict[int, list[tuple[int, int]]] = {voice: [] for voice in stuck}
    releases: dict[int, list[int]] = {voice: [] for voice in stuck}
    for note in notes:
        voice = note.channel << 7 | note.pitch
        if voice in stuck:
            strokes[voice].append((note.onset, note.velocity))
            releases[voice].append(note.end)
    onsets: dict[int, list[int]] = {voice >> 7: [] for voice in stuck}
    for note in notes:
        if note.channel in onsets:
            onsets[note.channel].append(note.onset)
    for voice, waiting in stuck.items():
        strokes[voice] += waiting
        onsets[voice >> 7] += [onset for onset, _ in waiting]
    for struck in onsets.values():
        struck.sort()
    for voice, struck_at in strokes.items():
        channel = voice >> 7
        times = [onset for onset, _ in struck_at]
        for number, (onset, velocity) in enumerate(struck_at):
            again = times[number + 1] if number + 1 < len(times) else last + 1
            place = bisect_left(releases[voice], onset + 1)
            if place < len(releases[voice]) and releases[voice][place] <= again:
                end = releases[voice][place]
            else:
                place = bisect_right(onsets[channel], onset)
                following = onsets[channel][place] if place < len(onsets[channel]) else last
                end = max(onset, min(following, last, onset + UNRELEASED * ticks_per_quarter))
            paired.append(RawNote(onset, end, voice & 0x7F, velocity, channel))
    return paired


def _programs(changes: list[tuple[int, int, int]], notes: list[RawNote]) -> dict[int, int]:
    """By channel, of program changes (tick, channel, program): the last up to its first note, else the first."""
    begins: dict[int, int] = {}
    if len(changes) == len({channel for _, channel, _ in changes}):
        return {channel: program for _, channel, program in changes}
    for note in notes:
        begins[note.channel] = min(note.onset, begins.get(note.channel, note.onset))
    found: dict[int, int] = {}
    for tick, channel, program in changes:
        if channel not in found or tick <= begins.get(channel, -1):
            found[channel] = program
    return found


def text_of(payload: bytes) -> str:
    """Text of a meta event: UTF-8 where it is, else Latin-1, which every byte string is."""
    try:
        text = payload.decode("utf-8")
    except UnicodeDecodeError:
        text = payload.decode("latin-1")
    return text.strip(BLANK)
