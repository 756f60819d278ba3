"""Rebuild `checkpoints/folk.safetensors`, the model that comes along, from nothing.

    python scripts/build_folk_model.py [OUT.safetensors]

The tunes come with music21 (see `melodygru corpus list`), so nothing is downloaded. Settings
and seed are fixed: with the versions of constraints.txt, on one machine, the same model
comes out.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from melodygru.network.checkpoint import Checkpoint

CORPUS = "all-public"
"""O'Neill, Ryan and Aird: in the public domain, unlike Essen."""
TRAINING = (
    *("--epochs", "18", "--dropout", "0.4", "--weight-decay", "0.05", "--seed", "1", "--device", "cpu"),
    *("--val-split", "0.05", "--patience", "0", "--optimizer", "adamw", "--lr", "0.002", "--init-from", "none"),
)


def melodygru(*arguments: str) -> None:
    """Run the command line of the melodygru that is installed here; stop if it fails."""
    subprocess.run([sys.executable, "-m", "melodygru", *arguments], check=True)


def main() -> None:
    shipped = Path(__file__).parent.parent / "checkpoints" / "folk.safetensors"
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else shipped
    with tempfile.TemporaryDirectory() as folder:
        tunes, model = Path(folder, "tunes"), Path(folder, "model.safetensors")
        melodygru("corpus", CORPUS, str(tunes))
        melodygru("train", str(tunes), "--out", str(model), *TRAINING)
        melodygru("teach", str(model), str(tunes), "--force")
        # Half precision halves the download; docs/models.md says what it costs.
        Checkpoint.load(model).save(out, half=True)


if __name__ == "__main__":
    main()
