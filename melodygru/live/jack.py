"""Whether JACK's server still runs.

python-rtmidi does not tell: it queues messages for a server that is gone, and when the queue is full it waits for ever,
with the interpreter's lock held.
"""

from __future__ import annotations

import ctypes
import sys
from typing import Any

_LIBRARIES = {"linux": "libjack.so.0", "darwin": "libjack.0.dylib", "win32": "libjack64.dll"}
_NO_START_SERVER = 1
"""`JackNoStartServer`: only a server that runs already is of interest."""
_NAME = b"melodygru watch"


class JackWatch:
    """A client of JACK's that plays no part in its graph, and is told when the server ends.

    Attributes:
        gone: whether it has. False too where the library cannot be had, or no server runs: then nothing is known.
    """

    def __init__(self) -> None:
        self.gone = False
        self._client: Any = None
        try:
            library = ctypes.CDLL(_LIBRARIES[sys.platform])
            library.jack_client_open.restype = ctypes.c_void_p
        except (KeyError, OSError, AttributeError):
            return
        self._library = library
        self._client = library.jack_client_open(_NAME, _NO_START_SERVER, None)
        if self._client:
            # Kept, since JACK holds nothing but its address.
            self._ended = ctypes.CFUNCTYPE(None, ctypes.c_void_p)(self._hear)
            library.jack_on_shutdown(ctypes.c_void_p(self._client), self._ended, None)

    def _hear(self, _: Any) -> None:
        self.gone = True

    def close(self) -> None:
        """Leave the server, if it is still there."""
        if self._client and not self.gone:
            self._library.jack_client_close(ctypes.c_void_p(self._client))
        self._client = None
