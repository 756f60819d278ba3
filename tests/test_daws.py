"""Forty generated files in real programs: MuseScore, LMMS, FluidSynth. Run by scripts/check_in_daws.sh."""

import json
import os
import shutil
import subprocess
import sys
import time
import wave
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from melodygru import load_model
from melodygru.formats.midi.performance import Performance
from melodygru.formats.midi.writer import midi_bytes
from melodygru.writing.config import GenerationConfig
from melodygru.writing.recipe import Recipe

sys.path.insert(0, str(Path(__file__).parent.parent / "scripts"))
import in_lmms

pytestmark = [pytest.mark.daw, pytest.mark.filterwarnings("ignore")]

METRES = ["4/4", "3/4", "6/8", "2/4", "5/4", "7/8", "9/8", "12/8", "2/2", "3/8"]
KEYS = ["C", "G", "Bb", "F# minor", "D dorian", "A minor", "E mixolydian", "Eb major", "B minor", "Ab"]
TEMPI = [60, 97.5, 120, 144, 200]
COUNT = 40
STEPS, RATE = 24, 44100
WOODBLOCK, TAIL = 115, 2.0
SOUNDFONTS = ["/usr/share/sounds/sf2/default-GM.sf2", "/usr/share/sounds/sf2/TimGM6mb.sf2"]
STEP_OF = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def program(*names):
    """The path of a program, or a skipped test."""
    found = next((path for path in map(shutil.which, names) if path), None)
    if found is None:
        pytest.skip(f"{names[0]} is not installed (scripts/check_in_daws.sh installs it)")
    return found


def environment(home):
    return {**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(home)}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Forty melodies over metres, keys, tempi, lengths and grids, as (path, melody)."""
    folder, model, made = tmp_path_factory.mktemp("daws"), load_model("folk"), []
    for number in range(COUNT):
        wishes = {
            "meter": METRES[number % 10],
            "key": KEYS[(number * 3 + number // 10) % 10],
            "bpm": TEMPI[number % 5],
            "bars": [4, 8, 16][number % 3],
            "grid": ["1/16", "1/8"][number // 20],
            "triplets": [None, False][number % 2],
            "pickup": "1/8" if number % 7 == 3 else None,
        }
        melody = model.compose(GenerationConfig(**wishes), number)[0].melody
        path = folder / f"{number:02}.mid"
        recipe = Recipe("0.1.0", "folk", "0" * 16, number, config=GenerationConfig(**wishes))
        path.write_bytes(midi_bytes(melody, text=recipe.text()))
        made.append((path, melody))
    return made


class Score:
    """What a MusicXML file of one part says."""

    def __init__(self, path):
        part = ElementTree.parse(path).getroot().find("part")
        self.notes, self.bars, self.tuplets, self.pieces = [], 0, 0, []
        at, divisions = Fraction(0), 1
        for measure in part.findall("measure"):
            self.bars += 1
            for entry in measure:
                if entry.tag == "attributes":
                    divisions = int(entry.findtext("divisions", str(divisions)))
                    if entry.find("time") is not None:
                        self.metre = (int(entry.findtext("time/beats")), int(entry.findtext("time/beat-type")))
                    if entry.find("key/fifths") is not None:
                        self.fifths = int(entry.findtext("key/fifths"))
                elif entry.tag in ("backup", "forward"):
                    raise AssertionError("more than one voice")
                elif entry.tag == "note":
                    at = self._note(entry, at, divisions)

    def _note(self, entry, at, divisions):
        length = Fraction(int(entry.findtext("duration")), divisions)
        self.tuplets += entry.find("time-modification") is not None
        assert entry.find("chord") is None
        assert entry.find("lyric") is None  # what the file says of itself is not to be sung
        if entry.find("rest") is None:
            octave = int(entry.findtext("pitch/octave"))
            pitch = 12 * (octave + 1) + STEP_OF[entry.findtext("pitch/step")] + int(entry.findtext("pitch/alter", "0"))
            tied = "stop" in [tie.get("type") for tie in entry.findall("tie")]
            if tied and self.notes and self.notes[-1][1] == pitch:
                self.notes[-1][2] += length
                self.pieces[-1] += 1
            else:
                self.notes.append([at, pitch, length])
                self.pieces.append(1)
        return at + length


def plain(steps):
    """Whether one note, dotted at most once, can be written for so many steps; else it needs a tie."""
    return any(steps in (whole, whole * 3 // 2) for whole in (3, 6, 12, 24, 48, 96))


def musescored(files, folder):
    """The scores that MuseScore makes of MIDI files."""
    job = [{"in": str(path), "out": str(folder / f"{path.stem}.musicxml")} for path in files]
    (folder / "job.json").write_text(json.dumps(job))
    command = [program("mscore3", "musescore3", "mscore"), "-j", str(folder / "job.json")]
    subprocess.run(command, env=environment(folder), capture_output=True, check=True, timeout=600)
    return [Score(folder / f"{path.stem}.musicxml") for path in files]


def differences(score, melody):
    """What a score has otherwise than the melody; notes that were lengthened over a rest are told apart."""
    found, lengthened = [], 0
    bar = melody.time_signature.bar_steps
    own = [[Fraction(n.onset, STEPS), n.pitch, Fraction(n.duration, STEPS)] for n in melody.notes]
    if [note[:2] for note in score.notes] != [note[:2] for note in own]:
        found.append("notes")
    else:
        following = [note[0] for note in own[1:]] + [Fraction(melody.length, STEPS)]
        for theirs, ours, after in zip(score.notes, own, following, strict=True):
            if theirs[2] != ours[2]:
                # MuseScore's own option "Simplify durations" draws a note over the short rest behind it.
                lengthened += ours[2] < theirs[2] <= after - ours[0]
                found += [] if ours[2] < theirs[2] <= after - ours[0] else ["durations"]
    if score.bars * bar != melody.length:
        found.append(f"{score.bars} bars")
    if score.metre != (melody.time_signature.numerator, melody.time_signature.denominator):
        found.append(f"metre {score.metre}")
    if score.fifths != melody.key.fifths:
        found.append(f"{score.fifths} fifths")
    # One member of a tuplet for each note (or rest) that is off the binary grid.
    odd = sum(bool(n.onset % 3 or n.duration % 3) for n in melody.notes)
    if bool(score.tuplets) != bool(odd) or score.tuplets < odd or score.tuplets > 2 * odd:
        found.append(f"{score.tuplets} notes in tuplets, {odd} written")
    for note, pieces in zip(melody.notes, score.pieces, strict=False):
        crosses = note.onset // bar != (note.end - 1) // bar
        # Within a bar, a tie is due where the value is no plain one, or where it hides the beats of its metre.
        beat = melody.time_signature.beat_steps
        hidden = note.onset % beat and note.onset // beat != (note.end - 1) // beat
        if pieces > 1 and not crosses and not hidden and plain(note.duration) and note.duration <= beat:
            found.append(f"a note of {note.duration} steps in {pieces} tied pieces")
    return found, lengthened


def test_musescore_shows_the_same_notes_metre_key_and_bars(files, tmp_path, record_property):
    scores = musescored([path for path, _ in files], tmp_path)
    faults, lengthened, tied = {}, 0, 0
    for score, (path, melody) in zip(scores, files, strict=True):
        found, longer = differences(score, melody)
        lengthened, tied = lengthened + longer, tied + sum(pieces > 1 for pieces in score.pieces)
        if found:
            faults[path.name] = found
    notes = sum(len(melody.notes) for _, melody in files)
    print(
        f"MuseScore: {COUNT - len(faults)} of {COUNT} files with the same notes, metre, key and bars; {notes} notes, ",
        end="",
    )
    print(f"{tied} of them tied, {lengthened} drawn over a short rest by its option 'Simplify durations'")
    assert not faults
    assert lengthened <= 10


def test_musescore_sees_what_is_wrong(files, tmp_path):
    """A comparison that finds nothing would be none."""
    path, melody = files[0]
    score = musescored([path], tmp_path)[0]
    notes = melody.notes
    moved = replace(melody, notes=(*notes[:3], replace(notes[3], pitch=notes[3].pitch + 1), *notes[4:]))
    assert differences(score, moved)[0] == ["notes"]
    assert differences(score, replace(melody, bars=melody.bars + 1))[0]
    assert not differences(score, melody)[0]


def rendered(path, folder):
    """The file as audio: (samples,) of one channel."""
    font = next((font for font in SOUNDFONTS if Path(font).exists()), None)
    if font is None:
        pytest.skip("no soundfont is installed (scripts/check_in_daws.sh installs one)")
    out = folder / f"{path.stem}.wav"
    command = [program("fluidsynth"), "-ni", "-F", str(out), "-r", str(RATE)]
    command += ["-o", "synth.reverb.active=0", "-o", "synth.chorus.active=0", font, str(path)]
    subprocess.run(command, capture_output=True, check=True, timeout=120)
    with wave.open(str(out)) as audio:
        return np.frombuffer(audio.readframes(audio.getnframes()), np.int16)[::2].astype(np.float64)


def test_fluidsynth_plays_exactly_the_bars(files, tmp_path):
    """It renders until two seconds after the end of the file, or until the last note has died away, if that is later.

    So lengths are taken with an instrument whose notes are short of themselves, and sound with a piano.
    """
    worst = 0.0
    for path, melody in files:
        second = melody.qpm * STEPS / 60
        dry = tmp_path / "dry.mid"
        dry.write_bytes(midi_bytes(melody, Performance(program=WOODBLOCK)))
        worst = max(worst, abs(len(rendered(dry, tmp_path)) / RATE - TAIL - melody.length / second))
        samples, bar = rendered(path, tmp_path), melody.time_signature.bar_steps
        for start in range(0, melody.length, bar):
            piece = samples[int(start / second * RATE) : int((start + bar) / second * RATE)]
            begun = any(start <= note.onset < start + bar for note in melody.notes)
            assert not begun or np.sqrt(np.mean(piece**2)) > 20, (path.name, start // bar)
    print(
        f"FluidSynth: {COUNT} of {COUNT} files as long as their bars within {1000 * worst:.1f} ms, none of them silent"
    )
    assert worst < 0.01


AT_ONCE = 20


def lmms_project(process, saved):
    """The project that LMMS saves by itself a minute after an import: its command line cannot be told to save one."""
    deadline = time.monotonic() + 240
    while time.monotonic() < deadline:
        if saved.exists():
            try:
                return ElementTree.parse(saved).getroot()
            except ElementTree.ParseError:
                pass  # being written
        assert process.poll() is None, "LMMS stopped by itself"
        time.sleep(1)
    raise AssertionError("LMMS saved nothing in four minutes")


def test_lmms_imports_one_clip_of_exactly_the_bars(files, tmp_path):
    font = next((font for font in SOUNDFONTS if Path(font).exists()), None)
    if font is None:
        pytest.skip("there is no soundfont, without which LMMS waits for somebody to close a message")
    command = [program("lmms"), *(["--allowroot"] if os.geteuid() == 0 else [])]
    faults = {}
    for begin in range(0, COUNT, AT_ONCE):
        running = []
        for path, melody in files[begin : begin + AT_ONCE]:
            home = tmp_path / path.stem
            home.mkdir()
            (home / "rc.xml").write_text(in_lmms.SETTINGS.format(home=home, font=font))
            options = ["-c", str(home / "rc.xml"), "--import", str(path)]
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            running.append((subprocess.Popen(command + options, env=environment(home), **quiet), home, path, melody))
        try:
            for process, home, path, melody in running:
                root = lmms_project(process, home / "recover.mmp")
                patterns = [pattern for track in root.iter("track") for pattern in track.findall("pattern")]
                filled = [pattern for pattern in patterns if pattern.findall("note")]
                if len(filled) != 1:
                    faults[path.name] = f"{len(filled)} clips"
                    continue
                # 48 ticks to a quarter, and keys counted from another octave.
                # Where a clip begins with more than 192 ticks of silence, LMMS leaves them out, and moves the clip.
                begin = int(filled[0].get("pos"))
                rows = [[int(note.get(name)) for name in ("pos", "len", "key")] for note in filled[0].findall("note")]
                theirs = sorted((begin + at, length, key) for at, length, key in rows)
                ours = [(2 * note.onset, 2 * note.duration, note.pitch - 12) for note in melody.notes]
                # Lengths of triplets come out a tick short.
                same = [(at, key) for at, _, key in theirs] == [(at, key) for at, _, key in ours]
                near = all(
                    0 <= two - one <= (two % 6 != 0) for (_, one, _), (_, two, _) in zip(theirs, ours, strict=False)
                )
                if not same or not near or (begin and not melody.pickup):
                    faults[path.name] = "other notes"
                # A clip reaches to the bar line at or after its last note.
                bar = 2 * melody.time_signature.bar_steps
                if -(-max(at + length for at, length, _ in theirs) // bar) * bar != 2 * melody.length:
                    faults[path.name] = "another length"
        finally:
            for process, *_ in running:
                process.kill()
                process.wait()
    print(
        f"LMMS: {COUNT - len(faults)} of {COUNT} files imported as one clip of exactly their bars, with the same notes"
    )
    assert not faults
