"""What the operating system is asked for: files, caches, signals, cores and processes.

Files are written whole or not at all, and never over one that the user did not give up.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from melodygru.errors import FileError

if TYPE_CHECKING:  # imported when there are processes to start: generating one melody needs none
    from concurrent.futures import Future
    from multiprocessing.connection import Connection


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


def write_all(files: Mapping[str | os.PathLike[str], bytes], force: bool = False) -> None:
    """Write several files, all or none: where one cannot be written, none of the others is there that was not before.

    Raises FileError as `write_atomically` does.
    """
    targets = {check_target(path, force): data for path, data in files.items()}
    beside = {target: target.with_name(f".{target.name}.{os.getpid()}.part") for target in targets}
    before = {target: target.exists() for target in targets}
    done: list[Path] = []
    try:
        for target, data in targets.items():
            beside[target].write_bytes(data)
        for target in targets:
            os.replace(beside[target], target)
            done.append(target)
    except OSError as error:
        for target in done:
            if not before[target]:
                target.unlink(missing_ok=True)
        reason = error.strerror or error
        raise FileError(
            f"{error.filename2 or error.filename} cannot be written ({reason}); check the disk and permissions."
        ) from error
    finally:
        for part in beside.values():
            part.unlink(missing_ok=True)


def printable(name: str) -> str:
    """A file's name as text that can be shown and stored anywhere: line breaks, and bytes that are no UTF-8, as U+FFFD.

    Names are bytes to most systems; Python keeps those that are no text as lone surrogates, which no file can hold.
    """
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in name)


_LARGEST_TOML = 1 << 20
"""Bytes of a file of options: what is larger is something else."""


def read_toml(file: Path) -> dict[str, Any]:
    """What stands in a TOML file. Raises FileError if it cannot be read, or is none."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        with file.open("rb") as opened:
            data = opened.read(_LARGEST_TOML + 1)
        if len(data) > _LARGEST_TOML:
            raise FileError(f"{file} has more than {_LARGEST_TOML:,} bytes, which is no file of options; give another.")
        return tomllib.loads(data.decode("utf-8"))
    except OSError as error:
        raise FileError(f"{file} cannot be read ({error.strerror}); check the path and its permissions.") from error
    except (ValueError, RecursionError) as error:
        # ValueError: no TOML, no UTF-8, or a number of more digits than Python takes.
        what, at, place = str(error).partition(" (at ")  # the place stands last, and is not to be cut off
        raise FileError(
            f"{file} is not TOML ({what[:80]}{at}{place[:60]}); write lines such as key = 'A minor'."
        ) from error


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


def config_home() -> Path:
    """Where a user keeps files of settings: $MELODYGRU_CONFIG, else the platform's place for them."""
    if given := os.environ.get("MELODYGRU_CONFIG"):
        return Path(given)
    if sys.platform == "win32":
        base = Path(os.environ.get("APPDATA", Path.home() / "AppData" / "Roaming"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME", Path.home() / ".config"))
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


class Stopped(KeyboardInterrupt):
    """The signal `signum` has asked to stop.

    Not KeyboardInterrupt itself: where that has passed through `exec`, as in the imports of most dataclasses, Python
    dies of SIGINT in the end, whatever exit code was asked for.
    """

    def __init__(self, signum: int):
        super().__init__()
        self.signum = signum


@contextmanager
def stoppable() -> Iterator[None]:
    """Within it SIGINT and SIGTERM raise `Stopped`, so that what was begun is tidied up.

    SIGTERM not under torchrun, which may have to end a process that waits for others in compiled code; nothing changes
    outside the main thread, and for signals that are ignored, or handled otherwise.
    """
    usual: dict[signal.Signals, Any] = {signal.SIGINT: signal.default_int_handler}
    if "TORCHELASTIC_RUN_ID" not in os.environ:
        usual[signal.SIGTERM] = signal.SIG_DFL
    if threading.current_thread() is not threading.main_thread():
        usual = {}

    def stop(signum: int, frame: Any) -> None:
        raise Stopped(signum)

    before = {number: one for number, one in usual.items() if signal.getsignal(number) is one}
    for number in before:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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


def usable_cores() -> int:
    """How many cores this process may run on, at least 1."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def deaf() -> Iterator[None]:
    """Processes started within it do not hear Ctrl-C, which a terminal sends to all: who started them ends them.

    Here it is heard once the context is over, and so is SIGTERM: a process that is but half started dies noisily.
    """
    if not hasattr(signal, "pthread_sigmask") or threading.current_thread() is not threading.main_thread():
        yield
        return
    from multiprocessing import resource_tracker

    resource_tracker.ensure_running()  # as it starts, with the first process, it would open our ears again
    heard: list[int] = []
    before = {
        number: signal.signal(number, lambda signum, _: heard.append(signum))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # which they have from this thread
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in before.items():
            signal.signal(number, handler)
    for signum in heard:
        signal.raise_signal(signum)


_AHEAD = 2
"""Calls that are begun before they are asked for, for each process: bounds the memory, whoever is slower."""


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


_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""By which libraries are told how many threads to have, as they are loaded."""


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
