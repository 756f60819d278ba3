"""What is said gets through, whatever standard output and error are."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ODD = os.fsdecode(b"odd-\xff\xc3\xa9.mid")
TO_TERMINALS_OF = ["ascii:strict", "ascii:surrogateescape", "utf-8:strict", "utf-8:surrogateescape", "cp437"]


def run(*line, encoding="", closed=()):
    """The command line in a process of its own, some of whose standard streams (0 to 2) are closed."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **({"PYTHONIOENCODING": encoding} if encoding else {})}
    shell = f'exec "$0" -m melodygru "$@" {" ".join(f"{number}>&-" for number in closed)}'
    return subprocess.run(["sh", "-c", shell, sys.executable, *line], capture_output=True, env=environment)


@pytest.mark.parametrize("encoding", TO_TERMINALS_OF)
@pytest.mark.parametrize("line", [["--help"], ["generate", "--help"]], ids=" ".join)
def test_help_is_shown_in_every_encoding(encoding, line):
    shown = run(*line, encoding=encoding)
    assert (shown.returncode, shown.stderr) == (0, b"")
    assert b"Usage" in shown.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are text")
@pytest.mark.parametrize("encoding", TO_TERMINALS_OF)
def test_names_that_are_no_text_are_told_as_well_as_can_be(here, encoding):
    line = ["generate", "--model", "toy", "--bars", "2", "--force", ODD]
    written = run(*line, encoding=encoding)
    assert written.returncode == 0, written.stderr
    assert written.stdout.startswith(b"Wrote odd-")
    for told in (run(*line, "--json", encoding=encoding), run("info", ODD, "--json", encoding=encoding)):
        assert told.returncode == 0, told.stderr
        text = told.stdout.decode(encoding.split(":")[0], "surrogateescape")
        answer = json.loads(text)
        assert (answer["file"] if "file" in answer else answer["files"][0]["file"]) == ODD


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)], ids=str)
def test_streams_may_be_closed(here, closed):
    assert run("generate", "--model", "toy", "--bars", "2", "a.mid", closed=closed).returncode == 0
    assert (here / "a.mid").exists()
    assert run("generate", "--bars", "0", closed=closed).returncode == 2
    assert run("--help", closed=closed).returncode == 0
    told = run("info", "-", closed=closed)
    assert (told.returncode, b"AttributeError" in told.stderr) == (1, False)
