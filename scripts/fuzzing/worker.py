"""A process that makes files and reads them, with limits on time and memory, until it is told to stop or dies.

Before each reading the file lies in memory that the parent shares: what kills this process is not lost with it.
"""

from __future__ import annotations

import io
import os
import resource
import struct
import traceback
import zlib
from contextlib import nullcontext, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from mmap import mmap
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import NamedTuple, NoReturn

from fuzzing.coverage import traced
from fuzzing.kinds import Kind
from fuzzing.verdicts import Broken, TooSlow, template

MEMORY = 256 << 20
"""Bytes that one reading may take beside what the process had."""
LARGEST = 1 << 16
"""Bytes of a file; longer ones are cut."""
_TRACED = 8
"""One in so many readings is traced."""
_THOROUGH = 4
"""One in so many readings is looked at thoroughly."""
_SLOWER = 3
"""How many times as long a traced reading may take."""
_ALIKE = 12
"""Refusals that quote what they refuse would otherwise fill the corpus: there are always new words."""
_A_LIFE = 4000
"""Readings, after which a new process takes over: what libraries and the allocator keep is no reader's fault."""
_HEAD = struct.Struct("<QQ")


class Finding(NamedTuple):
    """What went wrong: the oracle, what it saw, and where; `key` is what tells one fault from another."""

    oracle: str
    message: str
    place: str

    @property
    def key(self) -> tuple[str, str]:
        """The oracle, and the place."""
        return self.oracle, self.place


@dataclass
class Progress:
    """What a campaign knows of one kind, and hands to each new process.

    Attributes:
        seed: of everything that is drawn.
        number: of the next reading.
        corpus: files that reached something new, in their order.
        seen: what was reached: pairs of lines, and outcomes.
    """

    seed: int
    number: int = 0
    corpus: list[bytes] = field(default_factory=list)
    seen: set[int] = field(default_factory=set)


class Shared:
    """The reading that is under way: its number and its file, where parent and child both see them."""

    def __init__(self) -> None:
        self._memory = mmap(-1, _HEAD.size + LARGEST)

    def put(self, number: int, data: bytes) -> None:
        """Called by the child before it reads."""
        self._memory[: _HEAD.size] = _HEAD.pack(number, len(data))
        self._memory[_HEAD.size : _HEAD.size + len(data)] = data

    def get(self) -> tuple[int, bytes]:
        """The number and the file."""
        number, size = _HEAD.unpack(self._memory[: _HEAD.size])
        return number, self._memory[_HEAD.size : _HEAD.size + size]


def examined(kind: Kind, data: bytes, folder: Path, slower: float = 1.0, thorough: bool = True) -> str | Finding:
    """Read one file: what can be told apart of the outcome, or what is wrong."""
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            return kind.examine(data, folder, kind.suffix, kind.seconds * slower, thorough)
    except Broken as error:
        return Finding(error.oracle, error.message, error.place or _place(error.__cause__))
    except TooSlow as error:
        return Finding("time", f"more than {kind.seconds:g} s of processor time, at {_place(error)}", _place(error, 1))
    except MemoryError as error:
        return Finding("memory", f"more than {MEMORY >> 20} MiB, at {_place(error)}", _place(error, 1))
    except Exception as error:  # whatever it is, nobody promised it
        return Finding(
            "error",
            f"{type(error).__name__}: {error!s:.300}, at {_place(error)}",
            f"{type(error).__name__} {_place(error)}",
        )


def _place(error: BaseException | None, depth: int = 3) -> str:
    """Where in the package it was raised: so many of the innermost functions."""
    if error is None:
        return ""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "melodygru/" in frame.filename]
    named = [f"{Path(frame.filename).name}:{frame.name}" for frame in frames[-depth:]]
    return " > ".join(named)


def limit_memory() -> None:
    """Let this process take `MEMORY` more than it has; where the system cannot tell, nothing."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except OSError:
        return
    limit = pages * resource.getpagesize() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def offspring(kind: Kind, progress: Progress, random: Random) -> bytes:
    """The next file: made anew, or a changed one of the corpus, of which later ones are drawn more often."""
    corpus = progress.corpus
    if not corpus or random.random() < 0.05:
        made = kind.seed(random)
        return (made if random.random() < 0.3 else kind.mutate(made, random, made))[:LARGEST]
    late = corpus[-max(1, len(corpus) // 5) :]
    return kind.mutate(random.choice(random.choice((corpus, late))), random, random.choice(corpus))[:LARGEST]


def told_apart(found: str, seen: set[int]) -> set[int]:
    """Numbers of what is new in an outcome; of lines that differ in their words alone only the first `_ALIKE` are."""
    news: set[int] = set()
    for line in found.split("\n"):
        number = _number(line)
        places = (_number(f"{place} {template(line)}") for place in range(_ALIKE))
        free = next((place for place in places if place not in seen), None)
        if number not in seen and free is not None:
            news |= {number, free}
    return news


def _number(text: str) -> int:
    """Not `hash`, which differs from process to process."""
    return zlib.crc32(text.encode("utf-8", "replace"))


def work(kind: Kind, name: str, progress: Progress, shared: Shared, parent: Connection, folder: Path) -> NoReturn:
    """Read until this life is over.

    Sends ("broken", number, data, finding), ("grown", number, data, news), and ("failed", number, data, text) where
    it is this code that fails.
    """
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        limit_memory()
        _live(kind, name, progress, shared, parent, folder)
    except BaseException:
        parent.send(("failed", *shared.get(), traceback.format_exc()))
    finally:
        os._exit(0)


def _live(kind: Kind, name: str, progress: Progress, shared: Shared, parent: Connection, folder: Path) -> None:
    campaign = os.getppid()
    for number in range(progress.number, progress.number + _A_LIFE):
        if os.getppid() != campaign:
            return  # it was killed
        random = Random(f"{progress.seed} {name} {number}")
        data = offspring(kind, progress, random)
        shared.put(number, data)
        looked_at, thorough = number % _TRACED == 0, number % _THOROUGH == 1
        with traced() if looked_at else nullcontext(set[int]()) as edges:
            found = examined(kind, data, folder, _SLOWER if looked_at else 1, thorough)
        if isinstance(found, Finding):
            parent.send(("broken", number, data, found))
            if found.oracle in ("time", "memory"):
                return  # stopped anywhere: what it left behind must not spoil the next reading
            continue
        news = (edges | told_apart(found, progress.seen)) - progress.seen
        if news:
            progress.seen |= news
            progress.corpus.append(data)
            parent.send(("grown", number, data, news))
    shared.put(progress.number + _A_LIFE, b"")
