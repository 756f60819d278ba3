"""Make a trained model of the repertoire one that can be shipped: with an index of the music, and in half precision.

    python scripts/finish_repertoire.py OUT/repertoire.jsonl MODEL.safetensors SHIPPED.safetensors

The index behind `--max-copy` and `melodygru check` covers all pieces, those held out too: what was not learned from is
not to be copied by chance either. Beside it are kept characters of pieces that were learned from: each melody that is
written in a style is told one.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from repertoire.lessons import lessons
from repertoire.manifest import TRAIN
from repertoire.pieces import Piece, load

from melodygru.data.dataset import originality_index
from melodygru.network.checkpoint import CharacterTable, Checkpoint
from melodygru.network.conditions import Character
from melodygru.network.config import TokenizerConfig
from melodygru.network.describing import known_of
from melodygru.network.tokenizer import Tokenizer

FEWEST = 8
"""Pieces of a kind below which it is given the characters of its style."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("pieces", type=Path, help="repertoire.jsonl")
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--most", type=int, default=200, help="characters that are kept of each style")
    given = parser.parse_args()
    pieces = list(load(given.pieces))
    made = lessons(pieces, seed=0, variants=0.0, twice=False)
    held = np.concatenate([made.watched, made.held])
    index = originality_index((made.dataset, made.learned), (made.dataset, held)).to_bytes()
    model = Checkpoint.load(given.model)
    told = {**model.provenance, "index_held_out": len(held)}
    known = characters(pieces, given.most)
    replace(model, packed_index=index, provenance=told, characters=known).save(given.out, half=True)
    print(f"{given.out}: {given.out.stat().st_size / 1e6:.2f} MB, {len(index) / 1e6:.2f} of them the index")


def characters(pieces: Sequence[Piece], most: int) -> dict[str, CharacterTable]:
    """Characters of the pieces that are learned from, drawn: of each style, and of each kind that has enough pieces."""
    found: dict[str, list[Character]] = {}
    tokenizer = Tokenizer(TokenizerConfig())
    for piece in pieces:
        if piece.split == TRAIN:
            whole = known_of(tokenizer.encode(piece.melody)).whole
            for name in (piece.style, f"{piece.style}/{piece.kind}"):
                found.setdefault(name, []).append(whole)
    random = np.random.default_rng(0)
    return {
        name: np.array([known[i] for i in np.sort(random.permutation(len(known))[:most])], np.uint8)
        for name, known in sorted(found.items())
        if not name.endswith("/") and len(known) >= FEWEST
    }


if __name__ == "__main__":
    main()
