"""Parts of a melody written anew, all else standing fast.

`melodygru.writing.infilling` and `melodygru.writing.variation` say what is to be kept of what was there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from melodygru.errors import UsageError
from melodygru.music.melody import Melody, Note
from melodygru.network.config import TokenizerConfig
from melodygru.network.tokenizer import END, REST, PieceMeta, Tokenizer
from melodygru.writing.config import GenerationConfig
from melodygru.writing.constraints.base import PITCHES, Constraint
from melodygru.writing.constraints.past import Banned
from melodygru.writing.layout import Layout, Region, Script, chords_under
from melodygru.writing.planner import Plan
from melodygru.writing.styles import conditions_for
from melodygru.writing.wishes import Problem

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


_OF_THE_WHOLE = ("bars", "meter", "bpm", "pickup", "form", "syncopation", "leaps")
"""Options that a melody which is changed has settled already."""


def leave_to_melody(config: GenerationConfig, *more: str) -> None:
    """Raise UsageError for an option that a melody has settled where it is changed, or one of these others."""
    for name in (*_OF_THE_WHOLE, *more):
        if getattr(config, name) is not None:
            raise UsageError(f"--{name} is the melody's own here; leave it out.")


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
    leave_to_melody(config)
    metre, key, begins = melody.time_signature, config.named_key or melody.key, spans[0][0]
    chords = chords_under(config.spans(metre), melody)
    told = conditions_for(config, metre, chords, whole=False)
    meta = PieceMeta(metre, key, melody.bars, melody.pickup > 0, told)
    closes = spans[-1][1] >= melody.length
    given = kept_events(melody, spans, max_duration)
    before = [note.pitch for note in melody.notes if note.onset < begins]
    problem = Problem(
        config,
        meta,
        Layout(_regions(spans, closes), Script(given), len(spans) - 1, melody.length, sections=spans),
        max_duration,
        first_by=metre.bar_steps,
        chords=chords,
        begins=begins,
        around=melody,
        before=before[-1] if before else -1,
        resting=any(at + event[0] == begins and event[1] == REST for at, event in given.items()),
        leaves_out=() if closes and config.end_on != "any" else ("end_on",),
        banned=banned,
        further=rules,
    )
    for relaxed in (False, True):
        for attempt in _grids(problem):
            ahead = attempt.look(attempt.wishes, relaxed)
            if ahead is not None:
                return Plan(meta, melody.qpm, ahead, problem.layout.script, begins=begins, fills_out=False)
    raise problem.refusal()


def _regions(spans: Sequence[Span], closes: bool) -> list[Region]:
    """What is drawn; `closes`: the last span reaches the melody's end."""
    anything = np.ones(PITCHES, np.bool_)
    last = len(spans) - 1
    return [
        Region(
            start,
            end,
            None if closes and number == last else anything,
            (number + 1,) if number < last and spans[number + 1][0] == end else (),
        )
        for number, (start, end) in enumerate(spans)
    ]


def _grids(problem: Problem) -> Iterator[Problem]:
    """The problem on one grid after the other, from the coarsest on; last on none at all.

    Where no grid was asked for, the borders of what is kept may lie on triplets, thirty-seconds or anywhere.
    """
    yield problem
    config = problem.config
    if config.grid is None:
        if config.triplets is None:
            yield replace(problem, config=replace(config, triplets=True))
        yield replace(problem, config=replace(config, grid="1/32", triplets=config.triplets is not False))
        yield replace(problem, leaves_out=(*problem.leaves_out, "grid"))
