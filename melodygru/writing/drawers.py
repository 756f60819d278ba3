"""Windows of candidates, drawn by processes of their own."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from melodygru.writing.candidates import Candidate, Order
from melodygru.writing.planner import Plan

if TYPE_CHECKING:
    from melodygru.writing.model import Model


class WindowDrawer:
    """`Model.draw_window` for a process of its own, which plans once for all its windows."""

    def __init__(self, model: Model, order: Order, rated: bool):
        self.model = model
        self.order = order
        self.rated = rated

    @cached_property
    def plan(self) -> Plan:
        """What is worked with; made where it is first needed, since a plan is dearer to send than to make."""
        return self.model.planned(self.order)

    def __call__(self, first: int, many: int) -> list[Candidate]:
        """The candidates numbered [first, first + many)."""
        return self.model.draw_window(self.order, self.plan, first, many, self.rated)
