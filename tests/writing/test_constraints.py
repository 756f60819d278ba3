"""Each constraint alone, against its rule said in another way."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru.music.theory import TimeSignature
from melodygru.writing.constraints.base import PITCHES, Constraint, Progress, in_range, of_classes
from melodygru.writing.constraints.past import (
    Breathes,
    Continues,
    Density,
    Departs,
    FewRests,
    Guard,
    Prefers,
    Repeats,
    SomeRests,
)
from melodygru.writing.constraints.places import (
    Bars,
    Closed,
    EndsOn,
    Grid,
    Joints,
    Leaps,
    NoRests,
    Pitches,
    Seams,
    shortest_end,
)
from tests.under_way import progress, together

ENDS = np.arange(1, 200)


def legal(mask, values=None):
    assert mask.dtype == bool
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


def test_the_last_note_may_leave_room_for_the_pickup_where_nothing_begins_then():
    rule, ends = EndsOn([0], 192, 24, pickup=18), np.arange(160, 195)
    assert legal(rule.ends(100, ends), ends) == [*range(160, 169), 174, 192, 193, 194]
    assert legal(rule.ends(173, ends), ends) == [*range(160, 169), 174, 192, 193, 194]
    assert legal(rule.ends(174, ends), ends) == []
    assert legal(EndsOn([0], 192, 24).ends(100, ends), ends) == [*range(160, 169), 192, 193, 194]


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
        (Grid(96), 24, [30, 32, 36, 40, 42, 48]),
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


def test_triplets_count_from_the_bar_line_where_bars_are_no_whole_quarters():
    ends = np.arange(43, 71)
    assert legal(Grid(42).ends(42, ends), ends) == [48, 50, 54, 58, 60, 66]


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
    closed = Closed(np.arange(192) >= 96)
    assert closed.begins(95) is None
    assert not closed.begins(96).any()
    assert closed.begins(192) is None
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


def test_a_rest_is_heard_where_it_is_written_and_in_every_repeat_of_it():
    rule = FewRests(1, 24, start=12, last=190, echoes=[(48, 96, 144)])

    def may_rest(onset, rests=()):
        ends = np.array([onset + 12])
        return rule.rests(onset, ends)[0], rule.silences(progress(rests=rests, onset=onset), ends[None])[0][0, 0]

    # Once before what is repeated and after it, twice within; what stands in the repeat was counted, and so was what
    # came before the start.
    assert [may_rest(onset) for onset in (36, 48, 84, 96, 132)] == [
        (True, True),
        *[(False, False)] * 2,
        *[(True,) * 2] * 2,
    ]
    assert [may_rest(onset, [36])[1] for onset in (40, 132, 144, 150, 191, 192)] == [
        False,
        False,
        True,
        True,
        True,
        False,
    ]
    assert [may_rest(onset, [11])[1] for onset in (36, 96)] == [True, True]
    assert [may_rest(36, [rest])[1] for rest in (12, 96)] == [False, False]
    assert rule.rests(180, np.array([189, 190, 191])).tolist() == [True, False, True]
    # Side by side each melody has its own.
    both = rule.silences(together(progress(rests=[36], onset=40), progress(onset=40)), np.array([[52], [52]]))
    assert [mask.tolist() for mask in both] == [[[False], [True]], [[True], [True]]]


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


def test_a_repeat_brings_the_rests_from_its_first_step_to_its_last():
    rule = SomeRests([(96, 192)], [(24, 48, 120)])

    def owed(onset, rests=(), until=192):
        return [of.tolist() for of in rule.owes(progress(onset=onset, rests=rests), np.array([until]))]

    nothing, one = [[0], [0]], [[1], [0]]
    assert [owed(100, [rest]) for rest in (23, 24, 47, 48)] == [one, nothing, nothing, one]
    assert [owed(100, [rest]) for rest in (95, 96, 100)] == [one, nothing, nothing]
    assert [owed(191), owed(192)] == [one, nothing]  # the repeat is over before the stretch is
    assert [owed(60, until=until) for until in (96, 97)] == [nothing, [[1], [1]]]
    # A rest at the end of a stretch, which is where the next begins, is none of its own.
    assert [SomeRests([(0, 96)]).owes(progress(onset=50, rests=[rest]), np.array([96]))[0] for rest in (95, 96)] == [
        0,
        1,
    ]
    # Where the stretch ends with the repeat, its rest must be written before the repeat begins, or be brought by it.
    ending = SomeRests([(96, 144)], [(24, 48, 120)])
    notes = ending.silences(progress(onset=100), np.array([[119, 120, 144]]))[1]
    assert notes.tolist() == [[True, False, False]]
    assert [ending.owes(progress(onset=100, rests=[rest]), np.array([144]))[0] for rest in (30, 60)] == [0, 1]


def test_a_rest_serves_its_stretch_and_does_not_sleep_up_to_the_end():
    rule = SomeRests([(0, 48), (48, 96)])
    ends = np.array([[95, 96, 97, 98]])
    rests = rule.silences(progress(onset=60), ends)[0]
    assert rests.tolist() == [[True, True, False, False]]
    assert rule.silences(progress(onset=96), ends)[0].all()  # all stretches are over
    both = rule.silences(together(progress(onset=60), progress(onset=60, rests=[6, 60])), np.vstack([ends] * 2))
    assert both[1].tolist() == [[True, False, False, False], [True] * 4]


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


@pytest.mark.parametrize(
    ("notes", "tilt"),
    [(4, 0), (5, 0.5), (3, -0.5), (6, 1), (11, 3.5), (12, 4), (14, 4), (0, -2)],
)
def test_each_note_ahead_tilts_durations_by_half_a_power_of_them_and_eight_by_no_more(notes, tilt):
    under_way = progress([(at, 60) for at in range(notes)], onset=96)
    # Of four notes in a bar of 96 steps the mean lasts 24: that one is left alone.
    expected = [0, *(tilt * np.log(duration / 24) for duration in range(1, 97))]
    assert Density(4, 96).duration_preference(under_way, 97)[0] == pytest.approx(expected)


def test_many_notes_behind_tilt_durations_by_no_more_than_eight():
    late = Density(4, 96).duration_preference(progress(onset=960), 97)[0]
    assert late[48] == pytest.approx(-4 * np.log(2))


def test_preferences_cost_and_forbid_nothing():
    rule = Prefers(lambda onset: in_range(60, 64 + onset))
    cost = rule.pitch_preference(progress(onset=2))[0]
    assert cost[60] == cost[66] == 0
    assert cost[59] == cost[67] == -3
    fewest, most = Continues().counts(0, 9)
    assert fewest == 1
    assert most >= 9


def test_a_note_is_due_when_none_has_begun_for_long():
    rule = Breathes(48)
    costs = rule.duration_preference(progress(onset=24), 60)
    assert (costs[:, :49] == 0).all()
    assert (costs[:, 49:] == -Breathes.COST).all()
    assert rule.pitch_preference(progress([(0, 61), (24, 62)], onset=71)) is None
    assert rule.pitch_preference(progress([(0, 61), (24, 62)], onset=72)).min() == Breathes.COST
    assert rule.pitch_preference(progress(onset=48)).min() == Breathes.COST


def test_what_departs_is_at_most_half_the_same():
    rule = Departs([(96, 192, 0)], of_classes([0]))
    source = [(0, 61), (24, 62), (48, 72), (72, 64)]
    first = progress(source, onset=96)
    assert rule.pitches(first) is None  # one of one would be more than half of none, and is let pass
    assert legal(rule.pitch_preference(first)[0] != 0) == [61]
    second = progress([*source, (96, 61)], onset=120)
    assert legal(~rule.pitches(second)[0]) == [62]
    home = progress([*source, (96, 61), (120, 62)], onset=144)
    assert rule.pitches(home) is None  # the tonic is left for an ending
    other = progress([*source, (96, 70), (120, 71)], onset=144)
    assert rule.pitches(other) is None
    assert rule.pitches(progress(source, onset=60)) is None


def test_what_departs_is_compared_with_what_stands_as_far_from_its_source():
    rule = Departs([(192, 288, 48)], of_classes([]))
    source = [(0, 70), (48, 61), (72, 62), (96, 63)]
    assert rule.pitch_preference(progress(source, onset=216))[0].tolist() == [
        -2.0 if pitch == 62 else 0.0 for pitch in range(PITCHES)
    ]

    def often(*later, onset):
        mask = rule.pitches(progress([*source, *later], onset=onset))
        return [] if mask is None else legal(~mask[0])

    assert often((192, 61), onset=216) == [62]
    assert often((192, 60), onset=216) == []
    assert often((192, 61), (216, 61), onset=240) == []  # two of three are the same: half, rounded up
    assert often((192, 61), (216, 62), onset=240) == [63]
    assert often((193, 61), (216, 62), onset=240) == []  # a step later it is not the same
    # Where no note began, before the stretch and after it nothing is compared.
    for onset in (228, 191, 288, 250):
        assert often((192, 61), onset=onset) == []
        assert not rule.pitch_preference(progress([*source, (192, 61)], onset=onset)).any()
    # Of melodies side by side each is compared with itself.
    both = together(progress(source, onset=216), progress([*source, (192, 61)], onset=216))
    assert [legal(~row) for row in rule.pitches(both)] == [[], [62]]


def test_nothing_is_compared_with_what_was_silent():
    rule = Departs([(96, 192, 48)], of_classes([]))
    silent = progress([(0, 60), (96, 61)], onset=120)
    assert rule.pitches(silent) is None
    assert not rule.pitch_preference(progress([(0, 60)], onset=96)).any()
    # The stretch's own first note stands where its end is compared; what is after the end is not.
    own = progress([(0, 60), (96, 61)], onset=144)
    assert legal(rule.pitch_preference(own)[0] != 0) == [61]
    short = Departs([(96, 144, 48)], of_classes([]))
    assert not short.pitch_preference(own).any()


def test_of_many_melodies_a_guard_is_asked_about_those_that_it_suspects_alone():
    asked = []

    class Rule:
        def __call__(self, pitches, onsets, onset):
            asked.append(onset)
            return pitches[-1:]

        def suspects(self, pitches, onsets):
            return [row for row, (line, at) in enumerate(zip(pitches, onsets, strict=True)) if line[-1] > 60 and at]

    def banned(many):
        asked.clear()
        melodies = [progress([(0, 60 + row % 2)], onset=row) for row in range(many)]
        return [legal(~row) for row in Guard(Rule()).pitches(together(*melodies))]

    assert banned(40) == [[], [61]] * 20
    assert asked == list(range(1, 40, 2))
    assert banned(2) == [[60], [61]]  # few are asked about one by one
    # A rule without suspicions is asked about all.
    many = together(*[progress([(0, 60)]) for _ in range(40)])
    assert not Guard(lambda pitches, onsets, onset: pitches[-1:]).pitches(many)[:, 60].any()


def test_a_guard_forbids_what_it_is_told():
    seen = []

    def banned(pitches, onsets, onset):
        seen.append((list(pitches), list(onsets), onset))
        return {62, 64}

    mask = Guard(banned).pitches(progress([(0, 60)], onset=24))
    assert legal(~mask[0]) == [62, 64]
    assert seen == [([60], [0], 24)]
    assert Guard(lambda *_: ()).pitches(progress()) is None


def test_melodies_begin_apart_from_each_other_with_nothing_behind_them():
    two = Progress.start(2)
    for entries in (two.rests, two.pitches, two.onsets):
        assert entries == [[], []]
        entries[0].append(1)
        assert entries == [[1], []]
    assert (two.rests, two.pitches, two.onsets) == ([[1], []],) * 3
    assert two.onset.tolist() == two.repeats.tolist() == [0, 0]
    assert two.reference.tolist() == [-1, -1]
    assert two.sounding.tolist() == two.resting.tolist() == [False, False]


def test_what_is_kept_stands_where_it_stood():
    ones = [progress([(at, 60 + at)], [at + 5], onset=at + 9, repeats=at) for at in range(3)]
    kept, alone = together(*ones).kept(np.array([2, 0])), together(ones[2], ones[0])
    for name in ("onset", "reference", "sounding", "resting", "repeats"):
        assert getattr(kept, name).tolist() == getattr(alone, name).tolist()
    assert (kept.rests, kept.pitches, kept.onsets) == (alone.rests, alone.pitches, alone.onsets)


def test_notes_are_counted_from_a_step_on():
    under_way = progress([(0, 60), (24, 62), (48, 64)])
    assert [under_way.notes_from(np.array([step])).tolist() for step in (0, 24, 25, 49)] == [[3], [2], [1], [0]]
