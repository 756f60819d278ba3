"""Melody -> bars of notes and rests as they are written: values, dots, triplets, ties.

A note stands as one value wherever the reader still sees the beats, and is cut and tied nowhere else. What may stand:

- within a beat, any plain or dotted value whose ends lie on quarters of the smallest half of the beat that it crosses
  (sixteenth-eighth-sixteenth stays); a note shorter than the beat never crosses into the next;
- over beats, in simple metres, what begins or ends on a beat and has its other end on a beat or half-beat (a dotted
  quarter on 1, or on 2-and), or is one beat between two half-beats (eighth-quarter-eighth); over the middle of 4/4
  only the first of these; over a group of another metre (5/4 is 3+2) only what begins or ends on the group;
- in compound and uneven metres (6/8, 7/8), over beats what begins and ends on beats.

Where a note must be cut, it is cut into as few as can be, at the strongest places. Rests are cut at every beat, but for
half bars. Source: E. Gould, "Behind Bars" (2011), pp. 151-187.

Inside this module lengths are half-steps (48 to a quarter), since a triplet's written values are 3/2 of what sounds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache

from melodygru.formats.notation.note_beats import Layout, beat_layout
from melodygru.music.melody import Melody
from melodygru.music.theory import TimeSignature
from melodygru.records import dataclass

_PLAIN = {3 << power: 64 >> power for power in range(7)} | {384: 0}
VALUES: dict[int, tuple[int, int]] = {length: (base, 0) for length, base in _PLAIN.items()}
"""Written length in half-steps -> (base, dots): base 4 is a quarter, 64 a sixty-fourth, 0 a breve."""
VALUES |= {length * 3 // 2: (base, 1) for length, base in _PLAIN.items() if length % 2 == 0}

_BRACKET = 0.5
"""What a triplet costs, in notes, where a rhythm could be written with more or fewer of them."""
_ODD = 0.3
"""What a note costs that begins off the thirds of its triplet: six sixteenths are two triplets, not one."""


@dataclass(frozen=True)
class Symbol:
    """A written note or rest.

    Attributes:
        pitch: MIDI pitch; None for a rest.
        onset, duration: what sounds, in steps; onset from the grid's first bar line.
        base, dots: its value: 1 whole, 2 half, 4 quarter … 64, 0 breve; and 0 or 1 dots.
        triplet: [start, end) in steps of the triplet that it is part of: three in the time of two.
        tied_from, tied: a tie comes from the note before, goes to the note after.
        whole_bar: the rest of an empty bar, whatever the metre; base and dots say nothing then.
    """

    pitch: int | None
    onset: int
    duration: int
    base: int
    dots: int = 0
    triplet: tuple[int, int] | None = None
    tied_from: bool = False
    tied: bool = False
    whole_bar: bool = False

    @property
    def end(self) -> int:
        """The step at which it ends."""
        return self.onset + self.duration


@dataclass(frozen=True)
class Bar:
    """A bar of symbols without gaps; `start` and `end` in steps from the grid's first bar line.

    Number 0 is a pickup, which begins with its first note, or with the triplet that this is part of.
    """

    number: int
    start: int
    end: int
    symbols: tuple[Symbol, ...]


def written_bars(melody: Melody) -> list[Bar]:
    """The bars of a melody, all full but for a pickup; every note whole when its ties are joined."""
    metre = melody.time_signature
    length = metre.bar_steps
    sounds = _sounds(melody)
    bars, first = [], 0
    for start in range(0, melody.length, length):
        while sounds[first][2] <= start:
            first += 1
        inside, at = [], first
        while at < len(sounds) and sounds[at][1] < start + length:
            pitch, onset, end = sounds[at]
            inside.append((pitch, onset - start, end - start))
            at += 1
        pickup = start == 0 and melody.pickup
        symbols = _symbols(inside, metre, length - melody.pickup if pickup else 0)
        placed = tuple(_moved(symbol, start) for symbol in symbols)
        bars.append(Bar(melody.bar_of(start), placed[0].onset if placed else start, start + length, placed))
    return bars


def _moved(symbol: Symbol, by: int) -> Symbol:
    window = symbol.triplet
    return replace(
        symbol, onset=symbol.onset + by, triplet=None if window is None else (window[0] + by, window[1] + by)
    )


def _sounds(melody: Melody) -> list[tuple[int | None, int, int]]:
    """(pitch or None, start, end) without gaps from the first bar line of the grid to the last."""
    sounds: list[tuple[int | None, int, int]] = []
    at = 0
    for note in melody.notes:
        if note.onset > at:
            sounds.append((None, at, note.onset))
        sounds.append((note.pitch, note.onset, note.end))
        at = note.end
    if at < melody.length:
        sounds.append((None, at, melody.length))
    return sounds


def _symbols(sounds: Sequence[tuple[int | None, int, int]], metre: TimeSignature, start: int) -> list[Symbol]:
    """One bar's symbols, from `start` on; `sounds` may reach beyond the bar at both ends."""
    layout = beat_layout(metre)
    bar = layout.length
    if all(pitch is None for pitch, _, _ in sounds):
        return [Symbol(None, 0, bar, 1, whole_bar=True)]
    silent = tuple(pitch is None for pitch, _, _ in sounds)
    bounds = tuple(max(onset, 0) for _, onset, _ in sounds)
    windows = _windows(metre, bounds, silent)
    start = next((lo for lo, hi in windows if lo < start < hi), start)
    found: list[Symbol] = []
    for pitch, onset, end in sounds:
        if end <= start:
            continue
        lo, hi = max(onset, start), min(end, bar)
        pieces = _pieces(metre, lo, hi, pitch is None, windows)
        for index, (one, two, window) in enumerate(pieces):
            base, dots = VALUES[(2 if window is None else 3) * (two - one)]
            from_before = one > onset and pitch is not None
            goes_on = (index + 1 < len(pieces) or end > bar) and pitch is not None
            found.append(Symbol(pitch, one, two - one, base, dots, window, from_before, goes_on))
    return found


def _pieces(
    metre: TimeSignature, lo: int, hi: int, rest: bool, windows: tuple[tuple[int, int], ...]
) -> list[tuple[int, int, tuple[int, int] | None]]:
    """[lo, hi) cut into written values as (start, end, triplet), first at the edges of triplets."""
    found: list[tuple[int, int, tuple[int, int] | None]] = []
    at = lo
    for window in (*windows, (hi, hi)):
        one, two = max(window[0], lo), min(window[1], hi)
        if two < at or one > hi:
            continue
        if one > at:
            found += [(a, b, None) for a, b in _plain(metre, at, one, rest)]
        if two > one:
            found += [(a, b, window) for a, b in _in_triplet(window[0], window[1], one, two, rest)]
        at = max(at, two)
    return found


@lru_cache(maxsize=65536)
def _windows(metre: TimeSignature, bounds: tuple[int, ...], silent: tuple[bool, ...]) -> tuple[tuple[int, int], ...]:
    """Where triplets stand in a bar whose sounds begin at `bounds`: in order, as few notes and brackets as can be."""
    layout = beat_layout(metre)
    if all(bound % 3 == 0 for bound in bounds):
        return ()
    ends = (*bounds[1:], layout.length)
    spans = tuple(zip(bounds, ends, silent, strict=True))
    starts = layout.starts
    # best[i]: the cheapest way to write all beats before the i-th.
    best: list[tuple[float, tuple[tuple[int, int], ...]]] = [(0.0, ())]
    for index in range(1, len(starts)):
        cost, windows = _best(metre, starts[index - 1], starts[index], index - 1 in layout.ternary, spans)
        options = [(best[index - 1][0] + cost, best[index - 1][1] + windows)]
        for many in (2, 4):
            # Quarter triplets over two beats, half triplets over four.
            if index < many or layout.unit != 24:
                continue
            lo, hi = starts[index - many], starts[index]
            grouped = not any(lo < place < hi for place in layout.groups) or (many == 4 and layout.four)
            inner = [bound - lo for bound in bounds if lo < bound < hi]
            width = hi - lo
            natural = all(bound % (width // 6) == 0 for bound in inner) and width // 2 not in inner
            if grouped and natural and any(bound % 3 for bound in inner):
                before = best[index - many]
                options.append((before[0] + _triplet_cost(lo, hi, spans), (*before[1], (lo, hi))))
        best.append(min(options, key=lambda option: option[0]))
    return best[-1][1]


def _best(
    metre: TimeSignature, lo: int, hi: int, ternary: bool, spans: Sequence[tuple[int, int, bool]]
) -> tuple[float, tuple[tuple[int, int], ...]]:
    """The cost of writing the steps [lo, hi), and the triplets in it."""
    inner = [one for one, _, _ in spans if lo < one < hi]
    if all(bound % 3 == 0 for bound in inner):
        cut = [(max(one, lo), min(two, hi), rest) for one, two, rest in spans if one < hi and two > lo]
        return float(sum(len(_plain(metre, *each)) for each in cut)), ()
    width = hi - lo
    parts = 3 if ternary else 2
    whole = None if ternary else (_triplet_cost(lo, hi, spans), ((lo, hi),))
    if width % (3 * parts):
        assert whole is not None, "a beat that divides by three has thirds of whole thirty-seconds"
        return whole
    part = width // parts
    cost = 0.0
    windows: tuple[tuple[int, int], ...] = ()
    for index in range(parts):
        below = _best(metre, lo + index * part, lo + (index + 1) * part, False, spans)
        cost, windows = cost + below[0], windows + below[1]
    return whole if whole is not None and whole[0] < cost else (cost, windows)


def _triplet_cost(lo: int, hi: int, spans: Sequence[tuple[int, int, bool]]) -> float:
    cut = [(max(one, lo), min(two, hi), rest) for one, two, rest in spans if one < hi and two > lo]
    odd = sum((one - lo) % ((hi - lo) // 3) > 0 for one, _, _ in cut)
    return _BRACKET + _ODD * odd + sum(len(_in_triplet(lo, hi, *each)) for each in cut)


@lru_cache(maxsize=65536)
def _plain(metre: TimeSignature, lo: int, hi: int, rest: bool) -> tuple[tuple[int, int], ...]:
    """[lo, hi) of a bar, both multiples of 3, cut into values without triplets."""
    layout = beat_layout(metre)
    inner = [place for place in layout.starts if lo < place < hi]
    near = range(lo, (inner or [hi])[0], 3), range((inner or [hi])[-1], hi, 3)
    places = sorted({*near[0], *inner, *near[1], hi})
    stands = layout.rest_stands if rest else layout.note_stands
    return _fewest(places, lambda a, b: 2 * (b - a) in VALUES and stands(a, b), layout.strength, 2)


@lru_cache(maxsize=65536)
def _in_triplet(start: int, end: int, lo: int, hi: int, rest: bool) -> tuple[tuple[int, int], ...]:
    """[lo, hi) within the triplet [start, end) cut into values; a triplet is read as a beat of three parts."""
    layout = Layout((3 * (end - start),), frozenset({0}), (), False)
    stands = layout.rest_stands if rest else layout.note_stands
    return _fewest(
        range(lo, hi + 1),
        lambda a, b: 3 * (b - a) in VALUES and stands(3 * (a - start), 3 * (b - start)),
        lambda place: layout.strength(3 * (place - start)),
        3,
    )


def _fewest(
    places: Sequence[int], stands: Callable[[int, int], bool], strength: Callable[[int], int], scale: int
) -> tuple[tuple[int, int], ...]:
    """The fewest pieces between the first and the last of `places`; then the strongest cuts, then the fewest dots."""
    best: list[tuple[tuple[int, int, int], tuple[tuple[int, int], ...]] | None] = [((0, 0, 0), ())]
    for index in range(1, len(places)):
        options = []
        for before in range(index):
            found, a, b = best[before], places[before], places[index]
            if found is not None and stands(a, b):
                (count, weakness, dots), pieces = found
                weak = 10 - strength(b) if index + 1 < len(places) else 0
                cost = (count + 1, weakness + weak, dots + VALUES[scale * (b - a)][1])
                options.append((cost, (*pieces, (a, b))))
        best.append(min(options, default=None))
    assert best[-1] is not None, f"steps {places[0]} to {places[-1]} cannot be written"
    return best[-1][1]
