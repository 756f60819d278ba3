"""Fifteen real minutes of every mode at once: `melodygru jam` as it is run, over sockets, with somebody playing.

    python scripts/play_live.py [--minutes 15] [--end time|term|unplug]

Each mode is a process of its own with a player that strikes lines and knobs at random; the last one follows a MIDI
clock that the player sends, with jitter, tempo changes and stops. Checked are: that the process ends as it should (when
the time is up, at SIGTERM, or when its socket is closed), that every note that was begun has ended, that nothing sounds
while the clock stands still, and that its memory stays where it is.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from random import Random
from typing import Any

from mido import Message
from mido.sockets import SocketPort

FIRST_PORT = 9510
MODES = ("call-response", "continue", "loop", "accompany")
JITTER = 0.003
"""Seconds by which the player's clock is late at most."""


class Player:
    """Plays to one process, and remembers what sounds."""

    def __init__(self, mode: str, port: int, minutes: float, followed: bool, folder: Path):
        self.mode, self.followed, self.chance = mode, followed, Random(port)
        self.name = f"{mode}{' with MIDI clock' if followed else ''}"
        where = f"socket://:{port}"
        command = [sys.executable, "-m", "melodygru", "jam", "--mode", mode, "--in", where, "--out", where]
        command += ["--minutes", str(minutes), "--record", str(folder / f"{port}.mid"), "--force", "--seed", "1"]
        command += ["--clock", where] if followed else ["--bpm", "140"]
        self.log = (folder / f"{port}.log").open("w+")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)
        self.port = self._connected(port)
        self.sounding: set[tuple[int, int]] = set()
        self.notes = self.stops = 0
        self.problems: list[str] = []
        self.memory: list[float] = []

    def _connected(self, port: int) -> Any:
        for _ in range(600):
            try:
                return SocketPort("127.0.0.1", port)
            except OSError:  # noqa: PERF203 -- not there yet
                time.sleep(0.1)
        sys.exit(f"{self.name} did not begin")

    def play(self, seconds: float) -> None:
        """Play so long, as a thread of its own."""
        chance, end = self.chance, time.monotonic() + seconds
        held: list[int] = []
        next_note = time.monotonic()
        pulse = next_pulse = time.monotonic() + 8  # when it has surely loaded its model
        period, running = 2.5 / 140, False
        try:
            while time.monotonic() < end:
                now = time.monotonic()
                self._hear()
                if self.followed and now >= next_pulse:
                    if not running:
                        self.port.send(Message("start"))
                        running = True
                    self.port.send(Message("clock"))
                    pulse += period
                    next_pulse = pulse + chance.random() * JITTER
                    if chance.random() < 0.0005:
                        period = 2.5 / chance.uniform(80, 180)
                    if chance.random() < 0.0005:
                        self._stop()
                        pulse = next_pulse = time.monotonic() + 1
                        running = False
                if now >= next_note:
                    if held and chance.random() < 0.6:
                        self.port.send(Message("note_off", note=held.pop()))
                    else:
                        held.append(chance.choice((60, 62, 64, 65, 67, 69, 71, 72)))
                        self.port.send(Message("note_on", note=held[-1], velocity=chance.randrange(40, 120)))
                    if chance.random() < 0.02:
                        control = chance.choice((1, 80))
                        self.port.send(Message("control_change", control=control, value=chance.randrange(128)))
                    next_note = now + chance.choice((0.05, 0.2, 0.2, 0.4, 3.0))
                time.sleep(0.002)
        except (OSError, ValueError):
            pass  # it has ended first, and mido has closed the port

    def _stop(self) -> None:
        self.stops += 1
        self.port.send(Message("stop"))
        time.sleep(0.3)
        self._hear()
        if self.sounding:
            self.problems.append(f"{sorted(self.sounding)} sound after a stop")

    def _hear(self) -> None:
        for message in self.port.iter_pending():
            mark = message.channel, getattr(message, "note", -1)
            if message.type == "note_on":
                self.notes += 1
                self.sounding.add(mark)
            elif message.type == "note_off":
                self.sounding.discard(mark)

    def measure(self) -> None:
        """Look at its memory, where the system tells it."""
        status = Path(f"/proc/{self.process.pid}/statm")
        if status.exists() and self.process.poll() is None:
            self.memory.append(int(status.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20)

    def finish(self, how: str) -> bool:
        """Whether all is as it should be, once it has ended; tells what came of it."""
        if how == "term":
            self.process.send_signal(signal.SIGTERM)
        elif how == "unplug":
            self.port._socket.shutdown(socket.SHUT_RDWR)  # which closing leaves to files that mido keeps
        code = self.process.wait(60)
        if how != "unplug":
            time.sleep(0.3)
            self._hear()
            if self.sounding:
                self.problems.append(f"{sorted(self.sounding)} sound after the end")
        expected = {"time": (0,), "term": (143,), "unplug": (1,)}[how]
        self.log.seek(0)
        said = self.log.read().strip().splitlines()
        if code not in expected or "Traceback" in "".join(said):
            self.problems.append(f"it ended with {code}: {said[-1:]}")
        grown = self.memory[-1] - self.memory[len(self.memory) // 5] if len(self.memory) > 5 else 0.0
        if grown > 10:
            self.problems.append(f"its memory has grown by {grown:.1f} MiB")
        words = "; ".join(self.problems) or "nothing wrong"
        facts = f"{self.notes:6,} notes, {self.stops} stops, memory {grown:+.1f} MiB, ended with {code}"
        print(f"{self.name:32} {facts}: {words}", flush=True)
        return not self.problems


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=15.0)
    parser.add_argument("--end", choices=("time", "term", "unplug"), default="time")
    parser.add_argument("--folder", type=Path, default=Path("build/live"), help="for logs and recordings")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    minutes = options.minutes if options.end == "time" else options.minutes + 10
    modes = [(mode, False) for mode in MODES]
    if options.end != "unplug":  # without a clock nothing is sent, and so nothing is missed
        modes.append((MODES[0], True))
    players = [
        Player(mode, FIRST_PORT + number, minutes, followed, options.folder)
        for number, (mode, followed) in enumerate(modes)
    ]
    seconds = options.minutes * 60 + (60 if options.end == "time" else 0)
    threads = [threading.Thread(target=player.play, args=(seconds,)) for player in players]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        for player in players:
            player.measure()
        time.sleep(5)
    sound = [player.finish(options.end) for player in players]
    sys.exit(0 if all(sound) else 1)


if __name__ == "__main__":
    main()
