"""The studio's door for programs that speak OSC: a clip comes as notes in one message, and goes back as notes.

    /melodygru/vary TOKEN ID amount 0.3 key "A minor" meter 4/4 notes 60 0 24 62 24 24 64 48 48

The arguments are the secret, a mark that answers carry too, names with values, and after "notes" pitch, onset and
duration of each note, in steps of 24 to a quarter. What is asked becomes a request as it comes over HTTP, and is
answered by the same application, with the same limits and the same sentences. Where answers go, and what they are, says
docs/live.md.

The protocol: Open Sound Control 1.0 (Wright 2002).
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from melodygru.errors import UsageError
from melodygru.studio.guard import App

ROOT = "/melodygru/"
COMMANDS = ("generate", "infill", "vary", "harmonize")
LARGEST_ANSWER = 60_000
"""Bytes of an answer's message: what UDP takes, less a little."""
WAITING = 64
"""Messages that are worked on at once, at most: of more, the sender is told to wait."""
_OF_MELODY = ("key", "meter", "bpm", "pickup", "name")
_OF_MESSAGE: Mapping[str, Sequence[str]] = {
    "generate": ("model", "feel", "seed", "takes", "include_primer"),
    "infill": ("model", "bars", "seed"),
    "vary": ("model", "bars", "seed", "amount", "keep"),
    "harmonize": ("style", "chords_per_bar", "ways"),
}
"""Names that belong to a request itself; all others are wishes, but for those of the melody."""
_AS_TEXT = ("bars",)
"""Values that are text, even where they look like a number; of `generate` the bars are one."""


def request_of(command: str, arguments: Sequence[Any]) -> tuple[dict[str, Any], int | None]:
    """The JSON of a request, and the port that answers go to, where one was named.

    Raises UsageError for arguments that are no names with values, and notes.
    """
    if command not in COMMANDS:
        raise UsageError(f"There is no {ROOT}{command}; send {', '.join(ROOT + one for one in COMMANDS)}.")
    arguments = [int(one) if isinstance(one, float) and one.is_integer() else one for one in arguments]
    cut = arguments.index("notes") if "notes" in arguments else len(arguments)
    said, numbers = arguments[:cut], arguments[cut + 1 :]
    if len(said) % 2 or not all(isinstance(name, str) for name in said[::2]):
        raise UsageError("Before the notes come names with values, such as amount 0.3; one has no value, or no name.")
    if len(numbers) % 3 or not all(isinstance(one, int) for one in numbers):
        raise UsageError("After notes come pitch, onset and duration of each, whole numbers in threes.")
    values = dict(zip(said[::2], said[1::2], strict=True))
    reply = values.pop("reply", None)
    if reply is not None and not (isinstance(reply, int) and 0 < reply < 65536):
        raise UsageError("reply is the port that answers go to; choose 1 to 65535.")
    melody = {name: values.pop(name) for name in _OF_MELODY if name in values and (cut < len(arguments))}
    melody["notes"] = [
        {"pitch": pitch, "onset": onset, "duration": duration}
        for pitch, onset, duration in zip(numbers[::3], numbers[1::3], numbers[2::3], strict=True)
    ]
    request = {name: values.pop(name) for name in _OF_MESSAGE[command] if name in values}
    if command != "generate":
        request |= {name: str(request[name]) for name in _AS_TEXT if name in request}
        request["melody"] = melody
    elif numbers:
        request["primer"] = melody
    return request | ({"options": values} if values else {}), reply


def messages_of(command: str, mark: Any, status: int, body: bytes) -> Iterable[tuple[str, list[Any]]]:
    """The addresses and arguments of the messages that tell an answer of the application's."""
    if status != 200:
        yield "error", [mark, str(json.loads(body).get("detail", "Something went wrong."))]
        return
    if command == "harmonize":
        for number, way in enumerate(json.loads(body)["ways"]):
            yield (
                "chords",
                [
                    mark,
                    number,
                    *(one for span in way["chords"] for one in (span["onset"], span["end"], span["symbol"])),
                ],
            )
    else:
        for take in _takes(body) if command == "generate" else [json.loads(body)]:
            if "detail" in take:
                yield "error", [mark, take["detail"]]
                return
            notes = take["melody"]["notes"]
            flat = (one for note in notes for one in (note["pitch"], note["onset"], note["duration"]))
            yield "notes", [mark, take["index"], *flat]
    yield "done", [mark]


def _takes(body: bytes) -> Iterable[dict[str, Any]]:
    """The melodies, and what went wrong, out of server-sent events."""
    for event in body.decode().split("\n\n"):
        lines = dict(line.split(": ", 1) for line in event.splitlines() if ": " in line)
        if lines.get("event") in ("take", "error"):
            yield json.loads(lines["data"])


class OscDoor(asyncio.DatagramProtocol):
    """Takes OSC messages that begin with the secret, and hands them to an application; others are not answered."""

    def __init__(self, app: App, token: str):
        self._app, self._token = app, token.encode()
        self._tasks: set[asyncio.Task[None]] = set()
        self._transport: Any = None

    def connection_made(self, transport: Any) -> None:
        """The socket is open."""
        self._transport = transport

    def datagram_received(self, data: bytes, address: tuple[str, int]) -> None:
        """A message has come."""
        from pythonosc.osc_message import OscMessage

        try:
            message = OscMessage(data)
            path, (token, mark, *arguments) = message.address, message.params
        except Exception:  # whatever a stranger sends
            return
        if not path.startswith(ROOT) or not secrets.compare_digest(str(token).encode("utf-8", "replace"), self._token):
            return
        if len(self._tasks) >= WAITING:
            self._send(address, "error", [mark, "The studio is busy with many requests; try again in a moment."])
            return
        task = asyncio.ensure_future(self._answer(path[len(ROOT) :], mark, arguments, address))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, command: str, mark: Any, arguments: Sequence[Any], address: tuple[str, int]) -> None:
        try:
            request, reply = request_of(command, arguments)
        except UsageError as error:
            self._send(address, "error", [mark, str(error)])
            return
        if reply is not None:
            address = address[0], reply
        try:
            status, body = await _asked(self._app, f"/api/{command}", request)
            answers = list(messages_of(command, mark, status, body))
        except Exception as error:
            detail = f"Something went wrong in the studio ({type(error).__name__}); try another way."
            answers = [("error", [mark, detail])]
        for kind, values in answers:
            self._send(address, kind, values)

    def _send(self, address: tuple[str, int], kind: str, values: Sequence[Any]) -> None:
        from pythonosc.osc_message_builder import OscMessageBuilder

        builder = OscMessageBuilder(ROOT + kind)
        for value in values:
            builder.add_arg(value)
        data = builder.build().dgram
        if len(data) > LARGEST_ANSWER:
            self._send(
                address, "error", [values[0], "The answer is too long for OSC; ask for fewer bars, or over HTTP."]
            )
        else:
            self._transport.sendto(data, address)


async def _asked(app: App, path: str, request: dict[str, Any]) -> tuple[int, bytes]:
    """The status and the body that an application answers a POST of JSON with."""
    body = json.dumps(request).encode()
    waiting: list[dict[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]
    status, parts = 500, []

    async def receive() -> dict[str, Any]:
        if waiting:
            return waiting.pop()
        await asyncio.Event().wait()  # nobody goes away: what is asked is answered
        raise AssertionError("never reached")

    async def send(message: Any) -> None:
        nonlocal status
        if message["type"] == "http.response.start":
            status = message["status"]
        else:
            parts.append(message.get("body", b""))

    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "headers": headers,
    }  # fmt: skip
    await app(scope, receive, send)
    return status, b"".join(parts)
