"""The studio's server: on this computer alone, at an address that nobody can guess, and there at once."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import socket
import sys
from collections.abc import Callable
from threading import Thread
from typing import TYPE_CHECKING, Any

from melodygru.errors import UsageError
from melodygru.writing.values import DEFAULT_MODEL

if TYPE_CHECKING:
    from melodygru.studio.work import Workers


HOST = "127.0.0.1"
PORT = 8765
_PORTS = 100
"""Where the usual port is taken, one of so many after it is."""


def listening(port: int | None) -> socket.socket:
    """A socket that listens on this computer alone: connections wait in it until there is somebody to answer.

    `port` is in [0, 65535], 0 any free one; None: `PORT`, or the next free one. Raises UsageError if it is taken.
    """
    if port is not None and not 0 <= port <= 65535:
        raise UsageError(f"port is {port}; choose a number from 0 to 65535 (0: any that is free).")
    for number in range(PORT, PORT + _PORTS) if port is None else [port]:
        # Only of sockets that say that they are TCP asyncio switches the delay of small packets off (40 ms an answer).
        own = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        if os.name == "posix":
            # A port that was let go a moment ago counts as free; elsewhere this would take a port from others.
            own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            own.bind((HOST, number))
            own.listen(256)
        except OSError as error:
            own.close()
            reason = error
        else:
            own.setblocking(False)
            return own
    if port is None:
        raise UsageError(f"Ports {PORT} to {PORT + _PORTS - 1} are all taken; give --port 0 for any that is free.")
    raise UsageError(f"port {port} cannot be had ({reason.strerror}); choose another, or 0 for any that is free.")


def _osc_socket(port: int) -> socket.socket:
    """A socket for OSC, on this computer alone. Raises UsageError for a port that is taken, or is none."""
    from melodygru.extras import require

    require("pythonosc")
    if not 0 <= port <= 65535:
        raise UsageError(f"osc is {port}; choose a port from 0 to 65535 (0: any that is free).")
    own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        own.bind((HOST, port))
    except OSError as error:
        own.close()
        raise UsageError(f"The port {port} of --osc cannot be had ({error.strerror}); choose another, or 0.") from None
    own.setblocking(False)
    return own


class Studio:
    """The server, from the moment on at which its address is known.

    Args:
        port: see `listening`.
        model: the name or file of the model that is taken where none is named.
        page: whether the page is there, or the routes alone.
        osc: where `melodygru.studio.osc` listens too, in [0, 65535], 0 any free port; None: nowhere.

    Attributes:
        osc_port: where it does.
        url: the address of the page, with the secret in it.
        workers: what does its work, once it runs.

    Raises UsageError for the port, CheckpointError if there is no such model; UsageError or FileError for a user's file
    of feels that cannot be used.
    """

    def __init__(self, port: int | None = None, model: str = DEFAULT_MODEL, page: bool = True, osc: int | None = None):
        from melodygru.network.model_files import resolve
        from melodygru.writing.feels import feels

        resolve(model)
        feels()
        self._model, self._page = model, page
        self._socket = listening(port)
        try:
            self._osc = None if osc is None else _osc_socket(osc)
        except BaseException:
            self._socket.close()
            raise
        self.osc_port = 0 if self._osc is None else int(self._osc.getsockname()[1])
        self.port = int(self._socket.getsockname()[1])
        self.token = secrets.token_urlsafe(16)
        self.url = f"http://{HOST}:{self.port}/{self.token}/"
        self.workers: Workers | None = None
        self._server: Any = None

    def run(self) -> None:
        """Answer until `stop`, or Ctrl-C (raised again as KeyboardInterrupt)."""
        import uvicorn

        from melodygru.studio.front import Front
        from melodygru.studio.guard import App, Guard
        from melodygru.studio.work import Workers

        workers = self.workers = Workers()

        def load() -> App:
            from melodygru.studio.app import create_app
            from melodygru.studio.models import Models

            models = Models(self._model)
            Thread(target=_quietly, args=(models.warm,), name="studio warm-up", daemon=True).start()
            return create_app(models, workers)

        front = Front(load, self._page)
        own_osc, token = self._osc, self.token

        class Server(uvicorn.Server):
            _door: asyncio.BaseTransport | None = None

            def handle_exit(self, sig: int, frame: Any) -> None:
                # Streams end when their work does.
                workers.close()
                super().handle_exit(sig, frame)

            async def startup(self, sockets: Any = None) -> None:
                await super().startup(sockets)
                front.begin()
                if own_osc is not None:
                    from melodygru.studio.osc import OscDoor

                    loop = asyncio.get_running_loop()
                    self._door, _ = await loop.create_datagram_endpoint(lambda: OscDoor(front, token), sock=own_osc)

            async def shutdown(self, sockets: Any = None) -> None:
                workers.close()
                if self._door is not None:
                    self._door.close()
                await super().shutdown(sockets)

        self._server = Server(
            uvicorn.Config(
                Guard(front, self.token, self.port),
                loop="asyncio",
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="warning",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )
        with contextlib.closing(self._socket):
            self._server.run(sockets=[self._socket])

    def stop(self) -> None:
        """Have `run` end, from another thread."""
        if self._server is not None:
            self._server.should_exit = True


def _quietly(work: Callable[[], None]) -> None:
    """What goes wrong while warming up goes wrong again, and is told, when it is asked for."""
    with contextlib.suppress(Exception):
        work()


def open_browser(url: str) -> None:
    """Show the page, in the background: some browsers only return when they are closed."""
    import webbrowser

    def show() -> None:
        try:
            opened = webbrowser.open(url)
        except Exception:
            opened = False
        if not opened:
            print("No browser could be opened; open the address above in one.", file=sys.stderr)

    Thread(target=show, name="studio browser", daemon=True).start()
