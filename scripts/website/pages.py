"""The documents of the project as pages of a site: copied, with links that lead where the site has things.

Knows nothing of what builds HTML of them.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
DOCUMENTS = {"CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md", "data/README.md": "data.md"}
"""Documents outside docs/ -> their pages."""
LANGUAGES = {".py": "python", ".cpp": "cpp", ".toml": "toml", ".yml": "yaml"}
"""Files that documents lead to and that become pages of code -> what they are written in."""
_CODE = re.compile(r"(?ms)^(```|~~~).*?^\1[^\n]*$|`[^`\n]+`|^ {4}[^\n]*$")
_LINK = re.compile(r"(?<!\\)(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
_ATTRIBUTE = re.compile(r'\b(src|srcset|href)="([^"\s]+)"')

Document = tuple[str, str]
"""Where a document lies in the project, from its top, and its Markdown."""


def documents(root: Path = ROOT) -> dict[str, Document]:
    """All documents: page -> (place, text). Notebooks become Markdown."""
    found: dict[str, Document] = {}
    for path in sorted((root / "docs").rglob("*.md")):
        place = path.relative_to(root).as_posix()
        found[place.removeprefix("docs/")] = (place, path.read_text("utf-8"))
    for path in sorted((root / "docs").rglob("*.ipynb")):
        place = path.relative_to(root).as_posix()
        found[place.removeprefix("docs/").replace(".ipynb", ".md")] = (place, notebook(path.read_text("utf-8")))
    for place, page in DOCUMENTS.items():
        found[page] = (place, (root / place).read_text("utf-8"))
    return found


def notebook(text: str) -> str:
    """A notebook as Markdown: its text, and its code without what it wrote."""
    parts = []
    for cell in json.loads(text)["cells"]:
        source = "".join(cell["source"])
        parts.append(source if cell["cell_type"] == "markdown" else f"```python\n{source}\n```")
    return "\n\n".join(parts) + "\n"


class Links:
    """Turns links from one file of the project to another into links between pages, and keeps what they lead to."""

    def __init__(self, pages: dict[str, Document], root: Path = ROOT) -> None:
        self.root = root.resolve()
        self.homes = {place: page for page, (place, _) in pages.items()}
        self.needed: dict[str, str] = {}
        """Files that are no documents: place in the project -> place on the site."""

    def target(self, place: str, link: str) -> str | None:
        """Where a link of the document at `place` leads on the site, from the site's top; None for a folder.

        Raises FileNotFoundError where the project has nothing there.
        """
        file = (self.root / place).parent / link
        lies = PurePosixPath(os.path.relpath(file.resolve(), self.root)).as_posix()
        if lies in self.homes:
            return self.homes[lies]
        if not file.exists():
            raise FileNotFoundError(f"{place}: {link} leads nowhere.")
        if file.is_dir():
            return None
        # mkdocs leaves out what begins with a dot.
        home = lies.removeprefix("docs/") if lies.startswith("docs/") else f"source/{lies.lstrip('.')}"
        self.needed[lies] = f"{home}.md" if file.suffix in LANGUAGES else home
        return self.needed[lies]

    def rewritten(self, text: str, place: str, page: str) -> str:
        """The document at `place` as the page `page`; what stands in code stays."""

        def address(to: str) -> str | None:
            file, hash_, anchor = to.partition("#")
            if re.match(r"[a-z]+:", to) or not file:
                return to
            home = self.target(place, file)
            return home and f"{os.path.relpath(home, PurePosixPath(page).parent)}{hash_}{anchor}"

        def link(found: re.Match[str]) -> str:
            words, to = _LINK.sub(link, found[2]), address(found[3])
            return words if to is None else f"{found[1]}[{words}]({to})"

        def attribute(found: re.Match[str]) -> str:
            return f'{found[1]}="{address(found[2])}"'

        return _outside_code(text, lambda part: _ATTRIBUTE.sub(attribute, _LINK.sub(link, part)))


def _outside_code(text: str, change: Callable[[str], str]) -> str:
    """Text with all but its code changed. Code is hidden first, since words of a link may hold some."""
    hidden: list[str] = []

    def hide(found: re.Match[str]) -> str:
        hidden.append(found[0])
        return f"\0{len(hidden) - 1}\0"

    changed = change(_CODE.sub(hide, text))
    while "\0" in changed:
        changed = re.sub(r"\0(\d+)\0", lambda found: hidden[int(found[1])], changed)
    return changed


def for_mkdocs(text: str) -> str:
    """GitHub's Markdown as Python-Markdown reads it: lists after blank lines, and in code of tables a bare |."""
    text = re.sub(r"(?m)^\|.*$", lambda row: re.sub(r"`[^`]+`", lambda code: code[0].replace("\\|", "|"), row[0]), text)
    lines: list[str] = []
    fenced = False
    for line in text.split("\n"):
        item = re.match(r"(?:[-*]|\d+\.) ", line)
        before = lines[-1] if lines else ""
        if item and not fenced and before and not re.match(r"(?:[-*]|\d+\.) |\s", before):
            lines.append("")
        fenced ^= line.startswith(("```", "~~~"))
        lines.append(line)
    return "\n".join(lines)


def write(target: Path, written: dict[str, Document], root: Path = ROOT) -> Links:
    """Write all documents, and pages that were written for the site alone, into a folder, with what they lead to."""
    pages = documents(root) | written
    links = Links(pages, root)
    for page, (place, text) in pages.items():
        file = target / page
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(for_mkdocs(links.rewritten(text, place, page)), "utf-8")
    for place, home in links.needed.items():
        source, file = root / place, target / home
        file.parent.mkdir(parents=True, exist_ok=True)
        if source.suffix in LANGUAGES:
            code = source.read_text("utf-8")
            file.write_text(f"# {place}\n\n~~~~~{LANGUAGES[source.suffix]}\n{code}\n~~~~~\n", "utf-8")
        else:
            file.write_bytes(source.read_bytes())
    return links
