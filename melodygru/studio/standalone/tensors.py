"""Safetensors files, read with NumPy alone: what `melodygru.network.checkpoint` asks of the package of that name.

The page's worker has no such package and puts this module in its place. Files were checked when the page was made.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from melodygru.network.arrays import Array

_KINDS = {"F32": "<f4", "F16": "<f2", "F64": "<f8", "I8": "i1", "I16": "<i2", "I32": "<i4", "I64": "<i8"}
_KINDS |= {"U8": "u1", "U16": "<u2", "U32": "<u4", "U64": "<u8", "BOOL": "?"}


class SafetensorError(Exception):
    """A file that is none; not raised here."""


class _Slice:
    def __init__(self, entry: dict[str, Any]):
        self._entry = entry

    def get_dtype(self) -> str:
        return self._entry["dtype"]

    def get_shape(self) -> list[int]:
        return self._entry["shape"]


class safe_open:
    """An open file; its name is the package's."""

    def __init__(self, path: Any, framework: str):
        with open(path, "rb") as file:
            length = int.from_bytes(file.read(8), "little")
            self._entries = json.loads(file.read(length))
            self._data = file.read()
        self._entries.pop("__metadata__", None)

    def __enter__(self) -> safe_open:
        return self

    def __exit__(self, *raised: object) -> None:
        pass

    def keys(self) -> list[str]:
        """The names of the arrays."""
        return list(self._entries)

    def get_slice(self, name: str) -> _Slice:
        """What an array is of."""
        return _Slice(self._entries[name])

    def get_tensor(self, name: str) -> Array:
        """An array."""
        entry = self._entries[name]
        begin, end = entry["data_offsets"]
        return np.frombuffer(self._data[begin:end], _KINDS[entry["dtype"]]).reshape(entry["shape"])
