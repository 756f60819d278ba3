"""From a recipe to bytes: a file as it was written, and the same file once more."""

from __future__ import annotations

from melodygru.errors import UsageError
from melodygru.generator import Generated, Model
from melodygru.midi_writer import midi_bytes
from melodygru.recipe import Recipe


def rendered(generated: Generated, recipe: Recipe) -> bytes:
    """A melody as a MIDI file that says how it was made."""
    chords = generated.chords if recipe.details.get("render_chords") else ()
    return midi_bytes(generated.melody, recipe.performance, chords, recipe.text())


def made_again(recipe: Recipe, model: Model) -> bytes:
    """The bytes of the file that the recipe is of, given its model.

    Raises UsageError or SamplingError where this version cannot do what the recipe asks.
    """
    if recipe.command != "generate":
        raise UsageError(f"This version cannot repeat the command {recipe.command!r}; update melodygru.")
    include = bool(recipe.details.get("include_primer", True))
    generated = model.compose_again(recipe.config, recipe.seed, recipe.number, recipe.source, include)
    return rendered(generated, recipe)
