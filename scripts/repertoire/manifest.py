"""Which works are held out, decided once and written down: an eighth of each collection, by work.

Held out first are the folk tunes that the shipped folk model has not learned from, with all that is akin to them: on
those it and a new model can be compared. Further works follow in an order that depends on their names alone. A work
that stands in several collections is on one side in all of them.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from melodygru.network.checkpoint import Checkpoint
from repertoire.corpora import BOOKS
from repertoire.pieces import Piece

HELD, TRAIN, MEASURED, LEFT_OUT = "held", "train", "measured", "left out"
"""What becomes of a file. Measured: never learned from, since its rights are not sure, but good for measuring."""
SHARE = 8
"""One in so many works of each collection is held out."""
_SEED = "repertoire"
_UNSURE = "to be checked by a person"
_COLUMNS = "corpus\tfile\tstyle\tkind\twork\tsplit\twhy"
SEEN = "akin to what is learned from"
SHIPPED = "held out from the folk model too"


class Row(NamedTuple):
    """A file's line in the manifest; `work` names the first file of its work, "" where that is the file itself."""

    corpus: str
    file: str
    style: str
    kind: str
    work: str
    split: str
    why: str


def rows(pieces: Sequence[Piece], folder: Path, earlier: Sequence[Row] = ()) -> list[Row]:
    """A row for each file of the pieces, in their order; `folder`: where the list of standards lies.

    What an `earlier` manifest says of a work still holds: models may have learned from it. A work that it holds out in
    part is held out.
    """
    files: dict[tuple[str, str], Piece] = {}
    for piece in pieces:
        files.setdefault((piece.corpus, piece.file), piece)
    unsure = {("standards", file) for file in _unsure_standards(folder)}
    unseen = _unseen_by_the_folk_model(files)
    works: dict[str, Counter[str]] = defaultdict(Counter)
    for source, piece in files.items():
        if source not in unsure:
            works[piece.work][piece.corpus if piece.style != "dance" else f"{piece.corpus} {piece.kind}"] += 1
    sides = {(row.corpus, row.file): row.split for row in earlier}
    begun = {piece.work for source, piece in files.items() if source in unseen or sides.get(source) == HELD}
    taken = {piece.work for source, piece in files.items() if sides.get(source) == TRAIN} - begun
    held = held_out(works, begun, taken)
    found = []
    for source, piece in files.items():
        split, why = (HELD if piece.work in held else TRAIN), (SHIPPED if source in unseen else "")
        if source in unsure:
            split, why = MEASURED, _UNSURE
            if piece.work in works and piece.work not in held:
                split, why = LEFT_OUT, f"{_UNSURE}; {SEEN}"
        work = "" if piece.work == piece.source else piece.work
        found.append(Row(*source, piece.style, piece.kind, work, split, why))
    return found


def held_out(works: Mapping[str, Counter[str]], first: Iterable[str], taken: Collection[str] = ()) -> set[str]:
    """The works to be held out, `first` among them and none of `taken`.

    Works are taken in the order of their hashes while all that they stand in have room for them: for one in `SHARE` of
    their files.

    Args:
        works: how many files of each collection (of dances: of each kind) are of each work.
        first: works that are held out whatever room there is.
        taken: works that must not be.
    """
    files = sum(works.values(), Counter[str]())
    room = Counter({name: round(count / SHARE) for name, count in files.items()})
    held = {work for work in first if work in works}
    for work in held:
        room.subtract(works[work])
    for work in sorted(works, key=lambda name: hashlib.sha256(f"{_SEED} {name}".encode()).digest()):
        if work not in held and work not in taken and all(room[name] >= count for name, count in works[work].items()):
            held.add(work)
            room.subtract(works[work])
    return held


def _unsure_standards(folder: Path) -> list[str]:
    """Standards that are only for measuring, by the list beside their folder."""
    lines = (folder / "standards.tsv").read_text("utf-8").splitlines()
    names = lines[0].split("\t")
    told = [dict(zip(names, line.split("\t"), strict=False)) for line in lines[1:]]
    return [row["file"] for row in told if row["strength"] != "sure"]


def _unseen_by_the_folk_model(files: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    """Tunes of its books that the shipped folk model has not learned from: its index names those that it has."""
    index = Checkpoint.load(Path(__file__).parents[2] / "checkpoints" / "folk.safetensors").index
    assert index is not None
    seen = set(index.names)
    return {(corpus, file) for corpus, file in files if corpus in BOOKS and file not in seen}


def save(found: Iterable[Row], path: Path) -> None:
    """Write the manifest: tab-separated, a line for each file."""
    lines = [_COLUMNS, *("\t".join(row) for row in found)]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def load(path: Path) -> list[Row]:
    """The manifest's rows."""
    return [Row(*line.split("\t")) for line in path.read_text("utf-8").splitlines()[1:]]
