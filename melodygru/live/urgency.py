"""Who runs first when a message is due: what Linux can be asked for, so that a thread runs as soon as it wakes up.

A thread that has slept waits for those that compute: on a busy machine for milliseconds. In real time it waits for none
of them, but not every user may have that (on Debian the group `audio` may, once jackd is installed; root always). What
every user may have, since Linux 6.12, are shorter slices of time: who asks for little at a time gets it sooner. Other
systems are left as they are.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

LISTENS, SENDS = 1, 2
"""Priorities in real time, of [1, 99]: above all that computes, below the sound servers (JACK's own are 5 and 10), and
the thread that sends above the one that it works with, which holds the interpreter's lock now and then."""
SLICE = 100_000
"""Nanoseconds that a thread asks for at a time where it may not have real time: the least that Linux grants. Measured,
see docs/decisions.md."""
_SETATTR = {"x86_64": 314, "aarch64": 274, "riscv64": 274}
"""Numbers of the system call `sched_setattr`, which the C library has from 2025 on only."""
_ATTRIBUTES = struct.Struct("=IIQiIQQQ")
"""`struct sched_attr`: size, policy, flags, nice, priority, runtime (here: the slice), deadline, period."""


@contextmanager
def urgent(priority: int) -> Iterator[None]:
    """Within it this thread runs in real time, with a priority of [1, 99], or else in short slices, or else as before.

    What begins within it, threads and processes, is not in real time by itself.
    """
    if not sys.platform.startswith("linux"):
        yield
        return
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    nice = os.getpriority(os.PRIO_PROCESS, 0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(priority))
    except OSError:
        short = before[0] == os.SCHED_OTHER and _slice(SLICE, nice)
        try:
            yield
        finally:
            if short:
                _slice(0, nice)
    else:
        try:
            yield
        finally:
            with suppress(OSError):  # one who may no longer have what he had
                os.sched_setscheduler(0, *before)


def _slice(nanoseconds: int, nice: int) -> bool:
    """Ask for slices of that length, 0: of the usual one; whether the system call was made. Older kernels ignore it."""
    number = _SETATTR.get(platform.machine())
    if number is None:
        return False
    attributes = _ATTRIBUTES.pack(_ATTRIBUTES.size, os.SCHED_OTHER, 0, nice, 0, nanoseconds, 0, 0)
    return bool(ctypes.CDLL(None).syscall(number, 0, attributes, 0) == 0)
