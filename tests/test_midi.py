"""MIDI bytes: what we write, and reading what others wrote badly."""

import io
import struct

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru import Key, Melody, Note, TimeSignature
from melodygru.errors import FileError, MidiError, UsageError
from melodygru.midi import midi_bytes, parse_midi, read_midi, write_midi

from .midi_checker import read_written
from .strategies import melodies


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


@given(melodies(max_notes=10))
def test_the_end_of_the_track_is_on_the_last_bar_line(melody):
    written = read_written(midi_bytes(melody))
    assert written.end == 20 * melody.length
    assert written.end % written.bar == 0
    assert not written.faults


def test_a_repeated_pitch_is_let_go_before_it_is_struck_again():
    data = midi_bytes(Melody((Note(60, 0, 24), Note(60, 24, 24))))
    kinds = [m.type for m in mido.MidiFile(file=io.BytesIO(data)).tracks[0] if m.type.startswith("note")]
    assert kinds == ["note_on", "note_off", "note_on", "note_off"]


def test_the_head_of_a_file_says_everything_at_tick_0():
    melody = Melody((Note(62, 0, 72),), TimeSignature(6, 8), Key.parse("D dorian"), 90, "Größe")
    data = midi_bytes(melody, program=40, text="made by hand")
    track = mido.MidiFile(file=io.BytesIO(data), charset="utf-8").tracks[0]
    head = [m for m in track if m.time == 0 and not m.type.startswith("note")]
    told = {m.type: m for m in head}
    assert told["track_name"].name == "Größe"
    assert {m.text for m in head if m.type == "text"} == {"made by hand", "key: D dorian"}
    assert told["set_tempo"].tempo == 666667
    assert (told["time_signature"].numerator, told["time_signature"].denominator) == (6, 8)
    assert told["key_signature"].key == "C"
    assert told["program_change"].program == 40


@pytest.mark.parametrize(
    ("key", "name"), [("A minor", "Am"), ("Bb", "Bb"), ("F# dorian", "E"), ("C minor", "Cm"), ("G mixolydian", "C")]
)
def test_modes_are_written_by_their_signature(key, name):
    assert read_written(midi_bytes(Melody((Note(60, 0, 24),), key=Key.parse(key)))).key_signature == name


def test_downbeats_are_louder_than_what_lies_between():
    melody = Melody(tuple(Note(60 + i, 12 * i, 12) for i in range(8)))
    velocities = [note[3] for note in sorted(read_written(midi_bytes(melody)).notes)]
    assert velocities[0] == max(velocities) > velocities[2] > velocities[1]
    for velocity in (1, 127):
        written = read_written(midi_bytes(melody, velocity=velocity))
        assert all(1 <= note[3] <= 127 for note in written.notes)


@pytest.mark.parametrize("bad", [{"program": 128}, {"program": -1}, {"velocity": 0}, {"velocity": 128}])
def test_values_outside_midi_are_refused(bad):
    with pytest.raises(UsageError, match=str(next(iter(bad.values())))):
        midi_bytes(Melody((Note(60, 0, 24),)), **bad)


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    melody = Melody((Note(60, 0, 24),))
    write_midi(melody, tmp_path / "a.mid")
    with pytest.raises(FileError, match="exists"):
        write_midi(melody, tmp_path / "a.mid")
    with pytest.raises(FileError, match="does not exist"):
        write_midi(melody, tmp_path / "no" / "a.mid")
    with pytest.raises(FileError, match="is a folder"):
        write_midi(melody, tmp_path, force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mid"]


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
