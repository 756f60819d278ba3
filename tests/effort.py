"""How much work something is, counted: the same on every machine, which times are not."""

import sys
from collections.abc import Callable


def effort(work: Callable[[], object]) -> int:
    """How many functions are called while it works, Python's and compiled ones; what raises counts up to there."""
    calls = 0

    def count(_frame: object, event: str, _argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls
