"""Little music: what beginning with the shipped model brings, by the size of the folder.

    python benchmarks/small_folders.py FOLDER HELD [--sizes 10,30,66,200,800] [--samples 100] [--init-from MODEL]

FOLDER and HELD hold a tune a file. The first so many files of FOLDER, in an order that --seed draws, are learned from,
once from scratch and once from the model, as `melodygru train` does it by itself. HELD is only judged: nats a note
and the difference, with its 95 % interval over tunes; the share of melodies written without `--max-copy` that have a
run of 12 notes or more of the folder's; and how well trees and logistic regression tell them from people's (AUC).
Nothing is chosen on HELD. Music that the model has learned itself tells nothing: take other.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tables import print_table

from melodygru import train
from melodygru.data.collection import find_files, read_collection
from melodygru.evaluation.counterparts import write_like
from melodygru.evaluation.two_sample import FOLDS, FeatureLearner, TwoSample, boosted, cross_validate, logistic
from melodygru.music.melody import Melody
from melodygru.music.originality import line_of
from melodygru.music.statistics import feature_table
from melodygru.network.arrays import FloatArray
from melodygru.network.likelihood import bootstrap, event_nats
from melodygru.network.tokenizer import Tokenizer
from melodygru.writing.config import DEFAULT_MAX_COPY
from melodygru.writing.model import Model, load_model

SCRATCH = "none"


@dataclass(frozen=True)
class Judged:
    """A model on held-out tunes: nats of each, (P,), the share of what it writes that is copied, and the tests."""

    nats: FloatArray
    copied: float
    tests: dict[str, TwoSample]


def judge(model: Model, people: list[Melody], samples: int, seed: int) -> Judged:
    """Likelihood, copying, and how what it writes is told from people's."""
    tokenizer = Tokenizer(model.checkpoint.tokenizer_config)
    nats = np.array([one.sum() for one in event_nats(model.engine, [tokenizer.encode(one) for one in people])])
    written, groups, _ = write_like(model, people, samples, seed, {"max_copy": 0}, lambda *_: None)
    index = model.checkpoint.index
    assert index is not None
    copied = float(np.mean([run > DEFAULT_MAX_COPY for run in index.longest([line_of(one) for one in written])]))
    asked = np.unique(groups)
    melodies = [*(people[i] for i in asked), *written]
    labels, kin = np.repeat([1, 0], [len(asked), len(written)]), np.concatenate([asked, groups])
    table = feature_table(melodies)[1]
    learners = {"trees": boosted, "logistic": logistic}
    tests = {name: (FeatureLearner(make, table, labels), FOLDS) for name, make in learners.items()}
    return Judged(nats, copied, cross_validate(tests, labels, kin))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("held", type=Path)
    parser.add_argument("--sizes", default="10,30,66,200,800")
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--init-from", help="the model to begin with; default: as melodygru train chooses")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    files = [str(path) for path in find_files(given.folder)]
    order = np.random.default_rng(given.seed).permutation(files)
    people = read_collection(given.held).pieces
    notes = np.array([len(melody.notes) for melody in people], float)
    rows = []
    for size in map(int, given.sizes.split(",")):
        if size > len(files):
            continue
        judged: dict[str, Judged] = {}
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place, "folder")
            folder.mkdir()
            for name in order[:size].tolist():
                shutil.copy(name, folder)
            for way, start in (("scratch", SCRATCH), ("model", given.init_from)):
                result = train(folder, Path(place, way), init_from=start, seed=given.seed)
                print(f"{size} files, {way}: {result.epochs} epochs, {result.seconds:.0f} s", flush=True)
                judged[way] = judge(load_model(result.checkpoint), people, given.samples, given.seed)
        less, more = bootstrap(judged["model"].nats - judged["scratch"].nats, notes)
        rows += [
            [
                size,
                way,
                f"{one.nats.sum() / notes.sum():.3f}",
                f"{less:+.3f} to {more:+.3f}" if way == "model" else "",
                f"{one.copied:.0%}",
                *(f"{test.auc:.3f}" for test in one.tests.values()),
            ]
            for way, one in judged.items()
        ]
    head = ["files", "begins with", "nats a note", "difference", "copied", "AUC, trees", "AUC, logistic"]
    print_table(f"{given.folder.name}, judged on {len(people)} tunes of {given.held.name}", head, rows)


if __name__ == "__main__":
    main()
