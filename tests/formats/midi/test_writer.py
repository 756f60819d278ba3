"""Written MIDI files: what stands in them, track by track, as other programs read it."""

import hashlib
import io
import warnings

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru import Key, Melody, Note, TimeSignature
from melodygru.errors import FileError, UsageError
from melodygru.formats.midi.parser import parse_midi
from melodygru.formats.midi.performance import Performance, can_swing, perform
from melodygru.formats.midi.writer import midi_bytes, write_midi
from melodygru.formats.reading import read_melodies
from melodygru.music.chords import Chord, ChordSpan, lay_out, parse_progression, voicing
from tests.midi_checker import read_tracks, read_written
from tests.strategies import melodies

ONE = Melody((Note(60, 0, 24),))
EIGHTHS = Melody(tuple(Note(60 + 7 * i % 24, 12 * i, 12 - i % 3) for i in range(32)))
UPBEAT = Melody(
    (Note(62, 84, 12), Note(62, 96, 60), Note(67, 156, 60), Note(66, 220, 8)),
    TimeSignature(4, 4),
    Key.parse("D dorian"),
    97.3,
    "Größe ♭",
    12,
)
JIG = Melody(
    tuple(Note(70 - i, 8 * i, 4 + i % 5) for i in range(27)), TimeSignature(6, 8), Key.parse("Eb minor"), 211.0, bars=5
)


@pytest.mark.parametrize(
    ("data", "digest"),
    [
        (midi_bytes(EIGHTHS), "4c4e895dde032f9f29ede4cfe658537695cf0c7b1c06872afc7215991cfe5255"),
        (midi_bytes(UPBEAT), "e22584272fd8222b83a6ad457fdb8e7bcde6547e56c8d6af5906a9bc94253dbd"),
        (midi_bytes(JIG), "8230fcc67f96a12d3c3f9fdd72e047f57b42bbb52d8a27813cbec770e190c393"),
        (
            midi_bytes(UPBEAT, Performance(program=40, velocity=100), text="made by hand"),
            "c289dffabd37cc1fb3278a8e9e0256269f2f6c30ba6691a8f5c9e9c7bf409e28",
        ),
    ],
)
def test_files_are_byte_for_byte_those_of_earlier_versions(data, digest):
    assert hashlib.sha256(data).hexdigest() == digest


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


@pytest.mark.parametrize("midi_format", [0, 1])
def test_the_head_of_a_file_says_everything_at_tick_0(midi_format):
    melody = Melody((Note(62, 0, 72),), TimeSignature(6, 8), Key.parse("D dorian"), 90, "Größe")
    data = midi_bytes(melody, Performance(program=40, midi_format=midi_format), text=["made by hand", "Ä" * 5000])
    file = mido.MidiFile(file=io.BytesIO(data), charset="utf-8")
    head = [m for m in file.tracks[0] if m.time == 0 and not m.type.startswith("note")]
    told = {m.type: m for m in head}
    assert told["track_name"].name == "Größe"
    assert [m.text for m in head if m.type == "text"] == ["made by hand", "Ä" * 5000, "@Ikey: D dorian"]
    assert told["set_tempo"].tempo == 666667
    assert (told["time_signature"].numerator, told["time_signature"].denominator) == (6, 8)
    assert told["key_signature"].key == "C"
    [program] = [m for m in file.tracks[midi_format] if m.type == "program_change"]
    assert (program.program, program.channel) == (40, 0)


@given(st.lists(st.text(st.characters(exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp")), min_size=1), max_size=4))
def test_texts_are_read_back_in_their_order(texts):
    for midi_format in (0, 1):
        raw = parse_midi(midi_bytes(ONE, Performance(midi_format=midi_format), text=texts))
        assert raw.texts == (*texts, "@Ikey: C major")
    assert parse_midi(midi_bytes(ONE, text="".join(texts))).texts == (*filter(None, ["".join(texts)]), "@Ikey: C major")


@pytest.mark.parametrize(
    ("key", "name"), [("A minor", "Am"), ("Bb", "Bb"), ("F# dorian", "E"), ("C minor", "Cm"), ("G mixolydian", "C")]
)
def test_modes_are_written_by_their_signature(key, name):
    assert read_written(midi_bytes(Melody((Note(60, 0, 24),), key=Key.parse(key)))).key_signature == name


@pytest.mark.parametrize("velocity", [1, 84, 127])
def test_downbeats_are_louder_than_what_lies_between_and_all_are_within_midi(velocity):
    melody = Melody(tuple(Note(60 + i, 12 * i, 12) for i in range(8)))
    velocities = [note[3] for note in sorted(read_written(midi_bytes(melody, Performance(velocity=velocity))).notes)]
    assert all(1 <= one <= 127 for one in velocities)
    if velocity < 120:
        assert velocities[0] == max(velocities) > velocities[2] > velocities[1]


@given(st.data(), melodies(max_notes=12), st.sampled_from([24, 96, 960]), st.sampled_from([0, 1]))
def test_what_is_performed_is_what_stands_in_the_file(data, melody, ppq, midi_format):
    performance = Performance(
        channel=data.draw(st.integers(1, 16)),
        swing=data.draw(st.floats(0.5, 0.75)) if can_swing(melody.time_signature) else 0.5,
        humanize=data.draw(st.floats(0, 1)),
        seed=data.draw(st.integers(0, 1000)),
        midi_format=midi_format,
        ppq=ppq,
    )
    written = midi_bytes(melody, performance)
    tracks = read_tracks(written)
    assert tracks.ticks_per_quarter == ppq
    assert tracks.notes[midi_format] == perform(melody, performance)
    assert set(tracks.ends) == {melody.length * ppq // 24}
    assert len(tracks.ends) == 1 + midi_format
    raw = parse_midi(written)
    assert not raw.faults
    assert {note.channel for track in raw.tracks for note in track.notes} <= {performance.channel - 1}


SPANS = lay_out(parse_progression("Am7 F/A N.C. E7 E7", UPBEAT.time_signature), 96, UPBEAT.length)
LONG = Melody(EIGHTHS.notes, EIGHTHS.time_signature, Key.parse("A minor"), name="Tune")
OVER = lay_out(parse_progression("Am7 F/A N.C. E7", LONG.time_signature), 0, LONG.length)


def by_mido(data):
    return mido.MidiFile(file=io.BytesIO(data), charset="utf-8")


def test_chords_are_a_third_track_of_their_own():
    data = midi_bytes(LONG, Performance(program=73), OVER, "made by hand")
    tracks = read_tracks(data)
    assert tracks.names == ["Tune", "Melody", "Chords"]
    assert tracks.ends == [4 * 1920] * 3
    assert tracks.melody == perform(LONG, Performance())
    expected = [
        (start, start + 1920, pitch, 64)
        for start, symbol in ((0, "Am7"), (1920, "F/A"), (5760, "E7"))
        for pitch in voicing(Chord.parse(symbol))
    ]
    assert tracks.notes[2] == expected
    file = by_mido(data)
    assert file.type == 1
    assert [m.channel for m in file.tracks[2] if m.type == "program_change"] == [1]
    tick, markers = 0, []
    for message in file.tracks[0]:
        tick += message.time
        if message.type == "marker":
            markers.append((tick, message.text))
    assert markers == [(0, "Am7"), (1920, "F/A"), (3840, "N.C."), (5760, "E7")]
    assert parse_midi(data).texts == ("made by hand", "@Ikey: A minor")


def test_a_chord_that_comes_twice_is_struck_twice_and_named_once():
    twice = lay_out(parse_progression("Am Am", ONE.time_signature, 2), 0, 96)
    data = midi_bytes(ONE, chords=twice)
    assert [note.onset for note in read_tracks(data).notes[2]] == [0] * 3 + [960] * 3
    assert [m.text for m in by_mido(data).tracks[0] if m.type == "marker"] == ["Am"]


def test_a_melody_is_found_again_beside_its_chords(tmp_path):
    melody = Melody(tuple(Note(60 + 7 * i % 24, 12 * i, 12) for i in range(32)), key=Key.parse("A dorian"), qpm=90.0)
    write_midi(melody, tmp_path / "a.mid", chords=OVER)
    [back] = read_melodies(tmp_path / "a.mid")
    assert (back.notes, back.key, back.time_signature) == (melody.notes, melody.key, melody.time_signature)


def test_chords_after_a_pickup_begin_with_bar_1():
    tracks = read_tracks(midi_bytes(UPBEAT, chords=SPANS))
    assert min(note.onset for note in tracks.notes[2]) == 1920
    assert set(tracks.ends) == {20 * UPBEAT.length}


@pytest.mark.parametrize(("melody", "chords"), [(1, 2), (9, 11), (10, 11), (16, 1)])
def test_chords_keep_off_the_melodys_channel_and_off_percussion(melody, chords):
    raw = parse_midi(midi_bytes(LONG, Performance(channel=melody), OVER))
    assert [{note.channel + 1 for note in track.notes} for track in raw.tracks] == [set(), {melody}, {chords}]


def test_chords_off_the_beat_swing_with_the_melody():
    metre = TimeSignature(4, 4)
    spans = lay_out(parse_progression("C F", metre, 2), 0, 96)
    early = [ChordSpan(spans[0].onset, 36, spans[0].chord), ChordSpan(36, 96, spans[1].chord)]
    tracks = read_tracks(midi_bytes(EIGHTHS, Performance(swing=2 / 3), early))
    assert {note.onset for note in tracks.notes[2]} == {0, 480 + 320}
    assert 480 + 320 in {note.onset for note in tracks.melody}


def test_humanize_leaves_chords_on_their_beats():
    chords = [read_tracks(midi_bytes(LONG, Performance(humanize=h), OVER)).notes[2] for h in (0.0, 1.0)]
    assert chords[0] == chords[1]


@pytest.mark.parametrize(
    "spans",
    [
        (ChordSpan(0, 97, None),),
        (ChordSpan(-1, 9, None),),
        (ChordSpan(9, 9, None),),
        (ChordSpan(0, 48, None), ChordSpan(47, 96, None)),
    ],
)
def test_chords_that_do_not_fit_are_refused(spans):
    with pytest.raises(UsageError, match=f"steps {spans[-1].onset} to {spans[-1].end} does not fit"):
        midi_bytes(ONE, chords=spans)


def test_format_0_and_chords_contradict_each_other(tmp_path):
    with pytest.raises(UsageError, match="format 0"):
        write_midi(LONG, tmp_path / "a.mid", performance=Performance(midi_format=0), chords=OVER)
    assert not list(tmp_path.iterdir())
    assert by_mido(midi_bytes(LONG, Performance(midi_format=1))).type == 1


def test_pretty_midi_finds_both_tracks(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its imports
        import pretty_midi
    performance = Performance(program=40, swing=0.6, humanize=0.4, ppq=960)
    write_midi(LONG, tmp_path / "a.mid", performance=performance, chords=OVER, text="seed 3")
    midi = pretty_midi.PrettyMIDI(str(tmp_path / "a.mid"))
    assert [(one.name, one.program) for one in midi.instruments] == [("Melody", 40), ("Chords", 0)]
    found = [
        (midi.time_to_tick(n.start), midi.time_to_tick(n.end), n.pitch, n.velocity) for n in midi.instruments[0].notes
    ]
    assert found == perform(LONG, performance)
    assert len(midi.instruments[1].notes) == 4 + 3 + 4


def test_music21_finds_both_tracks(tmp_path):
    import music21

    write_midi(LONG, tmp_path / "a.mid", chords=OVER)
    parts = music21.converter.parse(str(tmp_path / "a.mid"), forceSource=True).parts
    assert [part.partName for part in parts] == ["Melody", "Chords"]
    assert [len(part.flatten().notes) for part in parts] == [len(LONG.notes), 3]
    assert [[int(pitch.midi) for pitch in chord.pitches] for chord in parts[1].flatten().notes] == [
        list(voicing(Chord.parse(symbol))) for symbol in ("Am7", "F/A", "E7")
    ]


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    write_midi(ONE, tmp_path / "a.mid")
    assert (tmp_path / "a.mid").read_bytes() == midi_bytes(ONE)
    with pytest.raises(FileError, match="exists"):
        write_midi(ONE, tmp_path / "a.mid")
    with pytest.raises(FileError, match="does not exist"):
        write_midi(ONE, tmp_path / "no" / "a.mid")
    with pytest.raises(FileError, match="is a folder"):
        write_midi(ONE, tmp_path, force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mid"]


def test_tempo_and_key_may_stay_out():
    whole, bare = midi_bytes(JIG), midi_bytes(JIG, Performance(no_tempo=True, no_key=True))
    raw = parse_midi(bare)
    assert (raw.tempi, raw.key_signatures, raw.key_in_words) == ((), (), None)
    assert parse_midi(whole).tempi
    assert b"key: " not in bare
    assert [track.notes for track in raw.tracks] == [track.notes for track in parse_midi(whole).tracks]


def test_a_pickup_goes_to_the_end_of_the_last_bar_where_the_clip_is_to_loop():
    melody = Melody((Note(67, 72, 24), Note(72, 96, 96), Note(72, 192, 96)), pickup=24, bars=2)
    looped = melody.looped()
    assert looped.notes == (Note(72, 0, 96), Note(72, 96, 72), Note(67, 168, 24))
    assert (looped.bars, looped.pickup, looped.length) == (2, 0, 192)
    assert looped.looped() is looped
    assert midi_bytes(melody, Performance(pickup_as="loop")) == midi_bytes(looped)
    crowded = Melody((*melody.notes[:2], Note(72, 192, 72), Note(71, 264, 24)), pickup=24, bars=2)
    with pytest.raises(UsageError, match="no room for the pickup"):
        crowded.looped()


@given(melodies())
def test_what_loops_has_the_same_notes_in_as_many_bars(melody):
    try:
        looped = melody.looped()
    except UsageError:
        return
    assert looped.bars == melody.bars
    assert looped.length == melody.bars * melody.time_signature.bar_steps
    assert sorted(note.pitch for note in looped.notes) == sorted(note.pitch for note in melody.notes)


@pytest.mark.parametrize(("key", "name"), [("Gb", b"\xfa\0"), ("F#", b"\x06\0"), ("Eb minor", b"\xfa\1")])
def test_the_signature_is_spelled_as_the_key_is(key, name):
    melody = Melody(JIG.notes, key=Key.parse(key, as_written=True))
    data = midi_bytes(melody)
    assert b"\xff\x59\x02" + name in data
    assert f"key: {melody.key}".encode() in data
