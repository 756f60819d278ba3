"""The door: parses, calls and displays. The only place that prints.

Each command is a function in a module of its own, imported when it is called, so
that `melodygru generate` never pays for what `melodygru train` needs.
"""

from __future__ import annotations

import signal
import sys
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from melodygru import extras
from melodygru.cli.progress import Progress
from melodygru.errors import MelodyGRUError, UsageError
from melodygru.system.signals import Stopped, stoppable

COMMANDS = {
    "generate": (
        "melodygru.cli.generate_command",
        "Write new melodies as MIDI files that loop exactly on their bars and end on the tonic.",
    ),
    "styles": (
        "melodygru.cli.styles_command",
        "List the styles and the feels that melodies can be written in, what each is good for, and how one begins.",
    ),
    "studio": (
        "melodygru.cli.studio_command",
        "Open a page in the browser in which melodies are written, drawn, changed, heard and saved.",
    ),
    "jam": (
        "melodygru.cli.jam_command",
        "Play together, over MIDI, in time: play something, and it is answered, continued, varied or accompanied.",
    ),
    "ports": ("melodygru.cli.ports_command", "List the MIDI ports that `melodygru jam` can listen to and play to."),
    "serve": (
        "melodygru.cli.serve_command",
        "Answer scripts of DAWs on this computer: generate, infill, vary and harmonize for notes that they send.",
    ),
    "infill": (
        "melodygru.cli.change",
        "Write some bars of a melody anew, or all that is not locked; all else in the file stays as it is.",
    ),
    "vary": (
        "melodygru.cli.change",
        "Change a melody by as much as asked for; all else in the file stays as it is.",
    ),
    "harmonize": (
        "melodygru.cli.harmonize_command",
        "Find chords for a melody, and write both: the chords as a track and as symbols.",
    ),
    "arrange": (
        "melodygru.cli.arrange_command",
        "Put chords, a bass and drums around a melody, on tracks of their own.",
    ),
    "blend": (
        "melodygru.cli.blend_command",
        "Write melodies between two, in even steps from A to B, in rhythm and in line: OUT-01.mid, OUT-02.mid …",
    ),
    "play": ("melodygru.cli.hearing", "Play a MIDI file; no soundfont is needed."),
    "render": ("melodygru.cli.hearing", "Write a MIDI file as sound, exactly as long as the clip."),
    "show": ("melodygru.cli.show_command", "Show a melody as a piano roll, in the terminal or as a picture."),
    "score": (
        "melodygru.cli.score_command",
        "Write a melody as a score: MusicXML, ABC, or a page of notes (PDF, SVG, PNG).",
    ),
    "train": ("melodygru.cli.train_command", "Learn the melodies of a folder of MIDI files or scores."),
    "teach": (
        "melodygru.cli.teach_command",
        "Let a model learn to choose: it writes melodies, and learns to tell them from people's.",
    ),
    "inspect": (
        "melodygru.cli.inspect_command",
        "Show what is in a folder of MIDI files or scores, and what training would leave out and why.",
    ),
    "prepare": (
        "melodygru.cli.prepare_command",
        "Read a folder of MIDI files or scores ahead of training, so that training begins at once.",
    ),
    "corpus": ("melodygru.cli.corpus_command", "Write folk tunes as MIDI files: a collection to train on."),
    "info": (
        "melodygru.cli.info_command",
        "Show what a model is: its shape, its training data, its result; or what is in a MIDI file or a score.",
    ),
    "check": (
        "melodygru.cli.check_command",
        "Tell the longest run of notes that stands in a model's training music: how long, in which piece, and where.",
    ),
    "replay": (
        "melodygru.cli.replay_command",
        "Make a file again from what it says of itself, and tell whether the bytes are the same.",
    ),
    "evaluate": ("melodygru.cli.evaluate_command", "Tell how good a model is."),
    "compare": (
        "melodygru.cli.compare_command",
        "Train several kinds of cells under the same conditions, and compare them.",
    ),
    "listen-test": (
        "melodygru.cli.listen_test_command",
        "Let people rate melodies blind: make a page for them, or tell what their answers say.",
    ),
    "explain": ("melodygru.cli.explain_command", "Show what happens inside a model while it hears a melody."),
    "tokens": (
        "melodygru.cli.tokens_command",
        "Show the melody of a MIDI file or a score as the events that the model learns.",
    ),
    "models": (
        "melodygru.cli.models_command",
        "List the models that are here, or fetch one from the Hugging Face Hub.",
    ),
    "export": ("melodygru.cli.export_command", "Write a model for other programs, as a page, or smaller."),
}
"""Of each command, in the order of the help page: the module where its function of that name lives, and the first
sentences of its docstring, so that the help page need not import them all."""
GROUPS = {
    "Make": ("generate", "styles", "studio"),
    "Play together": ("jam", "ports", "serve"),
    "Change": ("infill", "vary", "harmonize", "arrange", "blend"),
    "Hear and see": ("play", "render", "show", "score"),
    "Learn": ("train", "teach", "inspect", "prepare", "corpus"),
    "Look inside": (
        "info",
        "check",
        "replay",
        "evaluate",
        "compare",
        "listen-test",
        "explain",
        "tokens",
        "models",
        "export",
    ),
}
"""The commands by what they are for: panels of the help page."""
GREETING = """melodygru writes melodies that a DAW imports. Three things to type:

  melodygru generate      a new melody, as a MIDI file here
  melodygru studio        a page in the browser: write, change, hear, save
  melodygru --help        everything else
"""
"""What somebody sees who has typed nothing more."""


NEEDS = {
    "studio": ("fastapi", "pydantic", "uvicorn"),
    "train": ("torch", "scipy"),
    "teach": ("torch", "scipy", "sklearn", "threadpoolctl"),
    "inspect": ("scipy",),
    "prepare": ("scipy",),
    "evaluate": ("torch", "scipy", "sklearn", "threadpoolctl", "matplotlib", "jinja2"),
    "compare": ("torch", "scipy", "matplotlib", "jinja2"),
    "listen-test": ("scipy", "jinja2"),
    "explain": ("scipy", "matplotlib", "jinja2"),
}
"""Packages without which a command would end after it had worked for a while; see `melodygru.extras`."""


_READ = "What was read is kept: the same command goes on from there."
_STOPPED = {"prepare": _READ, "train": _READ}
"""What there is to say when a command was stopped; training itself, once begun, says more."""


class LazyGroup(TyperGroup):
    """A command group that imports a command's module only when the command is asked for.

    What a command is at is shown, and it can be stopped, from the first import on.
    """

    _listing = False

    def invoke(self, ctx: Any) -> Any:
        """Run the command. Stopped, it ends with the exit code that shells give to what a signal has ended."""
        try:
            with stoppable(), Progress():
                return super().invoke(ctx)
        except KeyboardInterrupt as stopped:
            # typer would end without a word.
            typer.echo(f"Stopped. {_STOPPED.get(ctx.invoked_subcommand or '', '')}".strip(), err=True)
            signum = stopped.signum if isinstance(stopped, Stopped) else signal.SIGINT
            raise typer.Exit(128 + signum) from None

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
        """The help page; commands need not be there for it, their names and first sentences will do."""
        self._listing = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._listing = False

    def list_commands(self, ctx: Any) -> list[str]:
        """All commands, in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        module, short = COMMANDS[cmd_name]
        if self._listing:
            group = next(name for name, commands in GROUPS.items() if cmd_name in commands)
            return TyperCommand(cmd_name, help=short, rich_help_panel=group)
        single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        from melodygru.cli.command import Command

        settings = {"help_option_names": ["-h", "--help"], "max_content_width": 80}
        command = getattr(import_module(module), cmd_name.replace("-", "_"))
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
    """Learn melodies from a folder of MIDI files or scores with a GRU, and write new ones.

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
    except ModuleNotFoundError as error:
        said = extras.missing(error.name or "")
        if debug or said is None:
            raise
        typer.echo(f"Error: {said}", err=True)
        sys.exit(said.exit_code)
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
