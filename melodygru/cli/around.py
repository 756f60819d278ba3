"""Melodies and what plays around them, joined: the rooms that write and that arrange do not know each other."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from melodygru.cli import output
from melodygru.errors import MelodyGRUError, UsageError
from melodygru.music.theory import STEPS_PER_QUARTER
from melodygru.option import FILES, Option, described, taken_by
from melodygru.system.files import check_target, write_all

if TYPE_CHECKING:
    from melodygru.arranging.arrangement import Arrangement
    from melodygru.formats.midi.parser import RawFile
    from melodygru.music.chords import ChordSpan
    from melodygru.music.melody import Melody
    from melodygru.music.theory import Key
    from melodygru.writing.candidates import Generated
    from melodygru.writing.editing import Tune
    from melodygru.writing.recipe import Recipe

ARRANGEMENT, HARMONY, PART, KEY = "arrangement", "harmony", "split", "key"
"""Details of recipes: what was asked for, the chords, which file of several it is, the key that was said."""

SPLIT = Option(
    "Write each part to a file of its own: OUT-melody.mid, OUT-chords.mid …", name="split", kind=bool,
    spelling="--split", panel=FILES, aliases=("stems",),
)  # fmt: skip


def asked_for(asked: Mapping[str, Any]) -> Arrangement | None:
    """The accompaniment that was asked for by any of its options; None if by none."""
    from melodygru.arranging.arrangement import Arrangement

    said = {name: asked[name] for name in described(Arrangement) if asked.get(name) not in (None, False)}
    return Arrangement.from_dict(said) if said or asked.get("split") else None


def options_of(command: str) -> list[Option]:
    """The options of an accompaniment that a command takes."""
    from melodygru.arranging.arrangement import Arrangement

    return taken_by(command, Arrangement)


def harmonized(melody: Melody, style: str | None, key: Key | None, seed: int) -> tuple[ChordSpan, ...]:
    """Chords that fit a melody that has none."""
    from melodygru.arranging.harmony import harmonize
    from melodygru.writing.styles import STYLES

    if style is not None:
        style = STYLES[style].collection
    return harmonize(melody, style=style, key=key, seed=seed)[0].chords


def with_harmony(generated: Generated, recipe: Recipe) -> tuple[Generated, Recipe]:
    """A new melody with chords, which are found if none were asked for: then the recipe says which."""
    if ARRANGEMENT not in recipe.details:
        return generated, recipe
    from melodygru.formats.midi.arranged import changes_of
    from melodygru.music.chords import spans_of

    chords = generated.chords
    if not chords and HARMONY not in recipe.details:
        found = harmonized(generated.melody, recipe.config.style, None, recipe.seed + recipe.number)
        recipe = replace(recipe, details={**recipe.details, HARMONY: changes_of(found)})
    if HARMONY in recipe.details:
        chords = spans_of(_changes(recipe), generated.melody.length)
    return replace(generated, chords=chords), recipe


def finished(generated: Generated, recipe: Recipe) -> bytes:
    """The file of a new melody whose chords are settled, with the tracks around it that the recipe asks for."""
    from melodygru.writing.recipe import rendered

    if ARRANGEMENT not in recipe.details:
        return rendered(generated, recipe)
    from melodygru.arranging.arrangement import Arrangement

    generated, recipe = with_harmony(generated, recipe)
    arrangement, config = Arrangement.from_dict(recipe.details[ARRANGEMENT]), recipe.config
    form = config.parsed_form
    letters = [] if form is None else [section.letter for section in form.sections]
    tracks = arrangement.tracks(
        generated.melody, generated.chords, recipe.seed + recipe.number, config.style,
        tuple(zip(letters, config.section_lengths(), strict=True)),
    )  # fmt: skip
    return _part(rendered(generated, recipe, tracks), recipe)


def arranged_file(recipe: Recipe, tune: Tune) -> bytes:
    """A file that is there with the tracks around its melody that the recipe asks for; all others stay.

    They swing and are humanized as the recipe says that the melody is; where that is written out swung, they swing with
    it. Raises MidiError for a file that cannot be edited, UsageError for one that has no channel left; the messages
    lack the file's name.
    """
    from statistics import median

    from melodygru.arranging.arrangement import Arrangement
    from melodygru.arranging.swinging import is_swung, swung
    from melodygru.formats.midi.performance import perform_track
    from melodygru.formats.midi.writer import put_around
    from melodygru.music.chords import spans_of

    melody, raw, performance = _in_key(tune.melody, recipe), tune.raw, recipe.performance
    chords = spans_of(_changes(recipe), melody.length)
    arrangement = Arrangement.from_dict(recipe.details[ARRANGEMENT])
    tracks = arrangement.tracks(melody, chords, recipe.seed, recipe.config.style)
    loud = round(median(note.velocity for note in tune.extraction.notes))
    resolution = max(1, round(raw.ticks_per_quarter / STEPS_PER_QUARTER)) * STEPS_PER_QUARTER
    performance = replace(performance, velocity=max(1, min(127, loud)), ppq=min(resolution, 9600))
    tick = tune.ticks()
    if performance.swing == 0.5 and is_swung(melody):
        tick = swung(tick)
    played = [(track, perform_track(track, melody, performance, tick)) for track in tracks]
    data = put_around(tune.data, raw, played, chords, tick, melody.length, recipe.text(), _unmarked(raw))
    return _part(data, recipe)


def _in_key(melody: Melody, recipe: Recipe) -> Melody:
    from melodygru.music.theory import Key

    said = recipe.details.get(KEY)
    return melody if said is None else replace(melody, key=Key.parse(str(said), as_written=True))


def _changes(recipe: Recipe) -> list[tuple[int, str]]:
    return [(int(step), str(symbol)) for step, symbol in recipe.details[HARMONY]]


def _unmarked(raw: RawFile) -> list[str]:
    """The names of tracks that are ours without saying so: the chords of --render-chords, and of `harmonize`."""
    from melodygru.formats.midi.chord_text import CHORDS_TEXT
    from melodygru.formats.midi.writer import CHORDS_TRACK
    from melodygru.writing.recipe import Recipe

    with suppress(MelodyGRUError):
        earlier = Recipe.find(raw.texts)
        if earlier is not None and earlier.details.get("render_chords"):
            return [CHORDS_TRACK]
    told = any(text.startswith(CHORDS_TEXT) for text in raw.texts)
    return [CHORDS_TRACK] if told else []


def _part(data: bytes, recipe: Recipe) -> bytes:
    """The file itself, or the one of its parts that the recipe is of."""
    from melodygru.formats.midi.arranged import split

    part = recipe.details.get(PART)
    return data if part is None else split(data)[str(part)]


def file_parts(recipe: Recipe, split: bool) -> tuple[str, ...]:
    """What the files of a split arrangement are called; empty where all is in one."""
    from melodygru.arranging.arrangement import Arrangement
    from melodygru.formats.midi.arranged import MELODY

    return (MELODY, *Arrangement.from_dict(recipe.details[ARRANGEMENT]).which) if split else ()


def recipes_of(recipe: Recipe, parts: Sequence[str]) -> list[Recipe]:
    """How each file is made: one a part, or the one that has all."""
    return [replace(recipe, details={**recipe.details, PART: part}) for part in parts] or [recipe]


def check_split(out: str, count: int, parts: Sequence[str], force: bool) -> None:
    """Raise UsageError for standard output, which takes one file, and FileError for files that are there."""
    if out == output.STDOUT:
        raise UsageError("Standard output takes one file, and --split writes several; give OUT a name.")
    if not os.path.isdir(out):
        for one in output.numbered(Path(out), count):
            for file in output.parted(one, parts):
                check_target(file, force)


def written(target: Path | None, parts: Sequence[str], files: Sequence[bytes], force: bool) -> list[Path | None]:
    """Write the files of one melody, all or none; where they went. Raises FileError for files that are there."""
    if target is None or not parts:
        output.write(target, files[0], force)
        return [target]
    targets = output.parted(target, parts)
    write_all(dict(zip(targets, files, strict=True)), force)
    return [*targets]


def facts(recipe: Recipe) -> dict[str, Any]:
    """What a program wants to know of what plays around a new melody; nothing where nothing does."""
    from melodygru.arranging.arrangement import Arrangement

    if ARRANGEMENT not in recipe.details:
        return {}
    arrangement = Arrangement.from_dict(recipe.details[ARRANGEMENT])
    return {"parts": list(arrangement.which), "groove": arrangement.groove}


def in_words(recipe: Recipe) -> str:
    """What plays around a new melody, as a part of the line that tells what was written."""
    told = facts(recipe)
    return f"{listed(told['parts'])} ({told['groove']}), " if told else ""


def listed(parts: Sequence[str]) -> str:
    """chords, bass and drums."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
