"""The order in which the bars of a score are played: repeats, endings, da capo and dal segno.

They are worked out by music21, on bars without notes, since it copies what it repeats.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

_DEEPEST = 2
"""How deep repeats may stand in one another: each level doubles what is within."""
_MOST_BARS = 4000
"""Bars of a score as it is played: with more music21 is at work for minutes, or for hours."""
_MOST_WORK = 100_000
"""Those bars times the signs of repetition, likewise."""

Parts = Sequence[tuple[Any, Sequence[Any]]]
"""music21's parts, each with its measures."""


def played_order(score: Any, parts: Parts, count: int) -> tuple[tuple[int, ...], bool]:
    """The bars as they are played, and whether their repeats could be understood."""
    from music21 import bar, note, repeat, spanner, stream

    skeleton = stream.Part()
    bones = [stream.Measure(number=index + 1) for index in range(count)]
    numbers: dict[int, int] = {}
    signs: list[tuple[str, int]] = []
    times = 2
    for _, measures in parts:
        for index, measure in enumerate(measures):
            numbers[id(measure)] = index
            bone = bones[index]
            left, right = measure.leftBarline, measure.rightBarline
            if isinstance(left, bar.Repeat) and bone.leftBarline is None:
                bone.leftBarline = bar.Repeat(direction=left.direction, times=left.times)
                signs.append((left.direction, 2 * index))
            if isinstance(right, bar.Repeat) and bone.rightBarline is None:
                bone.rightBarline = bar.Repeat(direction=right.direction, times=right.times)
                signs.append((right.direction, 2 * index + 1))
                times = max(times, right.times or 2)
            if not bone.getElementsByClass(repeat.RepeatExpression):
                for word in measure.getElementsByClass(repeat.RepeatExpression):
                    bone.insert(0, word.__class__())
                    signs.append(("word", 2 * index))
    as_written = tuple(range(count))
    if not signs:
        return as_written, True
    if _depth(signs) > _DEEPEST:
        return as_written, False
    for index, bone in enumerate(bones):
        bone.groups = [str(index)]
        bone.insert(0, note.Rest(quarterLength=1.0))
        skeleton.append(bone)
    for place in (score, *(part for part, _ in parts[:1])):
        for bracket in place.getElementsByClass(spanner.RepeatBracket):
            spanned = [numbers[id(one)] for one in bracket.getSpannedElements() if id(one) in numbers]
            times = max(times, len(bracket.numberRange))
            if spanned:
                ends = sorted({min(spanned), max(spanned)})
                skeleton.insert(0, spanner.RepeatBracket([bones[end] for end in ends], number=bracket.number))
    played_bars = _most_played(signs, count, times)
    if played_bars > _MOST_BARS or played_bars * len(signs) > _MOST_WORK:
        return as_written, False
    try:
        played = repeat.Expander(skeleton).process()
    except Exception:  # music21 says in many ways that it does not understand them
        return as_written, False
    return tuple(int(measure.groups[0]) for measure in played.getElementsByClass(stream.Measure)), True


def _depth(signs: Sequence[tuple[str, int]]) -> int:
    """How deep repeats stand in one another."""
    depth = deepest = 0
    for direction, _ in sorted(signs, key=lambda sign: sign[1]):
        depth = depth + 1 if direction == "start" else max(0, depth - 1) if direction == "end" else depth
        deepest = max(deepest, depth)
    return deepest


def _most_played(signs: Sequence[tuple[str, int]], count: int, times: int) -> int:
    """How many bars are played at most, each repeat being played so many times."""
    total, begun = count, [(0, 0)]  # (where it begins, how many bars are heard again within it)
    for direction, place in sorted(signs, key=lambda sign: sign[1]):
        if direction == "start":
            begun.append((place // 2, 0))
        elif direction == "end":
            begin, again = begun.pop()
            again += (place // 2 + 1 - begin + again) * (times - 1)
            if begun:
                begun[-1] = begun[-1][0], begun[-1][1] + again
            else:
                total += again
                begun = [(place // 2 + 1, 0)]
    total += sum(again for _, again in begun)
    return total * (2 if any(direction == "word" for direction, _ in signs) else 1)


def changes(order: Sequence[int]) -> list[bool]:
    """For each bar of the order of play, whether it does not follow the one before on the page."""
    return [False, *(two != one + 1 for one, two in pairwise(order))]


def section_ends(parts: Parts, count: int) -> list[bool]:
    """Whether a section ends after each bar."""
    ends = [False] * count
    ends[-1] = True
    for _, measures in parts:
        for index, measure in enumerate(measures):
            right, left = measure.rightBarline, measure.leftBarline
            ends[index] |= right is not None and right.type in ("double", "final", "heavy-light", "heavy-heavy")
            ends[index] |= hasattr(right, "direction")
            if index and hasattr(left, "direction"):
                ends[index - 1] = True
    return ends
