"""The command line in typer: a group of commands, each imported when it is asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from melodygru.cli import help_page, parameters
from melodygru.cli.command import Command
from melodygru.cli.commands import COMMANDS, GREETING, NEEDS
from melodygru.cli.running import run
from melodygru.errors import UsageError


class LazyGroup(TyperGroup):
    """A command group that imports a command's module only when the command is asked for.

    What a command is at is shown, and it can be stopped, from the first import on.
    """

    def invoke(self, ctx: Any) -> Any:
        """Run the command; see `melodygru.cli.running`."""
        return run(lambda: ctx.invoked_subcommand, lambda: super(LazyGroup, self).invoke(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Greet whoever says nothing; `melodygru help` is --help, and `melodygru help generate` that of generate."""
        if not args and not ctx.resilient_parsing:
            typer.echo(GREETING, nl=False)
            raise typer.Exit
        if args[:1] == ["help"]:
            args = [*args[1:2], "--help"]
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command of a line. Raises UsageError for one that there is not, with what to type instead."""
        if args[0] not in COMMANDS and not args[0].startswith("-"):
            from melodygru.cli.words import unknown_command

            raise UsageError(unknown_command(args[0], args[1:], COMMANDS))
        return super().resolve_command(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """The help page, see `melodygru.cli.help_page`: commands need not be there for it."""
        help_page.show()

    def list_commands(self, ctx: Any) -> list[str]:
        """All commands, in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        settings = {"help_option_names": ["-h", "--help"], "max_content_width": 80}
        command = parameters.signed(getattr(import_module(module), cmd_name.replace("-", "_")))
        single.command(cmd_name, cls=Command, context_settings=settings)(command)
        made: Any = typer.main.get_command(single)
        made.aliases = getattr(command, "aliases", Command.aliases)
        made.needs = NEEDS.get(cmd_name, ())
        return made


app = typer.Typer(
    cls=LazyGroup,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from melodygru.version import __version__

        typer.echo(f"melodygru {__version__}")
        raise typer.Exit


@app.callback()
def melodygru(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
    ),
    debug: bool = typer.Option(False, "--debug", help="Show the traceback of an error."),
) -> None:
    """See `melodygru.cli.help_page`, which says what there is to say."""
