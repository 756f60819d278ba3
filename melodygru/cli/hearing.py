"""`melodygru play` and `melodygru render`: a MIDI file, and the sound that is made of it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from melodygru.cli import output, parameters
from melodygru.cli.progress import tell
from melodygru.errors import MidiError, UsageError
from melodygru.formats.midi.performance import Performance
from melodygru.option import FEEL, FILES, described
from melodygru.records import dataclass
from melodygru.system.files import check_target

if TYPE_CHECKING:
    from melodygru.formats.sound.synthesis import FloatArray
    from melodygru.formats.sound.timeline import Timeline

_RINGING = 1.5
"""Seconds that the last note is given to die away when a file is played, where nothing follows."""

Source = Annotated[Path, typer.Argument(metavar="FILE.mid", help="The MIDI file to hear.", show_default=False)]
Program = Annotated[
    str | None,
    parameters.shown(
        replace(
            described(Performance)["program"],
            help="Instrument in place of the file's, chords and drums apart: {limits}, or a General MIDI name "
            "(violin).",
            shown="",
        )
    ),
]
Soundfont = Annotated[
    str | None,
    typer.Option(
        rich_help_panel=FEEL,
        metavar="FILE.sf2",
        help="Play with its instruments, through FluidSynth; auto: one that is installed.",
        show_default=False,
    ),
]


@dataclass(frozen=True)
class Heard:
    """A file's clip, its sound (2, samples), and the soundfont that made it, None if none did."""

    timeline: Timeline
    sound: FloatArray
    soundfont: Path | None


def heard(source: Path, program: str | None, soundfont: str | None, tail: float, rate: int) -> Heard:
    """The sound of a MIDI file; what may be wrong with the other options is found before the file is read.

    Raises:
        UsageError: an option out of range.
        FileError: a file or a soundfont that cannot be read, or no FluidSynth for that.
    """
    from melodygru.formats.midi.parser import read_bytes
    from melodygru.formats.sound import soundfont as fluidsynth
    from melodygru.formats.sound import synthesis
    from melodygru.formats.sound.timeline import read_timeline
    from melodygru.music.instruments import find_program

    synthesis.check(tail, rate)
    number = None if program is None else find_program(program)
    font = None if soundfont is None else fluidsynth.find_soundfont(soundfont)
    midi = read_bytes(source)
    try:
        timeline = read_timeline(midi, number)
        if font is None:
            sound = synthesis.render(timeline, tail, rate, partial(tell, "playing notes"))
        else:
            tell("playing through FluidSynth")
            sound = fluidsynth.render(midi, timeline, font, number, tail, rate)
    except MidiError as error:
        raise MidiError(f"{source} {error}") from None
    return Heard(timeline, sound, font)


def in_words(timeline: Timeline) -> str:
    """How long a clip is: "16 bars, 32.000 seconds"."""
    return f"{output.counted(timeline.bars, 'bar')}, {float(timeline.seconds):.3f} seconds"


def play(
    source: Source,
    program: Program = None,
    soundfont: Soundfont = None,
    loop: Annotated[bool, typer.Option("--loop", help="Over and over, until Ctrl-C.")] = False,
) -> None:
    """Play a MIDI file; no soundfont is needed.

    Through the sound device, or a program that plays (pw-play, paplay, aplay, afplay, ffplay). Ctrl-C stops.
    """
    from melodygru.formats.sound.players import play as play_sound
    from melodygru.formats.sound.synthesis import RATE

    found = heard(source, program, soundfont, 0.0 if loop else _RINGING, RATE)
    words = f"Playing {source}: {in_words(found.timeline)}{', over and over' if loop else ''}."
    play_sound(found.sound, RATE, loop, begun=lambda: typer.echo(words))


def render(
    source: Source,
    out: Annotated[
        str,
        typer.Argument(metavar="OUT.wav", help="The sound file to write; - is standard output.", show_default=False),
    ],
    program: Program = None,
    soundfont: Soundfont = None,
    tail: Annotated[
        float, typer.Option(rich_help_panel=FEEL, help="Seconds to ring on after the clip: 0 to 30.")
    ] = 0.0,
    rate: Annotated[int, typer.Option(rich_help_panel=FILES, help="Samples a second: 22050 to 96000.")] = 44_100,
    force: parameters.Force = False,
    json: parameters.Json = False,
) -> None:
    """Write a MIDI file as sound, exactly as long as the clip.

    It ends on the last bar line, to the sample, and loops. The instruments are synthesized: no soundfont is needed.
    """
    if out == output.STDOUT:
        if json:
            raise UsageError("Standard output takes the sound or the JSON, not both; give OUT a name.")
        output.check_stdout("sound")
    else:
        if not out.lower().endswith(".wav"):
            raise UsageError(f"{out} does not end in .wav; give the sound file a name such as out.wav.")
        check_target(out, force)
    found = heard(source, program, soundfont, tail, rate)

    from melodygru.formats.sound.synthesis import pack

    output.write(None if out == output.STDOUT else Path(out), pack(found.sound, rate), force)
    if json:
        output.print_json({
            "out": out,
            "bars": found.timeline.bars,
            "seconds": float(found.timeline.seconds),
            "tail": tail,
            "rate": rate,
            "samples": found.sound.shape[1],
            "notes": len(found.timeline.notes),
            "programs": sorted({note.program for note in found.timeline.notes if note.channel != 9}),
            "soundfont": None if found.soundfont is None else str(found.soundfont),
        })  # fmt: skip
    else:
        ringing = f" and {tail:g} of tail" if tail else ""
        output.tell(out, f"Wrote {out}: {in_words(found.timeline)}{ringing}, {rate:,} Hz stereo.")
