"""Signs of repetition -> the order in which the bars of a score are played.

Repeats may stand in one another and have endings; after da capo and dal segno they are not taken again, and of endings
the last is played, as players do it. Nothing here knows of notes or files.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import field
from itertools import pairwise

from melodygru.records import dataclass

MOST_PLAYED = 20_000
"""Bars of a score as it is played: an opera has fewer. With more, it is played as it is written."""
_DEEPEST = 4
"""How deep repeats may stand in one another: each level may double what is within."""


@dataclass
class Signs:
    """What stands at the bars of a score, by the bars' numbers from 0.

    Attributes:
        forward: a repeat begins at these bars' beginnings.
        backward: a repeat ends at these bars' ends -> how often it is played.
        endings: an ending begins at these bars -> the numbers of the times that it is for.
        ends: an ending ends with these bars.
        segno: a segno stands at these bars' beginnings -> its name, or "".
        coda: the same of a coda.
        to_coda: who came by a jump leaves after (True) or before (False) these bars for the coda.
        fine: who came by a jump ends after these bars.
        jumps: with these bars' ends it goes on at the beginning (None) or at the segno of that name.
    """

    forward: set[int] = field(default_factory=set)
    backward: dict[int, int] = field(default_factory=dict)
    endings: dict[int, frozenset[int]] = field(default_factory=dict)
    ends: set[int] = field(default_factory=set)
    segno: dict[int, str] = field(default_factory=dict)
    coda: dict[int, str] = field(default_factory=dict)
    to_coda: dict[int, bool] = field(default_factory=dict)
    fine: set[int] = field(default_factory=set)
    jumps: dict[int, str | None] = field(default_factory=dict)


@dataclass
class _Repeat:
    """A body that is played `times`, each time followed by the ending that is for it, if there is one.

    `by_jump`: nothing but a jump in an ending leads back, so that it is played once before the jump, and once after.
    """

    body: list[int | _Repeat]
    times: int
    endings: list[tuple[frozenset[int], list[int | _Repeat]]] = field(default_factory=list)
    by_jump: bool = False


class _NotUnderstood(Exception):
    """The signs make no sense, or too much of it."""


def played_order(signs: Signs, count: int, begins: Collection[int] = ()) -> tuple[tuple[int, ...], bool]:
    """The `count` bars of a score as they are played, and whether the signs could be understood.

    Where they could not, the bars come as they are written. `begins` are the bars that further movements begin with:
    from each one no sign leads to another.
    """
    if not (signs.backward or signs.jumps):
        return tuple(range(count)), True
    bounds = [0, *sorted({bar for bar in begins if 0 < bar < count}), count]
    played: list[int] = []
    try:
        for (begin, end), inside in zip(pairwise(bounds), _between(signs, bounds), strict=True):
            played += _movement(inside, begin, end)
            if len(played) > MOST_PLAYED:
                raise _NotUnderstood
    except _NotUnderstood:
        return tuple(range(count)), False
    return tuple(played), True


def _between(signs: Signs, bounds: Sequence[int]) -> list[Signs]:
    """The signs of each movement, `bounds` being where they begin, and the end."""
    found = [Signs() for _ in bounds[1:]]
    for name, told in vars(signs).items():
        for bar in told:
            inside = getattr(found[min(bisect_right(bounds, bar), len(found)) - 1], name)
            if isinstance(told, set):
                inside.add(bar)
            else:
                inside[bar] = told[bar]
    return found


def _movement(signs: Signs, begin: int, end: int) -> list[int]:
    nodes = _Parser(signs, begin, end).nodes()
    played: list[int] = []
    _play(nodes, played, once=False)
    if not signs.jumps:
        return played
    once: list[int] = []
    _play(nodes, once, once=True)
    return _with_jumps(played, once, signs)


@dataclass
class _Level:
    """Bars between a beginning and what ends it; a repeat without a beginning repeats what came `since`."""

    nodes: list[int | _Repeat] = field(default_factory=list)
    since: int = 0


@dataclass
class _Endings:
    """A repeat whose endings are being read: the `level` that the present one fills, and its last bar."""

    repeat: _Repeat
    level: int
    numbers: frozenset[int]
    last: int
    goes_back: bool = False


class _Parser:
    """Bars -> bars and repeats, one within the other."""

    def __init__(self, signs: Signs, begin: int, end: int) -> None:
        self.signs, self.begin, self.end = signs, begin, end
        self.levels = [_Level()]
        self.endings: list[_Endings] = []

    def nodes(self) -> list[int | _Repeat]:
        """All of the movement."""
        for bar in range(self.begin, self.end):
            if bar in self.signs.endings:
                self._begin_ending(bar)
            if bar in self.signs.forward:
                self._push()
            self.levels[-1].nodes.append(bar)
            own = bool(self.endings) and len(self.levels) - 1 == self.endings[-1].level
            ends = bool(self.endings) and bar == self.endings[-1].last
            if bar in self.signs.backward and not (ends and own):
                self._put(_Repeat(self._body(), self.signs.backward[bar]))
            if ends:
                self._end_ending(bar, self.signs.backward.get(bar, 0) if own else 0)
        while len(self.levels) > 1:
            self._drop()
        return self.levels[0].nodes

    def _push(self) -> None:
        if len(self.levels) > _DEEPEST:
            raise _NotUnderstood
        self.levels.append(_Level())

    def _drop(self) -> None:
        """A beginning that nothing ends is none."""
        inner = self.levels.pop()
        self.levels[-1].nodes.extend(inner.nodes)

    def _body(self) -> list[int | _Repeat]:
        """What a repeat that ends here repeats, taken from its level."""
        if len(self.levels) - 1 > (self.endings[-1].level if self.endings else 0):
            return self.levels.pop().nodes
        level = self.levels[-1]
        body = level.nodes[level.since :]
        del level.nodes[level.since :]
        return body

    def _put(self, repeat: _Repeat) -> None:
        level = self.levels[-1]
        level.nodes.append(repeat)
        level.since = len(level.nodes)

    def _begin_ending(self, bar: int) -> None:
        numbers, last = self.signs.endings[bar], self._last_of_ending(bar)
        group = self.endings[-1] if self.endings and self.endings[-1].last == bar - 1 else None
        if group is None:
            group = _Endings(_Repeat(self._body(), 0), 0, numbers, last)
            self.endings.append(group)
        self._push()
        group.level, group.numbers, group.last = len(self.levels) - 1, numbers, last

    def _last_of_ending(self, begin: int) -> int:
        """Where an ending ends: it is said so, it goes back, or another begins; else with its first bar."""
        for bar in range(begin, self.end):
            if bar > begin and bar in self.signs.forward:
                break
            if bar in self.signs.ends or bar in self.signs.backward or bar + 1 in self.signs.endings:
                return bar
        return begin

    def _end_ending(self, bar: int, again: int) -> None:
        """`again`: how often the repeat is played, by the sign at the ending's end; 0 where there is none."""
        group, another = self.endings[-1], bar + 1 in self.signs.endings
        # What begins in the last ending, and does not end there, goes on after it.
        going_on = [] if another else self.levels[group.level + 1 :]
        del self.levels[len(self.levels) - len(going_on) :]
        while len(self.levels) - 1 > group.level:
            self._drop()
        repeat = group.repeat
        repeat.endings.append((group.numbers, self.levels.pop().nodes))
        repeat.times = max(repeat.times, again)
        group.goes_back |= bool(again)
        repeat.by_jump |= another and bar in self.signs.jumps
        if another:
            return
        self.endings.pop()
        if group.goes_back or repeat.by_jump:
            _number(repeat)
            repeat.by_jump &= not group.goes_back
            self._put(repeat)
        else:  # brackets without a repeat: those of verses
            inside = [node for _, nodes in repeat.endings for node in nodes]
            self.levels[-1].nodes.extend([*repeat.body, *inside])
        self.levels += going_on


def _number(repeat: _Repeat) -> None:
    """Count the times that endings are for without gaps: who writes 1 and 3 means the first time and the second."""
    told = sorted({number for numbers, _ in repeat.endings for number in numbers})
    time = {number: place for place, number in enumerate(told, 1)}
    repeat.endings = [(frozenset(time[one] for one in numbers), inside) for numbers, inside in repeat.endings]
    # Where the only ending goes back, there is none the last time.
    repeat.times = max(repeat.times, len(told) + (len(repeat.endings) == 1))


def _play(nodes: Sequence[int | _Repeat], played: list[int], once: bool) -> None:
    """Append the bars of `nodes`; `once`: with no repeat taken, and the endings of the last time."""
    for node in nodes:
        if isinstance(node, int):
            played.append(node)
            continue
        for time in range(node.times if once else 1, 2 if node.by_jump and not once else node.times + 1):
            _play(node.body, played, once)
            _play(next((inside for numbers, inside in node.endings if time in numbers), ()), played, once)
    if len(played) > MOST_PLAYED:
        raise _NotUnderstood


def _with_jumps(played: Sequence[int], once: Sequence[int], signs: Signs) -> list[int]:
    """The bars with da capo, dal segno, coda and fine; `once`: how they are played after a jump."""
    first, first_after_jump = _firsts(played), _firsts(once)
    coda, to_coda = _codas(signs)
    segnos = sorted(signs.segno)
    named = {name: bar for bar, name in sorted(signs.segno.items(), reverse=True) if name}
    lasts = {bar: at for at, bar in enumerate(played)}
    found: list[int] = []
    left = set(signs.jumps)
    sequence, at, jumped = played, 0, False
    while at < len(sequence):
        bar = sequence[at]
        after = to_coda.get(bar) if jumped and coda is not None else None
        if after is not False:
            found.append(bar)
            if len(found) > MOST_PLAYED:
                raise _NotUnderstood
            if jumped and bar in signs.fine:
                break
        if after is not None:
            assert coda is not None
            sequence, at, jumped = played, first.get(coda, len(played)), False
        elif bar in left and (sequence is once or lasts[bar] == at):
            left.discard(bar)
            target = signs.jumps[bar]
            if target is None:
                at = 0
            elif target in named or bisect_right(segnos, bar):
                begin = named.get(target, segnos[bisect_right(segnos, bar) - 1])
                at = first_after_jump.get(begin, 0)
            else:
                raise _NotUnderstood
            sequence, jumped = once, True
        else:
            at += 1
    return found


def _firsts(sequence: Sequence[int]) -> dict[int, int]:
    """Bars -> where they are played first."""
    return {bar: at for at, bar in reversed(list(enumerate(sequence)))}


def _codas(signs: Signs) -> tuple[int | None, dict[int, bool]]:
    """The bar that the coda begins with, and where one leaves for it: of two coda signs the first says that."""
    codas = sorted(signs.coda)
    if signs.to_coda:
        after = [bar for bar in codas if bar > min(signs.to_coda)]
        return (after[-1] if after else None), signs.to_coda
    if len(codas) > 1:
        return codas[-1], {codas[0]: False}
    return None, {}
