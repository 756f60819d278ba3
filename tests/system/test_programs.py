"""Programs that end with what started them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from melodygru.system.programs import run_quietly
from tests.living import alive, wait_for

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals")


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at processes")
def test_a_program_ends_with_all_that_it_started(tmp_path):
    assert run_quietly([sys.executable, "-c", "raise SystemExit(3)"]) == 3
    note = tmp_path / "pid"
    with pytest.raises(subprocess.TimeoutExpired):
        run_quietly(["sh", "-c", f"sh -c 'echo $$ > {note}; sleep 600'; true"], 0.5)
    pid = int(wait_for(note.read_text))
    wait_for(lambda: not alive(pid))
