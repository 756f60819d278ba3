"""Two hundred arrangements over styles, metres and grooves, read by mido and pretty_midi, and opened in MuseScore.

    python scripts/check_arrangements.py [--count 200] [--folder FOLDER] [--no-musescore] [--lmms 20]

Half are new melodies (`generate --with all`), half tunes of data/ (`arrange`). Nothing of melodygru reads what was
written. Prints what is wrong, file by file, and counts; ends with 1 if anything is. About five minutes.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
import xml.etree.ElementTree as ElementTree
from collections import Counter
from contextlib import redirect_stderr, redirect_stdout
from itertools import pairwise
from pathlib import Path

import mido
from in_lmms import tracks_in_lmms

ROOT = Path(__file__).parent.parent
STYLES = ("song", "hymn", "standard", "waltz", "polka", "march", "rag", "minuet", "reel", "jig", "air", "folk", "game")
METRES = ("4/4", "3/4", "6/8", "2/4", "9/8", "12/8", "5/4", "7/8")
GROOVES = (None, "pop", "waltz", "hymn", "swing", "ballad", "folk", "air", "march", "rag", "classical", "chiptune",
           "house", "film", "held")  # fmt: skip
RANGES = {"Chords": (33, 76), "Bass": (28, 50), "Drums": (35, 81)}
"""Lowest and highest pitch of each part, as docs/arranging.md says."""
DRUMS = 9
BATCH = 25
"""Files that MuseScore is given at once."""


def commands(count: int, folder: Path) -> list[list[str]]:
    """What is typed, each with its file last."""
    tunes = sorted((ROOT / "data").rglob("*.mid"))
    made = []
    for number in range(count):
        out = str(folder / f"{number:03}.mid")
        groove = GROOVES[number % len(GROOVES)]
        wishes = ["--with", "all", "--seed", str(number), *(["--groove", groove] if groove else [])]
        wishes += ["--fills"] if number % 4 == 3 else []
        if number % 2:
            made.append(["arrange", str(tunes[number * 7 % len(tunes)]), *wishes, out])
            continue
        metre, style = METRES[number // 2 % len(METRES)], STYLES[number // 2 % len(STYLES)]
        own = ["--style", style, "--meter", metre, "--bars", str((4, 8, 16)[number % 3])]
        own += ["--pickup", "1/8"] if number % 10 == 4 else []
        own += ["--chords", "Am F C G"] if number % 6 == 0 else []
        made.append(["generate", *own, *wishes, out])
    return made


def notes_of(track: mido.MidiTrack) -> list[tuple[int, int, int, int]]:
    """(onset, end, pitch, channel) in ticks."""
    found, sounding, tick = [], {}, 0
    for message in track:
        tick += message.time
        if message.type == "note_on" and message.velocity:
            sounding[message.channel, message.note] = tick
        elif message.type in ("note_on", "note_off"):
            begin = sounding.pop((message.channel, message.note))
            found.append((begin, tick, message.note, message.channel))
    if sounding:
        raise ValueError(f"notes that never end: {sounding}")
    return sorted(found)


def faults(path: Path) -> list[str]:
    """Everything that is wrong with a file."""
    file = mido.MidiFile(path)
    tracks = {track.name: notes_of(track) for track in file.tracks}
    ends = [sum(message.time for message in track) for track in file.tracks]
    metre = next(message for track in file.tracks for message in track if message.type == "time_signature")
    bar = file.ticks_per_beat * 4 * metre.numerator // metre.denominator
    found = []
    ours = [name for name in tracks if name in RANGES]
    if ours != ["Chords", "Bass", "Drums"]:
        found.append(f"tracks are {list(tracks)}")
    if len({end for track, end in zip(file.tracks, ends, strict=True) if track.name in RANGES}) != 1:
        found.append(f"tracks end at {ends}")
    if any(end % bar for end in ends[-3:]):
        found.append(f"tracks end at {ends}, a bar has {bar}")
    channels = {name: {note[3] for note in notes} for name, notes in tracks.items() if notes}
    for name, used in channels.items():
        others = set().union(*(one for other, one in channels.items() if other != name))
        if used & others:
            found.append(f"{name} shares channels {used & others}")
        if (name == "Drums") != (used == {DRUMS}):
            found.append(f"{name} is on channels {used}")
    melody = [note for name, notes in tracks.items() if name not in RANGES for note in notes]
    for name in ours:
        low, high = RANGES[name]
        if not tracks[name]:
            found.append(f"{name} is empty")
        for onset, end, pitch, _ in tracks[name]:
            if not low <= pitch <= high or not 0 <= onset < end <= ends[-1]:
                found.append(f"{name}: {pitch} at {onset} to {end}")
            over = [m for m in melody if m[0] < end and onset < m[1] and m[2] <= pitch]
            if name != "Drums" and over:
                found.append(f"{name}: {pitch} at {onset} collides with {over[0]}")
    bass = tracks.get("Bass", [])
    found += [f"bass overlaps at {two[0]}" for one, two in pairwise(bass) if one[1] > two[0]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pretty_midi

        read = pretty_midi.PrettyMIDI(str(path))
    if [one.name for one in read.instruments if one.is_drum] != ["Drums"]:
        found.append("pretty_midi finds no drums, or others")
    if sum(len(one.notes) for one in read.instruments) != sum(map(len, tracks.values())):
        found.append("pretty_midi finds other notes")
    return found


def musescored(files: list[Path], folder: Path) -> dict[Path, list[str]]:
    """What MuseScore's scores of the files lack; all of it where it opened nothing."""
    program = next((path for path in map(shutil.which, ("mscore3", "musescore3", "mscore")) if path), None)
    if program is None:
        print("MuseScore is not installed (scripts/check_in_daws.sh installs it)")
        return {}
    job = folder / "job.json"
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(folder), "OMP_NUM_THREADS": "1"}
    for first in range(0, len(files), BATCH):
        some = files[first : first + BATCH]
        job.write_text(json.dumps([{"in": str(file), "out": str(file.with_suffix(".musicxml"))} for file in some]))
        subprocess.run([program, "-j", str(job)], env=environment, capture_output=True, check=False, timeout=900)
    found = {}
    for file in files:
        score = file.with_suffix(".musicxml")
        if not score.exists():
            found[file] = ["MuseScore did not open it"]
            continue
        root = ElementTree.parse(score).getroot()
        names = [name.text or "" for name in root.findall("part-list/score-part/part-name")]
        midi = mido.MidiFile(file)
        metre = next(message for track in midi.tracks for message in track if message.type == "time_signature")
        bar = midi.ticks_per_beat * 4 * metre.numerator // metre.denominator
        bars = sum(message.time for message in midi.tracks[-1]) // bar
        wrong = [name for name in RANGES if not any(name in one for one in names)]
        faults = [f"MuseScore shows {names}"] if wrong else []
        measures = {len(part.findall("measure")) for part in root.findall("part")}
        faults += [f"MuseScore has {measures} bars, not {bars}"] if measures != {bars} else []
        drums = [channel.text for channel in root.findall("part-list/score-part/midi-instrument/midi-channel")]
        faults += [] if "10" in drums else ["MuseScore has no drums on channel 10"]
        found[file] = faults
    return found


def lacking_in_lmms(files: list[Path], folder: Path) -> dict[Path, str]:
    """What is wrong with the tracks that LMMS has of these files, file by file."""
    wrong = {}
    for file, shown in tracks_in_lmms(files, folder).items():
        # The name of a file's first track LMMS takes for the song's.
        tracks = enumerate(mido.MidiFile(file).tracks)
        notes = {track.name if number else "Track 0": len(notes_of(track)) for number, track in tracks}
        there = {name: count for name, count in notes.items() if count}
        wrong[file] = "" if shown == there else f"LMMS shows {shown}, the file has {there}"
    return wrong


def typed(line: list[str]) -> str:
    """Run the command line in this process, which starts once; what it complains of."""
    from melodygru.cli import main as command_line

    sys.argv = ["melodygru", *line]
    said = io.StringIO()
    with redirect_stdout(io.StringIO()), redirect_stderr(said):
        try:
            command_line()
        except SystemExit as ended:
            if ended.code:
                return said.getvalue().strip() or f"exit code {ended.code}"
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--folder", type=Path, help="where the files stay; else nowhere")
    parser.add_argument("--no-musescore", action="store_true")
    parser.add_argument("--lmms", type=int, default=0, help="how many of the files LMMS imports, evenly taken")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary)
        folder.mkdir(exist_ok=True)
        wrong: Counter[str] = Counter()
        files, refused = [], []
        for line in commands(asked.count, folder):
            if error := typed([*line, "--force"]):
                refused.append(f"{' '.join(line)}: {error}")
                continue
            files.append(Path(line[-1]))
            for fault in faults(files[-1]):
                print(f"{files[-1].name}: {fault}   ({' '.join(line)})")
                wrong["read"] += 1
        shown = {} if asked.no_musescore else musescored(files, folder)
        for file, told in shown.items():
            for fault in told:
                print(f"{file.name}: {fault}")
                wrong["MuseScore"] += 1
        some = files[:: max(1, len(files) // asked.lmms)][: asked.lmms] if asked.lmms else []
        imported = lacking_in_lmms(some, Path(temporary))
        for file, fault in imported.items():
            if fault:
                print(f"{file.name}: {fault}")
                wrong["LMMS"] += 1
        print("\n".join(refused))
        print(f"{len(files)} files written, {len(refused)} refused; {wrong['read']} faults read; "
              f"{len(shown)} opened in MuseScore, {wrong['MuseScore']} faults there; "
              f"{len(imported)} imported into LMMS, {wrong['LMMS']} faults there")  # fmt: skip
    return 1 if wrong or refused else 0


if __name__ == "__main__":
    raise SystemExit(main())
