"""Work shared out to processes, and given back in order; how many cores there are for it."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Any


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
    begun = deque[Future]()
    try:
        for arguments in calls:
            begun.append(pool.submit(work, *arguments))
            if len(begun) >= ahead:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
