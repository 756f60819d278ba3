"""Hours of playing together in simulated time, and what must hold all the while.

    python scripts/soak_live.py --hours 10 --bpm 240

Somebody plays at random (chords, note-offs that are lost, knobs), tempos jump, the clock stops, continues and goes
elsewhere, ports are unplugged, answers come late or are empty. Checked are: that nothing sounds after a stop or at the
end, nor longer than what was written; that notes come on their step within a tick; that nothing is raised; and that
memory stays where it is after the first fifth.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Callable
from random import Random
from typing import Any

from mido import Message

from melodygru.live.clock import Clock, FollowedClock, InternalClock
from melodygru.live.composing import Answer, Ask
from melodygru.live.modes import MODES
from melodygru.live.sender import LostPortError, Sender
from melodygru.live.session import CLICK_CHANNEL, Session
from melodygru.live.stage import Settings
from melodygru.live.writer import SimulatedWriter
from melodygru.music.melody import Note
from melodygru.music.theory import STEPS_PER_QUARTER
from melodygru.music.tracks import Stroke, Track

TURN = 0.02
"""Seconds of simulated time between two looks, where nothing happens earlier."""
LATENESS = 0.004
"""Seconds by which the simulated program's messages come late at most, when its clock is heard."""


class Port:
    """A port that checks what is sent: every note begins silent, and ends."""

    def __init__(self) -> None:
        self.gone = False
        self.sounding: dict[tuple[int, int], float] = {}
        self.now = 0.0
        self.sent = 0
        self.longest = 0.0
        self.clicked: Callable[[], None] = lambda: None

    def send(self, message: Any) -> None:
        """Take a message, as a port does."""
        if self.gone:
            raise OSError("unplugged")
        self.sent += 1
        if message.type == "note_on":
            mark = message.channel, message.note
            assert mark not in self.sounding, f"{mark} begins while it sounds"
            self.sounding[mark] = self.now
            if message.channel == CLICK_CHANNEL:
                self.clicked()
        elif message.type == "note_off":
            began = self.sounding.pop((message.channel, message.note))
            self.longest = max(self.longest, self.now - began)
        elif message.control == 123:
            self.sounding = {mark: at for mark, at in self.sounding.items() if mark[0] != message.channel}


def write_at_random(ask: Ask) -> Answer:
    """What a writer might write: a line in the bars that were asked for, or nothing."""
    chance, at, notes = Random(ask.seed), 0, list[Note]()
    length = ask.bars * ask.metre.bar_steps
    while at < length and chance.random() > 0.02:
        duration = chance.choice((3, 6, 8, 12, 12, 24, 48))
        if chance.random() > 0.2:
            notes.append(Note(chance.randrange(40, 90), at, min(duration, length - at)))
        at += duration
    strokes = tuple(Stroke(note.onset, note.end, note.pitch, 0) for note in notes)
    tracks = (Track("chords", 0, strokes),) if ask.kind == "around" else ()
    return Answer(ask.number, () if tracks else tuple(notes), chance.choice((0.02, 0.05, 0.2)), "", tracks)


class Simulation:
    """A session, and everything around it, in simulated time."""

    def __init__(self, mode: str, qpm: float, followed: bool, seed: int, bars: int = 2, wild: bool = True):
        self.mode, self.qpm, self.followed, self.bars, self.wild = mode, qpm, followed, bars, wild
        self.chance = Random(f"{mode} {seed}")
        self.now = 0.0
        self.longest = 0.0
        self.lost = self.stops = self.jumps = self.notes = 0
        self.worst = 0.0
        """Steps by which a click came off its beat at most, where the tempo had not jumped just before."""
        self._pulse = self._settled = self._zero = 0.0
        self._pulses = 0
        self._held: list[int] = []
        self._next_key = 0.0
        self._next_event = self.chance.expovariate(1 / 60)
        self.plug_in()

    def plug_in(self) -> None:
        """Begin a session, on a port that works."""
        self.port = Port()
        self.port.clicked = self._clicked
        self.sender = Sender(self.port.send)
        self.clock: Clock = FollowedClock(self.qpm) if self.followed else InternalClock(self.qpm, self.now)
        writer = SimulatedWriter(write_at_random, lambda: self.now, self._writing)
        settings = Settings(bars=self.bars, seed=self.chance.randrange(1000))
        self.session = Session(settings, self.mode, self.clock, self.sender, writer, click=self.wild)
        self._settled = self._zero = self.now
        if self.followed:
            self._start("start")
            self._pulse = self.now

    def _start(self, how: str) -> None:
        self.session.follow(self.now, Message(how))
        self._settled = self.now + 2
        if how == "start":
            self._pulses = 0

    def _clicked(self) -> None:
        """A click was sent: how far it is from a beat of the simulated program."""
        if self.now < self._settled:
            return
        step = (self.now - self._zero) / self.period
        if self.followed:
            step = self._pulses - (self._pulse - self.now) / self.period
        beat = STEPS_PER_QUARTER
        self.worst = max(self.worst, abs(step - round(step / beat) * beat))

    def _writing(self) -> float:
        return self.chance.choice((0.02, 0.05, 0.1, 0.3, 3.0 if self.wild else 0.1))

    @property
    def period(self) -> float:
        """Seconds a step takes."""
        return 2.5 / self.qpm

    def run(self, seconds: float) -> None:
        """Let so much time pass."""
        end = self.now + seconds
        while self.now < end:
            due = self.sender.next_due
            soonest = [self.now + TURN, self._next_key, self._next_event]
            if self.followed:
                soonest.append(self._pulse)
            if due is not None:
                soonest.append(due)
            self.now = self.port.now = max(self.now, min(soonest))
            self._happen()

    def _happen(self) -> None:
        before = len(self.sender.lateness)
        self.sender.send_due(self.now)
        self.notes += len(self.sender.lateness) - before
        if self.followed and self.now >= self._pulse:
            jitter = self.chance.random() * LATENESS * 0.25
            self.session.follow(self.now + jitter, Message("clock"))
            self._pulse += self.period
            self._pulses += 1
        if self.now >= self._next_key:
            self._play()
        if self.now >= self._next_event:
            self._next_event = self.now + self.chance.expovariate(1 / 60)
            if self.wild:
                self._upset()
        try:
            self.session.advance(self.now)
        except LostPortError:
            self.lost += 1
            self._end()
            self.plug_in()

    def _play(self) -> None:
        """The player does something, and says when next."""
        chance = self.chance
        if self._held and chance.random() < 0.5:
            note = self._held.pop(chance.randrange(len(self._held)))
            if chance.random() > 0.01:  # or its note-off is lost
                self.session.hear(self.now, Message("note_off", note=note))
        else:
            self._held.append(chance.randrange(48, 84))
            self.session.hear(self.now, Message("note_on", note=self._held[-1], velocity=chance.randrange(1, 128)))
            if chance.random() < 0.02:
                control, value = chance.choice((1, 80, 80, 64, 120, 123)), chance.randrange(128)
                self.session.hear(self.now, Message("control_change", control=control, value=value))
        self._next_key = self.now + chance.choice((0.0, 1, 6, 6, 12, 12, 24, 300)) * self.period

    def _upset(self) -> None:
        """A tempo jumps, the clock stops, or a port is unplugged."""
        what = self.chance.choice(("tempo", "tempo", "stop", "unplug", "locate"))
        if what == "unplug":
            self.port.gone = True
            self.port.sounding.clear()  # who hears it hears nothing any more
        elif what == "tempo" and self.followed:
            self.jumps += 1
            self.qpm = self.chance.uniform(60, 300)
            self._settled = self.now + 2
        elif self.followed:
            self.stops += 1
            self.session.follow(self.now, Message("stop"))
            assert not self.port.sounding, "something sounds after a stop"
            if what == "locate":
                position = self.chance.randrange(16384)
                self.session.follow(self.now, Message("songpos", pos=position))
                self._pulses = position * STEPS_PER_QUARTER // 4
            for _ in range(self.chance.randrange(200)):  # some programs send pulses all the time
                self.now += self.period
                self.session.follow(self.now, Message("clock"))
                self.session.advance(self.now)
            self._start(self.chance.choice(("start", "continue")))
            self._pulse = self.now + self.period

    def _end(self) -> None:
        self.longest = max(self.longest, self.port.longest)
        self.session.close(self.now)
        self.sender.panic()
        assert not self.port.sounding, "something sounds after the end"
        assert not self.sender.sounding

    def finish(self) -> None:
        """Ctrl-C."""
        self._end()


def memory() -> float:
    """MiB that this process has had at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def soak(mode: str, qpm: float, hours: float, followed: bool, seed: int = 0) -> str:
    """What came of so many hours of a mode, in a line; raises AssertionError for what must not be."""
    simulation = Simulation(mode, qpm, followed, seed)
    began = time.perf_counter()
    simulation.run(hours * 720)
    early = memory()
    simulation.run(hours * 2880)
    grown = memory() - early
    simulation.finish()
    assert simulation.worst < 1, f"clicks are off by {simulation.worst:.2f} steps"
    assert grown < 8, f"memory has grown by {grown:.1f} MiB"
    return (
        f"{mode:14} {'MIDI clock' if followed else 'own tempo':10} {hours:g} h, {simulation.notes:,} messages, "
        f"{simulation.jumps} tempo jumps, {simulation.stops} stops, {simulation.lost} unplugged, longest note "
        f"{simulation.longest:.1f} s, off by {simulation.worst:.2f} steps, memory {grown:+.2f} MiB, "
        f"in {time.perf_counter() - began:.0f} s"
    )


def drift(qpm: float, hours: float) -> float:
    """Steps by which the followed clock is off a steady one, at most, in so many hours of jittered pulses."""
    chance, clock, period, worst = Random(1), FollowedClock(), 2.5 / qpm, 0.0
    clock.start()
    for number in range(int(hours * 3600 / period)):
        clock.pulse(number * period + chance.random() * LATENESS)
        if number > 48:
            worst = max(worst, abs(clock.step_at(number * period + LATENESS / 2) - number))
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hours", type=float, default=10.0)
    parser.add_argument("--bpm", type=float, default=240.0)
    parser.add_argument("--mode", choices=list(MODES), help="one mode alone")
    options = parser.parse_args()
    for mode in [options.mode] if options.mode else MODES:
        for followed in (False, True):
            print(soak(mode, options.bpm, options.hours, followed), flush=True)
    print(f"drift of a followed clock: {drift(options.bpm, options.hours):.3f} steps at most")


if __name__ == "__main__":
    main()
