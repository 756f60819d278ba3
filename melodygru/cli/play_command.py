"""`melodygru play`: a MIDI file, heard."""

from __future__ import annotations

from typing import Annotated

import typer

from melodygru.cli.hearing import Program, Soundfont, Source, heard, in_words, remark

_RINGING = 1.5
"""Seconds that the last note is given to die away, where nothing follows."""


def play(
    source: Source,
    program: Program = None,
    soundfont: Soundfont = None,
    loop: Annotated[bool, typer.Option("--loop", help="Over and over, until Ctrl-C.")] = False,
) -> None:
    """Play a MIDI file; no soundfont is needed.

    Through the sound device, or a program that plays (pw-play, paplay, aplay, afplay, ffplay). Ctrl-C stops.
    """
    from melodygru.sound.players import play as play_sound
    from melodygru.sound.synthesis import RATE

    found = heard(source, program, soundfont, 0.0 if loop else _RINGING, RATE)
    remark(found.timeline)
    words = f"Playing {source}: {in_words(found.timeline)}{', over and over' if loop else ''}."
    play_sound(found.sound, RATE, loop, begun=lambda: typer.echo(words))
