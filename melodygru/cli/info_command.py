"""`melodygru info`: what a model is and how it came to be; what is in a MIDI file or a score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from melodygru.cli import output, parameters
from melodygru.cli.standard_input import in_words
from melodygru.writing.values import DEFAULT_MODEL

if TYPE_CHECKING:
    from melodygru.formats.midi.extraction import ExtractionConfig
    from melodygru.music.melody import Melody
    from melodygru.writing.model import Model
    from melodygru.writing.recipe import Recipe


def info(
    file: Annotated[
        str,
        typer.Argument(
            metavar="FILE", help="A model's name (such as folk), its .safetensors file, a MIDI file or a score."
        ),
    ] = DEFAULT_MODEL,
    model: Annotated[
        str | None,
        typer.Option(
            help="The model whose training music a melody is compared with.",
            show_default=f"its own, or {DEFAULT_MODEL}",
        ),
    ] = None,
    meter: parameters.ReadMeter = "",
    key: parameters.ReadKey = "",
    pickup: parameters.ReadPickup = None,
    json: parameters.Json = False,
) -> None:
    """Show what a model is: its shape, its training data, its result; or what is in a MIDI file or a score."""
    from melodygru.formats.reading import MIDI_SUFFIXES, WHOLE
    from melodygru.formats.scores.files import is_score

    wishes = replace(WHOLE, meter=meter, key=key, pickup=pickup)
    if is_score(file):
        answer = _about_score(file, model, wishes)
    elif Path(file).suffix.lower() in MIDI_SUFFIXES:
        answer = _about_midi(file, model, wishes)
    else:
        answer = _about_model(file)
    if json:
        output.print_json(answer)
        return
    lines = [(_printable(name), _printable(value)) for name, value in _flat(answer)]
    width = max(len(name) for name, _ in lines)
    for name, value in lines:
        typer.echo(f"{name:<{width}}  {value}")


def _about_model(name: str) -> dict[str, Any]:
    from melodygru.errors import as_dict
    from melodygru.network.checkpoint import Checkpoint
    from melodygru.network.model_files import resolve

    path = resolve(name)
    checkpoint = Checkpoint.load(path)
    return {
        "file": str(path),
        "size_bytes": path.stat().st_size,
        "parameters": checkpoint.parameters,
        "model": as_dict(checkpoint.model_config),
        "tokenizer": as_dict(checkpoint.tokenizer_config),
        "provenance": dict(checkpoint.provenance),
    }


def _about_midi(name: str, model: str | None, config: ExtractionConfig) -> dict[str, Any]:
    """What is in a MIDI file: its melodies, and how it was made if it says so."""
    from melodygru.errors import MidiError
    from melodygru.formats.midi.parser import read_midi
    from melodygru.formats.reading import read
    from melodygru.network.judge import by_shipped_model
    from melodygru.writing.recipe import Recipe

    raw = read_midi(name)
    try:
        recipe = Recipe.find(raw.texts)
    except MidiError as error:
        raise MidiError(f"{name} {error}") from error
    found = read(name, config, by_shipped_model)
    loaded = _model_for(recipe, model)
    answer: dict[str, Any] = {"file": in_words(name), "size_bytes": Path(name).stat().st_size}
    answer["tracks"] = len(raw.tracks)
    answer |= _about_melodies(found.melodies, loaded)
    if found.remarks:
        answer["remarks"] = _counted(found.remarks)
    if raw.faults:
        answer["faults"] = list(raw.faults)
    if recipe is not None:
        made = recipe.as_dict()
        made.pop("source", None)
        made.get("details", {}).pop("input", None)
        answer["made_by"] = made
    return answer


def _about_score(name: str, model: str | None, config: ExtractionConfig) -> dict[str, Any]:
    """What is in a score: its melodies with their titles, and the part that they come from."""
    from melodygru.formats.reading import read
    from melodygru.network.judge import by_shipped_model

    found = read(name, config, by_shipped_model)
    answer: dict[str, Any] = {"file": in_words(name), "size_bytes": Path(name).stat().st_size, "part": found.track}
    answer |= _about_melodies(found.melodies, _model_for(None, model), titles=True)
    if found.remarks:
        answer["remarks"] = _counted(found.remarks)
    return answer


def _counted(remarks: Sequence[str]) -> list[str]:
    return [text if count == 1 else f"{text} ({count} times)" for text, count in Counter(remarks).items()]


def _about_melodies(melodies: Sequence[Melody], model: Model | None, titles: bool = False) -> dict[str, Any]:
    told = [({"title": melody.name} if titles else {}) | _about_melody(melody, model) for melody in melodies]
    return told[0] if len(told) == 1 else {"melodies": {str(number): one for number, one in enumerate(told, 1)}}


def _model_for(recipe: Recipe | None, given: str | None) -> Model | None:
    """The model to compare with: the one given, else the file's own or the shipped one, if it is here."""
    from melodygru.errors import CheckpointError
    from melodygru.writing.model import load_model

    if given is not None:
        return load_model(given)
    try:
        return load_model(DEFAULT_MODEL if recipe is None else recipe.model)
    except CheckpointError:
        return None


def _about_melody(melody: Melody, model: Model | None) -> dict[str, Any]:
    from melodygru.music.form import find_form
    from melodygru.music.spelling import note_name

    pitches = [note.pitch for note in melody.notes]
    form = find_form(melody)
    values: dict[str, Any] = {
        "notes": len(pitches),
        "bars": melody.bars,
        "meter": str(melody.time_signature),
        "key": str(melody.key),
        "bpm": melody.qpm,
    }
    if melody.pickup:
        values["pickup_quarters"] = melody.pickup / 24
    values = {
        **values,
        "range": f"{note_name(min(pitches), melody.key)} to {note_name(max(pitches), melody.key)}",
        "form": "nothing stands again" if form is None else f"{form[0]}, sections of {form[1]} bars",
    }
    if model is not None and model.checkpoint.index is not None:
        from melodygru.cli.check_command import in_words

        values["originality"] = in_words(model.checkpoint.index.longest_run(melody), len(melody.notes))
    return values


def _printable(text: str) -> str:
    """The text without control characters: a file from a stranger does not get to command the terminal."""
    return "".join(character if character.isprintable() else "?" for character in text)


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested values as lines: names joined by dots, numbers readable."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        elif isinstance(value, bool) or value is None or isinstance(value, str):
            yield prefix + name, "-" if value is None else str(value)
        elif isinstance(value, int):
            yield prefix + name, f"{value:,}"
        elif isinstance(value, float):
            yield prefix + name, f"{value:.6g}"
        else:
            yield prefix + name, ", ".join(map(str, value))
