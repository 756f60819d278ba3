"""What the documents promise is there."""

import re
from pathlib import Path

import pytest

from melodygru.cli import COMMANDS
from tests.command_line import run

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_is_documented(command, capsys):
    assert run(command, "--help") == 0
    options = set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out))
    text = (ROOT / "docs" / "cli.md").read_text("utf-8")
    section = text.split(f"## melodygru {command}\n")[1].split("\n## ")[0]
    assert options
    assert options <= set(re.findall(r"--[a-z][a-z-]+", section))


def test_links_in_the_documents_lead_somewhere():
    for document in [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text("utf-8")):
            assert (document.parent / target).exists(), f"{document.name}: {target}"


def test_commands_in_the_readme_exist():
    text = (ROOT / "README.md").read_text("utf-8")
    for command in re.findall(r"^ {4}(?:\$ )?melodygru (\w+)", text, re.MULTILINE):
        assert command in COMMANDS
