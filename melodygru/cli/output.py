"""Where finished melodies go: a file, numbered files, a folder, or standard output."""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from melodygru import libraries
from melodygru.cli.saying import say
from melodygru.cli.standard_input import in_words
from melodygru.errors import UsageError
from melodygru.system.files import check_target, write_atomically
from melodygru.system.folders import cache_home
from melodygru.version import __version__

if TYPE_CHECKING:
    from melodygru.writing.config import GenerationConfig

SUFFIXES = (".mid", ".midi")
STDOUT = "-"
_MADE_OF_MIDI = {".wav": "render", ".pdf": "score", ".musicxml": "score", ".svg": "score", ".png": "show"}
"""Endings of what other commands make of a MIDI file, with those."""


def check_out(out: str, count: int, force: bool, json: bool = False, show: bool = False) -> None:
    """Find everything that can be wrong with OUT, and with what is told of it, before any work is done.

    Raises:
        UsageError: a name that is no MIDI file's; standard output for several files or with JSON; JSON and a drawing.
        FileError: a folder that is not there, or a file that is.
    """
    check_told(json, show)
    if out == STDOUT:
        check_stdout("MIDI")
        if count > 1:
            raise UsageError(
                f"Standard output takes one melody, and count is {count}; give a folder, or leave out --count."
            )
        if json:
            raise UsageError("Standard output takes the MIDI file or the JSON, not both; give OUT a name.")
        return
    path = Path(out)
    if out.endswith(("/", os.sep)) and not path.exists() and path.parent.is_dir():
        path.mkdir()  # "ideas/" is meant as a folder
    if not os.path.isdir(path):  # which takes any name, as Path.is_dir does not
        if path.suffix.lower() not in SUFFIXES:
            hint = f"a name such as {path.stem or 'out'}.mid, or a folder that exists"
            if path.suffix.lower() in _MADE_OF_MIDI:
                hint += f", and then `melodygru {_MADE_OF_MIDI[path.suffix.lower()]} {path.stem}.mid {out}`"
            raise UsageError(f"{out} does not end in .mid; give the MIDI file {hint}.")
        for target in numbered(path, count):
            check_target(target, force)


def tell_of_libraries() -> None:
    """Say once, of each version, what is slower where the compiled parts were not installed."""
    told = cache_home() / f"told-of-libraries-{__version__}"
    if (slower := libraries.missing()) and not told.exists():
        say(
            f"Note: melodygru was installed without its compiled parts, so {slower} is slower here; docs/install.md "
            "says how to have them.",
            err=True,
        )
        with suppress(OSError):
            told.parent.mkdir(parents=True, exist_ok=True)
            told.touch()


def check_told(json: bool, show: bool) -> None:
    """Raise UsageError for JSON and a drawing at once."""
    if show and json:
        raise UsageError("--show and --json contradict each other; leave one of them out.")


def check_stdout(what: str) -> None:
    """Raise UsageError if standard output is a terminal, which such data would only confuse."""
    if sys.stdout.isatty():
        raise UsageError(f"- would print {what} to the terminal; give OUT a name, or pipe it to a file or a program.")


def unused(out: Path, count: int, parts: Sequence[str] = ()) -> Path:
    """The first of OUT.mid, OUT-2.mid, OUT-3.mid … of which none of `numbered`'s files is there, nor their parts."""
    names = (out.with_name(f"{out.stem}{f'-{again}' * (again > 1)}{out.suffix}") for again in itertools.count(1))

    def is_there(name: Path) -> bool:
        return any(file.exists() for one in numbered(name, count) for file in parted(one, parts))

    return next(name for name in names if not is_there(name))


def parted(out: Path, parts: Sequence[str]) -> list[Path]:
    """OUT-melody.mid, OUT-chords.mid … for such parts; OUT.mid itself for none."""
    return [out.with_name(f"{out.stem}-{part}{out.suffix}") for part in parts] or [out]


def numbered(out: Path, count: int) -> list[Path]:
    """The files that `count` melodies go to: OUT.mid itself for one, else OUT-01.mid, OUT-02.mid …"""
    if count == 1:
        return [out]
    digits = max(2, len(str(count)))
    return [out.with_name(f"{out.stem}-{number:0{digits}}{out.suffix}") for number in range(1, count + 1)]


def targets(out: str, names: Sequence[str], force: bool) -> list[Path | None]:
    """Where each file goes: standard output (None), or a file, `names` being for a folder.

    Raises FileError as `melodygru.system.files.check_target` does, so that over one that exists none is written.
    """
    if out == STDOUT:
        return [None]
    path = Path(out)
    chosen = [path / name for name in names] if os.path.isdir(path) else numbered(path, max(len(names), 1))
    for target in chosen:
        check_target(target, force)
    return list(chosen)


def write(target: Path | None, data: bytes, force: bool) -> None:
    """Write a file whole, or to standard output. Raises FileError as `melodygru.system.files.write_atomically` does."""
    if target is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        write_atomically(target, data, force=force)


def write_one(out: str, data: bytes, force: bool) -> Path | None:
    """Write one file, never over one that exists; where it went, None for standard output."""
    target = targets(out, [], force)[0]
    write(target, data, force)
    return target


def tell(out: str | None, text: str) -> None:
    """Print what was done; to standard error where standard output holds a file."""
    say(in_words(text), err=out == STDOUT)


def in_style(config: GenerationConfig) -> str:
    """The style, if there is one, as a part of the line that tells what was written."""
    return "" if config.style is None else f"style {config.style}, "


def spelled(values: Mapping[str, Any]) -> str:
    """Options as they would be typed."""
    from shlex import quote

    words: list[str] = []
    for name, value in values.items():
        option = name.replace("_", "-")
        if isinstance(value, bool):
            words.append(f"--{option}" if value else f"--no-{option}")
        else:
            words += [f"--{option}", quote(f"{value:g}" if isinstance(value, float) else str(value))]
    return " ".join(words)


def counted(number: int, noun: str) -> str:
    """So many of something: "1 tune", "1,200 tunes"."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def facts(melody: Any) -> dict[str, Any]:
    """What a program wants to know of a melody."""
    return {
        "bars": melody.bars,
        "meter": str(melody.time_signature),
        "key": str(melody.key),
        "bpm": melody.qpm,
        "notes": len(melody.notes),
    }


def print_json(values: Any) -> None:
    """JSON on standard output: in ASCII where that does not take all that it says as it is."""
    text = dumps(values, indent=1, ensure_ascii=False)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        text = dumps(values, indent=1)
    say(text)


def rating(found: Any) -> dict[str, Any] | None:
    """A candidate's rating and its parts."""
    return None if found is None else {"total": found.total, **asdict(found)}
