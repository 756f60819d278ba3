"""Half a key and the chords that complete it; chords written as they are typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru.music.chords import Chord, ChordSpan, parse_progression
from melodygru.music.melody import Melody, Note
from melodygru.music.theory import Key, TimeSignature
from melodygru.studio.around import as_text, tracks_of
from melodygru.studio.keys import meant_key
from melodygru.studio.messages import Lane
from melodygru.writing.layout import chords_under

FOUR = TimeSignature()


@pytest.mark.parametrize(
    ("chords", "mode", "key"),
    [
        ("Am F C G", "minor", "A minor"),
        ("Am F C G", "major", "C major"),
        ("C G Am F", "minor", "A minor"),
        ("Em C G D", "major", "G major"),
        ("Am Dm E7 Am", "minor", "A minor"),
        ("F Bb C F", "mixolydian", "C mixolydian"),
    ],
)
def test_a_mode_takes_its_tonic_from_the_chords(chords, mode, key):
    assert str(meant_key(None, mode, parse_progression(chords, FOUR))) == key


def test_a_tonic_takes_its_mode_from_the_chords_and_a_melody_goes_before():
    chords = parse_progression("Am F C G", FOUR)
    assert str(meant_key("A", None, chords)) == "A minor"
    assert str(meant_key("Bb", None)) == "Bb major"
    assert meant_key("Gb", "major").written == "Gb"
    own = Key.parse("E dorian")
    assert meant_key("E", None, chords, own) == own
    assert str(meant_key(None, "minor", chords, own)) == "E minor"
    assert str(meant_key(None, "minor")) == "C minor"


@given(
    metre=st.sampled_from(["4/4", "3/4", "6/8", "5/4", "2/4", "12/8"]),
    pickup=st.booleans(),
    symbols=st.lists(st.sampled_from(["Am", "F", "C/G", "G7", "Bdim", "N.C."]), min_size=1, max_size=40),
)
def test_chords_are_read_again_as_they_are_written(metre, pickup, symbols):
    time = TimeSignature.parse(metre)
    bar, beat = time.bar_steps, time.beat_steps
    bars = -(-len(symbols) * beat // bar)
    notes = (Note(60, bar - beat, beat),) if pickup else ()
    melody = Melody(notes, time, pickup=beat if pickup else 0, bars=bars)
    origin = bar if pickup else 0
    spans = [
        ChordSpan(origin + at * beat, origin + (at + 1) * beat, None if one == "N.C." else Chord.parse(one))
        for at, one in enumerate(symbols)
    ]
    again = chords_under(parse_progression(as_text(spans, melody), time), melody)
    assert len(again) > 0
    for span in spans:
        (there,) = [one for one in again if one.onset <= span.onset < one.end]
        assert there.chord == span.chord


def test_lanes_are_cut_to_the_melody_and_no_note_sounds_into_the_next():
    melody = Melody((), FOUR, bars=1)
    lane = Lane(part="bass", program=33, notes=[(24, 500, 40, 0), (0, 48, 40, -3), (96, 24, 40, 0), (24, 24, 41, 0)])
    (track,) = tracks_of([lane], melody)
    assert [(one.onset, one.end, one.pitch) for one in track.strokes] == [(0, 24, 40), (24, 48, 41), (24, 96, 40)]
