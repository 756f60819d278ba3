"""The door: parses, calls and displays. The only place that prints.

Each command is a function in a module of its own, imported when it is called, so
that `melodygru generate` never pays for what `melodygru train` needs.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from melodygru.errors import MelodyGRUError

COMMANDS = {
    "generate": "melodygru.cli.generate_command:generate",
    "train": "melodygru.cli.train_command:train",
    "teach": "melodygru.cli.teach_command:teach",
    "infill": "melodygru.cli.infill_command:infill",
    "vary": "melodygru.cli.vary_command:vary",
    "check": "melodygru.cli.check_command:check",
    "evaluate": "melodygru.cli.evaluate_command:evaluate",
    "compare": "melodygru.cli.compare_command:compare",
    "explain": "melodygru.cli.explain_command:explain",
    "replay": "melodygru.cli.replay_command:replay",
    "inspect": "melodygru.cli.inspect_command:inspect",
    "tokens": "melodygru.cli.tokens_command:tokens",
    "info": "melodygru.cli.info_command:info",
    "export": "melodygru.cli.export_command:export",
    "corpus": "melodygru.cli.corpus_command:corpus",
}
"""Name of each command, in the order of the help page, and where it lives."""


class LazyGroup(TyperGroup):
    """A command group that imports a command's module only when the command is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All commands, in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        module, function = COMMANDS[cmd_name].split(":")
        single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        from melodygru.cli.options import Command

        settings = {"help_option_names": ["-h", "--help"], "max_content_width": 80}
        single.command(cmd_name, cls=Command, context_settings=settings)(getattr(import_module(module), function))
        return typer.main.get_command(single)


app = typer.Typer(
    cls=LazyGroup,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from melodygru import __version__

        typer.echo(f"melodygru {__version__}")
        raise typer.Exit


@app.callback()
def melodygru(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
    ),
    debug: bool = typer.Option(False, "--debug", help="Show the traceback of an error."),
) -> None:
    """Learn melodies from a folder of MIDI files with a GRU, and write new ones.

    Write 16 bars with the model that comes along: melodygru generate --bars 16 out.mid

    Learn from your own files: melodygru train my-midi-folder/
    """


def main() -> None:
    """Run the command line; end with exit code 0, 1 (an error) or 2 (a usage error)."""
    debug = "--debug" in sys.argv[1:]
    # Accepted anywhere, since it is typed after the fact, at the end of a command that has just failed.
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        app(args=arguments)
    except MelodyGRUError as error:
        if debug:
            raise
        typer.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        typer.echo("Stopped.", err=True)
        sys.exit(130)
    except BrokenPipeError:
        # The reader of a pipe has gone (as in `melodygru tokens x.mid | head`): not an error of ours.
        sys.stderr.close()
        sys.exit(1)
    except Exception as error:
        if debug:
            raise
        message = " ".join(str(error).split()) or type(error).__name__
        typer.echo(f"Error: {type(error).__name__}: {message} (run again with --debug for the traceback).", err=True)
        sys.exit(1)
