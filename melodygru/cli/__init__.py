"""The door: parses, calls and displays. The only place that prints.

Each command is a function in a module of its own, imported when it is called, so that `melodygru generate` never pays
for what `melodygru train` needs. What is typed most is answered without typer: `melodygru.cli.quick`, and by the help
page.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from melodygru import extras
from melodygru.cli.commands import COMMANDS as COMMANDS
from melodygru.cli.commands import GROUPS as GROUPS
from melodygru.cli.saying import open_streams, say
from melodygru.errors import MelodyGRUError


def main() -> None:
    """Run the command line; end with exit code 0, 1 (an error) or 2 (a usage error)."""
    open_streams()
    debug = "--debug" in sys.argv[1:]
    # Accepted anywhere, since it is typed after the fact, at the end of a command that has just failed.
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        _run(arguments)
    except MelodyGRUError as error:
        if debug:
            raise
        say(f"Error: {error}", err=True)
        sys.exit(error.exit_code)
    except ModuleNotFoundError as error:
        said = extras.missing(error.name or "")
        if debug or said is None:
            raise
        say(f"Error: {said}", err=True)
        sys.exit(said.exit_code)
    except BrokenPipeError:
        # The reader of a pipe has gone (as in `melodygru tokens x.mid | head`): not an error of ours.
        sys.stderr.close()
        sys.exit(1)
    except Exception as error:
        if debug:
            raise
        say(f"Error: {_unforeseen(error)}", err=True)
        sys.exit(1)


def _unforeseen(error: Exception) -> str:
    """What to say of an error that is none of ours: of a file, what the system says of it."""
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename} cannot be used ({error.strerror}); check the path, the disk and permissions."
    message = " ".join(str(error).split()) or type(error).__name__
    return f"{type(error).__name__}: {message} (run again with --debug for the traceback)."


def _run(arguments: Sequence[str]) -> None:
    """Run a command line; always ends with SystemExit, or with an error."""
    from melodygru.cli import help_page

    if help_page.is_asked_for(arguments):
        help_page.show()
        sys.exit(0)
    from melodygru.cli import quick

    if (parsed := quick.parsed(arguments)) is not None:
        from melodygru.cli.running import run

        name, work = parsed
        run(lambda: name, work)
    else:
        from melodygru.cli.group import app

        app(args=list(arguments))
    sys.exit(0)
