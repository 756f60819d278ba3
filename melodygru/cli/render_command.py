"""`melodygru render`: a MIDI file as sound."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from melodygru.cli import options, output
from melodygru.cli.hearing import Program, Soundfont, Source, heard, in_words, remark
from melodygru.errors import UsageError
from melodygru.files import check_target


def render(
    source: Source,
    out: Annotated[
        str,
        typer.Argument(metavar="OUT.wav", help="The sound file to write; - is standard output.", show_default=False),
    ],
    program: Program = None,
    soundfont: Soundfont = None,
    tail: Annotated[
        float, typer.Option(rich_help_panel=options.FEEL, help="Seconds to ring on after the clip: 0 to 30.")
    ] = 0.0,
    rate: Annotated[
        int, typer.Option(rich_help_panel=options.FILES, help="Samples a second: 22050 to 96000.")
    ] = 44_100,
    force: options.Force = False,
    json: options.Json = False,
) -> None:
    """Write a MIDI file as sound, exactly as long as the clip.

    It ends on the last bar line, to the sample, and loops. The instruments are synthesized: no soundfont is needed.
    """
    if out == output.STDOUT:
        if json:
            raise UsageError("Standard output takes the sound or the JSON, not both; give OUT a name.")
    else:
        if not out.lower().endswith(".wav"):
            raise UsageError(f"{out} does not end in .wav; give the sound file a name such as out.wav.")
        check_target(out, force)
    found = heard(source, program, soundfont, tail, rate)

    from melodygru.sound.synthesis import pack

    output.write(None if out == output.STDOUT else Path(out), pack(found.sound, rate), force)
    remark(found.timeline)
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
