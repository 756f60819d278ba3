"""The bars of an ABC tune as they are written -> the order in which they are played: repeats, endings, parts.

":|" goes back to the last "|:", double bar or ":|", or to the beginning, as the ABC standard (2.1, sections 3.1.9, 4.8
and 4.9) tells players to; "::|" goes back twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from melodygru.formats.scores.abc.fields import LeftOut
from melodygru.formats.scores.abc.voices import MOST_BARS
from melodygru.formats.scores.abc.written import WrittenBar

Section = list[WrittenBar]


def sections(bars: Sequence[WrittenBar], order: str = "") -> list[Section]:
    """The bars in the order of play, cut wherever two sections meet; `order` names parts, a letter each.

    Parts that are not there are passed over; without any it is the order in which they stand. Raises LeftOut for more
    bars than any tune has.
    """
    begins = [number for number, bar in enumerate(bars) if bar.part]
    parts: dict[str, Sequence[WrittenBar]] = {}
    for begin, end in pairwise((*begins, len(bars))):
        parts.setdefault(bars[begin].part, bars[begin:end])
    if not any(part in parts for part in order):
        return _with_repeats(bars, MOST_BARS)
    before = bars[: begins[0]]
    found, played = (_with_repeats(before, MOST_BARS) if before else []), len(before)
    known: dict[str, list[Section]] = {}
    for part in order:
        if part not in parts:
            continue
        if part not in known:
            known[part] = _with_repeats(parts[part], MOST_BARS)
        found += known[part]
        played += sum(map(len, known[part]))
        if played > MOST_BARS:
            raise LeftOut("more repeats than any tune has")
    return found


def _with_repeats(bars: Sequence[WrittenBar], most: int) -> list[Section]:
    over, times_of, goes_on = _endings(bars)
    found: list[Section] = [[]]
    at = start = played = inside = 0  # `inside`: where the ending that is being played is over
    time = times = 1
    while at < len(bars):
        bar = bars[at]
        if bar.opens and not (at == start and time > 1):
            start, time = at, 1
        if bar.ending and time not in bar.ending:
            at = over[at]
            if at in over and at not in goes_on:
                start, time = at, 1
            continue
        if bar.ending:
            inside, times = over[at], times_of[at]
        found[-1].append(bar)
        played += 1
        if played > most:
            raise LeftOut("more repeats than any tune has")
        at += 1
        if at == inside:
            inside, again = 0, time < times
        else:
            again = not inside and bar.closes > 0 and time <= max(bar.closes, bars[start].opens)
        if again:
            at, time = start, time + 1
            found.append([])
        elif bar.ends and not inside and (bar.closes or not (at < len(bars) and bars[at].ending)):
            # "||1" begins an ending, and no section.
            start, time = at, 1
            found.append([])
    return [section for section in found if section]


def _endings(bars: Sequence[WrittenBar]) -> tuple[dict[int, int], dict[int, int], set[int]]:
    """Of the bars that begin endings: where these are over, how often their sections are played, which ones go on.

    An ending goes on from another if it stands right behind it and has a higher number. One alone is left out the last
    time. A double bar in a first ending does not end it.
    """
    over: dict[int, int] = {}
    groups: list[list[int]] = []
    for begin in (number for number, bar in enumerate(bars) if bar.ending):
        first, end = bars[begin].ending, begin + 1
        while end < len(bars) and not (bars[end].ending or bars[end].opens or bars[end - 1].closes):
            if bars[end - 1].ends and 1 not in first:
                break
            end += 1
        over[begin] = end
        if groups and over[groups[-1][-1]] == begin and min(first) > min(bars[groups[-1][-1]].ending):
            groups[-1].append(begin)
        else:
            groups.append([begin])
    times: dict[int, int] = {}
    for group in groups:
        most = max(max(bars[begin].ending) for begin in group)
        alone = len(group) == 1 and bars[over[group[0]] - 1].closes > 0
        times |= dict.fromkeys(group, most + alone)
    return over, times, {begin for group in groups for begin in group[1:]}
