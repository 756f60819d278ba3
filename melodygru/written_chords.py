"""The chords that a melody was written to, as its file's recipe tells them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from os import PathLike

from melodygru.chords import ChordSpan
from melodygru.errors import MelodyGRUError
from melodygru.form import Form
from melodygru.layout import chords_over
from melodygru.melody import Melody
from melodygru.midi import read_midi
from melodygru.recipe import Recipe
from melodygru.rewriting import parse_bars, span_of


def chords_in(path: str | PathLike[str], melodies: Sequence[Melody]) -> tuple[ChordSpan, ...]:
    """The chords that a file was written to, in steps of its melody; none for a file of several melodies.

    None, too, for scores, and for files with a recipe that cannot be read or does not fit: `melodygru info` says why.
    """
    if len(melodies) != 1:
        return ()
    try:
        recipe = Recipe.find(read_midi(path).texts)
        return () if recipe is None else chords_of(recipe, melodies[0])
    except MelodyGRUError:
        return ()


def chords_of(recipe: Recipe, melody: Melody) -> tuple[ChordSpan, ...]:
    """The chords of a recipe, in steps of the melody that it made; only where it wrote anew.

    Raises UsageError for a melody of other bars or another metre.
    """
    config, bar = recipe.config, melody.time_signature.bar_steps
    origin, left_out, section = bar if melody.pickup else 0, 0, 0
    if recipe.command == "generate":
        if config.form is not None:
            count = len(Form.parse(config.form).sections)
            section = (config.section_bars or (8 if config.bars is None else config.bars // count)) * bar
        if recipe.source is not None and not recipe.details.get("include_primer", True):
            # The chords began with the primer, which is not in the file.
            origin = bar if recipe.source.pickup else 0
            left_out = recipe.source.notes[-1].end // bar * bar if recipe.source.notes else 0
    start, end = left_out, left_out + melody.length
    if recipe.command != "generate" and recipe.details.get("bars") is not None:
        start, end = span_of(melody, *parse_bars(str(recipe.details["bars"]), melody))
    return tuple(
        replace(span, onset=max(span.onset, start) - left_out, end=min(span.end, end) - left_out)
        for span in chords_over(config.spans(melody.time_signature), origin, left_out + melody.length, section)
        if span.onset < end and span.end > start
    )
