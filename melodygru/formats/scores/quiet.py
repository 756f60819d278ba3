"""music21 without its words: what it says on standard error, and its warnings.

One thread at a time, since standard error and the settings of warnings are everybody's.
"""

from __future__ import annotations

import io
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr

_ALONE = threading.Lock()


@contextmanager
def quietly() -> Iterator[io.StringIO]:
    """Keeps what is said within it: what it gives holds that."""
    said = io.StringIO()
    with _ALONE, warnings.catch_warnings(), redirect_stderr(said):
        warnings.simplefilter("ignore")
        yield said
