"""Ports by name, sockets, and a session in real time on a port that is none."""

import socket
import sys
import threading
import time
from functools import partial
from types import SimpleNamespace

import pytest
from mido import Message

from melodygru.errors import FileError, MelodyGRUError, UsageError
from melodygru.live import jam, ports
from melodygru.live.clock import InternalClock
from melodygru.live.composing import Answer
from melodygru.live.jack import JackWatch
from melodygru.live.sender import LostPortError, Sender
from melodygru.live.session import Session
from melodygru.live.stage import Settings
from melodygru.live.tempo import tempo_of
from melodygru.live.writer import SimulatedWriter
from melodygru.music.melody import Note
from tests.command_line import run


class System:
    """mido, with ports that are none."""

    def __init__(self):
        self.opened, self.works = [], True
        self.backend = SimpleNamespace(load=lambda: None)

    def get_input_names(self):
        return ["Keys 1", "Keys 2", "Pads", "Pads"]

    def get_output_names(self):
        return ["Synth"]

    def open_input(self, name, **more):
        return self._open(name, **more)

    open_output = open_input

    def _open(self, name, **more):
        if not self.works:
            raise OSError("busy")
        port = SimpleNamespace(name=name, closed=False, send=print, **more)
        port.close = lambda: setattr(port, "closed", True)
        self.opened.append(port)
        return port


@pytest.fixture
def system(monkeypatch):
    found = System()
    monkeypatch.setattr(ports, "backend", lambda: found)
    return found


def test_ports_are_found_by_a_part_of_their_name():
    assert ports.chosen("Pads", ["Pads", "Pads 2"], "MIDI input") == "Pads"
    assert ports.chosen("pad", ["Keys", "Pads"], "MIDI input") == "Pads"
    with pytest.raises(UsageError, match="one of several: Keys 1; Keys 2"):
        ports.chosen("keys", ["Keys 1", "Keys 2"], "MIDI input")
    with pytest.raises(UsageError, match="there are: Keys"):
        ports.chosen("Drums", ["Keys"], "MIDI input")
    with pytest.raises(UsageError, match="nor any other"):
        ports.chosen("Drums", [], "MIDI input")


def test_ports_are_opened_and_closed(system):
    heard = []
    with ports.Ports() as opened:
        opened.listen("pads", heard.append)
        assert opened.output("synth") is print
    assert [port.name for port in system.opened] == ["Pads", "Synth"]
    assert all(port.closed for port in system.opened)
    system.opened[0].callback("x")
    assert heard == ["x"]
    system.works = False
    with ports.Ports() as opened, pytest.raises(FileError, match="'Synth' cannot be opened"):
        opened.output("Synth")


@pytest.mark.skipif(sys.platform == "win32", reason="has no virtual ports")
def test_virtual_ports_are_both(system):
    with ports.Ports() as opened:
        opened.virtual("mine", print)
    assert [(port.name, port.virtual) for port in system.opened] == [("mine", True), ("mine", True)]


def test_a_backend_that_is_missing_is_said_with_what_to_install(monkeypatch):
    import mido

    def missing():
        raise ImportError("No module named 'rtmidi'")

    monkeypatch.setattr(mido, "backend", SimpleNamespace(load=missing))
    with pytest.raises(MelodyGRUError, match=r"python-rtmidi.*pip install \"melodygru\[live\]\""):
        ports.backend()


@pytest.mark.parametrize("error", [ImportError("No module named 'x'"), OSError("no such library")])
def test_a_backend_that_was_chosen_and_does_not_work_is_named(error, monkeypatch):
    import mido

    def missing():
        raise error

    monkeypatch.setattr(mido, "backend", SimpleNamespace(load=missing))
    monkeypatch.setenv(ports.BACKEND, "mido.backends.x")
    with pytest.raises(MelodyGRUError, match=r"MIDO_BACKEND is 'mido.backends.x'.*unset it"):
        ports.backend()


def test_a_system_without_midi_is_said_with_what_needs_none(system, monkeypatch):
    def none():
        raise OSError("no sequencer.")

    monkeypatch.setattr(system, "get_input_names", none)
    for platform, words in (("linux", "modprobe snd-seq"), ("darwin", "MIDI over TCP")):
        monkeypatch.setattr(ports.sys, "platform", platform)
        with pytest.raises(MelodyGRUError, match=rf"\(no sequencer\).*{words}"), ports.Ports() as opened:
            opened.virtual("mine", print)


class Driver:
    """What python-rtmidi has in a port."""

    def __init__(self, there):
        self.there = there

    def get_ports(self):
        return self.there

    def get_current_api(self):
        return -1

    close_port = delete = cancel_callback = lambda self: None


def test_a_port_that_the_system_no_longer_has_is_missed(system, monkeypatch):
    driver = Driver(["Synth"])
    usual = system._open
    monkeypatch.setitem(sys.modules, "rtmidi", SimpleNamespace(API_UNIX_JACK=3))
    monkeypatch.setattr(ports, "_LAST", 0)

    def opened(name, **more):
        port = usual(name, **more)
        port._rt = driver
        return port

    monkeypatch.setattr(system, "open_output", opened)
    with ports.Ports() as found:
        found.output("Synth")
        found.check()
        driver.there = ["Other"]
        with pytest.raises(LostPortError, match="'Synth' is gone"):
            found.check()


def test_jack_that_has_ended_is_missed_and_one_that_cannot_be_watched_is_not():
    with ports.Ports() as found:
        found._jack = JackWatch()  # where JACK is not installed or does not run: nothing is known
        found.check()
        found._jack._hear(None)
        with pytest.raises(LostPortError, match="JACK server has ended"):
            found.check()


def test_who_waits_for_a_connection_says_so(monkeypatch):
    told = []
    monkeypatch.setattr(ports, "_Socket", lambda host, port: SimpleNamespace(send=print, close=lambda: None))
    with ports.Ports(told.append) as opened:
        opened.output("socket://:9000")
        opened.output("socket://:9000")
        opened.output("socket://else:9001")
    assert told == ["waiting for somebody to connect to socket://:9000"]


def test_what_is_to_be_checked_is_checked_each_second():
    session = Session(Settings(), "loop", InternalClock(120, 0.0), Sender(lambda _: None), Silent())
    times = iter(range(10**6))

    def check():
        raise LostPortError("gone")

    with pytest.raises(LostPortError):
        jam.run(session, jam.Inbox(), 1e6, check=check, now=lambda: next(times) * 0.1)


class Silent:
    """A writer who writes nothing."""

    def ask(self, ask):
        """See `Writer`."""

    def answers(self):
        """See `Writer`."""
        return []


def test_the_command_lists_ports(system, capsys):
    assert run("ports") == 0
    assert capsys.readouterr().out.split("\n") == [
        "Inputs:",
        "  Keys 1",
        "  Keys 2",
        "  Pads",
        "Outputs:",
        "  Synth",
        "",
    ]


@pytest.mark.parametrize("name", ["socket://x", "socket://host:0", "socket://host:70000"])
def test_sockets_that_are_none_are_refused(name):
    with ports.Ports() as opened, pytest.raises(UsageError):
        opened.output(name)


def test_a_socket_that_nobody_waits_at_is_said():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    with ports.Ports() as opened, pytest.raises(FileError, match="anybody there"):
        opened.output(f"socket://127.0.0.1:{number}")


def test_midi_goes_through_a_socket_both_ways():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    heard, came = [], threading.Event()

    def take(message):
        heard.append(message)
        came.set()

    with ports.Ports() as waiting, ports.Ports() as calling:
        server = threading.Thread(target=lambda: waiting.listen(f"socket://:{number}", take))
        server.start()
        for _ in range(1000):
            try:
                send = calling.output(f"socket://127.0.0.1:{number}")
                break
            except FileError:
                time.sleep(0.005)
        server.join()
        send(Message("note_on", note=60))
        assert came.wait(10)
    assert heard == [Message("note_on", note=60)]


def test_a_session_that_is_stopped_ends_in_silence():
    sent, inbox = [], jam.Inbox()
    notes = (Note(60, 0, 96),)
    writer = SimulatedWriter(lambda ask: Answer(ask.number, notes), jam.NOW, lambda: 0.0)
    session = Session(Settings(bars=1), "loop", InternalClock(1000, jam.NOW()), Sender(sent.append), writer)
    inbox.from_both(Message("note_on", note=40))
    inbox.from_clock(Message("note_on", note=41))
    inbox.from_player(Message("clock"))

    def stop():
        if len(sent) > 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        jam.run(session, inbox, seconds=60, show=stop)
    kinds = [message.type for message in sent]
    assert kinds.count("note_on") == kinds.count("note_off")
    assert kinds[-1] == "control_change"
    assert session.stage.listener.held == frozenset()
    assert sys.getswitchinterval() == pytest.approx(0.005)


def test_too_few_onsets_have_no_tempo():
    assert tempo_of([0.0, 0.5, 1.0]) is None
    assert tempo_of([0.0, 0.1, 0.2, 0.3, 0.4, 0.5]) is None


@pytest.mark.parametrize("qpm", [90, 110, 120, 140])
def test_the_tempo_of_a_plain_rhythm_is_heard(qpm):
    beats = (0, 1, 1.5, 2, 3, 4, 4.5, 5, 5.5, 6, 7)
    assert tempo_of([3 + beat * 60 / qpm for beat in beats]) == pytest.approx(qpm, rel=0.02)


def test_nothing_is_heard_any_more_while_a_port_is_closed():
    done = []
    steps = ("cancel_callback", "close_port", "delete")
    own = SimpleNamespace(**{name: partial(done.append, name) for name in steps})
    port = SimpleNamespace(_rt=own, closed=False, close=lambda: done.append("mido's own"))
    with ports.Ports() as opened:
        opened._open.append(port)
    assert done == ["cancel_callback", "close_port", "delete"]
    assert port.closed
