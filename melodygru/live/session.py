"""A session of playing together: what comes in goes to the clock, the listener and the mode; what they want, goes out.

It knows no ports and no threads: messages come with their second, and time passes when `advance` is called. So it runs
as well in real time (`melodygru.live.jam`) as in a simulation of hours.
"""

from __future__ import annotations

from collections import deque
from itertools import pairwise
from typing import Any

from melodygru.errors import UsageError
from melodygru.live.clock import Clock, FollowedClock
from melodygru.live.modes import MODES
from melodygru.live.playing import Coming, Player
from melodygru.live.recording import Recording
from melodygru.live.sender import Sender
from melodygru.live.stage import DRUM_CHANNEL, Settings, Stage
from melodygru.live.tempo import PlayerClock
from melodygru.live.writer import Writer
from melodygru.records import dataclass

CC_TEMPERATURE, CC_HANDOVER = 1, 80
"""Controllers that are the knobs where nothing else is said: the modulation wheel, and the first general button."""
PRESSED = 64
"""A button is down from this value on."""
HOTTEST = 1.5
"""The temperature at the upper end of the knob; the lower end is `COLDEST`, the middle 1."""
COLDEST = 0.5
_SILENCING = (120, 123)
"""Controllers by which other programs ask for silence: all sound off, all notes off."""
CLICK_CHANNEL, _HIGH, _LOW, _LOUD, _SOFT, _CLICK_STEPS = DRUM_CHANNEL, 76, 77, 100, 70, 3
"""A click: high and low wood block of General MIDI's drums, and how long it sounds, in steps."""


@dataclass(frozen=True)
class View:
    """What there is to see of a session at one moment. Positions are in steps; `bar` and `beat` count from 1; `qpm` is
    None while another program's tempo is not known yet."""

    running: bool
    bar: int
    beat: int
    beats: int
    qpm: float | None
    turn: str
    step: float
    heard: tuple[tuple[float, float, int], ...]
    coming: tuple[tuple[float, float, int], ...]
    temperature: float
    written_in: float
    late: int
    remark: str


class Session:
    """See the module.

    Args:
        settings: what holds for all of it.
        mode: a name of `MODES`.
        clock: what tells steps; a `FollowedClock` follows the messages given to `follow`.
        sender: what takes notes that are due.
        writer: who writes.
        click: whether to play a click.
        controls: numbers of the controllers for temperature and for handing over.

    Raises UsageError for a mode that there is not.
    """

    def __init__(
        self,
        settings: Settings,
        mode: str,
        clock: Clock,
        sender: Sender,
        writer: Writer,
        click: bool = False,
        controls: tuple[int, int] = (CC_TEMPERATURE, CC_HANDOVER),
    ):
        if mode not in MODES:
            raise UsageError(f"mode is {mode!r}; choose {', '.join(list(MODES)[:-1])} or {list(MODES)[-1]}.")
        self.sender = sender
        self.player = Player(clock, sender)
        self.stage = Stage(settings, clock, self.player, writer)
        self.mode = MODES[mode](self.stage)
        self.recording = Recording(settings.metre)
        self._clock, self._writer = clock, writer
        self._click, self._controls = click, controls
        self._ran = self._pressed = False
        self._early: deque[tuple[float, Any]] = deque(maxlen=64)
        self._clicked = 0
        self._expired = 0
        self._timed = 0.0
        """The step from which on the recording is told the tempo again, once that is known."""

    def hear(self, now: float, message: Any) -> None:
        """Something that the player did: a `mido.Message` with the second at which it came."""
        self._pass(now)
        kind = message.type
        if kind == "control_change":
            self._control(message.control, message.value)
        elif kind in ("note_on", "note_off"):
            self._note(now, message)

    def _note(self, now: float, message: Any) -> None:
        stage, begins = self.stage, message.type == "note_on" and message.velocity > 0
        if isinstance(self._clock, PlayerClock) and begins:
            self._keep_to_player(self._clock, now, message)
        if not self._ran:
            return
        if begins:
            stage.listener.note_on(stage.step, message.note, message.velocity)
            self.mode.struck()
        elif (note := stage.listener.note_off(stage.step, message.note)) is not None:
            self.recording.heard(note)

    def _keep_to_player(self, clock: PlayerClock, now: float, message: Any) -> None:
        """Let the clock hear a note; as soon as the tempo is clear, all since the first one count as played in it."""
        self._early.append((now, message))
        if self.mode.turn == "listens" or not clock.running:
            clock.struck(now)
        if not clock.running or self._ran:
            return
        self._pass(clock.onsets[0])
        for (onset, note), (end, _) in pairwise([*self._early, (now, message)]):
            if onset >= clock.onsets[0] and onset < now:
                # Lengths were not kept: each until the next.
                self.stage.listener.note_on(clock.step_at(onset), note.note, note.velocity)
                self.stage.listener.note_off(clock.step_at(end), note.note)
        self._early.clear()
        self._pass(now)

    def _control(self, number: int, value: int) -> None:
        temperature, handover = self._controls
        if number == temperature:
            ends = (COLDEST, 1.0) if value < PRESSED else (1.0, HOTTEST)
            share = value / PRESSED if value < PRESSED else (value - PRESSED) / (127 - PRESSED)
            self.stage.temperature = ends[0] + (ends[1] - ends[0]) * share
        elif number == handover:
            down = value >= PRESSED
            if down and not self._pressed and self._ran:
                self.mode.hand_over()
            self._pressed = down
        elif number in _SILENCING:
            self.player.stop()

    def follow(self, now: float, message: Any) -> None:
        """Something that the program with the clock said."""
        clock = self._clock
        if not isinstance(clock, FollowedClock):
            return
        kind = message.type
        if kind == "clock":
            clock.pulse(now)
        elif kind in ("start", "continue", "stop", "songpos", "reset"):
            self._halt(now)
            if kind == "start":
                clock.start()
            elif kind == "continue":
                clock.go_on()
            elif kind == "songpos":
                clock.locate(message.pos)
            else:
                clock.stop()

    def advance(self, now: float) -> None:
        """Time has passed: do what is due. Raises LostPortError if nothing can be sent any more."""
        self.sender.check()
        clock = self._clock
        if isinstance(clock, FollowedClock) and clock.lost(now):
            self._halt(now)
            clock.stop()
        self._pass(now)
        for answer in self._writer.answers():
            self.stage.seconds.append(answer.seconds)
            self.stage.remark = answer.remark
            if self._ran:
                self.mode.written(answer)
        if self._ran:
            self.mode.advance()
            self._clicks()
            self._expire()
            self.player.advance(now)

    def _pass(self, now: float) -> None:
        """Be at that second; where the clock has begun to run, begin."""
        self.stage.step = self._clock.step_at(now)
        if self._clock.running and not self._ran:
            self._begin()

    def _begin(self) -> None:
        stage, self._ran = self.stage, True
        stage.listener.forget()
        self.player.played.clear()
        self.recording.begin(stage.step)
        self._timed = stage.step
        self._clicked = self._expired = int(-(-stage.step // stage.beat)) * stage.beat
        self.mode.begin()

    def _halt(self, now: float) -> None:
        """The music stands still, or goes on elsewhere."""
        if self._ran:
            self.stage.step = self._clock.step_at(now)
            self.stage.listener.release(self.stage.step)
            self.recording.played(self.player.played, self.stage.step)
            self.player.stop()
            self._ran = False

    def _clicks(self) -> None:
        stage = self.stage
        while self._click and self._clicked <= stage.eve:
            strong = self._clicked % stage.bar == 0
            pitch, velocity = (_HIGH, _LOUD) if strong else (_LOW, _SOFT)
            end = self._clicked + _CLICK_STEPS
            self.player.add([Coming(self._clicked, end, pitch, velocity, CLICK_CHANNEL, True)])
            self._clicked += stage.beat

    def _expire(self) -> None:
        """Now and then: keys held for ever, and what has sounded, for the recording."""
        stage = self.stage
        if stage.step >= self._expired:
            self._expired += stage.bar
            stage.listener.expire(stage.step)
        if stage.step >= self._timed and self._clock.settled:
            self.recording.tempo(self._timed, stage.tempo)
            self._timed += stage.bar

    def close(self, now: float) -> None:
        """Nothing sounds any more, and all is recorded."""
        self._halt(now)

    def view(self, now: float) -> View:
        """What there is to see."""
        self._pass(now)
        stage = self.stage
        step = max(stage.step, 0.0)
        heard = stage.listener.played(step - 2 * stage.bar, step) if self._ran else []
        return View(
            running=self._ran,
            bar=int(step // stage.bar) + 1,
            beat=int(step % stage.bar // stage.beat) + 1,
            beats=stage.bar // stage.beat,
            qpm=stage.tempo if self._clock.settled else None,
            turn=self.mode.turn if self._ran else "waits for the clock",
            step=step,
            heard=tuple((note.onset, note.end or step, note.pitch) for note in heard),
            coming=tuple((note.onset, note.end, note.pitch) for note in self.player.coming),
            temperature=stage.temperature,
            written_in=max(stage.seconds, default=0.0),
            late=stage.late,
            remark=stage.remark,
        )
