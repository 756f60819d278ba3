"""Files of `melodygru harmonize`, which say how they were made, made for the first time and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from melodygru.errors import MidiError

if TYPE_CHECKING:
    from melodygru.arranging.harmony import Harmonization
    from melodygru.music.melody import Melody
    from melodygru.writing.recipe import Recipe

COMMAND = "harmonize"
_COUNT, _PER_BAR = "count", "chords_per_bar"


def recipe_for(melody: Melody, style: str | None, per_bar: int | None, count: int, seed: int) -> Recipe:
    """How the first of so many ways is made; the others have other numbers.

    Args:
        melody: in the key that it is heard in; the file holds it.
        style: as `melodygru styles` lists them.
        per_bar: chords a bar at most; None: as the style has it.
        count: how many ways were looked for.
        seed: of what the later ones change.
    """
    from melodygru.version import __version__
    from melodygru.writing.config import GenerationConfig
    from melodygru.writing.recipe import Recipe

    details = {_COUNT: count} if per_bar is None else {_COUNT: count, _PER_BAR: per_bar}
    return Recipe(
        __version__, "", "", seed, config=GenerationConfig(style=style), command=COMMAND, source=melody, details=details
    )


def harmonized_file(recipe: Recipe, way: Harmonization | None = None) -> bytes:
    """The MIDI file of a way that was found, else of the one that the recipe has the number of.

    Raises MidiError, whose message lacks the file's name, where there is no such way now.
    """
    from melodygru.arranging.harmony import harmonize
    from melodygru.formats.midi.chord_text import text_of_chords
    from melodygru.formats.midi.writer import midi_bytes
    from melodygru.writing.styles import STYLES

    melody, style, details = recipe.source, recipe.config.style, recipe.details
    if melody is None:
        raise MidiError("does not hold the melody that it harmonizes.")
    if way is None:
        collection, count = style and STYLES[style].collection, int(details[_COUNT])
        ways = harmonize(melody, style=collection, chords_per_bar=details.get(_PER_BAR), count=count, seed=recipe.seed)
        if recipe.number >= len(ways):
            raise MidiError(f"is way {recipe.number + 1}, of which there are {len(ways)} now.")
        way = ways[recipe.number]
    return midi_bytes(melody, chords=way.chords, text=[recipe.text(), text_of_chords(way.chords)])
