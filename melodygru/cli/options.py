"""Options that several commands share, as the command line spells them; None means that nothing was said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from melodygru.errors import FileError, UsageError

if TYPE_CHECKING:
    from melodygru.formats.midi.performance import Performance


MUSIC, TUNE, START, FEEL, FILES = "Music", "Control", "Starting from something", "Feel", "Files"
"""Panels of the help page."""

ALIASES = {
    "--metre": "--meter",
    "--qpm": "--bpm",
    "--num-outputs": "--count",
    "--primer-midi": "--primer",
    "--backing-chords": "--chords",
    "--bundle-file": "--model",
    "--output": "--out",
}
"""Names that people know from elsewhere, and ours. Underscores do for hyphens."""


_READ = "What was read is kept: the same command goes on from there."
_STOPPED = {"prepare": _READ, "train": _READ}
"""What there is to say when a command was stopped; training itself, once begun, says more."""


class Command(TyperCommand):
    """A command that takes the aliases too, without naming them on its help page, and says so when it was stopped."""

    def invoke(self, ctx: Any) -> Any:
        """Run it."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            # typer would end without a word.
            typer.echo(f"Stopped. {_STOPPED.get(ctx.info_name, '')}".strip(), err=True)
            raise typer.Exit(130) from None

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse arguments after putting our own names in place of aliases."""
        known = {name for parameter in self.params for name in parameter.opts}
        return super().parse_args(ctx, [_own_name(argument, known) for argument in args])


def _own_name(argument: str, known: Iterable[str]) -> str:
    name, equals, value = argument.partition("=")
    if not name.startswith("--") or name in known:
        return argument
    name = name.replace("_", "-")
    return f"{ALIASES[name] if name in ALIASES and name not in known else name}{equals}{value}"


def _option(*names: str, panel: str, **settings: Any) -> Any:
    return typer.Option(*names, rich_help_panel=panel, show_default=settings.pop("show_default", False), **settings)


Model = Annotated[
    str | None,
    _option(panel=FILES, help="A model's name (in ./checkpoints, or shipped: folk) or file.", show_default="folk"),
]
Bars = Annotated[
    int | None, _option(panel=MUSIC, help="Length in full bars, exactly: 1 to 1000.", show_default="16, or the form's")
]
Seed = Annotated[int | None, _option(panel=MUSIC, help="Same seed, same files. Without one, one is drawn and printed.")]
Count = Annotated[int | None, _option(panel=FILES, help="How many melodies, all different.", show_default="1")]
BestOf = Annotated[
    int | None, _option(panel=MUSIC, help="Make N candidates and write the best.", show_default="1; 8 with a form")
]
KeyName = Annotated[
    str | None,
    _option("--key", panel=MUSIC, help='Tonic and mode: "A minor", Bb, "D dorian".', show_default="C major"),
]
Meter = Annotated[str | None, _option(panel=MUSIC, help="Time signature: 4/4, 3/4, 6/8 …", show_default="4/4")]
Bpm = Annotated[float | None, _option(panel=MUSIC, help="Quarter notes a minute: 4 to 1000.", show_default="120")]
Temperature = Annotated[
    float | None,
    _option(panel=MUSIC, help="How daring: 0 takes the likeliest event; 1 is as learned; to 10.", show_default="1"),
]
TopK = Annotated[int | None, _option(panel=MUSIC, help="Draw among the K likeliest events; 0: off.", show_default="0")]
TopP = Annotated[
    float | None,
    _option(panel=MUSIC, help="Draw among the fewest events of this probability; 1: off.", show_default="0.97"),
]
MaxCopy = Annotated[
    int | None,
    _option(panel=MUSIC, help="Longest run of notes from the training music; 0: any.", show_default="11"),
]
Scale = Annotated[
    str | None,
    _option(panel=TUNE, help='A scale on the tonic: "major pentatonic", blues, "harmonic minor", a mode …'),
]
ScaleMode = Annotated[
    str | None, _option(panel=TUNE, help="strict: no other notes; soft: few.", show_default="strict with --scale")
]
Range = Annotated[str | None, _option(panel=TUNE, help="Lowest and highest pitch.", show_default="C3:C7")]
MaxLeap = Annotated[int | None, _option(panel=TUNE, help="Largest step from note to note, in semitones.")]
Density = Annotated[float | None, _option(panel=TUNE, help="Notes a bar on average, held within one.")]
Rests = Annotated[str | None, _option(panel=TUNE, help="none, few (one in four bars at most) or some (one at least).")]
Grid = Annotated[str | None, _option(panel=TUNE, help="Shortest value: 1/4, 1/8, 1/16, 1/32.", show_default="1/16")]
Triplets = Annotated[
    bool | None,
    _option("--triplets/--no-triplets", panel=TUNE, help="Allow triplets, or not.", show_default="in simple metres"),
]
EndOn = Annotated[str | None, _option(panel=TUNE, help="Last note: tonic, chord or any.", show_default="tonic")]
Pickup = Annotated[str | None, _option(panel=TUNE, help="Upbeat before bar 1: 1/4, 1/8 …")]
NoRepeatNotes = Annotated[int | None, _option(panel=TUNE, help="Never more than N equal pitches in a row.")]
Chords = Annotated[str | None, _option(panel=TUNE, help='Chords to follow: "Am F C G", "| C G/B | Am7 |", N.C.')]
BeatsPerChord = Annotated[float | None, _option(panel=TUNE, help="Beats that each chord lasts.", show_default="a bar")]
ChordMode = Annotated[
    str | None,
    _option(panel=TUNE, help="strict: chord tones on strong beats; soft: mostly.", show_default="strict"),
]
FormName = Annotated[str | None, _option("--form", panel=TUNE, help="Sections: AABA, ABAC, AA'BA'' (a prime varies).")]
SectionBars = Annotated[int | None, _option(panel=TUNE, help="Bars of each section.", show_default="8")]

Program = Annotated[
    str | None, _option(panel=FEEL, help="Instrument: 0 to 127, or a General MIDI name (violin).", show_default="0")
]
Channel = Annotated[int | None, _option(panel=FEEL, help="MIDI channel: 1 to 16.", show_default="1")]
Velocity = Annotated[int | None, _option(panel=FEEL, help="Loudness off the beat: 1 to 127.", show_default="84")]
Swing = Annotated[float | None, _option(panel=FEEL, help="0.5 straight, 0.67 triplet swing, to 0.75.")]
Humanize = Annotated[float | None, _option(panel=FEEL, help="Inexact timing and loudness: 0 to 1.", show_default="0")]
RenderChords = Annotated[bool | None, _option("--render-chords", panel=FEEL, help="Write the chords as a track too.")]
MidiFormat = Annotated[
    int | None, _option(panel=FILES, help="0: one track; 1: several.", show_default="0; 1 with chords")
]
Ppq = Annotated[int | None, _option(panel=FILES, help="Ticks to a quarter, a multiple of 24.", show_default="480")]
OptionsFile = Annotated[
    Path | None, _option("--options", panel=FILES, help="A TOML file of options; the command line wins.")
]
Force = Annotated[bool, _option("--force", panel=FILES, help="Overwrite files that exist.")]
Show = Annotated[bool, _option("--show", panel=FILES, help="Draw what was written, as `melodygru show` does.")]
Json = Annotated[bool, _option("--json", panel=FILES, help="Print JSON for programs.")]

PERFORMANCE = ("program", "channel", "velocity", "swing", "humanize", "midi_format", "ppq")
"""Options that are fields of `melodygru.formats.midi.performance.Performance`."""


def whole(values: Mapping[str, Any], name: str, otherwise: int | None) -> int | None:
    """An option that is a whole number. Raises UsageError for anything else, which an options file may hold."""
    value = values.get(name, otherwise)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise UsageError(f"{name} is {value!r}; give a whole number.")
    return value


def performance(values: Mapping[str, Any]) -> Performance:
    """How to play, from options by name. Raises UsageError for a value out of range."""
    from melodygru.formats.midi.performance import Performance
    from melodygru.music.instruments import find_program

    chosen = {name: values[name] for name in PERFORMANCE if name in values}
    if "program" in chosen:
        chosen["program"] = find_program(str(chosen["program"]))
    return Performance.from_dict(chosen)


def merged(said: Mapping[str, Any], file: Path | None, known: Sequence[str]) -> dict[str, Any]:
    """What was said on the command line, over what an options file says.

    Args:
        said: values by option name, with underscores; None: not said.
        file: a TOML file of options, hyphens or underscores; tables only group them.
        known: the names that a file may hold.

    Raises:
        FileError: the file cannot be read, or is not TOML.
        UsageError: an option in it that the command does not have.
    """
    values = {} if file is None else _flat(_read_toml(file))
    own = {alias.lstrip("-"): name.lstrip("-") for alias, name in ALIASES.items()}
    found: dict[str, Any] = {}
    for name, value in values.items():
        plain = name.replace("_", "-")
        plain = own.get(plain, plain).replace("-", "_")
        if plain not in known:
            raise UsageError(
                f"{file} has the option {name!r}, which there is not; see --help for those that there are."
            )
        found[plain] = value
    return {**found, **{name: value for name, value in said.items() if value is not None}}


def _read_toml(file: Path) -> dict[str, Any]:
    import sys

    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise FileError(f"{file} cannot be read ({error.strerror}); check the path and its permissions.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise FileError(f"{file} is not TOML ({error}); write lines such as key = 'A minor'.") from error


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        found |= _flat(value) if isinstance(value, dict) else {name: value}
    return found
