"""A run as bars of tqdm: what notebooks show, each file read and each step of the run."""

from __future__ import annotations

import sys
from typing import Any

from melodygru.training.progress import Listener, Run


class Bars(Listener):
    """Shows a run as a bar while files are read, and one while the model learns, with each epoch's nats per note.

    In a Jupyter notebook, where `melodygru.train` takes it unasked, the bars are widgets; elsewhere lines on standard
    error.
    """

    def __init__(self) -> None:
        self._run: Any = None
        self._other: Any = None
        """What is done beside steps, if something is: its bar vanishes when it is done."""

    def reading(self, done: int, total: int) -> None:
        """See Listener."""
        self.busy("reading files", done, total)

    def busy(self, what: str, done: int = 0, total: int = 0) -> None:
        """See Listener."""
        if self._other is None or self._other.desc != f"{what}: ":
            self._end_other()
            self._other = _bar(what, total, leave=False)
        self._other.update(done - self._other.n)

    def started(self, run: Run) -> None:
        """See Listener."""
        self._end_other()
        self._run = _bar("learning", run.epochs * run.steps_per_epoch, unit="step")

    def stepped(self, epoch: int, share: float, nats: float, events_per_second: float, seconds_left: float) -> None:
        """See Listener."""
        self._end_other()
        self._run.update(round(share * self._run.total) - self._run.n)
        self._run.set_postfix(epoch=epoch, nats=f"{nats:.3f}")
        if share >= 1:
            self._run.close()

    def finished_epoch(self, row: dict[str, float]) -> None:
        """See Listener."""
        self._end_other()
        self._run.write(f"epoch {row['epoch']:.0f}: {row['val_nats']:.3f} nats a note on held-out pieces")

    def _end_other(self) -> None:
        if self._other is not None:
            self._other.close()
        self._other = None


def _bar(what: str, total: int, **options: Any) -> Any:
    from tqdm.auto import tqdm

    return tqdm(total=total or None, desc=what, **options)


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook."""
    return "ipykernel" in sys.modules
