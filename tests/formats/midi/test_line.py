"""The notes of a part as one line."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru.formats.midi.chunks import RawNote
from melodygru.formats.midi.line import one_line, sounding
from melodygru.formats.midi.parser import RawFile, RawTrack

Q = 480
TUNE = (60, 64, 67, 72, 71, 69, 67, 65, 64, 62, 60, 62, 64, 65, 67, 60)


def notes(*told):
    """(onset, end, pitch) in quarters, in order of onset."""
    return sorted(RawNote(round(onset * Q), round(end * Q), pitch, 80, 0) for onset, end, pitch in told)


def line(*told):
    found, _ = one_line(notes(*told), Q)
    return [(note.onset / Q, note.end / Q, note.pitch) for note in found]


def in_turn(pitches, every=1.0, lasts=None):
    return [(i * every, i * every + (lasts or every), pitch) for i, pitch in enumerate(pitches)]


@pytest.mark.parametrize("lasts", [1.0, 1.2, 1.5, 2.0, 3.5, 4.0])
@pytest.mark.parametrize("pitches", [TUNE, TUNE[::-1], tuple(range(80, 60, -1))])
def test_strings_that_ring_on_are_one_line(pitches, lasts):
    assert line(*in_turn(pitches, lasts=lasts)) == [
        *in_turn(pitches[:-1]), (len(pitches) - 1, len(pitches) - 1 + lasts, pitches[-1])
    ]  # fmt: skip


def test_a_double_stop_in_a_ringing_line_leaves_its_top():
    assert line(*in_turn(TUNE, lasts=2.0), (5, 7, 57))[:6] == in_turn(TUNE[:6])


def test_a_held_melody_over_moving_notes_is_its_top():
    tune = in_turn(TUNE, every=2.0)
    below = [(2 * i + j / 2, 2 * i + j / 2 + 0.5, 48 + j) for i in range(len(TUNE)) for j in range(4)]
    assert line(*tune, *below) == tune


def test_notes_off_the_beat_under_a_melody_are_not_of_it():
    tune = in_turn(TUNE)
    assert line(*tune, *((i + 0.5, i + 1, 50) for i in range(len(TUNE)))) == tune


def test_a_drone_below_leaves_the_line():
    tune = in_turn(TUNE)
    assert line(*tune, (0, len(TUNE), 36)) == tune


def test_thirds_are_their_top():
    assert line(*in_turn(TUNE), *in_turn([pitch - 4 for pitch in TUNE])) == in_turn(TUNE)


@pytest.mark.parametrize("late", [0.01, 0.04, 0.08])
def test_a_bass_struck_a_little_before_the_melody_is_not_of_the_line(late):
    """As pianists strike: the melody note is neither lost nor cut, on strong beats either."""
    tune = [(i + late, i + 1, 72 + pitch - 60) for i, pitch in enumerate(TUNE)]
    bass = [(i, i + 1.0, 40 + i % 5) for i in range(len(TUNE))]
    found = line(*tune, *bass)
    assert [pitch for _, _, pitch in found] == [pitch for _, _, pitch in tune]
    assert [onset for onset, _, _ in found] == pytest.approx([onset for onset, _, _ in tune], abs=1 / Q)


def test_of_a_rolled_chord_the_top_is_left():
    chords = [(4 * bar + i * 0.08, 4 * bar + 4, pitch) for bar in range(4) for i, pitch in enumerate((48, 55, 64, 72))]
    beside = [(4 * bar + 2, 4 * bar + 4, 40) for bar in range(4)] + [(4 * bar + 2, 4 * bar + 4, 43) for bar in range(4)]
    assert [pitch for _, _, pitch in line(*chords, *beside)] == [72] * 4


def test_an_accompaniment_does_not_fill_the_rests_of_the_melody():
    tune = [(2 * i, 2 * i + 1.0, pitch + 12) for i, pitch in enumerate(TUNE)]
    left = [(i, i + 1.0, pitch) for i in range(2 * len(TUNE)) for pitch in (40, 47)]
    assert line(*tune, *left) == tune


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 20), st.integers(40, 90)), min_size=1, max_size=40))
def test_whatever_the_notes_the_line_is_one_and_of_them(told):
    given_notes = sorted(RawNote(onset, onset + length, pitch, 80, 0) for onset, length, pitch in told)
    found, _ = one_line(given_notes, 12)
    assert found
    for one, two in pairwise(found):
        assert one.end <= two.onset
    began = {(note.onset, note.pitch) for note in given_notes}
    assert all((note.onset, note.pitch) in began and note.end > note.onset for note in found)


def test_strokes_of_no_length_are_silent_where_others_sound():
    real, silent = (RawNote(0, 10, 60, 80, 0), RawNote(10, 20, 62, 80, 0)), RawNote(10, 10, 90, 80, 0)
    mixed, triggers = RawTrack(1, "", (*real, silent)), RawTrack(2, "", (silent, silent._replace(onset=20, end=20)))
    heard = sounding(RawFile(480, (mixed, triggers), (), (), (), None, (), ()))
    assert heard.tracks[0].notes == real
    assert heard.tracks[1].notes == triggers.notes
