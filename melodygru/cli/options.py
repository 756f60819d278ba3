"""Options as the command line takes them: described as data, out of option files, and shared by several commands."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from melodygru.cli.standard_input import STDIN, in_words, standard_input
from melodygru.errors import MelodyGRUError, MidiError, UsageError
from melodygru.extras import require
from melodygru.option import FILES, PANELS, Option, described
from melodygru.system.files import read_toml
from melodygru.writing.option_files import flat, under_own_names
from melodygru.writing.values import DEFAULT_MODEL

if TYPE_CHECKING:
    from melodygru.formats.midi.performance import Performance


ALIASES = {"--bundle-file": "--model", "--output": "--out", "--overwrite": "--force"}
"""Names that people know from elsewhere, and ours, beside those of a command's own described options. Underscores do
for hyphens."""

_CLICK_ERROR: Any = typer.BadParameter.__base__
"""What click raises for arguments that it cannot parse; typer has moved click within itself, but not this."""
_INPUTS = ("file", "source", "primer")
"""Parameters that are files to read, and may be - for standard input."""

_FIRST = ("bars", "key", "meter", "bpm", "seed", "temperature", "top_k", "top_p")
"""Options that come first in their panel of the help page."""

Track = Annotated[
    str,
    typer.Option(
        help="Which track has the melody: auto (the likeliest), top (the highest most of the time), a number from 1, "
        "a name, an instrument (violin), or skyline (the highest notes of all)."
    ),
]
"""The option that all commands have that read a melody out of a file."""
ReadMeter = Annotated[
    str,
    typer.Option(
        "--meter", help="The metre of a MIDI file, such as 3/4, whatever it says.", show_default="its own, or estimated"
    ),
]
ReadKey = Annotated[
    str,
    typer.Option(
        "--key",
        help="The key of a MIDI file, such as 'A minor', whatever it says.",
        show_default="its own, or estimated",
    ),
]


def quarters(text: str | float) -> float:
    """The quarters of a pickup: 1.5, or as `generate --pickup` has it, 3/8 of a whole note."""
    parts = str(text).split("/")
    try:
        return 4 * int(parts[0]) / int(parts[1]) if len(parts) == 2 else float(text)
    except (ValueError, ZeroDivisionError):
        raise typer.BadParameter("give quarters (1.5) or a fraction of a whole note (3/8).") from None


ReadPickup = Annotated[
    float | None,
    typer.Option(
        "--pickup",
        help="What a MIDI file has before its bar 1, whatever it says: quarters (1), or a fraction as 1/4.",
        show_default="its own, or estimated",
        parser=quarters,
        metavar="<str>",
    ),
]
"""How a file is read that does not say these, or says what is not so."""


class Command(TyperCommand):
    """A command that takes other words for what it has, without naming them on its help page.

    Those are aliases of options, OUT as an option, numbers with their unit, and - for standard input. What it does not
    know is told with what to type instead, see `melodygru.cli.words`.
    """

    aliases: Mapping[str, str] = ALIASES
    needs: Sequence[str] = ()

    def invoke(self, ctx: Any) -> Any:
        """Run it, if the packages that it needs are installed. Raises MissingPackageError."""
        for package in self.needs:
            require(package)
        try:
            return super().invoke(ctx)
        except MelodyGRUError as error:
            error.args = tuple(in_words(str(one)) for one in error.args)
            raise

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse arguments after putting our own words in place of others. Raises UsageError for what is unknown."""
        options = [one for one in self.params if one.param_type_name == "option"]
        known = {name: one for one in options for name in (*one.opts, *one.secondary_opts)}
        arguments = self._in_own_words(args, known)
        try:
            rest = super().parse_args(ctx, list(arguments))  # which takes them out of the list
        except _CLICK_ERROR as error:
            if (advice := self._advice(error, ctx, arguments, known)) is None:
                raise
            raise UsageError(advice) from None
        for parameter in self.params:
            if parameter.name in _INPUTS and str(ctx.params.get(parameter.name)) == STDIN:
                ctx.params[parameter.name] = type(ctx.params[parameter.name])(standard_input(ctx))
        out = ctx.params.get("out")
        if isinstance(out, str) and out != STDIN and not Path(out).suffix and not Path(out).is_dir():
            from melodygru.cli.words import unquoted

            if (advice := unquoted(arguments)) is not None:  # OUT is the second word of a value
                raise UsageError(advice)
        return rest

    def _in_own_words(self, args: list[str], known: Mapping[str, Any]) -> list[str]:
        """The arguments with our own names of options, plain numbers, and what OUT is at their end."""
        made: list[str] = []
        last: list[str] = []
        waiting = iter(args)
        out = next((one for one in self.params if one.name == "out" and one.param_type_name == "argument"), None)
        for argument in waiting:
            if argument == "--":
                return [*made, *last, argument, *waiting]
            if argument[:1] != "-" or argument == STDIN:
                made.append(argument)
                continue
            name, equals, value = argument.partition("=")
            name = self._own_name(name, known)
            if name in ("--out", "-o") and name not in known and out is not None:
                last = [value if equals else next(waiting, "")]
                continue
            option = known.get(name)
            takes_value = option is not None and not option.is_flag
            if takes_value and not equals and (following := next(waiting, None)) is not None:
                equals, value = " ", following
            if option is not None and takes_value and equals and option.type.name in ("int", "integer", "float"):
                value = _number(name, value)
            made += [f"{name}={value}"] if equals == "=" else [name, value] if equals else [name]
        return [*made, *last]

    def _own_name(self, name: str, known: Collection[str]) -> str:
        if name in known:
            return name
        if not name.startswith("--"):
            from melodygru.cli.words import SHORT

            long = SHORT.get(name, name)
            return long if long in known or long == "--out" else name
        name = name.replace("_", "-")
        return name if name in known else self.aliases.get(name, name)

    def _advice(self, error: Any, ctx: Any, arguments: Sequence[str], known: Mapping[str, Any]) -> str | None:
        """What to type instead of what could not be parsed; None where click's own words will do."""
        from melodygru.cli import words

        usage = re.sub(r"[{}]", "", " ".join(self.collect_usage_pieces(ctx)))
        own = {name: name for name in known if name.startswith("--")}
        if (advice := words.unquoted(arguments)) is not None:
            return advice
        if (name := getattr(error, "option_name", None)) is not None and name not in known:
            others = {alias: to for alias, to in self.aliases.items() if to in known}
            return words.unknown_option(str(self.name), name, {**own, **others})
        if (parameter := getattr(error, "param", None)) is not None and parameter.param_type_name == "argument":
            if type(error).__name__ == "MissingParameter":
                return words.missing(str(self.name), parameter.make_metavar(ctx).strip("{}[]"), usage)
        elif parameter is not None and "--bpm" in parameter.opts:
            said = next((one for one in map(words.tempo, arguments) if one is not None), None)
            return None if said is None else f"--bpm takes quarter notes a minute, a number: {said}."
        if (extra := re.search(r"extra argument\(?s?\)? \((.*)\)", str(error))) is not None:
            return words.stray(str(self.name), extra[1].split(), usage)
        return None


def _number(name: str, value: str) -> str:
    try:
        float(value)
    except ValueError:
        from melodygru.cli.words import number

        return number(value)
    return value


def takes(*listed: Option | str, file: bool = False) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command options that are described as data, beside those of its own signature.

    The command's argument `asked` gets what was said, by name, with underscores.

    Args:
        listed: what they are, none of which must be said; and names of parameters of the signature, where those are to
            stand among them on the help page.
        file: whether there is an option `--options`, a TOML file that can hold them too; see `merged`.
    """
    options = [one for one in listed if isinstance(one, Option)]
    from_file = inspect.Parameter("options_file", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_File)

    def made(command: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(command, eval_str=True).parameters
        rest = {name: one.replace(kind=one.KEYWORD_ONLY) for name, one in own.items() if name != "asked"}
        parameters = [rest.pop(one) if isinstance(one, str) else _parameter(one) for one in listed]
        parameters += [*([from_file] if file else []), *rest.values()]

        @wraps(command)
        def run(**values: Any) -> None:
            said = {option.name: _joined(values.pop(option.name)) for option in options}
            command(asked=merged(said, values.pop("options_file", None), options), **values)

        run.__annotations__ = {}
        run.__signature__ = inspect.Signature(sorted(parameters, key=_place))  # type: ignore[attr-defined]
        run.aliases = _aliases(options)  # type: ignore[attr-defined]
        return run

    return made


def _joined(value: Any) -> Any:
    """What an option says that may be said several times, as one text; None where it was not said."""
    return "; ".join(value) or None if isinstance(value, list) else value


def _parameter(option: Option) -> inspect.Parameter:
    """A described option as typer takes it: None where nothing was said."""
    kind = option.typed or option.kind
    annotation = Annotated[kind | None, shown(option)]  # type: ignore[valid-type]
    return inspect.Parameter(option.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def shown(option: Option) -> Any:
    """A described option's spelling and its words on the help page, for a parameter that is None by default."""
    spelling = option.spelling or (f"--{option.spelled}/--no-{option.spelled}" if option.kind is bool else "")
    return typer.Option(
        *([spelling] if spelling else []),
        rich_help_panel=option.panel or None,
        help=option.help_text,
        show_default=option.shown_default or False,
        hidden=option.hidden,
        parser=option.parser,
        metavar="<str>" if option.parser else None,
    )


def _place(parameter: inspect.Parameter) -> tuple[int, int]:
    """Where a parameter stands on the help page: its panel, and what comes first there."""
    panel = next((one.rich_help_panel for one in getattr(parameter.annotation, "__metadata__", ())), None)
    first = _FIRST.index(parameter.name) if parameter.name in _FIRST else len(_FIRST)
    return PANELS.index(panel) if panel else -1, first if panel else 0


def _aliases(options: Iterable[Option]) -> dict[str, str]:
    """The options' other names, and their own, as the command line spells them."""
    own = {alias.replace("_", "-"): option.spelled for option in options for alias in option.aliases}
    return ALIASES | {f"--{alias}": f"--{name}" for alias, name in own.items()}


def _flag(name: str, help: str) -> Any:
    return typer.Option(name, rich_help_panel=FILES, help=help, show_default=False)


MODEL = Option(
    "A model's name (in ./checkpoints, or shipped: {default}, folk) or file.", name="model", default=DEFAULT_MODEL,
    panel=FILES, aliases=("bundle_file",),
)  # fmt: skip
Model = Annotated[str | None, shown(MODEL)]
_File = Annotated[
    Path | None,
    typer.Option(
        "--options", rich_help_panel=FILES, help="A TOML file of options; the command line wins.", show_default=False
    ),
]
Force = Annotated[bool, _flag("--force", "Overwrite files that exist.")]
Show = Annotated[bool, _flag("--show", "Draw what was written, as `melodygru show` does.")]
Json = Annotated[bool, _flag("--json", "Print JSON for programs.")]


def part_of(asked: Mapping[str, Any], config: type) -> dict[str, Any]:
    """Those of the options that stand on a dataclass. A file whose line is to be followed is read."""
    part = {name: asked[name] for name in described(config) if name in asked}
    if "contour" in part:
        part["contour"] = _line(str(part["contour"]))
    return part


def _line(contour: str) -> str:
    """A line of heights in words or numbers. Raises UsageError for what is neither, nor a file of music's name.

    Raises FileError or MidiError for a file that has no melody.
    """
    from melodygru.formats.reading import MIDI_SUFFIXES, SCORE_SUFFIXES, read_melodies
    from melodygru.writing.constraints.contour import line_of, parse_contour

    try:
        parse_contour(contour)
        return contour
    except UsageError:
        if not contour.lower().endswith((*MIDI_SUFFIXES, *SCORE_SUFFIXES)):
            raise
    melodies = read_melodies(contour)
    if not melodies:
        raise MidiError(f"{contour} has no melody whose line could be followed; give a file with notes.")
    return line_of(melodies[0])


def check(asked: Mapping[str, Any], *options: Option) -> None:
    """Raise UsageError for a value of the options, if one was said, that is not legal."""
    for option in options:
        if option.name in asked:
            option.check(asked[option.name])


def performance(asked: Mapping[str, Any]) -> Performance:
    """How to play, from options by name. Raises UsageError for a value out of range."""
    from melodygru.formats.midi.performance import Performance
    from melodygru.music.instruments import find_program

    chosen = part_of(asked, Performance)
    for one in described(Performance).values():
        one.check_needs(asked)
    if "program" in chosen:
        chosen["program"] = find_program(str(chosen["program"]))
    return Performance.from_dict(chosen)


def merged(said: Mapping[str, Any], file: Path | None, options: Sequence[Option]) -> dict[str, Any]:
    """What was said on the command line, over what an options file says.

    Args:
        said: values by option name, with underscores; None: not said.
        file: a TOML file of options, hyphens or underscores; tables only group them.
        options: those that a file may hold.

    Raises:
        FileError: the file cannot be read, or is not TOML.
        UsageError: an option in it that the command does not have.
    """
    found = {} if file is None else under_own_names(flat(read_toml(file)), options, str(file))
    return {**found, **{name: value for name, value in said.items() if value is not None}}
