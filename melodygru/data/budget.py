"""What reading one file may cost in seconds and memory, and how that is held within this process.

Readers refuse what is too much by counting before they work; this is for what they did not think of.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from melodygru.records import dataclass

if sys.platform != "win32":
    import resource


OUT_OF_MEMORY = "takes too much memory to read"
"""The reason why a file is left out whose reader had no more."""


@dataclass(frozen=True)
class Budget:
    """What a file may cost.

    Attributes:
        seconds: of reading. The largest files that readers take need some ten.
        memory: bytes beyond what the process has, on Linux; elsewhere systems do not keep such a limit. Those need half
            a GiB.
    """

    seconds: float = 120.0
    memory: int = 2 << 30

    @property
    def out_of_time(self) -> str:
        """The reason why a file that took too long is left out."""
        return f"takes longer than {self.seconds:g} seconds to read"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Within it, what takes too long is interrupted by `OutOfTime`, and what takes too much memory by MemoryError.

        Time only where `can_be_held`, and only while Python runs: compiled code needs a process of its own, such as
        `melodygru.data.workers` has.
        """
        with _alarm(self), self.in_memory():
            yield

    @contextmanager
    def in_memory(self) -> Iterator[None]:
        """The half of `held` that is about memory."""
        used = _address_space()
        if sys.platform == "win32" or used is None:
            yield
            return
        soft, hard = resource.getrlimit(resource.RLIMIT_AS)
        limits = [used + self.memory, *(one for one in (soft, hard) if one != resource.RLIM_INFINITY)]
        resource.setrlimit(resource.RLIMIT_AS, (min(limits), hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))

    @staticmethod
    def can_be_held() -> bool:
        """Whether `held` can interrupt what runs in this thread."""
        return sys.platform != "win32" and threading.current_thread() is threading.main_thread()


class OutOfTime(BaseException):
    """Reading took too long. No Exception, since readers catch those to read past what is odd."""


def reason_of(error: BaseException) -> str:
    """Why a file is left out whose reader raised what it should not have."""
    if isinstance(error, (MemoryError, OutOfTime)):
        return OUT_OF_MEMORY if isinstance(error, MemoryError) else str(error)
    said = " ".join(str(error).split())
    return f"could not be understood ({type(error).__name__}{': ' * bool(said)}{said})"


@contextmanager
def _alarm(budget: Budget) -> Iterator[None]:
    if sys.platform == "win32" or not Budget.can_be_held():
        yield
        return
    running = True

    def ring(signum: int, frame: Any) -> None:
        if running:
            raise OutOfTime(budget.out_of_time)

    before = signal.signal(signal.SIGALRM, ring)
    # Again each second: a reader may catch everything.
    timer = signal.setitimer(signal.ITIMER_REAL, budget.seconds, 1.0)
    try:
        yield
    finally:
        running = False
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, before)


def _address_space() -> int | None:
    """Bytes of this process's address space; None where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_bytes().split()[0])
    except (OSError, ValueError, IndexError):
        return None
    return pages * resource.getpagesize()
