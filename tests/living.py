"""Which processes live, for tests of how they end."""

import time
from pathlib import Path


def wait_for(what, seconds=60.0):
    """The first true value of it."""
    until = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < until
        time.sleep(0.01)
    return found


def alive(pid):
    """Whether there is such a process, which has not ended (one that nobody waits for has)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
