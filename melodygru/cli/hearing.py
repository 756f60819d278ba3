"""What `render` and `play` share: a MIDI file, and the sound that is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from melodygru.cli import options
from melodygru.errors import MidiError

if TYPE_CHECKING:
    from melodygru.sound.synthesis import FloatArray
    from melodygru.sound.timeline import Timeline

Source = Annotated[Path, typer.Argument(metavar="FILE.mid", help="The MIDI file to hear.", show_default=False)]
Program = Annotated[
    str | None,
    typer.Option(
        rich_help_panel=options.FEEL,
        help="Instrument in place of the file's, chords and drums apart: 0 to 127, or a General MIDI name (violin).",
        show_default=False,
    ),
]
Soundfont = Annotated[
    str | None,
    typer.Option(
        rich_help_panel=options.FEEL,
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
    from melodygru.instruments import find_program
    from melodygru.midi import read_bytes
    from melodygru.sound import soundfont as fluidsynth
    from melodygru.sound import synthesis
    from melodygru.sound.timeline import read_timeline

    synthesis.check(tail, rate)
    number = None if program is None else find_program(program)
    font = None if soundfont is None else fluidsynth.find_soundfont(soundfont)
    midi = read_bytes(source)
    try:
        timeline = read_timeline(midi, number)
        if font is None:
            sound = synthesis.render(timeline, tail, rate)
        else:
            sound = fluidsynth.render(midi, timeline, font, number, tail, rate)
    except MidiError as error:
        raise MidiError(f"{source} {error}") from None
    return Heard(timeline, sound, font)


def in_words(timeline: Timeline) -> str:
    """How long a clip is: "16 bars, 32.000 seconds"."""
    return f"{timeline.bars} bar{'s' * (timeline.bars != 1)}, {float(timeline.seconds):.3f} seconds"


def remark(timeline: Timeline) -> None:
    """Say what could not be read, on standard error."""
    for sentence in timeline.remarks:
        typer.echo(sentence, err=True)
