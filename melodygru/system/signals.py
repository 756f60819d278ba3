"""Ctrl-C, and how the system asks a process to stop."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Interruption:
    """Whether the user, or the system, has asked to stop."""

    def __init__(self) -> None:
        self._asked = threading.Event()

    @property
    def asked(self) -> bool:
        """True from the first signal on."""
        return self._asked.is_set()

    @contextmanager
    def heeded(self) -> Iterator[None]:
        """Signals only set `asked`, for as long as the context lasts; a second one raises KeyboardInterrupt.

        Outside the main thread, where Python sees no signals, nothing changes.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return

        def stop(signum: int, frame: Any) -> None:
            if self.asked:
                raise KeyboardInterrupt
            self._asked.set()

        before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class Stopped(KeyboardInterrupt):
    """The signal `signum` has asked to stop.

    Not KeyboardInterrupt itself: where that has passed through `exec`, as in the imports of most dataclasses, Python
    dies of SIGINT in the end, whatever exit code was asked for.
    """

    def __init__(self, signum: int):
        super().__init__()
        self.signum = signum


@contextmanager
def stoppable() -> Iterator[None]:
    """Within it SIGINT and SIGTERM raise `Stopped`, so that what was begun is tidied up.

    SIGTERM not under torchrun, which may have to end a process that waits for others in compiled code; nothing changes
    outside the main thread, and for signals that are ignored, or handled otherwise.
    """
    usual: dict[signal.Signals, Any] = {signal.SIGINT: signal.default_int_handler}
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        usual[signal.SIGTERM] = signal.SIG_DFL
    if threading.current_thread() is not threading.main_thread():
        usual = {}

    def stop(signum: int, frame: Any) -> None:
        raise Stopped(signum)

    before = {number: one for number, one in usual.items() if signal.getsignal(number) is one}
    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def deaf() -> Iterator[None]:
    """Processes started within it do not hear Ctrl-C, which a terminal sends to all: who started them ends them.

    Here it is heard once the context is over, and so is SIGTERM: a process that is but half started dies noisily.
    """
    if not hasattr(signal, "pthread_sigmask") or threading.current_thread() is not threading.main_thread():
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # as it starts, with the first process, it would open our ears again
    heard: list[int] = []
    before = {
        number: signal.signal(number, lambda signum, _: heard.append(signum))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # which they have from this thread
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in before.items():
            signal.signal(number, handler)
    for signum in heard:
        signal.raise_signal(signum)
