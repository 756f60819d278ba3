"""The page's own files, which come with the package: nothing else can be had from here, whatever is asked."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path

MEDIA_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".txt": "text/plain; charset=utf-8",
}
_SEGMENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_DEEPEST = 4


def page_file(name: str) -> tuple[bytes, str] | None:
    """The bytes and the media type of a file such as "roll.js" or "icons/play.svg"; None if there is none."""
    parts = name.split("/")
    suffix = "." + parts[-1].rpartition(".")[2]
    if len(parts) > _DEEPEST or suffix not in MEDIA_TYPES or not all(_SEGMENT.fullmatch(part) for part in parts):
        return None
    folder = resources.files("melodygru.studio").joinpath("page")
    found = folder.joinpath(*parts)
    if isinstance(found, Path) and isinstance(folder, Path):
        try:
            # A link that leads out of the folder is none of the page's files.
            found.resolve(strict=True).relative_to(folder.resolve(strict=True))
        except (OSError, ValueError):
            return None
    if not found.is_file():
        return None
    return found.read_bytes(), MEDIA_TYPES[suffix]
