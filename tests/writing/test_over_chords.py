"""What may sound over a progression, against the rule said note by note."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru.music.chords import chord_scale, lay_out, parse_progression, strong_beats
from melodygru.music.theory import Key, TimeSignature
from melodygru.writing.constraints.base import PITCHES
from melodygru.writing.constraints.chords import OverChords

FOUR = TimeSignature(4, 4)
C_MAJOR = Key.parse("C").scale
PROGRESSIONS = ["C", "C G7", "Am F | C E7", "C | N.C. | G E7", "Dm7 | N.C. G", "F#m7b5 B7 | % | Em C"]


def classes(mask):
    """The pitch classes of a mask over pitches; every octave alike."""
    found = {pitch % 12 for pitch in np.flatnonzero(mask)}
    assert all(mask[pitch] == (pitch % 12 in found) for pitch in range(PITCHES))
    return found


def chord_at(spans, step):
    """The span that holds at a step, None outside them all."""
    return next((span for span in spans if span.onset <= step < span.end), None)


def tones_wanted(spans, metre, step):
    """Pitch classes that may be heard at a step if it is a strong beat, else None."""
    span = chord_at(spans, step)
    in_bar = (step - spans[0].onset) % metre.bar_steps
    if span is None or span.chord is None or (in_bar not in strong_beats(metre) and step != span.onset):
        return None
    return set(span.chord.tones)


pieces = st.tuples(
    st.sampled_from(PROGRESSIONS), st.sampled_from(["4/4", "3/4", "6/8", "2/4"]), st.integers(0, 2), st.integers(1, 5)
)


def laid(piece):
    text, meter, first_bar, bars = piece
    metre = TimeSignature.parse(meter)
    start = first_bar * metre.bar_steps
    return metre, lay_out(parse_progression(text, metre), start, start + bars * metre.bar_steps)


@given(pieces, st.integers(0, 600), st.booleans())
def test_a_note_begins_on_a_chord_tone_or_in_the_scale_that_follows(piece, onset, scaled):
    metre, spans = laid(piece)
    over = OverChords(spans, metre, C_MAJOR if scaled else None, 0)
    legal = over.begins(onset)
    span = chord_at(spans, onset)
    if span is None:
        assert legal is None
        return
    wanted = tones_wanted(spans, metre, onset)
    if wanted is not None:
        assert classes(legal) == wanted
    elif not scaled:
        assert legal.all()
    elif span.chord is not None:
        assert classes(legal) == chord_scale(C_MAJOR, 0, span.chord)


@given(pieces, st.integers(0, 300), st.lists(st.integers(1, 200), min_size=1, max_size=4))
def test_a_note_suits_every_strong_beat_that_it_sounds_on(piece, onset, durations):
    metre, spans = laid(piece)
    legal = OverChords(spans, metre, C_MAJOR, 0).sounds(onset, onset + np.array(durations))
    for row, duration in enumerate(durations):
        heard = [tones_wanted(spans, metre, step) for step in range(onset, onset + duration)]
        expected = set(range(12)).intersection(*(tones for tones in heard if tones is not None))
        assert legal is None or legal.shape == (len(durations), PITCHES)
        assert (set(range(12)) if legal is None else classes(legal[row])) == expected


@given(
    st.sampled_from(PROGRESSIONS),
    st.integers(0, 95),
    st.integers(1, 96),
    st.sampled_from([(0, 96), (0, 288), (48, 144), (96, 192), (96, 288)]),
    st.booleans(),
)
def test_what_is_heard_again_suits_both_places(text, onset, duration, places, scaled):
    spans = lay_out(parse_progression(text, FOUR), 0, 480)
    scale = C_MAJOR if scaled else None
    start, again = places
    away, onset = again - start, onset + start
    plain, echoed = OverChords(spans, FOUR, scale, 0), OverChords(spans, FOUR, scale, 0, [(start, start + 96, again)])
    assert (echoed.begins(onset) == (plain.begins(onset) & plain.begins(onset + away))).all()
    ends = np.array([onset + duration])
    free = np.ones((1, PITCHES), bool)
    here, there, both = (
        free if mask is None else mask
        for mask in (plain.sounds(onset, ends), plain.sounds(onset + away, ends + away), echoed.sounds(onset, ends))
    )
    assert (both == (here & there)).all()
    # What is written elsewhere is heard once.
    assert (echoed.begins(onset + 96) == plain.begins(onset + 96)).all()


def test_by_hand():
    over = OverChords(lay_out(parse_progression("C | N.C. | G E7", FOUR), 0, 288), FOUR, C_MAJOR, 0)
    assert classes(over.begins(0)) == classes(over.begins(48)) == {0, 4, 7}
    assert classes(over.begins(24)) == {0, 2, 4, 5, 7, 9, 11}
    assert over.begins(288) is None  # over
    assert classes(over.begins(240)) == {2, 4, 8, 11}
    assert classes(over.begins(252)) == {0, 2, 4, 5, 8, 9, 11}  # G# in place of G
    legal = over.sounds(24, np.array([48, 49, 97, 193]))
    assert legal[0].all()
    assert classes(legal[1]) == classes(legal[2]) == {0, 4, 7}
    assert classes(legal[3]) == {7}  # held from C into G: the tone that they share


@pytest.mark.parametrize("step", [96, 144])
def test_nothing_is_asked_on_the_strong_beats_of_no_chord(step):
    over = OverChords(lay_out(parse_progression("C | N.C.", FOUR), 0, 192), FOUR, C_MAJOR, 0)
    assert over.begins(step).all()
    assert over.sounds(step, np.array([step + 12])).all()


def test_over_a_foreign_chord_the_tonic_is_the_last_to_give_way():
    over = OverChords(lay_out(parse_progression("A7", FOUR), 0, 96), FOUR, C_MAJOR, 0)
    assert classes(over.begins(24)) == {0, 1, 4, 5, 7, 9, 11}  # C# in place of D, not of C


def test_what_is_repeated_suits_the_repeat_from_its_first_step_to_its_last():
    spans = lay_out(parse_progression("C | E7", FOUR), 0, 192)
    over = OverChords(spans, FOUR, C_MAJOR, 0, [(12, 36, 108)])
    white = {0, 2, 4, 5, 7, 9, 11}
    assert [classes(over.begins(step)) for step in (6, 12, 35, 36)] == [white, white - {7}, white - {7}, white]


def test_where_nothing_can_end_nothing_is_asked():
    over = OverChords(lay_out(parse_progression("C", FOUR), 0, 192), FOUR, C_MAJOR, 0)
    assert over.sounds(96, np.zeros(0, np.int64)) is None
