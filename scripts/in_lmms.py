"""MIDI files imported into LMMS without a screen: which tracks it has of them, with how many notes.

LMMS's command line cannot save what it imports; it saves a project by itself a minute after. Without a soundfont in its
settings it opens a message first, and waits for somebody to close it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path

SOUNDFONTS = ("/usr/share/sounds/sf2/default-GM.sf2", "/usr/share/sounds/sf2/TimGM6mb.sf2")
PATIENCE = 400
"""Seconds after which nothing more is waited for: of a minute of its own, and a machine that is busy."""
AT_ONCE = 5
SETTINGS = """<?xml version="1.0"?>
<!DOCTYPE lmms-config-file>
<lmms version="1.2.2" configversion="1">
  <ui enableautosave="1" saveinterval="1" enablerunningautosave="1"/>
  <app configured="1"/>
  <mixer audiodev="Dummy (no sound output)" mididev="Dummy (no MIDI support)"/>
  <paths workingdir="{home}/" defaultsf2="{font}"/>
</lmms>
"""
"""What LMMS asks for when it begins: with these it asks for nothing, and saves once a minute."""


def tracks_in_lmms(files: Sequence[Path], folder: Path) -> dict[Path, dict[str, int] | None]:
    """Of each file the notes of its tracks in LMMS, by name; None where it saved nothing. Empty without LMMS.

    `folder` is where LMMS may write.
    """
    font = next((font for font in SOUNDFONTS if Path(font).exists()), None)
    if shutil.which("lmms") is None or font is None:
        print("LMMS or a soundfont is not installed (scripts/check_in_daws.sh installs both)")
        return {}
    found: dict[Path, dict[str, int] | None] = {}
    for first in range(0, len(files), AT_ONCE):
        found |= _imported(files[first : first + AT_ONCE], folder, font)
    return found


def _imported(files: Sequence[Path], folder: Path, font: str) -> dict[Path, dict[str, int] | None]:
    command = ["lmms", *(["--allowroot"] if os.geteuid() == 0 else [])]
    running = []
    try:
        for file in files:
            home = folder / f"lmms-{file.stem}"
            home.mkdir()
            (home / "rc.xml").write_text(SETTINGS.format(home=home, font=font))
            environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "HOME": str(home), "OMP_NUM_THREADS": "1"}
            line = [*command, "-c", str(home / "rc.xml"), "--import", str(file)]
            process = subprocess.Popen(line, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            running.append((file, home / "recover.mmp", process))
        until = time.monotonic() + PATIENCE
        return {file: _notes_in(saved, process, until) for file, saved, process in running}
    finally:
        for *_, process in running:
            process.kill()
            process.wait()


def _notes_in(saved: Path, process: subprocess.Popen[bytes], until: float) -> dict[str, int] | None:
    while time.monotonic() < until:
        if saved.exists():
            try:
                tracks = ElementTree.parse(saved).getroot().iter("track")
            except ElementTree.ParseError:  # being written
                pass
            else:
                counts = {str(one.get("name")): len(one.findall("pattern/note")) for one in tracks}
                return {name: count for name, count in counts.items() if count}
        if process.poll() is not None:
            return None
        time.sleep(1)
    return None
