"""What a melody that is there asks of one that is written after it, by hand."""

import numpy as np
from hypothesis import given

from melodygru.music.melody import Melody, Note
from melodygru.network.config import TokenizerConfig
from melodygru.network.tokenizer import END, REST, TIE, Tokenizer
from melodygru.writing.constraints.base import PITCHES
from melodygru.writing.constraints.fidelity import AsWritten, Foreshadows, InOrder, SameContour, Unlike
from tests.strategies import melodies
from tests.under_way import progress, together

TUNE = Melody((Note(60, 0, 72), Note(64, 84, 12), Note(62, 96, 48)), bars=2)
"""Over events of at most a half note: a note with its tie, a rest, two notes, and silence up to the bar line."""


def legal(mask):
    assert mask.dtype == bool
    return np.flatnonzero(mask).tolist()


def of_pitches(*pitches):
    return np.isin(np.arange(PITCHES), pitches)


def all_but(*pitches):
    return [pitch for pitch in range(PITCHES) if pitch not in pitches]


def test_a_note_that_is_to_change_has_any_pitch_but_its_own():
    rule = Unlike(TUNE.notes[1:])
    assert rule.begins(0) is None
    assert [legal(rule.begins(onset)) for onset in (84, 96)] == [all_but(64), all_but(62)]


def test_pitches_come_in_their_order_and_none_after_the_last():
    rule = InOrder(TUNE, [(0, 96), (96, 192)])
    none, one, two = progress(), progress([(5, 60)], onset=60), progress([(5, 60), (6, 64)], onset=90)
    second = progress([(5, 60), (6, 64)], onset=96)
    assert [legal(row) for row in rule.pitches(together(none, one, two, second))] == [[60], [64], [], [62]]
    assert rule.pitches(progress([(5, 60)], onset=192)).all()


def test_a_rhythm_that_need_not_change_may_stay():
    assert InOrder(TUNE, [(0, 96)], changes=False).ends(0, np.array([72])) is None


def test_a_stretch_has_as_many_notes_as_it_had():
    rule = InOrder(TUNE, [(0, 96), (96, 192)])
    assert [rule.counts(*span) for span in ((0, 96), (96, 192), (0, 192))] == [(2, 2), (1, 1), None]


def test_the_first_note_of_a_stretch_does_not_end_where_it_did():
    rule = InOrder(TUNE, [(0, 96), (96, 192)])
    assert rule.ends(0, np.array([71, 72, 73])).tolist() == [True, False, True]
    assert rule.ends(96, np.array([144, 145])).tolist() == [False, True]
    assert rule.ends(84, np.array([96])) is None


def test_as_written_in_some_places_it_says_nothing_of_others():
    rule = AsWritten(TUNE, {1: of_pitches(62)}, 192, [(84, 96)])
    assert rule.begins(0) is None
    assert rule.ends(96, np.array([144])) is None
    assert legal(rule.begins(84)) == [62]
    assert rule.ends(84, np.array([95, 96])).tolist() == [False, True]
    assert rule.closes(192) is None


def test_as_written_everything_is_where_it_was_but_the_pitches_that_may_change():
    rule = AsWritten(TUNE, {1: of_pitches(62, 63, 65)}, 48)
    ends = np.arange(1, 200)
    found = {}
    for onset in range(200):
        if (later := ends[rule.ends(onset, ends) & (ends > onset)].tolist()) or rule.closes(onset).any():
            rests = rule.rests(onset, ends)
            assert rests.dtype == bool
            assert rests.all() == rests.any()
            found[onset] = later, legal(rule.begins(onset)), bool(rests.all()), rule.holds(onset)
            assert rule.closes(onset).all() == (onset == 144)
        else:
            assert not rule.begins(onset).any()
            assert not rule.rests(onset, ends).any()
            assert not rule.holds(onset)
    assert found == {
        0: ([48], [60], False, False),
        48: ([72], [], False, True),
        72: ([84], [], True, False),
        84: ([96], [62, 63, 65], False, False),
        96: ([144], [62], False, False),
        144: ([], [], False, False),
    }


@given(melodies())
def test_as_written_a_melody_is_event_for_event_itself(melody):
    rule = AsWritten(melody, {}, 192)
    events, at = Tokenizer(TokenizerConfig(192)).encode(melody), 0
    for duration, pitch in zip(events.durations.tolist(), events.pitches.tolist(), strict=True):
        ends = at + np.arange(1, 193)
        assert ends[rule.ends(at, ends)].tolist() == [at + duration] * (duration != END)
        assert legal(rule.begins(at)) == [pitch] * (pitch < REST)
        assert rule.rests(at, ends).all() == (pitch == REST and duration != END)
        assert rule.holds(at) == (pitch == TIE)
        assert rule.closes(at).any() == (duration == END)
        at += duration


def test_the_melody_rises_falls_and_repeats_where_it_did():
    tune = Melody((Note(60, 0, 24), Note(67, 24, 24), Note(67, 48, 24), Note(0, 72, 24)))
    ways = SameContour(tune).pitches(
        together(
            progress([(0, 50)], onset=24),
            progress([(0, 50)], onset=48),
            progress([(0, 50)], onset=72),
            progress([(0, 0)], onset=24),  # the lowest pitch of all is a pitch
            progress([(0, 50)], onset=36),  # no note stood there
            progress(onset=24),  # nothing has sounded
            progress(onset=0),  # the first note has none before it
        )
    )
    up, down = list(range(51, PITCHES)), list(range(50))
    assert [legal(row) for row in ways] == [up, [50], down, list(range(1, PITCHES)), *[all_but()] * 3]


def test_what_will_come_is_preferred_as_long_as_its_distance_before():
    rule = Foreshadows(TUNE, 60)
    where = together(progress(onset=24), progress(onset=36), progress(onset=84))
    durations = rule.duration_preference(where, 49)
    assert [{at: row[at] for at in legal(row != 0)} for row in durations] == [{12: 5.5}, {48: 5.5}, {}]
    pitches = rule.pitch_preference(where)
    assert [{at: row[at] for at in legal(row != 0)} for row in pitches] == [{64: 5.5}, {62: 5.5}, {}]
    # A note that is longer than any event may be has no duration to prefer.
    assert not rule.duration_preference(progress(onset=36), 48).any()
    assert rule.pitch_preference(progress(onset=36))[0, 62] == 5.5
