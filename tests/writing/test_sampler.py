"""Sampling against brute-force readings of its definitions, and with engines whose scores are known."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru import TimeSignature
from melodygru.errors import SamplingError, UsageError
from melodygru.network.engine import NumpyEngine
from melodygru.network.tokenizer import END, REST, TIE, Tokenizer
from melodygru.writing import sampler
from melodygru.writing.choosing import draw, keep_top_k, keep_top_p
from melodygru.writing.config import GenerationConfig
from melodygru.writing.constraints.base import Constraint
from melodygru.writing.constraints.past import Guard
from melodygru.writing.drawing import SamplingConfig
from melodygru.writing.layout import Copy, Region, Script
from melodygru.writing.lookahead import Lookahead
from melodygru.writing.planner import plan
from melodygru.writing.sampler import sample
from tests.networks import SMALL, network

# Few distinct values, so that ties are common.
rows = st.lists(st.sampled_from([-2.0, -1.0, -0.5, 0.0, 0.5, 1.0, 3.0]), min_size=1, max_size=9)


@given(rows, st.integers(0, 12))
def test_top_k_keeps_the_k_best_and_their_equals(row, k):
    kept = keep_top_k(np.array([row]), k)[0]
    for value, keep in zip(row, kept, strict=True):
        # Kept if fewer than k are better: with ties that lets in every equal of the k-th.
        assert keep == (k == 0 or sum(other > value for other in row) < k)


@given(rows, st.floats(0.01, 1.0))
def test_top_p_keeps_the_smallest_nucleus_and_the_equals_of_its_last(row, p):
    total = sum(math.exp(value) for value in row)
    threshold, mass = -math.inf, 0.0
    for value in sorted(row, reverse=True):
        mass += math.exp(value) / total
        threshold = value
        if mass >= p - 1e-12:
            break
    kept = keep_top_p(np.array([row]), p)[0]
    if abs(mass - p) > 1e-9:  # a sum that meets p to the last digit may fall on either side
        assert kept.tolist() == [p >= 1 or value >= threshold for value in row]


@given(
    rows,
    st.floats(0.05, 5),
    st.integers(0, 5),
    st.sampled_from([0.13, 0.4, 0.77, 0.96, 1]),
    st.floats(0, 1, exclude_max=True),
    st.data(),
)
def test_draw_equals_brute_force(row, temperature, k, p, uniform, data):
    legal = data.draw(st.lists(st.booleans(), min_size=len(row), max_size=len(row)).filter(any))
    config = SamplingConfig(temperature, k, p)
    alive = {i: value / temperature for i, value in enumerate(row) if legal[i]}
    if k:
        alive = {i: v for i, v in alive.items() if sum(o > v for o in alive.values()) < k}
    total = sum(math.exp(v) for v in alive.values())
    if p < 1:
        mass, threshold = 0.0, math.inf
        for value in sorted(alive.values(), reverse=True):
            if mass >= p - 1e-12:
                break
            mass, threshold = mass + math.exp(value) / total, value
        alive = {i: v for i, v in alive.items() if v >= threshold}
        total = sum(math.exp(v) for v in alive.values())
    below, bounds = 0.0, {}
    for i in sorted(alive):
        bounds[i] = (below, below + math.exp(alive[i]) / total)
        below = bounds[i][1]
    drawn = int(draw(np.array([row]), np.array([legal]), config, np.array([uniform]))[0])
    assert legal[drawn]
    low, high = bounds[drawn]
    assert low - 1e-9 <= uniform <= high + 1e-9


@given(rows)
def test_temperature_zero_takes_the_first_of_the_best(row):
    config = SamplingConfig(temperature=0)
    drawn = draw(np.array([row]), np.ones((1, len(row)), bool), config, np.array([0.99]))
    assert drawn[0] == row.index(max(row))


def test_a_nucleus_is_as_small_as_it_can_be_and_one_of_all_keeps_all():
    halves = np.array([[0, -math.log(2), -math.log(2)], [-math.log(2), -math.log(4), 0]])  # 4:2:2 and 2:1:4 parts
    assert keep_top_p(halves, 0.5).tolist() == [[True, False, False], [False, False, True]]
    assert keep_top_p(halves, 0.51).tolist() == [[True] * 3, [False, False, True]]
    assert keep_top_p(halves, 0.6).tolist() == [[True] * 3, [True, False, True]]
    assert keep_top_p(np.array([[0.0, -100.0]]), 1).all()
    # Rounded, all of these make a little less than that.
    assert keep_top_p(-0.1 * np.arange(27)[None], 1 - 2**-53).all()
    for keeps_all in (keep_top_p(halves, 1), keep_top_k(halves, 0)):
        assert keeps_all.dtype == bool


@given(
    st.lists(st.floats(-1000, 1000), min_size=12, max_size=12), st.sampled_from([1e-9, 0.01, 1, 3]), st.integers(0, 9)
)
def test_many_are_drawn_as_each_is_alone(values, temperature, seed):
    logits, uniform = np.array(values).reshape(3, 4), np.random.default_rng(seed).random(3)
    for config in (SamplingConfig(temperature, 3, 1), SamplingConfig(temperature, 0, 0.8)):
        together = draw(logits, np.ones((3, 4), bool), config, uniform)
        alone = [draw(logits[[row]], np.ones((1, 4), bool), config, uniform[[row]])[0] for row in range(3)]
        assert together.tolist() == alone


def test_a_row_far_below_another_is_drawn_as_if_it_were_alone():
    logits = np.array([[0.0, 1.0], [1e9, 1e9 + 1]])
    assert draw(logits, np.ones((2, 2), bool), SamplingConfig(1e-9, 0, 1), np.array([0.5, 0.5])).tolist() == [1, 1]


def test_a_thousand_draws_follow_the_probabilities():
    logits = np.log(np.array([[0.5, 0.25, 0.25]])).repeat(4000, axis=0)
    uniform = np.random.default_rng(0).random(4000)
    drawn = draw(logits, np.ones(logits.shape, bool), SamplingConfig(1, 0, 1), uniform)
    assert np.bincount(drawn) / 4000 == pytest.approx([0.5, 0.25, 0.25], abs=0.03)


def test_the_smallest_temperatures_are_as_good_as_zero():
    logits = np.array([[0.0, 3.0, 2.999]])
    for temperature in (5e-324, 1e-300, 1e-9):
        assert draw(logits, np.ones((1, 3), bool), SamplingConfig(temperature, 0, 1), np.array([0.99])) == [1]


def test_what_is_illegal_is_never_drawn_even_where_it_scores_best():
    logits = np.array([[100.0, 0.0, -1000.0]])
    for config in (SamplingConfig(0), SamplingConfig(1, 1, 1), SamplingConfig(1, 0, 0.1), SamplingConfig(10, 0, 1)):
        drawn = draw(logits, np.array([[False, False, True]]), config, np.array([0.999999]))
        assert drawn[0] == 2


@pytest.mark.parametrize(
    "bad",
    [{"temperature": -1}, {"temperature": 11}, {"top_k": -1}, {"top_p": 0}, {"top_p": 1.1}, {"top_p": float("nan")}],
)
def test_settings_out_of_range_are_refused_with_their_value(bad):
    with pytest.raises(UsageError, match=str(next(iter(bad.values())))):
        SamplingConfig(**bad)


class Scripted:
    """An engine that always gives the same scores: flat, or for one event."""

    def __init__(self, duration=None, pitch=None):
        self.duration, self.pitch = duration, pitch

    def start(self, metas):
        self.onset = np.zeros(len(metas), np.int64)
        self.reference = np.full(len(metas), -1)
        return self

    def duration_logits(self, state):
        return self._flat(193, self.duration)

    def pitch_logits(self, state, durations):
        return self._flat(130, self.pitch)

    def advance(self, state, durations, pitches):
        self.onset = self.onset + durations
        self.reference = np.where(pitches < REST, pitches, self.reference)

    def keep(self, state, rows):
        self.onset, self.reference = self.onset[rows], self.reference[rows]

    def _flat(self, size, favourite):
        logits = np.zeros((len(self.onset), size), np.float32)
        if favourite is not None:
            logits[:, favourite] = 50
        return logits


def events_of(drawn):
    """(onset, duration, pitch class) of each event."""
    columns = (drawn.onsets, drawn.events.durations, drawn.events.pitches)
    return list(zip(*(column.tolist() for column in columns), strict=True))


METRES = ["4/4", "3/4", "6/8", "2/4", "3/8", "5/4", "7/8", "5/16", "1/32", "12/8"]


def planned(**wishes):
    return plan(GenerationConfig(**wishes))


def run(engine, made, count, seed=3, config=None, first=0):
    config = config or SamplingConfig(2, 0, 1)
    return sample(engine, made.meta, count, config, made.ahead, seed, first, made.script)


@pytest.mark.parametrize("meter", METRES)
@pytest.mark.parametrize("bars", [1, 2, 7])
def test_any_scores_at_all_give_exactly_the_bars_asked_for(meter, bars):
    made = planned(meter=meter, bars=bars)
    metre = TimeSignature.parse(meter)
    for engine in (Scripted(), Scripted(END), Scripted(192), Scripted(7, REST), Scripted(8, TIE), Scripted(5, 127)):
        for drawn in run(engine, made, 6):
            melody = Tokenizer().decode(drawn.events)
            assert melody.bars == bars
            assert melody.notes
            assert melody.notes[-1].pitch % 12 == 0
            silence = bars * metre.bar_steps - drawn.events.durations.sum()
            assert 0 <= silence <= metre.bar_steps / 2


@pytest.mark.parametrize("meter", [*METRES, "1/8", "5/8", "9/8", "3/16"])
def test_every_event_ends_on_a_sixteenth_or_on_a_triplet_of_its_quarter(meter):
    metre = TimeSignature.parse(meter)
    straight = min(6, metre.bar_steps)
    for engine in (Scripted(), Scripted(8), Scripted(16)):
        for drawn in run(engine, planned(meter=meter, bars=5, triplets=True), 10, 1):
            for end in drawn.events.durations.cumsum().tolist():
                in_bar = end % metre.bar_steps
                assert end % straight == 0 or (in_bar % 8 == 0 and in_bar // 24 * 24 + 24 <= metre.bar_steps)


def test_an_engine_of_one_idea_writes_it():
    events = run(Scripted(24, 64), planned(bars=2), 1, config=SamplingConfig(0))[0].events
    assert events.durations.tolist() == [24] * 8 + [END]
    assert events.pitches.tolist() == [64] * 7 + [48, REST]  # home at last: the lowest of equally good tonics


def test_ties_are_written_after_what_sounds():
    events = run(Scripted(48, TIE), planned(bars=2), 1, config=SamplingConfig(0))[0].events
    assert events.durations.tolist() == [48] * 4 + [END]
    assert events.pitches.tolist() == [48, TIE, TIE, TIE, REST]


def test_the_nats_are_the_engines_own_before_any_constraint():
    drawn = run(Scripted(), planned(bars=1, range="C4:C4"), 1)[0]
    assert drawn.nats[:-1] == pytest.approx(math.log(193) + math.log(130))
    assert drawn.nats[-1] == pytest.approx(math.log(193))
    assert drawn.onsets.tolist() == (drawn.events.durations.cumsum() - drawn.events.durations).tolist()


def test_the_same_seed_gives_the_same_melody_whatever_stands_beside_it():
    weights = {name: tensor.numpy() for name, tensor in network().state_dict().items()}
    engine, made = NumpyEngine(SMALL, weights), planned(meter="3/4", key="D", bars=4)

    def melodies(count, seed, first=0):
        found = run(engine, made, count, seed, SamplingConfig(), first)
        return [(one.events.durations.tolist(), one.events.pitches.tolist()) for one in found]

    five = melodies(5, 7)
    assert five == melodies(5, 7)
    assert five[3] == melodies(1, 7, first=3)[0]
    assert five != melodies(5, 8)
    assert len({str(melody) for melody in five}) == 5


def test_alone_or_in_a_batch_of_any_size_the_scores_are_the_same_to_the_last_digit():
    weights = {name: tensor.numpy() for name, tensor in network(replace(SMALL, hidden=256)).state_dict().items()}
    engine, made = NumpyEngine(replace(SMALL, hidden=256), weights), planned(bars=2)
    seen = []

    class Watched:
        start, advance, keep, pitch_logits = engine.start, engine.advance, engine.keep, engine.pitch_logits

        def duration_logits(self, state):
            seen.append(engine.duration_logits(state))
            return seen[-1]

    def scores(size):
        seen.clear()
        run(Watched(), made, size, 5, SamplingConfig())
        return [logits[0].tolist() for logits in seen]

    alone = scores(1)
    for size in (2, 3, 17, 64):
        assert scores(size)[: len(alone)] == alone


@pytest.mark.parametrize("count", [3, 40])
def test_leaving_behind_those_that_are_done_changes_nothing(monkeypatch, count):
    # As wide as the heads of real models: how a product is rounded depends on its shape.
    config = replace(SMALL, hidden=256, duration_hidden=128, pitch_hidden=192)
    weights = {name: tensor.numpy() for name, tensor in network(config).state_dict().items()}
    engine, made = NumpyEngine(config, weights), planned(bars=3)

    def lines(leave):
        monkeypatch.setattr(sampler, "_LEAVE", leave)
        drawn = run(engine, made, count, 4, SamplingConfig())
        return [(one.events.durations.tolist(), one.events.pitches.tolist(), one.nats.tolist()) for one in drawn]

    assert lines(0) == lines(0.25) == lines(1)


def test_what_is_given_stands_fast_and_what_is_copied_is_the_same_again():
    made = planned(bars=4)
    given = {0: (24, 71), 24: (12, REST), 36: (12, 73)}
    script = Script({**given, 384: (END, REST)}, [Copy(192, 384, 0)])
    ahead = Lookahead(made.ahead.constraints, [Region(48, 192, np.ones(128, bool))], 192, 96)
    for drawn in sample(Scripted(), made.meta, 15, SamplingConfig(), ahead, 1, script=script):
        events = events_of(drawn)
        assert events[:3] == [(at, *event) for at, event in given.items()]
        half = [event for event in events if event[0] < 192]
        again = [(at - 192, duration, pitch) for at, duration, pitch in events if 192 <= at < 384]
        assert again == half


@pytest.mark.parametrize("count", [1, 15])
def test_what_may_not_be_repeated_is_not_written_but_what_is_given_stands(count):
    made = planned(bars=4)

    def banned(pitches, onsets, onset):
        # The last is heard at 48 first, where it may be.
        return {0: [71], 240: range(60, 128)}.get(onset, ())

    script = Script({0: (48, 71), 384: (END, REST)}, [Copy(192, 384, 0)])
    rules = [*made.ahead.constraints, Guard(banned)]
    ahead = Lookahead(rules, [Region(48, 192, np.ones(128, bool))], 192, 96)
    for drawn in sample(Scripted(), made.meta, count, SamplingConfig(2, 0, 1), ahead, 1, script=script):
        events = list(zip(drawn.onsets.tolist(), drawn.events.pitches.tolist(), strict=True))
        assert events[0] == (0, 71)
        assert all(pitch < 60 or pitch >= REST for at, pitch in events if at in (48, 240))
        assert [(at, pitch) for at, pitch in events if 192 <= at < 384] == [
            (at + 192, pitch) for at, pitch in events if at < 192
        ]


def test_a_dead_end_is_left_by_going_back():
    met = []

    def banned(pitches, onsets, onset):
        # Nothing may follow a C# at the third bar line: whoever writes one must come back.
        if onset > 192 and 192 in onsets and pitches[onsets.index(192)] == 61:
            met.append(onset)
            return range(128)
        return ()

    made = plan(GenerationConfig(bars=4, range="C4:D4", rests="none", grid="1/4"), banned=banned)
    for drawn in run(Scripted(24), made, 12):
        pitch_at = dict(zip(drawn.onsets.tolist(), drawn.events.pitches.tolist(), strict=True))
        assert pitch_at.get(192) != 61
        assert drawn.events.durations.sum() == 384
    assert met


def dead_after_a_c_sharp(pitches, onsets, onset):
    """Nothing may follow a C# at the third bar line."""
    return range(128) if onset > 192 and 192 in onsets and pitches[onsets.index(192)] == 61 else ()


@pytest.mark.parametrize("count", [1, 12])
def test_whoever_watches_is_told_of_every_event_and_of_others_after_a_dead_end(count):
    """By the rule of one who looks on: each event takes the place of all that is not before it."""
    made = plan(GenerationConfig(bars=4, range="C4:D4", rests="none", grid="1/4"), banned=dead_after_a_c_sharp)
    seen, back = {}, []

    def watch(told):
        for number, event in told.items():
            mine = seen.setdefault(number, [])
            before = len(mine)
            seen[number] = [one for one in mine if one[0] < event[0]]
            back.extend([number] * (before > len(seen[number])))
            seen[number].append(event)

    def drawn(**more):
        return sample(Scripted(24), made.meta, count, SamplingConfig(2, 0, 1), made.ahead, 7, 20, made.script, **more)

    watched, alone = drawn(watch=watch), drawn()
    assert back
    assert sorted(seen) == list(range(20, 20 + count))
    for number, (one, other) in enumerate(zip(watched, alone, strict=True), 20):
        np.testing.assert_array_equal(one.events.pitches, other.events.pitches)
        assert seen[number] == events_of(one)


def test_without_dead_ends_every_event_is_told_of_once():
    made, told = planned(bars=3), []
    drawn = sample(Scripted(), made.meta, 12, SamplingConfig(2, 0, 1), made.ahead, 7, watch=told.append)
    for number, one in enumerate(drawn):
        assert [step[number] for step in told if number in step] == events_of(one)


def test_whoever_watches_can_stop_the_work():
    told = []

    def watch(events):
        told.append(events)
        if len(told) == 5:
            raise KeyError("enough")

    made = planned(bars=100)
    with pytest.raises(KeyError, match="enough"):
        sample(Scripted(24), made.meta, 3, SamplingConfig(), made.ahead, 1, 0, made.script, watch=watch)
    assert len(told) == 5


def test_a_search_that_finds_nothing_says_so():
    made = plan(GenerationConfig(bars=2, rests="none"), banned=lambda pitches, onsets, onset: range(128))
    assert any(isinstance(rule, Guard) for rule in made.ahead.constraints)
    told = []
    with pytest.raises(SamplingError, match="No melody was found that keeps to everything asked for"):
        sample(Scripted(), made.meta, 2, SamplingConfig(), made.ahead, 3, progress=told.append, watch=told.extend)
    assert set(told) == {0}  # as many are finished, and of no event is told


def test_the_last_note_is_the_tonic_and_lasts_a_beat_even_if_the_engine_has_other_ideas():
    events = run(Scripted(6, 61), planned(key="D", bars=1), 1, config=SamplingConfig(0))[0].events
    assert events.durations.tolist() == [6] * 12 + [24, END]
    assert events.pitches.tolist()[:12] == [61] * 12
    assert events.pitches[12] % 12 == 2


class Likes(Constraint):
    """Would rather have half notes, and D."""

    def duration_preference(self, progress, size):
        return np.eye(size)[[48] * len(progress.onset)]

    def pitch_preference(self, progress):
        return np.eye(128)[[62] * len(progress.onset)]


def test_what_is_preferred_is_written_where_the_scores_are_equal():
    made = planned(bars=2)
    ahead = Lookahead([*made.ahead.constraints, Likes()], [Region(0, 192)], 192, 96)
    for drawn in sample(Scripted(), made.meta, 2, SamplingConfig(0), ahead, 1):
        assert drawn.events.durations.tolist() == [48] * 4 + [END]
        assert drawn.events.pitches.tolist() == [62] * 3 + [48, REST]


class Told(Constraint):
    """Forbids nothing, and notes where the melodies stand."""

    def __init__(self):
        self.seen = []

    def pitches(self, progress):
        columns = (progress.onset, progress.reference, progress.sounding, progress.resting, progress.repeats)
        lists = (progress.rests, progress.pitches, progress.onsets)
        self.seen.append(
            list(
                zip(*(c.tolist() for c in columns), *([tuple(one) for one in column] for column in lists), strict=True)
            )
        )


def stands(events):
    """Where a melody stands after these events (onset, duration, pitch class), said naively."""
    notes = [(at, pitch) for at, _, pitch in events if pitch < REST]
    last = [pitch for _, pitch in notes]
    repeats = next((n for n in range(len(last)) if last[-1 - n] != last[-1]), len(last))
    return (
        sum(duration for _, duration, _ in events),
        last[-1] if last else -1,
        bool(events) and events[-1][2] != REST,
        bool(events) and events[-1][2] == REST,
        repeats,
        tuple(at for at, _, pitch in events if pitch == REST),
        tuple(last),
        tuple(at for at, _ in notes),
    )


@pytest.mark.parametrize("count", [1, 30])
def test_rules_are_told_where_each_melody_stands(count):
    told, made = Told(), planned(bars=4, range="C4:D4")
    ahead = Lookahead([*made.ahead.constraints, told], [Region(0, 384)], 192, 96)
    everywhere = set()
    for drawn in sample(Scripted(), made.meta, count, SamplingConfig(2, 0, 1), ahead, 5):
        events = events_of(drawn)
        everywhere |= {stands(events[:number]) for number in range(len(events))}
    seen = {row for rows in told.seen for row in rows}
    assert everywhere <= seen
    if count == 1:
        assert everywhere == seen


@pytest.mark.parametrize("count", [1, 2, 12])
def test_whoever_waits_is_told_how_much_is_finished(count):
    made = plan(GenerationConfig(bars=4, range="C4:D4", rests="none", grid="1/4"), banned=dead_after_a_c_sharp)

    def drawn(**more):
        return sample(Scripted(24), made.meta, count, SamplingConfig(2, 0, 1), made.ahead, 7, 20, made.script, **more)

    told, finished = [], set()

    def watch(events):
        for number, (_, duration, _) in events.items():
            if duration == END:
                finished.add(number)

    def progress(done):
        told.append(done)
        assert len(finished) <= done <= count  # END is told of before

    drawn(progress=progress, watch=watch)
    assert told[0] < 1
    assert told == sorted(told)
    assert told[-1] == count
    assert len({int(8 * done / count) for done in told}) == 9  # each of the 16 beats counts, not whole melodies alone


class Wall(Constraint):
    """Nothing begins at the step 1440 or later, and nobody knows it beforehand."""

    def silences(self, progress, ends):
        before = np.broadcast_to(progress.onset[:, None] < 1440, ends.shape)
        return before, before


def test_from_dead_ends_the_way_back_is_a_bar_and_doubles_after_every_second():
    made, begun, last = planned(bars=16, rests="none", grid="1/4", triplets=False), [], 1440
    ahead = Lookahead([*made.ahead.constraints, Wall()], [Region(0, 1536)], 192, 96)

    def watch(told):
        nonlocal last
        if 0 in told:
            onset, duration, _ = told[0]
            assert duration != END  # a dead end is none that is told of
            if onset <= last:
                begun.append(onset)
            last = onset

    with pytest.raises(SamplingError):
        sample(Scripted(24), made.meta, 1, SamplingConfig(1, 0, 1), ahead, 3, watch=watch)
    assert begun == [0, *(max(1440 - 96 * 2 ** (attempt // 2), 0) for attempt in range(47))]


def test_without_a_first_number_the_first_melody_is_number_0():
    made = planned(bars=2)
    one, other = (sample(Scripted(), made.meta, 2, SamplingConfig(), made.ahead, 3, *first)[1] for first in ((), (1,)))
    assert one.events.pitches.tolist() != other.events.pitches.tolist() or len(one.onsets) != len(other.onsets)
    again = sample(Scripted(), made.meta, 1, SamplingConfig(), made.ahead, 3, 1)[0]
    assert again.onsets.tolist() == one.onsets.tolist()
    assert again.events.pitches.tolist() == one.events.pitches.tolist()
