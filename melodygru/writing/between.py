"""Which rules hold between the sections of a form, where their motif or their seams are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from melodygru.music.theory import TimeSignature
from melodygru.network.arrays import BoolArray
from melodygru.writing.config import GenerationConfig
from melodygru.writing.constraints.base import Constraint
from melodygru.writing.constraints.seams import BeginsElsewhere, Leads, SharedMotif
from melodygru.writing.layout import Layout
from melodygru.writing.sections import BEGIN_ON

MOTIF_BARS = 2
"""Bars of the motif that sections share: two of eight and more, else one."""


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
