"""What is answered first: the page's own files, while all else is still being imported."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

from melodygru.formats.midi.performance import Performance
from melodygru.option import described
from melodygru.studio.guard import App, Receive, Scope, Send
from melodygru.writing.config import GenerationConfig
from melodygru.writing.drawing import AMOUNT, SEED
from melodygru.writing.values import DEFAULT_RANGE

FOLDER = "/page/"


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
    data = found.read_bytes()
    return _filled(data) if name == "index.html" else data, MEDIA_TYPES[suffix]


def _filled(page: bytes) -> bytes:
    """The page with what is legal and what holds when nothing is said, as the options' descriptions say it."""
    wishes = described(GenerationConfig)
    lowest, highest = DEFAULT_RANGE.split(":")
    percent = replace(AMOUNT, **{end: 100 * getattr(AMOUNT, end) for end in ("low", "high", "default")})
    options = {**described(Performance), **wishes, "seed": SEED, "percent": percent}
    return page.decode().format_map({**options, "lowest": lowest, "highest": highest}).encode()


class Front:
    """Answers with files of the page, and hands on all else.

    Args:
        load: makes the application that answers all else; called once, in a thread, when `begin` is.
        page: whether there is a page; without it the application answers everything.
    """

    def __init__(self, load: Callable[[], App], page: bool = True):
        self._load, self._page = load, page
        self._app: asyncio.Future[App] | None = None

    def begin(self) -> asyncio.Future[App]:
        """Have the application made, if it is not yet; it comes with what is returned."""
        if self._app is None:
            self._app = asyncio.ensure_future(asyncio.to_thread(self._load))
        return self._app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        path, method = scope["path"], scope["method"]
        if self._page and (path == "/" or path.startswith(FOLDER)):
            await _file("index.html" if path == "/" else path[len(FOLDER) :], method, send)
        else:
            app = await asyncio.shield(self.begin())
            await app(scope, receive, send)


async def _file(name: str, method: str, send: Send) -> None:
    if method not in ("GET", "HEAD"):
        await _problem(405, "The page's files can be read, and nothing else.", send, [(b"allow", b"GET, HEAD")])
        return
    found = page_file(name)
    if found is None:
        what = "its page" if name == "index.html" else "such a file"
        await _problem(404, f"The studio does not have {what}; if it should, install melodygru again.", send)
        return
    data, media_type = found
    await _answer(200, data if method == "GET" else b"", media_type, len(data), send)


async def _problem(status: int, detail: str, send: Send, more: Any = ()) -> None:
    data = json.dumps({"detail": detail}).encode()
    await _answer(status, data, "application/json", len(data), send, more)


async def _answer(status: int, data: bytes, media_type: str, size: int, send: Send, more: Any = ()) -> None:
    headers = [(b"content-type", media_type.encode()), (b"content-length", str(size).encode()), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})
