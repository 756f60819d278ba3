"""What every way of playing together works with: clock, listener, player and writer, and the session's settings."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from itertools import pairwise
from typing import Any

from melodygru.live.clock import Clock
from melodygru.live.composing import Answer, Ask
from melodygru.live.listening import Listener, heard_melody
from melodygru.live.playing import HORIZON, Coming, Player
from melodygru.live.writer import Writer
from melodygru.music.melody import Melody, Note
from melodygru.music.theory import Key, TimeSignature
from melodygru.records import dataclass

MEMORY_BARS = 8
"""Bars of what was played, by whomever, that the writer is told where it goes on."""
KEY_BARS = 16
"""Bars of what was heard from which the key is, where none was said."""
FIRST_LEAD = 0.4
"""Seconds ahead of its bar line at which an answer is asked for, before any was timed."""
LEAST_LEAD, MOST_LEAD = 0.12, 1.5
_CAREFUL = 1.5
"""The lead is so many times what the slowest of the last answers took."""
DRUM_CHANNEL = 9
"""General MIDI's, counted from 0: every pitch is a drum there."""
SOFTER = 12
"""By how much velocity an accompaniment stays below the player."""
_TIMED = 16
"""Answers whose time is remembered."""


@dataclass(frozen=True)
class Settings:
    """What holds for a session.

    Attributes:
        bars: of a call, an answer, a loop.
        metre: of all that is played.
        key: of all that is played; None: what is heard.
        wishes: fields of `melodygru.writing.config.GenerationConfig`.
        amount: the share of notes in [0, 1] by which loops vary.
        temperature: where the knob begins.
        seed: at least 0; every answer has one of its own that follows from it.
        channel: on which melodies go out, in [0, 16).
        qpm: quarters a minute of our own clock.
    """

    bars: int = 2
    metre: TimeSignature = TimeSignature()
    key: Key | None = None
    wishes: Mapping[str, Any] = field(default_factory=dict)
    amount: float = 0.3
    temperature: float = 1.0
    seed: int = 0
    channel: int = 0
    qpm: float = 120.0

    @property
    def first_wishes(self) -> dict[str, Any]:
        """The wishes for what is written from nothing."""
        return {**self.wishes, **({} if self.key is None else {"key": str(self.key)})}


class Stage:
    """The one place where ways of playing meet what they work with.

    Attributes:
        step: the position that holds during a call.
        temperature: as the knob has it.
        late: answers that came after their bar line.
        remark: what last stood in the writer's way.
    """

    def __init__(self, settings: Settings, clock: Clock, player: Player, writer: Writer):
        self.settings, self.clock, self.player, self.writer = settings, clock, player, writer
        self.listener = Listener()
        self.step = 0.0
        self.temperature = settings.temperature
        self.late = 0
        self.remark = ""
        self.seconds: deque[float] = deque(maxlen=_TIMED)
        self._asked = 0

    @property
    def bar(self) -> int:
        """Steps of a bar."""
        return self.settings.metre.bar_steps

    @property
    def beat(self) -> int:
        """Steps of a felt beat."""
        return self.settings.metre.beat_steps

    @property
    def lead(self) -> float:
        """Steps ahead of its time at which something is asked for so that it is there in time."""
        slowest = _CAREFUL * max(self.seconds) if self.seconds else FIRST_LEAD
        return self.steps(min(max(slowest, LEAST_LEAD), MOST_LEAD) + HORIZON)

    @property
    def eve(self) -> float:
        """The step from which on what begins is handed to the sender: the last moment to decide."""
        return self.step + self.steps(HORIZON)

    def steps(self, seconds: float) -> float:
        """How many steps so many seconds are, at this tempo."""
        return seconds / (self.clock.time_of(1) - self.clock.time_of(0))

    def bar_line(self, step: float) -> int:
        """The last bar line at or before a step."""
        return int(step // self.bar) * self.bar

    def heard(self, start: int, end: int) -> Melody | None:
        """What was heard in the steps [start, end), whole bars, counted from `start`; None if nothing."""
        notes = self.listener.line(start, end, self.step, self.settings.metre)
        return self.melody_of(notes, -(-(end - start) // self.bar), end) if notes else None

    def remembered(self, end: int, bars: int = MEMORY_BARS) -> tuple[Melody, int] | None:
        """What sounded in the last bars before `end`, by whomever, and where its count begins; None if nothing."""
        start = max(self.bar_line(end - 1) - (bars - 1) * self.bar, 0)
        heard = self.listener.line(start, end, self.step, self.settings.metre)
        own = [
            Note(note.pitch, round(note.onset) - start, max(1, round(note.end - note.onset)))
            for note in self.player.played
            if start <= note.onset < end and note.channel == self.settings.channel and not note.click
        ]
        notes = one_line([*own, *heard], end - start)
        if not notes:
            return None
        silent = notes[0].onset // self.bar * self.bar
        notes = tuple(replace(note, onset=note.onset - silent) for note in notes)
        start += silent
        return self.melody_of(notes, -(-(end - start) // self.bar), end), start

    def melody_of(self, notes: Sequence[Note], bars: int, end: int) -> Melody:
        """Notes as a melody of so many bars that ends at the step `end`; its key is what was said, or is heard."""
        key = self.settings.key
        if key is None:
            # A call alone says little of its key: all that was played lately does.
            start = max(self.bar_line(end - 1) - (KEY_BARS - 1) * self.bar, 0)
            lately = self.listener.line(start, end, self.step, self.settings.metre) or notes
            key = heard_melody(lately, 0, self.settings.metre, None, 120.0).key
        return heard_melody(notes, bars, self.settings.metre, key, self.tempo)

    @property
    def tempo(self) -> float:
        """Quarters a minute, as melodies may have them."""
        return min(max(self.clock.qpm, 4.0), 1000.0)

    def ask(self, kind: str, heard: Melody | None = None, start: int = 0, shift: int = 0) -> int:
        """Have something written; its number."""
        self._asked += 1
        settings = self.settings
        wishes = {
            **(settings.first_wishes if heard is None else settings.wishes),
            "temperature": round(self.temperature, 3),
        }
        seed = settings.seed * 1_000_003 + self._asked
        self.writer.ask(
            Ask(self._asked, kind, settings.bars, settings.metre, seed, heard, start, wishes, shift, settings.amount)
        )
        return self._asked

    def play(self, answer: Answer, due: int, velocity: int, length: int | None = None) -> int:
        """Play an answer from the step `due` on, as much of it as is not past; how many notes that is.

        `length`: steps after which nothing more is played.
        """
        if self.eve > due + 1:
            self.late += 1
        notes = [
            Coming(
                due + note.onset, due + min(note.end, length or note.end), note.pitch, velocity, self.settings.channel
            )
            for note in answer.notes
            if due + note.onset >= self.step - 1 and (length is None or note.onset < length)
        ]
        self.player.add(notes)
        return len(notes)

    def play_around(self, answer: Answer, due: int, velocity: int) -> None:
        """Play the tracks of an answer from the step `due` on, each on the next melodic channel, below the player."""
        if self.eve > due + 1:
            self.late += 1
        self.player.add(
            Coming(due + one.onset, due + one.end, one.pitch, _within(velocity - SOFTER + one.louder),
                   channel)
            for channel, track in zip(self._channels_after(), answer.tracks, strict=False)
            for one in track.strokes
            if due + one.onset >= self.step - 1
        )  # fmt: skip

    def _channels_after(self) -> list[int]:
        """The channels after the melody's own, round to it, without that of drums."""
        return [one for number in range(1, 16) if (one := (self.settings.channel + number) % 16) != DRUM_CHANNEL]


def _within(velocity: int) -> int:
    return min(max(velocity, 1), 127)


def one_line(notes: list[Note], length: int) -> tuple[Note, ...]:
    """Notes as a melody may have them within `length` steps: of those struck together the highest, each cut short."""
    highest: dict[int, Note] = {}
    for note in notes:
        if 0 <= note.onset < length and (note.onset not in highest or highest[note.onset].pitch < note.pitch):
            highest[note.onset] = note
    onsets = [*sorted(highest), length]
    return tuple(
        replace(highest[onset], duration=min(highest[onset].duration, after - onset))
        for onset, after in pairwise(onsets)
    )
