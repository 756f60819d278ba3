"""Programs that are run without a word, and end with what started them."""

from __future__ import annotations

import os
import signal
from collections import deque
from collections.abc import Generator, Iterable, Sequence
from typing import Any


def run_quietly(command: Sequence[str], seconds: float | None = None) -> int:
    """Run a program without a word; its exit code. It ends when we do, with all that it has started.

    Raises OSError where it cannot be started, subprocess.TimeoutExpired when it takes longer.
    """
    return next(run_side_by_side([command], 1, seconds))


def run_side_by_side(
    commands: Iterable[Sequence[str]], most: int, seconds: float | None = None
) -> Generator[int, None, None]:
    """As `run_quietly`, of several programs, at most so many at once: their exit codes, in order.

    When the caller stops early, or one takes too long, those that run are ended.
    """
    import subprocess

    null, running = subprocess.DEVNULL, deque[Any]()
    try:
        for command in commands:
            if len(running) == most:
                yield running[0].wait(seconds)
                running.popleft()
            # In a session of its own, or Ctrl-C would make it speak.
            running.append(subprocess.Popen(command, stdin=null, stdout=null, stderr=null, start_new_session=True))
        while running:
            yield running[0].wait(seconds)
            running.popleft()
    finally:
        for process in running:
            _end(process)


def _end(process: Any) -> None:
    """End a program with all that it started: some are scripts around a player, and a compiler starts others."""
    if process.poll() is None:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.wait()
