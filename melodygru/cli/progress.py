"""What a command is at: told by the command, shown on standard error from the second second on.

On a terminal it is one line that changes and vanishes; elsewhere a line now and then. A thread shows it, so that time
is seen to pass where there is nothing to count, and whoever tells need not ask whether it is time to. What the command
prints on standard output ends it, until the command tells of something again.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from threading import Event, Lock, Thread
from types import TracebackType
from typing import Any, TextIO

from melodygru.records import dataclass
from melodygru.system.files import printable

FIRST_SECONDS = 1.0
"""What takes less says nothing."""
_TICK_SECONDS = 0.25
"""How often the live line is renewed, and the others are thought of."""
_LEAST_SECONDS, _EVERY_SECONDS, _MOST_SECONDS = 1.0, 5.0, 60.0
"""Between lines where there is no terminal: at least, at most, and at most in the end of what takes hours."""
_GROWTH = 20
"""Of what has taken long, a line comes after that part of it."""
_CELLS = 12
"""Of the bar of a live line."""


def tell(what: str, done: float = 0, total: int = 0) -> None:
    """Say what the command is at, such as "reading files", and how much of it is done.

    Args:
        what: a few words, ending in what is counted.
        done: in [0, total]; a float where of what is under way parts count.
        total: 0 where nothing can be counted.

    It costs next to nothing, and does nothing where no command runs.
    """
    if _RUNNING:
        _RUNNING[-1].tell(what, done, total)


_RUNNING: list[Progress] = []
"""That of the command that runs, if one does."""


@dataclass(frozen=True)
class _Task:
    what: str
    done: float
    total: int
    began: float

    def in_words(self, passed: float, now: float) -> str:
        """What it is, how much of it is done, the seconds of the whole command that have passed, and those left."""
        words = printable(self.what)  # which may name a stranger's file
        if self.total:
            share = f"{self.done / self.total:.0%}"
            if isinstance(self.done, int):
                words += f": {self.done:,} of {self.total:,} ({share})"
            else:
                words += f": {share} of {self.total:,}" if self.total > 1 else f": {share}"
        words += f", {clock(passed)}"
        if 0 < self.done < self.total:
            words += f", {clock((now - self.began) * (self.total - self.done) / self.done)} left"
        return words


class Progress:
    """A command's progress, shown for as long as the context lasts.

    Args:
        stream: where to; standard error unless given.
        now: a clock, in seconds.
    """

    def __init__(self, stream: TextIO | None = None, now: Callable[[], float] = time.monotonic):
        self._stream = sys.stderr if stream is None else stream
        self._now = now
        self._live = bool(self._stream.isatty())
        # Of several processes that torchrun has started, the first speaks.
        self._speaks = os.environ.get("RANK", "0") == "0"
        self._began = now()
        self._last = _Task("working", 0, 0, self._began)
        self._task: _Task | None = self._last if self._speaks else None
        self._shown: tuple[float, str, int] | None = None
        """When a line was shown last, of what, and at which tenth of it."""
        self._width = 0
        """Of what stands on the live line."""
        self._lock, self._over = Lock(), Event()
        self._thread = Thread(target=self._run, name="progress", daemon=True)
        self._streams: tuple[TextIO, TextIO] | None = None

    def __enter__(self) -> Progress:
        self._streams = sys.stdout, sys.stderr
        sys.stdout, sys.stderr = _Watched(sys.stdout, self.rest), _Watched(sys.stderr, self.erase)
        _RUNNING.append(self)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()
        _RUNNING.remove(self)
        assert self._streams is not None, "it was entered"
        sys.stdout, sys.stderr = self._streams
        self.rest()

    def tell(self, what: str, done: float, total: int) -> None:
        """See `melodygru.cli.progress.tell`."""
        if not self._speaks:
            return
        began = self._last.began if what == self._last.what else self._now()
        self._task = self._last = _Task(what, done, total, began)

    def rest(self) -> None:
        """Show nothing until something is told."""
        self._task = None
        self.erase()

    def erase(self) -> None:
        """Take the live line away, for something else to be written in its place."""
        with self._lock:
            if self._width:
                self._write("\r" + " " * self._width + "\r")
                self._width = 0

    def _run(self) -> None:
        while not self._over.wait(_TICK_SECONDS):
            self.tick()

    def tick(self) -> None:
        """Show what the command is at, if it is time to."""
        now = self._now()
        passed = now - self._began
        if passed < FIRST_SECONDS:
            return
        with self._lock:
            task = self._task
            if task is None:
                return
            words = task.in_words(passed, now)
            if self._live:
                self._renew(task, words)
            elif self._is_due(task, passed, now):
                self._write(f"{words}\n")

    def _renew(self, task: _Task, words: str) -> None:
        if task.total:
            full = round(_CELLS * task.done / task.total)
            words = f"[{'#' * full}{'-' * (_CELLS - full)}] {words}"
        words = words[: _columns(self._stream) - 1]
        self._write("\r" + words.ljust(self._width))
        self._width = len(words)

    def _is_due(self, task: _Task, passed: float, now: float) -> bool:
        tenth = int(10 * task.done / task.total) if task.total else 0
        if self._shown is not None:
            at, what, before = self._shown
            wait = min(max(_EVERY_SECONDS, passed / _GROWTH), _MOST_SECONDS)
            news = what != task.what or tenth > before
            if now - at < (_LEAST_SECONDS if news and wait == _EVERY_SECONDS else wait):
                return False
        self._shown = now, task.what, tenth
        return True

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # nobody reads it any more
            self._task = None


class _Watched:
    """A stream that says so before something is written to it."""

    def __init__(self, stream: TextIO, before: Callable[[], None]):
        self._stream, self._before = stream, before

    def write(self, text: str) -> int:
        self._before()
        return self._stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _columns(stream: TextIO) -> int:
    """Of the terminal that the stream leads to; 80 where it does not tell."""
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def clock(seconds: float) -> str:
    """Seconds as 0:07, 12:34 or 1:02:03."""
    minutes, rest = divmod(round(max(0.0, min(seconds, 359_999))), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
