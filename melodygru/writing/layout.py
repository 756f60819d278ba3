"""Where what stands in a piece, in steps: what is drawn, what is repeated, and what is given.

A form, a primer, a pickup and a progression are laid out on the grid here; which music may fill them is for
`melodygru.writing.wishes`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import field, replace
from itertools import chain, pairwise, repeat

from melodygru.errors import UsageError
from melodygru.music.chords import ChordSpan, lay_out
from melodygru.music.form import Stretch
from melodygru.music.melody import Melody
from melodygru.network.arrays import BoolArray
from melodygru.network.config import TokenizerConfig
from melodygru.network.tokenizer import END, REST, PieceMeta, Tokenizer
from melodygru.records import dataclass
from melodygru.writing.constraints.base import PITCHES, in_range

RESTS_EVERY = 4
"""Bars in which `--rests few` allows one rest, and `--rests some` asks for one."""


@dataclass(frozen=True)
class Region:
    """A stretch of the grid that is to be written: the half-open range of steps [start, end).

    Attributes:
        joins: (128,) last pitches with which the piece may go on after it; None for the last region, which closes.
        followed_by: numbers of the later regions that come next, after this region itself or after a copy of it.
        before: the last pitch before it, -1 if there is none; None: not known until it is drawn.
        resting: whether a rest stands right before it.
    """

    start: int
    end: int
    joins: BoolArray | None = None
    followed_by: tuple[int, ...] = ()
    before: int | None = None
    resting: bool = False


@dataclass(frozen=True)
class Copy:
    """The half-open range of steps [start, end) holds again what stands at the same distance from `source` on."""

    start: int
    end: int
    source: int

    @property
    def source_end(self) -> int:
        """Where what is held again ends."""
        return self.source + self.end - self.start


@dataclass(frozen=True)
class Script:
    """What is not to be drawn.

    Attributes:
        given: events that stand fast, by their onset in steps: (duration, pitch class); END ends the melody.
        copies: stretches that repeat earlier ones.
    """

    given: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    copies: Sequence[Copy] = ()

    def event(self, onset: int, own: Mapping[int, tuple[int, int]]) -> tuple[int, int] | None:
        """The event at `onset` that stands fast, given the melody's own events so far by onset; None: draw one."""
        if onset in self.given:
            return self.given[onset]
        for copy in self.copies:
            if copy.start <= onset < copy.end:
                return own[onset - copy.start + copy.source]
        return None


@dataclass(frozen=True)
class Layout:
    """Where what is written, in steps.

    Attributes:
        regions: what is to be drawn; they border on each other at seams.
        script: what stands fast or is repeated.
        departures: (start, end, source): what is not to be like what.
        seams: the steps that no event crosses.
        closing: the number of the region in which the music that ends the piece is written first.
        nominal_end: as many bars after the beginning as there are; with a pickup, that much before the last bar line.
        rest_stretches: where `--rests some` asks for a rest, as half-open ranges of steps.
        sections: half-open ranges of steps of what is written with a beginning and an end of its own, in order: the
            sections of a form, what follows a primer, a gap.
        letters: of each section of a form its letter; empty without a form.
    """

    regions: Sequence[Region]
    script: Script
    closing: int
    nominal_end: int
    departures: Sequence[tuple[int, int, int]] = ()
    seams: Sequence[int] = ()
    rest_stretches: Sequence[tuple[int, int]] = ()
    sections: Sequence[tuple[int, int]] = ()
    letters: Sequence[str] = ()

    def sections_of(self, letters: Collection[str]) -> list[tuple[int, int]]:
        """The sections of these letters; the last of all reaches the end of what is written."""
        end = max(self.nominal_end, self.regions[-1].end)
        each = [*self.sections[:-1], (self.sections[-1][0], end)]
        return [span for span, letter in zip(each, self.letters, strict=True) if letter in letters]

    @property
    def echoes(self) -> list[tuple[int, int, int]]:
        """(start, end, begin of the repeat) in steps of all that is repeated."""
        return [(copy.source, copy.source_end, copy.start) for copy in self.script.copies]

    def heard_at(self, end: int) -> set[int]:
        """The steps where what ends at `end` ends, and its repeats do."""
        return {end} | {c.start + end - c.source for c in self.script.copies if c.source < end <= c.source_end}


def lay_out_parts(
    parts: Sequence[Stretch], first: int, bar: int, length: int, given: dict[int, tuple[int, int]], begins: int
) -> Layout:
    """What is drawn and what is repeated.

    Args:
        parts: the sections, in bars from the beginning; the last one reaches the end of the piece.
        first: the step where they begin: the first bar line, or the pickup before it.
        bar: steps of a bar.
        length: steps of the whole grid.
        given: events that stand fast, by onset.
        begins: the step at which they end.

    Raises:
        UsageError: what is given reaches beyond a section that is repeated.
    """

    def step(bars: float) -> int:
        return first + round(bars * bar)

    copies: list[Copy] = []
    departures, seams, drawn = [], {first, length}, []
    for part in parts:
        start, end = step(part.start), length if part is parts[-1] and part.source is None else step(part.end)
        seams |= {start, end}
        if part.source is not None:
            copies.append(Copy(start, end, step(part.source)))
            seams |= {copies[-1].source, copies[-1].source + end - start}
            continue
        for other in part.departs:
            departures.append((start, end, step(other)))
            seams |= {step(other), step(other) + step(part.end) - start}
        if begins >= end:
            raise UsageError("The primer is longer than the form's first section; shorten it with --primer-bars.")
        drawn.append((max(start, begins), end))
    borders = sorted(seams)
    pieces = [
        (one, two)
        for start, end in drawn
        for one, two in pairwise([start, *(seam for seam in borders if start < seam < end), end])
    ]
    anything = in_range(0, PITCHES - 1)
    regions = []
    given, closing = dict(given), len(pieces) - 1
    if copies and copies[-1].end >= step(parts[-1].end):
        given[copies[-1].end] = (END, REST)
        closing = next(i for i, (_, end) in enumerate(pieces) if end == copies[-1].source_end)
    for number, (start, end) in enumerate(pieces):
        last = end == length and number == len(pieces) - 1
        regions.append(Region(start, end, None if last else anything))
    layout = Layout(regions, Script(given, copies), closing, step(parts[-1].end), departures, borders)
    for number, region in enumerate(regions):
        places = layout.heard_at(region.end)
        following = tuple(i for i, other in enumerate(regions) if other.start in places and i > number)
        regions[number] = replace(region, followed_by=following)
    return layout


def given_events(primer: Melody | None, silence: int, max_duration: int) -> dict[int, tuple[int, int]]:
    """Events that stand fast at the beginning, by onset: the primer's, or the silence before a pickup."""
    given: dict[int, tuple[int, int]] = {}
    if primer is not None:
        events = Tokenizer(TokenizerConfig(max_duration)).encode(replace(primer, bars=0))
        last = primer.notes[-1].end if primer.notes else 0
        pairs = zip(events.durations.tolist(), events.pitches.tolist(), strict=True)
        at = 0
        for duration, pitch in pairs:
            if duration == END or at >= last:
                break
            given[at] = (duration, pitch)
            at += duration
        return given
    at = 0
    while at < silence:
        given[at] = (min(silence - at, max_duration), REST)
        at += given[at][0]
    return given


def in_sections(first: int, length: int, sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Half-open ranges (start, start + size) from `first` on that begin before `length`; the last size goes on."""
    for size in chain(sizes, repeat(sizes[-1])):
        if first >= length:
            return
        yield first, first + size
        first += size


def rest_stretches(meta: PieceMeta, begins: int, first: int, lengths: Sequence[int]) -> list[tuple[int, int]]:
    """Where `--rests some` asks for a rest: in every four bars of each section, but for its cadence.

    `lengths` of the sections are in bars; empty without a form.
    """
    bar = meta.time_signature.bar_steps
    found = []
    sizes = [bars * bar for bars in lengths] or [meta.length - begins]
    for section, end in in_sections(first if lengths else begins, meta.length, sizes):
        size = end - section
        cadence = max(size // bar // 4, 1) * bar if lengths else bar
        if size <= cadence:
            cadence = size // 2
        if section >= meta.length - cadence:
            break
        stop = end - cadence
        every = range(section, stop, RESTS_EVERY * bar)
        whole = [(start, min(start + RESTS_EVERY * bar, stop)) for start in every]
        found += [(start, end) for start, end in whole if end - start >= bar] or whole[:1]
    return [(max(start, begins), end) for start, end in found if end > begins]


def chords_over(
    spans: tuple[ChordSpan, ...],
    origin: int,
    length: int,
    sizes: Sequence[int] = (),
    own: Sequence[tuple[ChordSpan, ...]] = (),
) -> tuple[ChordSpan, ...]:
    """The progression over the piece; with a form, from its beginning in each section, if one is long enough for it.

    Args:
        spans: one pass of it.
        origin: the step where bar 1 begins.
        length: steps of the whole.
        sizes: steps of each section.
        own: of each section one pass of its own progression, empty for the piece's.
    """
    whole = not sizes or not spans or spans[-1].end > max(sizes)
    if whole and not any(own):
        return lay_out(spans, origin, length) if spans else ()
    through = lay_out(spans, origin, length) if spans and whole else ()
    found: list[ChordSpan] = []
    for number, (start, end) in enumerate(in_sections(origin, length, sizes)):
        end = min(end, length)
        if number < len(own) and own[number]:
            found += lay_out(own[number], start, end)
        elif not whole:
            found += lay_out(spans, start, end)
        else:
            found += [
                replace(span, onset=max(span.onset, start), end=min(span.end, end))
                for span in through
                if span.onset < end and span.end > start
            ]
    return tuple(found)


def chords_under(spans: Sequence[ChordSpan], melody: Melody) -> tuple[ChordSpan, ...]:
    """One pass of a progression, repeated from a melody's bar 1 to its end; none under a pickup."""
    origin = melody.time_signature.bar_steps if melody.pickup else 0
    return chords_over(tuple(spans), origin, melody.length)


def joint_pitches(pitches: tuple[int, int], leap: int, changing: bool) -> Iterator[tuple[BoolArray, BoolArray]]:
    """Pitches that repeats begin with, and pitches that lead to them, from the middle of the range outwards.

    Windows no wider than a leap, for both; then single pitches with all that is near enough. `changing`: no pitch is in
    both.
    """
    low, high = pitches
    if not changing:
        for lowest in sorted(range(low - leap, high + 1), key=lambda pitch: abs(pitch - (low + high - leap) / 2)):
            window = in_range(lowest, lowest + leap)
            yield window, window
    for first in sorted(range(low, high + 1), key=lambda pitch: abs(pitch - (low + high) / 2)):
        alone = in_range(first, first)
        yield alone, in_range(first - leap, first + leap) & ~(alone & changing)
