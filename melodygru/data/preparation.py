"""Reading many files: in parallel, shard by shard, so that it can stop and go on, and in bounded memory.

A shard is the work of a moment. Each is written as soon as it is read, by whichever process or machine did it: what is
there is not read again. A file that makes its reader crash (not an error: those end in its report) costs that file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from melodygru.data.budget import Budget
from melodygru.data.collection import work_of
from melodygru.data.fast_lane import reader
from melodygru.data.shards import FEW, FileReport, Shard, read_shard
from melodygru.data.workers import do
from melodygru.formats.midi.extraction import ExtractionConfig
from melodygru.network.config import ContextConfig, TokenizerConfig
from melodygru.records import dataclass

SHARD_FILES = 250
"""Files of a shard; fewer where there are scores."""
_WORTH_PROCESSES = 400
"""Below this much work, in MIDI files, starting processes takes longer than it saves."""


@dataclass(frozen=True)
class Reading:
    """How files are read: what every process is told. See `melodygru.data.shards.read_shard`."""

    extraction: ExtractionConfig = ExtractionConfig()
    tokenizer: TokenizerConfig = TokenizerConfig()
    context: ContextConfig | None = None
    fast: bool = True
    budget: Budget = Budget()

    def __call__(self, paths: Sequence[str]) -> Shard:
        """A shard of these files."""
        return read_shard(paths, self.extraction, self.tokenizer, self.context, self.fast)


@dataclass(frozen=True)
class _Sharding:
    """Reads shards, and sends them back, or writes them into a folder, in place of sending them from process to
    process; as `melodygru.data.workers` want it.
    """

    reading: Reading
    folder: Path | None = None

    @property
    def budget(self) -> Budget:
        return self.reading.budget

    def read(self, paths: Sequence[str]) -> Shard:
        return self.reading(paths)

    def lost(self, path: str, reason: str) -> Shard:
        return replace(self.reading([]), files=[FileReport(path, reason)])

    def joined(self, parts: Sequence[Shard]) -> Shard:
        return Shard.joined(parts)

    def finish(self, number: int, whole: Shard) -> Shard | None:
        if self.folder is None:
            return whole
        whole.save(shard_path(self.folder, number))
        return None


def reading(
    extraction: ExtractionConfig, tokenizer: TokenizerConfig, context: ContextConfig | None, files: int
) -> Reading:
    """How so many files are best read: few ones without the fast lane and its processes; without contexts where
    those are made fast when they are needed, since they are thirty times as large as what they tell.
    """
    fast = files >= FEW
    return Reading(extraction, tokenizer, None if fast and reader() is not None else context, fast)


def in_shards(files: Sequence[str]) -> list[Sequence[str]]:
    """The files of each shard, at least one: as much work as `SHARD_FILES` MIDI files, in short."""
    if work_of(files) == len(files):
        return [files[i : i + SHARD_FILES] for i in range(0, max(len(files), 1), SHARD_FILES)]
    begins, work = [0], 0
    for number, name in enumerate(files):
        work += work_of([name])
        if work > SHARD_FILES:
            begins.append(number)
            work = work_of([name])
    return [files[begin:end] for begin, end in pairwise([*begins, len(files)])]


def shard_path(folder: Path, number: int) -> Path:
    """Where the shard of that number lies."""
    return folder / f"shard-{number:06d}.npz"


def read_shards(
    files: Sequence[str],
    read: Reading,
    progress: Callable[[int, int], None] | None = None,
    jobs: int | None = None,
) -> Iterator[Shard]:
    """The shards of these files, in order.

    Args:
        files: all of them.
        read: how.
        progress: called with files read and files in all.
        jobs: processes; None for as many as there are cores, when there are many files.
    """
    done = 0
    tasks = list(enumerate(in_shards(files)))
    for (_, paths), shard in zip(tasks, _done(tasks, _Sharding(read), jobs), strict=True):
        yield shard
        done += len(paths)
        if progress is not None:
            progress(done, len(files))


def write_shards(
    files: Sequence[str],
    read: Reading,
    folder: Path,
    progress: Callable[[int, int], None] | None = None,
    jobs: int | None = None,
    part: tuple[int, int] = (0, 1),
) -> None:
    """Write the shards that are not there yet into a folder, made if need be.

    `part` (i, n) leaves all but every n-th, from the i-th on, to others; the rest is as in `read_shards`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mine = list(enumerate(in_shards(files)))[part[0] :: part[1]]
    missing = [task for task in mine if not shard_path(folder, task[0]).exists()]
    total = sum(len(paths) for _, paths in mine)
    done = total - sum(len(paths) for _, paths in missing)
    for (_, paths), _ in zip(missing, _done(missing, _Sharding(read, folder), jobs), strict=True):
        done += len(paths)
        if progress is not None:
            progress(done, total)


def _done(tasks: Sequence[tuple[int, Sequence[str]]], work: _Sharding, jobs: int | None) -> Iterator[Any]:
    """What comes of each task, in order. Compiled code cannot be interrupted, so it runs in other processes only."""
    many = work.reading.fast or sum(work_of(paths) for _, paths in tasks) >= _WORTH_PROCESSES
    return do(work, tasks, jobs, many)
