"""MIDI messages sent at their second, and a list of what sounds, so that nothing sounds for ever.

`Sender` knows what is due; `SenderThread` waits for it. A thread that sleeps wakes up some tens of microseconds late on
a quiet machine, and milliseconds late on a busy one: so it sleeps until shortly before, and then looks at the clock.
"""

from __future__ import annotations

import contextlib
import heapq
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from melodygru.errors import FileError
from melodygru.live.urgency import SENDS, urgent

SPIN = 0.0002
"""Seconds before a message is due from which on the thread no longer sleeps: measured, see docs/decisions.md."""
KEPT = 5000
"""Messages whose lateness is remembered."""
_LONGEST_SLEEP = 0.5
ALL_NOTES_OFF = 123
_OFF, _ON = 0, 1
"""The order of what is due at the same time: a note ends before the next one begins."""


class LostPortError(FileError):
    """A port takes nothing any more: it was unplugged, or the program behind it has ended."""


def _messages() -> Any:
    from mido import Message  # 50 ms that other commands do not need

    return Message


class Sender:
    """Sends what is due, in order; safe in threads.

    Args:
        send: takes a `mido.Message`, and raises whatever it likes when the port is gone.

    Attributes:
        lateness: seconds by which the last `KEPT` messages were late.
        lost: what went wrong with the port, if anything did; nothing more is sent then.
    """

    def __init__(self, send: Callable[[Any], None]):
        self._send = send
        self._message = _messages()
        self._heap: list[tuple[float, int, int, Any]] = []
        self._number = 0
        self._sounding: dict[tuple[int, int], int] = {}
        self._channels: set[int] = set()
        self.changed = threading.Condition(threading.RLock())
        self.lateness: deque[float] = deque(maxlen=KEPT)
        self.lost: Exception | None = None

    @property
    def sounding(self) -> frozenset[tuple[int, int]]:
        """(channel, pitch) of all notes that were begun and not ended."""
        with self.changed:
            return frozenset(self._sounding)

    def recent(self) -> list[float]:
        """By how many seconds the last messages were late, the least first."""
        with self.changed:
            return sorted(self.lateness)

    @property
    def next_due(self) -> float | None:
        """The second of the first message that waits; None if none does."""
        with self.changed:
            return self._heap[0][0] if self._heap else None

    def note_on(self, when: float, channel: int, pitch: int, velocity: int) -> None:
        """Begin a note at that second. A note of that pitch that still sounds then is ended first."""
        message = self._message("note_on", channel=channel, note=pitch, velocity=velocity)
        self._put(when, _ON, message)

    def note_off(self, when: float, channel: int, pitch: int) -> None:
        """End a note at that second, if it sounds then."""
        self._put(when, _OFF, self._message("note_off", channel=channel, note=pitch, velocity=0))

    def _put(self, when: float, kind: int, message: Any) -> None:
        with self.changed:
            self._number += 1
            entry = (when, kind, self._number, message)
            heapq.heappush(self._heap, entry)
            if self._heap[0] is entry:
                self.changed.notify()

    def send_due(self, now: float) -> None:
        """Send all that is due. What the port raises is kept in `lost`."""
        with self.changed:
            while self._heap and self._heap[0][0] <= now:
                when, kind, _, message = heapq.heappop(self._heap)
                self._pass_on(kind, message)
                self.lateness.append(now - when)

    def _pass_on(self, kind: int, message: Any) -> None:
        mark = message.channel, message.note
        if kind == _ON:
            if self._sounding.get(mark):
                self._try(self._message("note_off", channel=mark[0], note=mark[1], velocity=0))
            self._sounding[mark] = self._sounding.get(mark, 0) + 1
            self._channels.add(mark[0])
            self._try(message)
        elif mark in self._sounding:
            # A note that was begun again ends with the second note-off: the first was its predecessor's.
            self._sounding[mark] -= 1
            if not self._sounding[mark]:
                del self._sounding[mark]
                self._try(message)

    def silence(self) -> None:
        """Forget what waits, and end what sounds, now."""
        with self.changed:
            self._heap.clear()
            for channel, pitch in sorted(self._sounding):
                self._try(self._message("note_off", channel=channel, note=pitch, velocity=0))
            self._sounding.clear()

    def panic(self) -> None:
        """`silence`, and "all notes off" on every channel that was used: the last that is sent."""
        with self.changed:
            # A port that failed once may take this all the same.
            failed, self.lost = self.lost, None
            self.silence()
            for channel in sorted(self._channels):
                self._try(self._message("control_change", channel=channel, control=ALL_NOTES_OFF, value=0))
            self.lost = failed or self.lost

    def _try(self, message: Any) -> None:
        if self.lost is not None:
            return
        try:
            self._send(message)
        except Exception as error:
            self.lost = error

    def check(self) -> None:
        """Raise LostPortError if the port is gone."""
        if self.lost is not None:
            raise LostPortError(f"The port takes nothing any more ({self.lost}); plug it in again, and begin anew.")


class SenderThread:
    """A thread that sends in time what a `Sender` has; a context, at whose end nothing sounds any more."""

    def __init__(self, sender: Sender, now: Callable[[], float] = time.perf_counter, spin: float = SPIN):
        self.sender = sender
        self._now, self._spin = now, spin
        self._ended = False
        self._thread = threading.Thread(target=self._run, name="melodygru sender", daemon=True)

    def __enter__(self) -> SenderThread:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self.sender.changed:
            self._ended = True
            self.sender.changed.notify()
        with contextlib.suppress(RuntimeError):  # where it never began
            self._thread.join(2 * _LONGEST_SLEEP)
        self.sender.panic()

    def _run(self) -> None:
        with urgent(SENDS):
            self._send_all()

    def _send_all(self) -> None:
        sender, now = self.sender, self._now
        while True:
            with sender.changed:
                if self._ended:
                    return
                due = sender.next_due
                sleep = _LONGEST_SLEEP if due is None else due - now() - self._spin
                if sleep > 0:
                    sender.changed.wait(min(sleep, _LONGEST_SLEEP))
                    continue
            assert due is not None
            while now() < due:
                pass
            sender.send_due(now())
