"""A melody that a model wrote, as a file that says how it was made."""

from __future__ import annotations

from melodygru.composition import Generated
from melodygru.midi_writer import midi_bytes
from melodygru.recipe import Recipe


def rendered(generated: Generated, recipe: Recipe) -> bytes:
    """A melody as a MIDI file that says how it was made."""
    chords = generated.chords if recipe.details.get("render_chords") else ()
    return midi_bytes(generated.melody, recipe.performance, chords, recipe.text())
