"""From what is asked of new melodies to what the sampler works with.

A piece is laid out (metre, key, bars, form, primer, chords), and becomes a `melodygru.writing.wishes.Problem`. Wishes
that contradict one another are found before anything is drawn.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from melodygru.errors import UsageError
from melodygru.music.chords import ChordSpan, estimate_key
from melodygru.music.form import Form, Stretch, stretches
from melodygru.music.melody import Melody
from melodygru.music.theory import SCALES, Key, TimeSignature, parse_scale
from melodygru.network.tokenizer import REST, PieceMeta
from melodygru.writing.config import GenerationConfig
from melodygru.writing.constraints.base import Constraint, of_classes
from melodygru.writing.constraints.past import Banned, Continues, Departs
from melodygru.writing.constraints.places import Closed, Joints
from melodygru.writing.layout import (
    Layout,
    Script,
    chords_over,
    given_events,
    joint_pitches,
    lay_out_parts,
    rest_stretches,
)
from melodygru.writing.lookahead import Lookahead
from melodygru.writing.styles import conditions_for
from melodygru.writing.values import DEFAULT_BARS
from melodygru.writing.wishes import Problem

_MINOR = ("natural minor", "harmonic minor", "melodic minor", "minor pentatonic", "blues")
_JOINTS_UP_TO = 7
"""Largest leap, in semitones, with which ends of sections are seldom near enough to beginnings by themselves."""


@dataclass(frozen=True)
class Plan:
    """How melodies are to be written.

    Attributes:
        meta: metre, key and bars of the whole, what is given included.
        qpm: tempo.
        ahead: what may be drawn.
        script: what stands fast or is repeated.
        chords: the progression laid out over the melody; empty without chords.
        begins: the step at which new music begins.
        judged: half-open ranges of steps that are not drawn, and must follow well on what is: repeats.
        fills_out: whether the last note is held to the last bar line.
    """

    meta: PieceMeta
    qpm: float
    ahead: Lookahead
    script: Script
    chords: tuple[ChordSpan, ...] = ()
    begins: int = 0
    judged: tuple[tuple[int, int], ...] = ()
    fills_out: bool = True


def plan(
    config: GenerationConfig,
    max_duration: int = 192,
    banned: Banned | None = None,
    primer: Melody | None = None,
    keep_primer: bool = True,
    loops: bool = False,
) -> Plan:
    """What the sampler works with.

    Args:
        config: what is asked for.
        max_duration: longest duration of an event, in steps.
        banned: see `melodygru.writing.constraints.past.Guard`; None bans nothing.
        primer: what the new melodies continue.
        keep_primer: whether the bars asked for include the primer's.
        loops: whether no note is to begin where the pickup comes when the full bars are played round, see
            `melodygru.music.melody.Melody.looped`.

    Raises:
        UsageError: wishes that cannot be kept, or contradict one another.
    """
    problem = _problem(config, max_duration, banned, primer, keep_primer)
    if loops:
        pickup = problem.pickup if primer is None else primer.pickup
        problem = replace(problem, further=[*problem.further, place_of_pickup(problem.meta.length, pickup)])
    ahead = problem.look(problem.wishes)
    ahead = problem.look(problem.wishes, relaxed=True) if ahead is None else _with_joints(problem) or ahead
    if ahead is None:
        raise problem.refusal()
    meta, script, bar = problem.meta, problem.layout.script, problem.meta.time_signature.bar_steps
    qpm = primer.qpm if primer is not None and config.bpm is None else config.tempo
    judged = tuple((copy.start, min(copy.end, copy.start + 2 * bar)) for copy in script.copies)
    fills_out = not problem.pickup or config.rests in ("none", "few")
    return Plan(meta, qpm, ahead, script, problem.chords, problem.begins, judged, fills_out)


def place_of_pickup(length: int, pickup: int) -> Closed:
    """No note begins in the last `pickup` of so many steps, where the pickup comes when the full bars go round."""
    return Closed(np.arange(length) >= length - pickup)


def _problem(
    config: GenerationConfig, max_duration: int, banned: Banned | None, primer: Melody | None, keep_primer: bool
) -> Problem:
    metre = _metre(config, primer)
    bar = metre.bar_steps
    pickup = config.pickup_steps(metre) if primer is None else primer.pickup
    if primer is not None and config.pickup_steps(metre):
        raise UsageError("--pickup and --primer contradict each other: the primer says whether there is a pickup.")
    spans = config.spans(metre)
    key = _key(config, spans, primer)
    form, bars, section_bars = _bars(config)
    given = given_events(primer, bar - pickup if pickup else 0, max_duration)
    begins = sum(duration for duration, _ in given.values())
    if primer is not None:
        done = begins // bar - bool(pickup)
        if not keep_primer:
            bars += done
        elif begins >= (bars + bool(pickup)) * bar:
            raise UsageError(
                f"The primer has {primer.bars} bar{'s' * (primer.bars != 1)}, and --bars is {bars}; ask for more bars, "
                "shorten the primer with --primer-bars, or leave it out of the file with --no-include-primer."
            )
    meta = PieceMeta(metre, key, bars, pickup > 0)
    origin = bar if pickup else 0
    parts = [Stretch(0, bars)] if form is None else stretches(form, section_bars)
    layout = lay_out_parts(parts, origin - pickup, bar, meta.length, given, begins)
    each = (section_bars or bars) * bar
    chords = chords_over(spans, origin, meta.length, section_bars * bar)
    meta = replace(meta, conditions=conditions_for(config, metre, chords))
    layout = replace(
        layout,
        rest_stretches=rest_stretches(meta, begins, origin - pickup, section_bars),
        sections=[(max(at, begins), at + each) for at in range(origin - pickup, layout.nominal_end, each)],
    )
    problem = Problem(
        config,
        meta,
        layout,
        max_duration,
        first_by=max(bar, begins + bar),
        chords=chords,
        begins=begins,
        around=primer,
        before=-1 if primer is None or not primer.notes else primer.notes[-1].pitch,
        resting=bool(given) and list(given.values())[-1][1] == REST,
        pickup=pickup,
        banned=banned,
    )
    wish, classes = problem.home
    further: list[Constraint] = [] if primer is None else [Continues()]
    if layout.departures:
        further.append(Departs(layout.departures, of_classes(() if wish == "any" else classes)))
    return replace(problem, layout=_ending_on(layout, classes), further=further)


def _ending_on(layout: Layout, classes: Collection[int]) -> Layout:
    """Where the last section repeats another, that one ends as the piece is to end: on one of these pitch classes."""
    return replace(
        layout,
        regions=[
            replace(region, joins=of_classes(classes))
            if number == layout.closing and region.joins is not None
            else region
            for number, region in enumerate(layout.regions)
        ],
    )


def _metre(config: GenerationConfig, primer: Melody | None) -> TimeSignature:
    if primer is None:
        return config.time_signature
    if config.meter is not None and config.time_signature != primer.time_signature:
        raise UsageError(
            f"--meter {config.meter} and the primer contradict each other: the primer is in {primer.time_signature}."
        )
    return primer.time_signature


def _key(config: GenerationConfig, spans: Sequence[ChordSpan], primer: Melody | None) -> Key:
    said = config.named_key
    if said is None:
        said = primer.key if primer is not None else estimate_key(spans) if spans else Key()
    bare = config.key is None or re.fullmatch(r"\s*[A-Ga-g]\s*([#b♯♭]|sharp|flat)?\s*", config.key)
    if config.scale is not None and bare:
        # "--key A --scale blues" means a blues in A, whose signature is A minor's.
        name = parse_scale(config.scale)
        mode = "minor" if name in _MINOR else name if name in SCALES else said.mode
        return replace(said, mode=mode)
    return said


def _bars(config: GenerationConfig) -> tuple[Form | None, int, int]:
    """The form, how many bars there are, and how many a section has (0 without a form)."""
    if config.form is None:
        return None, config.bars or DEFAULT_BARS, 0
    form = Form.parse(config.form)
    count = len(form.sections)
    each = config.bars_of_a_section(count)
    if config.bars not in (None, each * count):
        raise UsageError(
            f"--form {form} and --bars {config.bars} contradict each other: {count} section{'s' * (count != 1)} of "
            f"{max(each, 1)} bar{'s' * (each > 1)} would be {count * max(each, 1)}; leave --bars out, or set "
            "--section-bars."
        )
    return form, each * count, each


def _with_joints(problem: Problem) -> Lookahead | None:
    """A look-ahead in which each repeat can be reached by a small leap; None where that is not needed.

    What a repeat begins with is known only when it is drawn for the first time, so all such beginnings and what leads
    to them are held to the first of `joint_pitches` with which the rest is possible.
    """
    config, layout = problem.config, problem.layout
    copies, leap = layout.script.copies, config.max_leap
    if not copies or leap is None or leap > _JOINTS_UP_TO:
        return None
    sources, starts = {copy.source for copy in copies}, {copy.start for copy in copies}
    for firsts, lasts in joint_pitches(config.pitches, leap, config.no_repeat_notes == 1):
        regions = [
            replace(region, joins=region.joins & lasts)
            if region.joins is not None and layout.heard_at(region.end) & starts
            else region
            for region in layout.regions
        ]
        ahead = problem.look(problem.wishes, regions=regions, more=[Joints(sources, firsts)])
        if ahead is not None:
            return ahead
    if len(sources) == 1:
        asked = [("max_leap", leap), ("no_repeat_notes", 1), ("contour", config.contour)]
        words = [wish.words for wish in problem.wishes if (wish.option, wish.value) in asked]
        raise UsageError(
            f"{', '.join(words)} and --form {config.form} contradict each other here: no way leads from the end of a "
            "section to its repeat; allow larger leaps, or change one of the other options."
        )
    return None
