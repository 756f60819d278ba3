"""Ctrl-C, and how the system asks us to stop."""

import os
import signal

import pytest

from melodygru.system.signals import Stopped, deaf, stoppable

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals")


def test_what_is_heard_while_processes_start_is_heard_after():
    masks = []

    def start(number):
        with stoppable(), deaf():
            signal.raise_signal(number)
            masks.append(signal.pthread_sigmask(signal.SIG_BLOCK, ()))

    for number in (signal.SIGINT, signal.SIGTERM):
        with pytest.raises(Stopped) as heard:
            start(number)
        assert heard.value.signum == number
    assert [signal.SIGINT in mask for mask in masks] == [True, True]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_the_system_stops_us_as_ctrl_c_does_unless_it_is_not_to(monkeypatch):
    for number in (signal.SIGINT, signal.SIGTERM):
        with pytest.raises(Stopped), stoppable():
            signal.raise_signal(number)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with stoppable():
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    with stoppable():
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
