"""Parts of a melody written anew, all else standing fast.

`melodygru.writing.infilling` and `melodygru.writing.variation` say what is to be kept of what was there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from melodygru.errors import UsageError
from melodygru.music.melody import Melody, Note
from melodygru.network.config import TokenizerConfig
from melodygru.network.tokenizer import END, REST, PieceMeta, Tokenizer
from melodygru.writing.config import GenerationConfig
from melodygru.writing.constraints.base import PITCHES, Constraint, in_range
from melodygru.writing.constraints.past import Guard
from melodygru.writing.constraints.places import Bars
from melodygru.writing.layout import Layout, Region, Script, chords_under
from melodygru.writing.lookahead import Lookahead
from melodygru.writing.planner import Banned, Named, Plan, contradiction, ending, wishes

Span = tuple[int, int]
"""A half-open range of steps."""


def parse_bars(text: str, melody: Melody) -> tuple[int, int]:
    """The first and the last bar of a text such as "5-8" or "5"; bar 1 is the first full one, 0 a pickup.

    Raises UsageError for anything else, and for bars that the melody does not have.
    """
    match = re.fullmatch(r"\s*(\d{1,4})\s*(?:[-:–]\s*(\d{1,4}))?\s*", text)
    lowest = 0 if melody.pickup else 1
    if match is None:
        raise UsageError(f"bars is {text!r}; write the first and the last: 5-8, or one: 5.")
    first, last = int(match[1]), int(match[2] or match[1])
    if not lowest <= first <= last <= melody.bars:
        raise UsageError(f"bars is {text}, and the melody has bars {lowest} to {melody.bars}; choose among these.")
    return first, last


def span_of(melody: Melody, first: int, last: int) -> Span:
    """The steps of bars `first` to `last`, both included; a pickup bar begins with its first note's place."""
    bar, shift = melody.time_signature.bar_steps, 0 if melody.pickup else 1
    start = bar - melody.pickup if first == 0 else (first - shift) * bar
    return start, (last - shift + 1) * bar


def kept_events(melody: Melody, spans: Sequence[Span], max_duration: int) -> dict[int, tuple[int, int]]:
    """The events outside `spans` by their onset, END included unless a span reaches the melody's end.

    No note of the melody may cross a border of a span.
    """
    outside = [note for note in melody.notes if not any(start <= note.onset < end for start, end in spans)]
    # A note in place of each span makes events begin where it ends.
    fill = [Note(0, start, end - start) for start, end in spans]
    events = Tokenizer(TokenizerConfig(max_duration)).encode(replace(melody, notes=(*outside, *fill)))
    found, at = {}, 0
    for duration, pitch in zip(events.durations.tolist(), events.pitches.tolist(), strict=True):
        if not any(start <= at < end for start, end in spans) and (duration != END or spans[-1][1] < melody.length):
            found[at] = (duration, pitch)
        at += duration
    return found


def plan_rewriting(
    config: GenerationConfig,
    melody: Melody,
    spans: Sequence[Span],
    rules: Sequence[Constraint] = (),
    banned: Banned | None = None,
    max_duration: int = 192,
) -> Plan:
    """What the sampler works with to write `spans` anew.

    Args:
        config: wishes for what is new; chords go with the whole melody, from bar 1 on.
        melody: what stands there now; outside the spans it stays.
        spans: in order and apart, or side by side.
        rules: further constraints.
        banned: see `melodygru.writing.constraints.past.Guard`.
        max_duration: longest duration of an event, in steps.

    Raises:
        UsageError: wishes that cannot be kept there.
    """
    for name in ("bars", "meter", "bpm", "pickup", "form"):
        if getattr(config, name) is not None:
            raise UsageError(f"--{name} is the melody's own here; leave it out.")
    metre, key = melody.time_signature, config.named_key or melody.key
    meta = PieceMeta(metre, key, melody.bars, melody.pickup > 0)
    anything = in_range(0, PITCHES - 1)
    closes = spans[-1][1] >= melody.length
    regions = [Region(start, end, anything) for start, end in spans]
    for number in range(len(regions) - 1):
        if regions[number].end == regions[number + 1].start:
            regions[number] = replace(regions[number], followed_by=(number + 1,))
    if closes:
        regions[-1] = replace(regions[-1], joins=None)
    given = kept_events(melody, spans, max_duration)
    layout = Layout(regions, Script(given), [], [], len(regions) - 1, melody.length)
    chords = chords_under(config.spans(metre), melody)
    to_the_end = config.rests in ("none", "few") or (chords and config.chord_mode != "soft")
    base: list[Constraint] = [Bars(melody.length, metre.bar_steps, 0.0 if to_the_end else 0.5)]
    other = [*rules, *([] if banned is None else [Guard(banned)])]

    def named_on(grid: GenerationConfig | None) -> Named:
        named = wishes(grid or config, meta, chords, melody, spans[0][0], layout)
        if grid is None:
            named = [entry for entry in named if not entry[0].startswith("--grid")]
        if closes and config.end_on != "any":
            named.append(ending(config, meta, chords, layout))
        return named

    def look(chosen: Named, relaxed: bool) -> Lookahead:
        constraints = [*base, *(rule for _, group in chosen for rule in group), *other]
        return Lookahead(constraints, regions, max_duration, metre.bar_steps, relaxed)

    def possible(ahead: Lookahead) -> bool:
        before = [note for note in melody.notes if note.onset < spans[0][0]]
        resting = any(at + event[0] == spans[0][0] and event[1] == REST for at, event in given.items())
        first = ahead.feasible(0, before[-1].pitch if before else -1, resting)
        return first and all(ahead.feasible(number, None) for number in range(1, len(regions)))

    for relaxed in (False, True):
        for grid in _grids(config):
            ahead = look(named_on(grid), relaxed)
            if possible(ahead):
                return Plan(meta, melody.qpm, ahead, Script(given), begins=spans[0][0], fills_out=False)
    raise UsageError(contradiction(named_on(config), meta, None, lambda chosen: possible(look(chosen, True))))


def _grids(config: GenerationConfig) -> Iterator[GenerationConfig | None]:
    """Grids to try, from the coarsest on; None for none at all.

    Where none was asked for, the borders of what is kept may lie on triplets, thirty-seconds or anywhere.
    """
    yield config
    if config.grid is None:
        if config.triplets is None:
            yield replace(config, triplets=True)
        with suppress(UsageError):  # a metre whose bars are no whole thirty-seconds
            yield replace(config, grid="1/32", triplets=config.triplets is not False)
        yield None
