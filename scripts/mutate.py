"""Change constraints, look-ahead and sampler in small ways, one at a time, and see which changes no test notices.

    python scripts/mutate.py [--examples 15] [--jobs 2] [NAME ...]

By mutmut (`pip install -e ".[mutation]"`; not on Windows): it imports everything once and forks a process for each
change, which runs the tests that reach the function changed until one fails. Starting Python and importing NumPy and
the tests anew each time, as cosmic-ray does, takes ten times as long. What is changed and by which tests it is judged
stands in pyproject.toml, `[tool.mutmut]`. Results are kept in mutants/: a run that was stopped goes on where it was,
and changes to a function have it judged anew (changes to tests do not: remove mutants/ then). Names, which may hold
`*`, run those alone and again: "melodygru.writing.sampler*".

Prints the difference that each survivor makes, and how many were killed, survived, or ran out of time. Running out of
time is noticed: it counts as killed. Ends with 1 where fewer than nine in ten are.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOTICED = ("killed", "timeout", "segfault", "suspicious")
ENOUGH = 0.9


def mutmut(*arguments: str) -> list[str]:
    """The command for a subcommand of mutmut."""
    return [
        sys.executable,
        "-c",
        "import sys; from mutmut.__main__ import cli; sys.argv[0] = 'mutmut'; cli()",
        *arguments,
    ]


def statuses() -> dict[str, str]:
    """Of each change, by name, what became of it."""
    told = subprocess.run(
        mutmut("results", "--all", "true"), cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    return dict(line.strip().rsplit(": ", 1) for line in told.splitlines() if ": " in line)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--examples", type=int, default=15, help="of each property, for hypothesis")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("names", nargs="*", metavar="NAME", help="of changes; default: all that are not judged yet")
    asked = parser.parse_args()
    environment = {**os.environ, "MELODYGRU_EXAMPLES": str(asked.examples), "OMP_NUM_THREADS": "1"}
    environment["OPENBLAS_NUM_THREADS"] = "1"
    ran = subprocess.run(mutmut("run", "--max-children", str(asked.jobs), *asked.names), cwd=ROOT, env=environment)
    if ran.returncode:
        sys.exit("The run was broken off; the same command goes on with it.")
    everything = statuses()
    found = {name: status for name, status in everything.items() if status != "not checked"}
    for name, status in found.items():
        if status not in NOTICED:
            print(
                f"\n{status}: {subprocess.run(mutmut('show', name), cwd=ROOT, capture_output=True, text=True).stdout}"
            )
    counts = Counter(found.values())
    noticed = sum(counts[status] for status in NOTICED)
    print(f"{noticed} of {len(found)} changes noticed ({noticed / max(len(found), 1):.1%}):", dict(counts))
    if len(found) < len(everything):
        print(f"{len(everything) - len(found)} were not tried.")
    if noticed < ENOUGH * len(found):
        sys.exit(1)


if __name__ == "__main__":
    main()
