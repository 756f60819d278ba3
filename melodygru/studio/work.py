"""A few threads that write music, so that the server's own always answers; and what they tell on the way.

They take turns. A step of a melody is many small products, between which Python lets one thread go on at a time anyway:
two that both want to are slower than one after the other (by half, measured), while turns of some steps cost nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Condition, Event, Lock, Thread
from typing import Any

from melodygru.system.processes import usable_cores

WAITING = 64
"""Jobs that may wait for a thread; of more than these no one would wait for the last."""
TURN = 0.02
"""Seconds after which a thread lets others go on, if they wait."""
LEAST_THREADS = 8
"""Even on one core short jobs are to go on beside long ones."""


class BusyError(Exception):
    """Too many jobs are waiting already."""


class GoneError(Exception):
    """Nobody waits for this any more."""


class Turns:
    """Lets one thread go on at a time, in the order in which they came."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._waiting: deque[Lock] = deque()
        self._taken = False
        self._since = 0.0

    def take(self) -> None:
        """Wait for a turn."""
        with self._lock:
            gate = Lock() if self._taken else None
            if gate is not None:
                gate.acquire()
                self._waiting.append(gate)
            self._taken = True
        if gate is not None:
            gate.acquire()  # released by whoever hands the turn on
        self._since = time.monotonic()

    def end(self) -> None:
        """Hand the turn on to who has waited longest."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False

    def share(self) -> None:
        """During a turn: if it has been long, and others wait, let them go on and wait for the next."""
        if self._waiting and time.monotonic() - self._since > TURN:
            self.end()
            self.take()


class Job:
    """One piece of work for a thread, begun by a coroutine that waits for it.

    Attributes:
        told: what the work says on the way, in order; None after the last.
        result: what comes of it.
    """

    def __init__(self, work: Callable[[Job], Any], turns: Turns):
        self._work, self._turns = work, turns
        self._loop = asyncio.get_running_loop()
        self._stop = Event()
        self.told: asyncio.Queue[bytes | None] = asyncio.Queue()
        self.result: asyncio.Future[Any] = self._loop.create_future()
        # An error that nobody asks for any more is no news.
        self.result.add_done_callback(lambda done: done.cancelled() or done.exception())

    def stop(self) -> None:
        """Nobody waits for it any more: `check` will say so."""
        self._stop.set()

    def check(self) -> None:
        """From the thread, now and then: let others go on. Raises GoneError if nobody waits for the work any more."""
        if self._stop.is_set():
            raise GoneError
        self._turns.share()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """From the thread: for work on large arrays, or elsewhere, beside which others can go on."""
        self._turns.end()
        try:
            yield
        finally:
            self._turns.take()

    def tell(self, what: bytes) -> None:
        """From the thread: say something to whoever waits. Raises GoneError as `check` does."""
        self.check()
        self._call(self.told.put_nowait, what)

    def run(self) -> None:
        """In a thread: do the work."""
        self._turns.take()
        try:
            self.check()
            value = self._work(self)
        except BaseException as error:
            self._turns.end()
            self._call(self._fail, error)
        else:
            self._turns.end()
            self._call(self._finish, value)

    def _call(self, what: Callable[..., Any], *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(what, *arguments)
        except RuntimeError:
            raise GoneError from None  # the server has ended

    def _finish(self, value: Any) -> None:
        self.told.put_nowait(None)
        if not self.result.done():
            self.result.set_result(value)

    def _fail(self, error: BaseException) -> None:
        self.told.put_nowait(None)
        if not self.result.done():
            # A future takes no StopIteration.
            self.result.set_exception(error if isinstance(error, Exception) else RuntimeError(repr(error)))


class Workers:
    """Threads that take jobs in the order in which they came."""

    def __init__(self, threads: int | None = None, waiting: int = WAITING):
        self.waiting = waiting
        self._jobs: deque[Job] = deque()
        self._running: set[Job] = set()
        self._change = Condition()
        self._closed = False
        self._turns = Turns()
        for number in range(threads or max(usable_cores(), LEAST_THREADS)):
            # Daemons: what they do is of no use once the server has ended, and is not to hold up its end.
            Thread(target=self._work, name=f"studio {number + 1}", daemon=True).start()

    def begin(self, work: Callable[[Job], Any]) -> Job:
        """Have a thread do it. From the server's loop. Raises BusyError if too many wait already."""
        with self._change:
            if len(self._jobs) >= self.waiting or self._closed:
                raise BusyError
            job = Job(work, self._turns)
            self._jobs.append(job)
            self._change.notify()
        return job

    @property
    def idle(self) -> bool:
        """Whether there is nothing to do."""
        with self._change:
            return not self._jobs and not self._running

    def close(self) -> None:
        """Stop all jobs, and take no more."""
        with self._change:
            self._closed = True
            for job in (*self._jobs, *self._running):
                job.stop()
            self._change.notify_all()

    def _work(self) -> None:
        while True:
            with self._change:
                while not self._jobs:
                    if self._closed:
                        return
                    self._change.wait()
                job = self._jobs.popleft()
                self._running.add(job)
            try:
                job.run()
            except GoneError:
                pass
            finally:
                with self._change:
                    self._running.discard(job)
                del job
