"""Files are written whole or not at all, and never over one that the user did not give up; and where caches lie."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from melodygru.errors import FileError


def check_target(path: str | os.PathLike[str], force: bool = False) -> Path:
    """The path, if a file may be written there.

    Raises FileError when its folder does not exist, it is a folder, or it exists and `force` is false.
    """
    target = Path(path)
    if not target.parent.is_dir():
        raise FileError(f"The folder {target.parent} does not exist; create it, or choose another place for the file.")
    if target.is_dir():
        raise FileError(f"{target} is a folder; give the name of a file.")
    if target.exists() and not force:
        raise FileError(f"{target} exists; choose another name, or overwrite it with --force (force=True).")
    return target


def write_atomically(path: str | os.PathLike[str], data: bytes, force: bool = False) -> None:
    """Write `data` beside `path`, then rename it: a reader sees the old file or the new one, never half.

    Raises FileError as `check_target` does, and when the system refuses.
    """
    target = check_target(path, force)
    beside = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        beside.write_bytes(data)
        os.replace(beside, target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        reason = error.strerror or error
        raise FileError(f"{target} cannot be written ({reason}); check the disk and permissions.") from error


def cache_home() -> Path:
    """Where caches lie: $MELODYGRU_CACHE, else the platform's place for them."""
    if given := os.environ.get("MELODYGRU_CACHE"):
        return Path(given)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return base / "melodygru"
