"""Models as `.safetensors`: tiny ones made anew, and changed in header, metadata, shapes and numbers."""

from __future__ import annotations

import json
import struct
import tempfile
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from fuzzing.mutation import change_bytes, change_json, few
from melodygru.music.melody import Melody, Note
from melodygru.music.originality import OriginalityIndex
from melodygru.network.cells import CELLS
from melodygru.network.checkpoint import Checkpoint
from melodygru.network.config import ContextConfig, ModelConfig, TokenizerConfig
from melodygru.network.critic import Critic, own_names
from melodygru.network.engine import weight_shapes
from melodygru.network.mixing import CONTEXTS, EXPERTS, NgramModel
from melodygru.network.tokenizer import Tokenizer

_KINDS = ("F64", "F32", "F16", "BF16", "I64", "I32", "I8", "U8", "BOOL", "F8_E4M3", "C64", "x", "")
_ODD_BYTES = (
    b"\0\0\xc0\x7f",
    b"\0\0\x80\x7f",
    b"\xff\xff\x7f\x7f",
    b"\0\x7c",
    b"\0\x7e",
    b"\x80\x80",
    b"\xff\xff\xff\xff",
)


def seed(random: Random) -> bytes:
    """A model of a few hundred weights, some with an index of what was learned from, a critic, n-grams, or int8."""
    context = random.choice((ContextConfig(lookback=(1,)), ContextConfig(False, False, False, False, False, (), False)))
    config = ModelConfig(
        cell=random.choice(sorted(CELLS)), hidden=3, layers=random.choice((1, 2)), embedding=2,
        candidate_embedding=2, duration_hidden=3, pitch_hidden=random.choice((3, 32)), max_duration=24, context=context,
    )  # fmt: skip
    numbers = np.random.default_rng(random.randrange(1000))
    weights = {name: numbers.normal(0, 0.3, shape).astype(np.float32) for name, shape in weight_shapes(config).items()}
    melody = Melody(tuple(Note(60 + place, 12 * place, 12) for place in range(6)), name="Air")
    index = OriginalityIndex.of_melodies([melody, melody]).to_bytes() if random.random() < 0.6 else None
    critic = _critic(numbers) if random.random() < 0.6 else None
    ngrams = _ngrams(melody, numbers) if random.random() < 0.6 else None
    made = Checkpoint(config, weights, TokenizerConfig(24), {"pieces": 2}, index, critic, ngrams)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "seed.safetensors"
        made.save(path, half=random.random() < 0.4, int8=random.random() < 0.4)
        header, body = parts(path.read_bytes())
    # The library writes the description in another order each time.
    return joined(json.dumps(header, sort_keys=True).encode(), body)


def joined(header: bytes, body: bytes) -> bytes:
    """A file of its description and its numbers."""
    return struct.pack("<Q", len(header)) + header + body


def _ngrams(melody: Melody, numbers: np.random.Generator) -> NgramModel:
    """N-grams of one melody, twice, weighed by chance."""
    pieces = [Tokenizer(TokenizerConfig(24)).encode(melody)] * 2
    return NgramModel.of(pieces, numbers.uniform(0, 0.3, (EXPERTS, CONTEXTS)), 0.5)


def _critic(numbers: np.random.Generator) -> Critic:
    """One tree of three nodes."""
    names = own_names()
    missing = numbers.normal(size=len(names)).astype(np.float32)
    feature, below, above = (np.array(row, np.int32) for row in ((0, -1, -1), (1, 0, 0), (2, 0, 0)))
    threshold, value = (np.array(row, np.float32) for row in ((0, 0, 0), (0, 1, -1)))
    return Critic(
        names, missing, feature, threshold, below, above, value, np.zeros(1, np.int32), np.zeros(1, np.float32)
    )


def mutate(data: bytes, random: Random, other: bytes) -> bytes:
    """The model with its header changed as JSON, its numbers as bytes, or its ends cut."""
    header, body = parts(data)
    if header is None or random.random() < 0.1:
        return change_bytes(data, random, other)
    for _ in range(few(random)):
        way = random.randrange(5)
        names = sorted(name for name in header if name != "__metadata__")
        if way == 0:
            header = change_json(header, random)
        elif way == 1:
            header = _with_metadata(header, random)
        elif way == 2 and names:
            name = random.choice(names)
            header = {**header, name: _other_tensor(header[name], random)}
        elif way == 3 and body:
            at, odd = random.randrange(len(body)), random.choice(_ODD_BYTES)
            body = body[:at] + odd + body[at + len(odd) :]
        else:
            body = random.choice(
                (body[: random.randrange(len(body) + 1)], body + b"\0" * 8, change_bytes(body, random))
            )
        if not isinstance(header, dict):
            break
    text = json.dumps(header).encode("utf-8", "surrogatepass")
    if random.random() < 0.02:
        text = text.replace(
            random.choice((b"0", b"[", b'"2"')), random.choice((b"[" * 5000, b"9" * 5000, b'{"a":' * 5000)), 1
        )
    text += b" " * random.choice((0, 0, -len(text) % 8))
    if random.random() < 0.03:
        return struct.pack("<Q", random.choice((0, 1, len(text) - 1, 1 << 40, 1 << 63))) + text + body
    return joined(text, body)


def parts(data: bytes) -> tuple[dict[str, Any] | None, bytes]:
    """A file's description, None where it has none, and its numbers."""
    length = int.from_bytes(data[:8], "little")
    try:
        header = json.loads(data[8 : 8 + length])
    except (ValueError, RecursionError):
        return None, b""
    return (header if isinstance(header, dict) else None), data[8 + length :]


def _with_metadata(header: dict[str, Any], random: Random) -> dict[str, Any]:
    """The description changed: mostly within the JSON that its entries are."""
    said = header.get("__metadata__")
    if not isinstance(said, dict) or not said:
        return header
    name = random.choice(sorted(said))
    try:
        value: Any = json.dumps(change_json(json.loads(said[name]), random))
    except (ValueError, TypeError, RecursionError):
        value = change_json(said[name], random)
    if random.random() < 0.1:
        value = change_json(value, random)
    return {**header, "__metadata__": {**said, name: value}}


def _other_tensor(said: Any, random: Random) -> Any:
    if not isinstance(said, dict) or random.random() < 0.3:
        return change_json(said, random)
    way = random.randrange(3)
    if way == 0:
        return {**said, "dtype": random.choice(_KINDS)}
    if way == 1:
        shape = said["shape"][::-1] if isinstance(said.get("shape"), list) else []
        shapes: tuple[Any, ...] = (shape, [], [0], [1], [-1], [1 << 40, 1 << 40], [2, 3], [[1]], [1.0])
        return {**said, "shape": random.choice(shapes)}
    return {**said, "data_offsets": random.choice(([0, 0], [0, 4], [4, 0], [-1, 4], [0, 1 << 62], [0], [0, "4"], None))}
