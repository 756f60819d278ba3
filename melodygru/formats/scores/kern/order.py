"""The sections of a **kern piece -> the order in which its bars are played.

An expansion list, `*>[A,A,B]`, names sections that begin at their labels, `*>A`, each up to the next label; of several
lists the one without a name is the default. Without one, the repeat signs hold; of what they repeat, sections whose
labels are numbered (`*>A1` up to its repeat sign, then `*>A2`; `*>1st`, `*>2nd`) are endings.

Repetitions in **kern: https://www.humdrum.org/rep/kern/, 4.2.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import field

from melodygru.formats.scores import order
from melodygru.formats.scores.order import Signs
from melodygru.records import dataclass

MOST_PLAYED = 1_000_000
"""Notes of a piece as it is played, all parts together; a symphony has a tenth of that."""
_LIST = re.compile(r"([^\[\]]*)\[([^\[\]]*)\]")
_ENDING = re.compile(r"(?<!\d)([1-9])(?:st|nd|rd|th)?$")


@dataclass
class Sections:
    """What is written about sections.

    Attributes:
        labels: sections, with the bar each begins at, in order.
        lists: the sections in the order of play, by the list's name.
    """

    labels: list[tuple[str, int]] = field(default_factory=list)
    lists: dict[str, list[str]] = field(default_factory=dict)

    def note(self, text: str, bar: int) -> None:
        """Write down a label or list, given without its "*>", that stands before a bar."""
        found = _LIST.fullmatch(text)
        if found is None:
            self.labels.append((text, bar))
        else:
            self.lists.setdefault(found[1], [label.strip() for label in found[2].split(",")])


def played_order(sections: Sections, signs: Signs, notes: Sequence[int]) -> tuple[tuple[int, ...], bool]:
    """The bars as they are played, and whether their repeats could be understood; `notes`: (B,) how many each has."""
    count = len(notes)
    if "" in sections.lists:
        played = _expanded(sections, count)
    else:
        signs.endings.update(_endings(sections, signs, count))
        played = order.played_order(signs, count)
    if sum(notes[bar] for bar in played[0]) > max(MOST_PLAYED, sum(notes)):
        return tuple(range(count)), False
    return played


def _expanded(sections: Sections, count: int) -> tuple[tuple[int, ...], bool]:
    """The bars as the default list has them, after those before the first label."""
    begins = [bar for _, bar in sections.labels]
    ranges = {
        label: range(begin, end) for (label, begin), end in zip(sections.labels, [*begins[1:], count], strict=False)
    }
    played = list(range(begins[0] if begins else count))
    for label in sections.lists[""]:
        played += ranges.get(label, ())
        if len(played) > order.MOST_PLAYED:
            break
    told = set(sections.lists[""]) <= set(ranges) and len(ranges) == len(begins)
    if not told or not played or len(played) > order.MOST_PLAYED:
        return tuple(range(count)), False
    return tuple(played), True


def _endings(sections: Sections, signs: Signs, count: int) -> dict[int, frozenset[int]]:
    """The sections that are endings, by the bars they begin at."""
    begins = [bar for _, bar in sections.labels]
    found: dict[int, frozenset[int]] = {}
    due = 0  # the number of the ending that may come next
    for (label, begin), end in zip(sections.labels, [*begins[1:], count], strict=False):
        number = int(told[1]) if (told := _ENDING.search(label)) else 0
        first = number == 1 and end - 1 in signs.backward and begin and begin not in signs.forward
        if first or number == due > 1:
            found[begin] = frozenset((number,))
            due = number + 1
        else:
            due = 0
    return found
