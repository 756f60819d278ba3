"""What the page asks of Python, in its worker: to load the model, to write a melody, to make a file of it.

It is the package's own code that runs there; here stands only what the page cannot do without. Messages are JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from melodygru.errors import MelodyGRUError, UsageError
from melodygru.music.chords import voicing
from melodygru.music.melody import Melody
from melodygru.network.arrays import Float32Array
from melodygru.network.checkpoint import Checkpoint
from melodygru.network.engine import NumpyEngine
from melodygru.studio.keys import meant_key
from melodygru.studio.standalone.product import BLOCK
from melodygru.version import __version__
from melodygru.writing.candidates import Generated, Order
from melodygru.writing.config import GenerationConfig
from melodygru.writing.drawing import SEED
from melodygru.writing.earlier_keys import heard
from melodygru.writing.model import Model
from melodygru.writing.recipe import Recipe, file_names, melody_as_dict, rendered
from melodygru.writing.styles import styled

MOST_BARS = 64
"""Bars that the page writes at most: some seconds, and room in the memory that a browser gives."""
FIELDS = ("bars", "bpm", "style", "meter", "scale", "chords", "chord_mode", "temperature")
"""Fields of `GenerationConfig` that the page has; beside them tonic, mode and seed."""

Product = Callable[[int, int, int, int, int, int], None]
"""See `melodygru.studio.standalone.product`."""


class Matrix(np.ndarray):
    """A matrix from the right of a product, which WebAssembly works out; in all else as NumPy's."""

    product: ClassVar[Product | None] = None
    """None: NumPy's own."""

    def __rmatmul__(self, rows: Any) -> Any:
        """(B, columns): rows (B, inner) times this matrix (inner, columns)."""
        if Matrix.product is None or self.shape[1] % BLOCK or not self.flags.c_contiguous or not len(rows):
            return np.matmul(rows, self.view(np.ndarray))
        left = np.ascontiguousarray(rows, np.float32)
        (count, inner), columns = left.shape, self.shape[1]
        result = np.empty((count, columns), np.float32)
        a, b, c = (array.__array_interface__["data"][0] for array in (left, self, result))
        Matrix.product(a, b, c, count, inner, columns)
        return result


def _matrix(array: Float32Array) -> Float32Array:
    # Without rows or columns there is nothing to work out; NumPy says the shape of that.
    return array.view(Matrix) if array.size else array


class Writer:
    """A model that answers the page.

    Args:
        path: of its file, which was checked when the page was made.
        name: what it is called.
        product: multiplies matrices; None where the browser cannot.
    """

    def __init__(self, path: str, name: str, product: Product | None = None):
        Matrix.product = product
        checkpoint = Checkpoint.load(Path(path))
        self.model = Model(checkpoint, name)
        self.model.engine = NumpyEngine(checkpoint.model_config, checkpoint.weights, checkpoint.ngrams, _matrix)
        self._written: tuple[Generated, Recipe] | None = None

    def write(self, asked: str, progress: Callable[[float], None] | None = None) -> str:
        """A melody, as the page asks: {"seed": …, options}; or {"problem": why there is none, in a sentence}."""
        try:
            wishes = json.loads(asked)
            seed = wishes.pop("seed")
            SEED.check(seed)
            config = self._config(wishes)
            candidates = self.model.candidates_for(config, 1)
            share = None if progress is None else (lambda done: progress(done / candidates))
            generated = next(self.model.compose_each(Order(config, seed), progress=share))
        except MelodyGRUError as error:
            return json.dumps({"problem": str(error)})
        recipe = Recipe(
            __version__, self.model.name, self.model.fingerprint, seed, generated.number, config, details=heard(config)
        )
        self._written = generated, recipe
        name = file_names(self.model.name, generated.melody, seed, 1)[0]
        return json.dumps({"seed": seed, "file": name, "melody": _told(generated.melody), "chords": _chords(generated)})

    def midi(self) -> bytes:
        """The melody that was written last, as a MIDI file that says how it was made."""
        assert self._written is not None
        return rendered(*self._written)

    def _config(self, wishes: dict[str, Any]) -> GenerationConfig:
        tonic, mode = wishes.pop("tonic", None), wishes.pop("mode", None)
        said = GenerationConfig.from_dict({name: wishes[name] for name in FIELDS if name in wishes})
        if said.bars is not None and said.bars > MOST_BARS:
            raise UsageError(f"--bars is {said.bars}; this page writes 1 to {MOST_BARS}.")
        if mode is None and said.scale is not None:
            said = replace(said, key=tonic)  # the scale says the mode
        elif tonic is not None or mode is not None:
            said = replace(said, key=str(meant_key(tonic, mode, said.spans(said.time_signature))))
        model = self.model
        return styled(model.in_own_style(said), model.context, model.default_style)


def _told(melody: Melody) -> dict[str, Any]:
    notes = [{"pitch": note.pitch, "onset": note.onset, "duration": note.duration} for note in melody.notes]
    return {**melody_as_dict(melody), "notes": notes}


def _chords(generated: Generated) -> list[dict[str, Any]]:
    return [
        {
            "onset": span.onset,
            "end": span.end,
            "symbol": span.chord.symbol if span.chord else "N.C.",
            "pitches": list(voicing(span.chord)) if span.chord else [],
        }
        for span in generated.chords
    ]
