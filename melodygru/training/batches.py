"""Pieces to batches: the split, windows, order and transposition; and batches to a device, results back from it.

All that is random here is a function of (seed, epoch) alone, so that a run can go on in mid-epoch. Between CPU and GPU
nobody waits: what goes there (`Loader`) and what comes back (`Pending`) is under way while the next step is prepared.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from torch import Tensor

from melodygru.data.dataset import Dataset
from melodygru.network.arrays import Array
from melodygru.network.tokenizer import REST
from melodygru.records import dataclass
from melodygru.training.conditioning import Conditioning

LOWEST_SHIFT, HIGHEST_SHIFT = -5, 6
"""Semitones of random transposition, both included: every key once."""
_ROOM = 0.5
"""Share of a GPU's free memory that the data may take."""
_LENGTHS = 8
"""Batches are as long as a multiple of it."""
_LAG = 16
"""So many steps later a GPU's numbers are asked for: by then they have long arrived."""


def split(families: Array, share: float, seed: int) -> tuple[Array, Array]:
    """Indices of training and validation pieces, of whose families (P,) are the numbers: whole families are held out,
    until `share` of the pieces are.
    """
    order = np.random.default_rng([seed, 1]).permutation(np.unique(families))
    wanted, held = round(share * len(families)), np.zeros(len(families), bool)
    for family in order:
        members = families == family
        if held.sum() + members.sum() <= wanted:
            held |= members
        if held.sum() >= wanted:
            break
    return np.flatnonzero(~held), np.flatnonzero(held)


@dataclass(frozen=True)
class Windows:
    """W stretches of pieces: events [start, stop) of all, and the piece that each is of; all (W,)."""

    start: Array
    stop: Array
    piece: Array

    def __len__(self) -> int:
        return len(self.start)


def windows(dataset: Dataset, pieces: Array, longest: int | None = None) -> Windows:
    """Pieces cut into the fewest even windows of at most `longest` events; whole for None.

    The context was computed on whole pieces, so windows keep their bar numbers and what they look back at.
    """
    rows = []
    for piece in pieces:
        first, last = int(dataset.offsets[piece]), int(dataset.offsets[piece + 1])
        parts = 1 if longest is None else -(-(last - first) // longest)
        edges = np.linspace(first, last, parts + 1).astype(int)
        rows += [(start, stop, piece) for start, stop in pairwise(edges)]
    table = np.array(rows, np.int64).reshape(-1, 3)
    return Windows(table[:, 0], table[:, 1], table[:, 2])


def epoch_batches(chosen: Windows, batch_size: int, seed: int, epoch: int) -> list[Array]:
    """Indices of the windows of each batch: of like length, in an order that depends on (seed, epoch) alone."""
    random = np.random.default_rng([seed, 2, epoch])
    # Lengths are blurred a little, so that the same windows do not meet in every epoch.
    order = np.argsort((chosen.stop - chosen.start) + random.uniform(-8, 8, len(chosen)))
    batches = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
    return [batches[i] for i in random.permutation(len(batches))]


def whole_batches(dataset: Dataset, pieces: Array, events: int = 8192) -> Iterator[tuple[Windows, Array]]:
    """Whole pieces in batches of like length and at most about `events` events, for validation."""
    chosen = windows(dataset, pieces)
    lengths = chosen.stop - chosen.start
    batch: list[int] = []
    for index in np.argsort(lengths):
        if batch and (len(batch) + 1) * _padded(lengths[[index]]) > events:
            yield chosen, np.array(batch)
            batch = []
        batch.append(int(index))
    if batch:
        yield chosen, np.array(batch)


def shifts(dataset: Dataset, chosen: Windows, share: float, seed: int, epoch: int) -> Array:
    """(W,) semitones to transpose each window by in this epoch, such that all pitches stay in [0, 128).

    About `share` of the windows, in [0, 1], are given a random one of -5..+6; the others are given 0.
    """
    low = np.maximum(LOWEST_SHIFT, -dataset.lowest[chosen.piece])
    high = np.minimum(HIGHEST_SHIFT, REST - 1 - dataset.highest[chosen.piece])
    random = np.random.default_rng([seed, 3, epoch])
    return np.where(random.random(len(chosen)) < share, random.integers(low, high + 1), 0)


def make_batch(
    dataset: Dataset,
    chosen: Windows,
    rows: Array,
    device: torch.device | str,
    conditioning: Conditioning | None = None,
    step: int | None = None,
) -> dict[str, torch.Tensor]:
    """The windows `rows` as one padded `melodygru.training.torch_network.Batch`.

    `conditioning`: what else is told of the pieces; in step `step` of training not all, otherwise what a user says too.
    """
    lengths = (chosen.stop - chosen.start)[rows]
    shape = (len(rows), _padded(lengths))
    pieces, place = np.unique(chosen.piece[rows], return_inverse=True)
    arrays, begins = dataset.gathered(pieces)
    starts = begins[place] + chosen.start[rows] - dataset.offsets[pieces][place]
    batch: dict[str, Array] = {}
    for name, array in arrays.items():
        wide = array.dtype if array.dtype == np.uint8 and array.ndim > 1 else np.int64
        padded = np.zeros((*shape, *array.shape[1:]), wide)
        for row, (start, length) in enumerate(zip(starts, lengths, strict=True)):
            padded[row, :length] = array[start : start + length]
        batch[name] = padded
    if conditioning is not None:
        of_rows = chosen.piece[rows]
        if step is None:
            told = conditioning.judged(dataset, of_rows)
        else:
            told = conditioning.hidden(dataset, of_rows, rows, step)
        onset = _onsets(arrays["durations"], begins[place], starts, shape[1])
        batch = conditioning.added(batch, onset, dataset, of_rows, told)
    sent = {name: torch.from_numpy(array).to(device) for name, array in batch.items()}
    return {**sent, "mask": _mask(lengths, shape[1], device)}


def _onsets(durations: Array, begins: Array, starts: Array, longest: int) -> Array:
    """(B, longest) steps from the beginning of each piece, which is at `begins`, to its events from `starts` on."""
    onset = np.zeros((len(begins), longest), np.int64)
    for row, (begin, start) in enumerate(zip(begins, starts, strict=True)):
        ends = np.cumsum(durations[begin : start + longest], dtype=np.int64)
        before = ends[start - begin - 1] if start > begin else 0
        inside = ends[start - begin : start - begin + longest - 1]
        onset[row, 0] = before
        onset[row, 1 : 1 + len(inside)] = inside
    return onset


def _padded(lengths: Array) -> int:
    """How long a batch of these lengths is made.

    What multiplies matrices (oneDNN) prepares itself for each shape, which takes as long as a small product does, and
    keeps the last thousand: so there are to be few.
    """
    return -(-int(lengths.max()) // _LENGTHS) * _LENGTHS


def _mask(lengths: Array, longest: int, device: torch.device | str) -> torch.Tensor:
    """(B, longest) bool: which places of a padded batch hold events."""
    mask = np.arange(longest)[None, :] < lengths[:, None]
    return torch.from_numpy(mask).to(device, non_blocking=True)


class Loader:
    """Makes batches on a device. A GPU is given the whole data once, if there is room: nothing has to follow then."""

    def __init__(self, device: torch.device, resident: bool | None = None, conditioning: Conditioning | None = None):
        self.device = device
        self._conditioning = conditioning
        if conditioning is not None:
            resident = False
        self._resident = device.type == "cuda" if resident is None else resident
        self._there: dict[int, dict[str, torch.Tensor] | None] = {}

    def batch(self, dataset: Dataset, chosen: Windows, rows: Array, step: int | None = None) -> dict[str, torch.Tensor]:
        """As `make_batch`, but that places which hold no event may hold anything."""
        arrays = self._arrays(dataset) if self._resident else None
        if arrays is None:
            return make_batch(dataset, chosen, rows, self.device, self._conditioning, step)
        lengths = (chosen.stop - chosen.start)[rows]
        longest = _padded(lengths)
        last = len(dataset.arrays["durations"]) - 1
        places = np.minimum(chosen.start[rows][:, None] + np.arange(longest), last)
        index = self.sent(torch.from_numpy(places))
        batch = {name: array[index] for name, array in arrays.items()}
        batch = {name: array if array.dim() > 2 else array.long() for name, array in batch.items()}
        return {**batch, "mask": _mask(lengths, longest, self.device)}

    def sent(self, tensor: torch.Tensor) -> torch.Tensor:
        """A tensor of the CPU, on the device; nobody waits until it has arrived."""
        if self.device.type == "cuda":
            tensor = tensor.pin_memory()
        return tensor.to(self.device, non_blocking=True)

    def _arrays(self, dataset: Dataset) -> dict[str, torch.Tensor] | None:
        if id(dataset) not in self._there:
            one = dataset.gathered(np.zeros(1, np.int64))[0]
            size = len(dataset.arrays["durations"]) * sum(a.nbytes // max(len(a), 1) for a in one.values())
            room = torch.cuda.mem_get_info(self.device)[0] if self.device.type == "cuda" else math.inf
            self._there[id(dataset)] = (
                {name: _tensor(array).to(self.device) for name, array in dataset.complete().items()}
                if size <= room * _ROOM
                else None
            )
        return self._there[id(dataset)]


def _tensor(array: Array) -> torch.Tensor:
    """A copy; as int32 where torch has no such type that can be indexed."""
    return torch.from_numpy(np.array(array, np.int32 if array.dtype == np.uint16 else array.dtype))


class Pending:
    """What was computed in the last steps, in order. On a CPU it is there at once."""

    def __init__(self, device: torch.device, lag: int | None = None):
        self._gpu = device.type == "cuda"
        self._lag = (0 if device.type == "cpu" else _LAG) if lag is None else lag
        self._waiting: deque[tuple[Tensor, Any, Any]] = deque()

    def add(self, numbers: Sequence[Tensor], told: Any) -> None:
        """Some numbers of a step, tensors without dimensions, and what is to be given back with them."""
        together = torch.stack([number.detach().float() for number in numbers])
        done = None
        if self._gpu:
            together = together.to("cpu", non_blocking=True)
            done = torch.cuda.Event()
            done.record()
        self._waiting.append((together, done, told))

    def arrived(self, everything: bool = False) -> Iterator[tuple[list[float], Any]]:
        """The numbers of all steps but the latest, and what was told with them; of `everything`, of those too."""
        while len(self._waiting) > (0 if everything else self._lag):
            numbers, done, told = self._waiting.popleft()
            if done is not None:
                done.synchronize()
            yield numbers.tolist(), told
