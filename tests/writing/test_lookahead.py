"""What the look-ahead offers, against every melody of a tiny world written out."""

from itertools import pairwise

import numpy as np
import pytest

from melodygru.network.tokenizer import END, REST, TIE
from melodygru.writing.constraints.base import Constraint, Progress, in_range
from melodygru.writing.constraints.past import Continues, Density, FewRests, Repeats, SomeRests
from melodygru.writing.constraints.places import Bars, EndsOn, Joints, Leaps, NoRests, Pitches, Seams
from melodygru.writing.layout import Region
from melodygru.writing.lookahead import Lookahead
from tests.under_way import together

LENGTH, BAR, FIRST_BY = 6, 3, 3
LOW, HIGH = 60, 62


class Coarse(Constraint):
    """Events of one, two or three steps."""

    def ends(self, onset, ends):
        return ends - onset <= 3


class Within(Constraint):
    """So many notes in all."""

    def __init__(self, low, high):
        self.low, self.high = low, high

    def counts(self, start, end):
        return self.low, self.high


class HighLater(Constraint):
    """From the third step on nothing sounds below 61."""

    def sounds(self, onset, ends):
        legal = np.ones((len(ends), 128), bool)
        legal[ends > 3, :61] = False
        return legal


class ShortAtFirst(Constraint):
    """The first event lasts a step: fewer ends than there are elsewhere."""

    def ends(self, onset, ends):
        return ends == 1 if onset == 0 else None


BASE = [Bars(LENGTH, BAR), Pitches(in_range(LOW, HIGH)), Coarse()]
# The highest pitch, and the rules.
WORLDS = {
    "bare": (60, []),
    "leaps and home": (62, [Leaps(1), EndsOn([0], LENGTH)]),
    "home, long": (61, [EndsOn([1], LENGTH, 2)]),
    "no rests, counted": (61, [NoRests(), Within(4, 5)]),
    "counted": (61, [Within(2, 2)]),
    "sounds": (61, [HighLater()]),
    "seam": (62, [Seams([3]), Leaps(1)]),
    "few rests": (61, [FewRests(9, 1), Within(3, 3)]),
    "dense": (62, [Density(2, BAR, off=0.5), Leaps(1), EndsOn([2], LENGTH)]),
    "changing": (62, [Repeats(1), Leaps(1), Within(3, 6)]),
    "short at first": (60, [ShortAtFirst()]),
    "joint": (61, [Joints([3], in_range(61, 61))]),
    "rests in each half": (60, [SomeRests([(0, 3), (3, 6)]), Within(4, 4)]),
    "few notes and rests": (62, [FewRests(1, 3), Within(0, 2), Leaps(1)]),
}


def melodies(at=0, events=()):
    """Every row of events that a tokenizer could make, by brute force: no two rests in a row, ties after sounds."""
    if at == LENGTH:
        yield (*events, (at, END, REST))
        return
    for duration in (1, 2, 3):
        if at + duration > LENGTH:
            continue
        last = events[-1][2] if events else None
        for pitch in (*range(LOW, HIGH + 1), REST, TIE):
            if pitch == REST and last == REST:
                continue
            if pitch == TIE and last in (None, REST):
                continue
            yield from melodies(at + duration, (*events, (at, duration, pitch)))


EVERYTHING = list(melodies())
# The same on one pitch, where what counts are onsets alone.
FLAT = [Bars(LENGTH, BAR), Pitches(in_range(LOW, LOW)), Coarse()]
FLAT_EVERYTHING = [events for events in EVERYTHING if all(pitch in (LOW, REST, TIE) for *_, pitch in events)]


def sounding(events):
    """(onset, end, pitch) of notes, ties joined."""
    notes = []
    for at, duration, pitch in events:
        if pitch < REST and duration != END:
            notes.append([at, at + duration, pitch])
        elif pitch == TIE:
            notes[-1][1] = at + duration
    return notes


def keeps(name, events, first_by=FIRST_BY):
    """The rules of a world, said naively."""
    notes = sounding(events)
    rests = [(at, at + duration) for at, duration, pitch in events if pitch == REST and duration != END]
    pitches = [pitch for _, _, pitch in notes]
    if not notes or notes[0][0] >= first_by:
        return False
    smooth = all(abs(two - one) <= 1 for one, two in pairwise(pitches))
    ends = {at + duration for at, duration, _ in events if duration != END}
    return {
        "bare": True,
        "leaps and home": smooth and pitches[-1] == 60,
        "home, long": pitches[-1] == 61 and LENGTH - 1 not in ends,
        "no rests, counted": not rests and 4 <= len(notes) <= 5,
        "counted": len(notes) == 2,
        "sounds": all(pitch >= 61 for _, end, pitch in notes if end > 3),
        "seam": smooth and 3 in ends and not any(at == 3 and p in (TIE, REST) and d for at, d, p in events),
        "few rests": all(end - at <= 1 for at, end in rests) and len(notes) == 3,
        "dense": smooth and pitches[-1] == 62 and 3 <= len(notes) <= 5,
        "changing": smooth and all(one != two for one, two in pairwise(pitches)) and 3 <= len(notes) <= 6,
        "short at first": events[0][1] == 1,
        "joint": all(pitch in (61, TIE) for at, _, pitch in events if at == 3),
        "rests in each half": len(notes) == 4 and {at // 3 for at, _ in rests} == {0, 1},
        "few notes and rests": smooth and len(rests) <= 1 and len(notes) <= 2,
    }[name]


def walk(ahead, seen=None):
    """All melodies that the look-ahead offers, and where it led into a dead end; `seen` gathers where they stood."""
    found, dead, front = set(), [], [(Progress.start(1), ())]
    while front:
        options, further = ahead.options(together(*(where for where, _ in front))), []
        for row, (where, events) in enumerate(front):
            if not options.any[row]:
                dead.append(events)
                continue
            at = int(where.onset[0])
            if options.durations[row, END]:
                found.add((*events, (at, END, REST)))
                assert len(found) <= len(EVERYTHING)
            for column, pitch in zip(*(index.tolist() for index in np.nonzero(options.legal[row])), strict=True):
                duration = int(options.steps[row, column])
                assert duration > 0
                further.append((after(where, duration, pitch), (*events, (at, duration, pitch))))
        if seen is not None:
            seen += [where for where, _ in front]
        front = further
    return found, dead


def after(where, duration, pitch):
    at, struck = int(where.onset[0]), pitch < REST
    return Progress(
        where.onset + duration,
        np.array([pitch]) if struck else where.reference,
        np.array([struck or pitch == TIE]),
        np.array([pitch == REST]),
        np.where(struck & (where.reference == pitch), where.repeats + 1, np.where(struck, 1, where.repeats)),
        [[*where.rests[0], at] if pitch == REST else where.rests[0]],
        [[*where.pitches[0], pitch] if struck else where.pitches[0]],
        [[*where.onsets[0], at] if struck else where.onsets[0]],
    )


@pytest.mark.parametrize("name", WORLDS)
def test_offered_is_what_can_be_finished_and_all_of_it(name):
    high, rules = WORLDS[name]
    ahead = Lookahead([*BASE, Pitches(in_range(LOW, high)), *rules], [Region(0, LENGTH)], 3, FIRST_BY)
    found, dead = walk(ahead)
    assert not dead
    sounds = {*range(LOW, high + 1), REST, TIE}
    assert found == {
        events for events in EVERYTHING if sounds.issuperset(pitch for *_, pitch in events) and keeps(name, events)
    }
    assert found
    assert ahead.feasible(0)


def test_the_lowest_pitch_of_all_is_a_pitch():
    low = [Bars(LENGTH, BAR), Pitches(in_range(0, HIGH - LOW)), Coarse(), Leaps(1), EndsOn([0], LENGTH)]
    found, dead = walk(Lookahead(low, [Region(0, LENGTH)], 3, FIRST_BY))
    assert not dead
    assert found == {
        tuple((at, duration, pitch - LOW if pitch < REST else pitch) for at, duration, pitch in events)
        for events in EVERYTHING
        if keeps("leaps and home", events)
    }


@pytest.mark.parametrize(
    "wishes",
    [
        [EndsOn([5], LENGTH)],
        [NoRests(), Within(7, 9)],
        [Leaps(0), HighLater(), NoRests(), EndsOn([0], LENGTH)],
    ],
)
def test_what_cannot_be_is_known_beforehand(wishes):
    ahead = Lookahead([*BASE, *wishes], [Region(0, LENGTH)], 3, FIRST_BY)
    assert not ahead.feasible(0)
    assert not ahead.feasible(0, None)


def test_regions_lead_to_what_follows_them():
    # The second begins on 62 or not at all; the first must end a step away from it.
    class High(Constraint):
        def begins(self, onset):
            return in_range(62, 62) if onset >= 3 else None

    anything = in_range(0, 127)
    regions = [Region(0, 3, anything, (1,)), Region(3, 6)]
    ahead = Lookahead([*BASE, Leaps(1), High()], regions, 3, FIRST_BY)
    found, dead = walk(ahead)
    assert not dead
    for events in found:
        pitches = [pitch for _, _, pitch in sounding(events)]
        assert all(abs(two - one) <= 1 for one, two in pairwise(pitches))
        assert all(pitch == 62 for at, _, pitch in sounding(events) if at >= 3)
        assert any(at + duration == 3 for at, duration, _ in events)
    assert ahead.feasible(1, 61)
    assert not Lookahead([*BASE, Leaps(0), High(), NoRests()], regions, 3, FIRST_BY).feasible(1, 61)


def test_a_region_ends_as_what_is_given_after_it_asks():
    joins = in_range(61, 61)
    ahead = Lookahead([*BASE, NoRests()], [Region(0, 3, joins)], 3, FIRST_BY)
    where, last = Progress.start(1), None
    for _ in range(3):
        options = ahead.options(where)
        column = options.legal[0, :, :REST].any(axis=1).argmax()
        pitch = int(options.legal[0, column, :REST].argmax())
        where, last = after(where, int(options.steps[0, column]), pitch), pitch
        if where.onset[0] == 3:
            break
    assert last == 61


def test_counted_places_are_kept_for_rests_that_are_due():
    some = SomeRests([(0, 6)])
    # Five notes and a rest fit into six steps, six notes do not.
    assert Lookahead([*BASE, some, Within(5, 5)], [Region(0, LENGTH)], 3, FIRST_BY).feasible(0)
    assert not Lookahead([*BASE, some, Within(6, 6)], [Region(0, LENGTH)], 3, FIRST_BY).feasible(0)
    found, dead = walk(Lookahead([*BASE, some, Within(5, 5)], [Region(0, LENGTH)], 3, FIRST_BY))
    assert not dead
    assert found == {
        events
        for events in EVERYTHING
        if keeps("bare", events)
        and len(sounding(events)) == 5
        and any(pitch == REST and duration != END for _, duration, pitch in events)
    }


@pytest.mark.parametrize("first_by", [1, 2, 6])
def test_the_first_note_begins_before_the_step_that_it_has_to(first_by):
    found, dead = walk(Lookahead(FLAT, [Region(0, LENGTH)], 3, first_by))
    assert not dead
    assert found == {events for events in FLAT_EVERYTHING if keeps("bare", events, first_by)}


@pytest.mark.parametrize("longest", [1, 2, 3])
def test_no_event_is_longer_than_the_longest(longest):
    found, dead = walk(Lookahead(FLAT[:2], [Region(0, LENGTH)], longest, FIRST_BY))
    assert not dead
    assert found == {
        events
        for events in FLAT_EVERYTHING
        if keeps("bare", events) and all(duration <= longest for _, duration, _ in events)
    }


def test_a_melody_may_close_before_the_bar_line_where_it_is_let():
    found, dead = walk(Lookahead([Bars(LENGTH, BAR, 0.5), *FLAT[1:]], [Region(0, LENGTH)], 3, FIRST_BY))
    assert not dead
    early = {(*events[:-2], (5, END, REST)) for events in FLAT_EVERYTHING if events[-2][:2] == (5, 1)}
    assert found == {events for events in (*FLAT_EVERYTHING, *early) if keeps("bare", events)}
    counted, dead = walk(Lookahead([Bars(LENGTH, BAR, 0.5), *FLAT[1:], Within(3, 3)], [Region(0, LENGTH)], 3, FIRST_BY))
    assert not dead
    assert counted == {events for events in found if len(sounding(events)) == 3}


def test_relaxed_it_overlooks_that_a_pitch_must_change_and_offers_no_less():
    rules = [*BASE, Leaps(0), Repeats(2)]
    assert not Lookahead(rules, [Region(0, LENGTH)], 3, FIRST_BY).feasible(0, 60)
    relaxed = Lookahead(rules, [Region(0, LENGTH)], 3, FIRST_BY, relaxed=True)
    assert relaxed.feasible(0, 60)
    found, _ = walk(relaxed)
    one = {events for events in EVERYTHING if keeps("bare", events) and len({p for *_, p in sounding(events)}) == 1}
    assert found == {events for events in one if len(sounding(events)) <= 2}


def test_in_every_stretch_that_continues_a_note_begins():
    regions = [Region(0, 3, in_range(0, 127), (1,)), Region(3, 6)]
    ahead = Lookahead([*FLAT, Continues()], regions, 3, FIRST_BY)
    assert all(ahead.feasible(number, reference) for number in (0, 1) for reference in (-1, 60, None))
    found, dead = walk(ahead)
    assert not dead
    assert found == {
        events
        for events in FLAT_EVERYTHING
        if keeps("bare", events)
        and {at // 3 for at, _, _ in sounding(events)} == {0, 1}
        and any(at == 3 for at, _, _ in events)
        and all(pitch != TIE for at, _, pitch in events if at == 3)
    }


@pytest.mark.parametrize("rules", [[], [Leaps(1), Within(1, 3)], [SomeRests([(0, 6)]), FewRests(2, 2), Continues()]])
def test_many_melodies_are_offered_what_each_is_offered_alone(rules):
    regions = [Region(0, 3, in_range(0, 127), (1,)), Region(3, 6)]
    ahead, seen = Lookahead([*BASE, Seams([3]), HighLater(), *rules], regions, 3, FIRST_BY), []
    walk(ahead, seen)
    some = [seen[place] for place in np.random.default_rng(0).permutation(len(seen))[:60]]
    many = ahead.options(together(*some))
    for row, one in enumerate(some):
        alone = ahead.options(one)
        assert (many.steps[row] == alone.steps[0]).all()
        assert (many.legal[row] == alone.legal[0]).all()
        assert (many.durations[row] == alone.durations[0]).all()
        assert many.any[row] == alone.any[0] == alone.durations.any()


def test_with_the_end_goes_the_rest_alone_and_with_a_duration_what_is_legal_with_it():
    ahead = Lookahead([*BASE, HighLater(), NoRests()], [Region(0, LENGTH)], 3, FIRST_BY)
    options = ahead.options(Progress.start(2))
    assert [np.flatnonzero(row).tolist() for row in options.pitches(np.array([END, 3]))] == [[REST], [60, 61, 62]]
    later = Progress.start(2)
    later.onset, later.reference, later.sounding = np.array([2, 2]), np.array([60, 61]), np.array([True, True])
    legal = ahead.options(later).pitches(np.array([2, 2]))
    assert [np.flatnonzero(row).tolist() for row in legal] == [[61, 62], [61, 62, TIE]]


def test_what_was_given_is_not_prolonged():
    ahead = Lookahead(BASE, [Region(3, LENGTH)], 3, 6)
    where = Progress.start(1)
    where.onset, where.reference, where.sounding = np.array([3]), np.array([61]), np.array([True])
    assert not ahead.options(where).legal[:, :, TIE].any()
    where.onset = np.array([4])
    assert ahead.options(where).legal[:, :, TIE].any()


def test_a_rest_does_not_follow_a_rest_over_the_border_of_what_is_written():
    ahead = Lookahead([*BASE, Within(0, 0)], [Region(3, LENGTH)], 3, 6)
    assert ahead.feasible(0, 61)  # silence is left
    assert not ahead.feasible(0, 61, resting=True)
    assert not ahead.feasible(0)  # a melody without any note is none
