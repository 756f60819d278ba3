"""What is to be written where: the wishes that it means, and which of them contradict one another."""

from dataclasses import fields, replace
from random import Random

import pytest

from melodygru.network.tokenizer import PieceMeta
from melodygru.writing.config import GenerationConfig
from melodygru.writing.constraints.base import in_range
from melodygru.writing.constraints.past import Continues
from melodygru.writing.constraints.places import Pitches
from melodygru.writing.layout import Layout, Region, Script
from melodygru.writing.primer import parse_notes
from melodygru.writing.problem import Problem
from melodygru.writing.wishes import Wish
from tests.writing.test_wishes import random_wishes


def problem(config, **settings):
    """Two bars of 4/4 to be written."""
    meta = PieceMeta(bars=2)
    return Problem(config, meta, Layout([Region(0, meta.length)], Script(), 0, meta.length), 192, 96, **settings)


def test_every_wish_is_of_an_option_and_spelled_as_on_the_command_line():
    options = {field.name for field in fields(GenerationConfig)}
    for seed in range(60):
        asked = random_wishes(Random(seed))
        # What belongs to the layout of a piece is the planner's: here are two bars.
        for name in ("bars", "meter", "form", "pickup"):
            asked.pop(name, None)
        if "contour" in asked:  # a narrow range may leave it no room
            asked.pop("range", None)
        config = GenerationConfig.from_dict(asked)
        found = problem(config, chords=config.spans(config.time_signature)).wishes
        assert {wish.option for wish in found} <= options
        assert len({wish.option for wish in found}) == len(found)
        for wish in found:
            assert wish.rules
            assert wish.words.startswith(f"--{wish.option.replace('_', '-')}")
        said = {wish.option for wish in found}
        assert {"range", "grid", "end_on"} <= said
        assert {"max_leap", "no_repeat_notes", "density", "chords"} & set(asked) <= said
        assert ("scale" in said) == ("scale" in asked and "chords" not in asked)


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        (Wish("max_leap", 5, []), "--max-leap 5"),
        (Wish("density", 2.5, []), "--density 2.5"),
        (Wish("density", 4.0, []), "--density 4"),
        (Wish("grid", "1/8", []), "--grid 1/8"),
        (Wish("chords", "Am F C G", []), "--chords"),
    ],
)
def test_wishes_are_told_as_they_were_typed(wish, words):
    assert wish.words == words


def test_options_that_are_not_to_be_heard_mean_nothing():
    config = GenerationConfig(max_leap=3, density=4)
    asked = problem(config).wishes
    heard = problem(config, leaves_out=("density", "grid")).wishes
    assert [wish.option for wish in asked] == ["range", "grid", "max_leap", "density", "end_on"]
    assert [wish.option for wish in heard] == ["range", "max_leap", "end_on"]


def test_the_octave_is_that_of_what_is_continued_unless_a_range_is_named():
    notes = parse_notes("C2/4 G2/4", GenerationConfig().time_signature)
    assert problem(GenerationConfig()).pitches == (48, 96)
    assert problem(GenerationConfig(), around=notes).pitches == (36 - 7, 43 + 7)
    assert problem(GenerationConfig(range="C4:C5"), around=notes).pitches == (60, 72)
    assert problem(GenerationConfig(), around=replace(notes, notes=())).pitches == (48, 96)


def test_as_few_wishes_as_contradict_each_other_are_named():
    config = GenerationConfig(bars=2, max_leap=7, density=1, rests="none", grid="1/16")
    narrow = problem(replace(config, range="C#4:D4"))
    assert narrow.look(narrow.wishes) is None
    assert str(narrow.refusal()) == (
        "--range C#4:D4 and --end-on tonic contradict each other in 2 bars of 4/4 in C major; change one of them."
    )
    dense = problem(replace(config, density=40))
    assert str(dense.refusal()).startswith("--grid 1/16 and --density 40 contradict each other in 2 bars of 4/4")
    # A gap after a note of which no note is near enough.
    alone = replace(problem(replace(config, max_leap=1)), before=60, further=[Pitches(in_range(70, 80)), Continues()])
    assert str(alone.refusal()) == "--max-leap 1 cannot be kept in 2 bars of 4/4 in C major; choose another value."
