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
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from melodygru import __version__
from melodygru.collection import Collection, find_files, read_collection
from melodygru.config import ContextConfig, TokenizerConfig, as_dict
from melodygru.context import CONTEXT_ARRAYS, context_arrays
from melodygru.errors import DataError
from melodygru.families import families
from melodygru.originality import OriginalityIndex
from melodygru.tokenizer import REST, Events, Tokenizer

FORMAT = 3
EVENT_ARRAYS = ("durations", "pitches", *CONTEXT_ARRAYS)
_KEPT_CACHES = 4
"""How many caches of one folder lie side by side: other tracks, other contexts, or a run that is going on."""
_HALF_MADE_SECONDS = 86_400.0

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Dataset:
    """P pieces of N events in all.

    Attributes:
        arrays: "durations", "pitches" and the context arrays, each (N, ...): all pieces one after the other.
        offsets: (P + 1,) where each piece begins; the last entry is N.
        families: (P,) near-duplicate pieces have the same number, and never cross a split.
        lowest, highest: (P,) range of pitches, both included.
        pickups: (P,) whether a piece has one.
        names: (P,) of the pieces.
        report: what was read and what was left out, as JSON values.
        fingerprint: of the pieces, in order: their events, metres, keys and lengths.
    """

    arrays: Mapping[str, Array]
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

    def originality_index(self, pieces: Array) -> OriginalityIndex:
        """The index of these pieces."""
        bars = [(self.arrays["bar_steps"][self.offsets[i]], self.pickups[i]) for i in pieces]
        return OriginalityIndex.build([self.names[i] for i in pieces], [self.line(i) for i in pieces], bars)


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


def cache_key(folder: Path, tokenizer: TokenizerConfig, context: ContextConfig, track: str) -> str:
    """A hash that changes when a file is added, removed or changed, or the configuration is another."""
    # The version, since a newer one may read the same files better.
    state: list[Any] = [FORMAT, __version__, as_dict(tokenizer), as_dict(context), track]
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
    key = cache_key(folder, tokenizer, context, track)
    place = cache_home() / hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:16] / key
    if (found := _open(place)) is not None:
        return found
    collection = read_collection(folder, track=track, progress=progress)
    _write(place, collection, tokenizer, context)
    if (made := _open(place)) is None:
        raise DataError(f"The cache {place} cannot be read back; remove it, or set MELODYGRU_CACHE to another folder.")
    return made


def _write(place: Path, collection: Collection, tokenizer: TokenizerConfig, context: ContextConfig) -> None:
    """Write a cache, all or nothing; the oldest ones of the same folder are removed."""
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
    arrays["pickups"] = np.array([melody.pickup > 0 for melody in collection.pieces])
    arrays["families"] = np.array(families(collection.pieces))
    description = {
        "names": [melody.name for melody in collection.pieces],
        "report": collection.summary(),
        "fingerprint": fingerprint_of(pieces),
    }
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(dir=place.parent, prefix=".part-"))
        try:
            for name, array in arrays.items():
                np.save(beside / f"{name}.npy", array)
            (beside / "description.json").write_text(json.dumps(description), "utf-8")
            # Another process may have been faster: a sound cache stays, since somebody may be reading it.
            if _open(place) is None:
                if place.exists():
                    aside = Path(tempfile.mkdtemp(dir=place.parent, prefix=".part-"))
                    os.replace(place, aside / "damaged")
                    shutil.rmtree(aside, ignore_errors=True)
                os.replace(beside, place)
        finally:
            shutil.rmtree(beside, ignore_errors=True)
    except OSError as error:
        if _open(place) is None:
            raise DataError(
                f"The cache {place.parent} cannot be written ({error.strerror}); make room, or set MELODYGRU_CACHE."
            ) from error
    _tidy(place.parent)


def fingerprint_of(pieces: Sequence[Events]) -> str:
    """32 hexadecimal digits that tell these pieces from others: their events, metres, keys and lengths, in order."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(json.dumps(as_dict(piece.meta)).encode())
        digest.update(piece.durations.astype("<i2").tobytes() + piece.pitches.astype("<i2").tobytes())
    return digest.hexdigest()[:32]


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


def _open(place: Path) -> Dataset | None:
    """The cache that lies there; None when there is none, or it is damaged."""
    try:
        description = json.loads((place / "description.json").read_text("utf-8"))
        arrays = {name: np.load(place / f"{name}.npy", mmap_mode="r") for name in EVENT_ARRAYS}
        offsets, kin, lowest, highest, pickups = (
            np.load(place / f"{name}.npy") for name in ("offsets", "families", "lowest", "highest", "pickups")
        )
        names, report, mark = (description[name] for name in ("names", "report", "fingerprint"))
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None
    events_agree = all(len(array) == offsets[-1] for array in arrays.values())
    if not events_agree or {len(names), *map(len, (kin, lowest, highest, pickups))} != {len(offsets) - 1}:
        return None
    return Dataset(arrays, offsets, kin, lowest, highest, pickups, names, report, mark)
