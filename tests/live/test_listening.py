"""What is played, on the grid."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru.live.listening import LONGEST_HELD, Listener, Played, quantized
from melodygru.music.melody import Note
from melodygru.music.theory import TimeSignature

FOUR = TimeSignature(4, 4)


@st.composite
def lines(draw):
    """Notes on sixteenths, legato or with rests."""
    notes, at = [], 0
    while at < 192:
        duration = draw(st.sampled_from((6, 12, 18, 24, 48)))
        if draw(st.integers(0, 4)):
            notes.append(Note(draw(st.integers(40, 90)), at, min(duration, 192 - at)))
        at += duration
    return tuple(notes)


@given(lines(), st.integers(0, 2**32), st.sampled_from((0, 96, 960)))
def test_a_line_played_with_small_errors_is_heard_as_it_was_meant(line, seed, start):
    import random

    chance = random.Random(seed)

    def off():
        return chance.uniform(-0.7, 0.7)

    played = [Played(n.pitch, 80, start + n.onset + off(), start + n.end + off()) for n in line]
    assert quantized(played, start, start + 192, FOUR) == line


def test_triplets_are_heard_where_they_are_clear():
    played = [Played(60 + i, 80, at + 0.4, at + 7.5) for i, at in enumerate((0, 8, 16, 24, 36))]
    assert [note.onset for note in quantized(played, 0, 96, FOUR)] == [0, 8, 16, 24, 36]


def test_compound_beats_have_their_sixths():
    played = [Played(60 + i, 80, at + 0.6, at + 5) for i, at in enumerate((0, 12, 24, 36, 54, 66))]
    assert [note.onset for note in quantized(played, 0, 72, TimeSignature(6, 8))] == [0, 12, 24, 36, 54, 66]


def test_of_notes_struck_together_the_highest_is_the_lines():
    played = [Played(48, 80, 0.0, 20), Played(64, 80, 0.5, 20), Played(60, 80, 0.9, 20)]
    assert quantized(played, 0, 96, FOUR) == (Note(64, 0, 18),)


def test_a_note_shortly_before_the_bar_line_is_the_bars():
    early = Played(60, 80, 94.0, 118)
    assert quantized([early], 96, 192, FOUR) == (Note(60, 0, 24),)
    assert quantized([early], 0, 96, FOUR) == ()


@given(st.lists(st.tuples(st.floats(0, 400), st.floats(0, 900), st.integers(0, 127)), max_size=60))
def test_whatever_is_played_becomes_notes_that_do_not_overlap(notes):
    played = sorted((Played(pitch, 80, on, on + held) for on, held, pitch in notes), key=lambda note: note.onset)
    found = quantized(played, 96, 288, FOUR)
    end = 0
    for note in found:
        assert end <= note.onset < note.end <= 192
        end = note.end


def test_keys_are_remembered_until_they_go_up():
    listener = Listener()
    listener.note_on(10.0, 60, 90)
    listener.note_on(20.0, 64, 70)
    assert listener.held == {60, 64}
    assert listener.silent_since is None
    assert listener.note_off(30.0, 60) == Played(60, 90, 10.0, 30.0)
    assert listener.note_off(30.0, 61) is None
    assert [note.end for note in listener.played(0, 40.0)] == [30.0, 40.0]
    assert [note.pitch for note in listener.played(15, 40.0)] == [64]
    assert listener.velocity(0, 40.0) == 80
    listener.note_on(50.0, 64, 1)  # whose note-off was lost
    assert listener.held == {64}
    listener.release(60.0)
    assert listener.held == frozenset()
    assert listener.silent_since == 60.0
    listener.forget()
    assert listener.played(0, 99) == []
    assert listener.velocity(0, 99) == 80


def test_a_key_that_is_held_for_ever_is_let_go():
    listener = Listener()
    listener.note_on(0.0, 60, 90)
    listener.expire(float(LONGEST_HELD))
    assert listener.held == {60}
    listener.expire(LONGEST_HELD + 1.0)
    assert listener.held == frozenset()


def test_a_line_is_counted_from_its_bar():
    listener = Listener()
    for step, pitch in ((96.4, 60), (120.0, 62), (143.0, 64)):
        listener.note_on(step, pitch, 80)
        listener.note_off(step + 23, pitch)
    assert [(note.onset, note.pitch) for note in listener.line(96, 192, 170.0, FOUR)] == [(0, 60), (24, 62), (48, 64)]
    assert listener.line(192, 288, 300.0, FOUR) == ()


@pytest.mark.parametrize("metre", ["4/4", "3/4", "6/8", "5/4", "7/8", "2/2"])
def test_onsets_on_beats_stay_there_in_every_metre(metre):
    metre = TimeSignature.parse(metre)
    beats = range(0, metre.bar_steps, metre.beat_steps)
    played = [Played(60, 80, at + 0.5, at + metre.beat_steps - 1) for at in beats]
    assert [note.onset for note in quantized(played, 0, metre.bar_steps, metre)] == list(beats)
