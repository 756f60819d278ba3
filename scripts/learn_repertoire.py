"""Train a model on the repertoire: of all styles, with modes, chords and character told.

    python scripts/learn_repertoire.py OUT/repertoire.jsonl MODEL [--epochs N] [--seed N] [--styles A,B] [--resume]

The pieces are what `scripts/build_repertoire.py` has made. A run that was stopped goes on with --resume. What is
held out by the manifest is neither learned from nor looked at: a twenty-fifth of the other works is validated on.
--told says what the network is told beside a piece's
events: "all", or "nothing", for comparison. --init-from begins with a model's weights and takes its size; it may have
been told less.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import torch
from repertoire.lessons import lessons
from repertoire.pieces import load

from melodygru.cli.train_command import Lines
from melodygru.network.checkpoint import Checkpoint
from melodygru.network.config import preset_of
from melodygru.system.processes import keep_freed_memory
from melodygru.training.conditioning import Conditioning
from melodygru.training.config import TrainConfig
from melodygru.training.layers import gains_from_bfloat16
from melodygru.training.trainer import Trainer


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("pieces", type=Path, help="repertoire.jsonl")
    parser.add_argument("out", type=Path, help="the model, without .safetensors")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--dropout", type=float, default=0.35)
    parser.add_argument("--preset", default="small")
    parser.add_argument("--styles", default="", help="only these, with commas between")
    parser.add_argument("--told", choices=("all", "nothing"), default="all")
    parser.add_argument("--init-from", type=Path, help="begin with this model; --preset then says nothing")
    parser.add_argument("--lr", type=float, default=TrainConfig().lr)
    parser.add_argument(
        "--variants", type=float, default=0.3, help="share of the pieces that are learned in another mode too"
    )
    parser.add_argument("--resume", action="store_true")
    given = parser.parse_args()
    styles = given.styles.split(",") if given.styles else ()
    made = lessons(load(given.pieces), given.seed, variants=given.variants, styles=styles)
    told = given.told == "all"
    start = Checkpoint.load(given.init_from) if given.init_from else None
    shape = start.model_config if start else preset_of(given.preset)
    context = replace(shape.context, style=told, character=told, chords=told)
    config = replace(shape, context=context, dropout=given.dropout)
    conditioning = Conditioning(context, lambda _, piece: made.known[piece], given.seed) if told else None
    torch.set_num_threads(1)
    keep_freed_memory()
    trainer = Trainer(
        config,
        TrainConfig(epochs=given.epochs, seed=given.seed, patience=0, lr=given.lr),
        given.out,
        torch.device("cpu"),
        "bf16" if gains_from_bfloat16(config.cell) else "fp32",
        Lines(),
        keep_index=False,  # of all pieces, those held out too: `scripts/finish_repertoire.py` adds it
        conditioning=conditioning,
    )
    if start is not None:
        trainer.learner.begin_with(start)
    trainer.run(made.dataset, made.learned, made.dataset, made.watched, resume=given.resume, tensorboard=False)


if __name__ == "__main__":
    main()
