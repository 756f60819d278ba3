"""The steps of `scripts/build_repertoire.py`: each reads what the one before it has written, and writes its own."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from itertools import chain
from multiprocessing import get_context
from pathlib import Path

import melodygru
from repertoire import audit as audits
from repertoire import manifest
from repertoire.corpora import CORPORA, FOLDERS, style_of
from repertoire.listener import in_their_own_keys
from repertoire.pieces import Piece, load, save
from repertoire.reading import AGAIN, read_corpus
from repertoire.works import with_works

MANIFEST = Path(__file__).parents[2] / "data" / "repertoire.tsv"
"""Which works are held out."""
_READERS = ("chords", "corpora", "faults", "harmony", "kinds", "pieces", "reading", "romans")
_PROGRAM = (
    *(Path(__file__).with_name(f"{name}.py") for name in _READERS),
    *(path for room in ("formats", "music") for path in sorted((Path(melodygru.__file__).parent / room).rglob("*.py"))),
)
"""What decides how files are read: when it changes they are read again."""


@dataclass(frozen=True)
class Work:
    """What is to be done: see the script's arguments."""

    folder: Path
    out: Path
    manifest: Path = MANIFEST
    jobs: int = 1
    afresh: bool = False
    corpora: tuple[str, ...] = CORPORA

    @property
    def left_out(self) -> Path:
        """Why files were left out, by collection and file."""
        return self.out / "left_out.json"

    @property
    def repertoire(self) -> Path:
        """All pieces, with all that is known of them."""
        return self.out / "repertoire.jsonl"

    def read_from(self, corpus: str) -> Path:
        """The pieces of one collection."""
        return self.out / "read" / f"{corpus}.jsonl"


def read(work: Work) -> str:
    """Pieces of each collection's files, a file of pieces for each collection."""
    (work.out / "read").mkdir(parents=True, exist_ok=True)
    program = _hash(*_PROGRAM)
    wanted = []
    for corpus in work.corpora:
        inputs = sorted((work.folder / corpus).glob("*")) if corpus in FOLDERS else []
        stamp = f"{program} {_hash(*inputs)}"
        place = work.read_from(corpus).with_suffix(".stamp")
        if work.afresh or not place.exists() or place.read_text() != stamp:
            wanted.append((corpus, stamp))
    if work.jobs > 1 and len(wanted) > 1:
        with ProcessPoolExecutor(work.jobs, mp_context=get_context("spawn")) as pool:
            list(pool.map(_read_one, [work] * len(wanted), wanted))
    else:
        for one in wanted:
            _read_one(work, one)
    counts = {corpus: work.read_from(corpus).read_bytes().count(b"\n") for corpus in work.corpora}
    return ", ".join(f"{corpus} {count}" for corpus, count in counts.items())


def _read_one(work: Work, wanted: tuple[str, str]) -> None:
    corpus, stamp = wanted
    found = read_corpus(corpus, work.folder)
    place = work.read_from(corpus)
    save(found.pieces, place)
    place.with_suffix(".left_out.json").write_text(json.dumps(found.left_out, indent=1, ensure_ascii=False), "utf-8")
    place.with_suffix(".stamp").write_text(stamp)  # last: what is half done is done again


def _hash(*paths: Path) -> str:
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _pieces(work: Work) -> list[Piece]:
    return list(chain.from_iterable(load(work.read_from(corpus)) for corpus in work.corpora))


def _left_out(work: Work, corpus: str) -> dict[str, str]:
    told: dict[str, str] = json.loads(work.read_from(corpus).with_suffix(".left_out.json").read_text("utf-8"))
    return told


def works(work: Work) -> str:
    """Which pieces are of one work: OUT/works.json."""
    found = with_works(_pieces(work))
    told = {f"{piece.source} {piece.number}": piece.work for piece in found}
    (work.out / "works.json").write_text(json.dumps(told, indent=0, ensure_ascii=False), "utf-8")
    sizes = Counter(told.values())
    return f"{len(sizes)} works of {len(told)} pieces; the largest has {max(sizes.values())}"


def _with_works(work: Work) -> list[Piece]:
    told = json.loads((work.out / "works.json").read_text("utf-8"))
    return [replace(piece, work=told[f"{piece.source} {piece.number}"]) for piece in _pieces(work)]


def hold_out(work: Work) -> str:
    """Which works are held out: the manifest."""
    earlier = manifest.load(work.manifest) if work.manifest.exists() else []
    rows = manifest.rows(_with_works(work), work.folder, earlier)
    rows += [
        manifest.Row(corpus, file, style_of(corpus), "", "", manifest.LEFT_OUT, reason)
        for corpus in work.corpora
        for file, reason in _left_out(work, corpus).items()
        if reason != AGAIN  # its file is listed
    ]
    manifest.save(rows, work.manifest)
    counts = Counter(row.split for row in rows)
    return ", ".join(f"{count} files {split}" for split, count in sorted(counts.items()))


def join(work: Work) -> str:
    """All pieces, each with its work and its side, sections in their own keys: OUT/repertoire.jsonl."""
    splits = {(row.corpus, row.file): row.split for row in manifest.load(work.manifest)}
    pieces = [replace(piece, split=splits[piece.corpus, piece.file]) for piece in _with_works(work)]
    save(in_their_own_keys(pieces), work.repertoire)
    counts = Counter((piece.style, piece.split) for piece in pieces)
    return ", ".join(f"{style} {split} {count}" for (style, split), count in sorted(counts.items()))


def audit(work: Work) -> str:
    """Tables of what was read: OUT/audit.md."""
    left_out = {corpus: _left_out(work, corpus) for corpus in work.corpora}
    tables = [audits.table(list(load(work.repertoire)), left_out), audits.reasons(left_out)]
    (work.out / "audit.md").write_text("\n\n".join(tables) + "\n", "utf-8")
    return str(work.out / "audit.md")


STEPS: dict[str, Callable[[Work], str]] = {
    "read": read,
    "works": works,
    "manifest": hold_out,
    "join": join,
    "audit": audit,
}
"""In order."""
