"""Records what the command line prints and writes, so that two states of the code can be compared.

    python scripts/record_outputs.py record CHECKOUT OUT_DIR [--old DIR]
    python scripts/record_outputs.py compare DIR_A DIR_B

For a change that is to change nothing that a user sees: record before and after, and compare. `--old` names a recording
of the state before, whose files (melodies, a model, a run) are then read by the code of CHECKOUT; without it the
recording reads its own. Dates, durations, versions of libraries and folders are left out of what is compared.
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

COMMANDS = Path(__file__).with_name("recorded_commands.txt")
"""What is run, in words of its own."""

PRELUDE = """import melodygru as m
def fails(call):
    try: print(call())
    except Exception as error: print(f"{type(error).__name__}: {error}")
"""

ABC = "X:1\nT:A Tune\nM:4/4\nL:1/8\nQ:1/4=100\nK:G\nD2|:G2BG A2cA|B2dB c2ec|d2BG A2FA|G4 G2D2:|\n"
FOREIGN = b'{"__metadata__": {"format": "pt"}}'
FILES = {
    "options.toml": b'key = "E minor"\nseed = 7\nbars = 9\n[feel]\nswing = 0.6\nprogram = "flute"\n',
    "vary.toml": b'temperature = 0.8\ngrid = "1/8"\n',
    "wrong.toml": b"tempo = 3\n",
    "broken.toml": b"key = \n",
    "score.abc": ABC.encode(),
    "score.krn": b"**kern\n*M3/4\n*k[f#]\n*G:\n=1\n4g\n8a\n8b\n4cc\n=2\n2.g\n=3\n4d\n4f#\n4a\n=4\n2.g\n==\n*-\n",
    "odd/score.abc": ABC.encode(),
    "odd/empty.mid": b"",
    "odd/words.mid": b"This is no MIDI file.",
    "broken.safetensors": bytes(100),
    "foreign.safetensors": len(FOREIGN).to_bytes(8, "little") + FOREIGN,
    "many-nothings/words.txt": b"Nothing here.",
}
"""Files that lie there from the beginning, beside tunes of data/."""

TUNE = {"key": "G major", "notes": [{"pitch": 67 + 2 * (i % 4), "onset": 24 * i, "duration": 24} for i in range(16)]}
STUDIO: dict[str, Any] = {
    "": None,
    "api/openapi.json": None,
    "api/choices": None,
    "api/missing": None,
    "page/missing.js": None,
    "api/generate": {"options": {"bars": 4, "chords": "C F G C"}, "seed": 1, "takes": 2},
    "api/generate?primer": {"options": {"bars": 8}, "seed": 2, "primer": TUNE},
    "api/generate?wrong": {"options": {"bars": 0}},
    "api/generate?contradiction": {"options": {"beats_per_chord": 2}},
    "api/infill": {"melody": TUNE, "bars": "2-3", "seed": 1},
    "api/vary": {"melody": TUNE, "amount": 0.5, "keep": "rhythm", "seed": 1},
    "api/look": {"melody": TUNE},
    "api/open?name=score.abc": ABC.encode(),
    "api/open?name=words.mid": b"This is no MIDI file.",
    **{
        f"api/files?{kind}": {"melody": TUNE, "format": kind}
        for kind in ("mid", "wav", "musicxml", "abc", "svg", "pdf")
    },
}
"""What the studio is asked: an address, and what is sent there, if anything. What follows a ? says which is which."""

CHANGING: tuple[tuple[str, str], ...] = (
    (r'"(minutes|seconds_an_epoch|event_seconds|peak_bytes|events_per_second)": [^,}\n]+', r'"\1": *'),
    (r'"(date|torch|python)": "[^"]*"', r'"\1": *'),
    (r"(?m)^((?:provenance\.)?(?:minutes|date|torch|python) +).*$", r"\1*"),
    (r"(?m)^(\|? ?(?:seconds an epoch|peak memory, MB|sampling an event, µs)).*$", r"\1 *"),
    (r"(?m)^(?:reading \d+ of \d+ files|epoch +\d+ +\d+%  loss .*)\n", ""),
    (r"[\d,]+ events/s  [\d:]+", "* events/s  *"),
    (r"(after \d+ epochs and) [\d:]+", r"\1 *"),
    (r"after [\d.]+ seconds", "after * seconds"),
    (r"(left out), \d+ s\b", r"\1, * s"),
    (r"http://127\.0\.0\.1:\d+/[\w-]+/", "http://STUDIO/"),
    (r"files/[\w-]{22}/", "files/MARK/"),
    (r"0x[0-9a-f]{8,}", "0x*"),
)
"""What differs from one time to the next, in any text, and what stands for it."""

PATIENCE = 600
"""Seconds that a command may take."""


class Recorder:
    """Runs commands in a folder of their own, the same each time, since tables are as wide as the names in them."""

    def __init__(self, checkout: Path, out: Path, old: Path | None):
        self.checkout, self.out, self.old = checkout.resolve(), out.resolve(), old and old.resolve()
        self.home = Path(tempfile.gettempdir()) / "melodygru-recording"
        self.work = self.home / "work"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MELODYGRU"))}
        self.environment = {
            **kept,
            "PYTHONPATH": str(self.checkout),
            "MELODYGRU_CACHE": str(self.home / "cache"),
            "OMP_NUM_THREADS": "1",
            "COLUMNS": "100",
            "NO_COLOR": "1",
            "TERM": "dumb",
            "LC_ALL": "C.UTF-8",
        }
        self.names: dict[str, str] = {}

    def run(self) -> None:
        """Record all commands."""
        if self.home.exists():
            raise SystemExit(f"{self.home} is in use, or was left by a recording that was broken off; remove it then.")
        self.out.mkdir(parents=True)
        self.work.mkdir(parents=True)
        try:
            self.check()
            self.lay_out()
            for line in COMMANDS.read_text("utf-8").splitlines():
                for command in self.expanded(line):
                    self.record(command)
        finally:
            shutil.rmtree(self.home)
        (self.out / "commands.json").write_text(json.dumps(self.names, indent=1), "utf-8")

    def check(self) -> None:
        """Make sure that it is the checkout's code that runs, and not what is installed."""
        code = "import melodygru; print(melodygru.__file__)"
        found = self.process([sys.executable, "-c", code])[1].decode().strip()
        if not Path(found).is_relative_to(self.checkout):
            raise SystemExit(f"Not the code of {self.checkout} would run, but {found}.")

    def lay_out(self) -> None:
        """Put the files there that commands read; tunes are of one age, since caches go by that."""
        found = [
            path for book in ("aird", "oneill", "ryan") for path in sorted((self.checkout / "data" / book).iterdir())
        ]
        for name, tunes in (("tunes", found[::14]), ("people", found[::5])):
            for number, tune in enumerate(tunes, 1):
                self.put(f"{name}/{number:04}.mid", tune.read_bytes())
        for name, data in FILES.items():
            self.put(name, data)
        self.put("odd/tune.mid", found[0].read_bytes())
        self.put("odd/cut.mid", found[0].read_bytes()[:300])
        self.put("cut.safetensors", next(self.checkout.rglob("folk.safetensors")).read_bytes()[:100_000])

    def put(self, name: str, data: bytes) -> None:
        """Write a file, of the age that all such files have."""
        path = self.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.utime(path, (1_000_000_000, 1_000_000_000))

    def expanded(self, line: str) -> Iterator[str]:
        """The commands that a line stands for."""
        if line == "help *":
            listed = self.process([sys.executable, "-m", "melodygru", "--help"])[1].decode()
            for name in re.findall(r"(?m)^\W*([a-z]+)  ", listed.partition(" Commands ")[2]):
                yield f"{name} --help"
        elif line.startswith("replay ") and "*" in line:
            for path in sorted(self.work.glob(line.split()[1])):
                yield f"replay {path.relative_to(self.work).as_posix()}"
        elif line and not line.startswith("#"):
            yield line

    def record(self, command: str) -> None:
        """Run one command, and keep what it printed and wrote."""
        folder = self.out / f"{len(self.names):03}"
        self.names[command] = folder.name
        before = self.seen()
        if command == "old-files":
            self.fetch_old()
            code, printed, complained = 0, b"", b""
        elif command == "studio-answers":
            code, printed, complained = self.ask_studio()
        elif command.startswith("python "):
            code, printed, complained = self.process([sys.executable, "-c", PRELUDE + command.removeprefix("python ")])
        else:
            code, printed, complained = self.process([sys.executable, "-m", "melodygru", *shlex.split(command)])
        written = {name for name, mark in self.seen().items() if before.get(name) != mark}
        kept = {f"files/{name}": self.normal(name, (self.work / name).read_bytes()) for name in written}
        kept |= {"exit code": f"{code}\n".encode(), "stdout": self.normal("", printed)}
        kept |= {"stderr": self.normal("", complained)}
        for name, data in kept.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(data)

    def process(self, command: list[str]) -> tuple[int, bytes, bytes]:
        """Exit code, standard output and standard error of a program."""
        pipes: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        done = subprocess.run(command, cwd=self.work, env=self.environment, timeout=PATIENCE, **pipes)
        return done.returncode, done.stdout, done.stderr

    def seen(self) -> dict[str, tuple[int, int, int]]:
        """What tells of each file whether it was written anew."""
        found = {}
        for path in self.work.rglob("*"):
            if path.is_file():
                status = path.stat()
                found[path.relative_to(self.work).as_posix()] = (status.st_mtime_ns, status.st_size, status.st_ino)
        return found

    def fetch_old(self) -> None:
        """Keep what was written so far for recordings to come, and put what an older one kept, if any, into old/."""
        # Not all: tunes and sound are of no use there.
        left_out = shutil.ignore_patterns("tunes", "people", "odd", "many", "bulk", "studio", "*.wav", "*.onnx")
        shutil.copytree(self.work, self.out / "kept", ignore=left_out)
        shutil.copytree((self.old or self.out) / "kept", self.work / "old")

    def ask_studio(self) -> tuple[int, bytes, bytes]:
        """Start the studio, and ask it."""
        command = [sys.executable, "-m", "melodygru", "studio", "--port", "0", "--no-browser"]
        pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
        environment = {**self.environment, "PYTHONUNBUFFERED": "1"}
        with subprocess.Popen(command, cwd=self.work, env=environment, **pipes) as server:
            try:
                assert server.stdout is not None
                first = server.stdout.readline()
                self.ask(re.findall(r"http://\S+", first.decode())[0])
            finally:
                server.send_signal(signal.SIGINT)
            printed, complained = server.communicate(timeout=PATIENCE)
        return server.returncode, first + printed, complained

    def ask(self, address: str) -> None:
        """Ask what `STUDIO` says, and for all files of the page; what is answered lies in studio/, as if written."""
        asked, known = dict(STUDIO), set(STUDIO)
        while asked:
            where = next(iter(asked))
            status, kind, answer = request(address + where, asked.pop(where))
            name = re.sub(r"[?=]", "-", where) or "index.html"
            self.put(f"studio/{name}.status", f"{status} {kind}\n".encode())
            self.put(f"studio/{name}", told(answer) if "event-stream" in kind else answer)
            if where.startswith("api/files") and status == 200:
                self.put(f"studio/{name}.file", request(address + json.loads(answer)["url"], None)[2])
            if kind.startswith(("text/html", "text/javascript")):
                for page in re.findall(r'(?:"\./|"page/)([\w./-]+\.(?:js|css|svg))"', answer.decode()):
                    if (where := f"page/{page}") not in known:
                        known.add(where)
                        asked[where] = None

    def normal(self, name: str, data: bytes) -> bytes:
        """Output without what differs from one time to the next."""
        if name.endswith(".safetensors"):
            data = described(data)
        try:
            text = data.decode()
        except UnicodeDecodeError:
            return data
        if name.endswith("metrics.csv"):
            text = without_columns(text)
        for path, stands in ((self.work, "WORK"), (self.home, "HOME"), (self.checkout, "CHECKOUT")):
            text = text.replace(str(path), stands)
        for pattern, instead in CHANGING:
            text = re.sub(pattern, instead, text)
        return text.encode()


def request(address: str, sent: Any) -> tuple[int, str, bytes]:
    """Status, media type and body of an answer."""
    body = sent if sent is None or isinstance(sent, bytes) else json.dumps(sent).encode()
    asked = urllib.request.Request(address, body, {"Content-Type": "application/json"} if body else {})
    try:
        with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read()


def told(answer: bytes) -> bytes:
    """A stream of events without those of kind "notes", which are gathered by the clock."""
    return b"".join(part + b"\n\n" for part in answer.split(b"\n\n") if part and not part.startswith(b"event: notes"))


def described(data: bytes) -> bytes:
    """A safetensors file in words: its metadata, and of each array kind, shape and hash; as it is if it is broken."""
    size = int.from_bytes(data[:8], "little")
    try:
        header = json.loads(data[8 : 8 + size])
        lines = [f"{name}: {text}" for name, text in sorted(header.pop("__metadata__", {}).items())]
        for name, entry in header.items():
            low, high = (8 + size + place for place in entry["data_offsets"])
            lines.append(f"{name}: {entry['dtype']} {entry['shape']} {hashlib.sha256(data[low:high]).hexdigest()}")
    except (ValueError, KeyError):
        return data
    return re.sub(r'"seconds": [^,}]+', '"seconds": *', "\n".join([*lines, ""])).encode()


def without_columns(table: str) -> str:
    """A table of comma-separated values without durations."""
    rows = [line.split(",") for line in table.splitlines()]
    kept = [place for place, name in enumerate(rows[0]) if not re.search("second", name)]
    return "".join(",".join(row[place] for place in kept) + "\n" for row in rows)


def compare(one: Path, other: Path) -> int:
    """Tell in what two recordings differ; 1 if they do."""
    names = [json.loads((folder / "commands.json").read_text("utf-8")) for folder in (one, other)]
    commands = list(dict.fromkeys([*names[0], *names[1]]))
    equal = 0
    for command in commands:
        one_has, other_has = (own.get(command) for own in names)
        if one_has is None or other_has is None:
            print(f"\n=== {command}\nonly in the {'second' if one_has is None else 'first'} recording")
            continue
        found, against = outputs(one / one_has), outputs(other / other_has)
        if found == against:
            equal += 1
            continue
        print(f"\n=== {command}")
        for name in sorted({*found, *against}):
            show_difference(name, found.get(name), against.get(name))
    print(f"{equal} of {len(commands)} commands equal")
    return int(equal < len(commands))


def outputs(folder: Path) -> dict[str, bytes]:
    """All that was kept of a command."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


def show_difference(name: str, one: bytes | None, other: bytes | None) -> None:
    if one == other:
        return
    if one is None or other is None:
        print(f"{name}: only in the {'second' if one is None else 'first'} recording")
        return
    try:
        first, second = (data.decode().splitlines() for data in (one, other))
    except UnicodeDecodeError:
        print(f"{name}: {len(one):,} bytes and {len(other):,} bytes, which differ")
        return
    print("\n".join(difflib.unified_diff(first, second, f"first/{name}", f"second/{name}", lineterm="")))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    actions = parser.add_subparsers(dest="action", required=True)
    of_record = actions.add_parser("record", help="run all commands with the code of CHECKOUT")
    of_record.add_argument("checkout", type=Path)
    of_record.add_argument("out", type=Path, help="a folder that is not there yet")
    of_record.add_argument("--old", type=Path, help="an older recording, whose files are to be read")
    of_compare = actions.add_parser("compare", help="tell in what two recordings differ")
    of_compare.add_argument("one", type=Path)
    of_compare.add_argument("other", type=Path)
    said = parser.parse_args()
    if said.action == "compare":
        return compare(said.one, said.other)
    if said.out.exists() or (said.old and not (said.old / "kept").is_dir()):
        parser.error("OUT_DIR is to be new, and DIR of --old a recording.")
    began = time.monotonic()
    recorder = Recorder(said.checkout, said.out, said.old)
    recorder.run()
    print(f"{len(recorder.names)} commands recorded in {time.monotonic() - began:.0f} seconds")
    return 0


if __name__ == "__main__":
    sys.exit(main())
