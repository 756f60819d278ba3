"""MIDI -> sound with the instruments of a soundfont, through FluidSynth where it is installed.

As exactly as long as what `melodygru.formats.sound.synthesis` makes; FluidSynth itself ends its files some time after
the last note.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from melodygru.errors import FileError, MidiError
from melodygru.formats.midi.chunks import PERCUSSION
from melodygru.formats.midi.mido_bridge import load, save
from melodygru.formats.midi.writer import CHORDS_TRACK
from melodygru.formats.sound.synthesis import RATE, FloatArray, check, finished, pack, samples_of
from melodygru.formats.sound.timeline import Timeline

AUTO = "auto"
SUFFIXES = (".sf2", ".sf3")
_PREFERRED = ("default-GM.sf2", "default-GM.sf3", "FluidR3_GM.sf2", "MuseScore_General.sf3", "GeneralUser-GS.sf2")
_GAIN = "0.5"
_PLACES = (
    "/usr/share/sounds/sf2", "/usr/share/sounds/sf3", "/usr/share/soundfonts", "/usr/local/share/soundfonts",
    "/usr/local/share/sounds/sf2", "/opt/homebrew/share/soundfonts", "/opt/homebrew/share/fluid-synth/sf2",
    "/usr/local/share/fluidsynth", "~/.local/share/soundfonts", "~/.local/share/sounds/sf2",
    "~/Library/Audio/Sounds/Banks", "C:/soundfonts", "C:/ProgramData/soundfonts",
)  # fmt: skip


def find_soundfont(wanted: str) -> Path:
    """The soundfont that is meant: a file, or with "auto" the first in the usual places ($SOUNDFONT before all others).

    Raises FileError where there is none, or the file is something else.
    """
    if wanted != AUTO:
        path = Path(wanted).expanduser()
        if not path.is_file():
            raise FileError(f"The soundfont {wanted} does not exist; check the path, or let --soundfont auto find one.")
        _check_header(path)
        return path
    if given := os.environ.get("SOUNDFONT"):
        return find_soundfont(given)
    found = [
        path
        for place in _PLACES
        for path in sorted(Path(place).expanduser().glob("*"))
        if path.suffix.lower() in SUFFIXES and path.is_file()
    ]
    if not found:
        raise FileError(
            "No soundfont was found in the usual places; install one (on Debian: fluid-soundfont-gm), give its path, "
            "or leave out --soundfont: none is needed."
        )
    return min(found, key=lambda path: _PREFERRED.index(path.name) if path.name in _PREFERRED else len(_PREFERRED))


def _check_header(path: Path) -> None:
    # FluidSynth passes by what it cannot read, and plays with a soundfont of its own choice.
    try:
        with open(path, "rb") as file:
            header = file.read(12)
    except OSError as error:
        raise FileError(f"{path} cannot be read ({error.strerror}); check its permissions.") from error
    if header[:4] != b"RIFF" or header[8:] != b"sfbk":
        raise FileError(f"{path} is not a soundfont; give a file such as FluidR3_GM.sf2, or auto.")


def wav_bytes(midi: bytes, timeline: Timeline, soundfont: Path, program: int | None = None, tail: float = 0.0,
              rate: int = RATE) -> bytes:  # fmt: skip
    """As `melodygru.formats.sound.synthesis.wav_bytes`, played by a soundfont's instruments. See `render`."""
    return pack(render(midi, timeline, soundfont, program, tail, rate), rate)


def render(midi: bytes, timeline: Timeline, soundfont: Path, program: int | None = None, tail: float = 0.0,
           rate: int = RATE) -> FloatArray:  # fmt: skip
    """What a soundfont makes of a clip: (2, samples), exactly as `melodygru.formats.sound.synthesis.render` measures
    them.

    Args:
        midi: the file's bytes; timeline: the same, read.
        soundfont: an existing file; see `find_soundfont`.
        program, tail, rate: as for `melodygru.formats.sound.synthesis.wav_bytes`.

    Raises:
        FileError: FluidSynth is not installed, or cannot read the soundfont.
        MidiError: a file too faulty for its instruments to be changed, or too long.
        UsageError: a tail or a rate out of range.
    """
    check(tail, rate)
    size = samples_of(timeline, tail, rate)
    program_path = shutil.which("fluidsynth")
    if program_path is None:
        raise FileError(
            "FluidSynth is not installed, and a soundfont needs it; install it (fluidsynth.org), or leave out "
            "--soundfont: none is needed."
        )
    with tempfile.TemporaryDirectory() as folder:
        source, raw = Path(folder, "clip.mid"), Path(folder, "clip.raw")
        source.write_bytes(_prepared(midi, program, tail))
        command = [
            program_path, "-n", "-i", "-q", "-r", str(rate), "-g", _GAIN, "-T", "raw", "-O", "float", "-E", "little",
            "-F", str(raw), str(soundfont), str(source),
        ]  # fmt: skip
        ran = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
        played = np.fromfile(raw, "<f4") if raw.exists() else np.zeros(0, np.float32)
        # It ends with 0 even when it could not read the soundfont.
        if ran.returncode or (timeline.notes and not played.any()):
            said = " ".join(ran.stderr.split())[:200] or f"exit code {ran.returncode}"
            raise FileError(f"FluidSynth cannot play with {soundfont} ({said}); take another soundfont.")
    sound = np.zeros((2, size), np.float32)
    frames = min(size, len(played) // 2)
    sound[:, :frames] = played[: 2 * frames].reshape(-1, 2).T
    return finished(sound, tail, rate)


def _prepared(midi: bytes, program: int | None, tail: float) -> bytes:
    """The file with other instruments, and with time for its tail."""
    import mido

    try:
        file: Any = load(midi[midi.find(b"MThd") :], clip=True)
    except Exception as error:  # mido raises many kinds, plain Exception too
        raise MidiError(f"is too faulty for FluidSynth ({error}); leave out --soundfont.") from error
    for track in file.tracks:
        if track.name == CHORDS_TRACK or program is None:
            continue
        for message in track:
            if message.type == "program_change" and message.channel != PERCUSSION:
                message.program = program
        channels = {message.channel for message in track if message.type == "note_on"} - {PERCUSSION}
        track[:0] = [mido.Message("program_change", channel=channel, program=program) for channel in sorted(channels)]
    # The longest track's end is what FluidSynth waits for; half a second more than is cut off.
    tempi = [message.tempo for track in file.tracks for message in track if message.type == "set_tempo"]
    ticks = round((tail + 0.5) * 1e6 / max(1, min(tempi, default=500_000)) * file.ticks_per_beat)
    longest = max(file.tracks, key=lambda track: sum(message.time for message in track))
    if not longest or longest[-1].type != "end_of_track":
        longest.append(mido.MetaMessage("end_of_track"))
    longest[-1].time += ticks
    return save(file)
