"""`melodygru evaluate`: how good a model is, in numbers and pictures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from melodygru.cli import options, output, parameters
from melodygru.cli.parameters import Track
from melodygru.cli.progress import tell
from melodygru.option import taken_by
from melodygru.writing.config import GenerationConfig

if TYPE_CHECKING:
    from melodygru.evaluation.evaluation import Evaluation


_GIVEAWAYS = 8


@options.takes(*taken_by("evaluate", GenerationConfig))
def evaluate(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="A model's name or file.", show_default=False)],
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA/",
            help="People's tunes that it has not learned from; or its training folder: what was held out then counts.",
            show_default=False,
        ),
    ],
    asked: Mapping[str, Any],
    samples: Annotated[int, typer.Option(help="How many melodies it writes to be compared.")] = 500,
    report: Annotated[Path | None, typer.Option(help="Write a page (.html) with curves, histograms and rolls.")] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same figures.")] = 0,
    track: Track = "auto",
    force: parameters.Force = False,
    json: parameters.Json = False,
) -> None:
    """Tell how good a model is.

    How well it knows people's tunes (nats per note); whether what it writes can be told from them, and by what; and how
    original it is.
    """
    from melodygru.errors import UsageError
    from melodygru.evaluation.evaluation import evaluate as run
    from melodygru.system.files import check_target, write_atomically
    from melodygru.system.processes import usable_cores
    from melodygru.writing.drawing import SEED
    from melodygru.writing.model import load_model

    if report is not None:
        if report.suffix.lower() != ".html":
            raise UsageError(f"{report} does not end in .html; give --report the name of a page.")
        check_target(report, force)
    SEED.check(seed)
    loaded = load_model(model)
    found = run(
        loaded, data, samples=samples, seed=seed, options=asked, track=track, progress=tell, jobs=usable_cores()
    )
    if report is not None:
        from melodygru.evaluation.report import page

        write_atomically(report, page(found).encode(), force=force)
    if json:
        output.print_json({**found.as_dict(), "report": None if report is None else str(report)})
        return
    _show(found)
    if report is not None:
        typer.echo(f"Wrote {report}.")


def _show(found: Evaluation) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False)
    held = ", held out in training" if found.held_out else ""
    console.print(
        f"{output.counted(found.pieces, 'tune')} ({output.counted(found.notes, 'note')}{held}), "
        f"{'1 melody' if found.samples == 1 else f'{found.samples:,} melodies'} written like them"
    )
    if found.known:
        console.print(
            f"Note: {found.known} of these tunes stand whole, or nearly, in what the model has learned from; these "
            "figures are too good."
        )

    def table(*headings: str) -> Table:
        made = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
        for number, heading in enumerate(headings):
            made.add_column(heading, justify="left" if number == 0 else "right")
        return made

    likelihood = table("nats per note", "", "95 % interval", "notes")
    parts: dict[str, Any] = {
        "all": found.likelihood.total,
        "durations": found.likelihood.duration,
        "pitches": found.likelihood.pitch,
        "new bars": found.likelihood.new,
        "repeated bars": found.likelihood.repeated,
    }
    parts |= {f"in {metre}": figure for metre, figure in found.likelihood.by_metre.items()}
    for name, figure in parts.items():
        if figure.notes:
            likelihood.add_row(
                name, f"{figure.nats:.3f}", f"{figure.low:.3f} to {figure.high:.3f}", f"{figure.notes:,}"
            )
    tests = table("told from people's by", "AUC", "95 % interval")
    for name, test in found.tests.items():
        tests.add_row(name, f"{test.auc:.3f}", f"{test.low:.3f} to {test.high:.3f}")
    features = table("what gives it away", "AUC", "people", "generated")
    for feature in found.features[:_GIVEAWAYS]:
        features.add_row(feature.name, f"{feature.auc:.3f}", f"{feature.people:.3g}", f"{feature.generated:.3g}")
    for one in (likelihood, tests, features):
        console.print()
        console.print(one)
    if found.shared_runs:
        runs = table("longest runs in the training music", "median", "95th percentile", "longest")
        for who, run in found.shared_runs.items():
            runs.add_row(who, f"{run['median']:g}", f"{run['p95']:g}", f"{run['longest']}")
        console.print()
        console.print(runs)
