"""Rebuild `data/`: three hundred of the public-domain tunes, a hundred from each book.

    python scripts/build_data.py [FOLDER]

The choice is drawn with a fixed seed, metre by metre, so that the rarer ones are heard too.
"""

from __future__ import annotations

import random
import re
import sys
from pathlib import Path

from melodygru.data.corpora import CORPORA, Tune, corpus_melodies, file_name, write_midi

SEED = 1850
METRES = {"4/4": 34, "6/8": 28, "2/4": 20, "3/4": 12, "9/8": 6}
"""Tunes of each metre from each book; where a book has too few, others of its tunes fill up the hundred."""
MAX_BARS = 64
# Ryan's book of 1883 prints minstrel tunes under slurs; they are no names for files that we hand out.
UNFIT_TITLES = re.compile(r"\bn\.\.+|\bcoon\b|\bsavage\b|\bdark(e?y|ies)\b", re.IGNORECASE)


def choose(tunes: list[Tune], draw: random.Random) -> list[Tune]:
    fit = [
        tune
        for tune in tunes
        if tune.melody is not None and tune.melody.bars <= MAX_BARS and not UNFIT_TITLES.search(tune.melody.name)
    ]
    draw.shuffle(fit)
    chosen: list[Tune] = []
    for metre, count in METRES.items():
        of_metre = [tune for tune in fit if tune.melody is not None and str(tune.melody.time_signature) == metre]
        chosen.extend(of_metre[:count])
    numbers = {tune.number for tune in chosen}
    others = (tune for tune in fit if tune.number not in numbers)
    return chosen + [next(others) for _ in range(sum(METRES.values()) - len(chosen))]


def main() -> None:
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent.parent / "data"
    draw = random.Random(SEED)
    for corpus in CORPORA.values():
        if not corpus.free:
            continue
        folder = data / corpus.name
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("*.mid"):
            old.unlink()
        chosen = choose(list(corpus_melodies(corpus.name)), draw)
        for tune in chosen:
            if tune.melody is not None:
                write_midi(tune.melody, folder / file_name(tune))
        print(f"{folder}: {len(chosen)} tunes")


if __name__ == "__main__":
    main()
