"""What can go wrong, as one tree.

    MelodyGRUError                 exit code 1
    ├── UsageError                 exit code 2: a value outside its legal range
    ├── FileError                  a file or folder that is missing, unreadable or in the way
    │   ├── MidiError              a file that is not MIDI, or holds nothing usable
    │   └── CheckpointError        a file that is no checkpoint of this program
    ├── DataError                  a collection out of which nothing can be learned
    ├── TrainingError              a run that cannot go on (NaN loss, memory, disk)
    ├── MissingPackageError        something was asked for whose packages are not installed
    └── SamplingError              no melody was found that keeps to everything asked for

Each message is one sentence or two: what was wrong, with the value received and
the legal range, or the file; then what to do. Values come from strangers' files too:
whatever they are, a message stays one line that can be read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

LONGEST_MESSAGE = 400
"""Characters of a message; of a longer one, which quotes something without end, the middle is left out."""
_ENDING = 120
"""Characters of its end that stay: what to do."""


class MelodyGRUError(Exception):
    """The base of every error that this package raises on purpose.

    Its message has no line breaks or other control characters, which could change what a terminal shows, and at most
    `LONGEST_MESSAGE` characters.
    """

    exit_code = 1

    def __init__(self, message: str = ""):
        super().__init__(_readable(message))


def _readable(message: str) -> str:
    if not message.isprintable():
        message = "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in message)
    if len(message) > LONGEST_MESSAGE:
        message = f"{message[: LONGEST_MESSAGE - _ENDING - 3]} … {message[-_ENDING:]}"
    return message


class UsageError(MelodyGRUError, ValueError):
    """A value that the caller gave is outside its legal range."""

    exit_code = 2


class FileError(MelodyGRUError):
    """A file or folder is missing, unreadable, or in the way."""


class MidiError(FileError):
    """A file is not MIDI, or its notes cannot be read."""


class CheckpointError(FileError):
    """A file is not a checkpoint that this version can read."""


class DataError(MelodyGRUError):
    """A collection holds nothing that can be learned from."""


class TrainingError(MelodyGRUError):
    """A training run cannot go on; what it has learned so far is kept."""


class MissingPackageError(MelodyGRUError):
    """Something was asked for whose packages are not installed; see `melodygru.extras`."""


class SamplingError(MelodyGRUError):
    """No melody was found that keeps to everything asked for."""


_Config = TypeVar("_Config")


def check_range(name: str, value: float, low: float, high: float, note: str = "") -> None:
    """Raise UsageError unless low <= value <= high (NaN is outside every range)."""
    if not low <= value <= high:
        hint = f" ({note})" if note else ""
        raise UsageError(f"{name} is {value:g}; choose a number from {low:g} to {high:g}{hint}.")


def as_dict(config: Any) -> dict[str, Any]:
    """A config dataclass as plain JSON values."""
    from dataclasses import asdict  # which takes a quarter of the time of the help page

    return asdict(config)


def from_known(kind: type[_Config], values: Mapping[str, Any]) -> _Config:
    """A config dataclass from its fields by name. Raises UsageError for one that it does not have."""
    from dataclasses import fields

    known = sorted(field.name for field in fields(kind))  # type: ignore[arg-type]
    odd = sorted(set(values) - set(known))
    if odd:
        raise UsageError(f"There is no option {odd[0]!r}; choose among {', '.join(known)}.")
    return kind(**values)
