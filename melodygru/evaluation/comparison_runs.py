"""The runs of a comparison: each in a process of its own, so that its peak memory can be read.

What is finished is written at once, so that a comparison that was stopped goes on where it was. The processes end with
the one that wants them, and their files with them.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from melodygru.data.cache import load_dataset
from melodygru.errors import FileError, TrainingError
from melodygru.evaluation.comparison import Outcome, Plan, run
from melodygru.network.config import TokenizerConfig
from melodygru.system.files import write_atomically
from melodygru.system.signals import deaf
from melodygru.training.progress import Listener

Progress = Callable[[str, float, int], None]
"""Told what is being done, how much of it is done, and how much there is."""
_TOLD_SECONDS = 0.5
"""Between what a run tells of itself, at least."""


def run_all(plans: Sequence[Plan], results: Path, jobs: int = 1, progress: Progress | None = None) -> Iterator[Outcome]:
    """Run what is not yet in the file `results` (a line of JSON a run), `jobs` at a time; all outcomes, as they come.

    Raises FileError when the file cannot be read or written, and what a run raises.
    """
    tell = progress or (lambda what, done, total: None)
    known = _read(results)
    for plan in plans:
        if plan.name in known:
            yield known[plan.name]
    left = [plan for plan in plans if plan.name not in known]
    if not left:
        return
    # Read here once, so that the processes find the cache.
    for folder in {plan.data for plan in left} | {plan.val_data for plan in left if plan.val_data}:
        tokenizer, context = TokenizerConfig(left[0].model.max_duration), left[0].model.context
        load_dataset(folder, tokenizer, context, progress=partial(tell, "reading files"))
    for plan, outcome in _by_processes(left, jobs, lambda done: tell("training: runs", done, len(left))):
        known[plan.name] = outcome
        _write(results, known)
        yield outcome


def _by_processes(
    plans: Sequence[Plan], jobs: int, progress: Callable[[float], None]
) -> Iterator[tuple[Plan, Outcome]]:
    """Each plan with its outcome, as they come; `progress` is told how many are made, of those under way parts."""
    waiting, finished = list(plans), 0
    running: dict[Connection, _Process] = {}
    with tempfile.TemporaryDirectory() as folder:
        try:
            while waiting or running:
                while waiting and len(running) < jobs:
                    made = _Process(waiting.pop(0), Path(folder) / f"{len(waiting)}")
                    running[made.connection] = made
                progress(finished + sum(process.share for process in running.values()))
                for connection in wait(list(running)):
                    process = running[connection]  # type: ignore[index]
                    if (outcome := process.hear()) is not None:
                        running.pop(process.connection).end()
                        finished += 1
                        yield process.plan, outcome
        finally:
            for process in running.values():
                process.end()


class _Process:
    """A process that makes one run, in a folder that is there for it alone.

    Attributes:
        share: how much of the run is done, in [0, 1).
    """

    def __init__(self, plan: Plan, folder: Path):
        self.plan, self.share = plan, 0.0
        context = get_context("spawn")
        self.connection, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=_serve, args=(theirs, plan, folder), daemon=True)
        with deaf():
            self._process.start()
        theirs.close()

    def hear(self) -> Outcome | None:
        """Take in what it says, which must be there; the outcome, if that is it. Raises what the run raised."""
        try:
            said: Any = self.connection.recv()
        except (EOFError, OSError) as error:
            raise TrainingError(
                f"The run of {self.plan.model.cell} with seed {self.plan.train.seed} was ended from outside; if memory "
                "was short, lower --jobs or --hidden."
            ) from error
        if isinstance(said, Outcome):
            return said
        if isinstance(said, Exception):
            raise said
        self.share = said
        return None

    def end(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.join()
        self.connection.close()


class _Telling(Listener):
    """Says through a pipe how much of a run is done."""

    def __init__(self, connection: Connection):
        self._connection, self._last = connection, 0.0

    def stepped(self, epoch: int, share: float, nats: float, events_per_second: float, seconds_left: float) -> None:
        """A step is done, `share` of the whole run."""
        if time.monotonic() - self._last > _TOLD_SECONDS:
            self._last = time.monotonic()
            self._connection.send(min(share, 0.99))  # measuring comes after


def _serve(connection: Connection, plan: Plan, folder: Path) -> None:
    """What the process does."""
    try:
        said: Any = run(plan, folder, _Telling(connection))
    except Exception as error:
        said = error
    with suppress(OSError):  # nobody waits for it any more
        connection.send(said)


def _read(results: Path) -> dict[str, Outcome]:
    if not results.exists():
        return {}
    try:
        found = {}
        for line in results.read_text("utf-8").splitlines():
            row = json.loads(line)
            name = row.pop("plan")
            found[name] = Outcome(
                **{**row, "reach": tuple(row["reach"]), "reach_untrained": tuple(row["reach_untrained"])}
            )
        return found
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FileError(
            f"{results} holds no runs of a comparison ({error}); remove it, or choose another --out."
        ) from error


def _write(results: Path, known: Mapping[str, Outcome]) -> None:
    lines = [json.dumps({"plan": name, **asdict(outcome)}) for name, outcome in known.items()]
    write_atomically(results, ("\n".join(lines) + "\n").encode(), force=True)
