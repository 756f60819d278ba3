"""The same tune, changed by as much as asked for.

The amount is the share of the tune's notes that do not stand again: with the same onset and pitch, or, where pitches
are kept, with the same onset and duration; what is locked is not counted. Notes to change are chosen by a seed, off the
beats first; each chosen one must not be what it was, and the model writes what it is instead. Of a few candidates the
most probable is taken.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from melodygru.errors import UsageError
from melodygru.music.melody import Melody, Note
from melodygru.network.arrays import BoolArray
from melodygru.network.tokenizer import Tokenizer
from melodygru.option import described
from melodygru.records import dataclass
from melodygru.writing.config import GenerationConfig
from melodygru.writing.drawing import AMOUNT, KEEP, VARIATIONS
from melodygru.writing.locks import PITCHES as PITCH
from melodygru.writing.locks import RHYTHM, Locks
from melodygru.writing.rewriting import Span, leave_to_melody, pitches_wished
from melodygru.writing.sampler import sample
from melodygru.writing.styles import understood
from melodygru.writing.variation_plans import plan_anew, plan_pitches, plan_rhythm, rows_in_order

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
        made = plan_rhythm(model, melody, config, inside, amount, chance)
    else:
        legal = pitches_wished(config, melody)
        order = _order(melody, inside, legal, chance)
        target = round(amount * len(inside))
        if keep is None:
            chosen = _chosen(order, target, chance)
            rows = rows_in_order(melody, [i for i in inside if kept[i] == PITCH], chosen, config, chance)
            made = plan_anew(model, melody, config, chosen, span, kept, rows)
        else:
            # What stays as it was may be anybody's; a guard would forbid it.
            banned = model.banned(config) if target == len(order) and not locks else None
            made = plan_pitches(model, melody, config, order, target, span, keep == "contour", legal, banned)
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
