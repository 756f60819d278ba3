"""The same tune, changed by as much as asked for.

The amount is the share of the tune's notes that do not stand again: with the same onset and pitch, or, where pitches
are kept, with the same onset and duration; what is locked is not counted. Notes to change are chosen by a seed, off the
beats first; each chosen one must not be what it was, and the model writes what it is instead. Of a few candidates the
most probable is taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

import numpy as np

from melodygru.errors import UsageError
from melodygru.music.melody import Melody, Note
from melodygru.network.arrays import BoolArray
from melodygru.network.tokenizer import Tokenizer
from melodygru.option import described
from melodygru.records import dataclass
from melodygru.writing.config import GenerationConfig
from melodygru.writing.constraints.base import PITCHES, Constraint, in_range
from melodygru.writing.constraints.fidelity import AsWritten, InOrder, SameContour, Unlike
from melodygru.writing.constraints.past import Banned
from melodygru.writing.constraints.places import NoRests
from melodygru.writing.drawing import AMOUNT, KEEP, VARIATIONS
from melodygru.writing.locks import PITCHES as PITCH
from melodygru.writing.locks import RHYTHM, Locks
from melodygru.writing.planner import Plan
from melodygru.writing.rewriting import Span, leave_to_melody, pitches_wished, plan_rewriting
from melodygru.writing.sampler import sample
from melodygru.writing.styles import understood
from melodygru.writing.wishes import OF_PITCH, OF_RHYTHM

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


def measured(notes: Sequence[Note], varied: Melody, keep: str | None) -> float:
    """The share of the original's `notes` that do not stand again, in [0, 1]; see the module."""
    if keep == "pitches":
        there = {(note.onset, note.duration) for note in varied.notes}
        return sum((note.onset, note.duration) not in there for note in notes) / max(len(notes), 1)
    there = {(note.onset, note.pitch) for note in varied.notes}
    return sum((note.onset, note.pitch) not in there for note in notes) / max(len(notes), 1)


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
    locks: Locks = Locks(),
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
        locks: what stays, within the span too.

    Raises:
        UsageError: a value out of range, or wishes that cannot be kept.
        SamplingError: no variation was found.
    """
    AMOUNT.check_limits(amount)
    described(GenerationConfig)["best_of"].check_limits(candidates)
    if keep is not None:
        KEEP.check_limits(keep)
    leave_to_melody(config, "vary", melody)
    config = understood(config, model.context, model.name)
    span = span or (0, melody.length)
    within = [i for i, note in enumerate(melody.notes) if span[0] <= note.onset < span[1]]
    if not within:
        raise UsageError("These bars have no notes that could be changed; choose others.")
    places = locks.at(melody.length)
    kept = [int(places[note.onset]) for note in melody.notes]
    changes = {None: RHYTHM | PITCH, "pitches": RHYTHM}.get(keep, PITCH)
    inside = [i for i in within if kept[i] & changes != changes]
    if not inside:
        raise UsageError("What is locked leaves nothing to vary there; lock less, or choose other bars.")
    if round(amount * len(inside)) == 0:
        return Varied(melody, 0, 0.0, 0.0)
    chance = Random(f"vary {seed}")
    if keep == "pitches":
        made = _plan_rhythm(model, melody, config, inside, amount, chance)
    else:
        legal = pitches_wished(config, melody)
        order = _order(melody, inside, legal, chance)
        target = round(amount * len(inside))
        if keep is None:
            chosen = _chosen(order, target, chance)
            rows = _rows_in_order(melody, [i for i in inside if kept[i] == PITCH], chosen, config, chance)
            made = _plan_anew(model, melody, config, chosen, span, kept, rows)
        else:
            # What stays as it was may be anybody's; a guard would forbid it.
            banned = model.banned(config) if target == len(order) and not locks else None
            made = _plan_pitches(model, melody, config, order, target, span, keep == "contour", legal, banned)
    first, count = (0, candidates) if only is None else (only, 1)
    drawn = sample(model.engine, made.meta, count, config.sampling, made.ahead, seed, first, made.script, progress)
    found = []
    for number, one in enumerate(drawn, first):
        whole = Tokenizer(model.checkpoint.tokenizer_config).decode(one.events, melody.qpm, melody.name)
        whole = replace(whole, key=melody.key, pickup=melody.pickup)
        share = measured([melody.notes[i] for i in inside], whole, keep)
        found.append(Varied(whole, number, share, float(one.nats.sum()) / max(len(whole.notes), 1)))
    return min(found, key=lambda one: (round(abs(one.amount - amount) * len(inside)), one.nats))


def _order(melody: Melody, inside: Sequence[int], legal: BoolArray, chance: Random) -> list[int]:
    """Notes in the order in which they are to change: those whose pitch is not `legal` (N, 128) before all others.

    Apart from that at random, but off the beats first and the last note last: weighted sampling without replacement
    (Efraimidis & Spirakis 2006).
    """
    metre = melody.time_signature

    def key(number: int) -> tuple[bool, float]:
        onset = melody.notes[number].onset % metre.bar_steps
        weight = 0.3 if onset == 0 else 1.0 if onset % metre.beat_steps == 0 else 2.0
        if number == len(melody.notes) - 1:
            weight = 0.01
        return not legal[number, melody.notes[number].pitch], math.log(chance.random()) / weight

    return sorted(inside, key=key, reverse=True)


def _chosen(order: Sequence[int], target: int, chance: Random) -> set[int]:
    """So many notes to change, side by side by twos and threes."""
    chosen, inside = set[int](), set(order)
    for number in order:
        for neighbour in range(number, number + chance.choice((2, 3))):
            if len(chosen) < target and neighbour in inside:
                chosen.add(neighbour)
    return chosen


def _rows_in_order(
    melody: Melody, locked: Sequence[int], chosen: set[int], config: GenerationConfig, chance: Random
) -> list[Span]:
    """Rows of notes whose pitches are `locked` that get another rhythm: of as many as were chosen among them."""
    wanted, found = len(chosen.intersection(locked)), list[Span]()
    if wanted:
        groups = list(_rhythms(melody, locked, config.grid_steps(melody.time_signature)))
        chance.shuffle(groups)
        for first, last in groups:
            if wanted > 0:
                found.append((melody.notes[first].onset, melody.notes[last].end))
                wanted -= last - first
    return sorted(found)


def _plan_anew(
    model: Model,
    melody: Melody,
    config: GenerationConfig,
    chosen: set[int],
    span: Span,
    kept: Sequence[int],
    rows: Sequence[Span],
) -> Plan:
    """Chosen notes anew, but for what is `kept` of each; in `rows` only the rhythm is another."""
    notes = melody.notes
    free, in_rhythm = ([i for i in sorted(chosen) if kept[i] == what] for what in (0, RHYTHM))
    rhythm = _joined([(notes[i].onset, notes[i].end) for i in in_rhythm])
    spans = sorted([*_joined([(notes[i].onset, notes[i].end) for i in free]), *rhythm, *rows])
    if not spans:
        raise UsageError("What is locked leaves no other rhythm there; lock less, or choose a finer --grid.")
    config = replace(config, end_on=config.end_on or ("tonic" if _ends_home(melody) else "any"))
    longest = model.checkpoint.tokenizer_config.max_duration
    rules: list[Constraint] = [Unlike([notes[i] for i in (*free, *in_rhythm)])]
    if rhythm:
        rules.append(AsWritten(melody, dict.fromkeys(in_rhythm, in_range(0, PITCHES - 1)), longest, rhythm))
    if rows:
        rules.append(InOrder(melody, rows))
    return plan_rewriting(
        config, melody, spans, rules, model.banned(config), longest, span, spare=True,
        fixed_rhythm=rhythm, fixed_pitches=rows,
    )  # fmt: skip


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
    # Pitches stay, whatever is wished of them; and so does how many notes there are.
    return plan_rewriting(
        replace(config, end_on="any"),
        melody,
        spans,
        rules,
        max_duration=model.checkpoint.tokenizer_config.max_duration,
        leaves_out=(*OF_PITCH, "density", "rests"),
    )


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
    order: Sequence[int],
    target: int,
    span: Span,
    contour: bool,
    legal: BoolArray,
    banned: Banned | None,
) -> Plan:
    if contour:
        masks = _along_the_line(melody, order, target, legal, config.max_leap or PITCHES)
    else:
        masks = {i: legal[i] & ~in_range(melody.notes[i].pitch, melody.notes[i].pitch) for i in order[:target]}
    if not masks:
        raise UsageError("The line of these notes leaves none of them another pitch; change more of them.")
    longest = model.checkpoint.tokenizer_config.max_duration
    rules: list[Constraint] = [AsWritten(melody, masks, longest)]
    rules += [SameContour(melody)] if contour else []
    # The rhythm decides what is wished of it, and the last note stays what it was, unless it is to be something.
    leaves_out = (*OF_RHYTHM, *(("contour",) if contour else ()), *(() if config.end_on else ("end_on",)))
    spans = _joined([(melody.notes[i].onset, melody.notes[i].end) for i in sorted(masks)])
    return plan_rewriting(config, melody, spans, rules, banned, longest, span, leaves_out, spare=True)


def _along_the_line(
    melody: Melody, order: Sequence[int], target: int, legal: BoolArray, leap: int
) -> dict[int, BoolArray]:
    """(128,) pitches of the notes that change: as many notes as asked for where the line leaves so many room.

    Notes that repeat each other change together. Each pitch that is left has one that is left on its right side before
    it and after it, so a melody drawn from left to right finds a way.
    """
    pitches = [note.pitch for note in melody.notes]
    signs = [_sign(two - one) for one, two in pairwise(pitches)]
    masks = [in_range(pitch, pitch) for pitch in pitches]
    distance = np.arange(PITCHES)[None, :] - np.arange(PITCHES)[:, None]
    near = np.abs(distance) <= leap
    steps = {sign: (np.sign(distance) == sign) & near for sign in (-1, 0, 1)}
    chosen: set[int] = set()
    inside = set(order)
    for number in order:
        if len(chosen) >= target or number in chosen:
            continue
        first = last = number
        while first > 0 and signs[first - 1] == 0:
            first -= 1
        while last < len(signs) and signs[last] == 0:
            last += 1
        unit = set(range(first, last + 1))
        if not unit <= inside:
            continue
        # Kept notes part the chain: what changes between two of them is narrowed alone.
        while first > 0 and first - 1 in chosen:
            first -= 1
        while last < len(signs) and last + 1 in chosen:
            last += 1
        row = range(max(first - 1, 0), min(last + 1, len(signs)) + 1)
        # What was narrowed for others is wide again: this one leaves them room.
        wide = [legal[i] & ~in_range(pitches[i], pitches[i]) if first <= i <= last else masks[i] for i in row]
        narrow = _narrowed(wide, [steps[signs[i]] for i in row[:-1]])
        if narrow is not None:
            chosen |= unit
            masks[row.start : row.stop] = narrow
    return {i: masks[i] for i in chosen}


def _narrowed(masks: list[BoolArray], steps: Sequence[BoolArray]) -> list[BoolArray] | None:
    """Each note's pitches narrowed to those with neighbours on the right side of them; None where none are left.

    A chain needs one pass to and one fro. `steps`: from each note to the next (128, 128), which pitch (column) may
    follow which (row).
    """
    for i, step in enumerate(steps):
        masks[i + 1] = masks[i + 1] & step[masks[i]].any(axis=0)
    for i in range(len(steps) - 1, -1, -1):
        masks[i] = masks[i] & steps[i][:, masks[i + 1]].any(axis=1)
    return masks if all(mask.any() for mask in masks) else None


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)
