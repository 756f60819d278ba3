"""Arrays that are written row by row, and never held in memory as a whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class GrowingArrays:
    """Arrays that grow at the end, as .npy files: memory holds the rows in hand only."""

    def __init__(self, folder: Path, stack: ExitStack):
        self._folder, self._stack = folder, stack
        self._files: dict[str, Any] = {}
        self._kinds: dict[str, tuple[np.dtype[Any], tuple[int, ...]]] = {}
        self._rows: Counter[str] = Counter()

    def add(self, arrays: Mapping[str, Array]) -> None:
        """Append rows; the first call with a name decides on the dtype and shape of its rows."""
        for name, array in arrays.items():
            if name not in self._files:
                self._files[name] = self._stack.enter_context((self._folder / f"{name}.npy").open("wb"))
                self._kinds[name] = array.dtype, array.shape[1:]
                self._head(name)
            self._files[name].write(np.ascontiguousarray(array).tobytes())
            self._rows[name] += len(array)

    def has(self, name: str) -> bool:
        """Whether there is an array of that name."""
        return name in self._files

    def finish(self) -> None:
        """Say in each file how many rows it has."""
        for name, file in self._files.items():
            file.seek(0)
            self._head(name)
            file.close()

    def _head(self, name: str) -> None:
        dtype, shape = self._kinds[name]
        described = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False}
        # Both heads are of one length: numpy leaves room for the digits of the first axis.
        np.lib.format.write_array_header_1_0(self._files[name], {**described, "shape": (self._rows[name], *shape)})
