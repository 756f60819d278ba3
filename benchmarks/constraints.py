"""What each constraint costs: the time of generation with it, as a ratio to generation without.

    python benchmarks/constraints.py [--model folk] [--count 20] [--rounds 5]

Both are measured side by side, in turn, in one run; the median of the rounds counts. "Alone" is one melody of 16
bars, where setting up weighs most; "together" is `count` at once. Time a note, so that a constraint that asks for
more notes is not charged for them.
"""

import argparse
import statistics
import time

from melodygru import load_model
from melodygru.writing.config import GenerationConfig

WISHES = {
    "nothing (a second time)": {},
    "--scale 'major pentatonic'": {"scale": "major pentatonic"},
    "--scale blues --scale-mode soft": {"scale": "blues", "scale_mode": "soft"},
    "--range C4:C5": {"range": "C4:C5"},
    "--max-leap 5": {"max_leap": 5},
    "--density 5": {"density": 5},
    "--rests none": {"rests": "none"},
    "--rests few": {"rests": "few"},
    "--rests some": {"rests": "some"},
    "--grid 1/8": {"grid": "1/8"},
    "--grid 1/32": {"grid": "1/32"},
    "--no-triplets": {"triplets": False},
    "--end-on tonic": {"end_on": "tonic"},
    "--pickup 1/4": {"pickup": "1/4"},
    "--no-repeat-notes 2": {"no_repeat_notes": 2},
    "--chords 'Am F C G'": {"chords": "Am F C G"},
    "--chords 'Am F C G' --chord-mode soft": {"chords": "Am F C G", "chord_mode": "soft"},
    "--max-copy (the default)": {"max_copy": None},
    "--form AABA --section-bars 4 --best-of 1": {"form": "AABA", "section_bars": 4, "best_of": 1},
    "all of scale, range, max-leap, density, rests, grid, no-repeat-notes": {
        "scale": "major",
        "range": "C4:C6",
        "max_leap": 7,
        "density": 5,
        "rests": "few",
        "grid": "1/8",
        "no_repeat_notes": 2,
    },
}


def seconds_a_note(model, wishes, count, seed):
    config = GenerationConfig.from_dict({"bars": 16, "end_on": "any", "max_copy": 0, **wishes})
    began = time.perf_counter()
    done = model.compose(config, seed, count)
    return (time.perf_counter() - began) / sum(len(one.melody.notes) for one in done)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="folk")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    model = load_model(arguments.model)
    model.generate(bars=2, seed=0)
    print(f"| option | alone | {arguments.count} together |")
    print("| :--- | ---: | ---: |")
    for name, wishes in WISHES.items():
        ratios = {}
        for count in (1, arguments.count):
            found = []
            for seed in range(arguments.rounds):
                plain = seconds_a_note(model, {}, count, seed)
                found.append(seconds_a_note(model, wishes, count, seed) / plain)
            ratios[count] = statistics.median(found)
        print(f"| `{name}` | {ratios[1]:.2f} | {ratios[arguments.count]:.2f} |", flush=True)


if __name__ == "__main__":
    main()
