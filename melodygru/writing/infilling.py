"""New bars between kept ones.

The model writes from left to right, so it cannot know what follows a gap. So many fillings are drawn, half of them from
what stands before it alone, half with a lean towards what stands some bars later (tunes return to what they have said);
the one is taken that makes what follows most probable to the model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from melodygru.errors import UsageError
from melodygru.music.melody import Melody
from melodygru.network.tokenizer import Tokenizer
from melodygru.option import described
from melodygru.writing.config import GenerationConfig
from melodygru.writing.constraints.base import Constraint
from melodygru.writing.constraints.fidelity import Foreshadows
from melodygru.writing.constraints.places import BeginsBefore
from melodygru.writing.drawing import FILLINGS
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
) -> Filled:
    """The melody with the steps of `span` (see `gap_of`) written anew; every note that begins elsewhere stays.

    Args:
        model: what writes and weighs.
        melody: the whole.
        span: bars to fill, in steps.
        config: wishes for what is new.
        seed: at least 0.
        candidates: how many fillings to choose from, as `best_of` of `GenerationConfig`.
        only: make this candidate and no other.
        progress: called with how many candidates are finished; of those under way, parts count.

    Raises:
        UsageError: wishes that cannot be kept there.
        SamplingError: no filling was found.
    """
    described(GenerationConfig)["best_of"].check_limits(candidates)
    leave_to_melody(config, "infill", melody)
    config = understood(config, model.context, model.name)
    start, end = gap_of(melody, span)
    tokens = model.checkpoint.tokenizer_config
    found: list[Filled] = []
    for first, last, lead in _groups(melody, (start, end), candidates):
        if only is not None:
            first, last = max(first, only), min(last, only + 1)
        if first >= last:
            continue
        rules: list[Constraint] = [BeginsBefore(span[1], start)]
        if lead:
            rules.append(Foreshadows(melody, lead))
        made = plan_rewriting(config, melody, [(start, end)], rules, model.banned(config), tokens.max_duration)
        report = None if progress is None else (lambda done, before=len(found): progress(before + done))
        drawn = sample(
            model.engine, made.meta, last - first, config.sampling, made.ahead, seed, first, made.script, report
        )
        for number, one in enumerate(drawn, first):
            whole = Tokenizer(tokens).decode(one.events, melody.qpm, melody.name)
            found.append(_judged(replace(whole, key=melody.key), one, number, start, end))
    # Bars that were asked for anew are not to come out as they were.
    found = [one for one in found if _new(one.melody, melody, start, end) >= LEAST_NEW] or found
    found.sort(key=lambda one: one.nats)
    # Where nothing follows, the filling in the middle: neither dull nor lost.
    return found[0] if found[0].follows else found[len(found) // 2]


def _new(whole: Melody, melody: Melody, start: int, end: int) -> float:
    """The share of the old notes in [start, end) that do not stand again, in [0, 1]."""
    there = {(note.onset, note.pitch) for note in whole.notes}
    old = [(note.onset, note.pitch) for note in melody.notes if start <= note.onset < end]
    return sum(note not in there for note in old) / len(old) if old else 1.0


def _groups(melody: Melody, gap: Span, candidates: int) -> list[tuple[int, int, int]]:
    """(first, last, lead) of the candidates [first, last) that look `lead` steps ahead; half look nowhere (0)."""
    bar = melody.time_signature.bar_steps
    leads = [
        lead
        for lead in (bars * bar for bars in LEADS)
        if any(gap[1] <= note.onset and gap[0] <= note.onset - lead < gap[1] for note in melody.notes)
    ]
    plain = candidates if not leads else -(-candidates // 2)
    borders = [plain + (candidates - plain) * i // max(len(leads), 1) for i in range(len(leads) + 1)]
    return [(0, plain, 0), *((one, two, lead) for one, two, lead in zip(borders, borders[1:], leads, strict=False))]


def _judged(whole: Melody, drawn: Drawn, number: int, start: int, end: int) -> Filled:
    stop = end + WEIGHED_BARS * whole.time_signature.bar_steps
    follows = any(end <= note.onset < stop for note in whole.notes)
    first, last = (end, stop) if follows else (start, end)
    return Filled(whole, number, float(drawn.nats[(drawn.onsets >= first) & (drawn.onsets < last)].sum()), follows)
