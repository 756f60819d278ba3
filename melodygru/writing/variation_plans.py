"""What a variation may write: chosen notes anew, the same pitches in another rhythm, or other pitches in the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from melodygru.errors import UsageError
from melodygru.music.melody import Melody
from melodygru.network.arrays import BoolArray
from melodygru.writing.config import GenerationConfig
from melodygru.writing.constraints.base import PITCHES, Constraint, in_range
from melodygru.writing.constraints.fidelity import AsWritten, InOrder, SameContour, Unlike
from melodygru.writing.constraints.past import Banned
from melodygru.writing.constraints.places import NoRests
from melodygru.writing.locks import RHYTHM
from melodygru.writing.planner import Plan
from melodygru.writing.rewriting import Span, plan_rewriting
from melodygru.writing.same_line import along_the_line
from melodygru.writing.wishes import OF_PITCH, OF_RHYTHM

if TYPE_CHECKING:
    from melodygru.writing.model import Model


def plan_anew(
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


def rows_in_order(
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


def plan_rhythm(
    model: Model, melody: Melody, config: GenerationConfig, inside: Sequence[int], amount: float, chance: Random
) -> Plan:
    """Rows of notes in another rhythm, until the share `amount` of those `inside` changes. Pitches stay in order."""
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


def plan_pitches(
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
    """The first `target` notes of `order` at another pitch, of those that are `legal` (N, 128); the rhythm stays."""
    if contour:
        masks = along_the_line(melody, order, target, legal, config.max_leap or PITCHES)
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
