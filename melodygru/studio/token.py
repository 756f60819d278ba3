"""The file that tells scripts of this user where the studio's routes are, and their secret."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from melodygru.errors import FileError
from melodygru.system.folders import config_home

NAME = "serve.json"


def token_file() -> Path:
    """Where it is where nothing else is said: among the user's settings."""
    return config_home() / NAME


@contextmanager
def told(path: Path, facts: Mapping[str, Any]) -> Iterator[None]:
    """Within it the file says these facts, to this user alone; afterwards it is gone, if it is still the same.

    Raises FileError where it cannot be written.
    """
    data = json.dumps(facts, indent=2).encode()
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside.unlink(missing_ok=True)
        # Never readable by others, not for a moment: the mode is that of a file which was not there before.
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.replace(beside, path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        reason = error.strerror or error
        raise FileError(f"{path} cannot be written ({reason}); give another --token-file.") from error
    try:
        yield
    finally:
        with suppress(OSError):
            if path.read_bytes() == data:
                path.unlink()
