"""Pieces as memory-mapped arrays, and batches out of them.

A folder is read and tokenised once. The result lies in the user's cache beside a fingerprint of the
inputs (names, sizes and times of the files, and the configuration); when that has changed, it is made anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from melodygru.collection import Collection, find_files, read_collection
from melodygru.config import ContextConfig, TokenizerConfig, as_dict
from melodygru.context import CONTEXT_ARRAYS, context_arrays
from melodygru.errors import DataError
from melodygru.families import families
from melodygru.tokenizer import REST, Tokenizer

FORMAT = 1
EVENT_ARRAYS = ("durations", "pitches", *CONTEXT_ARRAYS)
LOWEST_SHIFT, HIGHEST_SHIFT = -5, 6
"""Semitones of random transposition, both included: every key once."""

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Dataset:
    """P pieces of N events in all.

    Attributes:
        arrays: "durations", "pitches" and the context arrays, each (N, ...): all pieces one after the other.
        offsets: (P + 1,) where each piece begins; the last entry is N.
        families: (P,) near-duplicate pieces have the same number, and never cross a split.
        lowest, highest: (P,) range of pitches, both included.
        names: (P,) of the pieces.
        report: what was read and what was left out, as JSON values.
        fingerprint: of the files and the configuration.
    """

    arrays: Mapping[str, Array]
    offsets: Array
    families: Array
    lowest: Array
    highest: Array
    names: Sequence[str]
    report: Mapping[str, Any]
    fingerprint: str

    @property
    def pieces(self) -> int:
        """P."""
        return len(self.offsets) - 1

    def notes(self, pieces: Array) -> int:
        """Notes in these pieces (indices): what a likelihood is divided by."""
        pitches = self.arrays["pitches"]
        return int(sum((pitches[self.offsets[i] : self.offsets[i + 1]] < REST).sum() for i in pieces))


def cache_home() -> Path:
    """Where caches lie: $MELODYGRU_CACHE, else the platform's place for them."""
    if given := os.environ.get("MELODYGRU_CACHE"):
        return Path(given)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    return base / "melodygru"


def fingerprint(folder: Path, tokenizer: TokenizerConfig, context: ContextConfig, track: str) -> str:
    """A hash that changes when a file is added, removed or changed, or the configuration is another."""
    state: list[Any] = [FORMAT, as_dict(tokenizer), as_dict(context), track]
    for path in find_files(folder):
        status = path.stat()
        state.append([str(path.relative_to(folder)), status.st_size, status.st_mtime_ns])
    return hashlib.sha256(json.dumps(state).encode()).hexdigest()[:32]


def load_dataset(
    folder: str | os.PathLike[str],
    tokenizer: TokenizerConfig | None = None,
    context: ContextConfig | None = None,
    track: str = "auto",
    progress: Callable[[int, int], None] | None = None,
) -> Dataset:
    """The pieces of a folder, from the cache if nothing has changed.

    `progress` is called with files read and files in all. Raises DataError when there is no melody.
    """
    folder = Path(folder)
    tokenizer, context = tokenizer or TokenizerConfig(), context or ContextConfig()
    mark = fingerprint(folder, tokenizer, context, track)
    place = cache_home() / hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16] / mark
    try:
        return _open(place)
    except (OSError, ValueError, KeyError):
        pass  # not there yet, or damaged: made anew
    collection = read_collection(folder, track=track, progress=progress)
    _write(place, collection, tokenizer, context, mark)
    return _open(place)


def _write(place: Path, collection: Collection, tokenizer: TokenizerConfig, context: ContextConfig, mark: str) -> None:
    """Write a cache, all or nothing; older ones of the same folder are removed."""
    pieces = [Tokenizer(tokenizer).encode(melody) for melody in collection.pieces]
    if not pieces:
        raise DataError("No usable melody was found; see `melodygru inspect` for the reasons.")
    contexts = context_arrays(pieces, context, tokenizer.max_duration)
    arrays = {name: np.concatenate([piece[name] for piece in contexts]) for name in CONTEXT_ARRAYS}
    arrays["durations"] = np.concatenate([piece.durations for piece in pieces]).astype(np.uint8)
    arrays["pitches"] = np.concatenate([piece.pitches for piece in pieces]).astype(np.uint8)
    arrays["offsets"] = np.cumsum([0, *(len(piece.durations) for piece in pieces)])
    sounding = [melody.notes for melody in collection.pieces]
    arrays["lowest"] = np.array([min(note.pitch for note in notes) for notes in sounding])
    arrays["highest"] = np.array([max(note.pitch for note in notes) for notes in sounding])
    arrays["families"] = np.array(families(collection.pieces))
    description = {
        "names": [melody.name for melody in collection.pieces],
        "report": collection.summary(),
        "fingerprint": mark,
    }
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=place.parent, prefix=".part-"))
        try:
            for name, array in arrays.items():
                np.save(beside / f"{name}.npy", array)
            (beside / "description.json").write_text(json.dumps(description), "utf-8")
            if place.exists():
                shutil.rmtree(place)
            os.replace(beside, place)
        except BaseException:
            shutil.rmtree(beside, ignore_errors=True)
            raise
    except OSError as error:
        if place.is_dir():
            return  # another process was faster
        raise DataError(
            f"The cache {place.parent} cannot be written ({error.strerror}); make room, or set MELODYGRU_CACHE."
        ) from error
    for old in place.parent.iterdir():
        if old != place and not old.name.startswith(".part-"):
            shutil.rmtree(old, ignore_errors=True)


def _open(place: Path) -> Dataset:
    description = json.loads((place / "description.json").read_text("utf-8"))
    arrays = {name: np.load(place / f"{name}.npy", mmap_mode="r") for name in EVENT_ARRAYS}
    offsets = np.load(place / "offsets.npy")
    if any(len(array) != offsets[-1] for array in arrays.values()):
        raise ValueError(f"the cache {place} is damaged")
    return Dataset(
        arrays,
        offsets,
        families=np.load(place / "families.npy"),
        lowest=np.load(place / "lowest.npy"),
        highest=np.load(place / "highest.npy"),
        names=description["names"],
        report=description["report"],
        fingerprint=description["fingerprint"],
    )


def split(dataset: Dataset, share: float, seed: int) -> tuple[Array, Array]:
    """Indices of training and validation pieces: whole families, until `share` of the pieces are held out."""
    order = np.random.default_rng([seed, 1]).permutation(np.unique(dataset.families))
    wanted, held = round(share * dataset.pieces), np.zeros(dataset.pieces, bool)
    for family in order:
        members = dataset.families == family
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


def shifts(dataset: Dataset, chosen: Windows, share: float, seed: int, epoch: int) -> Array:
    """(W,) semitones to transpose each window by in this epoch, such that all pitches stay in [0, 128).

    About `share` of the windows, in [0, 1], are given a random one of -5..+6; the others are given 0.
    """
    low = np.maximum(LOWEST_SHIFT, -dataset.lowest[chosen.piece])
    high = np.minimum(HIGHEST_SHIFT, REST - 1 - dataset.highest[chosen.piece])
    random = np.random.default_rng([seed, 3, epoch])
    return np.where(random.random(len(chosen)) < share, random.integers(low, high + 1), 0)


def make_batch(dataset: Dataset, chosen: Windows, rows: Array, device: torch.device | str) -> dict[str, torch.Tensor]:
    """The windows `rows` as one padded `melodygru.model.Batch`."""
    lengths = (chosen.stop - chosen.start)[rows]
    shape = (len(rows), int(lengths.max()))
    batch = {}
    for name, array in dataset.arrays.items():
        wide = array.dtype if array.dtype == np.uint8 and array.ndim > 1 else np.int64
        padded = np.zeros((*shape, *array.shape[1:]), wide)
        for row, index in enumerate(rows):
            padded[row, : lengths[row]] = array[chosen.start[index] : chosen.stop[index]]
        batch[name] = torch.from_numpy(padded).to(device)
    mask = np.arange(shape[1])[None, :] < lengths[:, None]
    return {**batch, "mask": torch.from_numpy(mask).to(device)}


def whole_batches(dataset: Dataset, pieces: Array, events: int = 8192) -> Iterator[tuple[Windows, Array]]:
    """Whole pieces in batches of like length and at most about `events` events, for validation."""
    chosen = windows(dataset, pieces)
    lengths = chosen.stop - chosen.start
    batch: list[int] = []
    for index in np.argsort(lengths):
        if batch and (len(batch) + 1) * lengths[index] > events:
            yield chosen, np.array(batch)
            batch = []
        batch.append(int(index))
    if batch:
        yield chosen, np.array(batch)
