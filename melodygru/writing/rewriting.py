"""Parts of a melody written anew, all else standing fast.

`melodygru.writing.infilling` and `melodygru.writing.variation` say what is to be kept of what was there.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np

from melodygru.errors import UsageError
from melodygru.music.melody import Melody, Note
from melodygru.network.arrays import BoolArray
from melodygru.network.config import TokenizerConfig
from melodygru.network.tokenizer import END, REST, PieceMeta, Tokenizer
from melodygru.option import taken_by
from melodygru.writing.config import GenerationConfig
from melodygru.writing.constraints.base import PITCHES, Constraint, in_range
from melodygru.writing.constraints.past import Banned
from melodygru.writing.layout import RESTS_EVERY, Layout, Region, Script, chords_under
from melodygru.writing.planner import Plan
from melodygru.writing.problem import Problem
from melodygru.writing.styles import conditions_for
from melodygru.writing.values import DEFAULT_METER

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


def wishes_for(command: str, said: Mapping[str, Any], melody: Melody) -> GenerationConfig:
    """Of what was said those wishes that `command` takes, without those that a melody which it changes has settled.

    For callers whose wishes hold in every action, whichever of them the action has a use for. Chords are read in the
    melody's metre, and degrees in its key, unless a scale has a tonic of its own. Raises UsageError for a value that is
    not legal.
    """
    taken = {one.name for one in taken_by(command, GenerationConfig)}
    found = {name: value for name, value in said.items() if name in taken}
    if "chords" in found and "meter" not in taken and str(melody.time_signature) != DEFAULT_METER:
        found["meter"] = str(melody.time_signature)
    config = GenerationConfig.from_dict(found)
    if config.key is not None and "key" not in found:
        with suppress(UsageError):
            config = GenerationConfig.from_dict({**found, "key": str(melody.key)})
    return config


def leave_to_melody(config: GenerationConfig, command: str, melody: Melody) -> None:
    """Raise UsageError for an option that `command` does not take: the melody that it changes has settled it."""
    taken = {one.name for one in taken_by(command, GenerationConfig)}
    for name, value in config.as_dict().items():
        if name not in taken and (name, value) != ("meter", str(melody.time_signature)):
            raise UsageError(f"--{name.replace('_', '-')} is the melody's own here; leave it out.")


def plan_rewriting(
    config: GenerationConfig,
    melody: Melody,
    spans: Sequence[Span],
    rules: Sequence[Constraint] = (),
    banned: Banned | None = None,
    max_duration: int = 192,
    whole: Span | None = None,
    leaves_out: Collection[str] = (),
    spare: bool = False,
    fixed_rhythm: Sequence[Span] = (),
    fixed_pitches: Sequence[Span] = (),
) -> Plan:
    """What the sampler works with to write `spans` anew.

    Args:
        config: wishes for what is new; chords go with the whole melody, from bar 1 on.
        melody: what stands there now; outside the spans it stays.
        spans: in order and apart, or side by side.
        rules: further constraints.
        banned: see `melodygru.writing.constraints.past.Guard`.
        max_duration: longest duration of an event, in steps.
        whole: the steps over which a line of heights goes, and rests are counted; None: each span has its own.
        leaves_out: options that are not to be heard here.
        spare: whether spans in which the wishes cannot be kept may stay as they were, as long as some do not.
        fixed_rhythm, fixed_pitches: those of the spans in which rules say what the rhythm is, or the pitches are.

    Raises:
        UsageError: wishes that cannot be kept there.
    """
    metre, key, begins = melody.time_signature, config.named_key or melody.key, spans[0][0]
    chords = chords_under(config.spans(metre), melody)
    told = conditions_for(config, metre, chords, whole=False)
    meta = PieceMeta(metre, key, melody.bars, melody.pickup > 0, told)
    ends = spans[-1][1] >= melody.length and spans[-1] not in fixed_pitches
    given = kept_events(melody, spans, max_duration)
    regions = _regions(config, melody, spans, given)
    sections = spans if whole is None else [whole]
    rests = rests_wanted(config, melody, spans, sections) if config.rests in ("some", "many") else []
    layout = Layout(regions, Script(given), len(spans) - 1, melody.length, rest_stretches=rests, sections=sections)
    problem = Problem(
        config,
        meta,
        layout,
        max_duration,
        first_by=metre.bar_steps,
        chords=chords,
        begins=begins,
        around=melody,
        before=-1 if regions[0].before is None else regions[0].before,
        resting=regions[0].resting,
        silence=1.0 if spans[-1] in fixed_rhythm else None,
        leaves_out=(*leaves_out, *(() if ends and config.end_on != "any" else ("end_on",))),
        banned=banned,
        fixed_rhythm=fixed_rhythm,
        fixed_pitches=fixed_pitches,
        further=rules,
    )
    kept: Sequence[Span] = ()
    for relaxed in (False, True):
        for attempt in _grids(problem):
            ahead, lost = attempt.foreseen(attempt.wishes, relaxed)
            if not lost:
                return Plan(meta, melody.qpm, ahead, layout.script, begins=begins, fills_out=False)
            kept = max(kept, [span for number, span in enumerate(spans) if number not in lost], key=len)
    if spare and kept:
        fast = ([one for one in fixed if one in kept] for fixed in (fixed_rhythm, fixed_pitches))
        return plan_rewriting(config, melody, kept, rules, banned, max_duration, whole, leaves_out, spare, *fast)
    raise problem.refusal()


def _regions(
    config: GenerationConfig, melody: Melody, spans: Sequence[Span], given: Mapping[int, tuple[int, int]]
) -> list[Region]:
    """What is drawn, with what stands before and after it: wishes about neighbours hold between new and kept notes."""
    onsets = [note.onset for note in melody.notes]
    resting = {at + duration for at, (duration, pitch) in given.items() if pitch == REST and duration != END}
    found = []
    for number, (start, end) in enumerate(spans):
        earlier = spans[number - 1][1] if number else 0
        later = spans[number + 1][0] if number + 1 < len(spans) else melody.length
        before = melody.notes[bisect_left(onsets, earlier) : bisect_left(onsets, start)]
        after = melody.notes[bisect_left(onsets, end) : bisect_left(onsets, later)]
        joins = None
        if number + 1 < len(spans) or end < melody.length:
            joins = joining(config, after[0].pitch if after else None)
        # Before the first span there is nothing else; before others what is drawn may come last.
        last = before[-1].pitch if before else None if number else -1
        follows = (number + 1,) if later == end < melody.length else ()
        found.append(Region(start, end, joins, follows, last, start in resting))
    return found


def joining(config: GenerationConfig, after: int | None) -> BoolArray:
    """(128,): pitches that a kept note of the pitch `after` may follow, as far as neighbours are wished for."""
    joins = np.ones(PITCHES, np.bool_)
    if after is None:
        return joins
    if config.max_leap is not None:
        joins &= in_range(after - config.max_leap, after + config.max_leap)
    if config.no_repeat_notes is not None:
        joins[after] = False  # how many equal ones lead up to it is not known beforehand
    return joins


def rests_wanted(
    config: GenerationConfig, melody: Melody, spans: Sequence[Span], sections: Sequence[Span]
) -> list[Span]:
    """Where `--rests some` asks for one of what is new: in every four bars in which none is kept, in the longest span.

    The last bar of the melody, and spans without room for a note beside the rest, are left out.
    """
    bar, room = melody.time_signature.bar_steps, 2 * config.grid_steps(melody.time_signature)
    outside = [note for note in melody.notes if not any(start <= note.onset < end for start, end in spans)]
    sounding = sorted([*((note.onset, note.end) for note in outside), *spans, (melody.length, melody.length)])
    kept_rests = [one[1] for one, two in pairwise(sounding) if one[1] < two[0]]
    found = []
    for first, last in sections:
        for start in range(first, last, RESTS_EVERY * bar):
            stop = min(start + RESTS_EVERY * bar, last)
            stop -= bar if stop == melody.length and stop - start > bar else 0
            inside = [(max(one, start), min(two, stop)) for one, two in spans if one < stop and two > start]
            one, two = max(inside, key=lambda span: span[1] - span[0], default=(0, 0))
            if two - one >= room and not any(start <= rest < stop for rest in kept_rests):
                found.append((one, two))
    return found


def pitches_wished(config: GenerationConfig, melody: Melody) -> BoolArray:
    """(N, 128): pitches that each of a melody's notes may have as it stands there, by range, scale and chords."""
    metre = melody.time_signature
    meta = PieceMeta(metre, config.named_key or melody.key, melody.bars, melody.pickup > 0)
    layout = Layout([Region(0, melody.length)], Script(), 0, melody.length, sections=[(0, melody.length)])
    chords = chords_under(config.spans(metre), melody)
    problem = Problem(config, meta, layout, 1, metre.bar_steps, chords=chords, around=melody)
    of_pitch = ("range", "scale", "scale_mode", "chords")
    rules = [rule for wish in problem.wishes if wish.option in of_pitch for rule in wish.rules]
    legal = np.ones((len(melody.notes), PITCHES), np.bool_)
    for row, note in zip(legal, melody.notes, strict=True):
        for rule in rules:
            if (begins := rule.begins(note.onset)) is not None:
                row &= begins
            if (sounds := rule.sounds(note.onset, np.array([note.end]))) is not None:
                row &= sounds[0]
    return legal


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
