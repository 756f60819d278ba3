"""A command that runs: what it is at is shown, and it can be stopped, from its first import on."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from typing import Any

from melodygru.cli.progress import Progress
from melodygru.cli.saying import say
from melodygru.system.signals import Stopped, stoppable

_READ = "What was read is kept: the same command goes on from there."
_STOPPED = {"prepare": _READ, "train": _READ}
"""What there is to say when a command was stopped; training itself, once begun, says more."""


def run(name: Callable[[], str | None], work: Callable[[], Any]) -> Any:
    """What a command's work gives. Stopped, it ends with the exit code that shells give to what a signal has ended.

    `name` says which command it is, once it is stopped: typer knows only when it has begun.
    """
    try:
        with stoppable(), Progress():
            return work()
    except KeyboardInterrupt as stopped:
        # typer would end without a word.
        say(f"Stopped. {_STOPPED.get(name() or '', '')}".strip(), err=True)
        signum = stopped.signum if isinstance(stopped, Stopped) else signal.SIGINT
        sys.exit(128 + signum)
