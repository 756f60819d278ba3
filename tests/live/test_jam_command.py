"""`melodygru jam` as it is typed, and what it shows."""

import socket
import threading
import time

import pytest
from mido import MidiFile
from mido.sockets import SocketPort
from rich.console import Console

from melodygru.cli import jam_screen
from melodygru.errors import UsageError
from tests.command_line import run
from tests.live.evening import Evening


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--mode", "solo"], "mode is 'solo'"),
        (["--bars", "17"], "bars"),
        (["--channel", "17"], "channel is 17; choose 1 to 16"),
        (["--cc-temperature", "120"], "cc-temperature is 120"),
        (["--minutes", "0"], "minutes"),
        (["--record", "out.wav"], "does not end in .mid"),
        (["--key", "H"], "key"),
        (["--meter", "4/5"], "4/5"),
        (["--amount", "2"], "amount"),
        (["--in", "socket://x"], "socket://host:port"),
    ],
)
def test_what_is_wrong_is_said_before_anything_begins(arguments, words, capsys):
    assert run("jam", *arguments) in (1, 2)
    said = capsys.readouterr()
    assert words in said.err
    assert said.out == ""


def test_one_port_alone_is_not_enough(capsys):
    number, ports, thread = caller()
    assert run("jam", "--out", f"socket://:{number}") == 2
    thread.join()
    hang_up(ports[0])
    assert "--out alone leaves nothing to listen to" in capsys.readouterr().err


def caller():
    """A free port, what will be connected to it, and the thread that does that."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        number = free.getsockname()[1]
    ports = []
    thread = threading.Thread(target=call, args=(number, ports))
    thread.start()
    return number, ports, thread


def call(number, ports):
    """Connect to a session that is about to wait."""
    while not ports:
        try:
            link = socket.create_connection(("127.0.0.1", number))
        except OSError:  # noqa: PERF203 -- not there yet
            time.sleep(0.01)
        else:
            ports.append(SocketPort("127.0.0.1", number, conn=link))


def hang_up(port):
    """Close a port with the files that mido leaves open."""
    for file in (port._rfile, port._wfile, port):
        file.close()


def test_a_session_from_beginning_to_end(tmp_path, capsys):
    number, ports, thread = caller()
    where, out = f"socket://:{number}", tmp_path / "session.mid"
    code = run("jam", "--mode", "loop", "--in", where, "--out", where, "--model", "folk", "--bpm", 1000, "--bars", 1,
               "--seed", 5, "--minutes", 0.03, "--record", out)  # fmt: skip
    thread.join()
    assert code == 0
    said = capsys.readouterr().out
    assert f"loop: listens to {where}, plays to {where}, in 4/4, 1000 bpm of its own, seed 5" in said
    assert f"Wrote {out}." in said
    assert any(message.type == "note_on" for message in MidiFile(out).tracks[2])
    sent = list(ports[0].iter_pending())
    assert sum(one.type == "note_on" for one in sent) == sum(one.type == "note_off" for one in sent) > 0
    hang_up(ports[0])


def test_the_panel_shows_what_was_heard_and_what_is_coming():
    evening = Evening("call-response", bars=2)
    evening.play((0, 60, 20), (24, 64, 20), (48, 67, 20))
    evening.until(191)
    view = evening.session.view(evening.now)
    assert (view.bar, view.beat, view.beats, view.running) == (2, 4, 4, True)
    assert {pitch for _, _, pitch in view.heard} == {60, 64, 67}
    assert {pitch for _, _, pitch in view.coming} >= {74, 76}
    console = Console(width=90)
    with console.capture() as captured:
        console.print(jam_screen.panel(view, 1.5))
    text = captured.get()
    assert "bar 2, beat 4, 125.0 bpm" in text
    assert "█" in text
    assert "▒" in text
    assert "1.5 ms late" in text


def test_the_roll_has_room_for_any_pitch():
    evening = Evening("call-response")
    evening.play((0, 0, 20), (24, 127, 20))
    picture = jam_screen.roll(evening.session.view(evening.now)).plain.splitlines()
    assert len(picture) <= jam_screen.ROWS
    assert all(len(line) == jam_screen.COLUMNS + 5 for line in picture)


def test_plain_lines_are_printed_when_the_turn_changes(capsys):
    evening = Evening("call-response")
    with jam_screen.screen(evening.session, lambda: evening.now) as show:
        for step in range(0, 220, 10):
            evening.until(step)
            if step == 10:
                evening.hear("note_on", note=60, velocity=80)
            show()
    turns = [line.split(": ")[1] for line in capsys.readouterr().out.splitlines()]
    assert turns == ["listens.", "answers.", "listens."]
    assert jam_screen.lateness(evening.sender) >= 0


def test_modes_are_those_that_there_are():
    from melodygru.cli.jam_command import MODES
    from melodygru.live import modes

    assert tuple(modes.MODES) == MODES
    with pytest.raises(UsageError):
        Evening("none")
