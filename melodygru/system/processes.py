"""Processes that share work out, and what one may have of cores, threads and memory."""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from melodygru.system.signals import deaf

if TYPE_CHECKING:  # imported when there are processes to start: generating one melody needs none
    from concurrent.futures import Future
    from multiprocessing.connection import Connection


def usable_cores() -> int:
    """How many cores this process may run on, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def keep_freed_memory() -> None:
    """Let this process keep what it frees, of whatever size, for what it asks for next; only glibc is told.

    For work that makes the same large arrays again and again: arrays over 32 MiB would be taken from the system each
    time, which costs 1.7 us a page of 4 KiB (a seventh of a training step of 2 x 512 units at batch 64).
    """
    if sys.platform != "linux":
        return
    import ctypes

    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # no other C library of Linux has it
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)


_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4
"""Of glibc's malloc.h: how much may lie free at the end, in bytes, and how many arrays are the system's own."""


@contextmanager
def one_thread() -> Iterator[None]:
    """Processes started within it compute with one thread each: those of several on the same cores wait for another."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""By which libraries are told how many threads to have, as they are loaded."""


def by_processes(work: Callable[..., Any], calls: Sequence[tuple[Any, ...]], jobs: int) -> Iterator[Any]:
    """What `work` returns for each tuple of arguments, in order, by `jobs` processes; each is sent `work` once.

    What `work` finds out and keeps in itself, a process need not find out again. Each computes with one thread. When
    the caller stops early, or ends however that may be, the processes end at once, in whatever they do.
    """
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # Spawned, not forked: the caller may have threads (a progress display), and Windows has no fork.
    context = get_context("spawn")
    theirs, ours = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(min(jobs, len(calls)), context, initializer=_begin, initargs=(work, theirs))
    begun: deque[Future[Any]] = deque()
    try:
        for arguments in calls:
            with deaf(), one_thread():
                begun.append(pool.submit(_call, *arguments))
            if len(begun) >= _AHEAD * jobs:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    except BaseException:
        ours.close()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
        ours.close()
        theirs.close()


_AHEAD = 2
"""Calls that are begun before they are asked for, for each process: bounds the memory, whoever is slower."""
_WORK: list[Callable[..., Any]] = []
"""What this process was sent to do."""


def _begin(work: Callable[..., Any], held: Connection) -> None:
    _WORK[:] = [work]
    threading.Thread(target=_end_with, args=(held,), daemon=True).start()


def _end_with(held: Connection) -> None:
    """End this process when the other end of the pipe is closed, by whoever started it or by its own end."""
    with suppress(EOFError, OSError):
        held.recv()
    os._exit(1)


def _call(*arguments: Any) -> Any:
    return _WORK[0](*arguments)
