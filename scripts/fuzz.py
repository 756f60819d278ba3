"""Feed every reader files that nobody has written, and see that each ends in music or in one sentence.

    python scripts/fuzz.py --minutes 10 [--seed 1] [--reader midi] [--corpus DIR] [--out build/fuzz]
    python scripts/fuzz.py --again DIR

Files are made by grammar and changed at their format's own level (`scripts/fuzzing/`); those that reach lines or
outcomes that none reached before are kept and changed further. A process with limits on time and memory reads them.
What must hold stands in `scripts/fuzzing/oracles.py`: nothing but refusals of the right kind, in one sentence; melodies
that are melodies; the compiled lane and the other alike; the same when read twice. What fails is made smaller and
written to OUT, with a text that says what was seen.

`--again` reads what lies in a folder once more, each by the reader that its name begins with, and changes nothing.
The same seed draws the same files in the same order; how far it comes in the time, and what is too slow, depend on the
machine. Needs an operating system that can fork. Ends with 1 where something was found; Ctrl-C ends it with the
summary.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")  # threads' stacks would count as memory

from fuzzing.campaign import Campaign, Result, in_own_process  # noqa: E402
from fuzzing.kinds import KINDS  # noqa: E402


def read_again(folder: Path) -> int:
    """The exit code: 1 if any file of the folder shows a fault."""
    faults = 0
    for path in sorted(folder.iterdir()):
        kind = KINDS.get(path.name.partition("-")[0])
        if kind is not None and path.suffix == kind.suffix:
            finding = in_own_process(kind, path.read_bytes())
            faults += finding is not None
            print(f"{path.name}: {'sound' if finding is None else f'{finding.oracle}: {finding.message}'}")
    return int(faults > 0)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=5.0, help="in all, shared out among the readers")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--reader", nargs="+", choices=[*KINDS, "all"], default=["all"])
    parser.add_argument("--corpus", type=Path, help="a folder of files to begin with, beside those that are made")
    parser.add_argument("--out", type=Path, default=Path("build/fuzz"), help="where what was found goes")
    parser.add_argument("--readings", type=int, help="of each reader at most, whatever the time")
    parser.add_argument("--again", type=Path, metavar="DIR", help="read the files of a folder, and end")
    asked = parser.parse_args()
    if asked.again is not None:
        sys.exit(read_again(asked.again))
    names = list(KINDS) if "all" in asked.reader else asked.reader
    results: dict[str, Result] = {}
    try:
        for name in names:
            suffix = KINDS[name].suffix
            given = sorted(asked.corpus.rglob(f"*{suffix}")) if asked.corpus else []
            campaign = Campaign(name, asked.seed, [path.read_bytes() for path in given], asked.out)
            results[name] = campaign.result
            campaign.run(asked.minutes * 60 / len(names), asked.readings)
    except KeyboardInterrupt:
        print("Stopped.")
    for name, result in results.items():
        speed = result.readings / max(result.seconds, 0.1)
        took = f"{result.readings:,} readings in {result.seconds:.0f} s ({speed:.0f} a second)"
        print(f"{name}: {took}, {result.corpus} files kept, {len(result.found)} found")
        for key, (finding, data) in result.found.items():
            print(f"  {finding.oracle}, {result.times.get(key, 1)} times, {len(data)} bytes: {finding.message[:300]}")
    sys.exit(1 if any(result.found for result in results.values()) else 0)


if __name__ == "__main__":
    main()
