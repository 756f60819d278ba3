"""How late `melodygru jam` is: real ports, real time, a real model, and a player in a process of its own.

    python benchmarks/bench_live.py [--turns 1000] [--ports jack|socket] [--busy] [--bpm 400]

The player strikes three notes in each bar of 2/4 that is its own; the answer comes in the next bar. Each note that
comes back is compared with the second at which its step is: of answers' first notes that is the time from handing over
to the first note; how far all notes are from their median is the jitter. In the same bars two bare loops only sleep
and send, each in a process of its own and through ports of its own: one as any program runs, one as urgent as our
sender. The difference to them is ours. As a user who may not have real time sees it:

    setpriv --bounding-set -sys_nice --inh-caps -sys_nice python benchmarks/bench_live.py

With `--ports jack` a JACK server with a dummy driver of 64 frames (1.3 ms) is started, in synchronous mode: in the
asynchronous one, the server's own choice, it loses and doubles messages when clients are not done within a period.
With `--ports socket` it is mido's MIDI over TCP. 1,000 turns take 10 minutes at 400 bpm.
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
from contextlib import ExitStack, contextmanager, nullcontext
from multiprocessing import get_context
from random import Random
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
from melodygru.live.urgency import SENDS, urgent
from melodygru.live.writer import WriterProcess
from melodygru.music.theory import TimeSignature

NAME = SERVER = "melodygru-bench"
BARES = ("bare loop", "bare loop, as urgent")
SOCKET = 9417
CALL = ((0, 60), (12, 64), (24, 67))
"""Steps and pitches that the player strikes in its bar."""
METRE = TimeSignature(2, 4)
BAR = METRE.bar_steps
AHEAD = 8
"""Notes among which the next one that came is looked for: more would have to be lost in a row to lose the thread."""
LATEST = 0.5
"""Seconds after which a note that comes must be another one of that pitch."""

Notes = list[tuple[float, int]]
"""Seconds and pitches, in order."""


def listener(ports: Ports, source: str) -> Notes:
    """What comes from a port, from now on."""
    came: Notes = []

    def heard(message: Any) -> None:
        if message.type == "note_on":
            came.append((NOW(), message.note))

    ports.listen(source, heard)
    return came


def player(pipe: Any, number: int) -> None:
    """In a process of its own: play the calls (as number 0, to the session), and say when each note came back."""
    with Ports() as ports:
        where = f"socket://127.0.0.1:{SOCKET + number}" if pipe.recv() == "socket" else NAMES[number]
        send = ports.output(where) if number == 0 else None
        came = listener(ports, where)
        pipe.send("there")
        began, period, turns = pipe.recv()
        for turn in range(turns if send is not None else 0):
            for step, pitch in CALL:
                for at, kind in ((step, "note_on"), (step + 9, "note_off")):
                    time.sleep(max(0.0, began + (2 * turn * BAR + at) * period - NOW()))
                    send(Message(kind, note=pitch, velocity=80))
        pipe.recv()
        pipe.send(came)


NAMES = (NAME, f"{NAME}-plain", f"{NAME}-urgent")


def opened(ports: Ports, kind: str, number: int, heard: Callable[[Any], None], pipe: Any) -> Callable[[Any], None]:
    """Our side of a pair of ports, once the other side is there."""
    if kind == "jack":
        send = ports.virtual(NAMES[number], heard)
        pipe.send(kind)
    else:
        where = f"socket://:{SOCKET + number}"
        pipe.send(kind)
        ports.listen(where, heard)
        send = ports.output(where)
    assert pipe.recv() == "there"
    return send


def bare(kind: str, number: int, pipe: Any) -> None:
    """In a process of its own: a loop that sleeps and sends, three notes at random in each bar of the answers."""
    context, chance = get_context("spawn"), Random(number)
    ours, theirs = context.Pipe()
    child = context.Process(target=player, args=(theirs, number), daemon=True)
    child.start()
    with Ports() as ports, urgent(SENDS) if number == 2 else nullcontext():
        send = opened(ports, kind, number, lambda _: None, ours)
        pipe.send("there")
        began, period, turns = pipe.recv()
        ours.send((began, period, turns))
        due: Notes = []
        for turn in range(turns):
            for step, pitch in zip(sorted(chance.sample(range(BAR - 4), 3)), (60, 64, 67), strict=True):
                when = began + ((2 * turn + 1) * BAR + step) * period
                time.sleep(max(0.0, when - NOW()))
                send(Message("note_on", note=pitch, velocity=80))
                due.append((when, pitch))
                send(Message("note_off", note=pitch))
        time.sleep(1)
        ours.send("done")
        pipe.send((due, ours.recv()))
        child.join(5)


def busy() -> None:
    """Keep a core busy."""
    while True:
        pass


def in_real_time() -> bool:
    """Whether this user may have threads in real time."""
    with urgent(SENDS):
        return hasattr(os, "SCHED_FIFO") and os.sched_getscheduler(0) & os.SCHED_FIFO != 0


@contextmanager
def server(kind: str) -> Any:
    """A JACK server that needs no sound card."""
    if kind != "jack":
        yield
        return
    if shutil.which("jackd") is None:
        sys.exit("There is no jackd here; install jackd2, or choose --ports socket.")
    os.environ.update(JACK_DEFAULT_SERVER=SERVER, MIDO_BACKEND="mido.backends.rtmidi/UNIX_JACK")
    mido.set_backend(os.environ["MIDO_BACKEND"])  # of this process; others look into the environment
    command = ["jackd", "-n", SERVER, "-S", "-R" if in_real_time() else "-r"]
    command += ["-d", "dummy", "-r", "48000", "-p", "64"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(2)
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def matched(due: Notes, came: Notes) -> list[float | None]:
    """For each note that was due, by how many seconds it came later; None for one that did not come."""
    late: list[float | None] = []
    first = 0
    for when, pitch in due:
        those = range(first, min(first + AHEAD, len(came)))
        found = next((i for i in those if came[i][1] == pitch and came[i][0] < when + LATEST), None)
        late.append(None if found is None else came[found][0] - when)
        first = first if found is None else found + 1
    return late


SHARES = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99), ("worst", 1.0))


def at_shares(late: Sequence[float]) -> list[float]:
    """Milliseconds at each of `SHARES`."""
    found = sorted(second * 1000 for second in late)
    return [found[min(int(share * len(found)), len(found) - 1)] for _, share in SHARES]


def spread(late: Sequence[float]) -> list[float]:
    """How far each is from the median: jitter."""
    middle = statistics.median(late)
    return [abs(one - middle) for one in late]


def row(what: str, found: Sequence[float], n: int | None = None) -> None:
    """One line of the table."""
    words = "".join(f"{one:9.2f}" for one in found)
    print(f"  {what:45}{words}{'' if n is None else f'   {n:6}'}", flush=True)


def report(session: Session, due: Sequence[tuple[float, int, float]], came: Notes, bares: Sequence[Any]) -> None:
    """The table of all that was measured; `due` has steps too, `bares` what was due and what came of each loop."""
    late = matched([(when, pitch) for when, pitch, _ in due], came)
    by_bar: dict[int, float] = {}
    for (_, _, step), one in zip(due, late, strict=True):
        if one is not None:
            by_bar.setdefault(int(step // BAR), one)
    firsts, ours = list(by_bar.values()), [one for one in late if one is not None]
    left = session.sender.recent()
    print(f"  {'':45}" + "".join(f"{name:>9}" for name, _ in SHARES) + "        n")
    row("handover to first note, after its bar line", at_shares(firsts), len(firsts))
    row("all notes, after their time", at_shares(ours), len(ours))
    row("all notes, jitter", at_shares(spread(ours)), len(ours))
    row("as they left the sender, after their time", at_shares(left), len(left))
    for name, (theirs_due, theirs_came) in zip(BARES, bares, strict=True):
        theirs = [one for one in matched(theirs_due, theirs_came) if one is not None]
        row(f"{name}: after their time", at_shares(theirs), len(theirs))
        row(f"{name}: jitter", at_shares(spread(theirs)), len(theirs))
        for what, own, other in (("first notes", firsts, theirs), ("jitter", spread(ours), spread(theirs))):
            row(f"  {what}: ours less that", [a - b for a, b in zip(at_shares(own), at_shares(other), strict=True)])
        print(f"  {name}: {len(theirs_due) - len(theirs)} of {len(theirs_due)} notes lost, {len(theirs_came)} came")
    print(f"  ours: {len(due) - len(ours)} of {len(due)} notes lost, {len(came)} came")
    seconds = max(session.stage.seconds, default=0.0)
    print(f"  {len(firsts)} turns answered, {session.stage.late} after their bar line; "
          f"written in {seconds * 1000:.0f} ms at most of the last 16")  # fmt: skip


def measure(kind: str, qpm: float, turns: int) -> None:
    """Play, and print what came of it."""
    context, period = get_context("spawn"), 2.5 / qpm
    pipes = [context.Pipe() for _ in NAMES]
    with Ports() as ports:
        inbox = Inbox()
        child = context.Process(target=player, args=(pipes[0][1], 0), daemon=True)
        child.start()
        send = opened(ports, kind, 0, inbox.from_player, pipes[0][0])
        loops = [context.Process(target=bare, args=(kind, number, pipes[number][1])) for number in (1, 2)]
        for loop, (pipe, _) in zip(loops, pipes[1:], strict=True):
            loop.start()
            assert pipe.recv() == "there"
        settings = Settings(bars=1, metre=METRE, seed=1)
        with WriterProcess("repertoire", Ask(0, "new", 1, METRE, 1)) as writer:
            began = NOW() + 1
            clock = InternalClock(qpm, began)
            session = Session(settings, "call-response", clock, Sender(send), writer)
            for pipe, _ in pipes:
                pipe.send((began, period, turns))
            run(session, inbox, 1 + turns * 2 * BAR * period)
        time.sleep(0.5)
        due = [(clock.time_of(note.onset), note.pitch, note.onset) for note in session.player.played]
        pipes[0][0].send("done")
        report(session, due, pipes[0][0].recv(), [pipe.recv() for pipe, _ in pipes[1:]])
        for process in (child, *loops):
            process.join(5)
            process.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--turns", type=int, default=1000)
    parser.add_argument("--ports", choices=("jack", "socket"), default="jack" if shutil.which("jackd") else "socket")
    parser.add_argument("--busy", action="store_true", help="keep one core busy meanwhile")
    parser.add_argument("--bpm", type=float, default=400.0)
    options = parser.parse_args()
    with ExitStack() as stack:
        stack.enter_context(server(options.ports))
        if options.busy:
            spinning = get_context("spawn").Process(target=busy, daemon=True)
            spinning.start()
            stack.callback(spinning.terminate)
        print(f"{options.turns} turns at {options.bpm:g} bpm over {options.ports}, "
              f"{'in real time' if in_real_time() else 'without real time'}"
              f"{', one core kept busy' if options.busy else ''}; milliseconds", flush=True)  # fmt: skip
        measure(options.ports, options.bpm, options.turns)


if __name__ == "__main__":
    main()
