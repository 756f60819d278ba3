"""What options mean: a wish for each, the same wherever melodies are written, and told apart where they contradict."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from melodygru import Melody, load_model
from melodygru.errors import UsageError
from melodygru.writing.candidates import Order
from melodygru.writing.config import GenerationConfig
from melodygru.writing.constraints.base import PITCHES
from melodygru.writing.constraints.past import SomeRests
from melodygru.writing.constraints.places import Grid, Leaps, Pitches
from melodygru.writing.infilling import gap_of, infill
from melodygru.writing.planner import plan
from melodygru.writing.primer import parse_notes
from melodygru.writing.problem import Problem
from melodygru.writing.rewriting import plan_rewriting, span_of
from melodygru.writing.variation import vary
from melodygru.writing.wishes import Wish
from tests.command_line import run


@pytest.fixture(scope="module")
def model():
    return load_model("folk")


@pytest.fixture(scope="module")
def tune(model):
    return model.generate(bars=8, key="G", seed=2)


def test_a_rule_that_is_entered_once_is_kept_by_all_that_writes(model, tune, monkeypatch):
    """As if there were one more option: it works in generate, infill and vary, and is named where it cannot be kept."""
    own = Problem.said
    inside = np.isin(np.arange(PITCHES) % 12, [2, 7, 9])

    def said(self):
        yield from own(self)
        yield Wish("key", "of D, G and A", [Pitches(inside)])

    monkeypatch.setattr(Problem, "said", said)
    new = model.generate(bars=4, key="G", seed=1).notes
    assert {note.pitch % 12 for note in new} <= {2, 7, 9}
    span = span_of(tune, 3, 4)
    gap, filled = gap_of(tune, span), infill(model, tune, span, GenerationConfig(), 1, 4).melody
    assert {note.pitch % 12 for note in filled.notes if gap[0] <= note.onset < gap[1]} <= {2, 7, 9}
    for keep in (None, "rhythm"):
        varied = vary(model, tune, 1, GenerationConfig(), 1, keep, candidates=2).melody
        assert {note.pitch % 12 for note in varied.notes} <= {2, 7, 9}
    with pytest.raises(UsageError, match="--end-on tonic and --key of D, G and A contradict each other"):
        model.generate(bars=4, key="C", seed=1)


def test_where_borders_lie_on_no_grid_the_grid_is_left_out(tune):
    """A gap from one odd step to another can be filled, unless a grid was asked for."""
    odd = replace(tune, notes=tuple(replace(note, onset=note.onset + 1) for note in tune.notes[:12]))
    span = (odd.notes[4].onset, odd.notes[9].end)
    made = plan_rewriting(GenerationConfig(), odd, [span])
    assert not any(isinstance(rule, Grid) for rule in made.ahead.constraints)
    with pytest.raises(UsageError, match="--grid 1/8"):
        plan_rewriting(GenerationConfig(grid="1/8", triplets=False), odd, [span])


def test_small_leaps_lead_to_each_repeat():
    made = plan(GenerationConfig(form="AABA", section_bars=2, max_leap=2))
    assert any(isinstance(rule, Leaps) for rule in made.ahead.constraints)
    with pytest.raises(
        UsageError, match=r"^--max-leap 1, --no-repeat-notes 1 and --form AA contradict each other here"
    ):
        plan(GenerationConfig(form="AA", section_bars=1, max_leap=1, no_repeat_notes=1, scale="major pentatonic"))


def test_rests_are_due_in_no_stretch_that_a_primer_covers():
    """In a form of one section the primer may end after the last place where a rest was due."""
    primer = parse_notes(" ".join(["C4/1"] * 7), GenerationConfig().time_signature)
    config = GenerationConfig(form="A", section_bars=8, rests="some")
    assert any(isinstance(rule, SomeRests) for rule in plan(config).ahead.constraints)
    made = plan(config, primer=primer)
    assert not any(isinstance(rule, SomeRests) for rule in made.ahead.constraints)


def test_melodies_of_a_small_leap_form_join_their_repeats(model):
    config = GenerationConfig(form="AABA", section_bars=2, max_leap=3, best_of=1)
    for one in model.compose(config, 3, 3):
        assert all(abs(two.pitch - note.pitch) <= 3 for note, two in pairwise(one.melody.notes))


PICKUPS = [("4/4", "3/4"), ("4/4", "1/16"), ("3/4", "1/2"), ("6/8", "5/8"), ("2/4", "3/8")]


@pytest.mark.parametrize(("meter", "pickup"), PICKUPS)
def test_a_pickup_finds_its_place_free_when_the_full_bars_go_round(model, meter, pickup):
    wishes = (
        {"bars": 1},
        {"bars": 4, "rests": "none"},
        {"form": "ABA", "section_bars": 2},
        {"bars": 4, "density": 6.0},
    )
    for asked in (*wishes, {"bars": 2, "chords": "C G", "rests": "few"}):
        order = Order(GenerationConfig(meter=meter, pickup=pickup, best_of=4, **asked), 1, loops=True)
        for one in model.compose_each(order, 4):
            loop = one.melody.looped()  # which raises where it is not
            assert len(loop.notes) == len(one.melody.notes)
            assert loop.bars == one.melody.bars


def test_a_clip_with_a_long_pickup_goes_round(here):
    for seed in range(6):
        asked = ("--pickup", "1/2", "--bars", 4, "--pickup-as", "loop", "--seed", seed, f"{seed}.mid")
        assert run("generate", "--model", "folk", *asked) == 0
        assert run("replay", f"{seed}.mid") == 0
        assert Melody.from_midi(f"{seed}.mid").bars == 4
