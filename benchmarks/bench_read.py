"""How fast is reading? Files a second from MIDI file to cache, beside the peers; and its curve in time and memory.

    python benchmarks/bench_read.py [FOLDER] [--files 10000] [--curve 1000 10000 100000]
    python benchmarks/bench_read.py --scores FOLDER ...    # only scores, each folder's from file to melodies

The files are made of the tunes of FOLDER (data/ by default), transposed and cut at bar lines until there are enough.
Peers only parse; "to cache" also finds the melody, sets it on the grid, makes events and all that the network is told
of them, looks for near-duplicates, and writes the cache. The floor opens and reads the bytes. One core unless said.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tables import best_of, machine, print_table

from melodygru.data.collection import find_files, read_collection
from melodygru.formats.midi.parser import read_midi

ROOT = Path(__file__).parent.parent


def quantity(value):
    """A number as MIDI files have it."""
    groups = [value & 0x7F]
    while value := value >> 7:
        groups.append(value & 0x7F | 0x80)
    return bytes(reversed(groups))


def file_of(melody, semitones, cut):
    """A plain file of a melody, moved by semitones, without its first `cut` bars: faster written than by a library."""
    metre, key = melody.time_signature, melody.key.transpose(semitones)
    start = cut * metre.bar_steps
    signature = bytes([metre.numerator, metre.denominator.bit_length() - 1, 24, 8])
    track = [b"\0\xff\x58\4", signature, b"\0\xff\x59\2", bytes([key.fifths % 256, key.mode == "minor"])]
    at = start
    for note in melody.notes:
        if note.onset < start:
            continue
        pitch = note.pitch + semitones
        track += [quantity(note.onset - at), bytes([0x90, pitch, 80]), quantity(note.duration), bytes([0x80, pitch, 0])]
        at = note.end
    body = b"".join([*track, b"\0\xff\x2f\0"])
    return b"MThd\0\0\0\6\0\0\0\1\0\x18MTrk" + len(body).to_bytes(4, "big") + body


def make_files(source, folder, count):
    """`count` files: tune after tune, each time in another key, and from another bar on."""
    melodies = read_collection(source).pieces
    for number in range(count):
        melody, turn = melodies[number % len(melodies)], number // len(melodies)
        semitones = turn % 12 - 6
        low, high = min(n.pitch for n in melody.notes), max(n.pitch for n in melody.notes)
        if not (low + semitones >= 0 and high + semitones < 128):
            semitones = 0
        inside = folder / f"{number // 1000:04}"
        if number % 1000 == 0:
            inside.mkdir(parents=True)
        cut = 0 if melody.pickup else turn // 12 % max(1, melody.bars // 2)
        (inside / f"{number:07}.mid").write_bytes(file_of(melody, semitones, cut))


def whole_path(folder, jobs, cores=None):
    """Seconds and peak memory of reading a folder to a new cache, in a process of its own, on so many cores."""
    code = (
        "import json, os, resource, sys, time\n"
        "if int(sys.argv[3]) and hasattr(os, 'sched_setaffinity'):\n"
        "    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv[3])])\n"
        "from melodygru.data.cache import load_dataset\n"
        "if __name__ == '__main__':\n"
        "    began = time.perf_counter()\n"
        "    data = load_dataset(sys.argv[1], jobs=int(sys.argv[2]))\n"
        "    used = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]\n"
        "    seconds = time.perf_counter() - began\n"
        "    print(json.dumps([seconds, max(used) / 1024, data.pieces, int(data.offsets[-1])]))\n"
    )
    with tempfile.TemporaryDirectory() as cache:
        # The fast lane is compiled once for a machine: beforehand, as for whoever has read many files before.
        environment = {**os.environ, "MELODYGRU_CACHE": cache, "OMP_NUM_THREADS": "1"}
        script = Path(cache) / "read.py"
        script.write_text(code)
        subprocess.run(
            [sys.executable, "-c", "from melodygru.data.fast_lane import reader; reader()"], env=environment, check=True
        )
        command = [sys.executable, str(script), str(folder), str(jobs), str(cores or 0)]
        return json.loads(subprocess.run(command, env=environment, check=True, capture_output=True).stdout)


def rate(read, files):
    """Files a second, the best of three."""
    return len(files) / best_of(3, lambda: [read(file) for file in files])


def compare(folder):
    import mido
    import pretty_midi

    files = find_files(folder)
    some = files[:300]
    rows = [["pretty_midi, parsing", rate(lambda file: pretty_midi.PrettyMIDI(str(file)), some)]]
    rows.append(["mido, parsing", rate(lambda file: mido.MidiFile(file), some)])
    try:
        import symusic

        rows.append(["symusic, parsing", rate(symusic.Score, files)])
    except ImportError:
        pass
    rows.append(["melodygru, parsing of any file", rate(read_midi, some)])
    for jobs, cores in ((1, 1), (2, 2)):
        seconds = min(whole_path(folder, jobs, cores)[0] for _ in range(3))
        rows.append([f"melodygru, to cache, {cores} core{'s' if cores > 1 else ''}", len(files) / seconds])
    rows.append(["floor: open and read", rate(Path.read_bytes, files)])
    slowest = rows[0][1]
    print_table(
        f"Reading {len(files):,} files",
        ["what", "files a second", "times pretty_midi"],
        [[name, f"{value:,.0f}", f"{value / slowest:.1f}"] for name, value in rows],
    )


def curve(source, sizes):
    rows = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            make_files(source, Path(folder), size)
            seconds, memory, pieces, events = whole_path(folder, 2)
        rows.append(
            [f"{size:,}", f"{pieces:,}", f"{events:,}", f"{seconds:.1f}", f"{size / seconds:,.0f}", f"{memory:,.0f}"]
        )
        print(rows[-1], file=sys.stderr, flush=True)
    print_table(
        "The curve, two processes",
        ["files", "tunes", "events", "seconds", "files a second", "peak MiB of the largest process"],
        rows,
    )


def scores(folders):
    """Files a second and peak memory of reading each folder's scores, on one core, none of them kept."""
    code = (
        "import json, resource, sys, time\n"
        "from pathlib import Path\n"
        "from melodygru.errors import MidiError\n"
        "from melodygru.formats.reading import parse\n"
        "from melodygru.formats.scores.files import is_score\n"
        "files = [path for path in sorted(Path(sys.argv[1]).rglob('*')) if is_score(path.name)]\n"
        "read, seconds, slowest, size = 0, 0.0, 0.0, 0\n"
        "for path in files:\n"
        "    data = path.read_bytes()\n"
        "    size += len(data)\n"
        "    began = time.process_time()\n"
        "    try:\n"
        "        read += bool(parse(data, path.name).melodies)\n"
        "    except MidiError:\n"
        "        pass\n"
        "    took = time.process_time() - began\n"
        "    seconds, slowest = seconds + took, max(slowest, took)\n"
        "memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "print(json.dumps([len(files), read, seconds, slowest, size / 2**20, memory]))\n"
    )
    rows = []
    for folder in folders:
        command = [sys.executable, "-c", code, str(folder)]
        files, read, seconds, slowest, size, memory = json.loads(
            subprocess.run(command, check=True, capture_output=True).stdout
        )
        told = [
            files,
            read,
            f"{size:.1f}",
            f"{seconds:.1f}",
            f"{files / seconds:,.0f}",
            f"{slowest:.2f}",
            f"{memory:,.0f}",
        ]
        rows.append([str(folder), *map(str, told)])
    print_table(
        "Scores, one core",
        ["folder", "files", "with melodies", "MiB", "seconds", "files a second", "slowest, seconds", "peak MiB"],
        rows,
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "data")
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--curve", type=int, nargs="*", default=[])
    parser.add_argument("--scores", type=Path, nargs="+", default=[])
    arguments = parser.parse_args()
    print(machine())
    if arguments.scores:
        scores(arguments.scores)
        return
    with tempfile.TemporaryDirectory() as folder:
        make_files(arguments.folder, Path(folder), arguments.files)
        compare(folder)
    if arguments.curve:
        curve(arguments.folder, arguments.curve)


if __name__ == "__main__":
    started = time.monotonic()
    main()
    print(f"\n({time.monotonic() - started:.0f} seconds)")
