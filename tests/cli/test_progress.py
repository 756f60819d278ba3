"""What a command says while it works, and how it ends when it is stopped."""

import io
import json
import os
import re
import subprocess
import sys
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodygru.cli import progress
from melodygru.cli.progress import Progress, tell
from melodygru.formats.midi.writer import write_midi
from tests.command_line import run
from tests.tunes import tune

LINE = re.compile(r"[a-z][\w .,:-]*?(: ([\d,]+ of [\d,]+ \(\d+%\)|\d+%( of [\d,]+)?))?, [\d:]+(, [\d:]+ left)?")
"""What a line of progress looks like."""


class Clock:
    """Stands still unless it is moved on."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Terminal(io.StringIO):
    """A terminal that standard output and error share, as far as carriage returns and line ends go."""

    def isatty(self):
        return True

    def screen(self):
        """The lines that are seen, without blanks at their ends."""
        seen = []
        for line in self.getvalue().split("\n"):
            cells = []
            for part in line.split("\r"):
                cells[: len(part)] = part
            seen.append("".join(cells).rstrip())
        return seen


DEEDS = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.floats(0.01, 40)),
        st.tuples(st.just("tell"), st.sampled_from(["reading files", "drawing melodies"]), st.integers(0, 9)),
        st.tuples(st.just("print"), st.sampled_from(["one", "two and more than that", "a" * 70])),
        st.tuples(st.just("warn"), st.just("mind")),
    ),
    max_size=40,
)


def done(deeds, stream, out, monkeypatch):
    """What standard output got by these deeds, the progress looked at after each; and when which line came."""
    clock, printed, when, size = Clock(), [], [], 0
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", stream)
    with Progress(now=clock) as shown:
        for kind, *rest in deeds:
            if kind == "wait":
                clock.now += rest[0]
            elif kind == "tell":
                tell(*rest, 9)
            else:
                printed.append(rest[0])
                print(rest[0], file=sys.stdout if kind == "print" else sys.stderr)
            size = len(stream.getvalue())
            shown.tick()
            if len(stream.getvalue()) > size:
                when.append((clock.now, stream.getvalue()[size:]))
    return printed, when


@given(DEEDS)
def test_where_there_is_no_terminal_lines_come_now_and_then(deeds):
    stream, out = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        _, when = done(deeds, stream, out, patch)
    assert out.getvalue() == "".join(f"{rest[0]}\n" for kind, *rest in deeds if kind == "print")
    assert all(LINE.fullmatch(line) for line in stream.getvalue().splitlines() if line != "mind")
    assert all(text.count("\n") == 1 and text.endswith("\n") for _, text in when)
    times = [at for at, _ in when]
    assert all(at >= 1 for at in times)
    assert all(later - at >= 1 for at, later in pairwise(times))


@given(DEEDS)
def test_on_a_terminal_nothing_is_left_but_what_was_printed(deeds):
    screen = Terminal()
    with pytest.MonkeyPatch.context() as patch:
        printed, when = done(deeds, screen, screen, patch)
    assert screen.screen() == [*printed, ""]
    assert all(at >= 1 for at, _ in when)


@pytest.mark.parametrize(("hours", "step"), [(0.5, 0.3), (3, 7.0), (10, 50.0)])
def test_a_long_wait_is_told_of_but_not_too_often(hours, step):
    """Whatever the ticks: about a line a minute at least, fewer than two hundred in the first hour."""
    clock, stream = Clock(), io.StringIO()
    shown, at = Progress(stream, clock), []
    while clock.now < 3600 * hours:
        clock.now += step
        before = stream.tell()
        shown.tick()
        if stream.tell() > before:
            at.append(clock.now)
    assert at[0] <= 1 + step
    assert max(later - one for one, later in pairwise(at)) <= 60 + step
    assert len(at) < 200 + 61 * hours


def test_what_is_counted_tells_how_much_is_left():
    clock, stream = Clock(), io.StringIO()
    shown = Progress(stream, clock)
    clock.now = 2
    shown.tell("reading files", 0, 1200)
    clock.now = 12
    shown.tell("reading files", 300, 1200)
    shown.tick()
    clock.now = 70
    shown.tell("drawing melodies", 0.5, 4)
    clock.now = 80
    shown.tell("drawing melodies", 1.5, 4)
    shown.tick()
    clock.now = 90
    shown.tell("drawing\x1b[2J", 0.5, 1)
    shown.tick()
    assert stream.getvalue().splitlines() == [
        "reading files: 300 of 1,200 (25%), 0:12, 0:30 left",
        "drawing melodies: 38% of 4, 1:20, 0:17 left",
        "drawing\N{REPLACEMENT CHARACTER}[2J: 50%, 1:30, 0:00 left",
    ]


def test_who_prints_is_told_of_no_more_until_it_tells():
    clock, stream = Clock(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stdout", io.StringIO())
        with Progress(stream, clock) as shown:
            print("Playing.")
            clock.now = 500
            shown.tick()
            assert stream.getvalue() == ""
            tell("reading files")
            shown.tick()
            assert stream.getvalue() == "reading files, 8:20\n"


def test_a_stream_that_is_closed_is_no_error():
    stream = io.StringIO()
    shown = Progress(stream, clock := Clock())
    stream.close()
    clock.now = 5
    shown.tick()
    shown.tick()


def test_of_several_processes_the_first_speaks(monkeypatch):
    for rank, said in (("0", "reading files, 0:05\n"), ("1", "")):
        monkeypatch.setenv("RANK", rank)
        clock, stream = Clock(), io.StringIO()
        shown = Progress(stream, clock)
        clock.now = 5
        shown.tell("reading files", 0, 0)
        shown.tick()
        assert stream.getvalue() == said


@pytest.fixture
def at_once(monkeypatch):
    """Whatever is told is shown at once."""
    told = Progress.tell

    def shown(self, *task):
        told(self, *task)
        self._shown = None
        self.tick()

    monkeypatch.setattr(progress, "FIRST_SECONDS", 0.0)
    monkeypatch.setattr(Progress, "tell", shown)


@pytest.fixture
def tunes(here):
    """A folder of tunes, and one of them as melodygru writes it."""
    (here / "tunes").mkdir()
    for number in range(3):
        write_midi(tune(number), here / "tunes" / f"{number}.mid")
    assert run("generate", "--model", "toy", "--bars", 4, "--seed", 1, "made.mid") == 0
    return here


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["generate", "--model", "toy", "--bars", 2, "--count", 3, "new.mid"], "drawing melodies: 100% of 3"),
        (["infill", "made.mid", "new.mid", "--model", "toy", "--bars", "2-3"], "drawing candidates: 100% of"),
        (["vary", "made.mid", "new.mid", "--model", "toy"], "drawing candidates: 100% of 8"),
        (["replay", "made.mid"], "drawing candidates: 100%,"),
        (["inspect", "tunes"], "reading files: 3 of 3 (100%)"),
        (["check", "tunes/0.mid", "tunes/1.mid"], "comparing files: 1 of 2 (50%)"),
        (["render", "made.mid", "made.wav"], "playing notes: 1 of"),
        (["score", "made.mid", "made.pdf"], "drawing pages: 0 of 1 (0%)"),
    ],
)
def test_json_stays_json_whatever_is_told(tunes, capsys, at_once, arguments, words):
    capsys.readouterr()
    assert run(*arguments, "--json") == 0
    said = capsys.readouterr()
    json.loads(said.out)
    assert words in said.err
    assert [line for line in said.err.splitlines() if not LINE.fullmatch(line)] == []


def test_prepare_and_train_tell_on_standard_error(tunes, capsys, at_once, monkeypatch):
    monkeypatch.setenv("MELODYGRU_CACHE", str(tunes / "cache"))
    assert run("prepare", "tunes") == 0
    assert "reading files: 3 of 3 (100%)" in capsys.readouterr().err
    assert run("train", "tunes", "--preset", "tiny", "--epochs", 1, "--val-data", "tunes", "--device", "cpu") == 0
    said = capsys.readouterr()
    assert "making the index of the music" in said.err
    assert "validating: tunes: 0 of 3 (0%)" in said.err
    assert "validating:" not in said.out


PRESSED = """
import os, signal, sys, threading
from melodygru.cli import main
from melodygru.cli.progress import Progress
told = Progress.tell
def once(self, what, done, total):
    told(self, what, done, total)
    if what == "drawing melodies" and done > 0:
        exec("os.kill(os.getpid(), signal.{name})")  # as within an import, where it is harder to end in good order
Progress.tell = once
sys.argv = ["melodygru", "generate", "--model", "toy", "--bars", "2", "--count", "600", "--seed", "1", "many.mid"]
main()
"""


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_command_that_is_stopped_says_so_and_leaves_nothing_half_written(here, name, code):
    ended = subprocess.run(
        [sys.executable, "-c", PRESSED.format(name=name)], capture_output=True, text=True, check=False, timeout=60
    )
    assert (ended.returncode, ended.stdout) == (code, "")
    assert [line for line in ended.stderr.splitlines() if not LINE.fullmatch(line)] == ["Stopped."]
    assert [path.name for path in here.iterdir()] == ["checkpoints"]


@pytest.mark.skipif(os.name == "nt", reason="there are no such terminals")
def test_on_a_real_terminal_the_line_is_gone_in_the_end(tunes):
    import pty

    code = (
        "import sys; from melodygru.cli import main, progress\n"
        "progress.FIRST_SECONDS = 0.0\n"
        "told = progress.Progress.tell\n"
        "progress.Progress.tell = lambda self, *task: (told(self, *task), self.tick())\n"
        "sys.argv = ['melodygru', 'render', 'made.mid', 'made.wav', '--json']\n"
        "main()"
    )
    ours, theirs = pty.openpty()
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=theirs) as process:
        os.close(theirs)
        seen = b""
        while part := _read(ours):
            seen += part
        json.loads(process.stdout.read())
    os.close(ours)
    screen = Terminal()
    screen.write(seen.decode())
    assert b"] playing notes: " in seen
    assert screen.screen() == [""]


def _read(terminal):
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux's word for the end
        return b""


def test_the_front_door_can_be_stopped(monkeypatch, capsys):
    from melodygru import __main__, cli

    def stopped():
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "main", stopped)
    with pytest.raises(SystemExit) as end:
        __main__.main()
    assert end.value.code == 130
    assert capsys.readouterr().err == "Stopped.\n"
    monkeypatch.setattr(cli, "main", lambda: None)
    __main__.main()
