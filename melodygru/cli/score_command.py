"""`melodygru score`: a melody in notes."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from melodygru.cli import output, parameters
from melodygru.cli.parameters import Track
from melodygru.cli.progress import tell
from melodygru.errors import UsageError
from melodygru.option import described
from melodygru.system.files import check_target
from melodygru.writing.config import GenerationConfig

if TYPE_CHECKING:
    from melodygru.music.chords import ChordSpan
    from melodygru.music.melody import Melody


def score(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="The MIDI file or score to write out.", show_default=False)
    ],
    out: Annotated[
        str,
        typer.Argument(
            metavar="OUT",
            help="The score: a name that ends in .musicxml, .mxl, .abc, .pdf, .svg or .png; - prints ABC.",
            show_default=False,
        ),
    ],
    track: Track = "auto",
    meter: parameters.ReadMeter = "",
    key: parameters.ReadKey = "",
    pickup: parameters.ReadPickup = None,
    chords: Annotated[
        str | None,
        typer.Option(
            help='Chord symbols over the staff, from bar 1 on: "Am F | C G"; "" for none.',
            show_default="those it was made with",
        ),
    ] = None,
    beats_per_chord: Annotated[float | None, parameters.shown(described(GenerationConfig)["beats_per_chord"])] = None,
    title: Annotated[str | None, typer.Option(help="What stands above it.", show_default="the melody's name")] = None,
    force: parameters.Force = False,
    json: parameters.Json = False,
) -> None:
    """Write a melody as a score: MusicXML, ABC, or a page of notes (PDF, SVG, PNG).

    A bass that `arrange` or `generate --with bass` put there has a staff of its own, but in ABC. MusicXML opens in
    MuseScore and its like; a PDF has pages of A4, an SVG or PNG is one picture.
    """
    from melodygru.formats.notation import engraving as notation
    from melodygru.formats.reading import WHOLE, read_melodies
    from melodygru.network.judge import by_shipped_model
    from melodygru.writing.accompanied import bass_in
    from melodygru.writing.replay import chords_in

    to_stdout = out == output.STDOUT
    if to_stdout and json:
        raise UsageError("Standard output takes the score or the JSON, not both; give OUT a name.")
    if not to_stdout:
        if Path(out).suffix.lower() not in notation.SUFFIXES:
            raise UsageError(f"{out} ends in none of {', '.join(notation.SUFFIXES)}; give OUT one of these endings.")
        check_target(out, force)
    if beats_per_chord is not None and not chords:
        raise UsageError("--beats-per-chord says nothing without --chords; give both, or neither.")
    melodies = read_melodies(file, track, by_shipped_model, meter, key, pickup)
    melody = max(melodies, key=lambda melody: len(melody.notes))
    spans = chords_in(file, melodies) if chords is None else _said(chords, beats_per_chord, melody)
    bass = bass_in(file, replace(WHOLE, track=track, meter=meter, key=key, pickup=pickup), melodies)
    if title is not None:
        melody = replace(melody, name=title)
    tell("engraving")
    data = notation.written(melody, spans, ".abc" if to_stdout else out, partial(tell, "drawing pages"), bass)
    output.write(None if to_stdout else Path(out), data, force)
    if len(melodies) > 1:
        typer.echo(f"{file} has {len(melodies)} melodies, cut where its metre changes; this is the longest.", err=True)
    if json:
        output.print_json({"file": out, "title": melody.name, **output.facts(melody), "chords": len(spans)})
        return
    shown = f", {output.counted(len(melody.notes), 'note')}" + (", with chord symbols" if spans else "")
    shown += ", a bass below" if bass is not None and not (to_stdout or out.lower().endswith(".abc")) else ""
    bars = output.counted(melody.bars, "bar")
    where = "standard output" if to_stdout else out
    output.tell(out, f"Wrote {where}: {bars} of {melody.time_signature} in {melody.key}{shown}.")


def _said(chords: str, beats_per_chord: float | None, melody: Melody) -> tuple[ChordSpan, ...]:
    """Chords as the command line says them, repeated to the end. Raises UsageError for ones that nobody knows."""
    from melodygru.music.chords import parse_progression
    from melodygru.writing.layout import chords_under

    if not chords.strip():
        return ()
    return chords_under(parse_progression(chords, melody.time_signature, beats_per_chord), melody)
