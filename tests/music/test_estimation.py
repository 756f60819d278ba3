"""Metre, bar lines and key of notes that do not say them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru import Key, Melody, Note, TimeSignature
from melodygru.data.survey import kind_of
from melodygru.music.estimation import (
    BANDS,
    MOST_JUDGED,
    Estimate,
    as_read,
    band_of,
    denies,
    estimate_key,
    estimate_metre,
    told_chance,
    told_readings,
)
from melodygru.music.metre_finding import METRES, Reading, features, names, readings

WALTZ = [(48, 7), (24, 9), (24, 7), (24, 5), (24, 4), (48, 5), (24, 2), (72, 0)]
"""(steps, semitones above the tonic) of bars of 3/4, long on the first beat."""
JIG = [(24, 0), (12, 2), (24, 4), (12, 5), (12, 7), (12, 4), (12, 0), (36, 2), (24, 4), (12, 5), (24, 7), (12, 4),
       (24, 2), (12, 7), (36, 0)]  # fmt: skip


def notes(values, times=4, first=60, at=0):
    found = []
    for _ in range(times):
        for steps, up in values:
            found.append(Note(first + up, at, steps))
            at += steps
    return found


@pytest.mark.parametrize(("values", "metre"), [(WALTZ, "3/4"), (JIG, "6/8")])
@pytest.mark.parametrize("pickup", [0, 24])
def test_plain_tunes_are_read_in_their_metre(values, metre, pickup):
    tune = notes(values, at=pickup)
    tune = [Note(67, 0, pickup), *tune] if pickup else tune
    reading, estimate = estimate_metre(tune)
    assert str(reading.metre) == metre
    # Bars of two like beats may begin on either.
    assert reading.pickup % reading.metre.beat_steps == pickup % reading.metre.beat_steps
    assert values is JIG or reading.pickup == pickup
    assert estimate.chances[0] == max(estimate.chances)
    assert sum(estimate.chances) <= 1 + 1e-9


def test_a_judge_decides_between_readings_and_may_have_nothing_to_say():
    tune = notes(WALTZ)
    wanted = estimate_metre(tune)[1].names[-1]

    def judge(melodies):
        assert len({tuple(note.pitch for note in melody.notes) for melody in melodies}) == 1
        told = [str(Reading(melody.time_signature, melody.pickup)) for melody in melodies]
        return [0.0 if name == wanted else 1000.0 for name in told]

    reading, estimate = estimate_metre(tune, judge)
    assert str(reading) == wanted
    assert estimate.sure == (estimate.chances[0] >= 0.75)
    assert estimate_metre(tune, lambda melodies: None) == estimate_metre(tune)


@pytest.mark.parametrize("metre", ["5/8", "2/2", "7/16", "3/32", "13/8"])
def test_what_is_known_is_kept(metre):
    metre = TimeSignature.parse(metre)
    assert estimate_metre(notes(JIG), metre=metre)[0].metre == metre
    for pickup in (6, 7):
        assert estimate_metre(notes(JIG), metre=metre, pickup=pickup)[0].pickup == pickup % metre.bar_steps
    assert estimate_metre(notes(JIG), pickup=13)[0].pickup == 13


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(0, 127), st.integers(0, 100)), min_size=1, max_size=40))
def test_any_notes_are_read_and_every_reading_has_all_of_them(drawn):
    at, tune = 0, []
    for steps, pitch, rest in drawn:
        tune.append(Note(pitch, at + rest, steps))
        at += rest + steps
    described = features(tune)
    assert described.shape == (len(readings()), len(names()))
    assert np.isfinite(described).all()
    reading, _ = estimate_metre(tune)
    assert reading.metre in METRES
    melody = as_read(tune, reading)
    assert [note.duration for note in melody.notes] == [note.duration for note in tune]
    assert (melody.notes[0].onset + reading.pickup) % reading.metre.bar_steps == 0


def test_a_judge_is_given_the_beginning_of_what_is_long():
    tune = notes(WALTZ, times=200)
    melody = as_read(tune, Reading(TimeSignature(3, 4), 24))
    assert len(melody.notes) == MOST_JUDGED
    assert melody.bars > melody.notes[-1].end // 72


@pytest.mark.parametrize("up", [0, 5, 10])
def test_keys_move_with_the_notes(up):
    tune = Melody(tuple(notes(WALTZ, first=60 + up)), TimeSignature(3, 4))
    assert estimate_key(tune)[0] == Key(up % 12, "major")


def test_remarks_name_a_second_reading_that_is_close_and_are_counted_together():
    sure = Estimate("metre", ("3/4", "6/8"), (0.9, 0.05))
    assert sure.remark == "metre estimated: 3/4 (90 %)"
    close = Estimate("metre", ("3/4", "6/8 after a pickup of 0.5 quarters"), (0.5, 0.4))
    assert close.remark == "metre estimated, unsure: 3/4 (50 %) or 6/8 after a pickup of 0.5 quarters (40 %)"
    assert told_readings(sure.remark) == [("3/4", 0)]
    assert told_readings(close.remark) == [("3/4", 0), ("6/8", 0.5)]
    assert [told_chance(one.remark) for one in (sure, close)] == [("metre", 0.9), ("metre", 0.5)]
    assert [band_of(chance) for chance in (1, 0.75, 0.74, 0.5, 0.49)] == [BANDS[i] for i in (0, 0, 1, 1, 2)]
    assert told_chance("key estimated") is None
    assert [kind_of(one.remark) for one in (sure, close)] == ["metre estimated", "metre estimated, unsure"]


def test_notes_deny_a_metre_of_another_class_only_where_they_plainly_speak():
    waltz, jig = notes(WALTZ), notes(JIG)
    assert denies(waltz, TimeSignature(4, 4))
    assert not denies(waltz, TimeSignature(3, 4))
    assert not denies(jig, TimeSignature(6, 8))
    assert not denies(waltz[:16], TimeSignature(4, 4))
    assert not denies([Note(60 + i % 3, 24 * i, 24) for i in range(99)], TimeSignature(4, 4))
