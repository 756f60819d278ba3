"""The folk tunes that music21 brings along -> melodies, or a folder of MIDI files.

Four collections in ABC notation: three printed books that are in the public domain, and
the Essen collection, which may not be used commercially (`Corpus.free` tells). Each
tune is read by `melodygru.formats.scores.abc.tunes`; one that cannot be is left out with its reason.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import field, replace
from importlib.util import find_spec
from itertools import chain, islice
from os import PathLike
from pathlib import Path

from melodygru.errors import FileError, UsageError
from melodygru.formats.midi.writer import write_midi
from melodygru.music.melody import Melody
from melodygru.records import dataclass
from melodygru.system.processes import by_processes, usable_cores

_CHUNK = 24
"""Tunes that a process takes at a time: about a tenth of a second's work."""


@dataclass(frozen=True)
class Corpus:
    """One collection.

    Attributes:
        name: what the command line calls it.
        title: the book's, with its year.
        folder: where it lies in music21's corpus.
        transcribers: who made the ABC files.
        licence: what may be done with it.
        free: True when that includes commercial use.
        tunes: how many it holds in music21 10.5, readable or not.
    """

    name: str
    title: str
    folder: str
    transcribers: str
    licence: str
    free: bool
    tunes: int


CORPORA: dict[str, Corpus] = {
    corpus.name: corpus
    for corpus in (
        Corpus(
            "oneill",
            "O'Neill's Music of Ireland, 1903 (1,850 melodies)",
            "oneills1850",
            "volunteers of the O'Neill project, credited tune by tune",
            "public domain",
            True,
            2009,
        ),
        Corpus(
            "ryan",
            "Ryan's Mammoth Collection, 1883 (later Cole's 1000 Fiddle Tunes)",
            "ryansMammoth",
            "volunteers of the Ryan's project, credited tune by tune",
            "public domain",
            True,
            1059,
        ),
        Corpus(
            "aird",
            "Aird's Selection of Scotch, English, Irish and Foreign Airs, 1778-1803",
            "airdsAirs",
            "Jack Campin",
            "public domain",
            True,
            1180,
        ),
        Corpus(
            "essen",
            "Essen Folksong Collection (Schaffrath; Dahlig-Turek)",
            "essenFolksong",
            "Seymour Shlien, from EsAC",
            "non-commercial only",
            False,
            8514,
        ),
    )
}
"""The collections by name."""


@dataclass(frozen=True)
class Tune:
    """The fate of one tune: its `number` in the collection, from 1, and a melody or the `reason` for none."""

    number: int
    melody: Melody | None
    reason: str = ""


@dataclass
class Written:
    """What `write_corpus` did: the folder, how many files it wrote, and the tunes left out by reason."""

    folder: Path
    files: int = 0
    left_out: Counter[str] = field(default_factory=Counter)


def corpus_melodies(name: str, limit: int | None = None, jobs: int | None = None) -> Iterator[Tune]:
    """Every tune of a collection, in its order, read or left out.

    Args:
        name: one of `CORPORA`.
        limit: stop after that many tunes, at least 1; None reads all.
        jobs: processes, at least 1; None uses every core that may be used.

    Raises:
        UsageError: no collection of that name, or a number below 1.
        FileError: music21 is installed without its corpus.
    """
    if limit is not None and limit < 1:
        raise UsageError(f"limit is {limit}; choose 1 tune or more, or leave it away for all.")
    if jobs is not None and jobs < 1:
        raise UsageError(f"jobs is {jobs}; choose 1 process or more.")
    texts = tune_texts(name)[:limit]
    workers = min(jobs or usable_cores(), -(-len(texts) // _CHUNK))
    return _read_all(texts, workers)


def _read_all(texts: list[str], workers: int) -> Iterator[Tune]:
    if workers <= 1:
        yield from _numbered(map(_read, texts))
        return
    chunks = [(texts[i : i + _CHUNK],) for i in range(0, len(texts), _CHUNK)]
    yield from _numbered(chain.from_iterable(by_processes(_read_some, chunks, workers)))


def _numbered(results: Iterable[Melody | str]) -> Iterator[Tune]:
    for number, result in enumerate(results, start=1):
        yield Tune(number, None, result) if isinstance(result, str) else Tune(number, result)


def _read_some(texts: Sequence[str]) -> list[Melody | str]:
    return [_read(text) for text in texts]


def _read(text: str) -> Melody | str:
    """A melody, or the reason for none: exceptions would end the whole pool's work."""
    from melodygru.formats.scores.abc.fields import LeftOut
    from melodygru.formats.scores.abc.tunes import read_tune

    try:
        melody = read_tune(text)
    except LeftOut as reason:
        return reason.reason
    except Exception as error:
        return f"unforeseen: {type(error).__name__}"
    # In Ryan's book stray colons stand in words: "Amat:eur".
    return replace(melody, name=re.sub(r"(?<=[a-z]):(?=[a-z])", "", melody.name))


def find_corpus(name: str) -> Corpus:
    """The collection of that name. Raises UsageError, with the names there are."""
    if name not in CORPORA:
        raise UsageError(f"There is no collection {name!r}; choose one of {', '.join(CORPORA)}.")
    return CORPORA[name]


def tune_texts(name: str) -> list[str]:
    """The ABC text of every tune in a collection, each from its `X:` line on, by file name and place."""
    spec = find_spec("music21")  # Finds the files without the seconds that importing music21 takes.
    places = [Path(place) for place in spec.submodule_search_locations or ()] if spec else []
    files = [file for place in places for file in sorted((place / "corpus" / find_corpus(name).folder).glob("*.abc"))]
    if not files:
        raise FileError("music21's corpus is not there; install it with: pip install --force-reinstall music21.")
    texts: list[str] = []
    for file in files:
        texts.extend(re.split(r"(?m)^(?=X:)", _decoded(file.read_bytes()))[1:])
    return texts


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def file_name(tune: Tune) -> str:
    """`0001-the-enchanted-valley.mid`: sorts in the book's order, safe on every file system."""
    title = tune.melody.name if tune.melody is not None else ""
    slug = plain_name(title).replace(" ", "-")[:40].strip("-")
    return f"{tune.number:04d}-{slug or 'tune'}.mid"


def plain_name(text: str) -> str:
    """Words of small ASCII letters and digits, a blank between them: "O'Neill's  Reel" is "oneills reel"."""
    plain = unicodedata.normalize("NFKD", text.replace("'", "")).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", " ", plain.lower()).strip()


def write_corpus(
    name: str,
    folder: str | PathLike[str],
    limit: int | None = None,
    jobs: int | None = None,
    force: bool = False,
    on_tune: Callable[[int, int], None] | None = None,
) -> Written:
    """Write a collection as MIDI files into `folder/name`, which is made if need be.

    `on_tune(done, total)` is called after each tune; the rest is as in `corpus_melodies`.
    Pickups are written as a first bar that begins with silence, so that bar lines stay at
    multiples of the bar. Raises FileError if that folder holds files and `force` is false.
    """
    tunes = corpus_melodies(name, limit, jobs)
    total = len(tune_texts(name)[:limit])
    written = Written(Path(folder) / name)
    try:
        written.folder.mkdir(parents=True, exist_ok=True)
        empty = not any(islice(written.folder.iterdir(), 1))
    except OSError as error:
        raise FileError(f"{written.folder} cannot be made or read: {error.strerror}; choose another folder.") from error
    if not empty and not force:
        raise FileError(f"{written.folder} is not empty; choose another folder, or write into it with --force.")
    for tune in tunes:
        if tune.melody is None:
            written.left_out[tune.reason] += 1
        else:
            write_midi(tune.melody, written.folder / file_name(tune), force=force)
            written.files += 1
        if on_tune is not None:
            on_tune(tune.number, total)
    return written
