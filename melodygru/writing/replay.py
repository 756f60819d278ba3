"""From a recipe to what it made: a file changed, a file made once more, and the chords that it was written to."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from os import PathLike
from typing import Any

from melodygru.errors import CheckpointError, MelodyGRUError, MidiError, UsageError
from melodygru.formats.midi.chord_text import chords_of_texts
from melodygru.formats.midi.parser import parse_midi, read_bytes
from melodygru.formats.reading import WHOLE
from melodygru.music.chords import ChordSpan
from melodygru.music.melody import Melody
from melodygru.writing.blending import blend, laid_over
from melodygru.writing.candidates import Generated, Order
from melodygru.writing.drawing import FILLINGS, VARIATIONS
from melodygru.writing.earlier_keys import as_before
from melodygru.writing.editing import Tune
from melodygru.writing.infilling import Filled, infill, whole_of
from melodygru.writing.layout import chords_over
from melodygru.writing.locks import Locks
from melodygru.writing.model import Model, load_model
from melodygru.writing.recipe import Recipe, melody_from_dict, rendered
from melodygru.writing.rewriting import parse_bars, span_of
from melodygru.writing.sections import own_spans
from melodygru.writing.variation import Varied, vary

Told = Callable[[float, int], None]
"""Told of candidates finished, and of all; of those under way, parts count."""

_READ_AS = ("track", "meter", "key", "pickup", "pace", "own_word")
"""What a recipe tells of how its file was read, see `melodygru.writing.editing.Tune.read_as`."""
_LARGEST_INPUT = 256 * 1024
"""Bytes of a file that is changed, up to which it is kept within the new one, so that that can be made again."""


def packed_input(tune: Tune) -> dict[str, Any]:
    """What a recipe keeps of a file that is changed."""
    packed = base64.b64encode(zlib.compress(tune.data, 9)).decode()
    kept = {"input": packed} if len(tune.data) <= _LARGEST_INPUT else {}
    return {"name": tune.melody.name, **kept}


def changed(
    recipe: Recipe, model: Model, tune: Tune, only: int | None = None, progress: Told | None = None
) -> tuple[Filled | Varied, Recipe, bytes]:
    """What `infill` and `vary` write: the melody, the recipe with the candidate's number, and the file.

    Raises UsageError for bars or options that do not fit, SamplingError if nothing was found.
    """
    details = recipe.details
    span = span_of(tune.melody, *parse_bars(details["bars"], tune.melody)) if "bars" in details else None
    config = replace(recipe.config, best_of=None)
    done: Filled | Varied
    locks = Locks.of(details, tune.melody)
    if recipe.command == "infill":
        if span is None and not locks:
            raise UsageError("There is nothing to fill; say which bars with --bars 5-8, or what stays with --lock.")
        span = span or whole_of(tune.melody)
        candidates = recipe.config.best_of or FILLINGS
        report = _counting(progress, candidates, only)
        done = infill(model, tune.melody, span, config, recipe.seed, candidates, only, report, locks)
    else:
        candidates = recipe.config.best_of or VARIATIONS
        amount, keep = float(details["amount"]), details.get("keep")
        report = _counting(progress, candidates, only)
        done = vary(model, tune.melody, amount, config, recipe.seed, keep, span, candidates, only, report, locks)
    recipe = replace(recipe, number=done.number)
    return done, recipe, tune.rewritten(done.melody, recipe.text())


def _counting(progress: Told | None, candidates: int, only: int | None) -> Callable[[float], None] | None:
    """Something to call with the candidates that are finished, where there is something to be told."""
    if progress is None:
        return None
    total = candidates if only is None else 1
    return lambda done: progress(done, total)


def input_of(recipe: Recipe) -> Tune:
    """The file that was changed. Raises MidiError if the recipe does not hold it, or it cannot be read."""
    try:
        data = zlib.decompressobj().decompress(base64.b64decode(recipe.details["input"]), _LARGEST_INPUT)
    except (KeyError, ValueError, TypeError, zlib.error) as error:
        raise MidiError(
            "does not hold the file that it was made from, which was too large; make it anew from that."
        ) from error
    told = {name: recipe.details[name] for name in _READ_AS if name in recipe.details}
    return Tune.parse(data, str(recipe.details.get("name", "")), replace(WHOLE, **{"own_word": False, **told}))


def made_again(
    recipe: Recipe,
    model: Model,
    progress: Told | None = None,
    finish: Callable[[Generated, Recipe], bytes] = rendered,
) -> bytes:
    """The bytes of the file that the recipe is of, given its model; `progress` as in `changed`.

    `finish` makes the file of a new melody: whoever knows arrangements puts tracks around it.

    Raises UsageError or SamplingError where this version cannot do what the recipe asks, MidiError if it needs a file
    that it does not hold.
    """
    if recipe.command == "generate":
        include = bool(recipe.details.get("include_primer", True))
        report = _counting(progress, 1, None)
        takes, loops = str(recipe.details.get("takes", "")), bool(recipe.details.get("loops", False))
        order = Order(as_before(recipe), recipe.seed, recipe.source, include, takes=takes, loops=loops)
        generated = model.compose_again(order, recipe.number, report)
        return finish(generated, recipe)
    if recipe.command == "blend" and recipe.source is not None:
        pair = laid_over(recipe.source, melody_from_dict(recipe.details["second"], recipe.as_written))
        share = int(recipe.details["step"]) / (int(recipe.details["steps"]) + 1)
        report = _counting(progress, 1, 0)
        return rendered(blend(model, pair, share, recipe.config, recipe.seed, recipe.number, report), recipe)
    return changed(recipe, model, input_of(recipe), recipe.number, progress)[2]


def recipe_of(data: bytes) -> Recipe | None:
    """How a file's bytes say that it was made; None for scores, files of others, and what cannot be read."""
    try:
        return Recipe.find(parse_midi(data).texts)
    except MelodyGRUError:
        return None


def recipe_in(path: str | PathLike[str]) -> Recipe | None:
    """`recipe_of` a file; None, too, for one that is not there."""
    try:
        return recipe_of(read_bytes(path))
    except MelodyGRUError:
        return None


def style_of(path: str | PathLike[str]) -> str | None:
    """The style that a file was written in, if it says one."""
    recipe = recipe_in(path)
    return None if recipe is None else recipe.config.style


def model_of(path: str | PathLike[str]) -> Model:
    """The model that a file says it was written with, if it is here; else the one that comes along."""
    recipe = recipe_in(path)
    if recipe is not None:
        with suppress(CheckpointError):
            return load_model(recipe.model)
    return load_model()


def chords_in(path: str | PathLike[str], melodies: Sequence[Melody]) -> tuple[ChordSpan, ...]:
    """The chords that a MIDI file was written to or harmonized with, in steps of its melody; none of several melodies.

    None, too, for scores, and for files with a recipe that cannot be read or does not fit: `melodygru info` says why.
    """
    if len(melodies) != 1:
        return ()
    try:
        texts = parse_midi(read_bytes(path)).texts
        told = chords_of_texts(texts, melodies[0].length)
        recipe = None if told else Recipe.find(texts)
        return told if recipe is None else chords_of(recipe, melodies[0])
    except MelodyGRUError:
        return ()


def chords_of(recipe: Recipe, melody: Melody) -> tuple[ChordSpan, ...]:
    """The chords of a recipe, in steps of the melody that it made; only where it wrote anew.

    Raises UsageError for a melody of other bars or another metre.
    """
    config, bar = recipe.config, melody.time_signature.bar_steps
    origin, left_out = bar if melody.pickup else 0, 0
    sizes: list[int] = []
    own: list[tuple[ChordSpan, ...]] = []
    if recipe.command == "generate":
        sizes, own = [bars * bar for bars in config.section_lengths()], own_spans(config, melody.time_signature)
        if recipe.source is not None and not recipe.details.get("include_primer", True):
            # The chords began with the primer, which is not in the file.
            origin = bar if recipe.source.pickup else 0
            left_out = recipe.source.notes[-1].end // bar * bar if recipe.source.notes else 0
    start, end = left_out, left_out + melody.length
    if recipe.command != "generate" and recipe.details.get("bars") is not None:
        start, end = span_of(melody, *parse_bars(str(recipe.details["bars"]), melody))
    return tuple(
        replace(span, onset=max(span.onset, start) - left_out, end=min(span.end, end) - left_out)
        for span in chords_over(config.spans(melody.time_signature), origin, left_out + melody.length, sizes, own)
        if span.onset < end and span.end > start
    )
