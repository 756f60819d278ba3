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


def test_texts_come_in_the_order_of_the_file_and_odd_bytes_do_no_harm():
    begin = b"\x00\xff\x01\x05Gr\xc3\xbcn\x00\xff\x01\x02\xfcb\x00\xff\x05\x05lyric"
    assert parse_midi(HEADER + chunk(begin + TRACK)).texts == ("Grün", "üb", "@Ikey: C major")
    assert parse_midi(HEADER + chunk(TRACK)).texts == ("@Ikey: C major",)


def test_wrapped_files_are_unwrapped():
    riff = b"RIFF" + struct.pack("<I", len(GOOD) + 12) + b"RMIDdata" + struct.pack("<I", len(GOOD)) + GOOD
    macintosh = bytes(128) + GOOD
    assert pitches(riff) == pitches(macintosh) == pitches(GOOD)


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
