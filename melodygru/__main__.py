"""`python -m melodygru` is `melodygru`: the command line, which can be stopped while it is still being imported."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line; see `melodygru.cli.main`."""
    try:
        from melodygru.cli import main as run

        run()
    except KeyboardInterrupt:
        sys.stderr.write("Stopped.\n")
        sys.exit(130)


if __name__ == "__main__":
    main()
