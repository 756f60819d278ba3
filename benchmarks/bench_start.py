"""How long until something happens? Whole processes, from the shell's side.

    python benchmarks/bench_start.py

The floor is `python -c "import numpy"`: no program that needs NumPy can be faster.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tables import best_of, machine, print_table

ROOT = Path(__file__).parent.parent
COMMANDS = {
    'python -c "import numpy" (the floor)': ["-c", "import numpy"],
    "melodygru --help": ["-m", "melodygru", "--help"],
    "melodygru generate --bars 16": ["-m", "melodygru", "generate", "--bars", "16", "--seed", "1", "--force"],
    "the same, the first melody drawn (--best-of 1)": [
        *("-m", "melodygru", "generate", "--bars", "16", "--seed", "1", "--best-of", "1", "--force")
    ],
    "melodygru tokens (a file as events)": ["-m", "melodygru", "tokens"],
    'python -c "import torch" (what generate does without)': ["-c", "import torch"],
    "Magenta melody_rnn, before the first note (quoted)": 4.7,
}


def main():
    print(machine())
    rows = []
    # Compiled modules are kept, as they are wherever a package is installed.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path[1:2]])}
    floor = None
    with tempfile.TemporaryDirectory() as folder:
        tune = Path(folder) / "tune.mid"
        for name, command in COMMANDS.items():
            if isinstance(command, float):
                seconds = command
            else:
                added = [str(tune)] if "generate" in command or "tokens" in command else []
                whole = [sys.executable, *command, *added]
                seconds = best_of(
                    9, lambda whole=whole: subprocess.run(whole, env=environment, check=True, capture_output=True)
                )
            floor = floor or seconds
            rows.append([f"{seconds / floor:.1f}", f"{1000 * seconds:,.0f}", name])
    print_table("Start-up", ["times the floor", "milliseconds", "what"], rows)


if __name__ == "__main__":
    main()
