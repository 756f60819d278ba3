"""Options as the command line takes them: described as data, out of option files, and shared by several commands.

What typer is told of them stands in `melodygru.cli.parameters`, so that a command can be run without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from melodygru.errors import MidiError, UsageError
from melodygru.option import FILES, Option, described
from melodygru.system.files import read_toml
from melodygru.writing.option_files import flat, under_own_names
from melodygru.writing.values import DEFAULT_MODEL

if TYPE_CHECKING:
    from melodygru.formats.midi.performance import Performance


ALIASES = {"--bundle-file": "--model", "--output": "--out", "--overwrite": "--force"}
"""Names that people know from elsewhere, and ours, beside those of a command's own described options. Underscores do
for hyphens."""


def quarters(text: str | float) -> float:
    """The quarters of a pickup: 1.5, or as `generate --pickup` has it, 3/8 of a whole note."""
    parts = str(text).split("/")
    try:
        return 4 * int(parts[0]) / int(parts[1]) if len(parts) == 2 else float(text)
    except (ValueError, ZeroDivisionError):
        import typer

        raise typer.BadParameter("give quarters (1.5) or a fraction of a whole note (3/8).") from None


def takes(*listed: Option | str, file: bool = False) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command options that are described as data, beside those of its own signature.

    The command's argument `asked` gets what was said, by name, with underscores.

    Args:
        listed: what they are, none of which must be said; and names of parameters of the signature, where those are to
            stand among them on the help page.
        file: whether there is an option `--options`, a TOML file that can hold them too; see `merged`.
    """
    options = [one for one in listed if isinstance(one, Option)]

    def made(command: Callable[..., None]) -> Callable[..., None]:
        @wraps(command)
        def run(**values: Any) -> None:
            said = {option.name: _joined(values.pop(option.name)) for option in options}
            command(asked=merged(said, values.pop("options_file", None), options), **values)

        run.listed, run.file, run.aliases = listed, file, _aliases(options)  # type: ignore[attr-defined]
        return run

    return made


def _joined(value: Any) -> Any:
    """What an option says that may be said several times, as one text; None where it was not said."""
    return ("; ".join(value) if value else None) if isinstance(value, list) else value


def _aliases(options: Iterable[Option]) -> dict[str, str]:
    """The options' other names, and their own, as the command line spells them."""
    own = {alias.replace("_", "-"): option.spelled for option in options for alias in option.aliases}
    return ALIASES | {f"--{alias}": f"--{name}" for alias, name in own.items()}


MODEL = Option(
    "A model's name (in ./checkpoints, or shipped: {default}, folk) or file.", name="model", default=DEFAULT_MODEL,
    panel=FILES, aliases=("bundle_file",),
)  # fmt: skip


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
