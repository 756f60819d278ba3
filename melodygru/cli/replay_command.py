"""`melodygru replay`: a file that says how it was made is made again."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from melodygru.cli import around, parameters
from melodygru.errors import CheckpointError, MelodyGRUError, MidiError, UsageError

if TYPE_CHECKING:
    from melodygru.writing.model import Model
    from melodygru.writing.recipe import Recipe


class DiffersError(MelodyGRUError):
    """A file cannot be made again as it is."""


def replay(
    file: Annotated[str, typer.Argument(metavar="OUT.mid", help="A file that melodygru wrote.", show_default=False)],
    new: Annotated[
        str | None,
        typer.Argument(metavar="[NEW.mid]", help="Where to write it again; - for standard output.", show_default=False),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Where its model is, if not where its name leads.", show_default=False)
    ] = None,
    force: parameters.Force = False,
    json: parameters.Json = False,
) -> None:
    """Make a file again from what it says of itself, and tell whether the bytes are the same."""
    from melodygru.cli import output
    from melodygru.cli.harmonized import COMMAND, harmonized_file
    from melodygru.cli.progress import tell
    from melodygru.formats.midi.parser import read_midi
    from melodygru.system.files import write_atomically
    from melodygru.writing.recipe import Recipe
    from melodygru.writing.replay import input_of, made_again

    if new is not None:
        if os.path.isdir(new):
            raise UsageError(f"{new} is a folder; give the file to write a name.")
        output.check_out(new, 1, force, json)
    raw = read_midi(file)
    try:
        recipe = Recipe.find(raw.texts)
    except MidiError as error:
        raise MidiError(f"{file} {error}") from error
    if recipe is None:
        raise MidiError(
            f"{file} does not say how it was made; give a file that melodygru wrote and no other program since."
        )
    try:
        if recipe.command == "arrange":
            data = around.arranged_file(recipe, input_of(recipe))
        elif recipe.command == COMMAND:
            data = harmonized_file(recipe)
        else:
            loaded = _model_of(recipe, model, file)
            data = made_again(recipe, loaded, partial(tell, "drawing candidates"), around.finished)
    except MidiError as error:
        raise DiffersError(f"{file} {error}") from error
    same = data == Path(file).read_bytes()
    if new is not None:
        if new == output.STDOUT:
            output.write_one(new, data, force)
        else:
            write_atomically(new, data, force=force)
    if json:
        output.print_json({"file": file, "new": new, "same": same, "bytes": len(data), "recipe": recipe.as_dict()})
    elif same:
        where = "" if new in (None, output.STDOUT) else f" {new} is"
        output.tell(new or "", f"{file}:{where} the same {len(data):,} bytes, made again with {_words(recipe)}.")
    if not same:
        raise DiffersError(f"{file} is not what {_words(recipe)} makes now; {_why(recipe)}")


def _model_of(recipe: Recipe, given: str | None, file: str) -> Model:
    """The recipe's model, under the name that it had. Raises DiffersError if it is not here, or another."""
    from melodygru.writing.model import Model, load_model

    try:
        loaded = load_model(given or recipe.model)
    except CheckpointError as error:
        raise DiffersError(f"{file} was made with the model {recipe.model!r}, which cannot be used: {error}") from error
    if loaded.fingerprint != recipe.fingerprint:
        raise DiffersError(
            f"{file} was made with a model {recipe.model!r} of fingerprint {recipe.fingerprint}, and "
            f"{given or recipe.model!r} here has {loaded.fingerprint}; give the right one with --model."
        )
    return Model(loaded.checkpoint, recipe.model)


def _words(recipe: Recipe) -> str:
    model = f"model {recipe.model}, " if recipe.model else ""
    return f"melodygru {recipe.version}, {model}seed {recipe.seed}"


def _why(recipe: Recipe) -> str:
    """What may be behind other bytes."""
    from melodygru.version import __version__

    if recipe.version != __version__:
        return f"this is melodygru {__version__}: install {recipe.version} to make it again."
    return "its notes or other contents were changed after it was written, or on a processor that rounds otherwise."
