"""Structs that compiled functions are handed."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import numpy as np

from melodygru.network.arrays import Array


class Struct:
    """A struct of whole numbers and pointers, of 64 bits each; arrays in it live as long as it does.

    Attributes:
        at: where it lies.
    """

    def __init__(self, fields: Sequence[int | Array | None]):
        self._kept = fields
        cells = [0 if one is None else one.ctypes.data if isinstance(one, np.ndarray) else one for one in fields]
        self._cells = np.array(cells, np.int64)
        self.at = ctypes.c_void_p(self._cells.ctypes.data)

    def put(self, place: int, number: int) -> None:
        """Give the field of that number another value."""
        self._cells[place] = number

    def point(self, place: int, to: Array | None) -> None:
        """Have the field of that number point to another array, which the caller keeps for as long as it is read."""
        self._cells[place] = 0 if to is None else to.ctypes.data
