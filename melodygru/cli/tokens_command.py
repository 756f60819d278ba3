"""`melodygru tokens`: a melody as the model sees it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from melodygru.cli import output, parameters
from melodygru.cli.parameters import Track


def tokens(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The MIDI file or score to read.", show_default=False)],
    track: Track = "auto",
    meter: parameters.ReadMeter = "",
    key: parameters.ReadKey = "",
    pickup: parameters.ReadPickup = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Show the melody of a MIDI file or a score as the events that the model learns."""
    from melodygru.formats.reading import read_melodies
    from melodygru.network.judge import by_shipped_model
    from melodygru.network.tokenizer import Tokenizer, describe

    pieces = [
        (melody, Tokenizer().encode(melody))
        for melody in read_melodies(file, track, by_shipped_model, meter, key, pickup)
    ]
    if json:
        from json import dumps

        answer = [
            {
                "name": melody.name,
                "time_signature": str(melody.time_signature),
                "key": str(melody.key),
                "bpm": melody.qpm,
                "bars": melody.bars,
                "pickup_steps": melody.pickup,
                "events": [row._asdict() for row in describe(events)],
            }
            for melody, events in pieces
        ]
        typer.echo(dumps(answer, indent=1))
        return
    for melody, events in pieces:
        typer.echo(
            f"{melody.name}: {output.counted(melody.bars, 'bar')} of {melody.time_signature} in {melody.key}, "
            f"{melody.qpm:g} bpm, {output.counted(len(melody.notes), 'note')}"
        )
        typer.echo(f"{'bar':>4}  {'beat':<8}{'event':<8}{'value':<18}{'steps':>5}")
        last = None
        for row in describe(events):
            bar = "" if row.bar == last else str(row.bar)
            last = row.bar
            typer.echo(f"{bar:>4}  {row.beat:<8}{row.what:<8}{row.value:<18}{row.steps or '':>5}")
