"""Read the music that shipped models learn from, find which pieces are one work, and hold an eighth of the works out.

    python scripts/build_repertoire.py FOLDER OUT [--steps read,works,manifest,join,audit] [--jobs N] [--afresh]

FOLDER holds the collections' folders (see `scripts/repertoire/corpora.py`); folk tunes come with music21. The steps, in
order: `read` makes pieces of each collection's files, `works` tells which are of one work, `manifest` writes which of
them are held out to data/repertoire.tsv, `join` writes OUT/repertoire.jsonl, all pieces with all that is known of them,
and `audit` writes OUT/audit.md, tables of them. Collections that are read are not read again, unless their files or
what reads them have changed, or --afresh is given; the other steps take seconds. What the manifest says already stays:
models may have learned from it. The music itself never comes into the repository: the manifest names files.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from repertoire import steps


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, help="where the collections' folders lie")
    parser.add_argument("out", type=Path, help="where pieces are kept; made if need be")
    parser.add_argument("--steps", default=",".join(steps.STEPS), help="some of them, with commas between")
    parser.add_argument("--manifest", type=Path, default=steps.MANIFEST, help="default: data/repertoire.tsv")
    parser.add_argument("--jobs", type=int, default=1, help="processes that read")
    parser.add_argument("--afresh", action="store_true", help="do all again")
    given = parser.parse_args()
    names = given.steps.split(",")
    if unknown := [name for name in names if name not in steps.STEPS]:
        parser.error(f"there is no step {unknown[0]!r}; choose of {', '.join(steps.STEPS)}")
    work = steps.Work(given.folder, given.out, given.manifest, max(1, given.jobs), given.afresh)
    for name in steps.STEPS:
        if name in names:
            print(f"{name}: {steps.STEPS[name](work)}")


if __name__ == "__main__":
    main()
