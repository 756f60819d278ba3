"""Write docs/cli.md: the help of every command, as it prints at 80 columns."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from melodygru.cli import COMMANDS

HEAD = """# Every command and option

Written by `python scripts/build_cli_docs.py` from the commands' own help.
"""


def help_of(*command: str) -> str:
    environment = {**os.environ, "COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"}
    code = "import sys; sys.argv[0] = 'melodygru'; from melodygru.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, *command, "--help"], capture_output=True, text=True, check=True, env=environment
    )
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def main() -> None:
    parts = [HEAD, f"## melodygru\n\n```text\n{help_of()}\n```\n"]
    parts += [f"## melodygru {name}\n\n```text\n{help_of(name)}\n```\n" for name in COMMANDS]
    (Path(__file__).parent.parent / "docs" / "cli.md").write_text("\n".join(parts), "utf-8")


if __name__ == "__main__":
    main()
