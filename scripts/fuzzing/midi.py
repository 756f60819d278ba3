"""MIDI files: small ones made anew, and changed by event, delta, chunk and header."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

from fuzzing.mutation import change_bytes, change_list, few

_DIVISIONS = (0, 1, 2, 3, 5, 7, 24, 96, 120, 480, 960, 1024, 32767, 32768, 0xE728, 65535)
_NAMES = (b"Melody", b"Bass", b"Drums", b"VOCAL1", b"MELOD\xc3\x8dA", b"\xff\xfe", b"", b"\0", b"\x1b[31m", b"x" * 200)
_TEXTS = (b"key: D dorian", b"@Ikey: H", b"@Imelodygru {}", b"@Lde", b"\\la", b"\xed\xa0\x80", b"\n", b"t" * 300)


@dataclass
class Track:
    """A track chunk: (delta, event) as they stand in the file; `length` where the header lies about it."""

    events: list[tuple[bytes, bytes]] = field(default_factory=list)
    length: int | None = None
    name: bytes = b"MTrk"
    slack: bytes = b""


@dataclass
class File:
    """A file's parts, in order: what wraps it, its header, its tracks."""

    wrapper: bytes = b""
    header: bytes = b"\0\1\0\1\0\x60"
    tracks: list[Track] = field(default_factory=list)


def seed(random: Random) -> bytes:
    """A small file: one to three tracks of notes, with or without metre, key and tempo."""
    ppq = random.choice((24, 96, 120, 480, 480))
    tracks = [_made_track(random, ppq, number) for number in range(random.randrange(1, 4))]
    head = [(b"\0", _meta(random)) for _ in range(random.randrange(4))]
    if random.random() < 0.5:
        tracks[0].events[:0] = head
    else:
        tracks.insert(0, Track([*head, (b"\0", b"\xff\x2f\0")]))
    kind = 0 if len(tracks) == 1 else 1
    header = kind.to_bytes(2, "big") + len(tracks).to_bytes(2, "big") + ppq.to_bytes(2, "big")
    return rendered(File(b"", header, tracks))


def _made_track(random: Random, ppq: int, number: int) -> Track:
    channel, base = random.choice((number, number, 9)), random.choice((36, 48, 60, 72))
    grid = random.choice((ppq, ppq // 2, ppq // 2, ppq // 3, ppq // 4, max(1, ppq // 24)))
    played = random.random() < 0.3
    timed: list[tuple[int, int, bytes]] = []
    at = 0
    for _ in range(random.choice((4, 12, 12, 24, 60))):
        length = grid * random.choice((1, 1, 1, 2, 3))
        pitches = [base + random.randrange(14) for _ in range(random.choice((1, 1, 1, 3)))]
        for pitch in pitches:
            off = at + length + (random.randrange(-grid // 4, grid // 3 + 1) if played else 0)
            timed.append((at, 1, bytes((0x90 | channel, pitch, random.randrange(1, 128)))))
            timed.append((max(at + 1, off), 0, bytes((0x80 | channel, pitch, 0))))
        at += length + (random.randrange(grid // 4 + 1) if played else random.choice((0, 0, 0, 0, grid, 16 * grid)))
    track, last = Track(), 0
    if random.random() < 0.6:
        track.events.append((b"\0", _text(3, random.choice(_NAMES))))
    if random.random() < 0.4:
        track.events.append((b"\0", bytes((0xC0 | channel, random.randrange(128)))))
    for tick, _, event in sorted(timed):
        track.events.append((vlq(tick - last), event))
        last = tick
    track.events.append((vlq(random.choice((0, grid))), b"\xff\x2f\0"))
    return track


def vlq(value: int) -> bytes:
    """A delta as MIDI files have it: seven bits a byte, the highest first."""
    made = bytes((value & 0x7F,))
    while value := value >> 7:
        made = bytes((0x80 | value & 0x7F,)) + made
    return made


def _text(kind: int, words: bytes) -> bytes:
    return bytes((0xFF, kind)) + vlq(len(words)) + words


def _delta(random: Random) -> bytes:
    way = random.randrange(6)
    if way == 0:
        return b"\x80" * random.randrange(1, 5) + b"\0"  # zeros that say nothing
    if way == 1:
        return b"\xff" * random.choice((1, 2, 3, 4, 9, 12, 40)) + b"\x7f"
    return vlq(random.choice((0, 0, 1, 2, 3, 23, 24, 96, 100, 480, 1000, 40_000, 1 << 20, (1 << 28) - 1)))


def _meta(random: Random) -> bytes:
    way = random.randrange(6)
    if way == 0:
        top, bottom = random.choice((4, 3, 6, 7, 2, 1, 0, 33, 255)), random.choice((2, 2, 3, 1, 0, 4, 5, 8, 255))
        return b"\xff\x58\4" + bytes((top, bottom, 24, 8))
    if way == 1:
        return b"\xff\x59\2" + bytes((random.choice((0, 1, 2, 254, 253, 7, 249, 8, 128)), random.choice((0, 0, 1, 2))))
    if way == 2:
        return b"\xff\x51\3" + random.choice((500_000, 0, 1, 3, 0xFFFFFF, 60_000_000 % 0xFFFFFF)).to_bytes(3, "big")
    if way == 3:
        return _text(1, random.choice(_TEXTS))
    if way == 4:
        return _text(random.choice((2, 3, 4, 5, 6, 8, 9, 0x20, 0x21, 0x54, 0x7F)), random.choice((*_NAMES, *_TEXTS)))
    return random.choice((b"\xff\x2f\0", b"\xff\x58\0", b"\xff\x59\1\0", b"\xff\x51\2\0\0", b"\xff\x01\xff\xff\x7f"))


def _event(random: Random) -> bytes:
    channel, pitch = random.choice((0, 0, 0, 1, 9, 15)), random.choice((0, 36, 60, 60, 64, 67, 127, 200))
    way = random.randrange(9)
    if way < 3:
        return bytes((0x90 | channel, pitch, random.choice((0, 1, 80, 127, 255))))
    if way == 3:
        return bytes((0x80 | channel, pitch, 64))
    if way == 4:
        return bytes((pitch & 0x7F, random.choice((0, 80))))  # under a running status, if there is one
    if way == 5:
        return bytes((random.choice((0xA0, 0xB0, 0xE0)) | channel, random.choice((7, 64, 123)), 127))
    if way == 6:
        return random.choice((b"\xc0\x28", b"\xd0\1", b"\xf0\2\1\xf7", b"\xf7\0", b"\xf1\1", b"\xf3", b"\xf8", b"\xfe"))
    return _meta(random)


def _changed_event(entry: tuple[bytes, bytes], random: Random) -> tuple[bytes, bytes]:
    delta, event = entry
    way = random.randrange(5)
    if way < 2:
        return _delta(random), event
    if way == 2 and event[:1] >= b"\x80":
        return delta, event[1:]  # running status
    if way == 3 and len(event) > 1:
        at = random.randrange(1, len(event))
        return delta, event[:at] + bytes((random.randrange(256),)) + event[at + 1 :]
    return delta, change_bytes(event, random)


def mutate(data: bytes, random: Random, other: bytes) -> bytes:
    """The file with a few things changed, some of them taken from another."""
    if random.random() < 0.1:
        return change_bytes(data, random, other)
    file, beside = parsed(data), parsed(other)
    for _ in range(few(random)):
        if not file.tracks or random.random() < 0.2:
            _change_file(file, beside, random)
        else:
            track = random.choice(file.tracks)
            lent = random.choice(beside.tracks).events if beside.tracks else []
            change_list(track.events, random, lent, lambda r: (_delta(r), _event(r)), _changed_event)
    return rendered(file)


def _change_file(file: File, other: File, random: Random) -> None:
    way = random.randrange(8)
    track = random.choice(file.tracks) if file.tracks else Track()
    if way == 0:
        file.header = file.header[:4] + random.choice(_DIVISIONS).to_bytes(2, "big") + file.header[6:]
    elif way == 1:
        file.header = change_bytes(file.header, random)
    elif way == 2:
        track.length = random.choice((0, 1, 5, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, None))
    elif way == 3:
        track.slack = random.choice((b"", b"\0" * 9, b"MTrk", b"MTrk\0\0\0\0", b"\xff\x2f\0"))
    elif way == 4:
        track.name = random.choice((b"MTrk", b"MThd", b"XFIH", b"LIST"))
    elif way == 5:
        file.wrapper = random.choice((b"", b"\0" * 128, b"RIFF\x20\0\0\0RMIDdata\x20\0\0\0", b"RIFF", b"\0"))
    elif way == 6:
        lent = random.choice(other.tracks) if other.tracks else Track()
        file.tracks.insert(random.randrange(len(file.tracks) + 1), Track(list(lent.events)))
    else:
        change_list(file.tracks, random, other.tracks, lambda _: Track(), lambda one, _: Track(list(one.events[:-1])))


def parsed(data: bytes) -> File:
    """A file's parts, as far as they can be told; nothing is refused."""
    start = max(data.find(b"MThd"), 0)
    size = min(int.from_bytes(data[start + 4 : start + 8], "big"), 64)
    file, at = File(data[:start], data[start + 8 : start + 8 + size], []), start + 8 + size
    while at + 8 <= len(data) and len(file.tracks) < 64:
        length = int.from_bytes(data[at + 4 : at + 8], "big")
        body = data[at + 8 : at + 8 + length]
        file.tracks.append(Track(_events(body), None if len(body) == length else length, data[at : at + 4]))
        at += 8 + length
    return file


def _events(body: bytes) -> list[tuple[bytes, bytes]]:
    events, at, status = [], 0, 0
    while at < len(body):
        begin = at
        while at < len(body) and body[at] & 0x80:
            at += 1
        delta = body[begin : at + 1]
        at += 1
        begin = at
        status, at = (body[at], at + 1) if at < len(body) and body[at] & 0x80 else (status, at)
        if status in (0xFF, 0xF0, 0xF7):
            at += status == 0xFF
            length = 0
            while at < len(body):
                length = length << 7 | body[at] & 0x7F
                at += 1
                if not body[at - 1] & 0x80:
                    break
            at += min(length, len(body))
        else:
            at += 1 if 0xC0 <= status < 0xE0 or status < 0x80 else 2
        events.append((delta, body[begin:at]))
    return events


def rendered(file: File) -> bytes:
    """The file's bytes."""
    made = file.wrapper + b"MThd" + len(file.header).to_bytes(4, "big") + file.header
    for track in file.tracks:
        body = b"".join(delta + event for delta, event in track.events)
        length = len(body) if track.length is None else track.length
        made += track.name + length.to_bytes(4, "big") + body + track.slack
    return made


def wrapped_seed(random: Random) -> bytes:
    """A small file as RIFF or an old Macintosh wraps it."""
    data = seed(random)
    if random.random() < 0.4:
        name = b"\0\x04tune" + bytes(59) + b"Midi" + bytes(16) + len(data).to_bytes(4, "big")
        return name.ljust(128, b"\0") + data
    chunk = b"data" + len(data).to_bytes(4, "little") + data + bytes(len(data) % 2)
    return b"RIFF" + (len(chunk) + 4).to_bytes(4, "little") + b"RMID" + chunk
