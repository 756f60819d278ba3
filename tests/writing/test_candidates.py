"""Which candidate is best: each part of the rating alone, by melodies made for it."""

import math
from dataclasses import asdict, fields
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru import Key, Melody, Note
from melodygru.writing.candidates import Rating, excess, rate, share_repeated

SCALE = [60, 62, 64, 65, 67, 69, 71, 72]
BAR = 96


def tune(pitches, duration=12, **settings):
    """Notes of equal length one after the other; eight to a bar of 4/4 unless told."""
    return Melody(tuple(Note(p, i * duration, duration) for i, p in enumerate(pitches)), **settings)


def falling(values):
    return all(one >= two for one, two in pairwise(values)) and values[0] > values[-1]


melodies = st.lists(st.integers(0, 127), min_size=1, max_size=40).map(tune)
nats = st.floats(0, 50)


@given(melodies, nats, st.none() | st.floats(0.1, 5), st.none() | st.floats(-20, 20))
def test_every_part_and_the_total_lie_between_nothing_and_one(melody, nats, human, joins):
    made = rate(melody, nats, human, joins)
    parts = asdict(made)
    assert (parts["likelihood"] is None) == (human is None)
    assert (parts["joins"] is None) == (joins is None)
    said = [part for part in parts.values() if part is not None]
    assert all(0 <= part <= 1 for part in said)
    assert made.total == pytest.approx(sum(said) / len(said))


@given(st.lists(st.floats(0, 1), min_size=5, max_size=5), st.integers(0, 4))
def test_a_better_part_never_makes_a_worse_total(parts, which):
    better = [1.0 if place == which else part for place, part in enumerate(parts)]
    assert len(fields(Rating)) == 5
    assert Rating(*better).total >= Rating(*parts).total - 1e-12


@given(st.floats(0.1, 5))
def test_likelihood_is_whole_within_a_quarter_of_peoples_and_falls_on_both_sides(human):
    def likelihood(factor):
        return rate(tune(SCALE), human * factor, human).likelihood

    assert likelihood(1) == likelihood(0.76) == likelihood(1.24) == 1
    assert likelihood(1.5) == pytest.approx(math.exp(-1))
    assert likelihood(0.5) == pytest.approx(math.exp(-1))
    assert falling([likelihood(factor) for factor in (1, 1.3, 1.6, 2, 3, 9)])
    assert falling([likelihood(factor) for factor in (1, 0.7, 0.4, 0.1, 0)])


def test_the_key_asked_for_fits_better_than_those_farther_round_the_circle_of_fifths():
    def fit(fifths):
        return rate(tune(SCALE * 4, key=Key.from_fifths(fifths)), 1, None).key

    assert falling([fit(fifths) for fifths in (0, 1, 2, 3)])
    assert fit(6) == 0  # anti-correlated: none, not negative
    assert rate(tune([60]), 1, None).key > 0


@pytest.mark.parametrize(
    ("key", "other"),
    [
        ("D dorian", "D lydian"),
        ("G mixolydian", "G phrygian"),
        ("E phrygian", "E lydian"),
    ],
)
def test_modes_are_judged_by_the_key_with_their_third(key, other):
    mode = Key.parse(key)
    pitches = [60 + (one - 60 % 12) % 12 for one in (*mode.scale, mode.scale[0], mode.scale[4], mode.scale[0])]
    assert rate(tune(pitches * 2, key=mode), 1, None).key > 0.5
    assert rate(tune(pitches * 2, key=mode), 1, None).key > rate(tune(pitches * 2, key=Key.parse(other)), 1, None).key
    like = "minor" if (mode.scale[2] - mode.tonic) % 12 == 3 else "major"
    assert rate(tune(pitches, key=mode), 1, None).key == rate(tune(pitches, key=Key(mode.tonic, like)), 1, None).key


@pytest.mark.parametrize(
    ("span", "expected"),
    [(0, 5 / 12), (1, 0.5), (6, 11 / 12), (7, 1), (12, 1), (19, 1), (20, 11 / 12), (31, 0), (60, 0)],
)
def test_a_range_of_a_fifth_to_a_twelfth_is_best(span, expected):
    assert rate(tune([40, 40 + span]), 1, None).range == pytest.approx(expected)


@given(st.integers(1, 16), st.integers(0, 60))
def test_what_stands_again_is_counted_bar_by_bar(lag, notes):
    melody = tune([(7 * i * i + i // 3) % 11 + 60 for i in range(notes)], bars=max(1, -(-notes // 8)))
    again = sum(
        any(other.pitch == note.pitch and other.onset + lag * BAR == note.onset for other in melody.notes)
        for note in melody.notes
    )
    assert share_repeated(melody, lag) == (again / notes if notes else 0)


@pytest.mark.parametrize("lag", [1, 2, 4, 8, 16])
def test_form_is_whole_from_six_tenths_on(lag):
    def form(bars_again):
        theme = [60 + i for i in range(lag)]  # a note a bar
        rest = [90 + i for i in range(lag - bars_again)]
        return rate(tune(theme + theme[:bars_again] + rest, BAR), 1, None).form

    assert form(0) == 0
    assert form(lag) == pytest.approx(0.5 / 0.6)  # half of the notes are the theme itself
    assert all(form(some) < form(some + 1) for some in range(lag))
    assert rate(tune([60] * 40, BAR), 1, None).form == 1


def test_joins_cost_what_they_exceed():
    def joins(nats):
        return rate(tune(SCALE), 1, None, nats).joins

    assert joins(-3) == joins(0) == 1
    assert joins(1) == pytest.approx(math.exp(-1))
    assert falling([joins(nats) for nats in (0, 0.5, 1, 2, 8)])


@given(
    st.lists(st.tuples(st.floats(0, 9), st.integers(0, 40)), min_size=1, max_size=12),
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 9)), max_size=3),
)
def test_excess_is_the_difference_of_two_means(events, places):
    judged = [(start, start + length) for start, length in places]
    steps = {step for start, end in judged for step in range(start, end)}
    inside = [nats for nats, at in events if at in steps]
    outside = [nats for nats, at in events if at not in steps]
    found = excess([nats for nats, _ in events], [at for _, at in events], judged)
    if inside and outside:
        assert found == pytest.approx(sum(inside) / len(inside) - sum(outside) / len(outside))
    else:
        assert found is None
