"""The page of `melodygru --help`."""

import os
import re
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest

from melodygru.cli import COMMANDS, GROUPS, help_page
from tests.command_line import HEAVY, modules_after, run

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("asked", [["--help"], ["-h"], ["help"], ["--debug", "--help"]], ids=" ".join)
def test_it_is_shown_however_it_is_asked_for(capsys, monkeypatch, asked):
    monkeypatch.setenv("COLUMNS", "80")
    assert run(*asked) == 0
    shown = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    page = ((ROOT / "docs" / "cli.md").read_text("utf-8")).split("```text\n")[1].split("\n```")[0]
    # typer drew the page in the docs once; how the program is called is the one thing that differs.
    assert re.sub(r"Usage: .*? \[", "Usage: melodygru [", "\n".join(shown).strip("\n")) == page


@pytest.mark.parametrize("width", [1, 60, 80, 133])
def test_every_command_stands_in_its_panel_within_the_width(width):
    lines = help_page.page("melodygru", width)
    assert max(map(len, lines)) <= max(width, 60)
    assert {len(line) for line in lines if line[:1] in tuple("╭│╰")} == {max(width, 60)}
    found = [line.split()[1] for line in lines if re.match(r"│ [a-z]", line)]
    assert found == list(chain.from_iterable(GROUPS.values()))
    told = " ".join(" ".join(line.strip("│ ") for line in lines).split())
    assert width < 133 or all(sentence in told for _, sentence in COMMANDS.values())


def test_it_is_plain_where_characters_or_colours_are_missing(monkeypatch):
    assert all(map(str.isascii, help_page.page("melodygru", 80, box="+-+|++")[9:17]))
    coloured = help_page.page("melodygru", 80, coloured=True)
    assert [re.sub("\x1b\\[[0-9;]*m", "", line) for line in coloured] == help_page.page("melodygru", 80)
    monkeypatch.setenv("COLUMNS", "61")
    assert help_page.columns() == 61
    monkeypatch.setenv("COLUMNS", "wide")
    assert help_page.columns() > 0


def test_it_needs_neither_typer_nor_numpy():
    loaded = modules_after(
        "import sys; sys.argv = ['melodygru', '--help']\n"
        "from melodygru.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass"
    )
    assert not loaded & {*HEAVY, "typer", "rich", "numpy", "inspect"}


def test_it_says_how_the_program_was_started():
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "melodygru", "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout
    assert "Usage: python -m melodygru [OPTIONS] COMMAND [ARGS]..." in shown
