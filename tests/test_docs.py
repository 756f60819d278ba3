"""What the documents promise is there."""

import re
from collections import Counter
from functools import cache
from importlib import import_module
from pathlib import Path
from urllib.parse import unquote

import pytest

from melodygru.cli import COMMANDS
from melodygru.data.collection import SUFFIXES
from melodygru.formats.scores.files import READERS
from tests.command_line import run

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), ROOT / "data" / "README.md"])
ROOMS = [
    path.stem for path in (ROOT / "melodygru").iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
]
DOTTED = re.compile(r"\bmelodygru(?:\.(?!(?:mid|safetensors|log)\b)[A-Za-z_]\w*)+")
"""A name of the package from its top, in code, comments, docstrings and prose."""
PATH = re.compile(
    r"(?<![\w/.-])(?:melodygru|docs|scripts|benchmarks|tests)/[\w/.-]+\.(?:py|cpp|js|html|css|md|sh|svg|png)\b"
)
"""A file of the project from its top."""


WITHIN = re.compile(rf"`((?:{'|'.join(ROOMS)})(?:\.(?!(?:py|mid|safetensors)\b)[A-Za-z_]\w*)+)`")
"""A name of the package from one of its rooms, in documents."""


def sources():
    """Every text beside the documents that names modules or files."""
    for folder, endings in (
        ("melodygru", ("py", "cpp", "js", "html", "css")),
        ("benchmarks", ("py",)),
        ("scripts", ("py", "sh")),
        ("tests", ("py",)),
    ):
        for ending in endings:
            yield from sorted((ROOT / folder).rglob(f"*.{ending}"))
    yield from (ROOT / "Makefile", ROOT / "pyproject.toml")


@cache
def resolves(name):
    """Whether a dotted name is of a module, or of an attribute of one, or of a field of a class."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            place = import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            if part in getattr(place, "__annotations__", {}):
                return True
            if not hasattr(place, part):
                return False
            place = getattr(place, part)
        return True
    return False


def without_blocks(text):
    """A document without its blocks of code."""
    return re.sub(r"(?ms)^(```|~~~).*?^\1", "", text)


def prose(text):
    """A document without any code."""
    return re.sub(r"`[^`\n]+`", "", without_blocks(text))


def links(text):
    """Where a document's links lead, those to other sites left out."""
    found = re.findall(r'\]\(([^)\s]+)|\b(?:src|srcset|href)="([^"]+)"|^\[[^\]]+\]:\s*(\S+)', prose(text), re.MULTILINE)
    targets = (target for groups in found for target in groups if target)
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def anchors(text):
    """The anchors that GitHub gives a document's headings, and those it gives itself."""
    own = re.findall(r'\b(?:id|name)="([^"]+)"', prose(text))
    seen = Counter()
    for heading in re.findall(r"(?m)^#{1,6}\s+(.+?)\s*#*$", without_blocks(text)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        seen[re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")] += 1
    return {*own, *seen, *(f"{name}-{again}" for name, count in seen.items() for again in range(1, count))}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_option_is_documented(command, capsys):
    assert run(command, "--help") == 0
    options = set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out))
    text = (ROOT / "docs" / "cli.md").read_text("utf-8")
    section = text.split(f"## melodygru {command}\n")[1].split("\n## ")[0]
    assert options
    assert options <= set(re.findall(r"--[a-z][a-z-]+", section))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_in_the_documents_lead_somewhere(document):
    for target in links(document.read_text("utf-8")):
        file, _, anchor = target.partition("#")
        place = document.parent / unquote(file) if file else document
        assert place.exists(), f"{target}: there is no such file"
        if anchor:
            assert anchor in anchors(place.read_text("utf-8")), f"{target}: there is no such heading"


def test_dotted_names_and_paths_in_texts_are_of_things_that_exist():
    patterns = (
        (DOTTED, resolves),
        (PATH, lambda name: (ROOT / name).exists()),
        (WITHIN, lambda name: resolves(f"melodygru.{name.strip('`')}")),
    )
    texts = {path: path.read_text("utf-8") for path in [*sources(), *DOCUMENTS]}
    lost = [
        f"{path.relative_to(ROOT)}:{text[: found.start()].count(chr(10)) + 1}: {found[0]}"
        for path, text in texts.items()
        for pattern, exists in patterns[: 3 if path in DOCUMENTS else 2]
        for found in pattern.finditer(text)
        if not exists(found[0])
    ]
    assert not lost, "\n".join(lost)
    assert sum(len(DOTTED.findall(text)) for text in texts.values()) > 500


def test_what_does_not_exist_is_found_out():
    assert resolves("melodygru.music.melody.Melody.notes")  # an attribute that only instances have
    assert resolves("melodygru.load_model")  # behind the door
    for name in ("nothing", "music.nothing", "music.melody.Melody.nothing", "music.melody.nothing.notes"):
        assert not resolves(f"melodygru.{name}")
    assert DOTTED.findall("see `melodygru.music.theory`. Or out/melodygru.mid") == ["melodygru.music.theory"]
    text = "# A `b`-c: d, e!\n\n```\n# not one\n[no](link)\n```\n# A `b`-c: d, e!\n[x](there.md#here) `[y](code)`"
    assert anchors(text) == {"a-b-c-d-e", "a-b-c-d-e-1"}
    assert links(text) == ["there.md#here"]


def test_the_page_lets_every_kind_of_file_be_opened_that_is_read():
    page = (ROOT / "melodygru" / "studio" / "page" / "index.html").read_text("utf-8")
    (offered,) = re.findall(r'type="file" id="open"[^>]* accept="([^"]+)"', page)
    assert sorted(offered.split(",")) == sorted(SUFFIXES)
    assert all(resolves(".".join(reader)) for reader in READERS.values())


def test_commands_in_the_readme_exist():
    text = (ROOT / "README.md").read_text("utf-8")
    for command in re.findall(r"^ {4}(?:\$ )?melodygru (\w+)", text, re.MULTILINE):
        assert command in COMMANDS


def test_the_limits_that_are_stated_are_those_that_hold():
    text = (ROOT / "docs" / "reading.md").read_text("utf-8")
    stated = re.findall(r"^\|.*\| ([\d,]+) \| `([\w.]+)` \|$", text, re.MULTILINE)
    assert len(stated) > 15
    for number, name in stated:
        module, _, attribute = name.rpartition(".")
        if module.endswith("Budget"):
            module = module.removesuffix(".Budget")
            holds = getattr(import_module(f"melodygru.{module}").Budget(), attribute)
        else:
            holds = getattr(import_module(f"melodygru.{module}"), attribute)
        assert holds == int(number.replace(",", "")), name
