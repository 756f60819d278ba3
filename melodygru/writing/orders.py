"""Many orders at once: what several ask for is drawn side by side, by several processes.

Each order's melodies are those that `melodygru.writing.model.Model.compose` writes for it, so they depend neither on
the other orders nor on the number of processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from melodygru.errors import SamplingError
from melodygru.network.critic import CANDIDATES
from melodygru.system.processes import by_processes
from melodygru.writing.candidates import Candidate, Generated, Order
from melodygru.writing.drawing import COUNT, SEED
from melodygru.writing.lots import Lot
from melodygru.writing.model import WINDOW, Model
from melodygru.writing.planner import Plan
from melodygru.writing.sampler import sample_lots
from melodygru.writing.selection import Selection
from melodygru.writing.values import DEFAULT_BARS

_PLANNED_STEPS = 100_000
"""Steps of all plans at hand at once, each of which takes a kilobyte or two: bounds the memory."""


class Part(NamedTuple):
    """The candidates numbered [first, first + many) of the order at this place."""

    place: int
    first: int
    many: int


def compose_all(
    model: Model,
    orders: Sequence[tuple[Order, int]],
    jobs: int = 1,
    progress: Callable[[float, int], None] | None = None,
) -> list[list[Generated] | None]:
    """What `model.compose` writes for each order, so many of it; None where that raises SamplingError.

    Args:
        orders: all with the same `config.sampling`. Of about the same length side by side they are drawn fastest.
        jobs: processes.
        progress: told how many candidates are drawn, and of how many; of those under way, parts count.

    Raises:
        UsageError: a value out of range, or wishes of an order that contradict each other.
    """
    for order, count in orders:
        COUNT.check(count)
        SEED.check(order.seed)
    needed = [model.candidates_for(order.config, count) for order, count in orders]
    chosen = [_Chosen(model.selection(order.config, count)) for order, count in orders]
    drawer = PartDrawer(model, [(order, own.selection.rated) for (order, _), own in zip(orders, chosen, strict=True)])
    windows = list(_windows([order for order, _ in orders], needed))
    tell = progress or (lambda done, total: None)
    done, total = 0, sum(needed)
    tell(0, total)
    found: list[list[Generated] | None] = [None] * len(orders)
    drawn = _drawn(drawer, windows, jobs, lambda more: tell(done + more, total))
    for window, parts in zip(windows, drawn, strict=True):
        for (place, first, many), candidates in zip(window, parts, strict=True):
            chosen[place].take(candidates)
            done += many
            if first + many == needed[place]:
                found[place] = chosen[place].all(model, *orders[place])
        tell(done, total)
    return found


def _windows(orders: Sequence[Order], needed: Sequence[int]) -> Iterator[list[Part]]:
    """The candidates that are drawn at once, in order, each order's as many as it needs."""
    window: list[Part] = []
    room, steps = WINDOW, 0
    for place, order in enumerate(orders):
        length = order.config.time_signature.bar_steps * (order.config.bars or DEFAULT_BARS)
        first = 0
        while first < needed[place]:
            many = min(needed[place] - first, room)
            if first + many < needed[place]:
                many -= many % CANDIDATES  # those that one is chosen from come together
            if not many or (window and steps + length > _PLANNED_STEPS):
                yield window
                window, room, steps = [], WINDOW, 0
                continue
            window.append(Part(place, first, many))
            first, room, steps = first + many, room - many, steps + length
    if window:
        yield window


def _drawn(
    drawer: PartDrawer, windows: Sequence[list[Part]], jobs: int, progress: Callable[[float], None]
) -> Iterator[list[list[Candidate] | None]]:
    """What is drawn of each window, in order."""
    if jobs > 1 and len(windows) > 1:
        yield from by_processes(drawer, [(window,) for window in windows], jobs)
    else:
        for window in windows:
            yield drawer(window, progress)


class PartDrawer:
    """Draws candidates of orders, in whatever process; each order with whether its candidates are to be rated."""

    def __init__(self, model: Model, orders: Sequence[tuple[Order, bool]]):
        self.model, self.orders = model, orders
        self._plans: dict[int, Plan] = {}

    def __call__(
        self, window: Sequence[Part], progress: Callable[[float], None] | None = None
    ) -> list[list[Candidate] | None]:
        """The candidates of each part; None where none were found that keep to everything."""
        # An order that goes on from the window before is not planned again.
        self._plans = {
            part.place: self._plans.get(part.place) or self.model.planned(self.orders[part.place][0]) for part in window
        }
        lots = []
        for place, first, many in window:
            made = self._plans[place]
            lots.append(Lot(made.meta, made.ahead, made.script, self.orders[place][0].seed, first, many))
        sampling = self.orders[window[0].place][0].config.sampling
        drawn = sample_lots(self.model.engine, lots, sampling, progress)
        return [
            None
            if melodies is None
            else self.model.candidates(
                self.orders[place][0], self._plans[place], first, melodies, self.orders[place][1]
            )
            for (place, first, _), melodies in zip(window, drawn, strict=True)
        ]


class _Chosen:
    """What is chosen of one order's candidates as they come, so that not all of them are held."""

    def __init__(self, selection: Selection):
        self.selection = selection
        self._given: list[Generated] = []
        self._lost = False

    def take(self, candidates: list[Candidate] | None) -> None:
        """Choose among the next candidates in order; None where they could not be drawn."""
        if candidates is None:
            self._lost = True
        else:
            self._given += self.selection.choose(candidates)

    def all(self, model: Model, order: Order, count: int) -> list[Generated] | None:
        """What is given, once all has come."""
        if self._lost:
            return None
        if self.selection.found >= count:
            given = [*self._given, *self.selection.fill(count)]
            self._given, self.selection.kept = [], []  # those that were not chosen need no memory any more
            return given
        try:  # too many were alike, so more are to be drawn: what was drawn is quickly drawn again
            return list(model.compose_each(order, count))
        except SamplingError:
            return None
