"""What a melody shall be is told the same in training, in torch and step by step; nothing said is nothing told."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from melodygru.music.chords import Chord, ChordSpan
from melodygru.music.melody import Melody, Note
from melodygru.music.theory import Key, TimeSignature
from melodygru.network import conditions
from melodygru.network.columns import condition_columns, input_columns
from melodygru.network.conditions import Character, Conditions, Told, class_of, measured, measured_scale, quality_class
from melodygru.network.config import ContextConfig
from melodygru.network.engine import NumpyEngine
from melodygru.network.likelihood import event_nats_parts
from melodygru.network.tokenizer import Tokenizer
from tests.networks import SMALL, batch_of, network

ALL = ContextConfig(lookback=(1, 2), style=True, character=True, chords=True)
TOLD = Conditions(
    "dance",
    "waltz",
    "natural",
    (Character(3, 2, 1, 4, 5, 2), Character(density=5)),
    (ChordSpan(0, 72, Chord.parse("G7")), ChordSpan(72, 100, None), ChordSpan(144, 288, Chord.parse("Am"))),
)


def waltz(told=TOLD):
    notes = [Note(pitch, 24 * i, 24) for i, pitch in enumerate([67, 71, 74, 72, 69, 65, 64, 60])]
    events = Tokenizer().encode(Melody(tuple(notes), TimeSignature(3, 4), Key(7, "major")))
    return replace(events, meta=replace(events.meta, conditions=told))


def test_the_step_and_the_training_hear_the_same():
    model = network(replace(SMALL, context=ALL), seed=3)
    engine = NumpyEngine(model.config, {name: tensor.numpy() for name, tensor in model.state_dict().items()})
    pieces = [waltz(), waltz(Conditions("hymn")), waltz(Conditions())]
    with torch.no_grad():
        durations, pitches = model.nll(batch_of(pieces, model.config))
    for row, parts in enumerate(event_nats_parts(engine, pieces)):
        np.testing.assert_allclose(parts[0], durations[row, : parts.shape[1]], atol=2e-5)
        np.testing.assert_allclose(parts[1], pitches[row, : parts.shape[1]], atol=2e-5)
    assert not np.allclose(durations[0], durations[1])
    assert not np.allclose(durations[1], durations[2])


def test_chords_move_with_the_melody():
    model = network(replace(SMALL, context=ALL), seed=3)
    up = waltz()
    moved = tuple(
        replace(one, chord=None if one.chord is None else Chord.parse({"G7": "A7", "Am": "Bm"}[one.chord.symbol]))
        for one in TOLD.chords
    )
    pitches = np.where(up.pitches < 128, up.pitches + 2, up.pitches)
    meta = replace(up.meta, key=Key(9, "major"), conditions=replace(TOLD, chords=moved))
    with torch.no_grad():
        here = model.nll(batch_of([waltz()], model.config), torch.tensor([2]))
        there = model.nll(batch_of([replace(up, pitches=pitches, meta=meta)], model.config))
    for one, other in zip(here, there, strict=True):
        torch.testing.assert_close(one, other)


def test_columns_are_as_many_as_are_named_and_within_their_sizes():
    told = Told([TOLD, Conditions()], np.array([72, 72]), np.array([7, 0]), np.array([0, 0]))
    rows = np.repeat([0, 1], 300)
    onset = np.tile(np.arange(300), 2)
    columns, root = told.columns(ALL, rows, onset, np.full(600, 60))
    named = condition_columns(ALL)
    assert len(columns) == len(named)
    for values, column in zip(columns, named, strict=True):
        assert values.min() >= 0
        assert values.max() < column.size
    assert root[[0, 71, 72, 99, 100, 144, 287, 288]].tolist() == [7, 7, -1, -1, -1, 9, 9, -1]
    assert (root[300:] == -1).all()
    by_name = dict(zip([column.name for column in named], columns, strict=True))
    # G in G is the tonic's chord; Am, next but one, comes next where there is none.
    assert (by_name["chord"][0], by_name["next_chord"][80], by_name["chord_quality"][144]) == (0, 2, 2)
    assert by_name["density"][0] == 3
    assert by_name["density"][299] == 5  # the second phrase, of four bars of 72
    assert all(not values[300:].any() for name, values in by_name.items() if "chord" not in name)


def test_what_is_not_told_has_no_columns():
    assert input_columns(ALL.of_events, 192) == input_columns(ContextConfig(lookback=(1, 2)), 192)
    assert condition_columns(ALL.of_events) == ()


def test_fingerprints_do_not_know_what_came_later():
    assert "chords" not in repr(ContextConfig())
    assert repr(ALL) == repr(ALL.of_events)


@pytest.mark.parametrize(
    ("quality", "symbols"),
    [
        ("maj", "C C6 C5 Cadd9"),
        ("min", "Am"),
        ("7", "G7 G13"),
        ("maj7", "Cmaj7"),
        ("m7", "Dm7 Dm9"),
        ("dim", "Bdim Bm7b5 Bdim7"),
        ("aug", "Caug"),
        ("sus", "Dsus4 D7sus4 Dsus2"),
    ],
)
def test_qualities(quality, symbols):
    found = {conditions.QUALITIES[quality_class(Chord.parse(symbol).tones)] for symbol in symbols.split()}
    assert found == {quality}


@settings(max_examples=50, deadline=None)
@given(value=st.floats(0, 40), trait=st.sampled_from(sorted(conditions.CHARACTER)))
def test_classes_grow_with_what_they_count(value, trait):
    assert 1 <= class_of(trait, value) <= class_of(trait, value + 1) <= len(conditions.CHARACTER[trait].edges) + 1


def test_a_phrase_is_measured_by_itself():
    dense = [Note(60 + i % 3, 12 * i, 12) for i in range(32)]  # four bars of quavers
    sparse = [Note(60, 384 + 96 * i, 48) for i in range(4)]  # four bars half silent
    events = Tokenizer().encode(Melody((*dense, *sparse)))
    found = measured(events.durations, events.pitches, 96, 24, events.meta.bars, False)
    assert len(found) == 2
    assert (found[0].density, found[0].rests) == (class_of("density", 2), 1)
    assert (found[1].density, found[1].rests) == (class_of("density", 0.25), class_of("rests", 0.5))
    assert found[0].span == found[1].span == 1
    (whole,) = measured(events.durations, events.pitches, 96, 24, events.meta.bars, False, phrase_bars=8)
    assert whole.density == class_of("density", 36 / 32)


@pytest.mark.parametrize(
    ("pitches", "tonic", "mode", "scale"),
    [
        ([60, 62, 64, 65, 67, 69, 71], 0, "major", "natural"),
        ([60, 62, 64, 67, 69], 0, "major", "major pentatonic"),
        ([57, 60, 62, 64, 67], 9, "minor", "minor pentatonic"),
        ([57, 59, 60, 62, 64, 65, 68], 9, "minor", "harmonic minor"),
        ([57, 59, 60, 62, 64, 66, 68], 9, "minor", "melodic minor"),
        ([57, 60, 62, 63, 64, 67], 9, "minor", "blues"),
        ([60, 63, 65, 66, 67, 70], 0, "major", "blues"),
        ([60, 61, 62, 63, 64], 0, "major", "chromatic"),
    ],
)
def test_scales_are_heard(pitches, tonic, mode, scale):
    events = Tokenizer().encode(Melody(tuple(Note(p, 24 * i, 24) for i, p in enumerate(pitches))))
    assert measured_scale(events.durations, events.pitches, tonic, mode) == scale


def test_each_melody_is_told_a_character_of_its_own_that_has_what_was_said():
    drawn = tuple(Character(density, 2, 1, 3, 4, repetition) for density in (1, 2, 3) for repetition in (1, 5))
    asked = Conditions("song", character=(Character(density=2),), drawn=drawn)
    found = {asked.settled(7, number).character for number in range(40)}
    assert found == {(Character(2, 2, 1, 3, 4, repetition),) for repetition in (1, 5)}
    assert asked.settled(7, 3) == asked.settled(7, 3)
    assert asked.settled(7, 3).drawn == ()
    # Where nobody's music is like it, what was said stays, and the rest is somebody's.
    odd = replace(asked, character=(Character(density=9),)).settled(1, 1).character[0]
    assert odd.density == 9
    assert odd[1:] in {one[1:] for one in drawn}


def test_nothing_is_drawn_where_nobody_is_known():
    assert TOLD.settled(1, 2) is TOLD
