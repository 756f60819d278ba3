"""Wishes as one value: there and back, each refused by name; and what they mean together."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru.errors import UsageError
from melodygru.writing.config import GenerationConfig
from melodygru.writing.constraints.base import PITCHES
from melodygru.writing.constraints.chords import OverChords
from melodygru.writing.constraints.past import Prefers
from melodygru.writing.planner import plan
from melodygru.writing.values import fraction_steps

wishes = st.fixed_dictionaries(
    {},
    optional={
        "bars": st.integers(1, 1000),
        "key": st.sampled_from(["A minor", "Bb", "D dorian"]),
        "scale": st.sampled_from(["blues", "major"]),
        "scale_mode": st.sampled_from(["strict", "soft"]),
        "meter": st.sampled_from(["4/4", "2/2"]),
        "bpm": st.floats(4, 1000),
        "range": st.just("C4:C6"),
        "max_leap": st.integers(1, 127),
        "density": st.floats(0.25, 96),
        "rests": st.sampled_from(["none", "few", "some"]),
        "grid": st.sampled_from(["1/4", "1/8", "1/16", "1/32"]),
        "triplets": st.booleans(),
        "end_on": st.sampled_from(["tonic", "chord", "any"]),
        "pickup": st.just("1/4"),
        "no_repeat_notes": st.integers(1, 1000),
        "chords": st.just("Am F"),
        "form": st.just("AABA"),
        "best_of": st.integers(1, 10_000),
        "max_copy": st.sampled_from([0, 2, 8, 1000]),
        "temperature": st.floats(0, 10),
        "top_k": st.integers(0, 100),
        "top_p": st.floats(0.01, 1),
    },
)


@given(wishes)
def test_what_was_said_comes_back(values):
    config = GenerationConfig.from_dict(values)
    assert config.as_dict() == values
    assert GenerationConfig.from_dict(json.loads(json.dumps(config.as_dict()))) == config


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"bars": 0}, "bars is 0; choose a number from 1 to 1000"),
        ({"bars": 2.0}, "bars is 2.0; give a whole number"),
        ({"bars": True}, "bars is True; give a whole number"),
        ({"bpm": "fast"}, "bpm is 'fast'; give a number"),
        ({"bpm": float("nan")}, "bpm is nan; choose a number from 4 to 1000"),
        ({"range": "C6:C4"}, "The range C6:C4 is empty"),
        ({"range": "C4"}, "is not two pitches"),
        ({"range": "C4:X5"}, "X5"),
        ({"max_leap": 0}, "max-leap is 0; choose a number from 1 to 127"),
        ({"density": 0}, "density is 0; choose a number from 0.25 to 96"),
        ({"rests": "lots"}, "rests is 'lots'; choose none, few, some or many"),
        ({"scale_mode": "hard"}, "scale-mode is 'hard'; choose strict or soft"),
        ({"end_on": "top"}, "end-on is 'top'; choose tonic, chord or any"),
        ({"grid": "1/7"}, "grid is '1/7'; choose 1/2, 1/4, 1/8, 1/16, 1/32"),
        ({"grid": "1/4", "meter": "7/8"}, "--grid 1/4 and --meter 7/8 contradict each other"),
        ({"pickup": "5/4"}, "--pickup 5/4 and --meter 4/4 contradict each other"),
        ({"pickup": "3/32"}, "--pickup 3/32 and --grid 1/16 contradict each other"),
        ({"pickup": "soon"}, "pickup is 'soon'"),
        ({"no_repeat_notes": 0}, "no-repeat-notes is 0"),
        ({"chords": "Am Xy"}, "Chord 2 of 2 is not known"),
        ({"beats_per_chord": 2}, "--beats-per-chord has no meaning without --chords"),
        ({"section_bars": 4}, "--section-bars has no meaning without --form"),
        ({"form": "A?"}, "is not a form"),
        ({"best_of": 0}, "best-of is 0"),
        ({"max_copy": 1}, "max-copy is 1; choose a number from 2 to 1000"),
        ({"max_copy": -1}, "max-copy is -1"),
        ({"triplets": "yes"}, "triplets is 'yes'; give true or false"),
        ({"scale": "foo"}, "'foo' is not a scale"),
        ({"key": "H"}, "'H' is not a key"),
        ({"colour": 1}, "There is no option 'colour'"),
    ],
)
def test_a_mistake_is_named(values, words):
    with pytest.raises(UsageError) as error:
        GenerationConfig.from_dict(values)
    assert words in str(error.value)


def test_fractions_of_a_whole_note():
    assert [fraction_steps(text, "x") for text in ("1/4", " 3/8 ", "1/1", "3/16", "1/12")] == [24, 36, 96, 18, 8]
    for text in ("1/5", "1/0", "x", "0.25", "1/64/2"):
        with pytest.raises(UsageError, match="x is"):
            fraction_steps(text, "x")


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"bars": 4, "range": "C#4:D4", "end_on": "tonic"}, ["--range C#4:D4", "--end-on tonic"]),
        ({"bars": 2, "density": 20, "grid": "1/8"}, ["--grid 1/8", "--density 20"]),
        ({"bars": 2, "density": 20, "grid": "1/8", "max_leap": 3, "scale": "major"}, ["--grid 1/8", "--density 20"]),
        ({"bars": 2, "range": "F#4:F#4", "scale": "major", "key": "C"}, ["--range F#4:F#4", "--scale major"]),
        ({"bars": 3, "density": 14, "rests": "some", "grid": "1/16", "triplets": False, "range": "C4:C5"}, []),
        ({"bars": 7, "form": "V8 C8"}, ["--form V8 C8", "--bars 7", "its sections would be 16 bars"]),
        ({"form": "V8 C8", "section_bars": 4}, ["--section-bars 4", "--form V8 C8"]),
        ({"bars": 7, "form": "AABA"}, ["--form AABA", "--bars 7"]),
        ({"bars": 2, "chords": "F#dim", "range": "C4:D4", "end_on": "any"}, []),
    ],
)
def test_contradictions_are_named_as_they_were_typed(values, words):
    if not words:
        assert plan(GenerationConfig.from_dict(values))
        return
    with pytest.raises(UsageError) as error:
        plan(GenerationConfig.from_dict(values))
    assert all(word in str(error.value) for word in words)
    unneeded = {f"--{name.replace('_', '-')}" for name in values} - {word.split()[0] for word in words} - {"--bars"}
    if len(words) == 2:
        assert not any(f"{word} " in str(error.value).split(" in ")[0] for word in unneeded)


def test_defaults_come_from_what_is_said():
    made = plan(GenerationConfig())
    assert (made.meta.bars, str(made.meta.key), str(made.meta.time_signature), made.qpm) == (
        16,
        "C major",
        "4/4",
        120.0,
    )
    assert plan(GenerationConfig(form="AABA")).meta.bars == 32
    assert plan(GenerationConfig(form="V8 C6 V8 B")).meta.bars == 30
    assert plan(GenerationConfig(form="V8 C6 V8 B", section_bars=2)).meta.bars == 24
    assert plan(GenerationConfig(form="V4 C B C", bars=13)).meta.bars == 13
    assert plan(GenerationConfig(form="AAB", bars=6)).meta.bars == 6
    assert str(plan(GenerationConfig(chords="Am F C G")).meta.key) == "A minor"
    assert str(plan(GenerationConfig(key="A", scale="blues")).meta.key) == "A minor"
    assert str(plan(GenerationConfig(key="D", scale="dorian")).meta.key) == "D dorian"
    assert str(plan(GenerationConfig(key="E major", scale="blues")).meta.key) == "E major"
    assert plan(GenerationConfig(pickup="1/4", bars=2)).meta.length == 3 * 96


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("bars", 1, 1000),
        ("bpm", 4, 1000),
        ("max_leap", 1, 127),
        ("density", 0.25, 96),
        ("no_repeat_notes", 1, 1000),
        ("section_bars", 1, 1000),
        ("best_of", 1, 10_000),
        ("max_copy", 2, 1000),
        ("temperature", 0, 10),
        ("beats_per_chord", 0.5, 64),
    ],
)
def test_ranges_hold_to_their_ends_and_are_named_beyond(name, low, high):
    others = {"section_bars": {"form": "AA"}, "beats_per_chord": {"chords": "C C C C C C C C"}}.get(name, {})
    for value in (low, high):
        assert getattr(GenerationConfig.from_dict({name: value, **others}), name) == value
    whole = isinstance(low, int) and name not in ("bpm", "temperature")
    # One below two copied notes is off.
    for value in (low - 1 if whole else low - 0.125, high + 1 if whole else high + 0.5):
        with pytest.raises(UsageError) as error:
            GenerationConfig.from_dict({name: value, **others})
        said = str(error.value)
        assert f"{name.replace('_', '-')} is {value:g}" in said
        assert f"{low:g} to {high:g}" in said


def test_a_soft_scale_is_soft_over_chords_too():
    strict = plan(GenerationConfig(chords="C F", bars=2, scale="major")).ahead.constraints
    soft = plan(GenerationConfig(chords="C F", bars=2, scale="major", scale_mode="soft")).ahead.constraints

    def weak(rules):
        return next(rule for rule in rules if isinstance(rule, OverChords)).begins(12).sum()

    def preferred(rules):
        return any(isinstance(rule, Prefers) for rule in rules)

    assert (weak(strict), preferred(strict)) == (75, False)
    assert (weak(soft), preferred(soft)) == (PITCHES, True)
