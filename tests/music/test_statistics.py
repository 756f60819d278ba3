"""Statistics of melodies: by hand, and as MusPy computes them."""

import math
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from melodygru import Key, Melody, Note, TimeSignature
from melodygru.music.statistics import (
    LAGS,
    NOTE_LENGTHS,
    again,
    degree_histogram,
    empty_measure_rate,
    entropy,
    groove_consistency,
    histograms,
    in_scale,
    interval_histogram,
    note_length_histogram,
    note_length_transitions,
    phrase_endings,
    pitch_class_histogram,
    pitch_class_transitions,
    scalars,
    scale_consistency,
    strong_beat,
)
from tests.strategies import melodies

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import muspy


def of(*notes, metre="4/4", key="C", **settings):
    return Melody(tuple(Note(*note) for note in notes), TimeSignature.parse(metre), Key.parse(key), **settings)


#           pitch, onset, duration: two bars of 4/4, C E G C' | C E G rest
CHORD = of((60, 0, 24), (64, 24, 24), (67, 48, 24), (72, 72, 24), (60, 96, 24), (64, 120, 24), (67, 144, 12), bars=2)


def test_scalars_of_a_small_melody_worked_out_by_hand():
    found = scalars(CHORD)
    assert found["pitch range"] == 12
    assert found["pitches used"] == 4
    # C three times, E and G twice, of seven.
    assert found["pitch-class entropy"] == pytest.approx(-(3 / 7) * math.log2(3 / 7) - 2 * (2 / 7) * math.log2(2 / 7))
    assert found["scale consistency"] == found["pitch-in-scale rate"] == 1
    assert found["groove consistency"] == pytest.approx(1 - 1 / 96)  # onset at 72 in one bar only
    assert found["empty-measure rate"] == 0
    assert (found["notes"], found["notes a bar"]) == (7, 3.5)
    assert found["mean interval"] == pytest.approx((4 + 3 + 5 + 12 + 4 + 3) / 6)
    assert found["leaps over a fifth"] == pytest.approx(1 / 6)
    assert found["repeated pitches"] == 0
    assert found["mean inter-onset interval"] == 1
    assert found["note lengths used"] == 2
    assert found["notes on a beat"] == 1
    assert found["silence"] == pytest.approx(36 / 192)
    # G in the second bar is shorter than in the first.
    assert found["again after 1 bar"] == pytest.approx(2 / 3)
    assert math.isnan(found["again after 2 bars"])
    assert math.isnan(found["phrases end on the tonic"])
    assert (found["last note is the tonic"], found["length of the last note"]) == (0, 0.5)


def test_histograms_worked_out_by_hand():
    assert pitch_class_histogram(CHORD)[[0, 4, 7]] == pytest.approx([3 / 7, 2 / 7, 2 / 7])
    assert degree_histogram(replace(CHORD, key=Key.parse("E minor")))[[0, 3, 8]] == pytest.approx([2 / 7, 2 / 7, 3 / 7])
    moves = pitch_class_transitions(CHORD)
    assert [moves[0, 4], moves[4, 7], moves[7, 0], moves[0, 0]] == pytest.approx([2 / 6, 2 / 6, 1 / 6, 1 / 6])
    lengths = note_length_histogram(CHORD)
    assert lengths[NOTE_LENGTHS.index(24)] == pytest.approx(6 / 7)
    assert lengths[NOTE_LENGTHS.index(12)] == pytest.approx(1 / 7)
    moves = note_length_transitions(CHORD)
    assert moves[NOTE_LENGTHS.index(24), NOTE_LENGTHS.index(12)] == pytest.approx(1 / 6)
    steps = interval_histogram(CHORD)
    assert {step - 12: share for step, share in enumerate(steps) if share} == pytest.approx(
        {4: 2 / 6, 3: 2 / 6, 5: 1 / 6, -12: 1 / 6}
    )


def test_lengths_go_to_the_nearest_class():
    odd = of((60, 0, 25), (60, 30, 7), (60, 48, 34), (60, 96, 190))
    classes = [NOTE_LENGTHS[i] for i in np.flatnonzero(note_length_histogram(odd))]
    assert sorted(classes) == [6, 24, 36, 96] or sorted(classes) == [6, 24, 32, 96]


def test_entropy_is_that_of_shannon():
    assert entropy(np.array([1.0, 0.0])) == 0
    assert entropy(np.full(8, 1 / 8)) == 3


def test_repeats_are_of_place_pitch_and_length():
    bar = [(60, 0, 24), (62, 24, 24), (64, 48, 48)]
    tune = of(*bar, *((p, at + 96, d) for p, at, d in bar), (60, 192, 24), (63, 216, 24), (64, 240, 24))
    assert again(tune, 1) == pytest.approx(4 / 6)
    assert again(tune, 2) == pytest.approx(1 / 3)
    assert math.isnan(again(tune, 4))


def test_phrases_end_before_the_next_upbeat():
    # Pickup of a quarter; four bars of quarters: the last quarter of bar 4 is the next phrase's upbeat.
    notes = [(60 + i % 5, 72 + 24 * i, 24) for i in range(33)]
    tune = of(*notes, pickup=24)
    assert [tune.notes[i].onset for i in phrase_endings(tune)] == [96 * 4 + 48, 96 * 8 + 48]
    whole = of(*((60, 24 * i, 24) for i in range(16)))
    assert [whole.notes[i].onset for i in phrase_endings(whole)] == [96 * 3 + 72]


def test_strong_beats_by_metre():
    assert [strong_beat(TimeSignature.parse(m)) for m in ("4/4", "6/8", "2/4", "3/4", "9/8")] == [48, 36, 24, 72, 108]


def test_endings_on_tonic_and_long_note_and_strong_beat():
    notes = [(60, 96 * bar, 96) for bar in range(3)] + [(62, 288, 48), (60, 336, 48)]
    found = scalars(of(*notes))
    ends = [found[f"phrases end on {what}"] for what in ("the tonic", "a long note", "a strong beat")]
    assert ends == [1, 1, 1]
    found = scalars(of(*notes[:-1], (61, 336 + 12, 12)))
    ends = [found[f"phrases end on {what}"] for what in ("the tonic", "a long note", "a strong beat")]
    assert ends == [0, 0, 0]


@settings(max_examples=40)
@given(melodies(min_notes=1))
def test_any_melody_has_statistics_in_their_ranges(melody):
    found = scalars(melody)
    shares = [name for name in found if "rate" in name or "phrases" in name or "again" in name]
    assert len(shares) > len(LAGS)
    assert all(math.isnan(found[name]) or 0 <= found[name] <= 1 for name in (*shares, "silence", "groove consistency"))
    for values in histograms(melody).values():
        assert values.sum() == pytest.approx(1) or (len(melody.notes) == 1 and values.sum() == 0)


def as_muspy(melody):
    notes = [muspy.Note(note.onset, note.pitch, note.duration) for note in melody.notes]
    return muspy.Music(resolution=24, tracks=[muspy.Track(notes=notes)])


@st.composite
def unlike_bar_lines(draw):
    """Melodies none of whose notes ends on a bar line, the last in the last bar: there MusPy counts a bar more."""
    metre = TimeSignature.parse(draw(st.sampled_from(["4/4", "3/4", "6/8"])))
    at, notes = 0, []
    for _ in range(draw(st.integers(1, 40))):
        at += draw(st.sampled_from([0, 6, 24, 120]))
        duration = draw(st.sampled_from([5, 11, 23, 50]))
        duration += (at + duration) % metre.bar_steps == 0
        notes.append(Note(draw(st.integers(40, 90)), at, duration))
        at += duration
    return Melody(tuple(notes), metre, Key(draw(st.integers(0, 11)), draw(st.sampled_from(["major", "minor"]))))


@settings(max_examples=80)
@given(unlike_bar_lines())
def test_statistics_are_those_of_muspy(melody):
    music, bar = as_muspy(melody), melody.time_signature.bar_steps
    found = scalars(melody)
    assert found["pitch range"] == muspy.pitch_range(music)
    assert found["pitches used"] == muspy.n_pitches_used(music)
    assert np.count_nonzero(pitch_class_histogram(melody)) == muspy.n_pitch_classes_used(music)
    assert found["pitch-class entropy"] == pytest.approx(muspy.pitch_class_entropy(music))
    assert found["scale consistency"] == scale_consistency(melody) == pytest.approx(muspy.scale_consistency(music))
    rate = muspy.pitch_in_scale_rate(music, melody.key.tonic, melody.key.mode)
    assert found["pitch-in-scale rate"] == in_scale(melody, melody.key.scale) == pytest.approx(rate)
    assert groove_consistency(melody) == pytest.approx(muspy.groove_consistency(music, bar), nan_ok=True)
    assert empty_measure_rate(melody) == pytest.approx(muspy.empty_measure_rate(music, bar))
