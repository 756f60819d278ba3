"""Teach a model of the repertoire to choose among its melodies, in all styles alike.

    python scripts/teach_repertoire.py OUT/repertoire.jsonl MODEL.safetensors TAUGHT.safetensors [--each N] [--jobs N]

People's pieces are those that are learned from, at most so many of each style; beside each stand two that the model
writes in its place. What comes out is in half precision, as it is shipped.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from repertoire.hearing.counterparts import written_like
from repertoire.manifest import TRAIN
from repertoire.pieces import Piece, load
from threadpoolctl import threadpool_limits

from melodygru.evaluation.teaching import critic_of
from melodygru.writing.model import load_model

_BESIDE = 2


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("pieces", type=Path, help="repertoire.jsonl")
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--each", type=int, default=300, help="pieces of a style")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=1, help="processes that write")
    given = parser.parse_args()
    of_styles: dict[str, list[Piece]] = {}
    for piece in load(given.pieces):
        if piece.split == TRAIN:
            of_styles.setdefault(piece.style, []).append(piece)
    random = np.random.default_rng(given.seed)
    pieces = [p for own in of_styles.values() for p in (own[i] for i in random.permutation(len(own))[: given.each])]
    model = load_model(given.model)
    written, groups = written_like(model, pieces, _BESIDE, given.seed, jobs=given.jobs)
    with threadpool_limits(1):  # more would wait for one another
        critic, auc = critic_of([piece.melody for piece in pieces], written, groups, given.seed)
    replace(model.checkpoint, critic=critic).save(given.out, half=True)
    print(f"{len(pieces)} pieces, {len(written)} written; AUC {auc:.3f}; {given.out.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
