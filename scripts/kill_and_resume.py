"""Kill `train` and `prepare` at random moments, go on, and compare what comes out with that of an undisturbed run.

    python scripts/kill_and_resume.py --runs 100 --seed 1

Each run of `train` or `prepare` on a small folder is killed (SIGKILL) up to three times, and then left alone. Weights,
metrics but for the clock's, and every byte of the cache must be those of a run that nothing disturbed. Each process is
forked from this one, which has imported everything: half a second in place of three. It needs fork.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from melodygru import Melody, Note
from melodygru.cli import main as command_line
from melodygru.data import preparation
from melodygru.network.checkpoint import Checkpoint

MOST_KILLS = 3
FILES = {"train": 12, "prepare": 240}
"""Tunes of the folder: few, which this process reads, and so many that others read them by the fast lane."""
SHARD_FILES = 10
CLOCKS = ("seconds", "events_per_second")
"""Columns of metrics.csv that no two runs have alike."""
_SHORTER = 0.8
"""The undisturbed run may have been slow: moments that come too late are drawn from less time."""
TINY = ["--hidden", "8", "--layers", "1", "--epochs", "4", "--batch-size", "2", "--device", "cpu", "--seed", "3"]


def write_tunes(folder: Path, count: int) -> None:
    folder.mkdir()
    for seed in range(count):
        chance = random.Random(seed)
        Melody(tuple(Note(chance.randrange(60, 80), 12 * at, 12) for at in range(48))).save(folder / f"{seed:03}.mid")


def started(arguments: list[str], cache: Path) -> int:
    """A process that runs a command; its number."""
    process = os.fork()
    if process:
        return process
    try:
        os.environ["MELODYGRU_CACHE"] = str(cache)
        preparation.SHARD_FILES = SHARD_FILES
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        sys.argv = ["melodygru", *arguments]
        command_line()
    except SystemExit as ended:
        os._exit(int(ended.code or 0))
    finally:
        os._exit(70)


def ended(process: int, after: float | None = None) -> bool:
    """Whether the process ended well by itself; after so many seconds it is killed."""
    if after is not None:
        time.sleep(after)
        os.kill(process, signal.SIGKILL)
    _, status = os.waitpid(process, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit(f"A command failed with {os.WEXITSTATUS(status)}.")
    return os.WIFEXITED(status)


def command(kind: str, place: Path) -> list[str]:
    """What is run next: the run goes on if it has saved something."""
    if kind == "prepare":
        return ["prepare", str(place.parent / "tunes-prepare"), "--jobs", "2"]
    out = place / "model"
    how = ["--resume"] if list(out.glob("*state*")) else ["--force"]
    return ["train", str(place.parent / "tunes-train"), "--out", str(out), "--save-minutes", "0", *TINY, *how]


def outcome(kind: str, place: Path) -> dict[str, str]:
    """What came out, by names, as hashes or text."""
    cache = place / "cache"
    if kind == "prepare":
        # What a killed process had half assembled lies there for a day: it could be somebody else's.
        files = [path for path in cache.glob("*/[!.]*/*") if path.parent.parent.name != "compiled"]
        return {str(path.relative_to(cache)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    weights = Checkpoint.load(place / "model.safetensors").weights
    found = {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in weights.items()}
    with (place / "model" / "metrics.csv").open(newline="") as file:
        rows = [{name: value for name, value in row.items() if name not in CLOCKS} for row in csv.DictReader(file)]
    return {**found, "metrics": repr(rows)}


def one_run(kind: str, place: Path, seconds: float, chance: random.Random) -> tuple[int, float]:
    """Start, kill at random moments within so many seconds, and finish: how often it was killed, and how many seconds
    to choose from next, fewer where it was done before.
    """
    kills = 0
    for _ in range(chance.randint(1, MOST_KILLS)):
        if ended(started(command(kind, place), place / "cache"), chance.uniform(0, seconds)):
            return kills, _SHORTER * seconds
        kills += 1
    finish(kind, place)
    return kills, seconds


def finish(kind: str, place: Path) -> None:
    """Go on, and let it come to its end."""
    ended(started(command(kind, place), place / "cache"))


def made(place: Path, warm: Path | None = None) -> Path:
    """A new folder for a run, with what another has compiled."""
    place.mkdir()
    if warm is not None and (warm / "cache" / "compiled").exists():
        shutil.copytree(warm / "cache" / "compiled", place / "cache" / "compiled")
    return place


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100, help="of each command")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=list(FILES), help="one command alone")
    asked = parser.parse_args()
    import melodygru.training.run  # noqa: F401  # for the processes that are forked; those that read do without

    failed = 0
    for kind in [asked.only] if asked.only else FILES:
        chance = random.Random(asked.seed)
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            write_tunes(home / f"tunes-{kind}", FILES[kind])
            finish(kind, made(home / "warm"))
            whole = made(home / "whole", home / "warm")
            began = time.monotonic()
            finish(kind, whole)
            seconds = time.monotonic() - began
            expected, kills, same = outcome(kind, whole), 0, 0
            for number in range(asked.runs):
                place = made(home / f"run{number}", home / "warm")
                killed, seconds = one_run(kind, place, seconds, chance)
                kills += killed
                found = outcome(kind, place)
                same += found == expected
                if found != expected:
                    odd = [name for name in {**expected, **found} if expected.get(name) != found.get(name)]
                    print(f"{kind}, run {number}: {', '.join(odd)} differ", flush=True)
                shutil.rmtree(place)
        print(
            f"{kind}: {same} of {asked.runs} runs the same to the byte, killed {kills} times in all, in the end within "
            f"{seconds:.1f} s of the start",
            flush=True,
        )
        failed += asked.runs - same
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
