"""Double jigs in the style of O'Neill, as the Ai Music Generation Challenge 2020 asked for: a checker of its rules.

    python benchmarks/oneill_jigs.py prepare TUNES/
    melodygru train TUNES/ --init-from none --epochs 5 --dropout 0.3 --seed 1 --ngrams off --out jigs
    python benchmarks/oneill_jigs.py judge --model jigs.safetensors

Judges there first rejected a jig for plagiarism, for a rhythm or for a mode that is none of double jigs; what was left
got one to five points for structure and melody (Sturm & Maruri-Aguilar 2021). Here each ground for rejection, and what
of structure can be counted, is a rule. Its bound is what 95 % of the book's own jigs keep that the shipped models have
learned from; told are the shares of those held out from them (`data/repertoire.tsv`), of no jig that set a bound.

`prepare` writes the tunes of Ryan's and Aird's books that have no kin among O'Neill's, so that a model that has learned
from them has seen nothing of the book. The challenge's book is O'Neill's 1,001 of 1907; here stands that of 1903 (1,850
melodies), from which it was chosen, as music21 has it.

    metre       6/8, and no note held over a bar line
    rhythm      how many dotted quarters are three quavers, and how many are a figure that the book's jigs often have
    mode        major, minor, dorian or mixolydian, and how many notes are outside it
    parts       of eight bars each, two or more
    repeats     each part stands twice (AABB, AABBCC …): six bars of eight are the same, ends may differ
    cadence     the last note is the tonic, begins on a beat, and lasts a quarter or longer
    compass     of a fiddle in first position, and no leap wider than people's
    plagiarism  how many notes in a row stand in a tune of the book (people's jigs: in one of another family)

Jigs are drawn with the seeds 0, 1, 2 …, in the keys and with the pickups of the book's jigs that models learned from,
drawn at random (seed 2020): "asked for" AABB in parts of eight bars and the tonic at the end, and "left alone", when
the model is told 6/8, 32 bars, key and pickup alone.
"""

from __future__ import annotations

import argparse
import csv
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from melodygru import Melody, load_model
from melodygru.data.corpora import corpus_melodies, file_name
from melodygru.data.families import families
from melodygru.formats.midi.writer import write_midi
from melodygru.music.originality import OriginalityIndex, line_of
from melodygru.music.theory import SCALES, STEPS_PER_QUARTER, TimeSignature
from melodygru.writing.model import Model

JIG = TimeSignature(6, 8)
BEAT = 36
"""Steps of a dotted quarter."""
PART = 8
"""Bars of a part."""
SAME_BARS = 6
"""Of the eight bars of a part that must come again: a first and a second ending differ in one or two."""
MODES = ("major", "minor", "dorian", "mixolydian")
FIDDLE = (55, 83)
"""G3 to B5."""
KEPT = 0.95
"""Share of the jigs of the book that a bound is to let pass."""
OFTEN = 0.005
"""Share of the book's dotted quarters from which on a figure is one that jigs have."""
WAYS = {"asked": "asked for AABB", "alone": "left alone"}
QUAVERS = (0, 12, 24)
RUN_GROUPS = 10
"""Parts of the book's jigs, by family: each part's runs are looked for in the book without those families."""


def book() -> tuple[list[Melody], list[str], list[str]]:
    """All tunes of the book that can be read; what kind each is; whether models learned from it ("train", "held")."""
    with (Path(__file__).parents[1] / "data" / "repertoire.tsv").open(encoding="utf-8") as file:
        rows = {row["file"]: row for row in csv.DictReader(file, delimiter="\t") if row["corpus"] == "oneill"}
    found = [
        (tune.melody, rows[Path(file_name(tune)).stem]) for tune in corpus_melodies("oneill", jobs=1) if tune.melody
    ]
    melodies, told = zip(*found, strict=True)
    return list(melodies), [row["kind"] for row in told], [row["split"] for row in told]


def prepare(folder: Path) -> None:
    """Write the tunes of the other books that are no kin of any tune of the book."""
    folder.mkdir(parents=True, exist_ok=True)
    tunes = [(name, tune) for name in ("ryan", "aird") for tune in corpus_melodies(name, jobs=1) if tune.melody]
    of_book = book()[0]
    kin = np.array(families([*of_book, *(tune.melody for _, tune in tunes if tune.melody)]))
    others, known = kin[len(of_book) :], set(kin[: len(of_book)].tolist())
    kept = [row for row, family in zip(tunes, others.tolist(), strict=True) if family not in known]
    for name, tune in kept:
        if tune.melody:
            write_midi(tune.melody, folder / f"{name}-{file_name(tune)}", force=True)
    print(f"{folder}: {len(kept)} of {len(tunes)} tunes; the others are kin of one of the {len(of_book)} of the book")


def figures(melody: Melody) -> Counter[tuple[int, ...]]:
    """How often each figure of a dotted quarter stands in a melody: where notes begin in it, in steps."""
    beats: dict[int, list[int]] = {}
    for note in melody.notes:
        beats.setdefault(note.onset // BEAT, []).append(note.onset % BEAT)
    return Counter(tuple(places) for places in beats.values())


def share_of(melody: Melody, wanted: set[tuple[int, ...]]) -> float:
    """Share of the dotted quarters in which notes begin that have one of these figures."""
    found = figures(melody)
    return sum(count for figure, count in found.items() if figure in wanted) / sum(found.values())


def outside(melody: Melody) -> float:
    """Share of notes outside the mode."""
    scale = {(melody.key.tonic + step) % 12 for step in SCALES[melody.key.mode]}
    return sum(note.pitch % 12 not in scale for note in melody.notes) / len(melody.notes)


def widest(melody: Melody) -> int:
    """Semitones of the widest leap."""
    return max(abs(after.pitch - note.pitch) for note, after in pairwise(melody.notes))


def bars(melody: Melody) -> list[list[tuple[int, int]]]:
    """Of each full bar where its notes begin in it, in steps, and their pitches."""
    bar = melody.time_signature.bar_steps
    found: list[list[tuple[int, int]]] = [[] for _ in range(melody.bars + (melody.pickup > 0))]
    for note in melody.notes:
        found[note.onset // bar].append((note.onset % bar, note.pitch))
    return found[melody.pickup > 0 :]


def stands_twice(melody: Melody) -> bool:
    """Whether the parts come in pairs."""
    rows = bars(melody)
    parts = [rows[at : at + PART] for at in range(0, len(rows), PART)]
    pairs = list(zip(parts[::2], parts[1::2], strict=False))
    return len(parts) % 2 == 0 and all(
        sum(one == other for one, other in zip(*pair, strict=False)) >= SAME_BARS for pair in pairs
    )


def closes(melody: Melody) -> bool:
    """Whether the last note is a tonic on a beat, a quarter long or longer."""
    last = melody.notes[-1]
    return last.pitch % 12 == melody.key.tonic and last.onset % BEAT == 0 and last.duration >= STEPS_PER_QUARTER


@dataclass(frozen=True)
class Rules:
    """The bounds, of jigs that the book has.

    Attributes:
        often: figures of a dotted quarter that stand often.
        least_quavers, least_often: smallest shares of three quavers, and of figures that stand often.
        most_outside: largest share of notes outside the mode.
        widest_leap: in semitones.
        longest_run: notes in a row that stand in another tune of the book.
    """

    often: set[tuple[int, ...]]
    least_quavers: float
    least_often: float
    most_outside: float
    widest_leap: float
    longest_run: float

    @classmethod
    def of(cls, jigs: Sequence[Melody], runs: Sequence[int]) -> Rules:
        """What `KEPT` of these jigs keep, whose longest runs in other tunes of the book are `runs`."""
        counted = sum((figures(jig) for jig in jigs), Counter())
        often = {figure for figure, count in counted.items() if count >= OFTEN * counted.total()}

        def least(measure: Callable[[Melody], float]) -> float:
            return float(np.quantile([measure(jig) for jig in jigs], 1 - KEPT))

        return cls(
            often,
            least(lambda jig: share_of(jig, {QUAVERS})),
            least(lambda jig: share_of(jig, often)),
            -least(lambda jig: -outside(jig)),
            -least(lambda jig: -widest(jig)),
            float(np.quantile(runs, KEPT)),
        )

    def kept(self, melody: Melody, run: int) -> dict[str, bool]:
        """Which of the rules a melody keeps whose longest run in the book is `run` notes."""
        bar, metre = melody.time_signature.bar_steps, melody.time_signature == JIG
        return {
            "metre": metre and all(note.onset // bar == (note.end - 1) // bar for note in melody.notes),
            "rhythm": share_of(melody, {QUAVERS}) >= self.least_quavers
            and share_of(melody, self.often) >= self.least_often,
            "mode": melody.key.mode in MODES and outside(melody) <= self.most_outside,
            "parts": melody.bars % PART == 0 and melody.bars >= 2 * PART,
            "repeats": stands_twice(melody),
            "cadence": closes(melody),
            "compass": all(FIDDLE[0] <= note.pitch <= FIDDLE[1] for note in melody.notes)
            and widest(melody) <= self.widest_leap,
            "plagiarism": run <= self.longest_run,
        }


def runs_elsewhere(tunes: Sequence[Melody], kin: np.ndarray, jigs: np.ndarray) -> np.ndarray:
    """(J,) of these jigs of the book the longest run, in notes, that stands in a tune of another family."""
    found = np.zeros(len(jigs), int)
    groups = kin[jigs] % RUN_GROUPS
    for group in range(RUN_GROUPS):
        rows = np.flatnonzero(groups == group)
        own = set(kin[jigs[rows]].tolist())
        index = OriginalityIndex.of_melodies([t for t, family in zip(tunes, kin, strict=True) if family not in own])
        found[rows] = index.longest([line_of(tunes[jigs[row]]) for row in rows])
    return found


def drawn(model: Model, jigs: Sequence[Melody], count: int, asked: bool, style: str | None) -> list[Melody]:
    """So many jigs of a model, in keys and with pickups of these."""
    random, made = np.random.default_rng(2020), []
    for seed in range(count):
        like = jigs[int(random.integers(len(jigs)))]
        wishes: dict[str, Any] = (
            {"form": "AABB", "section_bars": PART} if asked else {"bars": 4 * PART, "end_on": "any"}
        )
        wishes |= {"pickup": str(Fraction(like.pickup, 4 * STEPS_PER_QUARTER)) if like.pickup else "0"}
        wishes |= {"style": style} if style else {}
        made.append(model.generate(key=str(like.key), meter="6/8", seed=seed, range="G3:B5", **wishes))
    return made


def judge(arguments: argparse.Namespace) -> None:
    """Print a table: shares of jigs that keep each rule, and all of them."""
    tunes, kinds, splits = book()
    kin = np.array(families(tunes))
    chosen = np.array([i for i, kind in enumerate(kinds) if kind == "jig" and tunes[i].time_signature == JIG])
    learned, held = (np.array([i for i in chosen if splits[i] == split]) for split in ("train", "held"))
    runs = runs_elsewhere(tunes, kin, chosen)
    run_of = dict(zip(chosen.tolist(), runs.tolist(), strict=True))
    jigs = [tunes[i] for i in learned]
    rules = Rules.of(jigs, [run_of[i] for i in learned])
    print(f"Bounds: {rules}\n")
    print(f"| jigs | how many | {' | '.join(rules.kept(jigs[0], 0))} | all |")
    print("| --- " * 11 + "|")
    for name, rows in (("the book's, held out", held), ("the book's, of the bounds", learned)):
        print_row(name, [rules.kept(tunes[i], run_of[i]) for i in rows])
    index = OriginalityIndex.of_melodies(tunes)
    for name in arguments.model:
        model = load_model(name)
        style = "jig" if model.context.style and model.own_style is None else None
        for way in arguments.ways:
            made = drawn(model, jigs, arguments.jigs, way == "asked", style)
            longest = index.longest([line_of(melody) for melody in made])
            kept = [rules.kept(melody, run) for melody, run in zip(made, longest, strict=True)]
            print_row(f"`{Path(name).stem}`, {WAYS[way]}", kept)


def print_row(name: str, kept: Sequence[dict[str, bool]]) -> None:
    """A line: the share that keeps each rule, and all; of all with the 95 % interval of Wilson (1927)."""
    n, every = len(kept), sum(all(row.values()) for row in kept)
    middle, width = (every + 1.92) / (n + 3.84), 1.96 * np.sqrt(every * (n - every) / n + 0.96) / (n + 3.84)
    cells = [f"{sum(row[rule] for row in kept) / n:.0%}" for rule in kept[0]]
    print(
        f"| {name} | {n} | {' | '.join(cells)} | {every / n:.0%} ({middle - width:.0%} to {middle + width:.0%}) |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    prepared = commands.add_parser("prepare", help="write the tunes that have no kin in the book")
    prepared.add_argument("folder", type=Path)
    prepared.set_defaults(run=lambda arguments: prepare(arguments.folder))
    judged = commands.add_parser("judge", help="jigs of models, and the book's own")
    judged.add_argument("--model", nargs="+", default=["repertoire", "folk"])
    judged.add_argument("--ways", nargs="+", default=list(WAYS), choices=list(WAYS))
    judged.add_argument("--jigs", type=int, default=100)
    judged.set_defaults(run=judge)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
