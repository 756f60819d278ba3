"""The same tune, changed by as much as asked for.

The amount is the share of the tune's notes that do not stand again: with the same onset and pitch, or, where pitches
are kept, with the same onset and duration. Notes to change are chosen by a seed, off the beats first; each chosen one
must not be what it was, and the model writes what it is instead. Of a few candidates the most probable is taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

from melodygru.errors import UsageError
from melodygru.music.melody import Melody
from melodygru.network.tokenizer import PieceMeta, Tokenizer
from melodygru.option import described
from melodygru.writing.config import GenerationConfig
from melodygru.writing.constraints.base import Constraint
from melodygru.writing.constraints.fidelity import AsWritten, InOrder, SameContour, Unlike
from melodygru.writing.constraints.places import NoRests
from melodygru.writing.drawing import AMOUNT, KEEP, VARIATIONS
from melodygru.writing.layout import Layout, Region, Script
from melodygru.writing.planner import Plan
from melodygru.writing.rewriting import Span, leave_to_melody, plan_rewriting
from melodygru.writing.sampler import sample
from melodygru.writing.styles import conditions_for, understood
from melodygru.writing.wishes import Problem

if TYPE_CHECKING:
    from melodygru.writing.model import Model


@dataclass(frozen=True)
class Varied:
    """A variation.

    Attributes:
        melody: the whole.
        number: which candidate it is, from 0.
        amount: the share of notes that were changed, in [0, 1].
        nats: negative log-likelihood under the model, per note.
    """

    melody: Melody
    number: int
    amount: float
    nats: float


def measured(original: Melody, varied: Melody, keep: str | None, span: Span) -> float:
    """The share of the original's notes in `span` that do not stand again, in [0, 1]; see the module."""
    inside = [note for note in original.notes if span[0] <= note.onset < span[1]]
    if keep == "pitches":
        there = {(note.onset, note.duration) for note in varied.notes}
        return sum((note.onset, note.duration) not in there for note in inside) / max(len(inside), 1)
    there = {(note.onset, note.pitch) for note in varied.notes}
    return sum((note.onset, note.pitch) not in there for note in inside) / max(len(inside), 1)


def vary(
    model: Model,
    melody: Melody,
    amount: float,
    config: GenerationConfig,
    seed: int,
    keep: str | None = None,
    span: Span | None = None,
    candidates: int = VARIATIONS,
    only: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Varied:
    """A variation of a melody.

    Args:
        model: what writes and weighs.
        melody: the tune.
        amount: the share of notes to change, in [0, 1].
        config: wishes for what is new.
        seed: at least 0.
        keep: "rhythm" (all onsets and durations stay), "contour" (those, and where the tune rises, falls or repeats),
            "pitches" (their order stays, the rhythm changes) or None (what is chosen changes altogether).
        span: steps within which to change; None: everywhere.
        candidates: how many to choose from, as `best_of` of `GenerationConfig`.
        only: make this candidate and no other.
        progress: called with how many candidates are finished; of those under way, parts count.

    Raises:
        UsageError: a value out of range, or wishes that cannot be kept.
        SamplingError: no variation was found.
    """
    AMOUNT.check_limits(amount)
    described(GenerationConfig)["best_of"].check_limits(candidates)
    if keep is not None:
        KEEP.check_limits(keep)
    leave_to_melody(config, "chords", "contour")
    config = understood(config, model.context, model.name)
    span = span or (0, melody.length)
    inside = [i for i, note in enumerate(melody.notes) if span[0] <= note.onset < span[1]]
    if not inside:
        raise UsageError("These bars have no notes that could be changed; choose others.")
    if round(amount * len(inside)) == 0:
        return Varied(melody, 0, 0.0, 0.0)
    chance = Random(f"vary {seed}")
    if keep is None:
        made = _plan_anew(model, melody, config, _chosen(melody, inside, amount, chance, groups=True))
    elif keep == "pitches":
        made = _plan_rhythm(model, melody, config, inside, amount, chance)
    else:
        made = _plan_pitches(model, melody, config, inside, amount, chance, keep == "contour")
    first, count = (0, candidates) if only is None else (only, 1)
    drawn = sample(model.engine, made.meta, count, config.sampling, made.ahead, seed, first, made.script, progress)
    found = []
    for number, one in enumerate(drawn, first):
        whole = Tokenizer(model.checkpoint.tokenizer_config).decode(one.events, melody.qpm, melody.name)
        whole = replace(whole, key=melody.key, pickup=melody.pickup)
        share = measured(melody, whole, keep, span)
        found.append(Varied(whole, number, share, float(one.nats.sum()) / max(len(whole.notes), 1)))
    return min(found, key=lambda one: (round(abs(one.amount - amount) * len(inside)), one.nats))


def _order(melody: Melody, inside: Sequence[int], chance: Random) -> list[int]:
    """Notes in the order in which they are to change: at random, but off the beats first and the last note last.

    Weighted sampling without replacement (Efraimidis & Spirakis 2006).
    """
    metre = melody.time_signature

    def key(number: int) -> float:
        onset = melody.notes[number].onset % metre.bar_steps
        weight = 0.3 if onset == 0 else 1.0 if onset % metre.beat_steps == 0 else 2.0
        if number == len(melody.notes) - 1:
            weight = 0.01
        return math.log(chance.random()) / weight

    return sorted(inside, key=key, reverse=True)


def _chosen(melody: Melody, inside: Sequence[int], amount: float, chance: Random, groups: bool) -> set[int]:
    """The notes to change: exactly the share asked for; with `groups`, side by side by twos and threes."""
    target, chosen = round(amount * len(inside)), set[int]()
    for number in _order(melody, inside, chance):
        size = chance.choice((2, 3)) if groups else 1
        for neighbour in range(number, number + size):
            if len(chosen) < target and neighbour in inside:
                chosen.add(neighbour)
    return chosen


def _plan_anew(model: Model, melody: Melody, config: GenerationConfig, chosen: set[int]) -> Plan:
    notes = melody.notes
    spans = _joined([(notes[i].onset, notes[i].end) for i in sorted(chosen)])
    config = replace(config, end_on=config.end_on or ("tonic" if _ends_home(melody) else "any"))
    rules = [Unlike([notes[i] for i in chosen])]
    return plan_rewriting(
        config, melody, spans, rules, model.banned(config), model.checkpoint.tokenizer_config.max_duration
    )


def _joined(spans: Sequence[Span]) -> list[Span]:
    found: list[Span] = []
    for start, end in spans:
        if found and found[-1][1] == start:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def _ends_home(melody: Melody) -> bool:
    return melody.notes[-1].pitch % 12 == melody.key.tonic


def _plan_rhythm(
    model: Model, melody: Melody, config: GenerationConfig, inside: Sequence[int], amount: float, chance: Random
) -> Plan:
    target, spans, count = round(amount * len(inside)), [], 0
    groups = list(_rhythms(melody, inside, config.grid_steps(melody.time_signature)))
    # Two notes of a group change for certain: what the first ends with is what the next begins with.
    if config.grid is None and 2 * len(groups) < target:
        # Rows of sixteenths can move on a finer grid only.
        config = replace(config, grid="1/32")
        groups = list(_rhythms(melody, inside, config.grid_steps(melody.time_signature)))
    chance.shuffle(groups)
    groups.sort(key=lambda group: group[1] - group[0])
    for first, last in groups:
        if count >= target:
            break
        spans.append((melody.notes[first].onset, melody.notes[last].end))
        count += 2
    if not spans:
        raise UsageError(
            f"These notes leave no other rhythm on a grid of {config.grid or '1/16'}; choose a finer --grid, or keep "
            "something else."
        )
    spans.sort()
    rules: list[Constraint] = [InOrder(melody, spans), NoRests()]
    config = replace(config, end_on=config.end_on or "any")
    limits = replace(config, range="C-1:G9") if config.range is None else config
    return plan_rewriting(limits, melody, spans, rules, None, model.checkpoint.tokenizer_config.max_duration)


def _rhythms(melody: Melody, inside: Sequence[int], step: int) -> Iterator[tuple[int, int]]:
    """Rows of notes (first, last) that could have another rhythm: by twos, or as few more as leave room to move."""
    notes, first = melody.notes, None
    for number in inside:
        note = notes[number]
        whole = note.onset % step == 0 and note.end % step == 0
        if first is not None and (not whole or notes[number - 1].end != note.onset or number - 1 not in inside):
            first = None
        if first is None:
            first = number if whole else None
            continue
        if note.end - notes[first].onset > (number - first + 1) * step:
            yield first, number
            first = None


def _plan_pitches(
    model: Model,
    melody: Melody,
    config: GenerationConfig,
    inside: Sequence[int],
    amount: float,
    chance: Random,
    contour: bool,
) -> Plan:
    longest = model.checkpoint.tokenizer_config.max_duration
    metre, key = melody.time_signature, config.named_key or melody.key
    problem = Problem(
        config,
        PieceMeta(metre, key, melody.bars, melody.pickup > 0, conditions_for(config, metre, (), whole=False)),
        Layout([Region(0, melody.length)], Script(), 0, melody.length),
        longest,
        first_by=max(metre.bar_steps, melody.notes[0].onset + 1),
        around=melody,
        silence=1.0,
        # What the rhythm alone decides, and the end, stay as they were.
        leaves_out=("grid", "density", "rests", "end_on"),
        # What stays as it was may be anybody's; a guard would forbid it.
        banned=model.banned(config) if amount == 1 else None,
    )
    low, high = problem.pitches
    if contour:
        bounds = _contour_bounds(melody, _order(melody, inside, chance), round(amount * len(inside)), low, high)
    else:
        bounds = dict.fromkeys(_chosen(melody, inside, amount, chance, groups=False), (low, high))
    rules: list[Constraint] = [AsWritten(melody, bounds, longest)]
    rules += [SameContour(melody)] if contour else []
    ahead = problem.look(problem.wishes, more=rules)
    if ahead is None:
        raise UsageError(
            "The notes that stay contradict the other options; change more of them, or leave some options out."
        )
    return Plan(problem.meta, melody.qpm, ahead, problem.layout.script, fills_out=False)


def _contour_bounds(
    melody: Melody, order: Sequence[int], target: int, low: int, high: int
) -> dict[int, tuple[int, int]]:
    """Bounds of the notes that change, as many as asked for where the contour leaves so many room.

    Notes that repeat each other change together. Bounds follow from the notes that stay by propagation along the chain.
    """
    pitches = [note.pitch for note in melody.notes]
    signs = [_sign(two - one) for one, two in pairwise(pitches)]
    chosen: set[int] = set()
    bounds: list[Span] = []
    for number in order:
        if len(chosen) >= target or number in chosen:
            continue
        first = last = number
        while first > 0 and signs[first - 1] == 0:
            first -= 1
        while last < len(signs) and signs[last] == 0:
            last += 1
        unit = set(range(first, last + 1))
        if not unit <= set(order):
            continue
        tried = chosen | unit
        limits = _propagated([(low, high) if i in tried else (p, p) for i, p in enumerate(pitches)], signs)
        while all(one <= two for one, two in limits):
            # A bound that is what the note was must not be all that is left at the end of a row.
            tight = [
                (one + (i in tried and one == pitches[i]), two - (i in tried and two == pitches[i]))
                for i, (one, two) in enumerate(limits)
            ]
            if tight == limits:
                chosen, bounds = tried, limits
                break
            limits = _propagated(tight, signs)
    return {i: bounds[i] for i in chosen}


def _propagated(bounds: list[Span], signs: Sequence[int]) -> list[Span]:
    """Bounds narrowed until each pitch has neighbours on the right side of it; a chain needs two passes."""
    lows, highs = [low for low, _ in bounds], [high for _, high in bounds]
    for _ in range(2):
        for i, sign in enumerate(signs):
            if sign >= 0:
                lows[i + 1] = max(lows[i + 1], lows[i] + sign)
            if sign <= 0:
                highs[i + 1] = min(highs[i + 1], highs[i] + sign)
        for i in range(len(signs) - 1, -1, -1):
            if signs[i] >= 0:
                highs[i] = min(highs[i], highs[i + 1] - signs[i])
            if signs[i] <= 0:
                lows[i] = max(lows[i], lows[i + 1] - signs[i])
    return list(zip(lows, highs, strict=True))


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
