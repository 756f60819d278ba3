"""Which rules hold in which sections of a form, and between them, where their motif or their seams are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from melodygru.music.theory import TimeSignature
from melodygru.network.arrays import BoolArray
from melodygru.writing.config import GenerationConfig
from melodygru.writing.constraints.base import Constraint
from melodygru.writing.constraints.elsewhere import Within
from melodygru.writing.constraints.seams import BeginsElsewhere, Leads, SharedMotif, Tessitura
from melodygru.writing.layout import Layout
from melodygru.writing.sections import BEGIN_ON, GROUPED

if TYPE_CHECKING:
    from melodygru.writing.problem import Problem
    from melodygru.writing.wishes import Wish

MOTIF_BARS = 2
"""Bars of the motif that sections share: two of eight and more, else one."""


def in_sections(problem: Problem) -> Iterator[Wish]:
    """What is asked for in sections with wishes of their own, what in all others, and what of the whole."""
    yield from (wish for wish in problem.said() if wish.option not in GROUPED)
    own, letters = problem.config.own_wishes, dict.fromkeys(problem.layout.letters)
    for group in (*([letter] for letter in own), [letter for letter in letters if letter not in own]):
        if not (spans := problem.layout.sections_of(group)):
            continue
        config = problem.config.of_section(group[0])
        rests = [one for one in problem.layout.rest_stretches if any(start <= one[0] < end for start, end in spans)]
        layout = replace(problem.layout, sections=spans, letters=[], rest_stretches=rests)
        chords = problem.chords if config.chords else ()
        there = replace(problem, config=config, layout=layout, chords=chords, apart=True)
        for wish in there.said():
            if wish.option in GROUPED:
                section = group[0] if wish.option in own.get(group[0], ()) else ""
                at_home = [Tessitura(*config.pitches)] if section and wish.option == "range" else []
                yield replace(wish, rules=[Within(rule, spans) for rule in (*wish.rules, *at_home)], section=section)


def rules_between(config: GenerationConfig, layout: Layout, metre: TimeSignature) -> Iterator[Constraint]:
    """What sections share, where one begins that contrasts, and how they lead over. Nothing that was not asked for."""
    bar, drawn = metre.bar_steps, {region.start for region in layout.regions}
    if not layout.letters or not layout.sections:
        return
    firsts: dict[str, tuple[int, int]] = {}
    for letter, span in zip(layout.letters, layout.sections, strict=False):
        if span[0] in drawn:
            firsts.setdefault(letter, span)
    contrasts = [letter for letter, wishes in config.own_wishes.items() if wishes.get(BEGIN_ON) == "other"]
    source, end = layout.sections[0]
    others = {letter: start for letter, (start, _) in firsts.items() if start != source}
    if config.motif in ("rhythm", "contour"):
        shared = [start for letter, start in others.items() if letter not in contrasts]
        shortest = min([end - source, *(stop - start for start, stop in firsts.values())])
        length = MOTIF_BARS * bar if shortest >= 4 * MOTIF_BARS * bar else bar
        yield SharedMotif(tuple(shared), source, min(length, shortest), config.motif == "contour")
    elsewhere = frozenset(others[letter] for letter in contrasts if letter in others)
    if elsewhere:
        yield BeginsElsewhere(elsewhere, source)
    if config.seams == "lead":
        yield Leads(leading(layout), max(bar // 2, min(metre.beat_steps, bar)), _ahead(layout))


def leading(layout: Layout) -> frozenset[int]:
    """The steps where a section ends that another one follows, and that does not end the piece."""
    ends = {end for _, end in layout.sections}
    return frozenset(
        region.end
        for number, region in enumerate(layout.regions)
        if region.end in ends and region.joins is not None and number != layout.closing
    )


def open_ended(layout: Layout, tonic: BoolArray) -> Layout:
    """Sections that lead over end on none of these pitches (128,)."""
    seams = leading(layout)
    regions = [
        replace(region, joins=region.joins & ~tonic) if region.joins is not None and region.end in seams else region
        for region in layout.regions
    ]
    return replace(layout, regions=regions)


def _ahead(layout: Layout) -> dict[int, int]:
    """Of each step where a drawn section ends that something written before follows, where that was written."""
    found: dict[int, int] = {}
    for region in layout.regions:
        for copy in layout.script.copies:
            if copy.start in layout.heard_at(region.end) and copy.source < region.start:
                found.setdefault(region.end, copy.source)
    return found
