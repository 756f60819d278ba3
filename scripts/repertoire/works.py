"""Which pieces are of one work: the pieces of a file, editions and arrangements by name, and near-duplicates.

A work is never divided between training and what is held out. Kinship goes across all collections: a hymn's tune may
stand among the songs. Names that say only what kind of dance or song it is ("Mazur") make no kin.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace
from itertools import chain, pairwise

from melodygru.data.corpora import plain_name
from melodygru.data.families import NGRAM, families
from melodygru.music.melody import Melody, Note
from melodygru.music.theory import STEPS_PER_QUARTER
from repertoire.corpora import BOOKS, MISCELLANY
from repertoire.kinds import kind_of
from repertoire.pieces import Piece

SAME_PITCHES = 0.6
"""Share of the shorter piece's runs of seven pitches, in [0, 1], from which two pieces are one tune whatever their
rhythm: an edition in other note values, another text to the same tune. More than of runs with their rhythm, since
scales and triads make runs of pitches alike."""
_LEAST_VARIETY = 20
"""Different runs of seven pitches below which a piece is not asked for that: trills and triads are everybody's."""
_FEWEST_NOTES = 24
"""Of a piece that is compared alone, and not only with its whole file: a scrap is soon like another."""
_FEWEST_LETTERS = 5
"""Of what a name says besides kind, key and number; shorter ones ("Lied", "Mazur No. 2") are many works'."""
_SAYS_NOTHING = re.compile(
    r"\b(?:no|nr|op|opus|dur|moll|major|minor|pc\d|post|correcturam|untitled|song|songs|lied|lieder|piesn|piesni|spiew"
    r"|chanson|melodie|romance|romanza|dumka|aria|duet|chor|scena|akt|nowy|[a-h]|[ivxl]+|\d+\w?)\b"
)


def with_works(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces, each with its work: the name of the first of its files."""
    files: dict[str, list[Piece]] = {}
    for piece in pieces:
        files.setdefault(piece.source, []).append(piece)
    sources = list(files)
    groups = _Groups(len(files))
    first: dict[Hashable, int] = {}
    for number, members in enumerate(files.values()):
        for mark in chain.from_iterable(map(marks, members)):
            groups.join(first.setdefault(mark, number), number)
    lines = [_line(members) for members in files.values()]
    for number, other in enumerate(families(lines)):
        groups.join(other, number)
    place = {source: number for number, source in enumerate(sources)}
    long = [piece for piece in pieces if len(piece.melody.notes) >= _FEWEST_NOTES]
    for piece, other in zip(long, families([piece.melody for piece in long]), strict=True):
        groups.join(place[piece.source], place[long[other].source])
    even = {number: _even(line) for number, line in enumerate(lines)}
    varied = [number for number, line in even.items() if _variety(line) >= _LEAST_VARIETY]
    for number, other in zip(varied, families([even[number] for number in varied], SAME_PITCHES), strict=True):
        groups.join(varied[other], number)
    works = {source: sources[groups.find(number)] for number, source in enumerate(sources)}
    return [replace(piece, work=works[piece.source]) for piece in pieces]


def _line(pieces: Sequence[Piece]) -> Melody:
    """The pieces of a file one behind the other."""
    notes, start = [], 0
    for piece in pieces:
        notes += [replace(note, onset=start + note.onset) for note in piece.melody.notes]
        start += piece.melody.length
    return Melody(tuple(notes))


def marks(piece: Piece) -> Iterator[Hashable]:
    """What a piece shares with all others of its work, as far as names tell."""
    corpus, stem = piece.corpus, piece.file.rpartition(".")[0]
    title = re.sub(r" #\d+$", "", piece.melody.name)
    if corpus in (*BOOKS, MISCELLANY):
        return  # one title is many tunes'; near-duplicates are told by their notes
    if corpus == "lieder":
        composer, _, rest = stem.partition("-")
        names = [re.sub(r"-lc\d+$", "", rest).rpartition("-")[2]]  # the title is its collection's
    elif "--" in stem:
        composer, _, name = stem.rpartition("--")
        composer, names = composer.rpartition("_")[2], [name, title]
    elif corpus == "game":
        composer, names = corpus, [re.sub(r"\(.*?\)", "", stem)]
    elif stem.startswith("oh_"):
        composer, names = "", stem.removeprefix("oh_").split("-")
    else:
        composer, names = "", [re.sub(r"^(?:carol|eog|mutopia)_", "", stem), title]
    for name in names:
        plain = plain_name(name)
        if tells(plain):
            yield plain_name(composer), re.sub(r"^\d+ ", "", plain)


def tells(name: str) -> bool:
    """Whether a plain name says more than what kind of piece it is, its key and its number."""
    words = [word for word in _SAYS_NOTHING.sub(" ", name).split() if not kind_of(word)]
    return sum(map(len, words)) >= _FEWEST_LETTERS


def _even(melody: Melody) -> Melody:
    """The pitches of a melody in notes of one length, a pitch that comes again at once told once."""
    pitches = [note.pitch for note in melody.notes]
    changes = [pitch for place, pitch in enumerate(pitches) if not place or pitch != pitches[place - 1]]
    step = STEPS_PER_QUARTER
    return Melody(tuple(Note(pitch, step * place, step) for place, pitch in enumerate(changes)))


def _variety(melody: Melody) -> int:
    """How many different runs of seven pitches it has, in any key."""
    steps = [two.pitch - one.pitch for one, two in pairwise(melody.notes)]
    return len({tuple(steps[place : place + NGRAM - 1]) for place in range(len(steps) - NGRAM + 2)})


class _Groups:
    """Numbers joined into groups: union and find; the smallest of a group is its name."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def find(self, one: int) -> int:
        while self._parent[one] != one:
            self._parent[one] = self._parent[self._parent[one]]
            one = self._parent[one]
        return one

    def join(self, one: int, two: int) -> None:
        first, second = sorted((self.find(one), self.find(two)))
        self._parent[second] = first
