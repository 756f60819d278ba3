import numpy as np
import pytest
from hypothesis import given

from melodygru import Key, Melody, Note, TimeSignature
from melodygru.errors import DataError
from melodygru.network.config import TokenizerConfig
from melodygru.network.tokenizer import END, REST, TIE, Events, PieceMeta, Tokenizer, describe, note_value
from tests.strategies import melodies

WALTZ = TimeSignature(3, 4)


def pairs(events):
    return list(zip(events.durations.tolist(), events.pitches.tolist(), strict=True))


@given(melodies())
def test_any_melody_on_the_grid_comes_back_identical(melody):
    tokenizer = Tokenizer()
    assert tokenizer.decode(tokenizer.encode(melody), melody.qpm, melody.name) == melody


@given(melodies())
def test_a_smaller_vocabulary_loses_nothing(melody):
    tokenizer = Tokenizer(TokenizerConfig(max_duration=24))
    events = tokenizer.encode(melody)
    assert events.durations.max() <= 24
    assert tokenizer.decode(events, melody.qpm, melody.name) == melody


@given(melodies())
def test_classes_are_in_range_and_end_comes_last(melody):
    events = Tokenizer().encode(melody)
    assert events.durations[-1] == END
    assert (events.durations[:-1] > 0).all()
    assert (events.durations <= 192).all()
    assert ((events.pitches >= 0) & (events.pitches <= TIE)).all()
    assert events.notes == len(melody.notes)


def test_a_pickup_is_a_rest_then_notes():
    melody = Melody((Note(60, 60, 12), Note(62, 72, 72)), WALTZ, pickup=12)
    events = Tokenizer().encode(melody)
    assert pairs(events) == [(60, REST), (12, 60), (72, 62), (END, REST)]
    assert events.meta == PieceMeta(WALTZ, Key(), 1, True)


def test_long_notes_are_tied_and_silent_bars_are_rests():
    events = Tokenizer().encode(Melody((Note(60, 0, 200),), bars=6))
    assert pairs(events) == [(192, 60), (8, TIE), (192, REST), (88, REST), (END, REST)]


def test_silence_within_the_last_bar_is_left_to_end():
    assert pairs(Tokenizer().encode(Melody((Note(60, 0, 24),)))) == [(24, 60), (END, REST)]


@pytest.mark.parametrize(
    "bad",
    [
        [],
        [(24, 60)],
        [(END, REST), (24, 60), (END, REST)],
        [(24, TIE), (END, REST)],
        [(24, 60), (24, REST), (24, TIE), (END, REST)],
        [(192, 60), (END, REST)],
    ],
)
def test_events_that_are_no_melody_are_refused(bad):
    durations, pitches = np.array([d for d, _ in bad], int), np.array([p for _, p in bad], int)
    with pytest.raises(DataError):
        Tokenizer().decode(Events(durations, pitches, PieceMeta(bars=1)))


def test_a_person_can_read_the_events():
    melody = Melody((Note(58, 60, 12), Note(62, 72, 36), Note(65, 108, 8)), WALTZ, Key.parse("Bb"), pickup=12)
    rows = describe(Tokenizer().encode(melody))
    assert [tuple(row) for row in rows] == [
        (0, "1", "rest", "2.5 quarters", 60),
        (0, "3+1/2", "Bb3", "eighth", 12),
        (1, "1", "D4", "dotted quarter", 36),
        (1, "2+1/2", "F4", "triplet eighth", 8),
        (1, "2+5/6", "end", "", 0),
    ]


@pytest.mark.parametrize(
    ("steps", "name"), [(96, "whole"), (72, "dotted half"), (24, "quarter"), (16, "triplet quarter"), (3, "32nd")]
)
def test_durations_have_their_usual_names(steps, name):
    assert note_value(steps) == name
