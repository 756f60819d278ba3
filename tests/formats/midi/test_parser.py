"""Reading MIDI bytes: our own, and what others wrote badly."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru import Melody, Note
from melodygru.errors import FileError, MidiError
from melodygru.formats.midi.parser import parse_midi, read_midi
from melodygru.formats.midi.writer import midi_bytes
from tests.strategies import melodies


@given(melodies(max_notes=16))
def test_what_is_written_is_read_back_tick_by_tick(melody):
    raw = parse_midi(midi_bytes(melody))
    assert raw.ticks_per_quarter == 480
    assert [(n.onset, n.end, n.pitch) for n in raw.tracks[0].notes] == [
        (20 * note.onset, 20 * note.end, note.pitch) for note in melody.notes
    ]
    assert raw.tempi == ((0, round(60e6 / melody.qpm)),)
    metre = melody.time_signature
    assert raw.time_signatures == ((0, metre.numerator, metre.denominator),)
    assert raw.key_in_words == melody.key
    assert not raw.faults


GOOD = midi_bytes(Melody(tuple(Note(60 + i, 24 * i, 24) for i in range(8)), bars=2))
HEADER = GOOD[:14]
TRACK = GOOD[22:]
END = b"\x00\xff\x2f\x00"


def chunk(payload, length=None):
    return b"MTrk" + struct.pack(">I", len(payload) if length is None else length) + payload


def pitches(data):
    return [note.pitch for note in parse_midi(data).tracks[0].notes]


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (HEADER + chunk(TRACK[:-4]), "no end of track"),
        (HEADER + chunk(TRACK, len(TRACK) + 40), "a wrong track length"),
        (HEADER + chunk(TRACK, len(TRACK) - 9), "a wrong track length"),
        (HEADER + chunk(b"\x00\xff\x59\x02\x63\x00" + TRACK), "an impossible key signature"),
        (HEADER + chunk(b"\x00\xff\x01\x06key: H" + TRACK), "an impossible key in words"),
        (HEADER + chunk(b"\x00\x90\xff\xc8\x00\x80\xff\x00" + TRACK), "data bytes over 127"),
        (HEADER + chunk(b"\x00\x40\x40" + TRACK), "data without a status"),
        (HEADER + chunk(b"\x00\x90\x30\x40" + TRACK), "notes never released"),
    ],
)
def test_faults_that_leave_the_notes_whole_are_read_past_and_named(data, fault):
    assert set(range(60, 68)) <= set(pitches(data))
    assert fault in parse_midi(data).faults


def test_an_early_end_of_track_does_not_hide_what_follows():
    early = b"\x00\xff\x58\x04\x04\x02\x18\x08\x00\xff\x2f\x00" + TRACK
    raw = parse_midi(HEADER + chunk(early))
    assert pitches(HEADER + chunk(early)) == pitches(GOOD)
    assert raw.faults == ("an early end of track",)
    assert parse_midi(HEADER + chunk(TRACK + bytes(40))).faults == ()  # what fills up a chunk is no music
    assert pitches(HEADER + chunk(TRACK + b"\x00\x3c\x40" * 9)) == pitches(GOOD)  # nor is what has no status


@pytest.mark.parametrize("announced", [1, 2])
def test_what_lay_on_the_disk_after_the_last_track_is_not_the_files(announced):
    header = HEADER[:10] + struct.pack(">H", announced) + HEADER[12:]
    file = header + chunk(TRACK) * announced
    other = b"rubbish" + chunk(TRACK)
    for slack in (other, other[:40], bytes(500) + other[:60], chunk(TRACK)[:60], b"MTrk", bytes(3)):
        raw = parse_midi(file + slack)
        assert len(raw.tracks) == announced
        assert raw.faults in ((), ("bytes after the last track",))


def test_chunks_that_are_no_tracks_and_texts_are_passed_by_whatever_they_hold():
    other = b"XFIH" + struct.pack(">I", 12 + len(TRACK)) + b"xxxx" + chunk(TRACK)
    text = b"\x00\xff\x01\x08MTrk\x00\x00\x00\x01"
    raw = parse_midi(HEADER + other + chunk(text + TRACK) + other)
    assert len(raw.tracks) == 1
    assert raw.faults == ()
    assert len(parse_midi(HEADER[:4] + b"\x00\x00\x00\x0a" + HEADER[8:] + b"more" + chunk(TRACK)).tracks) == 1


def test_whole_tracks_that_the_header_does_not_announce_are_read():
    assert len(parse_midi(HEADER + chunk(TRACK) * 3).tracks) == 3


def test_a_track_is_known_by_its_instrument_where_it_has_no_name():
    def name(*meta):
        body = b"".join(b"\x00\xff" + bytes((kind, len(text))) + text for kind, text in meta)
        return parse_midi(HEADER + chunk(body + TRACK[TRACK.index(b"\x00\x90") :])).tracks[0].name

    assert name((4, b"Lead Vocal")) == "Lead Vocal"
    assert name((4, b"Lead Vocal"), (3, b"Track 1")) == name((3, b"Track 1"), (4, b"Lead Vocal")) == "Track 1"
    assert name((3, b" "), (4, b"Lead Vocal")) == "Lead Vocal"


def test_programs_are_those_that_each_channel_begins_with():
    begin = b"\x00\xc0\x05\x00\xc1\x07\x00\xc0\x28\x00\xff\x05\x02la"
    track = parse_midi(
        HEADER + chunk(begin + TRACK.replace(b"\x00\xc0\x00", b"").replace(END, b"\x00\xc0\x50" + END))
    ).tracks[0]
    assert track.programs == {0: 40, 1: 7}
    assert track.lyrics == 1


def struck(*events):
    """The notes of a track, as (onset, end, pitch) in quarters.

    Events: (quarter, that of the one before or the next; pitch; whether it is a release). The track ends one later.
    """
    body, now = b"", 0
    for quarter, pitch, released in events:
        body += b"\x83\x60" if quarter > now else b"\x00"
        body += bytes((0x80 if released else 0x90, pitch, 80))
        now = quarter
    notes = parse_midi(HEADER + chunk(body + b"\x83\x60" + b"\xff\x2f\x00")).tracks[0].notes
    return [(note.onset / 480, note.end / 480, note.pitch) for note in notes]


def test_a_note_that_is_never_let_go_ends_at_the_next():
    on, off = False, True
    # A tune in thirds; the upper note at 1 has no release.
    events = [(0, 60, on), (0, 64, on), (1, 60, off), (1, 64, off), (1, 62, on), (1, 65, on), (2, 62, off)]
    assert struck(*events, (2, 64, on), (3, 64, off)) == [(0, 1, 60), (0, 1, 64), (1, 2, 62), (1, 2, 65), (2, 3, 64)]
    # The same key is struck again, and let go then.
    again = [*events, (2, 65, on), (3, 65, off)]
    assert struck(*again) == [(0, 1, 60), (0, 1, 64), (1, 2, 62), (1, 2, 65), (2, 3, 65)]
    # Nothing follows: a whole note at most, and not beyond the track.
    assert struck((0, 60, on), (1, 60, off), (1, 62, on)) == [(0, 1, 60), (1, 2, 62)]


def test_overlapping_notes_of_one_key_end_in_the_order_of_their_strokes():
    on, off = False, True
    assert struck((0, 60, on), (1, 60, on), (2, 60, off), (3, 60, off)) == [(0, 2, 60), (1, 3, 60)]


def test_texts_come_in_the_order_of_the_file_and_odd_bytes_do_no_harm():
    begin = b"\x00\xff\x01\x05Gr\xc3\xbcn\x00\xff\x01\x02\xfcb\x00\xff\x05\x05lyric"
    assert parse_midi(HEADER + chunk(begin + TRACK)).texts == ("Grün", "üb", "@Ikey: C major")
    assert parse_midi(HEADER + chunk(TRACK)).texts == ("@Ikey: C major",)


def test_wrapped_files_are_unwrapped():
    riff = b"RIFF" + struct.pack("<I", len(GOOD) + 12) + b"RMIDdata" + struct.pack("<I", len(GOOD)) + GOOD
    macintosh = bytes(128) + GOOD
    assert pitches(riff) == pitches(macintosh) == pitches(GOOD)
    for first in (b"IARTMThd", bytes(9001)):  # other chunks may be long, and hold what they like
        around = b"LIST" + struct.pack("<I", len(first)) + first + bytes(len(first) % 2)
        assert pitches(riff[:12] + around + riff[12:]) == pitches(GOOD)


def test_running_status_and_silent_note_ons_are_understood():
    track = b"\x00\x90\x3c\x40\x60\x3c\x00\x00\x3e\x40\x60\x3e\x00\x00\xff\x2f\x00"
    notes = parse_midi(HEADER + chunk(track)).tracks[0].notes
    assert [(note.onset, note.end, note.pitch) for note in notes] == [(0, 96, 60), (96, 192, 62)]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "empty"),
        (b"plain text", "not a MIDI file"),
        (b"\x89PNG\r\n" + bytes(50), "not a MIDI file"),
        (GOOD[:10], "header is incomplete"),
        (HEADER, "no track"),
        (GOOD[:60], "cut short"),
        (GOOD[:12] + b"\xe7\x28" + GOOD[14:], "SMPTE"),
        (GOOD[:12] + b"\x00\x00" + GOOD[14:], "0 ticks"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_reason(tmp_path, data, words):
    path = tmp_path / "a.mid"
    path.write_bytes(data)
    with pytest.raises(MidiError, match=words) as caught:
        read_midi(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileError, match=r"nobody\.mid"):
        read_midi(tmp_path / "nobody.mid")


@given(st.binary(max_size=300), st.integers(0, len(GOOD)), st.integers(0, 40))
def test_random_damage_ends_in_notes_or_in_a_reason(junk, place, cut):
    damaged = GOOD[:place] + junk + GOOD[place + cut :]
    try:
        for track in parse_midi(damaged).tracks:
            assert all(0 <= note.pitch < 128 and note.onset <= note.end for note in track.notes)
    except MidiError:
        pass
