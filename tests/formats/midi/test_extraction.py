"""From files as they are in the wild to melodies on the grid."""

import random
from dataclasses import replace

import mido
import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru import Key, Melody, Note
from melodygru.errors import MelodyGRUError, MidiError, UsageError
from melodygru.formats.midi.clip import clip_end
from melodygru.formats.midi.extraction import BEATS_TRACKED, ExtractionConfig, extract
from melodygru.formats.midi.metres import METRE_ASSUMED
from melodygru.formats.midi.parser import parse_midi
from melodygru.formats.midi.writer import midi_bytes
from melodygru.formats.reading import WHOLE
from melodygru.music.estimation import told_chance
from tests.tunes import tune

SCALE = [60, 62, 64, 65, 67, 69, 71, 72]


def file(tracks, meta=(), tpq=480, kind=1):
    """A MIDI file. Each track: (name, channel, notes as (onset, end, pitch) in quarters); meta: (quarter, message)."""
    import io

    midi = mido.MidiFile(type=kind, ticks_per_beat=tpq)
    head = [(quarter, 0, message) for quarter, message in meta]
    for index, (name, channel, notes) in enumerate(tracks):
        timed = list(head) if index == 0 else []
        for onset, end, pitch in notes:
            timed.append((onset, 2, mido.Message("note_on", note=pitch, channel=channel, velocity=80)))
            timed.append((end, 1, mido.Message("note_off", note=pitch, channel=channel, velocity=0)))
        track, now = mido.MidiTrack([mido.MetaMessage("track_name", name=name)]), 0
        for quarter, _, message in sorted(timed, key=lambda entry: entry[:2]):
            tick = round(quarter * tpq)
            track.append(message.copy(time=tick - now))
            now = tick
        midi.tracks.append(track)
    buffer = io.BytesIO()
    midi.save(file=buffer)
    return parse_midi(buffer.getvalue())


def line(start=0.0, length=0.5, pitches=SCALE):
    """Notes one after the other."""
    return [(start + i * length, start + (i + 1) * length, pitch) for i, pitch in enumerate(pitches)]


def metre(numerator, denominator):
    return mido.MetaMessage("time_signature", numerator=numerator, denominator=denominator)


CHORDS = ("Piano", 1, [(bar * 4, bar * 4 + 4, pitch) for bar in range(4) for pitch in (48, 52, 55)])
DRUMS = ("Drums", 9, [(i / 2, i / 2 + 0.25, 38) for i in range(64)])
BASS = ("Bass", 2, [(i, i + 1, 36 + i % 3) for i in range(16)])


@given(st.integers(0, 10_000), st.integers(1, 16))
def test_our_own_files_come_back_as_they_were(seed, bars):
    melody = tune(seed, bars)
    (back,) = extract(parse_midi(midi_bytes(melody)), "x", ExtractionConfig(min_notes=1)).melodies
    assert back == replace(melody, name="x", qpm=back.qpm)
    assert back.qpm == pytest.approx(melody.qpm, rel=1e-4)


@pytest.mark.parametrize("name", ["Melody", "MELODY", "Lead Vocals", "vox", "Voice", "Gesang", "lead"])
def test_a_track_that_says_so_is_the_melody(name):
    low = [pitch - 12 for pitch in SCALE * 2]
    found = extract(file([CHORDS, ("Violin", 3, line(pitches=SCALE * 4)), (name, 4, line(pitches=low)), DRUMS]), "x")
    assert found.track == name
    assert found.how == "name"
    assert [note.pitch for note in found.melodies[0].notes] == low


def test_backing_vocals_are_not_the_melody():
    found = extract(file([("Backing Vocals", 1, line()), ("Vocals", 2, line(pitches=SCALE[::-1]))]), "x")
    assert found.track == "Vocals"


def test_without_names_the_track_most_like_a_melody_wins():
    found = extract(file([CHORDS, BASS, ("Violin", 3, line(pitches=SCALE * 4)), DRUMS]), "x")
    assert (found.track, found.how) == ("Violin", "notes")


def test_drums_are_never_the_melody():
    with pytest.raises(MidiError):
        extract(file([DRUMS]), "x")


def test_the_channels_of_a_type_0_file_are_told_apart():
    raw = file([("", 0, line(pitches=SCALE * 4))], kind=0)
    mixed = file([("", 1, [*CHORDS[2]])], kind=0)
    both = parse_midi(midi_bytes(Melody(tuple(Note(p, 12 * i, 12) for i, p in enumerate(SCALE * 4)))))
    read = [[(n.pitch, n.duration) for n in extract(one, "x").melodies[0].notes] for one in (raw, both)]
    assert read[0] == read[1]
    assert extract(mixed, "x", ExtractionConfig(min_notes=1)).melodies[0].notes[0].pitch == 55


def test_of_chords_the_highest_notes_are_the_melody():
    piano = [(i / 2, i / 2 + 0.5, pitch - drop) for i, pitch in enumerate(SCALE * 2) for drop in (0, 4, 12)]
    found = extract(file([("Piano", 0, piano)]), "x")
    assert [note.pitch for note in found.melodies[0].notes] == SCALE * 2


@pytest.mark.parametrize(("track", "first"), [("1", 55), ("2", 60), ("violin", 60), ("skyline", 60)])
def test_a_track_can_be_asked_for(track, first):
    found = extract(file([CHORDS, ("Violin", 3, line(pitches=SCALE * 4))]), "x", ExtractionConfig(track, min_notes=1))
    assert found.melodies[0].notes[0].pitch == first


@pytest.mark.parametrize("track", ["9", "0", "Tuba"])
def test_a_track_that_is_not_there_is_an_error(track):
    with pytest.raises(MelodyGRUError, match=track):
        extract(file([CHORDS, ("Violin", 3, line())]), "x", ExtractionConfig(track))


@pytest.mark.parametrize("tpq", [24, 96, 480, 1024])
def test_any_resolution_gives_the_same_steps(tpq):
    notes = [*line(length=0.5), *line(4, 1 / 3, SCALE[:6]), *line(6, 0.25)]
    found = extract(file([("Melody", 0, notes)], tpq=tpq), "x").melodies[0]
    durations = [note.duration for note in found.notes]
    assert durations == [12] * 8 + [8] * 6 + [6] * 8


def test_played_timing_is_set_on_the_grid():
    chance = random.Random(1)
    notes = [
        (max(0, i / 2 + chance.gauss(0, 0.02)), i / 2 + 0.45 + chance.gauss(0, 0.02), pitch)
        for i, pitch in enumerate(SCALE * 8)
    ]
    found = extract(file([("Melody", 0, notes)], meta=[(0, metre(4, 4))]), "x")
    onsets = [note.onset for melody in found.melodies for note in melody.notes]
    assert [onset % 12 for onset in onsets] == [0] * 64


@pytest.mark.parametrize("seed", range(20))
def test_freely_played_notes_never_overlap(seed):
    """Dense, uneven, two hands: each beat is set on its own grid, and a late note may pass the next beat's first."""
    chance, at, notes = random.Random(seed), 0.0, []
    for _ in range(400):
        at += chance.expovariate(5)
        notes.append((at, at + chance.uniform(0.05, 1.5), chance.randint(45, 90)))
    found = extract(file([("Piano", 0, notes)]), "x", ExtractionConfig(min_notes=1, max_rest_bars=100))
    for melody in found.melodies:
        assert all(one.end <= two.onset for one, two in zip(melody.notes, melody.notes[1:], strict=False))
    assert any(text.startswith(BEATS_TRACKED) for text in found.remarks)


@pytest.mark.parametrize("parts", [16, 5, 7, 10, 14])
@pytest.mark.parametrize("tpq", [480, 960, 1024])
def test_written_values_finer_than_the_grid_are_not_played_ones(parts, tpq):
    """Runs of sixty-fourths, quintuplets, septuplets: each note is the nearest step, and none is lost."""
    pitches = [60 + i % parts for i in range(4 * parts)]
    found = extract(file([("Melody", 0, line(0, 1 / parts, pitches))], tpq=tpq), "x")
    [melody] = found.melodies
    assert "played timing set on the grid" not in found.remarks
    assert [note.pitch for note in melody.notes] == pitches
    assert all(abs(note.onset - 24 * i / parts) <= 0.51 for i, note in enumerate(melody.notes))


@pytest.mark.parametrize("denominator", [8, 16, 32, 64])
def test_bars_shorter_than_the_grid_that_notes_share_are_read(denominator):
    chance = random.Random(denominator)
    notes = [(0.11 + i / 4 + chance.uniform(-0.04, 0.04), 0.3 + i / 4, pitch) for i, pitch in enumerate(SCALE * 4)]
    found = extract(file([("Melody", 0, notes)], meta=[(0, metre(3, denominator))]), "x")
    assert "bar lines estimated" in found.remarks
    assert sum(len(melody.notes) for melody in found.melodies) == 32


@pytest.mark.parametrize("bars", [2, 3, 9])
def test_silent_bars_at_the_end_belong_to_the_clip(bars):
    tune_of_two = Melody(tuple(Note(60 + i, 24 * i, 24) for i in range(8)), bars=bars)
    raw = parse_midi(midi_bytes(tune_of_two))
    assert extract(raw, "x", WHOLE).melodies[0].bars == bars
    assert extract(raw, "x").melodies[0].bars == 2  # of what is learned from, silence is no part


def test_silent_bars_after_an_upbeat_or_a_later_metre_belong_to_the_clip_too():
    upbeat = Melody(tuple(Note(60 + i, 72 + 24 * i, 24) for i in range(8)), pickup=24, bars=5)
    assert extract(parse_midi(midi_bytes(upbeat)), "x", WHOLE).melodies[0].bars == 5
    notes = [*line(0, 0.5, SCALE), *line(4, 0.5, SCALE), (12.99, 13, 60)]
    raw = file([("a", 0, notes[:-1]), ("b", 1, [notes[-1]])], meta=[(0, metre(4, 4)), (4, metre(3, 4))])
    assert [melody.bars for melody in extract(raw, "x", WHOLE).melodies] == [1, 3]


def test_a_metre_told_just_after_the_beginning_holds_from_it():
    notes = line(0, 1, SCALE * 3)
    for late in (1 / 480, 1 / 48):
        raw = file([("a", 0, notes)], meta=[(late, metre(3, 4))])
        found = extract(raw, "x", WHOLE)
        melody = found.melodies[0]
        assert (str(melody.time_signature), melody.bars, melody.pickup) == ("3/4", 8, 0)
        assert not any("metre" in remark for remark in found.remarks)
        assert clip_end(raw)[1] == 8


@pytest.mark.parametrize("told", [(255, 1), (200, 4), (3, 128), (0, 4)])
def test_a_clip_has_the_bars_that_it_is_read_in(told):
    raw = file([("a", 0, line(0, 1, SCALE * 4))], meta=[(0, metre(*told))])
    assert extract(raw, "x", WHOLE).melodies[0].bars == clip_end(raw)[1] == 8


def test_a_leading_rest_of_most_of_a_bar_is_a_pickup():
    melody = extract(file([("Melody", 0, line(2.5, 0.5, SCALE + SCALE))], meta=[(0, metre(3, 4))]), "x").melodies[0]
    assert melody.pickup == 12
    assert melody.notes[0].onset == 60
    assert melody.bar_of(72) == 1


@given(st.integers(0, 84), st.integers(12, 96))
def test_one_note_in_one_bar_comes_back_wherever_it_stands(onset, duration):
    melody = Melody((Note(62, onset, min(duration, 96 - onset)),), bars=1)
    [found] = extract(parse_midi(midi_bytes(melody)), "x", WHOLE).melodies[0].notes
    assert found.pitch == 62
    assert abs(found.onset - onset) <= 3  # off the grid of written music, it counts as played


def test_a_short_first_metre_is_a_pickup():
    meta = [(0, metre(1, 8)), (0.5, metre(6, 8))]
    melody = extract(file([("Melody", 0, line(0, 0.5, SCALE + SCALE))], meta=meta), "x").melodies[0]
    assert str(melody.time_signature) == "6/8"
    assert melody.pickup == 12
    assert melody.notes[1].onset % 72 == 0


def test_empty_bars_at_the_beginning_are_left_away():
    melody = extract(file([("Melody", 0, line(8.0))], meta=[(0, metre(4, 4))]), "x").melodies[0]
    assert melody.notes[0].onset == 0
    assert melody.pickup == 0


def test_a_change_of_metre_splits_the_piece():
    meta = [(0, metre(4, 4)), (16, metre(3, 4))]
    found = extract(file([("Melody", 0, [*line(0, 1, SCALE * 2), *line(16, 1, SCALE + SCALE[:4])])], meta=meta), "tune")
    assert [(str(m.time_signature), m.bars, m.name) for m in found.melodies] == [
        ("4/4", 4, "tune"),
        ("3/4", 4, "tune #2"),
    ]


def test_a_long_rest_splits_the_piece_at_a_bar_line():
    raw = file([("Melody", 0, [*line(0), *line(30, 0.5)])], meta=[(0, metre(4, 4))])
    found = extract(raw, "x")
    assert len(found.melodies) == 2
    assert found.melodies[1].notes[0].onset == 48
    assert len(extract(raw, "x", ExtractionConfig(max_rest_bars=100)).melodies) == 1


def test_too_few_notes_are_no_melody():
    with pytest.raises(MidiError, match="fewer than 8 notes"):
        extract(file([("Melody", 0, line(pitches=SCALE[:7]))]), "x")


def test_no_notes_at_all_say_so():
    with pytest.raises(MidiError, match="no notes"):
        extract(file([("Melody", 0, [])]), "x")


def test_a_key_signature_is_believed_and_its_mode_heard():
    minor = [69, 71, 72, 74, 76, 74, 72, 69] * 4
    signature = [(0, mido.MetaMessage("key_signature", key="C"))]
    melody = extract(file([("Melody", 0, line(pitches=minor))], meta=signature), "x").melodies[0]
    assert melody.key == Key.parse("A minor")
    stated = [(0, mido.MetaMessage("key_signature", key="Em"))]
    assert extract(file([("Melody", 0, line())], meta=stated), "x").melodies[0].key == Key.parse("E minor")


def test_a_missing_key_and_metre_are_estimated_and_that_is_said():
    found = extract(file([("Melody", 0, line(pitches=[p + 2 for p in SCALE + SCALE[::-1]]))]), "x")
    assert found.melodies[0].key == Key.parse("D major")
    assert found.melodies[0].time_signature.bar_steps in (48, 96)
    assert "key estimated" in found.remarks
    assert any(remark.startswith("metre estimated") for remark in found.remarks)


def test_a_key_in_words_that_contradicts_the_signature_is_not_believed():
    words = [(0, mido.MetaMessage("text", text="key: D dorian")), (0, mido.MetaMessage("key_signature", key="G"))]
    assert extract(file([("Melody", 0, line())], meta=words), "x").melodies[0].key.fifths == 1


def test_the_tempo_of_the_file_is_kept():
    meta = [(0, mido.MetaMessage("set_tempo", tempo=500_000)), (0, metre(4, 4))]
    assert extract(file([("Melody", 0, line())], meta=meta), "x").melodies[0].qpm == 120


def test_a_metre_that_cannot_be_meant_is_read_as_4_4_and_that_is_said():
    found = extract(file([("Melody", 0, line(pitches=SCALE * 2))], meta=[(0, metre(1, 4))]), "x")
    assert str(found.melodies[0].time_signature) == "4/4"
    assert "metre 1/4 read as 4/4" in found.remarks


WALTZ = [(2, 67), (1, 69), (1, 67), (1, 65), (1, 64), (2, 65), (1, 62), (3, 60)]


def waltz(pickup=0.0, meta=()):
    """A file of four phrases of 3/4, after a pickup of so many quarters."""
    at, played = pickup, [(0, pickup, 67)] if pickup else []
    for length, pitch in WALTZ * 4:
        played.append((at, at + length, pitch))
        at += length
    return file([("a", 0, played)], meta=meta)


@pytest.mark.parametrize("pickup", [0, 1])
def test_a_file_without_metre_is_read_in_the_one_its_notes_are_in(pickup):
    found = extract(waltz(pickup), "x", WHOLE)
    melody = found.melodies[0]
    assert (str(melody.time_signature), melody.pickup, melody.bars) == ("3/4", 24 * pickup, 16)
    assert any(remark.startswith("metre estimated") and "3/4" in remark for remark in found.remarks)


def test_what_is_given_counts_whatever_a_file_says():
    raw = waltz(0, meta=[(0, metre(4, 4))])
    assert str(extract(raw, "x").melodies[0].time_signature) == "4/4"
    told = replace(WHOLE, meter="6/8", key="A minor", pickup=0.5)
    found = extract(raw, "x", told)
    melody = found.melodies[0]
    assert (str(melody.time_signature), melody.pickup, melody.key) == ("6/8", 12, Key(9, "minor"))
    assert not any("estimated" in remark for remark in found.remarks)


@pytest.mark.parametrize("wish", [{"meter": "3-4"}, {"key": "H"}, {"pickup": -1.0}, {"meter": "3/4", "pickup": 3.0}])
def test_wishes_that_cannot_be_are_told(wish):
    with pytest.raises(UsageError):
        replace(WHOLE, **wish)


def test_a_metre_that_comes_later_is_assumed_before_it_and_not_called_an_estimate():
    found = extract(waltz(0, meta=[(6, metre(3, 4))]), "x", WHOLE)
    assert str(found.melodies[0].time_signature) == "3/4"
    assert METRE_ASSUMED in found.remarks
    assert not any(remark.startswith("metre estimated") for remark in found.remarks)


def test_a_metre_that_the_notes_plainly_deny_does_not_count_and_that_is_said_in_one_remark():
    found = extract(waltz(1, meta=[(0, metre(4, 4))]), "x", WHOLE)
    assert (str(found.melodies[0].time_signature), found.melodies[0].pickup) == ("3/4", 24)
    [remark] = [text for text in found.remarks if "metre" in text]
    assert remark.startswith("metre estimated against the 4/4 stated, unsure: 3/4 after a pickup of 1 quarter")
    assert told_chance(remark)[0] == "metre"


@pytest.mark.parametrize(("config", "stated"), [(WHOLE, (3, 4)), (ExtractionConfig(), (4, 4))])
def test_a_metre_that_is_true_counts_and_so_does_any_in_a_folder(config, stated):
    found = extract(waltz(0, meta=[(0, metre(*stated))]), "x", config)
    assert str(found.melodies[0].time_signature) == f"{stated[0]}/4"
    assert not any("estimated against" in remark for remark in found.remarks)
