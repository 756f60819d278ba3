"""Files of a collection -> pieces, as `melodygru train` would read them from a folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

from melodygru.data.collection import SUFFIXES
from melodygru.data.corpora import corpus_melodies, file_name, plain_name, tune_texts
from melodygru.errors import FileError, MelodyGRUError
from melodygru.formats.midi.extraction import ExtractionConfig
from melodygru.formats.reading import parse
from melodygru.formats.scores.files import decoded
from repertoire.corpora import BOOKS, FOLDERS, MISCELLANY, Corpus, style_of
from repertoire.kinds import kind_of, kind_of_tune
from repertoire.pieces import Piece

FEWEST_NOTES = ExtractionConfig().min_notes
"""Pieces of fewer notes are left out."""
_GENRE = re.compile(r"(?m)^!!!AGN:(.*)$")
"""Humdrum's record of what a piece is."""


@dataclass
class Collected:
    """What became of a collection: its pieces, and why files were left out, by file."""

    pieces: list[Piece] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)


def read_corpus(name: str, folder: Path) -> Collected:
    """All pieces of a collection; `folder`: where the folders of `FOLDERS` lie."""
    found = Collected()
    if name in BOOKS:
        _read_book(name, found)
        return found
    if name == MISCELLANY:
        corpus, files = Corpus(name, style_of(name), "auto", "", "public domain", "music21"), _miscellany()
    else:
        corpus = FOLDERS[name]
        files = sorted(path for path in (folder / name).glob("*") if path.suffix.lower() in SUFFIXES)
    if not files:
        raise FileError(f"{folder / name} holds no files; give the folder that holds {', '.join(FOLDERS)}.")
    for path in files:
        with _left_out_if_it_fails(path, found):
            found.pieces += _pieces_of(corpus, path)
    return found


@contextmanager
def _left_out_if_it_fails(path: Path, found: Collected) -> Iterator[None]:
    try:
        yield
    except MelodyGRUError as error:
        found.left_out[path.name] = str(error).split(";")[0].rstrip(".")


def _miscellany() -> list[Path]:
    spec = find_spec("music21")
    places = list(spec.submodule_search_locations or ()) if spec else []
    return [file for place in places for file in sorted(Path(place, "corpus", MISCELLANY).glob("*.abc"))]


def _read_book(name: str, found: Collected) -> None:
    """The tunes of a book, as the folk model has learned them: all in one metre, each one piece."""
    for tune, text in zip(corpus_melodies(name, jobs=1), tune_texts(name), strict=True):
        file = file_name(tune).removesuffix(".mid")
        if tune.melody is None:
            found.left_out[file] = tune.reason
        elif len(tune.melody.notes) < FEWEST_NOTES:
            found.left_out[file] = f"fewer than {FEWEST_NOTES} notes"
        else:
            found.pieces.append(Piece(name, file, 1, style_of(name), kind_of_tune(name, text), tune.melody))


def _pieces_of(corpus: Corpus, path: Path) -> Iterator[Piece]:
    data = path.read_bytes()
    genre = _GENRE.search(decoded(data)) if path.suffix == ".krn" else None
    read = parse(data, path.name, ExtractionConfig(corpus.track))
    for number, melody in enumerate(read.melodies, 1):
        kind = kind_of(genre[1] if genre else "", path.stem, melody.name) if _has_kinds(corpus) else ""
        file = path.name
        if corpus.name == MISCELLANY:  # a file is a book; its tunes are works of their own
            file = f"{path.stem}/{plain_name(re.sub(r' #[0-9]+$', '', melody.name)).replace(' ', '-')}"
        yield Piece(corpus.name, file, number, corpus.style, kind, melody, track=read.track)


def _has_kinds(corpus: Corpus) -> bool:
    """Whether kinds are told of a collection: a song about a waltz need not be one."""
    return corpus.style in ("dance", "folk")
