"""The site's pages: links of documents, what they play, and that nothing is missing."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from melodygru.writing.styles import STYLES

sys.path.insert(0, str(Path(__file__).parent.parent / "scripts"))
import build_site
from website import gallery, pages, playing
from website.checking import broken
from website.clips import read_clip

ROOT = Path(__file__).parent.parent
DOCS = "docs"


@pytest.fixture
def assembled(tmp_path):
    build_site.assemble(tmp_path / "docs", silent=True)
    return tmp_path / "docs"


def links(text):
    """Where links and pictures of a page lead that are not in code."""
    text = re.sub(r"(?ms)^(```|~~~).*?^\1[^\n]*$|`[^`\n]+`|^ {4}[^\n]*$", "", text)
    return [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if not re.match(r"[a-z]+:|#", link)]


def test_every_link_of_every_page_leads_to_a_page(assembled):
    count = 0
    for page in assembled.rglob("*.md"):
        for link in links(page.read_text("utf-8")):
            assert (page.parent / link.partition("#")[0]).is_file(), f"{page.relative_to(assembled)}: {link}"
            count += 1
    assert count > 100


def test_every_document_is_a_page_and_every_page_of_the_contents_is_there(assembled):
    there = {path.relative_to(assembled).as_posix() for path in assembled.rglob("*.md")}
    documents = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    notebooks = {f"notebooks/{path.stem}.md" for path in (ROOT / "docs" / "notebooks").glob("*.ipynb")}
    assert documents | notebooks | set(pages.DOCUMENTS.values()) | {"index.md", "api.md"} <= there
    told = [page for entry in build_site.nav(assembled) for value in entry.values() for page in [value] if page]
    flat = [page for one in told for page in ([one] if isinstance(one, str) else one)]
    assert set(flat) <= there
    assert len(flat) == len(set(flat))
    assert {"index.md", "install.md", "tutorial.md", "gru.md", "api.md", "gallery.md", "gallery/jig.md"} <= set(flat)


def test_the_gallery_has_the_first_twelve_seeds_of_every_style(assembled):
    for style in STYLES:
        found = playing.PLAY.findall((assembled / "gallery" / f"{gallery.stem(style)}.md").read_text("utf-8"))
        assert [int(re.search(r"--seed (\d+) ", command)[1]) for _, command in found] == list(range(1, 13))
        assert all(f'--style "{style}"' in command for _, command in found)


def test_links_are_turned_from_files_to_pages(tmp_path):
    for name in (
        f"{DOCS}/a.md",
        f"{DOCS}/b/c.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "data/README.md",
        f"{DOCS}/p.png",
        "x/y.py",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("", "utf-8")
    (tmp_path / "docs" / "a.md").write_text(
        "[c](b/c.md#here) ![p](p.png) [d](../data/README.md) [y](../x/y.py) [x](../x) [out](https://a.b) [me](#me) "
        '`[code](no.md)` [`f(x)`](b/c.md) <img src="../x/y.py">\n\n```\n[code](no.md)\n```\n',
        "utf-8",
    )
    links = pages.Links(pages.documents(tmp_path), tmp_path)
    made = links.rewritten((tmp_path / "docs" / "a.md").read_text("utf-8"), f"{DOCS}/a.md", "a.md")
    assert made.startswith(
        "[c](b/c.md#here) ![p](p.png) [d](data.md) [y](source/x/y.py.md) x [out](https://a.b) [me](#me) "
        '`[code](no.md)` [`f(x)`](b/c.md) <img src="source/x/y.py.md">'
    )
    assert links.needed == {f"{DOCS}/p.png": "p.png", "x/y.py": "source/x/y.py.md"}
    assert links.rewritten("[a](../a.md)", f"{DOCS}/b/c.md", "b/c.md") == "[a](../a.md)"
    with pytest.raises(FileNotFoundError, match=r"docs/a\.md: gone\.md"):
        links.rewritten("[a](gone.md)", f"{DOCS}/a.md", "a.md")


def test_markdown_is_made_what_the_builder_reads():
    assert pages.for_mkdocs("Text\n- one\n- two\n  more\n- three") == "Text\n\n- one\n- two\n  more\n- three"
    assert pages.for_mkdocs("```\na\n- b\n```") == "```\na\n- b\n```"
    assert pages.for_mkdocs(r"| `a \| b` | c \| d |") == r"| `a | b` | c \| d |"


def test_what_a_page_plays_is_what_its_command_wrote(tmp_path):
    page = tmp_path / "site" / "a.md"
    command = 'melodygru generate --style jig --key "E minor" --bars 2 --with all --seed 4 jig.mid'
    text = playing.played(
        f"Before\n\n<!-- play A <jig>: {command} -->\n\nAfter", playing.shower(tmp_path / "site" / "a", page)
    )
    assert text.startswith("Before\n\n<figure")
    assert text.endswith("</figure>\n\nAfter")
    assert "\n" not in text.removeprefix("Before\n\n").removesuffix("\n\nAfter")
    assert 'href="a/jig.mid"' in text
    assert "A &lt;jig&gt;" in text
    assert "--key &quot;E minor&quot;" in text
    assert (tmp_path / "site" / "a" / "jig.svg").read_text("utf-8").startswith("<")
    (tmp_path / "fresh").mkdir()
    fresh = [sys.executable, "-m", *shlex.split(command)]
    subprocess.run(fresh, cwd=tmp_path / "fresh", env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True)
    assert (tmp_path / "site" / "a" / "jig.mid").read_bytes() == (tmp_path / "fresh" / "jig.mid").read_bytes()
    clip = read_clip(tmp_path / "site" / "a" / "jig.mid")
    assert [lane.name for lane in clip.lanes] == ["Melody", "Chords", "Bass", "Drums"]
    assert clip.length == 2 * clip.meter.bar_steps
    assert all(
        0 <= onset < onset + duration <= clip.length for lane in clip.lanes for onset, duration, *_ in lane.notes
    )
    told = json.loads(clip.as_json())
    assert [lane[0] for lane in told["lanes"]] == ["chords", "bass", "drums"]


def test_a_command_that_fails_says_so_and_leaves_all_as_it_was(tmp_path):
    before = Path.cwd(), list(sys.argv)
    with pytest.raises(RuntimeError, match="--bars"):
        playing.run("melodygru generate --bars 0 a.mid", tmp_path)
    assert (Path.cwd(), sys.argv) == before


def test_broken_links_are_found(tmp_path):
    (tmp_path / "a.html").write_text(
        '<a href="b.html#there">x</a><a href="b.html#gone">x</a><a href="gone.html">x</a><img src="https://a.b/c.png">'
        '<a href="https://a.b">x</a><link rel="canonical" href="https://a.b/a.html">',
        "utf-8",
    )
    (tmp_path / "b.html").write_text('<h1 id="there">x</h1><a href="#there">y</a>', "utf-8")
    wrong, count = broken(tmp_path)
    assert wrong == [
        "a.html: b.html#gone: no such anchor",
        "a.html: gone.html: no such file",
        "a.html: https://a.b/c.png: is loaded from elsewhere",
    ]
    assert count == 6


def test_the_players_script_is_one_scope_without_modules():
    text = build_site.script()
    assert not re.findall(r"(?m)^(?:import|export)\b.*", text)
    for name in ("function sound(", "function drum(", "class Player"):
        assert text.count(name) == 1
    if node := shutil.which("node"):
        subprocess.run([node, "--check", "-"], input=text, text=True, check=True)


@pytest.mark.slow
def test_the_site_is_built_strictly_and_no_link_is_broken(tmp_path):
    pytest.importorskip("mkdocs", reason="needs the extra docs")
    command = [sys.executable, str(ROOT / "scripts" / "build_site.py"), "--silent", "--build", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert ", 0 of them broken" in done.stdout
