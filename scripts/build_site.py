"""Build the site into build/site: documents, gallery with players, reference; strict, every link checked.

    python scripts/build_site.py            # about five minutes on one core; `make docs` calls it
    python scripts/build_site.py --silent   # without the music that the pages play: half a minute, to look at texts

Needs the extra `docs`. What pages play is made anew, by the commands that stand beside it; nothing of it is kept in the
repository.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from website import checking, gallery, pages, playing

from melodygru.writing.styles import STYLES

SOUND = pages.ROOT / "melodygru" / "studio" / "page"
VOICES = ("voices.js", "drums.js", "audio.js")
"""The studio's files that make sound, each after what it takes from others."""
NAV = {
    "Home": "index.md",
    "Begin": ["install.md", "tutorial.md", "cookbook.md", "notebooks/"],
    "Hear": ["gallery.md", "gallery/"],
    "Use": ["styles.md", "arranging.md", "studio.md", "live.md", "daws.md", "cli.md", "api.md"],
    "Understand": ["gru.md", "models.md", "yardsticks.md", "repertoire.md", "reading.md", "rights.md"],
    "Develop": ["architecture.md", "decisions.md", "performance.md", "scale.md", "contributing.md", "changelog.md"],
}
"""The site's contents; what ends in a slash stands for all pages of a folder, and what is not there is left out."""


def script() -> str:
    """The players' script: the studio's sound and the site's own, in one scope."""
    files = [*(SOUND / name for name in VOICES), pages.HERE / "player.js"]
    text = "\n".join(path.read_text("utf-8") for path in files)
    text = re.sub(r'(?m)^import .* from "\./[\w.]+";$', "", text)
    return f'"use strict";\n(() => {{\n{re.sub(r"(?m)^export ", "", text)}\n}})();\n'


def written(silent: bool, docs: Path) -> dict[str, pages.Document]:
    """The pages that only the site has: page -> where their links lead from, and their text."""
    made = {"gallery.md": gallery.contents(), "gallery/arrangements.md": gallery.arrangements()}
    made["gallery/infill.md"] = gallery.infills()
    made |= {f"gallery/{gallery.stem(style)}.md": gallery.style_page(style) for style in STYLES}
    made |= {name: (pages.HERE / name).read_text("utf-8") for name in ("index.md", "api.md")}
    whose = "gallery/whose.md"
    made[whose] = "" if silent else gallery.whose(pages.ROOT / "data", docs / "gallery" / "whose")
    return {page: (f"docs/{page}", text) for page, text in made.items()}


def play(docs: Path) -> None:
    """Run what the pages play, and put it there."""
    for page in sorted(docs.rglob("*.md")):
        text = page.read_text("utf-8")
        if playing.PLAY.search(text):
            began = time.monotonic()
            page.write_text(playing.played(text, playing.shower(page.with_suffix(""), page)), "utf-8")
            print(f"{page.relative_to(docs)}: {time.monotonic() - began:.1f} s", flush=True)


def nav(docs: Path) -> list[dict[str, object]]:
    """The contents as mkdocs takes them, of what is there."""
    found: list[dict[str, object]] = []
    for title, entries in NAV.items():
        if isinstance(entries, str):
            found.append({title: entries})
            continue
        below: list[str] = []
        for entry in entries:
            here = docs.glob(f"{entry}*.md") if entry.endswith("/") else [docs / entry]
            below += sorted(path.relative_to(docs).as_posix() for path in here if path.exists())
        found.append({title: below})
    return found


def assemble(docs: Path, silent: bool) -> None:
    """Write all that mkdocs reads into a folder, which is emptied before."""
    shutil.rmtree(docs, ignore_errors=True)
    docs.mkdir(parents=True)
    with playing.loaded_once():
        pages.write(docs, written(silent, docs))
        if not silent:
            play(docs)
    (docs / "player.js").write_text(script(), "utf-8")
    shutil.copy(pages.HERE / "site.css", docs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--silent", action="store_true", help="leave out the music that the pages play")
    parser.add_argument(
        "--build", type=Path, default=pages.ROOT / "build", metavar="FOLDER", help="where docs/ and site/ go"
    )
    asked = parser.parse_args()
    build = asked.build.resolve()
    docs, site = build / "docs", build / "site"
    began = time.monotonic()
    assemble(docs, asked.silent)
    settings = {"INHERIT": str(pages.HERE / "mkdocs.yml"), "docs_dir": "docs", "site_dir": "site", "nav": nav(docs)}
    (build / "mkdocs.yml").write_text(json.dumps(settings, indent=1), "utf-8")
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "--clean",
        "--quiet",
        "-f",
        str(build / "mkdocs.yml"),
    ]
    if subprocess.run(command, check=False).returncode:
        sys.exit("The site could not be built; what is wrong stands above.")
    wrong, links = checking.broken(site)
    sizes = [path.stat().st_size for path in site.rglob("*") if path.is_file()]
    count = sum(1 for _ in site.rglob("*.html"))
    print(
        f"{site}: {count} pages, {len(sizes)} files, {sum(sizes) / 1e6:.1f} MB, {time.monotonic() - began:.0f} s; ",
        end="",
    )
    print(f"{links:,} links, {len(wrong)} of them broken")
    if wrong:
        sys.exit("\n".join(wrong[:50]))


if __name__ == "__main__":
    main()
