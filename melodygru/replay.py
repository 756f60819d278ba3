"""Files that are changed, and files made once more: from a recipe to bytes."""

from __future__ import annotations

import base64
import zlib
from dataclasses import replace
from typing import Any

from melodygru.editing import Tune
from melodygru.errors import MidiError, UsageError
from melodygru.generator import Model
from melodygru.infilling import CANDIDATES as FILLINGS
from melodygru.infilling import Filled, infill
from melodygru.recipe import Recipe
from melodygru.rendering import rendered
from melodygru.rewriting import parse_bars, span_of
from melodygru.variation import CANDIDATES as VARIATIONS
from melodygru.variation import Varied, vary

_LARGEST_INPUT = 256 * 1024
"""Bytes of a file that is changed, up to which it is kept within the new one, so that that can be made again."""


def packed_input(tune: Tune) -> dict[str, Any]:
    """What a recipe keeps of a file that is changed."""
    packed = base64.b64encode(zlib.compress(tune.data, 9)).decode()
    kept = {"input": packed} if len(tune.data) <= _LARGEST_INPUT else {}
    return {"name": tune.melody.name, **kept}


def changed(recipe: Recipe, model: Model, tune: Tune, only: int | None = None) -> tuple[Filled | Varied, Recipe, bytes]:
    """What `infill` and `vary` write: the melody, the recipe with the candidate's number, and the file.

    Raises UsageError for bars or options that do not fit, SamplingError if nothing was found.
    """
    details = recipe.details
    span = span_of(tune.melody, *parse_bars(details["bars"], tune.melody)) if "bars" in details else None
    config = replace(recipe.config, best_of=None)
    done: Filled | Varied
    if recipe.command == "infill":
        if span is None:
            raise UsageError("There is nothing to fill; say which bars with --bars 5-8.")
        candidates = recipe.config.best_of or FILLINGS
        done = infill(model, tune.melody, span, config, recipe.seed, candidates, only)
    else:
        candidates = recipe.config.best_of or VARIATIONS
        amount, keep = float(details["amount"]), details.get("keep")
        done = vary(model, tune.melody, amount, config, recipe.seed, keep, span, candidates, only)
    recipe = replace(recipe, number=done.number)
    return done, recipe, tune.rewritten(done.melody, recipe.text())


def made_again(recipe: Recipe, model: Model) -> bytes:
    """The bytes of the file that the recipe is of, given its model.

    Raises UsageError or SamplingError where this version cannot do what the recipe asks, MidiError if it needs a file
    that it does not hold.
    """
    if recipe.command == "generate":
        include = bool(recipe.details.get("include_primer", True))
        generated = model.compose_again(recipe.config, recipe.seed, recipe.number, recipe.source, include)
        return rendered(generated, recipe)
    try:
        data = zlib.decompressobj().decompress(base64.b64decode(recipe.details["input"]), _LARGEST_INPUT)
    except (KeyError, ValueError, TypeError, zlib.error) as error:
        raise MidiError(
            "does not hold the file that it was made from, which was too large; make it anew from that."
        ) from error
    tune = Tune.parse(data, str(recipe.details.get("name", "")), str(recipe.details.get("track", "auto")))
    return changed(recipe, model, tune, recipe.number)[2]
