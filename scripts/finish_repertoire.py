"""Make a trained model of the repertoire one that can be shipped: with an index of the music, and in half precision.

    python scripts/finish_repertoire.py OUT/repertoire.jsonl MODEL.safetensors SHIPPED.safetensors

The index behind `--max-copy` and `melodygru check` covers all pieces, those held out too: what was not learned from is
not to be copied by chance either.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from repertoire.lessons import lessons
from repertoire.pieces import load

from melodygru.data.dataset import originality_index
from melodygru.network.checkpoint import Checkpoint


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("pieces", type=Path, help="repertoire.jsonl")
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    given = parser.parse_args()
    made = lessons(load(given.pieces), seed=0, variants=0.0, twice=False)
    index = originality_index((made.dataset, made.learned), (made.dataset, made.held)).to_bytes()
    model = Checkpoint.load(given.model)
    told = {**model.provenance, "index_held_out": len(made.held)}
    replace(model, packed_index=index, provenance=told).save(given.out, half=True)
    print(f"{given.out}: {given.out.stat().st_size / 1e6:.2f} MB, {len(index) / 1e6:.2f} of them the index")


if __name__ == "__main__":
    main()
