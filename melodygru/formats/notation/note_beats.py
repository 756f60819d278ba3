"""The beats of a bar as a reader sees them, and which notes and rests leave them visible.

`melodygru.formats.notation.note_values` says what the rules are; here they are applied.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cached_property, lru_cache

from melodygru.music.theory import STEPS_PER_QUARTER, TimeSignature
from melodygru.records import dataclass


@dataclass(frozen=True)
class Layout:
    """A bar of beats, in one unit of length throughout (steps, as a rule).

    Attributes:
        beats: their lengths.
        ternary: the indices of those that divide by three; the others divide by two.
        groups: places inside the bar where a group of beats ends: the middle of 4/4, 72 in 5/4.
        four: four quarters, over whose middle more may stand than over other groups.
    """

    beats: tuple[int, ...]
    ternary: frozenset[int]
    groups: tuple[int, ...]
    four: bool

    @cached_property
    def starts(self) -> tuple[int, ...]:
        """Where each beat begins, and the end of the bar."""
        found = [0]
        for beat in self.beats:
            found.append(found[-1] + beat)
        return tuple(found)

    @property
    def length(self) -> int:
        """Of the bar."""
        return self.starts[-1]

    @cached_property
    def unit(self) -> int:
        """The length of the beats where all are alike and divide by two; else 0."""
        return self.beats[0] if not self.ternary and len(set(self.beats)) == 1 else 0

    @cached_property
    def _on_beat(self) -> frozenset[int]:
        return frozenset(self.starts)

    @cached_property
    def _on_group(self) -> frozenset[int]:
        return frozenset((0, *self.groups, self.length))

    def beat_of(self, place: int) -> int:
        """The index of the beat that holds `place`."""
        return bisect_right(self.starts, place) - 1

    def strength(self, place: int) -> int:
        """How well a place suits for a cut: 5 between groups, 4 between beats, 3 parts of a beat, less below."""
        if place in self._on_group:
            return 5
        if place in self._on_beat:
            return 4
        index = self.beat_of(place)
        part, strength = self.beats[index], 3
        part = part // 3 if index in self.ternary else part // 2
        inside = place - self.starts[index]
        while strength and (not part or inside % part):
            part, strength = part // 2, strength - 1
        return strength

    def note_stands(self, a: int, b: int) -> bool:
        """Whether a note of a plain or dotted value may be written at [a, b) as one."""
        index = self.beat_of(a)
        start = self.starts[index]
        if b <= self.starts[index + 1]:
            inside = _in_three if index in self.ternary else _in_two
            return inside(a - start, b - start, self.beats[index])
        if not self.unit or self.unit != STEPS_PER_QUARTER:
            return a in self._on_beat and b in self._on_beat
        beat, on_a, on_b = self.unit, a in self._on_beat, b in self._on_beat
        if b - a < beat or a * 2 % beat or b * 2 % beat:
            return False
        crossed = sum(a < place < b for place in self.groups)
        if crossed and not self.four:
            # In 3/2 a half note may stand from the half of one beat to the half of the next.
            syncopated = on_a and on_b and crossed == 1 and b - a == 2 * beat and set(self._group_lengths) == {2 * beat}
            return a in self._on_group or b in self._on_group or syncopated
        return on_a or on_b or (not crossed and b - a == beat)

    @cached_property
    def _group_lengths(self) -> tuple[int, ...]:
        ends = (*self.groups, self.length)
        return tuple(two - one for one, two in zip((0, *self.groups), ends, strict=True))

    def rest_stands(self, a: int, b: int) -> bool:
        """Whether a rest may be written at [a, b) as one: a group of beats, a beat, or an even part of one."""
        index = self.beat_of(a)
        start, end = self.starts[index], self.starts[index + 1]
        if b > end:
            return any(one == a and two == b for one, two in zip((0, *self.groups), self.groups, strict=False)) or (
                b == self.length and bool(self.groups) and a == self.groups[-1]
            )
        part = self.beats[index]
        a, b = a - start, b - start
        if index in self.ternary:
            if a == 0 and b in (part, part // 3 * 2):
                return True
            part //= 3
        while part > b - a and part % 2 == 0:
            part //= 2
        return part == b - a and a % part == 0


def _in_two(a: int, b: int, length: int) -> bool:
    """Whether a note stands at [a, b) of a beat, or part of one, that divides by two."""
    if (a, b) == (0, length):
        return True
    if a * 2 < length < b * 2:
        return a * 4 % length == 0 and b * 4 % length == 0
    if length % 2:
        return False
    half = length // 2
    return _in_two(a, b, half) if b <= half else _in_two(a - half, b - half, half)


def _in_three(a: int, b: int, length: int) -> bool:
    """Whether a note stands at [a, b) of a beat that divides by three."""
    third = length // 3
    first = a // third
    if b <= (first + 1) * third:
        return _in_two(a - first * third, b - first * third, third)
    crossed = sum(a < place < b for place in (third, 2 * third))
    on_halves = a * 2 % third == 0 and b * 2 % third == 0
    return on_halves and (crossed == 1 or a % third == 0 or b % third == 0)


@lru_cache(maxsize=256)
def beat_layout(metre: TimeSignature) -> Layout:
    """The beats of a metre, in steps; where it leaves them open, as they are most often: 5 is 3+2, 7 is 2+2+3."""
    count, unit = metre.numerator, STEPS_PER_QUARTER * 4 // metre.denominator
    if metre.is_compound or (count == 3 and metre.denominator >= 8):
        beats = count // 3
        middle = (beats // 2 * 3 * unit,) if beats == 4 else ()
        return Layout((3 * unit,) * beats, frozenset(range(beats)), middle, False)
    if metre.denominator <= 4:
        parts = _grouped(count) if metre.denominator == 4 else [unit // STEPS_PER_QUARTER] * count
        beats = count * unit // STEPS_PER_QUARTER
        ends = [sum(parts[: index + 1]) * STEPS_PER_QUARTER for index in range(len(parts) - 1)]
        return Layout((STEPS_PER_QUARTER,) * beats, frozenset(), tuple(ends), beats == 4)
    if count % 2 and count > 1:
        lengths = [part * unit for part in _grouped(count)]
        return Layout(tuple(lengths), frozenset(i for i, part in enumerate(_grouped(count)) if part == 3), (), False)
    whole, left = divmod(metre.bar_steps, STEPS_PER_QUARTER)
    lengths = [STEPS_PER_QUARTER] * whole + [left] * (left > 0)
    ternary = frozenset({whole}) if left == 18 else frozenset()
    middle = (2 * STEPS_PER_QUARTER,) if metre.bar_steps == 4 * STEPS_PER_QUARTER else ()
    return Layout(tuple(lengths), ternary, middle, bool(middle))


def _grouped(count: int) -> list[int]:
    """Beats in groups of two and three: by three or two where that goes out even, 3+2 for five, else a three last."""
    if count == 5:
        return [3, 2]
    if count == 1:
        return [1]
    if count % 3 == 0 and count != 3 * 2 * 2:
        return [3] * (count // 3)
    return [2] * (count // 2) if count % 2 == 0 else [2] * (count // 2 - 1) + [3]
