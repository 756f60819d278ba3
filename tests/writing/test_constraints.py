"""Each constraint alone, against its rule said in another way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru.music.theory import TimeSignature
from melodygru.writing.constraints.base import PITCHES, Constraint, Progress, in_range, of_classes
from melodygru.writing.constraints.past import Continues, Density, Departs, FewRests, Guard, Prefers, Repeats, SomeRests
from melodygru.writing.constraints.places import (
    Bars,
    BeginsBefore,
    EndsOn,
    Grid,
    Joints,
    Leaps,
    NoRests,
    Pitches,
    Seams,
    shortest_end,
)

ENDS = np.arange(1, 200)


def progress(notes=(), rests=(), onset=0, repeats=1):
    """One melody under way: its notes as (onset, pitch), the onsets of its rests, and where it stands."""
    made = Progress.start(1)
    made.onset = np.array([onset])
    made.pitches[0], made.onsets[0], made.rests[0] = [p for _, p in notes], [at for at, _ in notes], list(rests)
    made.reference = np.array([notes[-1][1] if notes else -1])
    made.repeats = np.array([repeats])
    return made


def legal(mask, values=None):
    return np.flatnonzero(mask).tolist() if values is None else values[mask].tolist()


def test_a_constraint_that_says_nothing_allows_everything():
    rule, under_way = Constraint(), progress()
    answers = [rule.ends(0, ENDS), rule.begins(0), rule.sounds(0, ENDS), rule.rests(0, ENDS), rule.holds(0)]
    answers += [
        rule.follows(),
        rule.closes(0),
        rule.counts(0, 9),
        rule.pitches(under_way),
        rule.pitch_preference(under_way),
    ]
    answers += [
        rule.silences(under_way, ENDS[None]),
        rule.owes(under_way, np.array([9])),
        rule.duration_preference(under_way, 9),
    ]
    assert answers == [None] * len(answers)


@given(st.integers(1, 190), st.floats(0, 1), st.integers(0, 190))
def test_bars_end_at_the_last_bar_line_or_close_before_it(length, silence, onset):
    rule = Bars(length, 24, silence)
    assert legal(rule.ends(onset, ENDS), ENDS) == [end for end in ENDS if end <= length]
    assert rule.closes(onset).all() == (length - onset <= silence * 24)


@given(st.sets(st.integers(0, 11), min_size=1), st.integers(1, 150), st.integers(1, 24))
def test_the_last_note_is_home_and_long_enough(classes, length, shortest):
    rule = EndsOn(classes, length, shortest)
    assert legal(rule.closes(0)) == [p for p in range(PITCHES) if p % 12 in classes]
    for end in legal(rule.ends(0, ENDS), ENDS):
        assert end >= length or length - end >= shortest


@given(st.sets(st.integers(0, 150), min_size=1), st.integers(0, 160))
def test_no_event_crosses_a_seam_and_no_rest_begins_there(seams, onset):
    rule = Seams(sorted(seams))
    ends = np.arange(onset + 1, 200)
    allowed = rule.ends(onset, ends)
    for end, ok in zip(ends.tolist(), np.ones(len(ends), bool) if allowed is None else allowed, strict=True):
        assert ok == (not any(onset < seam < end for seam in seams))
    assert rule.holds(onset) == (onset not in seams)
    assert (rule.rests(onset, ends) is None) == (onset not in seams)


@pytest.mark.parametrize(
    ("grid", "onset", "expected"),
    [
        (Grid(96, 6, 8), 24, [30, 32, 36, 40, 42, 48]),
        (Grid(96, 6, 8), 32, [40, 48]),
        (Grid(96, 6, 8), 40, [48]),
        (Grid(96, 6, 0), 24, [30, 36, 42, 48]),
        (Grid(96, 12, 8), 0, [8, 12, 16, 24, 36, 48]),
        (Grid(96, 24, 16), 0, [16, 24, 32, 48]),
        (Grid(36, 6, 8), 24, [30, 36, 42, 48]),  # a bar of 3/8 ends with half a quarter: no triplet there
    ],
)
def test_grids_allow_plain_values_and_triplets_that_fill_their_group(grid, onset, expected):
    ends = np.arange(onset + 1, 49)
    assert legal(grid.ends(onset, ends), ends) == expected


@given(st.integers(0, 3), st.sampled_from([8, 16]))
def test_from_within_a_triplet_nothing_leads_beyond_its_group(quarter, inside):
    onset, ends = 24 * quarter + inside, np.arange(24 * quarter + inside + 1, 193)
    own = [24 * quarter + third for third in (16, 24) if third > inside]
    assert legal(Grid(96, 6, 8).ends(onset, ends), ends) == own


@given(st.integers(0, 95), st.sampled_from([(3, 8), (6, 8), (6, 0), (12, 8), (24, 16)]))
def test_from_anywhere_the_grid_leads_back_to_the_bar_line(onset, kind):
    grid = Grid(96, *kind)
    ends = np.arange(onset + 1, 97)
    reached = (
        set(legal(grid.ends(onset, ends), ends)) if onset % (kind[1] or kind[0]) == 0 or onset % kind[0] == 0 else {96}
    )
    for _ in range(40):
        reached |= {
            e
            for one in list(reached)
            if one < 96
            for e in legal(grid.ends(one, np.arange(one + 1, 97)), np.arange(one + 1, 97))
        }
    assert 96 in reached


def test_pitches_leaps_joints_and_rests():
    assert legal(Pitches(in_range(60, 62)).begins(5)) == [60, 61, 62]
    assert legal(Leaps(2).follows()[60]) == [58, 59, 60, 61, 62]
    assert legal(Leaps(1).follows()[0]) == [0, 1]
    joints = Joints([48], in_range(60, 61))
    assert joints.begins(0) is None
    assert legal(joints.begins(48)) == [60, 61]
    assert not joints.rests(48, ENDS).any()
    assert joints.rests(0, ENDS) is None
    assert not NoRests().rests(0, ENDS).any()
    late = BeginsBefore(96, 48)
    assert late.begins(95) is None
    assert not late.begins(96).any()
    assert legal(of_classes([0, 7]))[:4] == [0, 7, 12, 19]
    assert shortest_end(TimeSignature(6, 8)) == 36
    assert shortest_end(TimeSignature(1, 8)) == 12


@given(st.integers(1, 4), st.integers(1, 6), st.integers(0, 127))
def test_no_more_equal_notes_than_asked_for(most, repeats, pitch):
    mask = Repeats(most).pitches(progress([(0, pitch)], repeats=repeats))
    forbidden = [] if mask is None else [p for p in range(PITCHES) if not mask[0, p]]
    assert forbidden == ([pitch] if repeats >= most else [])
    assert Repeats(1).pitches(progress()) is None


def test_few_rests_are_short_and_counted_with_their_repeats():
    rule = FewRests(2, 24, start=0, last=190, echoes=[(0, 96, 96)])
    assert legal(rule.rests(100, np.array([124, 125, 190])), np.array([124, 125, 190])) == [124]
    ends = np.array([[60]])
    assert rule.silences(progress(onset=48), ends)[0].all()
    assert not rule.silences(progress(rests=[12], onset=48), ends)[0].any()  # one here is heard twice
    assert rule.silences(progress(rests=[108], onset=200), ends)[0].all()  # a repeat was counted when it was written
    assert not FewRests(1, 24, echoes=[(0, 96, 96)]).rests(0, np.array([12])).any()


@given(
    st.integers(0, 4),
    st.sampled_from([(0, 48, 96), (24, 72, 120), (48, 96, 96)]),
    st.sets(st.integers(0, 14).map(lambda place: place * 12), max_size=4),
    st.integers(0, 14),
    st.sampled_from([0, 12, 96]),
)
def test_few_rests_count_what_is_heard(most, echo, rests, place, begin):
    start, end, again = echo
    onset = place * 12
    # What stands in the repeat is written there too, as a copy.
    copied = {at - start + again for at in rests | {onset} if start <= at < end and at >= begin}
    written = [at for at in rests | {onset} if at >= begin and not again <= at < again + end - start]
    heard = {*written, *copied}
    rule = FewRests(most, 24, start=begin, echoes=[echo])
    allowed = rule.silences(progress(rests=sorted(rests - {onset}), onset=onset), np.array([[onset + 12]]))[0]
    assert allowed.all() == (len(heard) <= most)


def test_some_rests_leave_room_for_themselves():
    rule = SomeRests([(0, 48), (48, 96)])
    ends = np.array([[24, 47, 48, 60, 96, 120]])

    def allowed(**where):
        rests, notes = rule.silences(progress(**where), ends)
        return legal(np.broadcast_to(rests, ends.shape)[0], ends[0]), legal(
            np.broadcast_to(notes, ends.shape)[0], ends[0]
        )

    assert allowed(onset=0) == ([24, 47, 48, 60], [24, 47])
    assert allowed(onset=12, rests=[6]) == ([24, 47, 48, 60], [24, 47, 48, 60])
    assert allowed(onset=50, rests=[6]) == ([24, 47, 48, 60, 96], [24, 47, 48, 60])
    assert allowed(onset=100, rests=[6, 60]) == (ends[0].tolist(), ends[0].tolist())
    assert [owed.tolist() for owed in rule.owes(progress(onset=0), np.array([96]))] == [[2], [1]]
    assert [owed.tolist() for owed in rule.owes(progress(onset=60, rests=[6]), np.array([96]))] == [[1], [0]]
    # A repeat brings its rest along, and what is left must be done before the repeat begins.
    copied = SomeRests([(96, 144)], [(0, 24, 120)])
    assert [owed.tolist() for owed in copied.owes(progress(onset=96, rests=[12]), np.array([144]))] == [[0], [0]]
    assert [owed.tolist() for owed in copied.owes(progress(onset=96), np.array([144]))] == [[1], [0]]
    assert [owed.tolist() for owed in copied.owes(progress(onset=120), np.array([144]))] == [[0], [0]]


@given(st.sampled_from([1, 2.5, 4, 7]), st.integers(1, 9))
def test_density_counts_within_one_a_bar(wanted, bars):
    low, high = Density(wanted, 96).counts(0, bars * 96)
    for notes in range(100):
        assert (low <= notes <= high) == (abs(notes / bars - wanted) <= 1)
    late = Density(wanted, 96, stop=96)
    assert late.counts(0, 180) == late.counts(0, 96)


@given(st.sampled_from([1, 2.5, 4, 7]), st.integers(1, 9), st.integers(0, 5))
def test_density_is_of_each_stretch_wherever_it_begins(wanted, bars, first):
    rule = Density(wanted, 96, start=96 * first)
    assert rule.counts(96 * first, 96 * (first + bars)) == Density(wanted, 96).counts(0, 96 * bars)


@given(st.integers(0, 5), st.integers(0, 8))
def test_density_leans_by_what_came_since_the_new_music_began(first, count):
    start = 96 * first
    new = [(12 * place, 60 + place) for place in range(count)]
    given = [(at, 50) for at in range(0, start, 24)]
    plain = Density(4, 96).duration_preference(progress(new, onset=96), 97)
    later = [(start + at, pitch) for at, pitch in new]
    found = Density(4, 96, start=start).duration_preference(progress(given + later, onset=start + 96), 97)
    assert found.tolist() == plain.tolist()


def test_density_leans_towards_long_notes_where_there_have_been_many():
    rule = Density(4, 96)
    ahead = rule.duration_preference(progress([(at, 60) for at in range(0, 48, 6)], onset=48), 97)[0]
    behind = rule.duration_preference(progress([(0, 60)], onset=96), 97)[0]
    assert ahead[48] > ahead[24] > ahead[6]
    assert behind[48] < behind[24] < behind[6]
    assert ahead[0] == behind[0] == 0


def test_preferences_cost_and_forbid_nothing():
    rule = Prefers(lambda onset: in_range(60, 64 + onset), cost=3.0)
    cost = rule.pitch_preference(progress(onset=2))[0]
    assert cost[60] == cost[66] == 0
    assert cost[59] == cost[67] == -3
    assert Continues().counts(0, 9)[0] == 1


def test_what_departs_is_at_most_half_the_same():
    rule = Departs([(96, 192, 0)], of_classes([0]))
    source = [(0, 61), (24, 62), (48, 72), (72, 64)]
    first = progress(source, onset=96)
    assert rule.pitches(first) is None  # one of one would be more than half of none, and is let pass
    assert legal(rule.pitch_preference(first)[0]) == [61]
    second = progress([*source, (96, 61)], onset=120)
    assert legal(~rule.pitches(second)[0]) == [62]
    home = progress([*source, (96, 61), (120, 62)], onset=144)
    assert rule.pitches(home) is None  # the tonic is left for an ending
    other = progress([*source, (96, 70), (120, 71)], onset=144)
    assert rule.pitches(other) is None
    assert rule.pitches(progress(source, onset=60)) is None


def test_a_guard_forbids_what_it_is_told():
    seen = []

    def banned(pitches, onsets, onset):
        seen.append((list(pitches), list(onsets), onset))
        return {62, 64}

    mask = Guard(banned).pitches(progress([(0, 60)], onset=24))
    assert legal(~mask[0]) == [62, 64]
    assert seen == [([60], [0], 24)]
    assert Guard(lambda *_: ()).pitches(progress()) is None


def test_notes_are_counted_from_a_step_on():
    under_way = progress([(0, 60), (24, 62), (48, 64)])
    assert [under_way.notes_from(np.array([step])).tolist() for step in (0, 24, 25, 49)] == [[3], [2], [1], [0]]
