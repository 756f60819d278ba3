"""Files that were made and can be fetched: in memory, under names that cannot be guessed, the oldest going first."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from threading import Lock
from urllib.parse import quote

from melodygru.errors import UsageError
from melodygru.records import dataclass

LARGEST = 64 << 20
"""Bytes of all files together."""
_LONGEST_NAME = 80
MEDIA_TYPES = {
    "mid": "audio/midi",
    "wav": "audio/wav",
    "musicxml": "application/vnd.recordare.musicxml+xml",
    "abc": "text/vnd.abc; charset=utf-8",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
}


@dataclass(frozen=True)
class Kept:
    """A file: its name, what kind it is, and its bytes."""

    name: str
    media_type: str
    data: bytes


class Shelf:
    """Keeps files until there is no more room; safe in threads."""

    def __init__(self, largest: int = LARGEST):
        self.largest = largest
        self._files: OrderedDict[str, Kept] = OrderedDict()
        self._lock = Lock()
        self._size = 0

    def put(self, name: str, suffix: str, data: bytes) -> tuple[str, str]:
        """Keep a file called `name`.`suffix`: the address where it can be fetched, and the name as it is now.

        Raises UsageError if it is larger than all the room there is.
        """
        if len(data) > self.largest:
            raise UsageError(
                f"The file would have {len(data) / 1e6:.0f} MB, and the studio keeps {self.largest / 1e6:.0f} MB; "
                "make a shorter one."
            )
        name = f"{safe_name(name)}.{suffix}"
        # A name tells nothing of the next one.
        mark = secrets.token_urlsafe(16)
        with self._lock:
            self._files[mark] = Kept(name, MEDIA_TYPES[suffix], data)
            self._size += len(data)
            while self._size > self.largest:
                _, oldest = self._files.popitem(last=False)
                self._size -= len(oldest.data)
        return f"files/{mark}/{quote(name)}", name

    def get(self, mark: str, name: str) -> Kept | None:
        """The file; None if there is none, or none any more."""
        with self._lock:
            kept = self._files.get(mark)
        return kept if kept is not None and kept.name == name else None


def safe_name(name: str) -> str:
    """A name that every file system takes: letters, digits, blanks and a few signs; never empty, hidden or reserved."""
    plain = "".join(sign if sign.isalnum() or sign in " -_#'.," else "_" for sign in name)
    plain = " ".join(plain.split())[:_LONGEST_NAME].strip(" .")
    if plain.split(".")[0].strip().upper() in _RESERVED:
        plain = f"_{plain}"
    return plain or "melody"


_RESERVED = {"CON", "PRN", "AUX", "NUL", *(f"{port}{n}" for port in ("COM", "LPT") for n in range(10))}
"""What Windows takes for devices."""


def disposition(name: str) -> str:
    """The header that makes a browser save a file under this name (RFC 6266)."""
    plain = "".join(sign if sign.isascii() else "_" for sign in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
