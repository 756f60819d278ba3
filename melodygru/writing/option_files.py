"""Options out of TOML files: read, and under the names that they have here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from melodygru.errors import FileError, UsageError
from melodygru.option import Option

_LARGEST = 1 << 20
"""Bytes of a file of options: what is larger is something else."""


def read_toml(file: Path) -> dict[str, Any]:
    """What stands in a TOML file. Raises FileError if it cannot be read, or is none."""
    import sys

    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        with file.open("rb") as opened:
            data = opened.read(_LARGEST + 1)
        if len(data) > _LARGEST:
            raise FileError(f"{file} has more than {_LARGEST:,} bytes, which is no file of options; give another.")
        return tomllib.loads(data.decode("utf-8"))
    except OSError as error:
        raise FileError(f"{file} cannot be read ({error.strerror}); check the path and its permissions.") from error
    except (ValueError, RecursionError) as error:
        # ValueError: no TOML, no UTF-8, or a number of more digits than Python takes.
        what, at, place = str(error).partition(" (at ")  # the place stands last, and is not to be cut off
        raise FileError(
            f"{file} is not TOML ({what[:80]}{at}{place[:60]}); write lines such as key = 'A minor'."
        ) from error


def flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of all tables, however deep those lie in one another; of two with one name, the later one's."""
    found: dict[str, Any] = {}
    waiting = [iter(values.items())]
    while waiting:
        name, value = next(waiting[-1], (None, None))
        if name is None:
            waiting.pop()
        elif isinstance(value, dict):
            waiting.append(iter(value.items()))
        else:
            found[name] = value
    return found


def under_own_names(values: Mapping[str, Any], options: Iterable[Option], where: str) -> dict[str, Any]:
    """Values by the options' own names, with underscores, whatever they are called in a file.

    Raises UsageError, which names the place as `where` does, for a name that no option has.
    """
    own = {name.replace("-", "_"): option.name for option in options for name in (option.name, *option.aliases)}
    found = {}
    for name, value in values.items():
        plain = name.replace("-", "_")
        if plain not in own:
            raise UsageError(
                f"{where} has the option {name!r}, which there is not; see --help for those that there are."
            )
        found[own[plain]] = value
    return found
