"""The order in which the bars of a **kern piece are played: its expansion list, else its repeat signs.

An expansion list, `*>[A,A,B]`, names sections that begin at their labels, `*>A`, each up to the next label; of several
lists the one without a name is the default. Without one, what stands between the signs is played twice, but for first
endings: sections whose labels end in a number (`*>A1`, `*>2nd`).

Strophes and repetitions in Humdrum: https://www.humdrum.org/guide/ch20/.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

MOST_PLAYED = 1_000_000
"""Notes and bars of a piece as it is played; a symphony has a twentieth of that."""
_MOST_LABELS = 10_000
"""Sections named in expansion lists."""


@dataclass
class Signs:
    """What is written about the order of play.

    Attributes:
        begins, ends: the bars before which a repeat begins, and those after which one ends.
        labels: sections, with the bar each begins at, in order.
        lists: the sections in the order of play, by the list's name.
    """

    begins: set[int] = field(default_factory=set)
    ends: set[int] = field(default_factory=set)
    labels: list[tuple[str, int]] = field(default_factory=list)
    lists: dict[str, list[str]] = field(default_factory=dict)

    def label(self, text: str, bar: int) -> None:
        """A label or list, without its "*>", that stands before a bar."""
        found = re.fullmatch(r"([^\[\]]*)\[([^\[\]]*)\]", text)
        if found is None:
            self.labels.append((text, bar))
        else:
            self.lists.setdefault(found[1], [label.strip() for label in found[2].split(",")])


def played_order(signs: Signs, weights: Sequence[int]) -> tuple[tuple[int, ...], bool]:
    """The bars as they are played, and whether their repeats could be understood.

    `weights`: (B,) for each bar as it is written, 1 and the number of its notes.
    """
    if "" in signs.lists:
        order = _expanded(signs, len(weights))
    else:
        order = _repeated(signs, len(weights))
    if order is None or sum(weights[bar] for bar in order) > max(MOST_PLAYED, sum(weights)):
        return tuple(range(len(weights))), False
    return tuple(order), True


def _expanded(signs: Signs, count: int) -> list[int] | None:
    """The bars as the default list has them, after those before the first label; None where it names no section."""
    wanted = signs.lists[""]
    begins = [bar for _, bar in signs.labels]
    sections = {
        label: range(begin, end) for (label, begin), end in zip(signs.labels, [*begins[1:], count], strict=True)
    }
    if not sections or len(sections) < len(begins) or len(wanted) > _MOST_LABELS or not set(wanted) <= set(sections):
        return None
    order = list(range(begins[0]))
    for label in wanted:
        order += sections[label]
        if len(order) > MOST_PLAYED:
            return None
    return order


def _repeated(signs: Signs, count: int) -> list[int]:
    """The bars as the signs have them."""
    endings = {bar: int(found[1]) for label, bar in signs.labels if (found := _ENDING.search(label))}
    order: list[int] = []
    start, fork = 0, None  # where what is repeated begins, and its first ending
    for bar in range(count):
        if bar in signs.begins:
            start, fork = bar, None
        if endings.get(bar) == 1:
            fork = bar
        order.append(bar)
        if bar in signs.ends:
            order += range(start, bar + 1 if fork is None else fork)
            if endings.get(bar + 1, 0) < 2:
                start, fork = bar + 1, None
    return order


_ENDING = re.compile(r"([1-9])(?:st|nd|rd|th)?$")
