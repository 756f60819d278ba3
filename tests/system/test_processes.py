"""Processes that share work out: they answer in order, and end with those that started them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from melodygru.system.processes import by_processes
from tests.living import alive, wait_for

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals")

SLEEPERS = """
import sys, time
from tests.system.test_processes import sleep_long
from melodygru.system.processes import by_processes
from melodygru.system.signals import stoppable

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
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2]), *sys.path])},
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
