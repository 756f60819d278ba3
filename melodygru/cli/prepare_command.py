"""`melodygru prepare`: a folder is read ahead of training, by one process, many, or many machines."""

from __future__ import annotations

import os
import time
from functools import partial
from typing import Annotated

import typer

from melodygru.cli import output
from melodygru.cli.parameters import Data, ReadKey, ReadMeter, ReadPickup, Track
from melodygru.cli.progress import tell


def prepare(
    data: Data,
    track: Track = "auto",
    meter: ReadMeter = "",
    key: ReadKey = "",
    pickup: ReadPickup = None,
    jobs: Annotated[
        int | None, typer.Option(help="Processes that read.", show_default="one for each usable core")
    ] = None,
) -> None:
    """Read a folder of MIDI files or scores ahead of training, so that training begins at once.

    A run that was stopped goes on where it was. Under torchrun every process reads its share, on any number of machines
    that have the cache's folder (MELODYGRU_CACHE) in common:

    torchrun --nproc-per-node 8 -m melodygru prepare DATA/
    """
    from melodygru.data.cache import load_dataset, read_part
    from melodygru.errors import MelodyGRUError, check_range
    from melodygru.formats.midi.extraction import ExtractionConfig
    from melodygru.system.processes import usable_cores

    if jobs is not None:
        check_range("jobs", jobs, 1, 1024)
    extraction = ExtractionConfig(track, meter=meter, key=key, pickup=pickup)
    began = time.monotonic()
    progress = partial(tell, "reading files")
    output.tell_of_libraries()
    tell("reading files")
    if "RANK" in os.environ:
        from melodygru.training.distributed import Group, told_elsewhere

        group = Group.from_environment()
        try:
            with group.joined():
                if group.world > 1:
                    own = jobs or max(1, usable_cores() // group.local_world)
                    with group.together():
                        read_part(data, (group.rank, group.world), extraction=extraction, progress=progress, jobs=own)
                dataset = None
                with group.together():
                    if group.first:
                        dataset = load_dataset(data, extraction=extraction, progress=progress, jobs=jobs)
        except MelodyGRUError as error:
            if told_elsewhere(error):
                raise typer.Exit(error.exit_code) from error
            raise
    else:
        dataset = load_dataset(data, extraction=extraction, progress=progress, jobs=jobs)
    if dataset is None:
        return
    report, seconds = dataset.report, time.monotonic() - began
    left_out = sum(report["left_out"].values())
    typer.echo(
        f"{output.counted(report['pieces'], 'tune')} with {output.counted(report['notes'], 'note')} from "
        f"{report['kept']:,} of {output.counted(report['files'], 'file')} "
        f"{'is' if report['pieces'] == 1 else 'are'} ready to train on, after {seconds:.1f} seconds."
        + (
            f" `melodygru inspect {data}` tells why {left_out:,} {'is' if left_out == 1 else 'are'} left out."
            if left_out
            else ""
        )
    )
