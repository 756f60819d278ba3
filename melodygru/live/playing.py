"""Notes to come, in steps: handed to the sender shortly before their time, so that they follow the tempo until then."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Iterable

from melodygru.live.clock import Clock
from melodygru.live.sender import Sender
from melodygru.records import dataclass

HORIZON = 0.03
"""Seconds ahead by which notes are handed to the sender: more than it ever takes to come round to it again."""
SHORTEST = 0.002
"""Seconds that a note sounds at least, wherever the tempo jumps while it does."""
KEPT = 20_000
"""Notes that have sounded and are remembered, for what is recorded: hours of playing."""


@dataclass(frozen=True, order=True)
class Coming:
    """A note in the half-open range of steps [onset, end), on a MIDI channel in [0, 16)."""

    onset: float
    end: float
    pitch: int
    velocity: int
    channel: int = 0
    click: bool = False


class Player:
    """Plays what is written, against a clock.

    Attributes:
        played: what has sounded, the last `KEPT` notes.
    """

    def __init__(self, clock: Clock, sender: Sender):
        self._clock, self._sender = clock, sender
        self._waiting: list[Coming] = []
        self._ending: list[tuple[float, float, Coming]] = []
        self.played: deque[Coming] = deque(maxlen=KEPT)

    @property
    def coming(self) -> list[Coming]:
        """What was not handed to the sender yet, in order; clicks are left out."""
        return sorted(note for note in self._waiting if not note.click)

    def add(self, notes: Iterable[Coming]) -> None:
        """Play these too, when they come; those whose step is past are played at once."""
        for note in notes:
            heapq.heappush(self._waiting, note)

    def drop(self, start: float) -> None:
        """Do not play what begins at that step or later, clicks apart; what sounds at that step ends there."""
        self._waiting = [note for note in self._waiting if note.click or note.onset < start]
        heapq.heapify(self._waiting)
        self._ending = [(min(end, start) if not note.click else end, on, note) for end, on, note in self._ending]
        heapq.heapify(self._ending)

    def advance(self, now: float) -> None:
        """Hand on what is due within the horizon, while the clock runs."""
        if not self._clock.running:
            return
        step = self._clock.step_at(now + HORIZON)
        while self._waiting and self._waiting[0].onset <= step:
            note = heapq.heappop(self._waiting)
            when = max(self._clock.time_of(note.onset), now)
            self._sender.note_on(when, note.channel, note.pitch, note.velocity)
            heapq.heappush(self._ending, (note.end, when, note))
            if not note.click:
                self.played.append(note)
        while self._ending and self._ending[0][0] <= step:
            end, began, note = heapq.heappop(self._ending)
            self._sender.note_off(max(self._clock.time_of(end), began + SHORTEST), note.channel, note.pitch)

    def stop(self) -> None:
        """Silence, and nothing to come: the clock was stopped, or jumps."""
        self._waiting.clear()
        self._ending.clear()
        self._sender.silence()
