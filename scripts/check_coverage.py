"""How much of each room the tests have gone through: a table, and a failure where that is less than its floor.

    python scripts/check_coverage.py [build/coverage.json]

Reads what `python -m slipcover` has measured (`make test` runs it), and the floors in pyproject.toml. They hold on
Linux, where they were measured; elsewhere the table is all: there is no fast lane on Windows, and tests are left out.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
KINDS = ("lines", "branches")


def rooms_of(files: dict[str, dict[str, dict[str, int]]]) -> dict[str, dict[str, tuple[int, int]]]:
    """Of each room (or module that stands alone) and kind, how many were gone through, and of how many."""
    counts: dict[str, dict[str, list[int]]] = defaultdict(lambda: {kind: [0, 0] for kind in KINDS})
    for name, file in files.items():
        inside = Path(name).parts[Path(name).parts.index("melodygru") + 1 :]
        room = inside[0] if len(inside) > 1 or not inside[0].startswith("__") else "front door"
        for kind in KINDS:
            covered, missing = file["summary"][f"covered_{kind}"], file["summary"][f"missing_{kind}"]
            counts[room.removesuffix(".py")][kind][0] += covered
            counts[room.removesuffix(".py")][kind][1] += covered + missing
    return {room: {kind: (done, of) for kind, (done, of) in kinds.items()} for room, kinds in sorted(counts.items())}


def share(done: int, of: int) -> float:
    """In percent; of nothing, all."""
    return 100 * done / of if of else 100.0


def judged(rooms: dict[str, dict[str, tuple[int, int]]], floors: dict[str, list[float]]) -> tuple[list[str], list[str]]:
    """A table's lines, and what is wrong, a sentence each."""
    lines = [f"{'room':<12}" + "".join(f"{kind:>10}{'floor':>7}" for kind in KINDS)]
    wrong = [
        f"{room} has a floor in pyproject.toml, but there is no such room." for room in sorted({*floors} - {*rooms})
    ]
    for room, kinds in rooms.items():
        if room not in floors:
            wrong.append(f"{room} has no floor in pyproject.toml; enter one.")
        values = [share(*kinds[kind]) for kind in KINDS]
        least = floors.get(room, [0.0, 0.0])
        lines.append(
            f"{room:<12}" + "".join(f"{value:>9.1f}%{floor:>7g}" for value, floor in zip(values, least, strict=True))
        )
        wrong += [
            f"The tests go through {value:.1f} % of the {kind} of {room}; at least {floor:g} % are asked for."
            for kind, value, floor in zip(KINDS, values, least, strict=True)
            if value < floor
        ]
    return lines, wrong


def main() -> None:
    file = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / "coverage.json")
    floors = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["coverage-floors"]
    lines, wrong = judged(rooms_of(json.loads(file.read_text("utf-8"))["files"]), floors)
    print("\n".join(lines))
    if wrong and sys.platform == "linux":
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
