"""`melodygru corpus`: the folk tunes that music21 brings along, as MIDI files."""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from melodygru.cli import output
from melodygru.cli.progress import tell
from melodygru.data.corpora import CORPORA, Corpus, find_corpus, write_corpus
from melodygru.errors import UsageError

ALL_PUBLIC = "all-public"


def corpus(
    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="list, oneill, ryan, aird, essen; several with commas; or all-public."),
    ],
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Where to write: into DIR/NAME/, made if need be.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", help="Only the first so many tunes of each.", show_default=False)
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", help="Processes; every usable core unless given.", show_default=False)
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write into a folder that holds files.")] = False,
) -> None:
    """Write folk tunes as MIDI files: a collection to train on.

    They come with music21, so nothing is downloaded. Repeats are written out;
    pickups, metre and key are kept. What cannot be read is counted, with the
    reason.

    What there is: melodygru corpus list

    All that is in the public domain: melodygru corpus all-public folk-midi/
    """
    if name == "list":
        _print_list()
        return
    chosen = _chosen(name)
    if folder is None:
        raise UsageError(f"Where to? Name a folder: melodygru corpus {name} my-folder/")
    for one in chosen:
        if not one.free:
            typer.echo(f"Mind: {one.title} is for {one.licence.replace(' only', '')} use only.", err=True)
        _write(one, folder, limit, jobs, force)


def _chosen(name: str) -> list[Corpus]:
    if name == ALL_PUBLIC:
        return [one for one in CORPORA.values() if one.free]
    return [find_corpus(part.strip()) for part in name.split(",")]


def _print_list() -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("name", "collection", "tunes", "licence", box=None, header_style="bold")
    table.columns[2].justify = "right"
    for one in CORPORA.values():
        table.add_row(one.name, one.title, f"{one.tunes:,}", one.licence)
    Console().print(table)


def _write(one: Corpus, folder: Path, limit: int | None, jobs: int | None, force: bool) -> None:
    started = time.monotonic()
    written = write_corpus(one.name, folder, limit, jobs, force, partial(tell, f"{one.name}: writing tunes"))
    left_out = sum(written.left_out.values())
    seconds = time.monotonic() - started
    typer.echo(
        f"{one.name}: {output.counted(written.files, 'MIDI file')} in {written.folder}, "
        f"{left_out:,} left out, {seconds:.0f} s"
    )
    for reason, count in written.left_out.most_common():
        typer.echo(f"  {count:5,}  {reason}")
