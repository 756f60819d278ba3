"""Files that are written whole or not at all, and never over one that the user did not give up."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from melodygru.errors import FileError


def check_target(path: str | os.PathLike[str], force: bool = False) -> Path:
    """The path, if a file may be written there.

    Raises FileError when its folder does not exist, it is a folder, it exists and `force` is false, or the system has
    no such names.
    """
    target = Path(path)
    if not os.path.isdir(target.parent):
        raise FileError(f"The folder {target.parent} does not exist; create it, or choose another place for the file.")
    try:
        target.lstat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError) as error:  # a name that is too long, a folder that may not be looked into
        reason = getattr(error, "strerror", None) or error
        raise FileError(f"{target} cannot be written ({reason}); choose another name.") from error
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
        reason = error.strerror or error
        raise FileError(f"{target} cannot be written ({reason}); check the disk and permissions.") from error
    finally:
        _tidy_up([beside])


def _tidy_up(files: Iterable[Path]) -> None:
    """Remove what is left of files that were being written, whatever has ended that: Ctrl-C too."""
    for file in files:
        with suppress(OSError):
            file.unlink(missing_ok=True)


def write_all(files: Mapping[str | os.PathLike[str], bytes], force: bool = False) -> None:
    """Write several files, all or none: where one cannot be written, none of the others is there that was not before.

    Raises FileError as `write_atomically` does.
    """
    targets = {check_target(path, force): data for path, data in files.items()}
    beside = {target: target.with_name(f".{target.name}.{os.getpid()}.part") for target in targets}
    before = {target: target.exists() for target in targets}
    done: list[Path] = []
    try:
        for target, data in targets.items():
            beside[target].write_bytes(data)
        for target in targets:
            os.replace(beside[target], target)
            done.append(target)
    except BaseException as error:
        _tidy_up(target for target in done if not before[target])
        if not isinstance(error, OSError):
            raise
        reason = error.strerror or error
        failed = next((target for target, part in beside.items() if str(part) == error.filename), error.filename)
        raise FileError(f"{failed} cannot be written ({reason}); check the disk and permissions.") from error
    finally:
        _tidy_up(beside.values())


def printable(name: str) -> str:
    """A file's name as text that can be shown and stored anywhere: line breaks, and bytes that are no UTF-8, as U+FFFD.

    Names are bytes to most systems; Python keeps those that are no text as lone surrogates, which no file can hold.
    """
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in name)


_LARGEST_TOML = 1 << 20
"""Bytes of a file of options: what is larger is something else."""


def read_toml(file: Path) -> dict[str, Any]:
    """What stands in a TOML file. Raises FileError if it cannot be read, or is none."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        with file.open("rb") as opened:
            data = opened.read(_LARGEST_TOML + 1)
        if len(data) > _LARGEST_TOML:
            raise FileError(f"{file} has more than {_LARGEST_TOML:,} bytes, which is no file of options; give another.")
        return tomllib.loads(data.decode("utf-8"))
    except OSError as error:
        raise FileError(f"{file} cannot be read ({error.strerror}); check the path and its permissions.") from error
    except (ValueError, RecursionError) as error:
        # ValueError: no TOML, no UTF-8, or a number of more digits than Python takes.
        what, at, place = str(error).partition(" (at ")  # the place stands last, and is not to be cut off
        raise FileError(
            f"{file} is not TOML ({what[:80]}{at}{place[:60]}); write lines such as key = 'A minor'."
        ) from error
