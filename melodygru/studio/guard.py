"""Who may ask the studio anything: this computer's own page alone, and nothing that is too large.

ASGI middleware, around all else. A page from elsewhere can make a browser send requests to this computer, and can give
its own name this computer's address (DNS rebinding); so the secret prefix, the Host, the Origin and what the browser
says of where a request comes from are all looked at, whatever is asked.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from html import escape
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LARGEST_BODY = 4_000_000
"""Bytes of a request's body, at most."""
_PATIENCE = 30.0
"""Seconds within which a body has to come."""
_DRAINED = 64_000_000
"""Bytes of a body too large that are let pass after the answer, so that a client gets to read it."""

_PAGE = (
    '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    '<meta name="color-scheme" content="light dark"><title>melodygru studio</title><h1>melodygru studio</h1><p>{}</p>'
)
"""What stands in the way, for somebody who opened an address."""

POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "media-src blob:",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
    )
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Guard:
    """Lets through what may be asked, without its secret prefix.

    Args:
        app: what answers.
        token: the secret: the first segment of every path.
        port: where the server listens, on 127.0.0.1.
    """

    def __init__(self, app: App, token: str, port: int):
        self.app = app
        self._token = token.encode()
        self._hosts = {f"{name}:{port}" for name in ("127.0.0.1", "localhost")}
        if port == 80:
            self._hosts |= {"127.0.0.1", "localhost"}
        self._origins = {f"http://{host}" for host in self._hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise RuntimeError(f"The studio answers HTTP, and nothing of the kind {scope['type']!r}.")
        headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
        answer = _Answer(scope, send, by_person=_opens(scope, headers))
        try:
            refusal = self._refusal(scope, headers)
            if refusal is not None:
                await answer.problem(*refusal)
                return
            first, slash, rest = scope["path"][1:].partition("/")
            if not slash:
                # Without it the page's relative addresses would lead nowhere.
                await answer.elsewhere(f"/{first}/")
                return
            answer.path = f"/{rest}"
            body = await _body(headers, receive)
            if body is None:
                await answer.problem(413, f"The request is too large; send at most {LARGEST_BODY:,} bytes.", receive)
                return
            inner = {**scope, "path": f"/{rest}", "raw_path": f"/{rest}".encode(), "root_path": ""}
            await self.app(inner, _again(body, receive), answer)
        except (asyncio.TimeoutError, TimeoutError):
            await answer.problem(408, f"The request did not come whole within {_PATIENCE:g} seconds; send it again.")
        except _GoneError:
            return
        except Exception as error:
            # What nobody thought of: told to whoever looks after the server, and the server lives on.
            traceback.print_exception(type(error), error, error.__traceback__, file=sys.stderr)
            await answer.problem(500, f"Something went wrong in the studio ({type(error).__name__}); try another way.")

    def _refusal(self, scope: Scope, headers: dict[str, list[str]]) -> tuple[int, str] | None:
        """Why not to answer, as a status and a sentence; None if nothing speaks against it."""
        hosts = headers.get("host", [])
        if len(hosts) != 1 or hosts[0].lower() not in self._hosts:
            return 403, f"The studio answers at {min(self._hosts)} alone; open the address that it printed."
        first = scope["path"][1:].partition("/")[0]
        if not secrets.compare_digest(first.encode("utf-8", "surrogateescape"), self._token):
            return 404, (
                "There is nothing here: the studio was started anew, or this is not its whole address; open the "
                "address that it printed when it started last."
            )
        if any(origin not in self._origins for origin in headers.get("origin", [])):
            return 403, "The studio answers its own page alone; open the address that it printed."
        site = headers.get("sec-fetch-site", ["none"])[0]
        if site not in ("same-origin", "none") and not _opens(scope, headers):
            return 403, "The studio answers its own page alone; open the address that it printed."
        return None


def _opens(scope: Scope, headers: dict[str, list[str]]) -> bool:
    """Whether somebody opens an address in a browser."""
    said = headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")
    return scope["method"] == "GET" and said == (["navigate"], ["document"])


class _GoneError(Exception):
    """The client has gone before it had asked."""


async def _body(headers: dict[str, list[str]], receive: Receive) -> bytes | None:
    """The body of a request, None if it is too large: which is told before it has come, where that can be."""
    declared = headers.get("content-length", ["0"])[0]
    if not (declared.isascii() and declared.isdecimal()) or len(declared) > 18 or int(declared) > LARGEST_BODY:
        return None

    async def whole() -> bytes | None:
        parts, size = [], 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _GoneError
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > LARGEST_BODY:
                return None
            if not message.get("more_body", False):
                return b"".join(parts)

    return await asyncio.wait_for(whole(), _PATIENCE)


def _again(body: bytes, receive: Receive) -> Receive:
    """`receive` for an application whose request's body has come already."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> MutableMapping[str, Any]:
        return waiting.pop() if waiting else await receive()

    return again


class _Answer:
    """`send` that adds the headers which every answer has, and knows whether one has begun.

    What is told to somebody who opens an address in a browser (`by_person`) is a page.
    """

    def __init__(self, scope: Scope, send: Send, by_person: bool = False):
        self.send, self.begun, self.by_person = send, False, by_person
        self.path = scope["path"]

    async def __call__(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            page = self.path == "/" or self.path.startswith("/page/")
            own = {**HEADERS, "cache-control": "no-cache" if page else "no-store"}
            kept = [(name, value) for name, value in message.get("headers", []) if name.lower().decode() not in own]
            message = {**message, "headers": [*kept, *((name.encode(), value.encode()) for name, value in own.items())]}
        await self.send(message)

    async def problem(self, status: int, detail: str, rest: Receive | None = None) -> None:
        """Answer with a sentence; with `rest`, let the rest of the request pass by afterwards, up to a limit."""
        if self.begun:
            return
        text = _PAGE.format(escape(detail)) if self.by_person else json.dumps({"detail": detail}, ensure_ascii=False)
        kind = b"text/html; charset=utf-8" if self.by_person else b"application/json"
        body = text.encode("utf-8", "backslashreplace")
        headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode())]
        if rest is not None:
            headers.append((b"connection", b"close"))
        await self({"type": "http.response.start", "status": status, "headers": headers})
        await self({"type": "http.response.body", "body": body, "more_body": rest is not None})
        if rest is not None:
            passed = 0
            try:
                while passed < _DRAINED:
                    message = await asyncio.wait_for(rest(), 1.0)
                    passed += len(message.get("body", b""))
                    if message["type"] == "http.disconnect" or not message.get("more_body", False):
                        break
            except (asyncio.TimeoutError, TimeoutError):
                pass
            await self({"type": "http.response.body", "body": b"", "more_body": False})

    async def elsewhere(self, path: str) -> None:
        """Send to another path."""
        headers = [(b"location", path.encode()), (b"content-length", b"0")]
        await self({"type": "http.response.start", "status": 307, "headers": headers})
        await self({"type": "http.response.body", "body": b""})
