"""The right part is the melody: by its notes, by its name in any script, never by where it stands in the file."""

import os
import random
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melodygru.errors import MidiError
from melodygru.formats.midi.extraction import ExtractionConfig, extract
from melodygru.formats.midi.parser import RawFile, RawNote, RawTrack, read_midi
from melodygru.formats.midi.part_features import FEATURES, features
from melodygru.formats.midi.part_names import name_claim
from melodygru.formats.midi.track_weights import WEIGHTS
from melodygru.formats.midi.tracks import choose_melody, likeliest_melodies, melodic_parts, probabilities

QUARTER = 480
TUNE = [67, 69, 71, 72, 74, 72, 71, 69, 67, 64, 65, 67, 69, 67, 65, 64]
LABELS = Path(__file__).parent / "game_melodies.tsv"


def track(number, name, notes, channel=None, program=None, lyrics=0):
    """A track; notes as (onset, end, pitch) in quarters."""
    channel = number - 1 if channel is None else channel
    made = tuple(sorted(RawNote(round(a * QUARTER), round(b * QUARTER), p, 80, channel) for a, b, p in notes))
    return RawTrack(number, name, made, {} if program is None else {channel: program}, lyrics)


def file(*tracks):
    return RawFile(QUARTER, tuple(tracks), ((0, 500_000),), ((0, 4, 4),), (), None, (), ())


def line(pitches, length=1.0, start=0.0, gap=0.0):
    return [(start + i * length, start + (i + 1) * length - gap, pitch) for i, pitch in enumerate(pitches)]


def shift(pitches, by):
    return [pitch + by for pitch in pitches]


FILLS = line([69, 71, 72, 74, 76, 74, 72, 71] * 8, 0.5)
LOW_TUNE = line([50, 52, 53, 55, 57, 55, 53, 52] * 4)
CHORDS = [(bar * 4, bar * 4 + 4, pitch) for bar in range(8) for pitch in (48, 52, 55)]
BASS = line([36, 36, 43, 43, 41, 41, 43, 43] * 4)

MELODIES = (
    "Melody", "MELODY", "Melo.", "melody_line", "LeadMelody", "MELODY1", "VOCAL1", "Lead_Vox", "Vo.", "Vocals",
    "LeadVocal", "vox lead", "Voice", "MELODÍA", "Melodía", "Mélodie", "Melodie", "melodia", "Hauptmelodie",
    "Melodi", "Canto", "Cantus", "Gesang", "Singstimme", "Voz", "Voce", "Voix", "Chant", "Zang", "Zpěv", "Śpiew",
    "Głos", "Sång", "Laulu", "Ének", "Мелодия", "МЕЛОДІЯ", "Вокал", "Голос", "Μελωδία", "メロディ", "メロディー",
    "ﾒﾛﾃﾞｨ", "主旋律", "旋律", "歌", "ボーカル", "人声", "主唱", "멜로디", "보컬", "Ｍｅｌｏｄｙ", "Sopran", "Soprano",
    "Tune", "Theme", "Melody (Flute)", "Vocal/Guitar",
)  # fmt: skip
OTHERS = (
    "Backing Vocals", "BGV", "B.Vox", "Back Vox", "Harmony", "Counter melody", "Countermelody", "Gegenmelodie",
    "Bass", "BASS", "E-Bass", "Kontrabass", "Bajo", "Basse", "Бас", "ベース", "贝斯", "Melodic Tom", "Melody Bass",
    "Vocal Harmony", "Drums", "Schlagzeug", "Voice Oohs", "Akkorde", "Chords", "Accompaniment", "Begleitung", "伴奏",
    "コーラス", "副旋律", "반주", "LH", "Left Hand", "Violin II", "Rhythm Guitar", "Metronome",
)  # fmt: skip


@pytest.mark.parametrize("name", MELODIES)
def test_a_track_that_says_so_in_any_script_is_the_melody(name):
    raw = file(track(1, "Guitar fills", FILLS), track(2, name, LOW_TUNE))
    found = choose_melody(raw)
    assert (found.label, found.how, found.remark) == (name, "name", "")
    assert name_claim(name.upper()) == name_claim(name.lower()) == name_claim(name)


@pytest.mark.parametrize("name", OTHERS)
def test_names_of_what_accompanies_are_not_the_melody(name):
    assert name_claim(name).melody == 0
    assert name_claim(name).other >= 0.6
    voices = [track(1, name, line(TUNE * 2)), track(2, "", line(shift(TUNE[::-1] * 2, 1)))]
    assert choose_melody(file(*voices)).label == "track 2"


@pytest.mark.parametrize("name", ["Track 1", "", "My Song", "Harmonica", "Accordion", "Bassoon", "Alto Sax", "(c) 1"])
def test_names_that_say_nothing_say_nothing(name):
    assert name_claim(name) == (0, 0)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("メロディ", "cp932"),
        ("主旋律", "gbk"),
        ("主旋律", "big5"),
        ("멜로디", "euc_kr"),
        ("ボーカル", "euc_jp"),
        ("Мелодия", "cp1251"),
        ("Вокал", "koi8_r"),
        ("MELODÍA", "latin-1"),
        ("Mélodie", "mac_roman"),
        ("Śpiew", "cp1250"),
        ("MELODÍA", "utf-8"),
    ],
)
def test_names_in_other_encodings_are_read(name, codec):
    assert name_claim(name.encode(codec).decode("latin-1")).melody >= 0.9


@given(st.text(max_size=300))
def test_any_name_has_a_surety(name):
    assert all(0 <= surety <= 1 for surety in name_claim(name))


@pytest.mark.parametrize(
    ("second", "first"), [("Vocal 2", "Vocal 1"), ("Melody 2", "Melody"), ("Violin II", "Violin I")]
)
def test_the_first_of_two_is_surer(second, first):
    assert name_claim(second).melody - name_claim(second).other < name_claim(first).melody


def test_a_name_over_a_few_notes_does_not_win():
    shouts = track(2, "Vocal", line([60, 60, 60], 2.0))
    assert choose_melody(file(track(1, "Flute", line(TUNE * 4)), shouts, track(3, "Bass", BASS))).label == "Flute"


def test_a_name_that_all_tracks_have_says_nothing():
    tracks = [("", BASS), ("", line(TUNE * 2)), ("", CHORDS)]
    bare = choose_melody(file(*(track(n, name, notes) for n, (name, notes) in enumerate(tracks, 1))))
    named = choose_melody(file(*(track(n, "Melody", notes) for n, (_, notes) in enumerate(tracks, 1))))
    assert bare.notes == named.notes
    assert bare.number == 2


def test_the_upper_voice_of_four_is_the_melody():
    voices = [("Violin I", 12), ("Violin II", 2), ("Viola", -5), ("Violoncello", -17)]
    for names in (True, False):
        parts = [track(n, name * names, line(shift(TUNE * 2, by))) for n, (name, by) in enumerate(voices, 1)]
        assert choose_melody(file(*parts)).number == 1


@pytest.mark.parametrize(("name", "program"), [("Bass", None), ("", 33), ("Bass", 34), ("", None)])
def test_no_bass_is_the_melody(name, program):
    guitar = [(a, b, pitch) for a, b, root in line(shift(TUNE * 2, -14)) for pitch in (root, root + 7)]
    raw = file(track(1, name, BASS, program=program), track(2, "", guitar, program=29))
    assert choose_melody(raw).number == 2


def test_the_part_with_the_words_is_the_melody():
    raw = file(track(1, "", line(TUNE * 2)), track(2, "", LOW_TUNE, lyrics=32))
    assert choose_melody(raw).number == 2


def test_a_part_that_gives_no_piece_gives_way():
    # Phrases of four notes, with four bars of rest between them.
    pad = [note for start in range(0, 96, 24) for note in line([76, 77, 79, 81], 1.0, start)]
    raw = file(track(1, "Melody", pad), track(2, "Guitar", line(shift(TUNE * 6, -12))))
    assert [choice.label for choice in likeliest_melodies(raw)] == ["Guitar", "Melody"]
    assert extract(raw, "x").track == "Guitar"
    # With a bar of its own the pad is long enough: asked for, or for pieces of four notes.
    assert extract(raw, "x", ExtractionConfig(min_notes=4)).track == "Melody"
    with pytest.raises(MidiError, match="no stretch of 8 notes"):
        extract(raw, "x", ExtractionConfig(track="Melody"))


def test_the_next_part_is_tried_where_bars_are_short():
    # In 2/4 a rest of five quarters is over two bars: known when the metre is, that is after the choice.
    broken = [note for start in range(0, 96, 12) for note in line(TUNE[:7], 1.0, start)]
    raw = file(track(1, "Melody", broken), track(2, "", line(shift(TUNE * 6, -12))))
    raw = replace(raw, time_signatures=((0, 2, 4),))
    assert choose_melody(raw).label == "Melody"
    assert extract(raw, "x").track == "track 2"


def test_a_narrow_choice_tells_the_other():
    """Two melodies of one kind side by side: sometimes it is a close thing, and then both are named."""
    narrow = 0
    for seed in range(20):
        rng = random.Random(seed)
        first, second = ([60 + rng.choice((0, 2, 4, 5, 7, 9, 11, 12)) for _ in range(64)] for _ in range(2))
        raw = file(track(1, "Flute", line(first)), track(2, "Oboe", line(second)))
        found = choose_melody(raw)
        other = {"Flute": "Oboe", "Oboe": "Flute"}[found.label]
        if found.remark:
            narrow += 1
            assert found.remark == f"track '{found.label}' chosen narrowly over track '{other}'"
            assert extract(raw, "x").remarks[0] == found.remark
    assert 0 < narrow < 20
    # Doubled, it is no question; nor beside a bass.
    assert choose_melody(file(track(1, "Flute", line(first)), track(2, "Oboe", line(first)))).remark == ""
    assert choose_melody(file(track(1, "Flute", line(first)), track(2, "Tuba", BASS * 2))).remark == ""


@given(st.integers(0, 10_000))
@settings(max_examples=20)
def test_parts_come_in_the_order_of_their_probabilities_however_small(seed):
    below = [track(20 + n, "Bass", [(on, end, pitch - n) for on, end, pitch in BASS], n % 9) for n in range(5)]
    raw = file(*texture(seed), *below)
    parts = melodic_parts(raw)
    table, usable = features(parts, QUARTER, 8 * QUARTER, 8)
    chances = dict(zip((part.number for part in parts), probabilities(table, usable > 0), strict=True))
    found = [chances[choice.number] for choice in likeliest_melodies(raw)]
    assert all(one * 1.001 >= two for one, two in pairwise(found))


def test_long_names_are_cut_in_messages():
    raw = file(track(1, "x" * 500, line(TUNE * 2)), track(2, "y" * 500, line(TUNE[::-1] * 2)))
    with pytest.raises(MidiError) as told:
        choose_melody(raw, "nobody")
    assert len(str(told.value)) < 250
    assert f"1 {'x' * 39}…" in str(told.value)
    raw = file(track(1, "x" * 500, line(TUNE * 2)), track(2, "y" * 500, line(TUNE * 2)))
    assert len(choose_melody(raw).remark) < 250


def texture(seed):
    """A tune over what accompanies it, at random; some parts have names or programs."""
    rng = random.Random(seed)
    tune, pitch = [], 67
    for _ in range(48):
        pitch = min(84, max(55, pitch + rng.choice((-4, -2, -2, -1, 0, 1, 2, 2, 3))))
        tune.append(pitch)
    parts = [("", line(tune, rng.choice((0.5, 1.0)), rng.choice((0, 4)))), ("", BASS), ("", CHORDS)]
    parts += [(rng.choice(("", "Pad", "Guitar")), FILLS[: rng.randrange(8, 64)]) for _ in range(rng.randrange(3))]
    return [track(n, name, notes, program=rng.choice((None, 0, 48))) for n, (name, notes) in enumerate(parts, 1)]


@given(st.integers(0, 10_000), st.randoms())
@settings(max_examples=30)
def test_the_order_of_tracks_never_matters(seed, rng):
    tracks = texture(seed)
    shuffled = rng.sample(tracks, len(tracks))
    renumbered = [replace(one, number=n) for n, one in enumerate(shuffled, 1)]
    assert choose_melody(file(*renumbered)).notes == choose_melody(file(*tracks)).notes


def test_an_octave_up_or_down_rarely_matters():
    same = 0
    for seed in range(40):
        tracks = texture(seed)
        for by in (-12, 12):
            moved = [replace(one, notes=tuple(n._replace(pitch=n.pitch + by) for n in one.notes)) for one in tracks]
            same += choose_melody(file(*tracks)).number == choose_melody(file(*moved)).number
    assert same >= 72  # of 80


def test_probabilities_are_those_of_one_melody_in_a_file():
    parts = melodic_parts(file(*texture(1)))
    table, usable = features(parts, QUARTER, 8 * QUARTER, 8)
    assert table.shape == (len(parts), len(FEATURES))
    assert set(WEIGHTS) == set(FEATURES)
    assert probabilities(table, usable > 0).sum() == pytest.approx(1)
    assert list(usable) == [len({note.onset for note in part.notes}) for part in parts]


def test_channels_of_one_track_are_parts_and_programs_told_elsewhere_are_known():
    head = RawTrack(1, "", (), {0: 33, 1: 73})
    notes = track(2, "Song", BASS, 0).notes + track(2, "Song", line(TUNE * 2), 1).notes
    raw = file(head, RawTrack(2, "Song", tuple(sorted(notes))))
    assert [(part.program, len(part.notes)) for part in melodic_parts(raw)] == [(33, 32), (73, 32)]
    assert {note.channel for note in choose_melody(raw).notes} == {1}


ENSEMBLE = [
    track(1, "Low", BASS, program=33),
    track(2, "", line(TUNE * 2), program=40),
    track(3, "Top", line(shift(TUNE * 2, 12)), program=73),
    track(4, "Accomp", CHORDS, program=53),
]


@pytest.mark.parametrize(
    ("asked", "number"),
    [
        ("top", 3),
        ("1", 1),
        ("low", 1),
        ("violin", 2),
        ("Violin", 2),
        ("voice oohs", 4),
        ("program 73", 3),
        ("flute", 3),
    ],
)
def test_a_track_is_asked_for_by_number_name_or_instrument(asked, number):
    found = choose_melody(file(*ENSEMBLE), asked)
    assert (found.number, found.how) == (number, "asked")


@pytest.mark.parametrize("asked", ["tuba", "program 5", "program", "9", "  ", "program 999999999999"])
def test_what_is_not_there_is_refused_with_what_is(asked):
    with pytest.raises(MidiError, match=r"1 Low, 2, 3 Top, 4 Accomp; their instruments: .*Violin"):
        choose_melody(file(*ENSEMBLE), asked)


def test_many_tracks_are_not_all_listed():
    many = [track(n, f"Part {n}", line(TUNE), channel=0) for n in range(1, 31)]
    with pytest.raises(MidiError, match=r"12 Part 12 and 18 more\.$"):
        choose_melody(file(*many), "nothing")


@pytest.mark.slow
def test_files_of_games_that_were_judged_give_the_tracks_that_were_named():
    folder = Path(os.environ.get("MELODYGRU_CORPORA", "")) / "game"
    if "MELODYGRU_CORPORA" not in os.environ or not folder.is_dir():
        pytest.skip("MELODYGRU_CORPORA names no folder with game/, the files of game_melodies.tsv")
    right = wrong = 0
    for row in LABELS.read_text("utf-8").splitlines():
        if row.startswith("#") or row.endswith("none"):
            continue
        name, tracks = row.split("\t")
        found = choose_melody(read_midi(folder / name))
        accepted = {f"{found.number}", f"{found.number}/{found.notes[0].channel}"} & set(tracks.split())
        right, wrong = right + bool(accepted), wrong + (not accepted)
    assert right / (right + wrong) >= 0.8
