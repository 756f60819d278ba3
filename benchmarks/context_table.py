"""What each part of the context brings: the same network, trained with less and less of it.

    python benchmarks/context_table.py TRAIN_DIR VALID_DIR --epochs 8

prints nats per note on VALID_DIR (a piece's whole negative log-likelihood, over its number of notes).
Every row has the same preset, seed, epochs and recipe; nothing is chosen on VALID_DIR.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from melodygru import train
from melodygru.network.config import ContextConfig

NOTHING = ContextConfig(metre=False, bars_left=False, key=False, lookback=(), matches=False)
METRE = ContextConfig(metre=True, bars_left=True, key=False, lookback=(), matches=False)
LOOKBACK = ContextConfig(key=False, matches=False)
ROWS = {
    "previous event only": NOTHING,
    "+ metre, position, bars left": METRE,
    "+ metrical lookback": LOOKBACK,
    "+ matches": ContextConfig(key=False),
    "+ key": ContextConfig(),
    "all but bars left": ContextConfig(bars_left=False),
    "all but matches": ContextConfig(matches=False),
    "all but lookback": ContextConfig(lookback=()),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", type=Path)
    parser.add_argument("valid", type=Path)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--preset", default="small")
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    print(f"{'input':<32}{'parameters':>12}{'train':>8}{'valid':>8}{'duration':>10}{'pitch':>8}")
    for name, context in ROWS.items():
        with tempfile.TemporaryDirectory() as folder:
            result = train(
                arguments.train,
                Path(folder) / "model",
                val_data=arguments.valid,
                preset=arguments.preset,
                epochs=arguments.epochs,
                seed=arguments.seed,
                context=context,
                patience=0,
            )
        print(
            f"{name:<32}{result.parameters:>12,}{result.train_nats:>8.3f}{result.val_nats:>8.3f}"
            f"{result.val_duration_nats:>10.3f}{result.val_pitch_nats:>8.3f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
