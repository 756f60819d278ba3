"""How well models foretell the held-out works of each style: nats a note, with intervals by work.

    python scripts/judge_repertoire.py OUT/repertoire.jsonl MODEL.safetensors [OTHER.safetensors ...] [--styles A,B]

A model that is told of style, kind and chords is told of them, as a user would; then of nothing, and of wrong chords.
Other models are compared with the first piece by piece: positive differences are in the first one's favour. Works are
drawn again a thousand times for the 95 % intervals. "folk, new to both" are the tunes that the folk model has not
learned from either.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from repertoire import manifest
from repertoire.lessons import Lessons, lessons
from repertoire.pieces import Piece, load

from melodygru.data.dataset import Dataset
from melodygru.music.chords import Chord, ChordSpan
from melodygru.network.arrays import Array, FloatArray
from melodygru.network.checkpoint import Checkpoint
from melodygru.network.conditions import Character, Conditions
from melodygru.network.describing import Known
from melodygru.training.batches import make_batch, whole_batches
from melodygru.training.conditioning import Conditioning
from melodygru.training.torch_network import MelodyGRU

_DRAWS = 1000


class Judge:
    """A model that says how likely pieces are."""

    def __init__(self, path: Path, made: Lessons):
        checkpoint = Checkpoint.load(path)
        self.name, self.context, self._made = path.stem, checkpoint.model_config.context, made
        self.is_told = self.context != self.context.of_events
        self._network = MelodyGRU(checkpoint.model_config)
        weights = {name: torch.from_numpy(np.array(w, np.float32)) for name, w in checkpoint.weights.items()}
        self._network.load_state_dict(weights)
        self._network.eval()

    def nats(self, pieces: Array, conditions: Sequence[Conditions]) -> FloatArray:
        """(N,) nats of whole pieces, told so much of each of all."""
        made, context = self._made, self.context
        told = (
            Conditioning(context, lambda _, piece: Known(conditions[piece], Character()), 0) if self.is_told else None
        )
        found = np.zeros(made.dataset.pieces)
        with torch.no_grad():
            for chosen, rows in whole_batches(made.dataset, pieces):
                duration, pitch = self._network.nll(make_batch(made.dataset, chosen, rows, "cpu", told))
                found[chosen.piece[rows]] = (duration + pitch).sum(1).numpy()
        return found[pieces]


def interval(values: FloatArray, notes: FloatArray, works: Array) -> str:
    """Their sum a note, and its 95 % interval over draws of whole works."""
    random = np.random.default_rng(0)
    _, place = np.unique(works, return_inverse=True)
    sums = np.stack([np.bincount(place, values), np.bincount(place, notes)])
    drawn = random.integers(0, sums.shape[1], (_DRAWS, sums.shape[1]))
    means = np.divide(*sums[:, drawn].sum(-1))
    low, high = np.percentile(means, [2.5, 97.5])
    return f"{values.sum() / notes.sum():.3f} ({low:.3f} to {high:.3f})"


def with_others_chords(dataset: Dataset, conditions: Sequence[Conditions], pieces: Array) -> list[Conditions]:
    """Each piece with the chords of another one, moved to its key."""
    wrong = list(conditions)
    for piece, other in zip(pieces, np.random.default_rng(1).permutation(pieces), strict=True):
        by = int(dataset.table[piece, 2] - dataset.table[other, 2])
        wrong[piece] = replace(conditions[piece], chords=tuple(_moved(span, by) for span in conditions[other].chords))
    return wrong


def _moved(span: ChordSpan, by: int) -> ChordSpan:
    if span.chord is None:
        return span
    tones = tuple((tone + by) % 12 for tone in span.chord.tones)
    return replace(span, chord=Chord("", (span.chord.root + by) % 12, tones, 0))


def groups(pieces: Sequence[Piece]) -> dict[str, Array]:
    """Indices of the held-out pieces of each style, and of parts of some."""
    rows = manifest.load(Path(__file__).parents[1] / "data" / "repertoire.tsv")
    new = {(row.corpus, row.file) for row in rows if row.why == manifest.SHIPPED}
    parts = {"polish-songs": "song, Polish", "lieder": "song, art"}
    found: dict[str, list[int]] = {}
    for index, piece in enumerate(pieces):
        if piece.split == manifest.HELD:
            found.setdefault(piece.style, []).append(index)
            if piece.corpus in parts:
                found.setdefault(parts[piece.corpus], []).append(index)
            if (piece.corpus, piece.file) in new:
                found.setdefault("folk, new to both", []).append(index)
    return {name: np.array(found[name]) for name in sorted(found)}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("pieces", type=Path, help="repertoire.jsonl")
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--styles", default="", help="only these, with commas between")
    given = parser.parse_args()
    torch.set_num_threads(1)
    known = [p for p in load(given.pieces) if p.split in ("train", "held")]
    made = lessons(known, seed=0, variants=0.0)
    conditions = [one.conditions for one in made.known]
    first, *others = (Judge(path, made) for path in given.models)
    every_count = np.array([made.dataset.notes(np.array([piece])) for piece in range(made.dataset.pieces)])
    print("| style | pieces, works, notes | " + " | ".join([first.name, *(f"{o.name} - {first.name}" for o in others)]))
    for name, pieces in groups(known).items():
        if given.styles and name.split(",")[0] not in given.styles.split(","):
            continue
        notes, works = every_count[pieces], made.dataset.families[pieces]
        said = first.nats(pieces, conditions)
        cells = [interval(said, notes, works)]
        cells += [interval(other.nats(pieces, conditions) - said, notes, works) for other in others]
        print(
            f"| {name} | {len(pieces)}, {len(np.unique(works))}, {notes.sum():.0f} | " + " | ".join(cells), flush=True
        )
        if not first.is_told:
            continue
        nothing = [Conditions() for _ in conditions]
        print("|   told nothing, more by | | " + interval(first.nats(pieces, nothing) - said, notes, works))
        chordal = np.array([i for i in pieces if conditions[i].chords], int)
        if not len(chordal):
            continue
        notes, works = every_count[chordal], made.dataset.families[chordal]
        said = first.nats(chordal, conditions)
        count = f"{len(chordal)}, {len(np.unique(works))}, {notes.sum():.0f}"
        print(f"|   with chords | {count} | {interval(said, notes, works)}")
        without = first.nats(chordal, [replace(one, chords=()) for one in conditions])
        print("|   without chords, more by | | " + interval(without - said, notes, works))
        wrong = first.nats(chordal, with_others_chords(made.dataset, conditions, chordal))
        print("|   with another piece's chords, more by | | " + interval(wrong - said, notes, works), flush=True)


if __name__ == "__main__":
    main()
