"""A model as one file that describes itself: `.safetensors`, with JSON metadata.

Weights are float32 or float16, large matrices perhaps int8 with a scale a row.
Nothing is unpickled, so a file from a stranger can do no harm; and nothing in it is believed before it is checked:
sizes against the file, names and shapes against the configuration, numbers against infinity.
"""

from __future__ import annotations

import json
import os
import re
import struct
from collections.abc import Mapping
from dataclasses import field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from melodygru.errors import CheckpointError, MelodyGRUError, as_dict
from melodygru.music.originality import OriginalityIndex
from melodygru.network.arrays import Array, Float32Array
from melodygru.network.compiled import new_engine
from melodygru.network.conditions import CHARACTER
from melodygru.network.config import SUFFIX, ModelConfig, TokenizerConfig
from melodygru.network.critic import Critic
from melodygru.network.engine import NumpyEngine, weight_shapes
from melodygru.network.mixing import NgramModel
from melodygru.network.quantization import SCALE, dequantize, quantize, worth_quantizing
from melodygru.records import dataclass
from melodygru.system.files import write_atomically

FORMAT_VERSION = 4
"""The newest that is read. It rises when a file can no longer be read by the versions before."""
_INT8_VERSION = 3
_FLOAT_VERSION = 2
"""What files are that hold floating-point numbers alone; those with int8 weights are of version 3, and those with
n-grams or characters, int8 or not, of version 4.
"""
_INDEX = "originality_index"
_CRITIC = "critic."
_NGRAMS = "ngrams."
_CHARACTERS = "characters."
_LARGEST_HEADER = 1 << 20
_LARGEST_WEIGHT = 1e4
"""Trained weights stay below 100; from far larger ones the network's step would overflow."""

CharacterTable = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Checkpoint:
    """A trained model.

    Attributes:
        model_config, tokenizer_config: what is needed to build it again.
        weights: `MelodyGRU.state_dict()` as float32 arrays.
        provenance: how it came to be: data, notes, validation, versions, date, seed (JSON values).
        packed_index: the music that it has learned from, then what was held out, as `OriginalityIndex.to_bytes` packs
            it; None if that was not kept. The provenance's "index_held_out" says how many pieces were held out.
        critic: what chooses among several melodies; None if it was not taught.
        ngrams: what the pitches are mixed with; None for the network alone.
        characters: (N, 6) uint8, of people's pieces of each style: see `melodygru.network.conditions.CHARACTER`.
    """

    model_config: ModelConfig
    weights: Mapping[str, Float32Array]
    tokenizer_config: TokenizerConfig = TokenizerConfig()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    packed_index: bytes | None = None
    critic: Critic | None = None
    ngrams: NgramModel | None = None
    characters: Mapping[str, CharacterTable] = field(default_factory=dict)

    def engine(self) -> NumpyEngine:
        """The model, one step at a time."""
        return new_engine(self.model_config, self.weights, self.ngrams)

    @cached_property
    def index(self) -> OriginalityIndex | None:
        """The music that nothing may be copied from, what was held out too; None if it was not kept.

        Raises CheckpointError.
        """
        if self.packed_index is None:
            return None
        try:
            return OriginalityIndex.from_bytes(self.packed_index)
        except CheckpointError as error:
            raise CheckpointError(f"The model {error} Get or train it again.") from error

    @cached_property
    def learned_index(self) -> OriginalityIndex | None:
        """What of that the model has learned from."""
        held_out = self.provenance.get("index_held_out")
        if self.index is None or not isinstance(held_out, int) or not 0 < held_out <= len(self.index.names):
            return self.index
        return self.index.first(len(self.index.names) - held_out)

    @property
    def parameters(self) -> int:
        """How many numbers were learned."""
        return sum(array.size for array in self.weights.values())

    @property
    def is_half(self) -> bool:
        """Whether all weights can be stored in half precision without loss."""
        return all((array.astype(np.float16) == array).all() for array in self.weights.values())

    def metadata(self) -> dict[str, str]:
        """What a file says of the model beside its weights, as JSON by name."""
        return {
            "format": "melodygru",
            "model": json.dumps(as_dict(self.model_config)),
            "tokenizer": json.dumps(as_dict(self.tokenizer_config)),
            "provenance": json.dumps(dict(self.provenance)),
        }

    def save(self, path: str | os.PathLike[str], *, half: bool = False, int8: bool = False) -> None:
        """Write the file, all or nothing; one that is there is replaced.

        `half` stores float16, half the size; `int8` stores large matrices as `quantize` has them, a quarter of the
        size, and the rest as `half` says. Both cost a little in nats per note, which
        `melodygru export --data` tells for int8; the provenance then says "quantized".

        Raises FileError if it cannot be written.
        """
        from safetensors.numpy import save

        described = replace(self, provenance={**self.provenance, "quantized": "int8"}) if int8 else self
        version = _INT8_VERSION if int8 else _FLOAT_VERSION
        newest = self.ngrams is not None or self.characters
        metadata = described.metadata() | {"format_version": str(FORMAT_VERSION if newest else version)}
        kind = np.float16 if half else np.float32
        arrays: dict[str, Array] = {}
        for name, array in self.weights.items():
            if int8 and worth_quantizing(array.shape):
                arrays[name], arrays[name + SCALE] = quantize(array)
            else:
                arrays[name] = np.ascontiguousarray(array, kind)
        if self.packed_index is not None:
            arrays[_INDEX] = np.frombuffer(self.packed_index, np.uint8)
        if self.critic is not None:
            arrays |= {_CRITIC + name: np.ascontiguousarray(array) for name, array in self.critic.arrays().items()}
        if self.ngrams is not None:
            arrays |= {_NGRAMS + name: np.ascontiguousarray(array) for name, array in self.ngrams.arrays().items()}
        arrays |= {_CHARACTERS + style: np.ascontiguousarray(table) for style, table in self.characters.items()}
        data = save(arrays, metadata)
        write_atomically(path, data, force=True)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Checkpoint:
        """Read and check a file. Raises CheckpointError, with the reason, for anything but a sound one."""
        path = Path(path)
        metadata = read_metadata(path)
        model_config = _model_config(path, metadata)
        try:
            tokenizer_config = TokenizerConfig(**json.loads(metadata["tokenizer"]))
            provenance = json.loads(metadata.get("provenance", "{}"))
            if not isinstance(provenance, dict):
                raise TypeError("the provenance is no table")
            if tokenizer_config.max_duration != model_config.max_duration:
                raise ValueError("model and tokenizer differ in max_duration")
        except (MelodyGRUError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise CheckpointError(f"{path} cannot be read: its description is damaged ({error}).") from error
        int8 = int(metadata["format_version"]) > _FLOAT_VERSION
        parts = _read_arrays(path, model_config, int8)
        return cls(model_config, tokenizer_config=tokenizer_config, provenance=provenance, **parts)


def read_metadata(path: Path) -> dict[str, str]:
    """The metadata of a checkpoint, checked without trusting the file's own word on its sizes."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            start = file.read(8)
            length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
            if not 2 <= length <= min(_LARGEST_HEADER, size - 8):
                raise CheckpointError(
                    f"{path} is no melodygru model, or is cut off; give a {SUFFIX} file that `melodygru train` wrote."
                )
            header = json.loads(file.read(length))
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read ({error.strerror}); check the name and its rights.") from error
    except (ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{path} is not a melodygru model; give a {SUFFIX} file that `melodygru train` wrote."
        ) from error
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    if not isinstance(metadata, dict) or metadata.get("format") != "melodygru":
        raise CheckpointError(
            f"{path} is a {SUFFIX} file, but not of melodygru; give one that `melodygru train` wrote."
        )
    version = str(metadata.get("format_version", ""))
    if not re.fullmatch("[0-9]{1,9}", version) or int(version) > FORMAT_VERSION:
        raise CheckpointError(
            f"{path} has format version {version[:20] or 'unknown'}, and this melodygru reads up to {FORMAT_VERSION}; "
            "update melodygru."
        )
    return metadata


def _read_arrays(path: Path, config: ModelConfig, int8: bool) -> dict[str, Any]:
    """The fields of `Checkpoint` that are arrays; weights may be quantized if `int8`."""
    from safetensors import SafetensorError, safe_open

    expected = weight_shapes(config)
    weights: dict[str, Float32Array] = {}
    index, critic, ngrams, characters = None, None, None, {}
    try:
        with safe_open(path, framework="np") as file:
            names = set(file.keys())
            if _INDEX in names:
                names.remove(_INDEX)
                if file.get_slice(_INDEX).get_dtype() != "U8":
                    raise CheckpointError(f"{path} is damaged: {_INDEX} is no row of bytes.")
                index = file.get_tensor(_INDEX).tobytes()
            try:
                if of_critic := _under(_CRITIC, file, names):
                    critic = Critic.from_arrays(of_critic)
                if of_ngrams := _under(_NGRAMS, file, names):
                    ngrams = NgramModel.from_arrays(of_ngrams)
                characters = _checked_characters(_under(_CHARACTERS, file, names))
            except CheckpointError as error:
                raise CheckpointError(f"{path} {error}") from error
            scaled = {name for name, shape in expected.items() if int8 and len(shape) == 2 and name + SCALE in names}
            if odds := names ^ (set(expected) | {name + SCALE for name in scaled}):
                raise CheckpointError(f"{path} does not hold the weights that it describes (see {min(odds)[:60]!r}).")
            for name, shape in expected.items():
                if name in scaled:
                    levels = _read(file, path, name, shape, "I8")
                    weights[name] = dequantize(levels, _read_scales(file, path, name + SCALE, shape[:1]))
                else:
                    weights[name] = _read(file, path, name, shape, "F32", "F16").astype(np.float32, copy=False)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is damaged or cut off ({error}); get or train it again.") from error
    for name, array in weights.items():
        # Not a number fails the comparison too.
        if not np.abs(array).max() <= _LARGEST_WEIGHT:
            raise CheckpointError(
                f"{path} is damaged: {name} holds numbers that are not finite or huge; train it again."
            )
    return {
        "weights": weights,
        "packed_index": index,
        "critic": critic,
        "ngrams": ngrams,
        "characters": characters,
    }


def _checked_characters(tables: dict[str, Array]) -> dict[str, CharacterTable]:
    """Raise CheckpointError for anything but classes of characters."""
    classes = np.array([len(trait.edges) + 1 for trait in CHARACTER.values()])
    for style, table in tables.items():
        sound = table.dtype == np.uint8 and table.ndim == 2 and table.shape[1:] == classes.shape and len(table) > 0
        if not sound or (table < 1).any() or (table > classes).any():
            raise CheckpointError(f"is damaged: the characters of {style[:60]!r} are none; get or train it again.")
    return tables


def _under(prefix: str, file: Any, names: set[str]) -> dict[str, Array]:
    """The arrays of an open file whose names begin so, by the rest of their names; those are taken from `names`."""
    found = {name for name in names if name.startswith(prefix)}
    names -= found
    return {name.removeprefix(prefix): file.get_tensor(name) for name in found}


def _read(file: Any, path: Path, name: str, shape: tuple[int, ...], *kinds: str) -> Array:
    """One array of an open file, after a look at its shape and its kind of number."""
    stored = file.get_slice(name)
    if tuple(stored.get_shape()) != shape or stored.get_dtype() not in kinds:
        raise CheckpointError(
            f"{path} is damaged: {name} is {stored.get_dtype()} {stored.get_shape()}, not {kinds[0]} {list(shape)}."
        )
    return file.get_tensor(name)


def _read_scales(file: Any, path: Path, name: str, shape: tuple[int, ...]) -> Float32Array:
    scales = _read(file, path, name, shape, "F32")
    # Not a number fails the comparison too; larger ones could overflow before the weights are looked at.
    if not ((scales >= 0) & (scales <= _LARGEST_WEIGHT)).all():
        raise CheckpointError(f"{path} is damaged: {name} holds numbers that are no scales; export it again.")
    return scales


def read_model_config(path: Path) -> ModelConfig:
    """What a checkpoint says of its network, read without its weights. Raises CheckpointError if that is damaged."""
    return _model_config(path, read_metadata(path))


def _model_config(path: Path, metadata: Mapping[str, str]) -> ModelConfig:
    try:
        return ModelConfig.from_dict(json.loads(metadata["model"]))
    except (MelodyGRUError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CheckpointError(f"{path} cannot be read: its description is damaged ({error}).") from error
