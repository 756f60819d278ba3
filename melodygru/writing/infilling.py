"""New bars between kept ones.

The model writes from left to right, so it cannot know what follows a gap. So many fillings are drawn, half of them from
what stands before it alone, half with a lean towards what stands some bars later (tunes return to what they have said);
the one is taken that makes what follows most probable to the model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from melodygru.errors import SamplingError, UsageError
from melodygru.music.melody import Melody
from melodygru.network.tokenizer import REST, Tokenizer
from melodygru.option import described
from melodygru.records import dataclass
from melodygru.writing.config import GenerationConfig
from melodygru.writing.constraints.base import PITCHES, Constraint, in_range
from melodygru.writing.constraints.fidelity import AsWritten, Foreshadows, InOrder, Unlike
from melodygru.writing.constraints.places import Closed
from melodygru.writing.drawing import FILLINGS
from melodygru.writing.locks import Locks, Parts, parts_of, share_changed
from melodygru.writing.planner import Plan
from melodygru.writing.rewriting import Span, leave_to_melody, plan_rewriting
from melodygru.writing.sampler import Drawn, sample
from melodygru.writing.styles import understood

if TYPE_CHECKING:
    from melodygru.writing.model import Model


LEADS = (1, 2, 4, 8, 16)
"""Bars by which half of the fillings look ahead."""
LEAST_NEW = 0.1
"""Share of the notes that stood in the bars which a filling must not have again, if any filling does not."""
WEIGHED_BARS = 8
"""Bars after the gap that weigh the fillings: what is farther away hardly tells them apart."""


@dataclass(frozen=True)
class Filled:
    """A melody with a gap filled.

    Attributes:
        melody: the whole.
        number: which candidate it is, from 0.
        nats: negative log-likelihood under the model of the eight bars after the gap, or of the filling at the end.
        follows: whether something follows.
    """

    melody: Melody
    number: int
    nats: float
    follows: bool


def gap_of(melody: Melody, span: Span) -> Span:
    """The steps that are written anew if the bars of `span` are.

    A note that sounds into them stays whole, and where one sounded out of them, what is new may too.

    Raises UsageError if a kept note fills the bars.
    """
    start, end = span
    for note in melody.notes:
        if note.onset < start < note.end:
            start = note.end
        if start <= note.onset < end < note.end:
            end = note.end
    if start >= end:
        raise UsageError("A note that begins before fills these bars; choose bars in which notes begin.")
    return start, end


def infill(
    model: Model,
    melody: Melody,
    span: Span,
    config: GenerationConfig,
    seed: int,
    candidates: int = FILLINGS,
    only: int | None = None,
    progress: Callable[[float], None] | None = None,
    locks: Locks = Locks(),
) -> Filled:
    """The melody with the steps of `span` (see `gap_of`) written anew; every note that begins elsewhere stays.

    Args:
        model: what writes and weighs.
        melody: the whole.
        span: bars to fill, in steps; see `whole_of` for all of them.
        config: wishes for what is new.
        seed: at least 0.
        candidates: how many fillings to choose from, as `best_of` of `GenerationConfig`.
        only: make this candidate and no other.
        progress: called with how many candidates are finished; of those under way, parts count.
        locks: what stays within the span too.

    Raises:
        UsageError: wishes that cannot be kept there.
        SamplingError: no filling was found.
    """
    described(GenerationConfig)["best_of"].check_limits(candidates)
    leave_to_melody(config, "infill", melody)
    config = understood(config, model.context, model.name)
    if not locks:
        gap_of(melody, span)
    parts = parts_of(melody, span, locks, config.grid_steps(melody.time_signature))
    spans = parts.spans
    work = _Filling(model, melody, parts, config, seed)
    found: list[Filled] = []
    # What comes again has its own traits: where others are asked for, no filling leans towards it.
    others = config.syncopation is not None or config.leaps is not None
    for first, last, lead in _groups(melody, (spans[0][0], spans[-1][1]), candidates, leans=not others):
        if only is not None:
            first, last = max(first, only), min(last, only + 1)
        if first < last:
            report = None if progress is None else (lambda done, before=len(found): progress(before + done))
            found += work.draw(first, last, lead, report)
    changed = [one for one in found if share_changed(melody, one.melody, parts) > 0]
    if locks and not any(one.melody.notes != melody.notes for one in changed):
        # So little is free that it came out as it was each time: one note of it has to be another.
        found = changed = work.draw(0, 1, 0, None, unlike=True)
        if found and found[0].melody.notes == melody.notes:
            raise UsageError("What is not locked there can be nothing else than it is; lock less, or fill other bars.")
    if not found:
        raise SamplingError("No filling was found that keeps to everything asked for; lock less, or wish for less.")
    # What was asked for anew is not to come out as it was.
    found = [one for one in changed if share_changed(melody, one.melody, parts) >= LEAST_NEW] or changed or found
    found.sort(key=lambda one: one.nats)
    # Where nothing follows, the filling in the middle: neither dull nor lost.
    return found[0] if found[0].follows else found[len(found) // 2]


def whole_of(melody: Melody) -> Span:
    """All steps of a melody, from its first note's place on if that is a pickup's."""
    return (melody.time_signature.bar_steps - melody.pickup if melody.pickup else 0), melody.length


@dataclass(frozen=True)
class _Filling:
    """Draws fillings of the parts of a melody that are to be written."""

    model: Model
    melody: Melody
    parts: Parts
    config: GenerationConfig
    seed: int

    def draw(
        self, first: int, last: int, lead: int, report: Callable[[float], None] | None, unlike: bool = False
    ) -> list[Filled]:
        """The candidates [first, last), that look `lead` steps ahead; `unlike`: the first free note is another.

        Where there are locks, none if some of them meets dead ends only.
        """
        tokens, locked = self.model.checkpoint.tokenizer_config, len(self.parts.spans) > 1
        made = self._plan(lead, unlike)
        try:
            drawn = sample(
                self.model.engine, made.meta, last - first, self.config.sampling, made.ahead, self.seed, first,
                made.script, report,
            )  # fmt: skip
        except SamplingError:
            if not locked:
                raise
            return []
        found = []
        for number, one in enumerate(drawn, first):
            whole = Tokenizer(tokens).decode(one.events, self.melody.qpm, self.melody.name)
            found.append(_judged(replace(whole, key=self.melody.key), one, number, self.parts))
        return found

    def _plan(self, lead: int, unlike: bool) -> Plan:
        parts, melody, longest = self.parts, self.melody, self.model.checkpoint.tokenizer_config.max_duration
        rules: list[Constraint] = [Closed(parts.closed)]
        if lead:
            rules.append(Foreshadows(melody, lead))
        if parts.rhythm:
            numbers = [i for i, n in enumerate(melody.notes) if any(s <= n.onset < e for s, e in parts.rhythm)]
            anything = in_range(0, PITCHES - 1)
            rules.append(AsWritten(melody, dict.fromkeys(numbers, anything), longest, parts.rhythm))
        free = [n for n in melody.notes if any(s <= n.onset < e for s, e in (*parts.free, *parts.rhythm))]
        if unlike and free:
            rules.append(Unlike(free[:1]))
        for changes in (True, False) if parts.pitches else (False,):
            in_order = [InOrder(melody, parts.pitches, changes)] if parts.pitches else []
            try:
                return plan_rewriting(
                    self.config, melody, parts.spans, [*rules, *in_order], self.model.banned(self.config), longest,
                    (parts.spans[0][0], parts.spans[-1][1]), fixed_rhythm=parts.rhythm, fixed_pitches=parts.pitches,
                )  # fmt: skip
            except UsageError:
                if not changes:
                    raise
        raise AssertionError("the last way returns or raises")


def _groups(melody: Melody, gap: Span, candidates: int, leans: bool = True) -> list[tuple[int, int, int]]:
    """(first, last, lead) of the candidates [first, last) that look `lead` steps ahead; half look nowhere (0)."""
    bar = melody.time_signature.bar_steps
    leads = [
        lead
        for lead in (bars * bar for bars in LEADS)
        if leans and any(gap[1] <= note.onset and gap[0] <= note.onset - lead < gap[1] for note in melody.notes)
    ]
    plain = candidates if not leads else -(-candidates // 2)
    borders = [plain + (candidates - plain) * i // max(len(leads), 1) for i in range(len(leads) + 1)]
    return [(0, plain, 0), *((one, two, lead) for one, two, lead in zip(borders, borders[1:], leads, strict=False))]


def _judged(whole: Melody, drawn: Drawn, number: int, parts: Parts) -> Filled:
    """How probable what was kept is behind what is new, up to eight bars after it; what is new where nothing is."""
    new = np.zeros(len(drawn.onsets), np.bool_)
    for start, end in parts.spans:
        new |= (drawn.onsets >= start) & (drawn.onsets < end)
    stop = parts.spans[-1][1] + WEIGHED_BARS * whole.time_signature.bar_steps
    kept = ~new & (drawn.onsets >= parts.spans[0][1]) & (drawn.onsets < stop)
    follows = bool((drawn.events.pitches[kept] < REST).any())
    return Filled(whole, number, float(drawn.nats[kept if follows else new].sum()), follows)
