"""A session in real time: ports, threads and the clock on the wall around `melodygru.live.session`."""

from __future__ import annotations

import gc
import queue
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from melodygru.live.sender import SenderThread
from melodygru.live.session import Session
from melodygru.live.urgency import LISTENS, urgent

TURN = 0.005
"""Seconds between two looks at what is due, at most; a sixth of the horizon within which it is handed on."""
SWITCH = 0.0005
"""Seconds after which a Python thread that computes gives way to the sender; 5 ms by itself, which is heard."""
SCREEN = 0.1
"""Seconds between two pictures on the screen."""
_CLOCKED = frozenset(("clock", "start", "stop", "continue", "songpos", "reset"))
NOW = time.perf_counter
"""The clock that all of it goes by: monotonic, and fine on every system."""


@contextmanager
def undisturbed() -> Iterator[None]:
    """Within it the collector of garbage looks at nothing that was there before, and only when it is asked to."""
    before, collects = sys.getswitchinterval(), gc.isenabled()
    gc.collect()
    gc.freeze()
    gc.disable()
    sys.setswitchinterval(SWITCH)
    with _fine_timer():
        try:
            yield
        finally:
            sys.setswitchinterval(before)
            gc.unfreeze()
            if collects:
                gc.enable()


@contextmanager
def _fine_timer() -> Iterator[None]:
    """On Windows threads sleep in slices of 1 ms within it, and not of 15.6."""
    if sys.platform != "win32":
        yield
        return
    import ctypes

    ctypes.windll.winmm.timeBeginPeriod(1)
    try:
        yield
    finally:
        ctypes.windll.winmm.timeEndPeriod(1)


class Inbox:
    """What ports say, each with the second at which it came and whether it is the player's or the clock's."""

    def __init__(self, now: Callable[[], float] = NOW):
        self._now = now
        self.waiting: queue.SimpleQueue[tuple[float, bool, Any]] = queue.SimpleQueue()

    def from_player(self, message: Any) -> None:
        """For the player's port."""
        if message.type not in _CLOCKED:
            self.waiting.put((self._now(), False, message))

    def from_clock(self, message: Any) -> None:
        """For the clock's port."""
        if message.type in _CLOCKED:
            self.waiting.put((self._now(), True, message))

    def from_both(self, message: Any) -> None:
        """For a port that is both."""
        self.waiting.put((self._now(), message.type in _CLOCKED, message))


def run(
    session: Session,
    inbox: Inbox,
    seconds: float | None = None,
    show: Callable[[], None] | None = None,
    now: Callable[[], float] = NOW,
) -> None:
    """Play until the time is up, or something is raised (Ctrl-C, an unplugged port); afterwards nothing sounds.

    `show` is called ten times a second. What is due is handed on in between, so it may take some milliseconds.
    """
    began = shown = collected = now()
    with undisturbed(), urgent(LISTENS), SenderThread(session.sender, now):
        try:
            while seconds is None or now() - began < seconds:
                _hear_all(session, inbox)
                session.advance(now())
                if show is not None and now() - shown >= SCREEN:
                    shown = now()
                    show()
                if now() - collected >= 1.0:
                    collected = now()
                    gc.collect(1)  # what is young and lies in circles: a fraction of a millisecond
        finally:
            session.close(now())


def _hear_all(session: Session, inbox: Inbox) -> None:
    """All that has come, or else the first thing that comes within `TURN`."""
    with suppress(queue.Empty):
        came, clocked, message = inbox.waiting.get(timeout=TURN)
        while True:
            (session.follow if clocked else session.hear)(came, message)
            came, clocked, message = inbox.waiting.get_nowait()
