"""What of writing is compiled; its `masks`, `ways`, `copy_guard` and `choosing` say the same in NumPy."""

from __future__ import annotations

import os
from ctypes import CDLL, c_int64, c_void_p
from functools import cache

from melodygru import libraries


@cache
def kernels() -> CDLL | None:
    """The compiled functions; None where they were not built, or MELODYGRU_KERNEL=0 says not to take them."""
    library = None if os.environ.get("MELODYGRU_KERNEL") == "0" else libraries.load("writing", hold_lock=True)
    if library is not None:
        for name in ("draws_shift", "draws_choose", "masks_find", "runs_suspects", "ways_fill"):
            function = getattr(library, name)
            function.argtypes, function.restype = [c_void_p], None
        library.runs_find.argtypes, library.runs_find.restype = [c_void_p], c_int64
    return library
