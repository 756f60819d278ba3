"""Reading many files: in parallel, shard by shard, so that it can stop and go on, and in bounded memory.

A shard is the work of a moment. Each is written as soon as it is read, by whichever process or machine did it: what is
there is not read again. A file that makes its reader crash (not an error: those end in its report) costs that file.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from melodygru.data.collection import work_of
from melodygru.data.fast_lane import reader
from melodygru.data.shards import FEW, FileReport, Shard, read_shard
from melodygru.formats.midi.extraction import ExtractionConfig
from melodygru.network.config import ContextConfig, TokenizerConfig
from melodygru.system import in_order, usable_cores

SHARD_FILES = 250
"""Files of a shard; fewer where there are scores."""
_WORTH_PROCESSES = 400
"""Below this much work, in MIDI files, starting processes takes longer than it saves."""
_AHEAD = 4
"""Shards that are begun before they are asked for, for each process: bounds the memory."""


@dataclass(frozen=True)
class Reading:
    """How files are read: what every process is told. See `melodygru.data.shards.read_shard`."""

    extraction: ExtractionConfig = ExtractionConfig()
    tokenizer: TokenizerConfig = TokenizerConfig()
    context: ContextConfig | None = None
    fast: bool = True

    def __call__(self, paths: Sequence[str]) -> Shard:
        """A shard of these files."""
        return read_shard(paths, self.extraction, self.tokenizer, self.context, self.fast)


@dataclass(frozen=True)
class _Written:
    """Reads a shard and writes it, in place of sending it from process to process."""

    read: Callable[[Sequence[str]], Shard]
    folder: Path

    def __call__(self, task: tuple[int, Sequence[str]]) -> None:
        number, paths = task
        self.read(paths).save(shard_path(self.folder, number))


@dataclass(frozen=True)
class _Sent:
    """Reads a shard and sends it back."""

    read: Callable[[Sequence[str]], Shard]

    def __call__(self, task: tuple[int, Sequence[str]]) -> Shard:
        return self.read(task[1])


def reading(track: str, tokenizer: TokenizerConfig, context: ContextConfig | None, files: int) -> Reading:
    """How so many files are best read: few ones without the fast lane, which may have to be compiled; without contexts
    where those are made fast when they are needed, since they are thirty times as large as what they tell.
    """
    fast = files >= FEW
    return Reading(ExtractionConfig(track), tokenizer, None if fast and reader() is not None else context, fast)


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
    read: Callable[[Sequence[str]], Shard],
    progress: Callable[[int, int], None] | None = None,
    jobs: int | None = None,
) -> Iterator[Shard]:
    """The shards of these files, in order.

    Args:
        files: all of them.
        read: a `Reading`.
        progress: called with files read and files in all.
        jobs: processes; None for as many as there are cores, when there are many files.
    """
    done = 0
    tasks = list(enumerate(in_shards(files)))
    for (_, paths), shard in zip(tasks, _in_processes(tasks, _Sent(read), jobs), strict=True):
        yield shard
        done += len(paths)
        if progress is not None:
            progress(done, len(files))


def write_shards(
    files: Sequence[str],
    read: Callable[[Sequence[str]], Shard],
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
    for (_, paths), _ in zip(missing, _in_processes(missing, _Written(read, folder), jobs), strict=True):
        done += len(paths)
        if progress is not None:
            progress(done, total)


_Task = tuple[int, Sequence[str]]
_Work = _Written | _Sent


def _in_processes(tasks: Sequence[_Task], work: _Work, jobs: int | None) -> Iterator[Any]:
    """What `work` makes of each task, in order."""
    many = sum(work_of(paths) for _, paths in tasks) >= _WORTH_PROCESSES
    jobs = jobs or (usable_cores() if many else 1)
    if jobs == 1:
        yield from map(work, tasks)
        return
    at = 0
    while at < len(tasks):
        with suppress(BrokenProcessPool):
            for made in in_order(_pool(jobs), work, zip(tasks[at:]), _AHEAD * jobs):
                yield made
                at += 1
        if at < len(tasks) and not _processes_start():
            # As from a script that does its work while it is imported, which processes do that are spawned.
            yield from map(work, tasks[at:])
            return
        if at < len(tasks):
            # A reader has crashed, over this shard or another that was being read: this one is read alone.
            yield _alone(tasks[at], work)
            at += 1


def _processes_start() -> bool:
    try:
        with _pool(1) as pool:
            return pool.submit(os.getpid).result() > 0
    except BrokenProcessPool:
        return False


def _pool(jobs: int) -> ProcessPoolExecutor:
    # Spawned, not forked: the caller may have threads (a progress display), and Windows has no fork.
    return ProcessPoolExecutor(jobs, mp_context=get_context("spawn"), initializer=_leave_to_the_parent)


def _leave_to_the_parent() -> None:
    """Ctrl-C goes to all processes of a terminal: the readers finish their shard, and the parent stops."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _alone(task: _Task, work: _Work) -> Shard | None:
    """A task that may crash its process, which is its own."""
    try:
        with _pool(1) as pool:
            return pool.submit(work, task).result()
    except BrokenProcessPool:
        number, paths = task
        shard = _narrowed(paths, work.read)
        if isinstance(work, _Written):
            shard.save(shard_path(work.folder, number))
        return shard


def _narrowed(paths: Sequence[str], read: Callable[[Sequence[str]], Shard]) -> Shard:
    """A shard of files one or more of which crash their reader: halved until those are alone, which are left out."""
    if len(paths) == 1:
        return replace(read([]), files=[FileReport(paths[0], "makes its reader crash")])
    middle = len(paths) // 2
    return Shard.joined([_half(half, read) for half in (paths[:middle], paths[middle:])])


def _half(paths: Sequence[str], read: Callable[[Sequence[str]], Shard]) -> Shard:
    try:
        with _pool(1) as pool:
            return pool.submit(read, paths).result()
    except BrokenProcessPool:
        return _narrowed(paths, read)
