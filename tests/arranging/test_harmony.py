"""Chords for melodies: what holds for any, and what people would put under tunes that everybody knows."""

from dataclasses import replace
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru import Key, Melody, Note, TimeSignature, harmonize
from melodygru.arranging.beats import beat_count
from melodygru.arranging.harmony import DIFFERENT_BARS, STYLES
from melodygru.arranging.repeats import beats_alike
from melodygru.errors import UsageError
from tests.strategies import melodies
from tests.tunes import tune

WAYS = st.sampled_from([None, *STYLES])


def of_text(text, metre="4/4", key="C major", pickup=0, unit=24):
    """A melody of notes such as "60:2", each so many units long; "r:1" is a rest."""
    metre = TimeSignature.parse(metre)
    at, notes = metre.bar_steps - pickup if pickup else 0, []
    for token in text.split():
        pitch, _, length = token.partition(":")
        steps = int(float(length or 1) * unit)
        if pitch != "r":
            notes.append(Note(int(pitch), at, steps))
        at += steps
    return Melody(tuple(notes), metre, Key.parse(key), pickup=pickup)


TWINKLE = of_text("60 60 67 67 69 69 67:2 65 65 64 64 62 62 60:2")
JOY = of_text(
    "64 64 65 67 67 65 64 62 60 60 62 64 64:1.5 62:.5 62:2 64 64 65 67 67 65 64 62 60 60 62 64 62:1.5 60:.5 60:2"
)
AMAZING = of_text(
    "62 67:2 71:.5 67:.5 71:2 69 67:2 64 62:2 62 67:2 71:.5 67:.5 71:2 69 74:5", "3/4", "G major", pickup=24
)
MINOR = of_text("69 72:2 71 69:2 68 69 71 72 71:2 64 72:2 71 69:2 68 69 68 69 69:2", "3/4", "A minor", pickup=24)


def roots(way, melody):
    """The root at each step from bar 1 on, None where there is no chord."""
    begin = melody.time_signature.bar_steps if melody.pickup else 0
    return [
        None if span.chord is None else span.chord.root
        for span in way.chords
        for at in range(span.onset, span.end)
        if at >= begin
    ]


@given(melodies(max_notes=12, min_notes=1), WAYS, st.sampled_from([None, 1, 2]))
def test_chords_cover_any_melody_without_a_gap_and_change_where_they_may(melody, style, per_bar):
    [way] = harmonize(melody, style=style, chords_per_bar=per_bar)
    bar, beat = melody.time_signature.bar_steps, melody.time_signature.beat_steps
    begin = bar - melody.pickup if melody.pickup else 0
    assert (way.chords[0].onset, way.chords[-1].end) == (begin, melody.length)
    for one, two in pairwise(way.chords):
        assert one.end == two.onset
        assert one.chord != two.chord
        assert two.onset % beat == 0
    assert all(span.onset < span.end for span in way.chords)
    assert all(span.chord is not None for span in way.chords if span.onset >= bar or not melody.pickup)
    assert way.nats >= 0
    most = per_bar or (STYLES[style].chords_per_bar if style else None)
    if most is not None:
        starts = [span.onset // bar for span in way.chords]
        assert max(starts.count(number) for number in starts) <= most + bool(melody.pickup)


@given(melodies(max_notes=10, min_notes=1, low=20, high=100), st.integers(-11, 11), WAYS)
def test_a_melody_moved_has_its_chords_moved(melody, semitones, style):
    one, two = (harmonize(moved, style=style)[0] for moved in (melody, melody.transpose(semitones)))
    assert roots(two, melody) == [None if r is None else (r + semitones) % 12 for r in roots(one, melody)]
    assert [span.onset for span in one.chords] == [span.onset for span in two.chords]


@given(st.integers(0, 50), st.integers(0, 3), WAYS)
def test_ways_differ_and_are_the_same_by_seed(number, seed, style):
    melody = tune(number, bars=8)
    ways = harmonize(melody, style=style, count=4, seed=seed)
    assert ways == harmonize(melody, style=style, count=4, seed=seed)
    assert ways[:1] == harmonize(melody, style=style)
    bar = melody.time_signature.bar_steps
    for one, two in combinations([roots(way, melody) for way in ways], 2):
        different = sum(one[at : at + bar] != two[at : at + bar] for at in range(0, melody.length, bar))
        assert different / melody.bars >= DIFFERENT_BARS


def test_the_first_way_does_not_depend_on_the_seed_and_others_do():
    ways = [harmonize(JOY, style="song", count=3, seed=seed) for seed in range(4)]
    assert len({found[0] for found in ways}) == 1
    assert len({found[1:] for found in ways}) > 1


@pytest.mark.parametrize("style", [None, *STYLES])
@pytest.mark.parametrize(("melody", "tonic"), [(TWINKLE, 0), (JOY, 0), (MINOR, 9)])
def test_known_tunes_begin_and_end_at_home_by_the_dominant(melody, tonic, style):
    chords = [span.chord for span in harmonize(melody, style=style)[0].chords if span.chord]
    assert (chords[0].root, chords[-1].root) == (tonic, tonic)
    before = next(chord for chord in reversed(chords) if chord.root != tonic)
    assert (before.root - tonic) % 12 in (7, 11)


@pytest.mark.parametrize("style", [None, "hymn", "folk", "standard"])
def test_amazing_grace_goes_to_the_fourth_degree_and_to_the_dominant(style):
    found = roots(harmonize(AMAZING, style=style)[0], AMAZING)
    bar = AMAZING.time_signature.bar_steps
    assert 0 in found[2 * bar : 3 * bar]
    assert 2 in found[6 * bar :]


def test_folk_tunes_get_plain_chords_and_standards_others():
    plain = {len(span.chord.tones) for span in harmonize(JOY, style="folk")[0].chords}
    assert plain <= {3, 4}
    qualities = {
        span.chord.symbol.lstrip("ABCDEFG#b")
        for number in range(6)
        for span in harmonize(tune(number, 8), style="folk")[0].chords
    }
    assert qualities <= {"", "m", "7", "dim"}


@pytest.mark.parametrize("metre", ["5/4", "2/2", "6/8", "9/8", "3/8", "7/8", "1/1"])
def test_a_single_note_has_the_tonic_chord(metre):
    melody = Melody((Note(62, 0, 12),), TimeSignature.parse(metre), Key.parse("D minor"))
    ways = harmonize(melody, count=3)
    assert [span.chord.symbol for span in ways[0].chords] == ["Dm"]
    assert len(ways) == 1


@given(st.integers(0, 60), st.sampled_from([None, "standard"]))
def test_what_comes_again_between_the_same_bars_has_the_same_chords(number, style):
    once = tune(number, bars=4)
    again = [replace(note, onset=note.onset + once.length) for note in once.notes]
    twice = replace(
        once, notes=(*once.notes, *again, *(replace(n, onset=n.onset + once.length) for n in again)), bars=12
    )
    beats = once.time_signature.bar_steps // once.time_signature.beat_steps
    assert [beats, 5 * beats, 9 * beats] in [group[:, 0].tolist() for group in beats_alike(twice)]
    found = roots(harmonize(twice, style=style)[0], twice)
    bar = once.time_signature.bar_steps
    assert found[2 * bar : 3 * bar] == found[6 * bar : 7 * bar]


def test_no_beat_of_silence_is_left_without_a_chord():
    melody = of_text("60:4 r:8 67:2 60:2")
    assert roots(harmonize(melody)[0], melody)[-1] == 0


def test_keys_are_spelled_as_they_are_said():
    [way] = harmonize(TWINKLE.transpose(6), key=Key.parse("Gb", as_written=True))
    assert way.chords[0].chord.symbol == "Gb"


@pytest.mark.parametrize(
    ("wishes", "words"),
    [
        ({"style": "polka"}, "choose one of hymn, song, standard"),
        ({"chords_per_bar": 3}, "choose 1, 2, or auto"),
        ({"count": 0}, "from 1 to 16"),
        ({"count": 17}, "from 1 to 16"),
        ({"seed": -1}, "choose a number from 0 on"),
    ],
)
def test_wishes_that_cannot_be_are_refused(wishes, words):
    with pytest.raises(UsageError, match=words):
        harmonize(TWINKLE, **wishes)


def test_melodies_without_notes_and_endless_ones_are_refused():
    with pytest.raises(UsageError, match="has no notes"):
        harmonize(Melody(()))
    endless = Melody((Note(60, 0, 24),), bars=20_000)
    assert beat_count(endless) == 80_000
    with pytest.raises(UsageError, match="up to 50,000"):
        harmonize(endless)
