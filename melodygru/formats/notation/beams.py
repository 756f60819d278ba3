"""Beams: which short notes of a bar hang together.

A beam holds the notes of a beat; where beats of a group (half of 4/4, all of 3/4) hold nothing but eighths, it joins
them. Rests and longer notes end it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from melodygru.formats.notation.note_beats import beat_layout
from melodygru.formats.notation.note_values import Bar, Symbol
from melodygru.music.theory import TimeSignature


def flags(symbol: Symbol) -> int:
    """How many flags or beams a note of this value has."""
    return max(symbol.base.bit_length() - 3, 0) if symbol.pitch is not None else 0


def beams(bar: Bar, metre: TimeSignature) -> list[tuple[str, ...]]:
    """Of each symbol its beams from the outermost in, as MusicXML names them: begin, continue, end, forward hook …"""
    groups: list[list[int]] = []
    places = _places(bar, metre)
    before = None
    for index, symbol in enumerate(bar.symbols):
        if not flags(symbol):
            before = None
        elif before is not None and places[index] == before:
            groups[-1].append(index)
        else:
            groups.append([index])
            before = places[index]
    found: list[tuple[str, ...]] = [()] * len(bar.symbols)
    for group in groups:
        if len(group) > 1:
            counts = [flags(bar.symbols[index]) for index in group]
            for position, index in enumerate(group):
                own = range(1, counts[position] + 1)
                found[index] = tuple(_beam(counts, position, level, bar.symbols[index]) for level in own)
    return found


def _beam(counts: Sequence[int], position: int, level: int, symbol: Symbol) -> str:
    back = position > 0 and counts[position - 1] >= level
    on = position + 1 < len(counts) and counts[position + 1] >= level
    if back or on:
        return "continue" if back and on else "end" if back else "begin"
    if position in (0, len(counts) - 1):
        return "backward hook" if position else "forward hook"
    start = symbol.onset - (symbol.triplet[0] if symbol.triplet else 0)
    return "backward hook" if start // symbol.duration % 2 else "forward hook"


def _places(bar: Bar, metre: TimeSignature) -> list[object]:
    """Of each symbol something that is the same for all symbols that one beam may hold."""
    layout = beat_layout(metre)
    grid_start = bar.end - layout.length
    found: list[object] = []
    for symbol in bar.symbols:
        window = symbol.triplet
        if window is not None and window[1] - window[0] > 24:
            part = (window[1] - window[0]) // 3
            found.append((window, (symbol.onset - window[0]) // part))
        else:
            found.append(layout.beat_of(symbol.onset - grid_start))
    if not layout.unit:
        return found
    # Beats of two eighths each are joined with their neighbours.
    borders = {0, layout.length, *layout.groups}
    joined: dict[int, int] = {}
    for one, two in pairwise(range(len(layout.beats))):
        if layout.starts[two] not in borders and _two_eighths(bar, found, one) and _two_eighths(bar, found, two):
            joined[two] = joined.get(one, one)
    return [joined.get(place, place) if isinstance(place, int) else place for place in found]


def _two_eighths(bar: Bar, places: Sequence[object], beat: int) -> bool:
    inside = [symbol for symbol, place in zip(bar.symbols, places, strict=True) if place == beat]
    return len(inside) == 2 and all(
        (symbol.base, symbol.dots, symbol.triplet) == (8, 0, None) and symbol.pitch is not None for symbol in inside
    )
