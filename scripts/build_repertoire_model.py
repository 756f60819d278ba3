"""Make the model of the repertoire from nothing, in steps; what is done is not done again, what was stopped goes on.

    python scripts/build_repertoire_model.py FOLDER OUT [--model checkpoints/repertoire.safetensors] [--seed 1]

FOLDER holds the collections' folders, OUT keeps what the steps make:

    read    pieces and manifest (`scripts/build_repertoire.py`): OUT/repertoire.jsonl
    learn   8 passes, beginning with the weights of the folk model, so that folk tunes are not learned anew: OUT/learned
    modes   2 passes more at a lower rate, with twice as many tunes moved into other modes: OUT/modes
    finish  an index of the music, characters of people's pieces, half precision: OUT/finished.safetensors
    teach   trees that choose among its melodies: the model

An hour on one core of a shared server.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(__file__).parent
ROOT = SCRIPTS.parent


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="where the collections' folders lie")
    parser.add_argument("out", type=Path, help="where the steps keep what they make; made if need be")
    parser.add_argument("--model", type=Path, default=ROOT / "checkpoints" / "repertoire.safetensors")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    out: Path = given.out
    pieces, learned, modes, finished = (
        out / name for name in ("repertoire.jsonl", "learned.safetensors", "modes.safetensors", "finished.safetensors")
    )
    folk = ROOT / "checkpoints" / "folk.safetensors"
    if not pieces.exists():
        _run("build_repertoire", given.folder, out)
    learn = ("--epochs", 8, "--lr", 3e-3, "--seed", given.seed, "--init-from", folk)
    _learn(pieces, learned, *learn)
    more = ("--epochs", 2, "--lr", 1.2e-3, "--seed", given.seed + 100, "--variants", 0.6, "--init-from", learned)
    _learn(pieces, modes, *more)
    if not finished.exists():
        _run("finish_repertoire", pieces, modes, finished)
    _run("teach_repertoire", pieces, finished, given.model)


def _learn(pieces: Path, model: Path, *options: object) -> None:
    """A run of training, unless it has ended; a run that was stopped goes on."""
    ended = model.with_suffix(".ended")
    if ended.exists():
        return
    begun = model.with_suffix("").is_dir()
    _run("learn_repertoire", pieces, model.with_suffix(""), *options, *(["--resume"] if begun else []))
    ended.touch()


def _run(script: str, *arguments: object) -> None:
    print(f"== {script}", flush=True)
    subprocess.run([sys.executable, SCRIPTS / f"{script}.py", *map(str, arguments)], check=True)


if __name__ == "__main__":
    main()
