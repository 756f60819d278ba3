"""Signals, and processes that end with those that started them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from melodygru.system import Stopped, by_processes, deaf, run_quietly, stoppable

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals")

SLEEPERS = """
import sys, time
from tests.test_system import sleep_long
from melodygru.system import by_processes, stoppable

if __name__ == "__main__":
    with stoppable():
        for _ in by_processes(sleep_long, [(sys.argv[1], name) for name in "ab"], 2):
            pass
"""


def double(number):
    return 2 * number


def sleep_long(folder, name):
    Path(folder, name).write_text(str(os.getpid()))
    time.sleep(600)


def wait_for(what, seconds=60.0):
    """The first true value of it."""
    until = time.monotonic() + seconds
    while not (found := what()):
        assert time.monotonic() < until
        time.sleep(0.01)
    return found


def alive(pid):
    """Whether there is such a process, which has not ended (one that nobody waits for has)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_processes_answer_in_order_and_end():
    assert list(by_processes(double, [(i,) for i in range(9)], 2)) == [2 * i for i in range(9)]
    answers = by_processes(double, [(i,) for i in range(99)], 2)
    assert next(answers) == 0
    answers.close()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at processes")
@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGKILL"])
def test_however_a_process_is_stopped_those_that_it_started_end_at_once(tmp_path, name):
    script = tmp_path / "sleepers.py"
    script.write_text(SLEEPERS)
    begun = tmp_path / "begun"
    begun.mkdir()
    with subprocess.Popen(
        [sys.executable, str(script), str(begun)],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent.parent), *sys.path])},
    ) as process:
        wait_for(lambda: sum(bool(path.read_text()) for path in begun.iterdir()) == 2)
        pids = [int(path.read_text()) for path in begun.iterdir()]
        if name == "SIGINT":
            os.killpg(process.pid, signal.SIGINT)  # as a terminal does: all of them get it
        else:
            process.send_signal(getattr(signal, name))
        process.wait(20)
        wait_for(lambda: not any(map(alive, pids)), 20)
        said = process.stderr.read()
    # The one traceback is that of the process that was stopped, which is a script here and no command.
    assert said.count("Traceback") == (name != "SIGKILL")
    assert "in sleep_long" not in said


def test_what_is_heard_while_processes_start_is_heard_after():
    masks = []

    def start(number):
        with stoppable(), deaf():
            signal.raise_signal(number)
            masks.append(signal.pthread_sigmask(signal.SIG_BLOCK, ()))

    for number in (signal.SIGINT, signal.SIGTERM):
        with pytest.raises(Stopped) as heard:
            start(number)
        assert heard.value.signum == number
    assert [signal.SIGINT in mask for mask in masks] == [True, True]
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_the_system_stops_us_as_ctrl_c_does_unless_it_is_not_to(monkeypatch):
    for number in (signal.SIGINT, signal.SIGTERM):
        with pytest.raises(Stopped), stoppable():
            signal.raise_signal(number)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        with stoppable():
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "none")
    with stoppable():
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks at processes")
def test_a_program_ends_with_all_that_it_started(tmp_path):
    assert run_quietly([sys.executable, "-c", "raise SystemExit(3)"]) == 3
    note = tmp_path / "pid"
    with pytest.raises(subprocess.TimeoutExpired):
        run_quietly(["sh", "-c", f"sh -c 'echo $$ > {note}; sleep 600'; true"], 0.5)
    pid = int(wait_for(note.read_text))
    wait_for(lambda: not alive(pid))
