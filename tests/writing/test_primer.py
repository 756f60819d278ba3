"""Going on from something: in its key, metre, tempo and octave, on its bar line."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru import Key, Melody, Note, TimeSignature, load_model
from melodygru.errors import UsageError
from melodygru.formats.reading import read_melodies
from melodygru.writing.primer import first_bars, parse_notes, read_primer
from tests.command_line import run

FOUR = TimeSignature(4, 4)
SONG = Melody(
    tuple(Note(pitch, 24 * i, 24) for i, pitch in enumerate([74, 76, 78, 79, 81, 79, 78, 76, 74, 78, 81, 86])),
    TimeSignature(3, 4),
    Key.parse("D"),
    90.0,
)


def triples(melody):
    return [(note.pitch, note.onset, note.duration) for note in melody.notes]


def test_notes_are_typed_as_pitch_and_value():
    melody = parse_notes("C4/4 D4/8. E4/16 r/4 F#5/8t Bb3/2 e4/1", FOUR)
    assert triples(melody) == [
        *((60, 0, 24), (62, 24, 18), (64, 42, 6)),
        *((78, 72, 8), (58, 80, 48), (64, 128, 96)),
    ]
    assert parse_notes("A4/4.. r/16", FOUR).notes[0].duration == 42
    assert str(parse_notes("A4/4 C5/4 E5/4 A4/2", FOUR).key) == "A minor"
    assert str(parse_notes("A4/4", FOUR, Key.parse("D")).key) == "D major"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("C4/4 X4/4", "Note 2 of --primer-notes, 'X4/4'"),
        ("C4", "Note 1 of --primer-notes, 'C4'"),
        ("C4/0", "'C4/0'"),
        ("C4/7", "'C4/7'"),
        ("C4/64..", "'C4/64..'"),
        ("", "has no notes"),
        ("r/4 r/4", "has no notes"),
        ("r/1 C4/4", "begins with a bar of silence"),
        ("C99/4", "C99"),
    ],
)
def test_what_cannot_be_read_is_named(text, words):
    with pytest.raises(UsageError) as error:
        parse_notes(text, FOUR)
    assert words in str(error.value)


@given(st.integers(1, 4))
def test_the_first_bars_are_cut_at_the_bar_line(bars):
    cut = first_bars(SONG, bars)
    assert cut.bars == bars
    assert triples(cut) == [note for note in triples(SONG) if note[1] < bars * 72]
    held = Melody((Note(60, 0, 200),), FOUR)
    assert triples(first_bars(held, 1)) == [(60, 0, 96)]
    with pytest.raises(UsageError, match="primer-bars is 5, and the primer has 4"):
        first_bars(SONG, 5)


@pytest.mark.parametrize("pickup", [0, 24])
def test_a_continuation_keeps_the_primer_and_its_ways(here, pickup):
    song = SONG
    if pickup:
        notes = tuple(Note(n.pitch, n.onset + 48, n.duration) for n in SONG.notes)
        song = Melody(notes, SONG.time_signature, SONG.key, SONG.qpm, pickup=pickup)
    song.save("song.mid")
    primer = read_primer("song.mid", 2)
    for melody in load_model("toy").generate_many(5, 8, primer=primer, seed=1):
        assert (str(melody.key), str(melody.time_signature), round(melody.qpm, 3)) == ("D major", "3/4", 90.0)
        assert (melody.bars, melody.pickup) == (8, pickup)
        kept = len(primer.notes)
        assert melody.notes[:kept] == primer.notes
        assert len(melody.notes) > kept
        low, high = min(n.pitch for n in primer.notes), max(n.pitch for n in primer.notes)
        assert all(low - 7 <= note.pitch <= high + 7 for note in melody.notes)
        assert melody.notes[-1].pitch % 12 == 2


def test_a_primer_that_ends_in_mid_bar_is_completed():
    primer = parse_notes("C4/4 E4/4 G4/8", FOUR)
    model = load_model("folk")
    for melody in model.generate_many(5, 4, primer=primer, seed=2):
        assert melody.notes[:3] == primer.notes
        assert melody.notes[3].onset >= 60
        assert melody.bars == 4
    for melody in model.generate_many(5, 4, primer=primer, include_primer=False, seed=2):
        assert melody.bars == 4
        assert melody.notes[0].onset >= 60  # the bar that the primer began is there, and silent up to its end
        assert melody.length == 4 * 96


def test_without_the_primer_the_file_begins_on_its_bar_line(here):
    SONG.save("song.mid")
    options = ["--primer", "song.mid", "--no-include-primer", "--bars", 6, "--seed", 3, "--model", "toy"]
    assert run("generate", *options, "a.mid") == 0
    new = read_melodies("a.mid")[0]
    assert new.length <= 6 * 72
    kept = load_model("toy").generate(10, primer=SONG, seed=3)
    tail = [(p, at - 4 * 72, d) for p, at, d in triples(kept) if at >= 4 * 72]
    cut = load_model("toy").generate(6, primer=SONG, include_primer=False, seed=3)
    assert triples(cut) == tail
    assert cut.bars == 6


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--meter", "4/4"], "--meter 4/4 and the primer contradict each other: the primer is in 3/4"),
        (["--pickup", "1/4"], "--pickup and --primer contradict each other"),
        (["--bars", "3"], "The primer has 4 bars, and --bars is 3"),
        (["--form", "AABA", "--section-bars", "2"], "longer than the form's first section"),
        (["--primer-bars", "9"], "primer-bars is 9"),
    ],
)
def test_what_a_primer_does_not_go_with_is_said(here, capsys, options, words):
    SONG.save("song.mid")
    assert run("generate", "--model", "toy", "--primer", "song.mid", *options, "a.mid") == 2
    assert words in " ".join(capsys.readouterr().err.split())
    assert not Path("a.mid").exists()


def test_a_primer_that_fills_all_bars_but_its_pickup_s_place_is_told_as_that(here):
    made = load_model("toy").generate(4, seed=1, pickup="1/4")
    last = replace(made.notes[-1], duration=made.length - made.pickup - made.notes[-1].onset)
    with pytest.raises(UsageError, match="The primer has 4 bars, and --bars is 4"):
        load_model("toy").generate(4, primer=replace(made, notes=(*made.notes[:-1], last)), seed=1)


def test_a_key_that_is_said_is_believed_over_the_primers(here):
    SONG.save("song.mid")
    assert str(read_primer("song.mid", key=Key.parse("B minor")).key) == "B minor"
