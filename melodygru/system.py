"""What the operating system is asked for: files, caches, signals, cores and processes.

Files are written whole or not at all, and never over one that the user did not give up.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from melodygru.errors import FileError

if TYPE_CHECKING:  # imported when there are processes to start: generating one melody needs none
    from concurrent.futures import Future, ProcessPoolExecutor


def check_target(path: str | os.PathLike[str], force: bool = False) -> Path:
    """The path, if a file may be written there.

    Raises FileError when its folder does not exist, it is a folder, or it exists and `force` is false.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise FileError(f"The folder {target.parent} does not exist; create it, or choose another place for the file.")
    if target.is_dir():
        raise FileError(f"{target} is a folder; give the name of a file.")
    if target.exists() and not force:
        raise FileError(f"{target} exists; choose another name, or overwrite it with --force (force=True).")
    return target


def write_atomically(path: str | os.PathLike[str], data: bytes, force: bool = False) -> None:
    """Write `data` beside `path`, then rename it: a reader sees the old file or the new one, never half.

    Raises FileError as `check_target` does, and when the system refuses.
    """
    target = check_target(path, force)
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(data)
        os.replace(beside, target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        reason = error.strerror or error
        raise FileError(f"{target} cannot be written ({reason}); check the disk and permissions.") from error


def printable(name: str) -> str:
    """A file's name as text that can be shown and stored anywhere: line breaks, and bytes that are no UTF-8, as U+FFFD.

    Names are bytes to most systems; Python keeps those that are no text as lone surrogates, which no file can hold.
    """
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in name)


def cache_home() -> Path:
    """Where caches lie: $MELODYGRU_CACHE, else the platform's place for them."""
    if given := os.environ.get("MELODYGRU_CACHE"):
        return Path(given)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return base / "melodygru"


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


def usable_cores() -> int:
    """How many cores this process may run on, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def in_order(
    pool: ProcessPoolExecutor, work: Callable[..., Any], calls: Iterable[tuple[Any, ...]], ahead: int
) -> Iterator[Any]:
    """What `work` returns for each tuple of arguments; `ahead` calls are begun before they are asked for.

    Unlike `pool.map` it holds few results, whoever is slower. The pool is shut down at the end, also when the caller
    stops early: what has not begun is not done any more.
    """
    begun: deque[Future[Any]] = deque()
    try:
        for arguments in calls:
            begun.append(pool.submit(work, *arguments))
            if len(begun) >= ahead:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


_AHEAD = 2
"""Calls that are begun before they are asked for, for each process: bounds the memory."""


def by_processes(work: Callable[..., Any], calls: Sequence[tuple[Any, ...]], jobs: int) -> Iterator[Any]:
    """What `work` returns for each tuple of arguments, in order, by `jobs` processes; each is sent `work` once.

    What `work` finds out and keeps in itself, a process need not find out again.
    """
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    context = get_context("spawn")
    pool = ProcessPoolExecutor(min(jobs, len(calls)), context, initializer=_begin, initargs=(work,))
    yield from in_order(pool, _call, calls, _AHEAD * jobs)


_WORK: list[Callable[..., Any]] = []
"""What this process was sent to do."""


def _begin(work: Callable[..., Any]) -> None:
    _WORK[:] = [work]


def _call(*arguments: Any) -> Any:
    return _WORK[0](*arguments)
