"""The command line run in this process, and code run in a fresh one."""

import subprocess
import sys

import pytest

from melodygru.cli import main

HEAVY = ("torch", "music21", "matplotlib", "pretty_midi", "symusic", "scipy", "tqdm")


def run(*arguments):
    """Run the command line in this process: exit code, standard output and error are for capsys."""
    sys.argv = ["melodygru", *map(str, arguments)]
    with pytest.raises(SystemExit) as ended:
        main()
    return ended.value.code or 0


def modules_after(code):
    """Top-level names in sys.modules after `code` ran in a fresh process."""
    script = f"{code}\nimport sys; print(' '.join({{m.split('.')[0] for m in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())
