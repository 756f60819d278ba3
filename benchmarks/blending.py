"""Are the steps between two melodies even? Distances of each step to both ends, over pairs of held-out melodies.

    python benchmarks/blending.py PIECES.jsonl [--pairs 50] [--steps 5] [--model folk]

PIECES.jsonl is the repertoire (docs/repertoire.md). Of two held-out pieces of one metre a window of four bars each is
taken. Prints Spearman's rank correlation of a step's number with its distance to the first and to the second (1 and -1
if each step goes on, and none back), and the mean distances by step, the two ends included.
"""

import argparse
import statistics
from random import Random

from benchmarks.locks import held_out
from melodygru import Key, Melody, Note, TimeSignature, load_model
from melodygru.writing.blending import blend, distance, laid_over
from melodygru.writing.config import GenerationConfig

BARS = 4


def opening(piece):
    """The first four full bars; None where fewer than eight notes begin there."""
    metre = TimeSignature(*piece["metre"])
    start, end = (at * metre.bar_steps for at in (bool(piece["pickup"]), bool(piece["pickup"]) + BARS))
    notes = [Note(p, at - start, min(at + long, end) - at) for at, long, p in piece["notes"] if start <= at < end]
    key = Key(piece["tonic"], piece["mode"])
    return Melody(tuple(notes), metre, key, piece["qpm"], "", 0, BARS) if len(notes) >= 8 else None


def ranks(values):
    ordered = sorted(values)
    return [ordered.index(value) + (ordered.count(value) - 1) / 2 for value in values]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pieces")
    parser.add_argument("--pairs", type=int, default=50)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--model", default="folk")
    arguments = parser.parse_args()
    model, chance = load_model(arguments.model), Random(1)
    melodies = [one for piece in held_out(arguments.pieces) if (one := opening(piece)) is not None]
    away, near, rows, legal = [], [], [], 0
    while len(rows) < arguments.pairs:
        one, two = chance.sample(melodies, 2)
        if one.time_signature != two.time_signature:
            continue
        pair = laid_over(one, two)
        shares = [step / (arguments.steps + 1) for step in range(1, arguments.steps + 1)]
        made = [blend(model, pair, share, GenerationConfig(), len(rows)).melody for share in shares]
        onsets = {note.onset for end in (pair.first, pair.second) for note in end.notes}
        legal += all(note.onset in onsets for melody in made for note in melody.notes)
        to_first, to_second = ([distance(melody, end) for melody in made] for end in (pair.first, pair.second))
        away.append(statistics.correlation(ranks(to_first), list(range(arguments.steps))))
        near.append(statistics.correlation(ranks(to_second), list(range(arguments.steps))))
        whole = distance(pair.first, pair.second)
        rows.append([(0.0, whole), *zip(to_first, to_second, strict=True), (whole, 0.0)])
    print(f"{len(rows)} pairs, {legal} of them with onsets of the two alone")
    print(f"rank correlation: to the first {statistics.fmean(away):.3f} (least {min(away):.2f}), ", end="")
    print(f"to the second {statistics.fmean(near):.3f} (most {max(near):.2f})")
    print("| step | to the first | to the second |\n| ---: | ---: | ---: |")
    for step in range(arguments.steps + 2):
        first, second = (statistics.fmean(row[step][side] for row in rows) for side in (0, 1))
        print(f"| {step} | {first:.2f} | {second:.2f} |")


if __name__ == "__main__":
    main()
