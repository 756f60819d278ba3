"""How late `melodygru jam` is: real ports, real time, a real model, and a player in a process of its own.

    python benchmarks/bench_live.py [--turns 1000] [--ports jack|socket] [--busy] [--bpm 480]

The player strikes three notes in each bar that is its own; the answer comes in the next bar. Each note that comes back
is compared with the second at which its step is: of answers' first notes that is the time from handing over to the
first note, of all notes the jitter. Beside it a bare loop that only sleeps and sends, through the same ports: the
difference is ours. With `--ports jack` a JACK server with a dummy driver of 64 frames (1.3 ms) is started, and virtual
ports are connected; with `--ports socket` it is mido's MIDI over TCP.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, contextmanager
from multiprocessing import get_context
from typing import Any

import mido
from mido import Message

from melodygru.live.clock import InternalClock
from melodygru.live.composing import Ask
from melodygru.live.jam import NOW, Inbox, run
from melodygru.live.ports import Ports
from melodygru.live.sender import Sender
from melodygru.live.session import Session
from melodygru.live.stage import Settings
from melodygru.live.writer import WriterProcess

NAME = "melodygru-bench"
SERVER = "melodygru-bench"
SOCKET = 9417
CALL = ((0, 60), (24, 64), (48, 67))
"""Steps and pitches that the player strikes in its bar."""
BAR = 96


def player(pipe: Any, where: str, seconds: float) -> None:
    """In a process of its own: play the calls, and say when each note came back."""
    came: list[tuple[float, int]] = []

    def heard(message: Any) -> None:
        if message.type == "note_on":
            came.append((NOW(), message.note))

    with Ports() as ports:
        source, out = (where, where) if where.startswith("socket") else (NAME, NAME)
        send = ports.output(out)
        ports.listen(source, heard)
        pipe.send("there")
        began, period, turns = pipe.recv()
        for number in range(turns):
            for step, pitch in CALL:
                for at, kind in ((step, "note_on"), (step + 18, "note_off")):
                    time.sleep(max(0.0, began + (2 * number * BAR + at) * period - NOW()))
                    send(Message(kind, note=pitch, velocity=80))
        time.sleep(seconds)
        pipe.send(came)
        pipe.recv()


def busy() -> None:
    """Keep a core busy."""
    while True:
        pass


@contextmanager
def server(ports: str) -> Any:
    """A JACK server that needs no sound card."""
    if ports != "jack":
        yield
        return
    if shutil.which("jackd") is None:
        sys.exit("There is no jackd here; install jackd2, or choose --ports socket.")
    os.environ.update(JACK_DEFAULT_SERVER=SERVER, MIDO_BACKEND="mido.backends.rtmidi/UNIX_JACK")
    mido.set_backend(os.environ["MIDO_BACKEND"])  # of this process; others look into the environment
    command = ["jackd", "-n", SERVER, "-r", "-d", "dummy", "-r", "48000", "-p", "64"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(2)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def measured(late: Sequence[float]) -> str:
    """p50, p95, p99 and the worst, in milliseconds."""
    found = sorted(second * 1000 for second in late)

    def at(share: float) -> float:
        return found[min(int(share * len(found)), len(found) - 1)]

    return f"p50 {at(0.5):6.2f}  p95 {at(0.95):6.2f}  p99 {at(0.99):6.2f}  worst {found[-1]:7.2f}  (n {len(found)})"


def report(what: str, late: Sequence[float]) -> None:
    middle = statistics.median(late)
    print(f"  {what:28} {measured(late)}", flush=True)
    print(f"  {'  from its own median':28} {measured([abs(one - middle) for one in late])}", flush=True)


def matched(came: Sequence[tuple[float, int]], due: Sequence[tuple[float, int]]) -> list[float | None]:
    """For each note that was due, by how many seconds it came later; None for one that did not come."""
    waiting, late = list(came), []
    for when, pitch in due:
        found = next((i for i, (at, one) in enumerate(waiting[:8]) if one == pitch and abs(at - when) < 0.25), None)
        late.append(None if found is None else waiting.pop(found)[0] - when)
    return late


def bare(send: Callable[[Any], None], pipe: Any, period: float, turns: int) -> None:
    """A loop that sleeps and sends, in the bars of the answers."""
    began = NOW() + 1
    pipe.send((began, period, 0))
    due = []
    for number in range(turns):
        for step, pitch in CALL:
            when = began + ((2 * number + 1) * BAR + step) * period
            time.sleep(max(0.0, when - NOW()))
            send(Message("note_on", note=pitch, velocity=80))
            due.append((when, pitch))
            time.sleep(10 * period)
            send(Message("note_off", note=pitch))
    late = [one for one in matched(pipe.recv(), due) if one is not None]
    pipe.send("done")
    report("bare loop, all notes", late)


def jam(send: Callable[[Any], None], inbox: Inbox, pipe: Any, qpm: float, turns: int) -> None:
    """The session itself."""
    settings = Settings(bars=1, seed=1)
    first = Ask(0, "new", 1, settings.metre, 1)
    with WriterProcess("repertoire", first) as writer:
        began = NOW() + 1
        clock = InternalClock(qpm, began)
        session = Session(settings, "call-response", clock, Sender(send), writer)
        pipe.send((began, clock.time_of(1) - clock.time_of(0), turns))
        run(session, inbox, 1 + turns * 2 * BAR * 2.5 / qpm)
    due = [(clock.time_of(note.onset), note.pitch, note.onset) for note in session.player.played]
    late = matched(pipe.recv(), [(when, pitch) for when, pitch, _ in due])
    pipe.send("done")
    firsts: dict[int, float] = {}
    for (_, _, step), one in zip(due, late, strict=True):
        if one is not None:
            firsts.setdefault(int(step // BAR), one)
    report("first notes of answers", list(firsts.values()))
    report("all notes", [one for one in late if one is not None])
    report("left the sender", session.sender.recent())
    missing = sum(one is None for one in late)
    late_ones = session.stage.late
    print(f"  {len(firsts)} of {turns} turns answered, {late_ones} after their bar line, {missing} notes lost; "
          f"written in {max(session.stage.seconds, default=0) * 1000:.0f} ms at most of the last 16")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=1000)
    parser.add_argument("--ports", choices=("jack", "socket"), default="jack" if shutil.which("jackd") else "socket")
    parser.add_argument("--busy", action="store_true", help="keep one core busy meanwhile")
    parser.add_argument("--bpm", type=float, default=480.0)
    options = parser.parse_args()
    period = 2.5 / options.bpm
    context = get_context("spawn")
    with ExitStack() as stack:
        stack.enter_context(server(options.ports))
        if options.busy:
            spinning = context.Process(target=busy, daemon=True)
            spinning.start()
            stack.callback(spinning.terminate)
        print(f"{options.turns} turns at {options.bpm:g} bpm over {options.ports}"
              f"{', one core kept busy' if options.busy else ''}; milliseconds", flush=True)  # fmt: skip
        for what in ("bare", "jam"):
            with Ports() as ports:
                inbox = Inbox()
                ours, theirs = context.Pipe()
                where = f"socket://127.0.0.1:{SOCKET}"
                seconds = options.turns * 2 * BAR * period + 2 if what == "bare" else 1.5
                child = context.Process(
                    target=player, args=(theirs, where if options.ports == "socket" else NAME, seconds)
                )
                if options.ports == "jack":
                    send = ports.virtual(NAME, inbox.from_player)
                    child.start()
                else:
                    child.start()
                    waiting = f"socket://:{SOCKET}"
                    ports.listen(waiting, inbox.from_player)
                    send = ports.output(waiting)
                assert ours.recv() == "there"
                if what == "bare":
                    bare(send, ours, period, options.turns)
                else:
                    jam(send, inbox, ours, options.bpm, options.turns)
                child.join(5)
                child.terminate()


if __name__ == "__main__":
    main()
