"""A piece of the repertoire: a melody, its chords, and what is known of it; kept as a line of JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from melodygru.music.melody import Melody, Note
from melodygru.music.theory import Key, TimeSignature

NO_CHORD = -1
"""In place of a root, where it is said that there is no chord."""


@dataclass(frozen=True)
class Harmony:
    """A chord that holds in the steps [onset, end) of a piece.

    `root` is a pitch class in [0, 12), `quality` one of `repertoire.chords.VOCABULARY`; or `NO_CHORD` and "".
    """

    onset: int
    end: int
    root: int
    quality: str


@dataclass(frozen=True)
class Piece:
    """A melody of a file, and what is known of it.

    Attributes:
        corpus: one of `repertoire.corpora.CORPORA`.
        file: within its folder; of the books the number of the tune.
        number: from 1, of the file's pieces.
        style: one of `repertoire.corpora.STYLES`.
        kind: "reel", "waltz" …; "" where it is not known.
        melody: its notes.
        chords: in order, never overlapping, within the melody; none where they are not known.
        chords_from: "symbols", "four parts" or "analysis"; "" where there are none.
        track: the name of the part that it comes from.
        work: the work that it is of; "" before works are found.
        split: "train", "held" or "measured"; "" before that is decided. See `repertoire.manifest`.
    """

    corpus: str
    file: str
    number: int
    style: str
    kind: str
    melody: Melody
    chords: tuple[Harmony, ...] = ()
    chords_from: str = ""
    track: str = ""
    work: str = ""
    split: str = ""

    @property
    def source(self) -> str:
        """Its file, and where that lies."""
        return f"{self.corpus}/{self.file}"

    def as_json(self) -> str:
        """One line."""
        melody = self.melody
        told = {
            "corpus": self.corpus,
            "file": self.file,
            "number": self.number,
            "title": melody.name,
            "style": self.style,
            "kind": self.kind,
            "work": self.work,
            "split": self.split,
            "track": self.track,
            "metre": [melody.time_signature.numerator, melody.time_signature.denominator],
            "tonic": melody.key.tonic,
            "mode": melody.key.mode,
            "qpm": melody.qpm,
            "pickup": melody.pickup,
            "bars": melody.bars,
            "notes": [[note.onset, note.duration, note.pitch] for note in melody.notes],
            "chords_from": self.chords_from,
            "chords": [[chord.onset, chord.end, chord.root, chord.quality] for chord in self.chords],
        }
        return json.dumps(told, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def of_json(cls, line: str) -> Piece:
        """The inverse of `as_json`."""
        told: dict[str, Any] = json.loads(line)
        melody = Melody(
            tuple(Note(pitch, onset, duration) for onset, duration, pitch in told["notes"]),
            TimeSignature(*told["metre"]),
            Key(told["tonic"], told["mode"]),
            told["qpm"],
            told["title"],
            told["pickup"],
            told["bars"],
        )
        chords = tuple(Harmony(*chord) for chord in told["chords"])
        names = ("corpus", "file", "number", "style", "kind", "chords_from", "track", "work", "split")
        return cls(melody=melody, chords=chords, **{name: told[name] for name in names})


def save(pieces: Iterable[Piece], path: Path) -> None:
    """Write pieces, one a line: whole or not at all."""
    half = path.with_suffix(".part")
    half.write_text("".join(piece.as_json() + "\n" for piece in pieces), "utf-8")
    half.replace(path)


def load(path: Path) -> Iterator[Piece]:
    """Pieces that were saved, in order."""
    with path.open(encoding="utf-8") as file:
        yield from map(Piece.of_json, file)
