"""A thread comes first as far as its user may have that, and is as before afterwards."""

import os
import sys
import threading
from pathlib import Path

import pytest

from melodygru.live import urgency
from melodygru.live.urgency import SENDS, SLICE, urgent

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux is asked for it")


def state():
    """What the system says of this thread: its policy, its priority, its niceness."""
    policy = os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK
    return policy, os.sched_getparam(0).sched_priority, os.getpriority(os.PRIO_PROCESS, 0)


def slice_of():
    """Nanoseconds that this thread gets at a time; None where the kernel does not say."""
    file = Path(f"/proc/self/task/{threading.get_native_id()}/sched")
    lines = file.read_text().splitlines() if file.exists() else []
    found = [line.split(":")[1] for line in lines if line.startswith("se.slice")]
    return int(found[0]) if found else None


def in_a_thread(work):
    """What `work` returns in a thread of its own, which leaves this one as it is."""
    found = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


def test_within_it_a_thread_is_in_real_time_where_its_user_may_and_afterwards_as_before():
    def work():
        before = state()
        with urgent(SENDS):
            within = state()
            child = in_a_thread(state)
        return before, within, child, state()

    before, within, child, after = in_a_thread(work)
    assert before == after
    assert within in ((os.SCHED_FIFO, SENDS, before[2]), before)
    assert child[0] == before[0], "what begins within it is not in real time"


def test_who_may_not_have_real_time_gets_short_slices(monkeypatch):
    def refused(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setscheduler", refused)

    def work():
        before = state(), slice_of()
        with urgent(SENDS):
            within = state(), slice_of()
        return before, within, (state(), slice_of())

    before, within, after = in_a_thread(work)
    assert before == after
    assert within[0] == before[0]
    if before[1] is not None and within[1] != before[1]:  # since Linux 6.12
        assert within[1] == SLICE


def test_systems_that_have_neither_are_left_alone(monkeypatch):
    asked = []
    monkeypatch.setattr(os, "sched_setscheduler", lambda *_: asked.append(1))
    monkeypatch.setattr(urgency.sys, "platform", "darwin")
    with urgent(SENDS):
        pass
    assert asked == []


def test_an_unknown_machine_asks_for_nothing(monkeypatch):
    monkeypatch.setattr(urgency.platform, "machine", lambda: "pdp11")
    assert not urgency._slice(SLICE, 0)
