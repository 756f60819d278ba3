"""A campaign: processes that read for so long, what they found, made small, kept and told."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random

from fuzzing.kinds import KINDS, Kind
from fuzzing.minimising import minimised
from fuzzing.worker import LARGEST, Finding, Progress, Shared, examined, limit_memory, work

_TELL_EACH = 10.0
"""Seconds between lines of progress."""
_WAITS = 300.0
"""Seconds by the clock without a new reading, after which a process is taken to wait for what never comes."""
_MINIMISE = 25.0
"""Seconds that are spent on making one file smaller."""


@dataclass
class Result:
    """Of one kind: readings, seconds, files kept, and what was found, with its smallest file, by its key."""

    readings: int = 0
    seconds: float = 0.0
    corpus: int = 0
    found: dict[tuple[str, str], tuple[Finding, bytes]] = field(default_factory=dict)
    times: dict[tuple[str, str], int] = field(default_factory=dict)


class Campaign:
    """One kind of file, read for so many seconds, or so many times.

    What is drawn follows from the seed; how far it gets in a time does not, nor what is too slow on this machine.
    """

    def __init__(self, name: str, seed: int, corpus: Sequence[bytes] = (), folder: Path | None = None):
        self.name, self.kind, self.folder = name, KINDS[name], folder
        self.progress = Progress(seed)
        self.result = Result()
        self._first = [data[:LARGEST] for data in corpus]
        self._shared = Shared()
        self._began = self._told = 0.0

    def run(self, seconds: float, readings: int | None = None) -> Result:
        """Read; Ctrl-C ends it as the time does."""
        self._began = self._told = time.monotonic()
        self._begin()
        most = readings or 1 << 62
        with tempfile.TemporaryDirectory(prefix="fuzz-", dir=_memory_folder()) as scratch:
            try:
                while time.monotonic() - self._began < seconds and self.progress.number < most:
                    self._life(Path(scratch), self._began + seconds, most)
            finally:
                self.result.seconds = time.monotonic() - self._began
                self.result.readings = min(self.progress.number, most)
                self.result.corpus = len(self.progress.corpus)
        return self.result

    def _begin(self) -> None:
        """What the processes begin with; a reading here imports for all of them what readers import."""
        random = Random(f"{self.progress.seed} {self.name}")
        self.progress.corpus = [self.kind.seed(random) for _ in range(8)] + self._first
        with tempfile.TemporaryDirectory() as scratch:
            for data in self.progress.corpus[:4]:
                examined(self.kind, data, Path(scratch), slower=100)

    def _life(self, scratch: Path, end: float, most: int) -> None:
        """One process, from its start to its end, and what it says."""
        ours, theirs = Pipe(duplex=False)
        self._shared.put(self.progress.number, b"")
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            ours.close()
            work(self.kind, self.name, self.progress, self._shared, theirs, scratch)
        theirs.close()
        try:
            status = self._watched(child, ours, end, most)
        except BaseException:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            self.progress.number = max(self.progress.number, self._shared.get()[0])
            raise
        self._listen(ours)
        number, data = self._shared.get()
        if status:
            self._found(data, _died(status))
        # A life that ran its course has put the next one's number there.
        self.progress.number = number + 1 if data else number

    def _watched(self, child: int, ours: Connection, end: float, most: int) -> int:
        """How the process has ended, as `os.waitpid` tells it; 0 where it was to end."""
        moved, last = time.monotonic(), -1
        while True:
            self._listen(ours)
            now, number = time.monotonic(), self._shared.get()[0]
            if number != last:
                moved, last = now, number
            if now - self._told >= _TELL_EACH:
                self._told = now
                self._tell(number)
            if now > end or number >= most or now - moved > _WAITS:
                os.kill(child, signal.SIGKILL)
                status = os.waitpid(child, 0)[1]
                return status if now - moved > _WAITS else 0
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return status

    def _listen(self, ours: Connection) -> None:
        """Take in what the process says, for a moment at most if it says nothing."""
        try:
            while ours.poll(0.05):
                what, number, data, said = ours.recv()
                self.progress.number = max(self.progress.number, number)
                if what == "grown":
                    self.progress.corpus.append(data)
                    self.progress.seen |= said
                elif what == "failed":
                    raise RuntimeError(f"The fuzzer itself failed at reading {number}:\n{said}")
                else:
                    self._found(data, said)
        except (EOFError, OSError):
            return

    def _found(self, data: bytes, finding: Finding) -> None:
        """Keep it, once for each key, after a look at it by a process of its own."""
        times = self.result.times
        times[finding.key] = times.get(finding.key, 0) + 1
        if finding.key in self.result.found or times[finding.key] > 3:
            return
        again = in_own_process(self.kind, data)
        if again is None or again.oracle != finding.oracle:
            if finding.oracle in ("time", "memory"):
                return  # it was traced
            finding = finding._replace(message=f"{finding.message} (not seen again)")
        else:
            data = smaller(self.kind, data, again.key)
            finding = in_own_process(self.kind, data) or again
        self.result.found[finding.key] = (finding, data)
        print(f"{self.name}: FOUND {finding.oracle}: {finding.message[:200]}", flush=True)
        if self.folder is not None:
            self._keep(finding, data)

    def _keep(self, finding: Finding, data: bytes) -> None:
        assert self.folder is not None
        self.folder.mkdir(parents=True, exist_ok=True)
        stem = f"{self.name}-{finding.oracle}-{zlib.crc32(repr(finding.key).encode()):08x}"
        (self.folder / f"{stem}{self.kind.suffix}").write_bytes(data)
        text = f"reader: {self.name}\noracle: {finding.oracle}\nplace: {finding.place}\nmessage: {finding.message}\n"
        (self.folder / f"{stem}.txt").write_text(text, "utf-8", "backslashreplace")

    def _tell(self, number: int) -> None:
        speed = number / max(self._told - self._began, 0.1)
        found, corpus = len(self.result.found), len(self.progress.corpus)
        text = f"{self.name}: {number:,} readings, {speed:.0f} a second, {corpus} files kept, {found} found"
        print(text, flush=True)


def smaller(kind: Kind, data: bytes, key: tuple[str, str]) -> bytes:
    """The smallest file found in some time that shows the same fault."""
    if key[0] in ("time", "memory", "hang", "death"):  # a process does not outlive it
        return minimised(data, lambda tried: _key(in_own_process(kind, tried)) == key, _MINIMISE)
    made = _forked(lambda folder: minimised(data, lambda tried: _key(examined(kind, tried, folder)) == key, _MINIMISE))
    return made if isinstance(made, bytes) else data


def _key(found: object) -> tuple[str, str] | None:
    return found.key if isinstance(found, Finding) else None


def in_own_process(kind: Kind, data: bytes) -> Finding | None:
    """What is wrong with one file, read by a process that has nothing else behind it."""
    found = _forked(lambda folder: examined(kind, data, folder))
    return found if isinstance(found, Finding) else None


def _forked(work: Callable[[Path], object]) -> object:
    """What the work gives in a process with limits, or the finding that the process has died of it."""
    ours, theirs = Pipe(duplex=False)
    child = os.fork()
    if child == 0:
        try:
            ours.close()
            os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
            limit_memory()
            with tempfile.TemporaryDirectory(prefix="fuzz-", dir=_memory_folder()) as scratch:
                theirs.send(work(Path(scratch)))
        finally:
            os._exit(0)
    theirs.close()
    told: object = None
    try:
        if ours.poll(_WAITS):
            told = ours.recv()
        else:
            os.kill(child, signal.SIGKILL)
    except EOFError:
        pass
    status = os.waitpid(child, 0)[1]
    return _died(status) if status else told


def _died(status: int) -> Finding:
    """What to say of a process that ended so, as `os.waitpid` tells it."""
    code = -os.waitstatus_to_exitcode(status)
    if code == signal.SIGXCPU:
        return Finding("hang", "compiled code that never comes back", "")
    if code == signal.SIGKILL:
        return Finding("hang", f"no end, and no work, for {_WAITS:g} s", "")
    return Finding("death", f"the process was ended by signal {code}" if code > 0 else f"exit code {-code}", "")


def _memory_folder() -> str | None:
    """Where scratch files cost no disk, if there is such a place."""
    return "/dev/shm" if sys.platform == "linux" and os.access("/dev/shm", os.W_OK) else None
