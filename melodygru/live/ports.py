"""MIDI ports by name: those of the system (mido with python-rtmidi), virtual ones, and sockets."""

from __future__ import annotations

import os
import re
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from melodygru.errors import FileError, MelodyGRUError, UsageError
from melodygru.live.jack import JackWatch
from melodygru.live.sender import LostPortError
from melodygru.system.signals import deaf

Heard = Callable[[Any], None]
"""Takes a `mido.Message`; called in a thread of the port's."""
PIP = 'pip install "melodygru[live]"'
BACKEND = "MIDO_BACKEND"
"""The environment variable that chooses another system of ports; mido reads it."""
NO_SYSTEM = {
    "linux": "ALSA's sequencer (`modprobe snd-seq`) or JACK (MIDO_BACKEND=mido.backends.rtmidi/UNIX_JACK) must run; "
    "MIDI over TCP needs neither: --in socket://:9000 --out socket://:9000.",
}
"""By platform: what to do where the system has no MIDI."""
_ANYWHERE = "MIDI over TCP needs no system: --in socket://:9000 --out socket://:9000."
_SOCKET = re.compile(r"socket://([\w.-]*):(\d{1,5})")
_PATIENCE = 10.0
"""Seconds within which another computer must answer."""
_LAST = 0.02
"""Seconds that a message which is just being taken is given to be done with."""
_TURN = 0.0005
"""Seconds between two looks at a socket."""


def backend() -> Any:
    """mido, with a backend that works. Raises MelodyGRUError, with what to install, if there is none."""
    import mido

    try:
        mido.backend.load()
    except (ImportError, OSError) as error:
        if wanted := os.environ.get(BACKEND):
            raise MelodyGRUError(f"{BACKEND} is {wanted!r}, which cannot be used here ({error}); unset it.") from None
        raise MelodyGRUError(f"MIDI ports need python-rtmidi, which cannot be used here ({error}): {PIP}") from None
    return mido


def _no_system(error: Exception) -> MelodyGRUError:
    help = NO_SYSTEM.get(sys.platform, _ANYWHERE)
    return MelodyGRUError(f"This system does not say what MIDI ports there are ({str(error).rstrip('.')}). {help}")


def names() -> tuple[list[str], list[str]]:
    """All inputs and all outputs of the system, once each. Raises MelodyGRUError without a backend."""
    mido = backend()
    try:
        return _once(mido.get_input_names()), _once(mido.get_output_names())
    except Exception as error:  # each system's own
        raise _no_system(error) from None


def _once(found: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(found))


def chosen(wanted: str, there: Sequence[str], what: str) -> str:
    """The port of that name, or the only one that has it as a part, in whatever case.

    Raises UsageError for none or several, with those that there are.
    """
    if not wanted:
        raise UsageError(f"The name of the {what} is empty; `melodygru ports` lists those that there are.")
    if wanted in there:
        return wanted
    found = [name for name in there if wanted.casefold() in name.casefold()]
    if len(found) == 1:
        return found[0]
    those = "; ".join(found or there)
    if found:
        raise UsageError(f"{what} {wanted!r} may be one of several: {those}; say more of its name.")
    if there:
        raise UsageError(f"There is no {what} {wanted!r}; there are: {those}. `melodygru ports` lists them.")
    raise UsageError(f"There is no {what} {wanted!r}, nor any other; plug one in, or make one with --virtual.")


class Ports:
    """All ports of a session, closed together; a context.

    Args:
        waits: takes a sentence where somebody else must do something first.
    """

    def __init__(self, waits: Callable[[str], None] = lambda _: None):
        self._waits = waits
        self._open: list[Any] = []
        self._found: list[Any] = []
        """Of those the ones that the system had: not every system lists what this program made."""
        self._jack: JackWatch | None = None
        self._sockets: dict[str, _Socket] = {}

    def __enter__(self) -> Ports:
        return self

    def __exit__(self, *_: object) -> None:
        # A second Ctrl-C would leave a port half closed, and its thread calling into an interpreter that ends.
        with deaf():
            for port in (*self._open, *self._sockets.values()):
                with suppress(Exception):  # one that was unplugged
                    _close(port)
            if self._jack is not None:
                self._jack.close()

    def check(self) -> None:
        """Raise LostPortError if a port is no longer among those of the system, which is asked."""
        if self._jack is not None and self._jack.gone:
            raise LostPortError("The JACK server has ended, and its ports with it; start it, and begin anew.")
        for port in self._found:
            driver = getattr(port, "_rt", None)
            if driver is not None and port.name not in driver.get_ports():
                raise LostPortError(f"The MIDI port {port.name!r} is gone; plug it in again, and begin anew.")

    def _keep(self, port: Any) -> Any:
        """Close that port with the others; be told if it is JACK's and JACK ends."""
        self._open.append(port)
        if self._jack is None and _of_jack(port):
            self._jack = JackWatch()
        return port

    def listen(self, name: str, heard: Heard) -> None:
        """Have `heard` called with everything that an input says."""
        if (found := self._socket(name)) is not None:
            found.listen(heard)
            return
        mido = backend()
        name = chosen(name, names()[0], "MIDI input")
        self._found.append(self._keep(_opened(mido.open_input, name, callback=heard)))

    def output(self, name: str) -> Callable[[Any], None]:
        """What sends a message to an output."""
        if (found := self._socket(name)) is not None:
            return found.send
        mido = backend()
        port = self._keep(_opened(mido.open_output, chosen(name, names()[1], "MIDI output")))
        self._found.append(port)
        return port.send

    def virtual(self, name: str, heard: Heard) -> Callable[[Any], None]:
        """Make an input and an output that other programs see under that name; what sends to the output."""
        if sys.platform == "win32":
            raise UsageError("Windows has no virtual MIDI ports of its own; make some with loopMIDI, and name them.")
        mido = backend()
        names()  # or it says what is missing
        self._keep(_opened(mido.open_input, name, virtual=True, callback=heard))
        return self._keep(_opened(mido.open_output, name, virtual=True)).send

    def _socket(self, name: str) -> _Socket | None:
        match = _SOCKET.fullmatch(name)
        if match is None:
            if name.startswith("socket:"):
                raise UsageError(f"{name!r} is no socket; write socket://host:port, or socket://:port to wait there.")
            return None
        if name not in self._sockets:
            if not match[1]:
                self._waits(f"waiting for somebody to connect to {name}")
            self._sockets[name] = _Socket(match[1], int(match[2]))
        return self._sockets[name]


def _opened(opener: Callable[..., Any], name: str, **more: Any) -> Any:
    try:
        return opener(name, **more)
    except Exception as error:  # each system's own
        raise FileError(f"The MIDI port {name!r} cannot be opened ({error}); is another program using it?") from None


def _of_jack(port: Any) -> bool:
    driver = getattr(port, "_rt", None)
    if driver is None:
        return False
    import rtmidi

    return bool(driver.get_current_api() == rtmidi.API_UNIX_JACK)


def _close(port: Any) -> None:
    """Close a port, while others may send to it all the time.

    mido takes messages into a queue of Python's until the end: the thread that brings them then waits for the
    interpreter's lock, which whoever closes the port holds, and waits for the thread.
    """
    own = getattr(port, "_rt", None)  # python-rtmidi's
    if own is None:
        port.close()
        return
    if hasattr(own, "cancel_callback"):
        own.cancel_callback()
        time.sleep(_LAST)
    own.close_port()
    own.delete()
    port.closed = True


class _Socket:
    """MIDI over TCP, both ways: bytes as they are on a cable. Without a host it waits for somebody to connect."""

    def __init__(self, host: str, port: int):
        from mido.sockets import SocketPort

        if not 0 < port < 65536:
            raise UsageError(f"The socket's port is {port}; choose 1 to 65535.")
        try:
            if host:
                link = socket.create_connection((host, port), _PATIENCE)
            else:
                with socket.create_server(("127.0.0.1", port)) as server:
                    link, _ = server.accept()
        except OSError as error:
            where = f"socket://{host}:{port}"
            raise FileError(f"{where} cannot be had ({error.strerror or error}); is anybody there?") from None
        link.settimeout(None)
        # A note is three bytes, and is not to wait for more.
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._port = SocketPort(host, port, conn=link)
        self.send = self._port.send

    def listen(self, heard: Heard) -> None:
        """Have a thread call `heard`."""

        def run() -> None:
            with suppress(OSError, ValueError):  # closed
                while not self._port.closed:
                    for message in self._port.iter_pending():
                        heard(message)
                    time.sleep(_TURN)

        threading.Thread(target=run, name="melodygru socket", daemon=True).start()

    def close(self) -> None:
        """Hang up."""
        self._port.close()
        for file in (self._port._rfile, self._port._wfile):  # which mido leaves open
            file.close()
