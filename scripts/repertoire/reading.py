"""Files of a collection -> pieces, as `melodygru train` would read them from a folder, with their chords."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path

from melodygru.data.collection import SUFFIXES
from melodygru.data.corpora import corpus_melodies, file_name, plain_name, tune_texts
from melodygru.errors import FileError, MelodyGRUError, MidiError
from melodygru.formats.midi.extraction import UPBEAT, ExtractionConfig, extract
from melodygru.formats.midi.parser import parse_midi
from melodygru.formats.reading import parse
from melodygru.formats.scores.files import decoded
from melodygru.formats.scores.melodies import placed_melodies
from melodygru.formats.scores.musicxml.files import score_file
from melodygru.formats.scores.musicxml.reader import written_score
from melodygru.music.melody import Melody, Note
from repertoire import chords, harmony
from repertoire.corpora import BOOKS, FOLDERS, MISCELLANY, Corpus, style_of
from repertoire.faults import fault
from repertoire.kinds import kind_of, kind_of_tune
from repertoire.pieces import Harmony, Piece

AGAIN = "another strophe to the same notes"
_GENRE = re.compile(r"(?m)^!!!AGN:(.*)$")
"""Humdrum's record of what a piece is."""
_HAVE_KINDS = ("dance", "folk")
"""Styles of whose pieces kinds are told: a song about a waltz need not be one."""


@dataclass
class Collected:
    """What became of a collection: its pieces, and why files, or pieces of them, were left out."""

    pieces: list[Piece] = field(default_factory=list)
    left_out: dict[str, str] = field(default_factory=dict)

    def take(self, pieces: Iterable[Piece]) -> None:
        """Keep those that are melodies, of a file each once; the others are left out with their number in it."""
        strophes: set[tuple[str, tuple[Note, ...]]] = set()
        for piece in pieces:
            notes = (piece.file, piece.melody.notes)
            if reason := fault(piece) or (AGAIN if notes in strophes else ""):
                self.left_out[f"{piece.file} #{piece.number}"] = reason
            else:
                self.pieces.append(piece)
                strophes.add(notes)


@dataclass(frozen=True)
class _Read:
    """The melodies of a file, the name of the part that they come from, and the chords of each."""

    melodies: Sequence[Melody]
    track: str
    chords: Sequence[tuple[Harmony, ...]]


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
    free = harmony.free_settings(folder / "hymns.tsv") if corpus.chords == "four parts" else {}
    for path in files:
        with _left_out_if_it_fails(path, found):
            found.take(_pieces_of(corpus, path, free))
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
        else:
            found.take([Piece(name, file, 1, style_of(name), kind_of_tune(name, text), tune.melody)])


def _pieces_of(corpus: Corpus, path: Path, free: Mapping[str, bool]) -> Iterator[Piece]:
    data = path.read_bytes()
    genre = _GENRE.search(decoded(data)) if path.suffix == ".krn" else None
    read = _read(corpus, path, data, free.get(path.name, False))
    for number, (melody, own) in enumerate(zip(read.melodies, read.chords, strict=True), 1):
        kind = kind_of(genre[1] if genre else "", path.stem, melody.name) if corpus.style in _HAVE_KINDS else ""
        file = path.name
        if corpus.name == MISCELLANY:  # a file is a book; its tunes are works of their own
            file = f"{path.stem}/{plain_name(re.sub(r' #[0-9]+$', '', melody.name)).replace(' ', '-')}"
        source = corpus.chords if own else ""
        yield Piece(corpus.name, file, number, corpus.style, kind, melody, own, source, read.track)


def _has_words(data: bytes) -> bool:
    """Whether anything is sung in a zipped MusicXML score."""
    return re.search(rb"<lyric[ >]", score_file(data, zipped=True)[0]) is not None


def _read(corpus: Corpus, path: Path, data: bytes, free: bool) -> _Read:
    """A file's melodies, and their chords where the collection has some; `free`: its harmony may be used."""
    config = ExtractionConfig(corpus.track)
    if corpus.chords == "four parts":
        found = extract(raw := parse_midi(data), path.stem, config)
        parts = harmony.parts_of(raw, found)
        melodies = [harmony.with_heard_key(one, notes) for one, notes in zip(found.melodies, parts, strict=True)]
        none: tuple[Harmony, ...] = ()
        found_chords = [chords.heard(notes, one) if free else none for one, notes in zip(melodies, parts, strict=True)]
        return _Read(melodies, found.track, found_chords)
    if corpus.chords:
        score = written_score(data, zipped=True)
        placed, told, _ = placed_melodies(score, config)
        if corpus.chords == "symbols":
            symbols = [harmony.of_symbols(placed, one) for one in told]
            keyed = [harmony.with_key_of_chords(one.melody, own) for one, own in zip(told, symbols, strict=True)]
            return _Read(keyed, placed.label, symbols)
        if not _has_words(data):
            raise MidiError("has no words; nobody sings it.")
        analysis = path.with_suffix(".rntxt")
        changes = harmony.of_analysis(score, placed, analysis.read_text("utf-8")) if analysis.exists() else []
        return _Read([one.melody for one in told], placed.label, [harmony.within(changes, one) for one in told])
    read = parse(data, path.name, config)
    return _Read([without_silent_bars(one) for one in read.melodies], read.track, [()] * len(read.melodies))


def without_silent_bars(melody: Melody) -> Melody:
    """The melody from the bar of its first note to that of its last: of one voice alone rests are kept around it."""
    bar, first = melody.time_signature.bar_steps, melody.notes[0].onset
    start = 0 if melody.pickup else first // bar * bar
    silence = first - start
    upbeat = start > 0 and silence >= UPBEAT * bar and melody.notes[-1].end > start + bar
    notes = tuple(replace(note, onset=note.onset - start) for note in melody.notes)
    return replace(melody, notes=notes, pickup=bar - silence if upbeat else melody.pickup, bars=0)
