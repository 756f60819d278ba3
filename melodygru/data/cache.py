"""Where a dataset lies once it is made: in the user's cache, under a key of its inputs, written whole or not at all.

The key is made of the names, sizes and times of the files, the configuration and this program's version: when one of
them has changed, the files are read anew. Beside the caches of a folder lie the shards of those that are being made.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from melodygru.data.collection import find_names
from melodygru.data.dataset import EVENT_ARRAYS, Dataset, update_fingerprint
from melodygru.data.preparation import Reading, in_shards, reading, shard_path, write_shards
from melodygru.data.shards import Shard
from melodygru.data.survey import Survey
from melodygru.errors import DataError, FileError, as_dict
from melodygru.network.arrays import Array
from melodygru.network.config import ContextConfig, TokenizerConfig
from melodygru.network.context import CONTEXT_ARRAYS
from melodygru.system import cache_home
from melodygru.version import __version__

FORMAT = 6
_KEPT_CACHES = 4
"""How many caches of one folder lie side by side: other tracks, other contexts, or a run that is going on."""
_HALF_MADE_SECONDS = 86_400.0


def cache_key(
    folder: Path, files: Sequence[str], tokenizer: TokenizerConfig, context: ContextConfig, track: str
) -> str:
    """A hash that changes when a file is added, removed or changed, or the configuration is another."""
    # The version, since a newer one may read the same files better.
    digest = hashlib.sha256(json.dumps([FORMAT, __version__, as_dict(tokenizer), as_dict(context), track]).encode())
    beside = len(str(folder))
    for path in files:
        status = os.stat(path)
        digest.update(f"{path[beside:]}\0{status.st_size}\0{status.st_mtime_ns}\0".encode(errors="surrogatepass"))
    return digest.hexdigest()[:32]


def load_dataset(
    folder: str | os.PathLike[str],
    tokenizer: TokenizerConfig | None = None,
    context: ContextConfig | None = None,
    track: str = "auto",
    progress: Callable[[int, int], None] | None = None,
    jobs: int | None = None,
) -> Dataset:
    """The pieces of a folder, from the cache if nothing has changed.

    `progress` is called with files read and files in all; `jobs` is how many processes read, None for as many as there
    are cores. A run that was stopped goes on where it was. Raises DataError when there is no melody.
    """
    folder = Path(folder)
    tokenizer, context = tokenizer or TokenizerConfig(), context or ContextConfig()
    files = find_names(folder)
    place = _place(folder, files, tokenizer, context, track)
    if (found := _open(place, tokenizer, context)) is not None:
        return found
    read = reading(track, tokenizer, context, len(files))
    try:
        write_shards(files, read, _parts(place), progress, jobs)
        _assemble(place, files, read, tokenizer, context)
    except (OSError, FileError) as error:
        if _open(place, tokenizer, context) is None:
            reason = error.strerror if isinstance(error, OSError) else error
            raise DataError(
                f"The cache {place.parent} cannot be written ({reason}); make room, or set MELODYGRU_CACHE."
            ) from error
    if (made := _open(place, tokenizer, context)) is None:
        raise DataError(f"The cache {place} cannot be read back; remove it, or set MELODYGRU_CACHE to another folder.")
    return made


def read_part(
    folder: str | os.PathLike[str],
    part: tuple[int, int],
    tokenizer: TokenizerConfig | None = None,
    context: ContextConfig | None = None,
    track: str = "auto",
    progress: Callable[[int, int], None] | None = None,
    jobs: int | None = None,
) -> None:
    """Read the i-th of n parts, `part` (i, n), of what `load_dataset` would read: it then finds that part done.

    For several machines that share the cache's disk.
    """
    folder = Path(folder)
    tokenizer, context = tokenizer or TokenizerConfig(), context or ContextConfig()
    files = find_names(folder)
    place = _place(folder, files, tokenizer, context, track)
    if _open(place, tokenizer, context) is None:
        read = reading(track, tokenizer, context, len(files))
        write_shards(files, read, _parts(place), progress, jobs, part)


def _place(folder: Path, files: Sequence[str], tokenizer: TokenizerConfig, context: ContextConfig, track: str) -> Path:
    home = cache_home() / hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16]
    return home / cache_key(folder, files, tokenizer, context, track)


def _parts(place: Path) -> Path:
    """Where the shards lie that a cache is made of."""
    return place.with_name(f".part-{place.name}")


def _assemble(
    place: Path, files: Sequence[str], read: Reading, tokenizer: TokenizerConfig, context: ContextConfig
) -> None:
    """Make a cache of its shards, all or nothing; the oldest ones of the same folder are removed."""
    parts, survey, digest = _parts(place), Survey(), hashlib.sha256()
    beside = Path(tempfile.mkdtemp(dir=place.parent, prefix=".part-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, beside, ignore_errors=True)
        columns = GrowingArrays(beside, stack)
        for number, paths in enumerate(in_shards(files)):
            shard = _shard(shard_path(parts, number), paths, read)
            survey.add(shard)
            update_fingerprint(digest, shard)
            columns.add({"durations": shard.durations, "pitches": shard.pitches, **shard.contexts})
            columns.add({"lengths": np.diff(shard.offsets), "table": shard.table[:, 1:]})
        if not survey.pieces:
            raise DataError("No usable melody was found; see `melodygru inspect` for the reasons.")
        columns.finish()
        for name in ("families", "lowest", "highest"):
            np.save(beside / f"{name}.npy", getattr(survey, name))
        description = {
            "names": survey.names,
            "report": survey.summary(),
            "fingerprint": digest.hexdigest()[:32],
            "contexts": columns.has("inputs"),
        }
        (beside / "description.json").write_text(json.dumps(description), "utf-8")
        # Another process may have been faster: a sound cache stays, since somebody may be reading it.
        if _open(place, tokenizer, context) is None:
            if place.exists():
                aside = Path(tempfile.mkdtemp(dir=place.parent, prefix=".part-"))
                os.replace(place, aside / "damaged")
                shutil.rmtree(aside, ignore_errors=True)
            os.replace(beside, place)
    shutil.rmtree(parts, ignore_errors=True)
    _tidy(place.parent)


def _shard(path: Path, paths: Sequence[str], read: Reading) -> Shard:
    try:
        return Shard.load(path)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return read(paths)  # it is damaged, or somebody who was faster has removed it


def _tidy(home: Path) -> None:
    """Remove all but the newest caches of one folder, and what processes that died have left half made."""

    def made(path: Path) -> float:
        try:
            return path.stat().st_mtime
        except OSError:
            return time.time()  # another process has just removed it

    newest_first = sorted(home.iterdir(), key=made, reverse=True)
    whole = [path for path in newest_first if not path.name.startswith(".part-")]
    parts = [path for path in newest_first if path.name.startswith(".part-")]
    abandoned = [path for path in parts if made(path) < time.time() - _HALF_MADE_SECONDS]
    for path in (*whole[_KEPT_CACHES:], *abandoned):
        shutil.rmtree(path, ignore_errors=True)


def _open(place: Path, tokenizer: TokenizerConfig, context: ContextConfig) -> Dataset | None:
    """The cache that lies there; None when there is none, or it is damaged."""
    try:
        description = json.loads((place / "description.json").read_text("utf-8"))
        stored = [name for name in EVENT_ARRAYS if name not in CONTEXT_ARRAYS or description["contexts"]]
        arrays = {name: np.load(place / f"{name}.npy", mmap_mode="r") for name in stored}
        lengths, table, kin, lowest, highest = (
            np.load(place / f"{name}.npy") for name in ("lengths", "table", "families", "lowest", "highest")
        )
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        names, report, mark = (description[name] for name in ("names", "report", "fingerprint"))
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None
    events_agree = all(len(array) == offsets[-1] for array in arrays.values())
    if not events_agree or {len(names), *map(len, (table, kin, lowest, highest))} != {len(offsets) - 1}:
        return None
    pickups = table[:, 5] > 0
    return Dataset(arrays, table, context, tokenizer, offsets, kin, lowest, highest, pickups, names, report, mark)


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
