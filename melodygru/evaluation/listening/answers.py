"""Listeners' files of answers, and the key: read, checked, and laid out for statistics."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from melodygru.errors import DataError, FileError
from melodygru.evaluation.listening.page import FORMAT
from melodygru.evaluation.listening.scales import HEARD, HIGHEST, LOWEST, MAKERS, SCALES
from melodygru.evaluation.listening.statistics import FloatArray
from melodygru.records import dataclass

_LARGEST = 1 << 22
"""Bytes of a file of answers, or of a key: a hundred times what either has."""
_MOST_FILES = 10_000


@dataclass(frozen=True)
class Answers:
    """All answers to a test.

    Attributes:
        listeners: their numbers.
        systems: people first.
        ratings: of each scale, (listeners, systems, seats), NaN where there is none, or the listener knew the melody.
        machine: likewise, 1 where it was taken for a machine's, 0 for a person's.
        known: of each system, how many answers said that the melody was known; these are left out of all else.
    """

    listeners: tuple[int, ...]
    systems: tuple[str, ...]
    ratings: dict[str, FloatArray]
    machine: FloatArray
    known: dict[str, int]


def read_answers(paths: Sequence[Path], key_path: Path) -> Answers:
    """The answers in these files, one file a listener.

    Raises FileError for a file that cannot be read or is none of the test's, and DataError for two of one listener.
    """
    if len(paths) > _MOST_FILES:
        raise DataError(f"{len(paths):,} files were given; {_MOST_FILES:,} at most are read.")
    key = _key(key_path)
    systems = list(key["systems"])
    places = {name: (systems.index(item["system"]), int(item["seat"])) for name, item in dict(key["items"]).items()}
    shape = (len(paths), len(systems), 1 + max(seat for _, seat in places.values()))
    ratings = {scale: np.full(shape, np.nan) for scale in SCALES}
    machine, known = np.full(shape, np.nan), dict.fromkeys(systems, 0)
    listeners: dict[int, Path] = {}
    for row, path in enumerate(paths):
        listener, answers = _answers(path, key["test"], places)
        if listener in listeners:
            raise DataError(
                f"{listeners[listener]} and {path} are both of listener {listener}; give one file for each listener."
            )
        listeners[listener] = path
        for answer in answers:
            system, seat = places[answer["item"]]
            if answer["heard"] == "yes":
                known[systems[system]] += 1
                continue
            for scale in SCALES:
                ratings[scale][row, system, seat] = answer["ratings"][scale]
            machine[row, system, seat] = answer["by"] == "machine"
    return Answers(tuple(listeners), tuple(systems), ratings, machine, known)


def _json(path: Path) -> Any:
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST + 1)
    except OSError as error:
        raise FileError(f"{path} cannot be read ({error.strerror}); check the path and its permissions.") from error
    if len(data) > _LARGEST:
        raise FileError(f"{path} has more than {_LARGEST:,} bytes, which no file of a listening test has.")
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise FileError(f"{path} is not JSON; give files as the page saves them.") from error


def _key(path: Path) -> Mapping[str, Any]:
    key = _json(path)
    try:
        whole = key["format"] == FORMAT and key["systems"] and key["items"] and isinstance(key["test"], str)
        whole = whole and all(
            item["system"] in key["systems"] and type(item["seat"]) is int and 0 <= item["seat"] < len(key["items"])
            for item in key["items"].values()
        )
    except (TypeError, KeyError, AttributeError):
        whole = False
    if not whole:
        raise FileError(f"{path} is not the key of a listening test; it lies beside the page, as key.json.")
    return key


def _answers(path: Path, test: str, places: Mapping[str, Any]) -> tuple[int, list[dict[str, Any]]]:
    """The listener's number and answers of a file, checked."""
    found = _json(path)
    if not isinstance(found, dict) or found.get("format") != FORMAT or type(found.get("listener")) is not int:
        raise FileError(f"{path} holds no listener's answers; give files as the page saves them.")
    if found.get("test") != test:
        raise FileError(f"{path} is of another listening test than the key; give the key that was made with the page.")
    answers, seen = found.get("answers"), set()
    if not isinstance(answers, list):
        raise FileError(f"{path} holds no list of answers; give files as the page saves them.")
    for answer in answers:
        wrong = _wrong(answer, places)
        if wrong or answer["item"] in seen:
            raise FileError(f"{path}: {wrong or 'melody ' + answer['item'] + ' is answered twice'}; save it anew.")
        seen.add(answer["item"])
    return found["listener"], answers


def _wrong(answer: Any, places: Mapping[str, Any]) -> str:
    """What is wrong with an answer; empty if nothing."""
    if not isinstance(answer, dict) or not isinstance(answer.get("item"), str) or answer["item"] not in places:
        return "an answer is of no melody of this test"
    ratings = answer.get("ratings")
    for scale in SCALES:
        value = ratings.get(scale) if isinstance(ratings, dict) else None
        if type(value) is not int or not LOWEST <= value <= HIGHEST:
            return f"{scale} of melody {answer['item']} is {value!r:.20}, not a whole number from {LOWEST} to {HIGHEST}"
    if answer.get("heard") not in tuple(HEARD) or answer.get("by") not in tuple(MAKERS):
        return f"melody {answer['item']} is said neither to be known or not, nor by whom it is"
    return ""
