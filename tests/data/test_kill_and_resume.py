"""Runs that are killed go on to the same bytes; more of them: scripts/kill_and_resume.py."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "kill_and_resume.py"


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="it forks")
@pytest.mark.parametrize("command", ["prepare", "train"])
def test_runs_that_are_killed_come_out_the_same(command):
    asked = [sys.executable, str(SCRIPT), "--runs", "4", "--seed", "5", "--only", command]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{command}: 4 of 4 runs the same" in done.stdout
