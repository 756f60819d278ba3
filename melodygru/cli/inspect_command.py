"""`melodygru inspect`: what is in a folder of MIDI files or scores, and what training would leave out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from melodygru.cli import output
from melodygru.cli.parameters import Data, ReadKey, ReadMeter, ReadPickup, Track
from melodygru.cli.progress import tell

_SHOWN = 8
"""Values of a kind that the table names before it only counts."""
_NAMED = 3
"""Files of a reason that it names."""


def inspect(
    data: Data,
    track: Track = "auto",
    meter: ReadMeter = "",
    key: ReadKey = "",
    pickup: ReadPickup = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON for programs.")] = False,
) -> None:
    """Show what is in a folder of MIDI files or scores, and what training would leave out and why."""
    from melodygru.data.collection import find_names
    from melodygru.data.preparation import read_shards, reading
    from melodygru.data.survey import Survey
    from melodygru.formats.midi.extraction import ExtractionConfig
    from melodygru.network.config import TokenizerConfig

    output.tell_of_libraries()
    tell("reading files")
    extraction = ExtractionConfig(track, meter=meter, key=key, pickup=pickup)
    files, survey = find_names(data), Survey()
    read = reading(extraction, TokenizerConfig(), None, len(files))
    for shard in read_shards(files, read, partial(tell, "reading files")):
        survey.add(shard)
    tell("looking for duplicates")
    summary = survey.summary()
    if json:
        from json import dumps

        typer.echo(dumps(summary, indent=1))
        return
    show(summary)


def show(summary: Mapping[str, Any]) -> None:
    """Print a collection's summary as a table."""
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    left_out = summary["left_out"]
    table.add_row("files", f"{summary['files']:,}")
    table.add_row("kept", f"{summary['kept']:,}")
    table.add_row("left out", f"{sum(left_out.values()):,}")
    files = _files_by_kind(summary["left_out_files"])
    for kind, count in left_out.items():
        table.add_row("", f"{count:,} {kind}: {_files(files[kind])}")
    table.add_row("tunes", f"{summary['pieces']:,} ({summary['with_pickup']:,} with a pickup)")
    table.add_row("notes", f"{summary['notes']:,} in {output.counted(summary['bars'], 'bar')}")
    if summary["range"]:
        table.add_row("range", " to ".join(summary["range"]))
    table.add_row("metres", _first(summary["metres"]))
    table.add_row("keys", _first(summary["keys"]))
    if 2 * len(summary["tracks"]) < summary["kept"]:
        # Where tracks have names of their own, as titles are, a list of them tells nothing.
        table.add_row("tracks", _first(summary["tracks"]))
    table.add_row("duplicates", f"{summary['near_duplicates']:,} (tunes that are nearly the same as another)")
    for what, bands in summary["estimated"].items():
        told = ", ".join(f"{count:,} at {band}" for band, count in bands.items() if count)
        table.add_row(f"{what} estimated", f"{told} confidence")
    if summary["remarks"]:
        table.add_row("remarks", _first(summary["remarks"]))
    console.print(table, soft_wrap=False)


def _first(counts: Mapping[str, int]) -> str:
    """The commonest values, each with its count."""
    text = ", ".join(f"{value or 'unnamed'} {count:,}" for value, count in list(counts.items())[:_SHOWN])
    more = len(counts) - _SHOWN
    return f"{text}, and {more} more" if more > 0 else text or "-"


def _files_by_kind(reasons: Mapping[str, str]) -> dict[str, list[tuple[str, str]]]:
    """The files, each with its reason, that were left out for each kind of reason."""
    from melodygru.data.survey import kind_of

    files: dict[str, list[tuple[str, str]]] = {}
    for path, reason in reasons.items():
        files.setdefault(kind_of(reason), []).append((path, reason))
    return files


def _files(files: Sequence[tuple[str, str]]) -> str:
    """Names of the first of these files, each with the place in it that its reason tells."""
    from melodygru.data.survey import place_of
    from melodygru.system.files import printable

    names = [
        printable(Path(path).name) + (f" ({place})" if (place := place_of(reason)) else "")
        for path, reason in files[:_NAMED]
    ]
    more = len(files) - _NAMED
    return ", ".join(names) + (f" and {more:,} more" if more > 0 else "")
