"""How a reading is judged: its time, the kind of its refusal, and whether people can be told that."""

from __future__ import annotations

import re
import resource
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

from melodygru.errors import LONGEST_MESSAGE, MelodyGRUError

_NEVER_TOLD = re.compile(
    r"Traceback|object at 0x|<class |<function |[a-z]Error\b|Note\(|could not be understood|\b0x7f"
)
"""What belongs into a debugger, or says that an error of ours was caught."""
_Result = TypeVar("_Result")


class Broken(Exception):
    """An oracle's verdict: which one, what it saw, and at what place of the program."""

    def __init__(self, oracle: str, message: str, place: str = ""):
        super().__init__(oracle, message, place)
        self.oracle, self.message, self.place = oracle, message, place


class TooSlow(BaseException):
    """Raised within the reader when its time is over; no `except Exception` of it catches that."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TooSlow after so many seconds of this process's own time, and again until somebody lets it through.

    Compiled code that never comes back to Python to hear of it is ended, process and all, by SIGXCPU later.
    """

    running = True

    def end(signum: int, frame: FrameType | None) -> None:
        if running:
            raise TooSlow

    before = signal.signal(signal.SIGPROF, end)
    soft, hard = resource.getrlimit(resource.RLIMIT_CPU)
    # The limit counts whole ticks of the clock, process_time what has truly run: on a busy virtual machine the ticks
    # are more by far, and a limit a little above process_time may be over before it is set.
    resource.setrlimit(resource.RLIMIT_CPU, (int(2 * time.process_time() + 3 * seconds + 2), hard))
    signal.setitimer(signal.ITIMER_PROF, seconds, seconds)
    try:
        yield
    finally:
        running = False
        signal.setitimer(signal.ITIMER_PROF, 0)
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))
        # The system's own answer to this signal is to end the process, and one may still be on its way to a thread.
        signal.signal(signal.SIGPROF, signal.SIG_IGN if before == signal.SIG_DFL else before)


def attempt(
    read: Callable[[], _Result], seconds: float, refusals: tuple[type[MelodyGRUError], ...]
) -> _Result | MelodyGRUError:
    """What is read in time, or the refusal, if it is one of those kinds and one sentence."""
    try:
        with time_limit(seconds):
            return read()
    except refusals as error:
        check_sentence(str(error))
        return error
    except MelodyGRUError as error:
        raise Broken("error", f"{type(error).__name__} where the reader says it raises none: {error}") from error


def check_sentence(text: str) -> None:
    """Whether people can be told this."""
    if found := _NEVER_TOLD.search(text):
        raise Broken("sentence", f"says {found[0]!r}: {text[:LONGEST_MESSAGE]}", template(text))
    if not text.endswith(".") or not text.isprintable() or len(text) > LONGEST_MESSAGE:
        why = "no full stop" if not text.endswith(".") else "too long" if text.isprintable() else "unprintable"
        raise Broken("sentence", f"{why}: {text[:LONGEST_MESSAGE]!r}", f"{why} {template(text)}")


def template(text: str) -> str:
    """A message without what differs from file to file: what tells one fault from another."""
    return re.sub(r"/\S+|'[^']*'|\([^)]*(?:\)|$)|[\d.]+", "#", text)[:80]


def outcome(text: str) -> str:
    """A message without paths, quoted words and numbers: what tells one way of a file's ending from another."""
    return re.sub(r"/\S+|'[^']*'|\d+", "#", text)[:160]
