"""Does a variation change as much as asked for? The amount asked against the amount measured.

    python benchmarks/vary.py FOLDER [--model folk] [--tunes 100]

The amount is the share of a tune's notes that do not stand again with the same onset and pitch (--keep pitches: onset
and duration). Each cell is the mean over the tunes of FOLDER, and the largest difference from what was asked.
"""

import argparse
import statistics
from pathlib import Path

from melodygru import load_model
from melodygru.formats.reading import read_melodies
from melodygru.writing.config import GenerationConfig
from melodygru.writing.drawing import KEEP
from melodygru.writing.variation import measured, vary

AMOUNTS = (0.0, 0.1, 0.3, 0.5, 0.8, 1.0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", default="folk")
    parser.add_argument("--tunes", type=int, default=100)
    arguments = parser.parse_args()
    model = load_model(arguments.model)
    tunes = [melody for file in sorted(arguments.folder.rglob("*.mid")) for melody in read_melodies(file)[:1]]
    tunes = [tune for tune in tunes if len(tune.notes) >= 30][: arguments.tunes]
    print(f"{len(tunes)} tunes")
    print("| keep | " + " | ".join(f"{amount:.0%}" for amount in AMOUNTS) + " |")
    print("| :--- " * (len(AMOUNTS) + 1) + "|")
    for keep in (None, *KEEP.choices):
        cells = []
        for amount in AMOUNTS:
            found = []
            for seed, tune in enumerate(tunes):
                done = vary(model, tune, amount, GenerationConfig(), seed, keep)
                found.append(measured(tune, done.melody, keep, (0, tune.length)))
            cells.append(f"{statistics.fmean(found):.1%} (±{max(abs(share - amount) for share in found):.1%})")
        print(f"| {keep or 'nothing'} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
