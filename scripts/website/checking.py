"""Whether the links of a built site lead to files and anchors that it has, and nothing is loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class _Page(HTMLParser):
    """Where a page leads, what it loads, and which anchors it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.leads: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what the tag says of links and anchors."""
        for name, value in attrs:
            if name == "id" or (name == "name" and tag == "a"):
                self.anchors.add(value or "")
            elif name == "src" or (name == "href" and tag == "link" and ("rel", "canonical") not in attrs):
                self.loads.append(value or "")
            elif name == "href" and tag != "link":
                self.leads.append(value or "")


def broken(site: Path) -> tuple[list[str], int]:
    """What is wrong, as lines of page and link; and how many links were looked at."""
    pages = {path: _Page(path.read_text("utf-8")) for path in sorted(site.rglob("*.html"))}
    wrong, count = [], 0
    for path, page in pages.items():
        for link, fault in _faults(path, page, pages, site):
            count += 1
            if fault:
                wrong.append(f"{path.relative_to(site)}: {link}: {fault}")
    return wrong, count


def _faults(path: Path, page: _Page, pages: dict[Path, _Page], site: Path) -> Iterator[tuple[str, str]]:
    for link in [*page.leads, *page.loads]:
        parts = urlsplit(link)
        if parts.scheme == "data":
            continue
        if parts.scheme or parts.netloc:
            yield link, "is loaded from elsewhere" if link in page.loads else ""
            continue
        if path.name == "404.html":  # which knows no page's place, and leads from the top
            file = site / unquote(parts.path).lstrip("/")
        else:
            file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if file.is_dir():
            file /= "index.html"
        if not file.exists():
            yield link, "no such file"
        elif parts.fragment and file in pages and unquote(parts.fragment) not in pages[file].anchors | {"__skip"}:
            yield link, "no such anchor"
        else:
            yield link, ""
