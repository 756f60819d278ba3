"""From what is asked of new melodies to what the sampler works with.

A piece is laid out (metre, key, bars, form, primer, chords), and becomes a `melodygru.writing.problem.Problem`. Wishes
that contradict one another are found before anything is drawn.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from melodygru.errors import UsageError
from melodygru.music.chord_keys import estimate_key
from melodygru.music.chords import ChordSpan
from melodygru.music.form import Stretch, stretches
from melodygru.music.melody import Melody
from melodygru.music.scales import parse_scale
from melodygru.music.theory import SCALES, Key, TimeSignature
from melodygru.network.tokenizer import REST, PieceMeta
from melodygru.records import dataclass
from melodygru.writing.between import open_ended, rules_between
from melodygru.writing.config import GenerationConfig
from melodygru.writing.constraints.base import Constraint, in_range, of_classes
from melodygru.writing.constraints.past import Banned, Continues, Departs
from melodygru.writing.constraints.places import Closed, Joints
from melodygru.writing.layout import (
    Layout,
    Region,
    Script,
    chords_over,
    given_events,
    in_sections,
    joint_pitches,
    lay_out_parts,
    rest_stretches,
)
from melodygru.writing.lookahead import Lookahead
from melodygru.writing.problem import Problem
from melodygru.writing.sections import own_spans
from melodygru.writing.styles import conditions_for
from melodygru.writing.values import DEFAULT_BARS

MINOR_SCALES = ("natural minor", "harmonic minor", "melodic minor", "minor pentatonic", "blues")
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
        if config.seams == "lead":
            plan(replace(config, seams="free"), max_duration, banned, primer, keep_primer, loops)
            raise UsageError(
                "--seams lead cannot be kept with what is asked of the sections here; say --seams free, or allow them "
                "more: a wider range, or more notes a bar."
            )
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
    key = _key(config, spans or next(filter(None, own_spans(config, metre)), ()), primer)
    form, lengths = config.parsed_form, config.section_lengths()
    bars = sum(lengths) or config.bars or DEFAULT_BARS
    given = given_events(primer, bar - pickup if pickup else 0, max_duration)
    begins = sum(duration for duration, _ in given.values())
    if primer is not None:
        done = begins // bar - bool(pickup)
        if not keep_primer:
            bars += done
        elif (left := (bars + bool(pickup)) * bar - begins) <= 0 or left == pickup:  # the pickup's place when it loops
            raise UsageError(
                f"The primer has {primer.bars} bar{'s' * (primer.bars != 1)}, and --bars is {bars}; ask for more bars, "
                "shorten the primer with --primer-bars, or leave it out of the file with --no-include-primer."
            )
    meta = PieceMeta(metre, key, bars, pickup > 0)
    origin = bar if pickup else 0
    parts = [Stretch(0, bars)] if form is None else stretches(form, lengths)
    layout = lay_out_parts(parts, origin - pickup, bar, meta.length, given, begins)
    sizes = [each * bar for each in lengths]
    chords = chords_over(spans, origin, meta.length, sizes, own_spans(config, metre))
    meta = replace(meta, conditions=conditions_for(config, metre, chords))
    layout = replace(
        layout,
        rest_stretches=rest_stretches(meta, begins, origin - pickup, lengths),
        sections=[
            (max(at, begins), end)
            for at, end in in_sections(origin - pickup, layout.nominal_end, sizes or [bars * bar])
        ],
        letters=[] if form is None else [section.letter for section in form.sections],
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
    further += rules_between(config, layout, metre)
    layout = _ending_on(layout, classes)
    if config.seams == "lead":
        layout = open_ended(layout, of_classes((key.tonic,)))
    return replace(problem, layout=layout, further=further)


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
        mode = "minor" if name in MINOR_SCALES else name if name in SCALES else said.mode
        return replace(said, mode=mode)
    return said


def _joined(
    problem: Problem, sources: set[int], regions: Sequence[Region], more: Sequence[Constraint] = ()
) -> tuple[Lookahead | None, tuple[Sequence[Region], Joints] | None]:
    """A look-ahead in which repeats of what begins at these steps can be reached, and what it was narrowed to."""
    config, layout = problem.config, problem.layout
    starts = {copy.start for copy in layout.script.copies if copy.source in sources}
    before = [region.start for region in layout.regions if layout.heard_at(region.end) & starts]
    begun, ended = [_range_at(problem, step) for step in sources], [_range_at(problem, step) for step in before]
    whole = min(low for low, _ in [*begun, *ended]), max(high for _, high in [*begun, *ended])
    rooms = [in_range(*pitches) for pitches in begun], [in_range(*pitches) for pitches in ended]
    for firsts, lasts in joint_pitches(whole, config.max_leap or 0, config.no_repeat_notes == 1):
        if not all((room & firsts).any() for room in rooms[0]) or not all((room & lasts).any() for room in rooms[1]):
            continue  # no melody is in that range here
        narrowed = [
            replace(region, joins=region.joins & lasts)
            if region.joins is not None and layout.heard_at(region.end) & starts
            else region
            for region in regions
        ]
        joints = Joints(sources, firsts)
        ahead = problem.look(problem.wishes, regions=narrowed, more=[*more, joints])
        if ahead is not None:
            return ahead, (narrowed, joints)
    return None, None


def _range_at(problem: Problem, step: int) -> tuple[int, int]:
    """The range that a section has, of those that a step lies in."""
    each = zip(problem.layout.letters, problem.layout.sections, strict=False)
    letter = next((letter for letter, (start, end) in each if start <= step < end), "")
    return problem.config.of_section(letter).pitches if letter in problem.config.own_wishes else problem.config.pitches


def _with_joints(problem: Problem) -> Lookahead | None:
    """A look-ahead in which each repeat can be reached by a small leap; None where that is not needed.

    What a repeat begins with is known only when it is drawn for the first time, so all such beginnings and what leads
    to them are held to the first of `joint_pitches` with which the rest is possible.
    """
    config, layout = problem.config, problem.layout
    copies, leap = layout.script.copies, config.max_leap
    if not copies or leap is None or (leap > _JOINTS_UP_TO and not config.own_wishes):
        return None
    sources = {copy.source for copy in copies}
    ahead, _ = _joined(problem, sources, layout.regions)
    if ahead is not None:
        return ahead
    if len(sources) > 1 and config.own_wishes:
        # Sections with ranges of their own do not all meet at the same pitches: one place after the other.
        regions: Sequence[Region] = layout.regions
        rules: list[Constraint] = []
        for source in sorted(sources):
            ahead, joint = _joined(problem, {source}, regions, rules)
            if joint is None:
                if _joined(problem, {source}, layout.regions)[1] is None:
                    raise UsageError(
                        f"--max-leap {leap} and --form {config.form} contradict each other here: no way leads to "
                        "where a section is repeated from what stands before it; allow larger leaps, or let the ranges "
                        "of the sections meet."
                    )
                return None
            regions, rules = joint[0], [*rules, joint[1]]
        return ahead
    if len(sources) == 1:
        asked = [("max_leap", leap), ("no_repeat_notes", 1), ("contour", config.contour)]
        words = [wish.words for wish in problem.wishes if (wish.option, wish.value) in asked]
        raise UsageError(
            f"{', '.join(words)} and --form {config.form} contradict each other here: no way leads from the end of a "
            "section to its repeat; allow larger leaps, or change one of the other options."
        )
    return None
