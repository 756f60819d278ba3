"""Very many melodies by several processes: windows of candidates, each drawn side by side, in order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING

from melodygru.processes import in_order

if TYPE_CHECKING:
    from melodygru.composition import Candidate, Order
    from melodygru.generator import Model

_AHEAD = 2
"""Windows that are begun before they are asked for, for each process: bounds the memory."""


def drawn_by_processes(
    model: Model, order: Order, windows: Sequence[tuple[int, int]], judge: bool, jobs: int
) -> Iterator[list[Candidate]]:
    """`Model.draw_window` of each window: (number of the first candidate, how many)."""
    context = get_context("spawn")
    pool = ProcessPoolExecutor(min(jobs, len(windows)), context, initializer=_begin, initargs=(model, order, judge))
    yield from in_order(pool, _draw, windows, _AHEAD * jobs)


_TOLD: list[tuple[Model, Order, bool]] = []
"""What this process was told to draw."""


def _begin(model: Model, order: Order, judge: bool) -> None:
    _TOLD[:] = [(model, order, judge)]


def _draw(first: int, many: int) -> list[Candidate]:
    model, order, judge = _TOLD[0]
    return model.draw_window(order, None, first, many, judge)
