"""Where a dataset lies once it is made: in the user's cache, under a key of its inputs, written whole or not at all.

The key is made of the names, sizes and times of the files, the configuration and this program's version. When a file
has changed or come, a new cache is made of those that are new and of an earlier one (`melodygru.data.earlier`). Beside
the caches of a folder lie the shards of those that are being made.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from melodygru.data.collection import find_names
from melodygru.data.dataset import EVENT_ARRAYS, Dataset, update_fingerprint
from melodygru.data.earlier import Earlier, Listing, Notes, merged
from melodygru.data.harmony import moved
from melodygru.data.preparation import Reading, in_shards, read_shards, reading, shard_path, write_shards
from melodygru.data.shards import FEW, Shard
from melodygru.data.survey import Survey
from melodygru.errors import DataError, FileError, as_dict
from melodygru.formats.midi.extraction import ExtractionConfig
from melodygru.network.arrays import Array
from melodygru.network.config import ContextConfig, TokenizerConfig
from melodygru.network.context import CONTEXT_ARRAYS
from melodygru.network.judge import fingerprint
from melodygru.records import dataclass
from melodygru.system.folders import cache_home
from melodygru.version import __version__

FORMAT = 12
_DESCRIPTION = "description.json"
_HALF_MADE = ".part-"
"""How names begin of what lies beside caches and is none yet."""
_KEPT_CACHES = 4
"""How many caches of one folder lie side by side: other tracks, other contexts, or a run that is going on."""
_HALF_MADE_SECONDS = 86_400.0


@dataclass(frozen=True)
class _Folder:
    """A folder that is read, and how.

    Attributes:
        listing: its files.
        tokenizer, context: what they are read for.
        read: how all are read.
        manner: a hash of that: files that are read in the same manner come out the same.
        place: where its cache lies.
        earlier: a cache of it that lacks some files, or None.
        places: (F,) which file of the earlier cache each is; -1 where it has to be read.
    """

    listing: Listing
    tokenizer: TokenizerConfig
    context: ContextConfig
    read: Reading
    manner: str
    place: Path
    earlier: Earlier | None
    places: Array

    @classmethod
    def of(
        cls,
        folder: str | os.PathLike[str],
        tokenizer: TokenizerConfig | None,
        context: ContextConfig | None,
        extraction: ExtractionConfig,
    ) -> _Folder:
        folder = Path(folder)
        tokenizer, context = tokenizer or TokenizerConfig(), context or ContextConfig()
        listing = Listing.of(folder, find_names(folder))
        # The version and the judge of what files do not say, since newer ones may read the same files better.
        told = [FORMAT, __version__, as_dict(tokenizer), as_dict(context), as_dict(extraction), fingerprint()]
        manner = _hash(json.dumps(told).encode())
        files = (f"{name}\0{size}\0{time}\0".encode(errors="surrogatepass") for name, size, time in listing.marks())
        home = cache_home() / _hash(os.fsencode(folder.resolve()))[:16]
        place = home / _hash(manner.encode(), *files)[:32]
        read = reading(extraction, tokenizer, context, len(listing.names))
        known = (place / _DESCRIPTION).exists()
        earlier = None if known else _newest(home, {"manner": manner, "contexts": read.context is not None}, place)
        places = np.full(len(listing.names), -1) if earlier is None else earlier.places(listing)
        return cls(listing, tokenizer, context, read, manner, place, earlier, places)

    @property
    def fresh(self) -> Sequence[str]:
        """The files that have to be read."""
        return self.listing.chosen(self.places < 0).names

    @property
    def read_fresh(self) -> Reading:
        """How those are read: few ones without the fast lane, which gives the same."""
        return replace(self.read, fast=self.read.fast and len(self.fresh) >= FEW)

    @property
    def parts(self) -> Path:
        """Where the shards lie that a cache is made of: of other files where the earlier cache is another."""
        beside = "" if self.earlier is None else f"-{self.earlier.name[:8]}"
        return self.place.with_name(f"{_HALF_MADE}{self.place.name}{beside}")

    def open(self) -> Dataset | None:
        """The cache, if it is there and sound."""
        return _open(self.place, self.tokenizer, self.context)


def _hash(*texts: bytes) -> str:
    digest = hashlib.sha256()
    for text in texts:
        digest.update(text)
    return digest.hexdigest()


def _newest(home: Path, wanted: Mapping[str, Any], besides: Path) -> Earlier | None:
    """The newest cache of a folder whose description says all that is wanted, if there is one."""
    for place in _newest_first(home):
        with suppress(OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile):
            told = json.loads((place / _DESCRIPTION).read_text("utf-8"))
            if place != besides and {name: told[name] for name in wanted} == wanted:
                return Earlier(place)
    return None


def load_dataset(
    folder: str | os.PathLike[str],
    tokenizer: TokenizerConfig | None = None,
    context: ContextConfig | None = None,
    extraction: ExtractionConfig = ExtractionConfig(),
    progress: Callable[[int, int], None] | None = None,
    jobs: int | None = None,
) -> Dataset:
    """The pieces of a folder, from the cache if nothing has changed.

    `progress` is called with files read and files in all; `jobs` is how many processes read, None for as many as there
    are cores. A run that was stopped goes on where it was. Raises DataError when there is no melody.
    """
    asked = _Folder.of(folder, tokenizer, context, extraction)
    if (found := asked.open()) is not None:
        return found
    try:
        write_shards(asked.fresh, asked.read_fresh, asked.parts, progress, jobs)
        _assemble(asked)
    except (OSError, FileError) as error:
        if asked.open() is None:
            # Of what could not be written within it, the system's word will do.
            cause = error.__cause__ if isinstance(error.__cause__, OSError) else error
            reason = getattr(cause, "strerror", None) or cause
            raise DataError(
                f"The cache {asked.place.parent} cannot be written ({reason}); make room, or set MELODYGRU_CACHE."
            ) from error
    if (made := asked.open()) is None:
        raise DataError(
            f"The cache {asked.place} cannot be read back; remove it, or set MELODYGRU_CACHE to another folder."
        )
    return made


def read_part(
    folder: str | os.PathLike[str],
    part: tuple[int, int],
    tokenizer: TokenizerConfig | None = None,
    context: ContextConfig | None = None,
    extraction: ExtractionConfig = ExtractionConfig(),
    progress: Callable[[int, int], None] | None = None,
    jobs: int | None = None,
) -> None:
    """Read the i-th of n parts, `part` (i, n), of what `load_dataset` would read: it then finds that part done.

    For several machines that share the cache's disk.
    """
    asked = _Folder.of(folder, tokenizer, context, extraction)
    if asked.open() is None:
        write_shards(asked.fresh, asked.read_fresh, asked.parts, progress, jobs, part)


def _assemble(asked: _Folder) -> None:
    """Make a cache of its shards, all or nothing; the oldest ones of the same folder are removed."""
    place, survey, digest, notes = asked.place, Survey(), hashlib.sha256(), Notes([], [])
    beside = Path(tempfile.mkdtemp(dir=place.parent, prefix=_HALF_MADE))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, beside, ignore_errors=True)
        columns = GrowingArrays(beside, stack)
        for shard in merged(asked.listing, asked.places, asked.earlier, _shards(asked)):
            survey.add(shard)
            notes.add(shard)
            update_fingerprint(digest, shard)
            columns.add({"durations": shard.durations, "pitches": shard.pitches, **shard.contexts})
            columns.add({"lengths": np.diff(shard.offsets), "table": shard.table[:, 1:]})
            columns.add({"chords": moved(shard.chords, survey.pieces - len(shard.table))})
        if not survey.pieces:
            raise DataError("No usable melody was found; see `melodygru inspect` for the reasons.")
        columns.finish()
        notes.save(beside, asked.listing)
        for name in ("families", "lowest", "highest"):
            np.save(beside / f"{name}.npy", getattr(survey, name))
        description = {
            "names": survey.names,
            "report": survey.summary(),
            "fingerprint": digest.hexdigest()[:32],
            "contexts": columns.has("inputs"),
            "manner": asked.manner,
        }
        (beside / _DESCRIPTION).write_text(json.dumps(description), "utf-8")
        # Another process may have been faster: a sound cache stays, since somebody may be reading it.
        if asked.open() is None:
            if place.exists():
                aside = Path(tempfile.mkdtemp(dir=place.parent, prefix=_HALF_MADE))
                os.replace(place, aside / "damaged")
                shutil.rmtree(aside, ignore_errors=True)
            os.replace(beside, place)
    shutil.rmtree(asked.parts, ignore_errors=True)
    _tidy(place.parent)


def _shards(asked: _Folder) -> Iterator[Shard]:
    """The shards of the files that had to be read."""
    for number, paths in enumerate(in_shards(asked.fresh)):
        yield _shard(shard_path(asked.parts, number), paths, asked.read_fresh)


def _shard(path: Path, paths: Sequence[str], read: Reading) -> Shard:
    """A shard that was written; read again if it is damaged, of other files, or somebody faster has removed it."""
    with suppress(OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile):
        shard = Shard.load(path)
        if [os.path.basename(file.path) for file in shard.files] == [os.path.basename(path) for path in paths]:
            return shard
    [shard] = read_shards(paths, read)
    return shard


def _newest_first(home: Path) -> list[Path]:
    """The whole caches of one folder."""
    try:
        found = [path for path in home.iterdir() if not path.name.startswith(_HALF_MADE)]
    except OSError:
        return []
    return sorted(found, key=_made, reverse=True)


def _made(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return time.time()  # another process has just removed it


def _tidy(home: Path) -> None:
    """Remove all but the newest caches of one folder, and what processes that died have left half made."""
    halves = home.glob(f"{_HALF_MADE}*")
    abandoned = [path for path in halves if _made(path) < time.time() - _HALF_MADE_SECONDS]
    for path in (*_newest_first(home)[_KEPT_CACHES:], *abandoned):
        shutil.rmtree(path, ignore_errors=True)


def _open(place: Path, tokenizer: TokenizerConfig, context: ContextConfig) -> Dataset | None:
    """The cache that lies there; None when there is none, or it is damaged."""
    try:
        description = json.loads((place / _DESCRIPTION).read_text("utf-8"))
        stored = [name for name in EVENT_ARRAYS if name not in CONTEXT_ARRAYS or description["contexts"]]
        arrays = {name: np.load(place / f"{name}.npy", mmap_mode="r") for name in stored}
        lengths, table, kin, lowest, highest, chords = (
            np.load(place / f"{name}.npy") for name in ("lengths", "table", "families", "lowest", "highest", "chords")
        )
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        names, report, mark = (description[name] for name in ("names", "report", "fingerprint"))
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None
    events_agree = all(len(array) == offsets[-1] for array in arrays.values())
    if not events_agree or {len(names), *map(len, (table, kin, lowest, highest))} != {len(offsets) - 1}:
        return None
    pickups = table[:, 5] > 0
    return Dataset(
        arrays, table, context, tokenizer, offsets, kin, lowest, highest, pickups, names, report, mark, chords
    )


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
