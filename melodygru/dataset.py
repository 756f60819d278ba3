"""Pieces as memory-mapped arrays, read and tokenised once.

They lie in the user's cache under a key made of the inputs (names, sizes and times of the files, the
configuration, this program's version); when that has changed, they are made anew. The fingerprint that a
checkpoint tells is of the music alone: the same on every machine.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import numpy.typing as npt

from melodygru import __version__
from melodygru.collection import find_names
from melodygru.config import ContextConfig, TokenizerConfig, as_dict
from melodygru.context import CONTEXT_ARRAYS
from melodygru.errors import DataError, FileError
from melodygru.files import cache_home
from melodygru.growing_arrays import GrowingArrays
from melodygru.originality import OriginalityIndex
from melodygru.preparation import Reading, in_shards, reading, shard_path, write_shards
from melodygru.shards import Shard, with_contexts
from melodygru.survey import Survey
from melodygru.theory import TimeSignature
from melodygru.tokenizer import REST, Events, PieceMeta

FORMAT = 5
EVENT_ARRAYS = ("durations", "pitches", *CONTEXT_ARRAYS)
_KEPT_CACHES = 4
"""How many caches of one folder lie side by side: other tracks, other contexts, or a run that is going on."""
_HALF_MADE_SECONDS = 86_400.0
_PART = 2000
"""Pieces whose contexts are made together where those of all are."""

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Dataset:
    """P pieces of N events in all.

    Attributes:
        arrays: "durations", "pitches", each (N,): all pieces one after the other. Where contexts are slow to make (no
            compiler) or few, those too, (N, ...); else they are made when they are needed, see `gathered`.
        table: (P, 6) numerator, denominator, tonic, place of the mode in `MODES`, bars, whether there is a pickup.
        context, tokenizer: what the pieces were read for.
        offsets: (P + 1,) where each piece begins; the last entry is N.
        families: (P,) near-duplicate pieces have the same number, and never cross a split.
        lowest, highest: (P,) range of pitches, both included.
        pickups: (P,) whether a piece has one.
        names: (P,) of the pieces.
        report: what was read and what was left out, as JSON values.
        fingerprint: of the pieces, in order: their events, metres, keys and lengths.
    """

    arrays: Mapping[str, Array]
    table: Array
    context: ContextConfig
    tokenizer: TokenizerConfig
    offsets: Array
    families: Array
    lowest: Array
    highest: Array
    pickups: Array
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

    def line(self, piece: int) -> tuple[Array, Array]:
        """Pitches and onsets, in steps, of a piece's notes."""
        begin, end = self.offsets[piece], self.offsets[piece + 1]
        pitches = self.arrays["pitches"][begin:end].astype(np.int64)
        durations = self.arrays["durations"][begin:end].astype(np.int64)
        sounds = pitches < REST
        return pitches[sounds], (np.cumsum(durations) - durations)[sounds]

    def gathered(self, pieces: Array) -> tuple[Mapping[str, Array], Array]:
        """Arrays that hold these pieces with their contexts, and where each begins in them.

        Args:
            pieces: (R,) indices, none twice.

        Returns:
            `EVENT_ARRAYS`, each (M, ...): the stored ones, or new ones of these pieces alone; and (R,) places in them.
        """
        if "inputs" in self.arrays:
            return self.arrays, self.offsets[pieces]
        stretches = [slice(self.offsets[piece], self.offsets[piece + 1]) for piece in pieces]
        durations, pitches = (
            np.concatenate([self.arrays[name][part] for part in stretches]) for name in ("durations", "pitches")
        )
        offsets = np.concatenate([[0], np.cumsum([part.stop - part.start for part in stretches])])
        table = np.column_stack([np.zeros(len(pieces), np.int32), self.table[pieces]])
        shard = with_contexts(Shard([], table, offsets, durations, pitches), self.context, self.tokenizer)
        return {"durations": durations, "pitches": pitches, **shard.contexts}, offsets[:-1]

    def complete(self) -> Mapping[str, Array]:
        """`EVENT_ARRAYS` of all pieces, each (N, ...): for where all of them have room."""
        if "inputs" in self.arrays:
            return self.arrays
        parts = [self.gathered(part)[0] for part in np.array_split(np.arange(self.pieces), -(-self.pieces // _PART))]
        return {name: np.concatenate([part[name] for part in parts]) for name in EVENT_ARRAYS}

    def originality_index(self, pieces: Array) -> OriginalityIndex:
        """The index of these pieces."""
        metres = self.table[:, :2].tolist()
        bars = [(TimeSignature(*metres[i]).bar_steps, self.pickups[i]) for i in pieces]
        return OriginalityIndex.build([self.names[i] for i in pieces], [self.line(i) for i in pieces], bars)


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
            _update(digest, shard)
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


def fingerprint_of(pieces: Sequence[Events]) -> str:
    """32 hexadecimal digits that tell these pieces from others: their events, metres, keys and lengths, in order."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(_described(piece.meta))
        digest.update(piece.durations.astype("<i2").tobytes() + piece.pitches.astype("<i2").tobytes())
    return digest.hexdigest()[:32]


def _update(digest: Any, shard: Shard) -> None:
    """`fingerprint_of`, for the pieces of a shard."""
    durations, pitches = (memoryview(a.astype("<i2").tobytes()) for a in (shard.durations, shard.pitches))
    for (begin, end), meta in zip(pairwise((2 * shard.offsets).tolist()), shard.metas(), strict=True):
        digest.update(_described(meta))
        digest.update(durations[begin:end])
        digest.update(pitches[begin:end])


@lru_cache(maxsize=4096)
def _described(meta: PieceMeta) -> bytes:
    return json.dumps(as_dict(meta)).encode()


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
