"""Processes that read files, watched by the one that wants them: one that dies or hangs costs the file that it was at.

They are handed tasks, each some files. Where one ends badly, or takes longer than a file may, it is done once more file
by file, each sent as soon as it is read, so that it is known which file did it. It knows nothing of what is read, or
made of it.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any, Protocol

from melodygru.data.budget import Budget, reason_of
from melodygru.errors import MelodyGRUError
from melodygru.system.processes import usable_cores
from melodygru.system.signals import deaf

CRASHED = "makes its reader crash"
"""The reason why a file whose reader died is left out."""
_AHEAD = 4
"""Tasks that are begun before they are asked for, for each process: bounds the memory."""
_PATIENCE = 1.5
"""By what factor a sign of life may come later than the budget has it: what Python runs stops by itself before."""
_START = 120.0
"""Seconds that a process may take until it is there: imports from a slow disk."""


class Work(Protocol):
    """What is done with the files of a task."""

    @property
    def budget(self) -> Budget:
        """What a file may cost."""

    def read(self, paths: Sequence[str]) -> Any:
        """A part made of files."""

    def lost(self, path: str, reason: str) -> Any:
        """A part in place of a file that could not be read."""

    def joined(self, parts: Sequence[Any]) -> Any:
        """Parts of consecutive files as one."""

    def finish(self, number: int, whole: Any) -> Any:
        """What is handed back of a task; to be pickled. Raises MelodyGRUError or OSError where that ends the run."""


def do(work: Work, tasks: Sequence[tuple[int, Sequence[str]]], jobs: int | None, many: bool) -> Iterator[Any]:
    """What comes of each task (number, files), in order.

    Args:
        work: what is done.
        tasks: all of it.
        jobs: processes; None for as many as there are cores, if there is `many` to do, and else for one.
        many: whether that takes longer than starting processes. If not, and one is enough, it is this one, wherever
            that can be interrupted.
    """
    jobs = jobs or (usable_cores() if many else 1)
    if jobs == 1 and not many and work.budget.can_be_held():
        return (do_here(work, *task) for task in tasks)
    return do_watched(work, tasks, jobs)


def do_here(work: Work, number: int, paths: Sequence[str]) -> Any:
    """A task, in this process."""
    whole, reason = _read(work, paths)
    if reason:
        told = [(path, *_read(work, [path])) for path in paths]
        whole = work.joined([work.lost(path, why) if why else part for path, part, why in told])
    return work.finish(number, whole)


def _read(work: Work, paths: Sequence[str]) -> tuple[Any, str]:
    """What is made of these files, and nothing; or None, and why that failed."""
    try:
        with work.budget.held():
            return work.read(paths), ""
    except KeyboardInterrupt as error:
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            raise  # the user's
        return None, reason_of(error)
    except BaseException as error:  # SystemExit too, and what else a reader may raise
        return None, reason_of(error)


def do_watched(work: Work, tasks: Sequence[tuple[int, Sequence[str]]], jobs: int) -> Iterator[Any]:
    """What comes of each task (number, files), in order, done by `jobs` processes.

    Where no process can be started, as from a script that does its work while it is imported, this one does it.
    """
    at, begun = 0, 0
    made: dict[int, Any] = {}
    readers: list[_Reader] = []
    try:
        while at < len(tasks):
            while len(readers) < min(jobs, len(tasks)):
                readers.append(_Reader(work))
            for reader in readers:
                if reader.task is None and begun < min(len(tasks), at + _AHEAD * jobs):
                    reader.begin(begun, *tasks[begun])
                    begun += 1
            if at in made:
                yield made.pop(at)
                at += 1
            else:
                made.update(_heard(readers))
    except _NoProcess:
        for place in range(at, len(tasks)):
            yield made.pop(place) if place in made else do_here(work, *tasks[place])
    finally:
        for reader in readers:
            reader.stop()


class _NoProcess(Exception):
    """No process can be started here."""


class _Reader:
    """One process, and what it is at: the place of its task among all, or None."""

    def __init__(self, work: Work):
        self._work, self.budget = work, work.budget
        self.task: int | None = None
        self._number = 0
        self._paths: Sequence[str] = ()
        # What is there of a task that is done file by file.
        self._parts: list[Any] | None = None
        self._start()

    def _start(self) -> None:
        # Spawned, not forked: the caller may have threads (a progress display), and Windows has no fork.
        context = get_context("spawn")
        self.connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, self._work), daemon=True)
        self._started = False
        try:
            with deaf():
                self._process.start()
        except OSError as error:
            raise _NoProcess from error
        theirs.close()

    def begin(self, task: int, number: int, paths: Sequence[str]) -> None:
        """Give it a task; it must have none."""
        self.task, self._number, self._paths, self._parts = task, number, paths, None
        self._ask()

    def _ask(self) -> None:
        by_file = self._parts is not None
        self._alive()
        with suppress(OSError):  # it has died: waiting for its answer tells
            self.connection.send((self._number, self._paths[len(self._parts or ()) :], by_file))

    def _alive(self) -> None:
        self.deadline = time.monotonic() + _PATIENCE * self.budget.seconds + (0 if self._started else _START)

    def hear(self) -> list[Any]:
        """Take in one message, which must be there; what came of the task, if that is done."""
        try:
            kind, value = self.connection.recv()
        except (EOFError, OSError):
            return self.died(CRASHED)
        self._started = True
        self._alive()
        if kind == "part" and self._parts is not None:
            self._parts.append(value)
            return self._done_by_file()
        if kind == "broke":
            return self._broke(value)
        if kind == "refused":
            raise value
        return self._done(value) if kind == "done" else []

    def died(self, reason: str) -> list[Any]:
        """The process is no more, or is to be no more, for that reason; the same as `hear`."""
        self.stop()
        if not self._started:
            raise _NoProcess
        self._start()
        return self._broke(reason)

    def _broke(self, reason: str) -> list[Any]:
        if self._parts is None:
            self._parts = []
        else:
            self._parts.append(self._work.lost(self._paths[len(self._parts)], reason))
        done = self._done_by_file()
        if not done:
            self._ask()
        return done

    def _done_by_file(self) -> list[Any]:
        if self._parts is None or len(self._parts) < len(self._paths):
            return []
        return self._done(self._work.finish(self._number, self._work.joined(self._parts)))

    def _done(self, made: Any) -> list[Any]:
        self.task = None
        return [made]

    def stop(self) -> None:
        """End the process, whatever it does."""
        self._process.kill()
        self._process.join()
        self.connection.close()


def _heard(readers: Sequence[_Reader]) -> Iterator[tuple[int, Any]]:
    """(place of the task, what came of it) of those that are done, once something was heard, or nothing in time."""
    busy = [(reader, reader.task) for reader in readers if reader.task is not None]
    patience = max(0.0, min(reader.deadline for reader, _ in busy) - time.monotonic())
    told = wait([reader.connection for reader, _ in busy], patience)
    for reader, task in busy:
        done: list[Any] = []
        if reader.connection in told:
            done = reader.hear()
        elif time.monotonic() > reader.deadline:
            done = reader.died(reader.budget.out_of_time)
        for made in done:
            yield task, made


def _serve(connection: Connection, work: Work) -> None:
    """What a process does, for as long as somebody asks."""
    # A reader's own interruption is a fault of its file; see `_read`.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What compiled code says as it dies is no sentence; the parent has one.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    with suppress(EOFError, OSError), work.budget.in_memory():
        connection.send(("started", None))
        while True:
            number, paths, by_file = connection.recv()
            if not by_file:
                connection.send(_done(work, number, paths))
                continue
            for path in paths:
                part, reason = _read(work, [path])
                connection.send(("broke", reason) if reason else ("part", part))
                if reason:
                    break


def _done(work: Work, number: int, paths: Sequence[str]) -> tuple[str, Any]:
    """What comes of a task, as it is sent."""
    whole, reason = _read(work, paths)
    if reason:
        return "broke", reason
    try:
        return "done", work.finish(number, whole)
    except (MelodyGRUError, OSError) as error:
        return "refused", error
