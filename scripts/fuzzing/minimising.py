"""Delta debugging: the smallest file that still shows what a large one showed.

Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input" (2002), without its complements of single
chunks: taking out is what makes a file smaller.
"""

from __future__ import annotations

import time
from collections.abc import Callable


def minimised(data: bytes, still: Callable[[bytes], bool], seconds: float) -> bytes:
    """The file with as many chunks taken out as can be in so many seconds; `still` says whether it shows it yet."""
    deadline = time.monotonic() + seconds
    size = max(1, len(data) // 2)
    while True:
        at, before = 0, len(data)
        while at < len(data):
            if time.monotonic() > deadline:
                return data
            tried = data[:at] + data[at + size :]
            if still(tried):
                data = tried
            else:
                at += size
        if size == 1 and len(data) == before:
            return data
        size = max(1, min(size // 2, len(data)))
