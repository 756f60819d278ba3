"""Who writes, beside the music: a process of its own, whose work and whose interpreter's lock are never heard."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from melodygru.errors import MelodyGRUError
from melodygru.live.composing import Answer, Ask, check_wishes, safely
from melodygru.system.processes import one_thread
from melodygru.system.signals import deaf

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

_PATIENCE = 60.0
"""Seconds within which a writer must have loaded its model."""


class Writer(Protocol):
    """Takes what is to be written, and has answers later. Neither call waits."""

    def ask(self, ask: Ask) -> None:
        """Have this written; an older one that was not begun yet is forgotten."""
        ...

    def answers(self) -> list[Answer]:
        """What has been written since the last call."""
        ...


class SimulatedWriter:
    """A writer for simulated time: what `write` makes is there so many seconds after it was asked for."""

    def __init__(self, write: Callable[[Ask], Answer], now: Callable[[], float], seconds: Callable[[], float]):
        self._write, self._now, self._seconds = write, now, seconds
        self._waiting: list[tuple[float, Ask]] = []

    def ask(self, ask: Ask) -> None:
        """See `Writer`."""
        self._waiting = [(self._now() + self._seconds(), ask)]

    def answers(self) -> list[Answer]:
        """See `Writer`."""
        due = [ask for when, ask in self._waiting if when <= self._now()]
        self._waiting = [(when, ask) for when, ask in self._waiting if when > self._now()]
        return [self._write(ask) for ask in due]


class WriterProcess:
    """A process that loads a model and writes; a context.

    Args:
        model: a model's name or file.
        first: what is written before anything else, so that wishes which cannot be kept are found out: entering the
            context raises what stands in their way.
    """

    def __init__(self, model: str, first: Ask):
        self._model, self._first = model, first
        self._gone = False

    def __enter__(self) -> WriterProcess:
        from multiprocessing import get_context

        context = get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._model, self._first), daemon=True)
        # Threads of its own would wait for another, on cores that others want too.
        with deaf(), one_thread():
            self._process.start()
        theirs.close()
        try:
            if not self._ours.poll(_PATIENCE):
                raise MelodyGRUError(f"The writer did not begin within {_PATIENCE:g} seconds; try again.")
            begun = self._ours.recv()
        except BaseException as error:
            self.__exit__()
            if isinstance(error, EOFError):
                raise MelodyGRUError("The writer has ended before it began; try again.") from None
            raise
        if isinstance(begun, MelodyGRUError):
            self.__exit__()
            raise begun
        return self

    def __exit__(self, *_: object) -> None:
        self._ours.close()
        self._process.terminate()
        self._process.join(5)

    def ask(self, ask: Ask) -> None:
        """See `Writer`. Raises MelodyGRUError if the process has ended."""
        try:
            self._ours.send(ask)
        except OSError:
            self._gone = True
            self._check()

    def answers(self) -> list[Answer]:
        """See `Writer`. Raises MelodyGRUError if the process has ended."""
        found = []
        try:
            while self._ours.poll():
                found.append(self._ours.recv())
        except (EOFError, OSError):
            self._gone = True
        if not found:
            self._check()
        return found

    def _check(self) -> None:
        if self._gone:
            raise MelodyGRUError("The writer has ended, perhaps for want of memory; begin anew.")


def _serve(pipe: Connection, model: str, first: Ask) -> None:
    """In the writer's process: write the newest of what is asked for, until the pipe is closed."""
    from melodygru.writing.model import load_model

    try:
        loaded = load_model(model)
        check_wishes(loaded, first)
    except MelodyGRUError as error:
        pipe.send(error)
        return
    pipe.send(None)
    with suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            ask = pipe.recv()
            while pipe.poll():
                ask = pipe.recv()
            pipe.send(safely(loaded, ask))
