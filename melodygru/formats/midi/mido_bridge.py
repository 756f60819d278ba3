"""Bytes to mido's files and back, one at a time.

While mido reads or writes a file, the encoding of its texts is a global of mido's: two threads would take each other's.
"""

from __future__ import annotations

from io import BytesIO
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mido import MidiFile


_ALONE = Lock()


def load(data: bytes, **settings: Any) -> MidiFile:
    """A file from its bytes; `settings` are those of `mido.MidiFile`. Raises what mido raises, of many kinds."""
    from mido import MidiFile  # 50 ms that others do not need

    with _ALONE:
        return MidiFile(file=BytesIO(data), **settings)


def save(file: MidiFile) -> bytes:
    """The bytes of a file. Raises what mido raises."""
    out = BytesIO()
    with _ALONE:
        file.save(file=out)
    return out.getvalue()
