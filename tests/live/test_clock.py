"""Steps against seconds."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru.errors import UsageError
from melodygru.live.clock import LOST_SECONDS, FollowedClock, InternalClock, period_of

TEMPOS = st.floats(20, 400)


def pulsed(clock, first, period, count, jitter=0.0, seed=0):
    """Give the clock so many pulses; the second of the next one."""
    chance = random.Random(seed)
    for number in range(count):
        clock.pulse(first + number * period + chance.uniform(-jitter, jitter))
    return first + count * period


@given(TEMPOS, st.floats(0, 1e5), st.floats(-1e6, 1e6))
def test_steps_and_seconds_are_each_others_inverse(qpm, began, step):
    clock = InternalClock(qpm, began, -96)
    assert clock.step_at(clock.time_of(step)) == pytest.approx(step, abs=1e-3)
    assert clock.step_at(began) == -96
    assert clock.qpm == pytest.approx(qpm)


@given(TEMPOS, TEMPOS, st.floats(0, 1000))
def test_a_change_of_tempo_goes_on_from_where_the_music_is(before, after, now):
    clock = InternalClock(before, 0.0)
    step = clock.step_at(now)
    clock.change(after, now)
    assert clock.step_at(now) == pytest.approx(step)
    assert clock.step_at(now + 60 / after) == pytest.approx(step + 24)


@pytest.mark.parametrize("qpm", [0, -1, 3.9, 1001, float("nan"), float("inf")])
def test_tempos_that_nobody_plays_are_refused(qpm):
    with pytest.raises(UsageError, match="bpm"):
        period_of(qpm)


def test_ten_hours_of_our_own_tempo_do_not_drift():
    clock, steps = InternalClock(240, 123.0), 10 * 3600 * 4 * 24
    assert clock.time_of(steps) == pytest.approx(123.0 + 36000, abs=1e-6)


def test_the_first_pulse_after_a_start_is_step_0():
    clock = FollowedClock()
    assert not clock.running
    clock.start()
    assert not clock.running
    clock.pulse(5.0)
    assert clock.running
    assert clock.step_at(5.0) == 0


@given(TEMPOS, st.integers(0, 2**32))
def test_pulses_are_counted_whatever_their_jitter(qpm, seed):
    clock, period = FollowedClock(), 2.5 / qpm
    clock.start()
    after = pulsed(clock, 1.0, period, 1000, jitter=min(0.002, period / 5), seed=seed)
    assert clock.step_at(after - period) == pytest.approx(999, abs=0.35)
    assert clock.qpm == pytest.approx(qpm, rel=0.03)


def test_jitter_is_smoothed():
    clock, period, errors = FollowedClock(), 2.5 / 120, []
    clock.start()
    for number in range(2000):
        clock.pulse(number * period + random.Random(number).gauss(0, 0.001))
        if number > 100:
            errors.append((clock.step_at(number * period) - number) * period)
    rms = (sum(error**2 for error in errors) / len(errors)) ** 0.5
    assert rms < 0.0005


@given(st.floats(60, 300), st.floats(60, 300))
def test_a_jump_of_the_tempo_is_followed_within_a_beat(before, after):
    clock = FollowedClock()
    clock.start()
    now = pulsed(clock, 0.0, 2.5 / before, 100)
    # The pulse at `now` still comes in time: only the interval after it is another.
    now = pulsed(clock, now, 2.5 / after, 24)
    assert clock.step_at(now) == pytest.approx(124, abs=1.0)
    now = pulsed(clock, now, 2.5 / after, 48)
    assert clock.qpm == pytest.approx(after, rel=0.01)


def test_stop_and_continue_go_on_from_the_same_step():
    clock = FollowedClock()
    clock.start()
    now = pulsed(clock, 0.0, 0.02, 10)  # steps 0 to 9
    clock.stop()
    assert not clock.running
    assert clock.step_at(now + 5) == 10
    now = pulsed(clock, now, 0.02, 50)  # told while the music stands still
    clock.go_on()
    clock.pulse(now)
    assert clock.step_at(now) == 10


def test_song_positions_count_sixteenths():
    clock = FollowedClock()
    clock.locate(8)
    clock.go_on()
    clock.pulse(1.0)
    assert clock.step_at(1.0) == 48


def test_a_clock_that_falls_silent_is_lost():
    clock = FollowedClock()
    clock.start()
    now = pulsed(clock, 0.0, 0.02, 50)
    assert not clock.lost(now)
    assert clock.lost(now + LOST_SECONDS + 0.02)
    clock.stop()
    assert not clock.lost(now + 100)
