"""`melodygru compare`: GRU, LSTM and others trained under the same conditions, in one table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from melodygru.cli import output, parameters
from melodygru.cli.progress import tell
from melodygru.network.cells import CELLS
from melodygru.network.config import ModelConfig
from melodygru.option import described
from melodygru.training.config import TrainConfig

if TYPE_CHECKING:
    from melodygru.evaluation.comparison import Outcome

_SHAPE = described(ModelConfig)


def compare(
    data: parameters.Data,
    out: Annotated[
        Path,
        typer.Argument(
            metavar="[OUT/]", help="A folder: runs.jsonl (finished runs are not made again), table.md, gradients.png."
        ),
    ] = Path("comparison"),
    cells: Annotated[str, typer.Option(help=f"Which: {', '.join(CELLS)}; the first is the measure.")] = "gru,lstm,rnn",
    seeds: Annotated[int, typer.Option(help="How many runs of each: seeds 0, 1, …")] = 3,
    match: Annotated[
        str, typer.Option(help="What is equal: parameters (in all), or hidden (units a layer).")
    ] = "parameters",
    share: Annotated[str, typer.Option(help="Shares of the training tunes, each a table: 0.1,0.3,1.")] = "1",
    val_data: Annotated[Path | None, typer.Option(help="Validate on this folder instead of a share.")] = None,
    epochs: Annotated[int, typer.Option(help=described(TrainConfig)["epochs"].help_text)] = 20,
    preset: Annotated[str, typer.Option(help="Size: tiny, small or base.")] = "tiny",
    hidden: Annotated[
        int | None, parameters.shown(replace(_SHAPE["hidden"], help="Units a layer of the first cell."))
    ] = None,
    dropout: Annotated[float | None, parameters.shown(_SHAPE["dropout"])] = None,
    no_context: Annotated[
        bool,
        typer.Option(
            "--no-context",
            help="Tell the networks the previous event only: their state alone must remember the rest.",
        ),
    ] = False,
    jobs: Annotated[int, typer.Option(help="Runs at a time, one core each; more than there are spoil the times.")] = 1,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    json: parameters.Json = False,
) -> None:
    """Train several kinds of cells under the same conditions, and compare them.

    Parameters, time, memory, likelihood, overfitting, and how far back gradients reach. Stopped with Ctrl-C, it goes on
    where it was with the same command.
    """
    from dataclasses import asdict

    from melodygru.errors import FileError, check_range
    from melodygru.evaluation.comparison import plan_comparison
    from melodygru.evaluation.comparison_runs import run_all
    from melodygru.evaluation.comparison_tables import gradient_plot, rows, table
    from melodygru.system.files import write_atomically
    from melodygru.system.processes import keep_freed_memory

    keep_freed_memory()

    plans = plan_comparison(
        str(data),
        None if val_data is None else str(val_data),
        cells=[cell.strip() for cell in cells.split(",") if cell.strip()],
        seeds=seeds,
        shares=_numbers(share),
        match=match,
        preset=preset,
        hidden=hidden,
        dropout=dropout,
        context=not no_context,
        epochs=epochs,
        device=device,
    )
    check_range("jobs", jobs, 1, 1024)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{out} cannot be made ({error.strerror}); choose another OUT.") from error
    outcomes: list[Outcome] = []
    for outcome in run_all(plans, out / "runs.jsonl", jobs, tell):
        outcomes.append(outcome)
        if not json:
            typer.echo(
                f"{outcome.cell}, {outcome.share:.0%} of the data, seed {outcome.seed}: validation "
                f"{outcome.val_nats:.3f} nats per note"
            )
    compared = rows(outcomes, [plan.model.cell for plan in plans])
    write_atomically(out / "table.md", table(compared).encode(), force=True)
    write_atomically(out / "gradients.png", gradient_plot(compared), force=True)
    if json:
        output.print_json([asdict(outcome) for outcome in outcomes])
        return
    _show(compared)
    typer.echo(f"Wrote {out / 'table.md'} and {out / 'gradients.png'}.")


def _numbers(text: str) -> list[float]:
    from melodygru.errors import UsageError

    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise UsageError(f"--share is {text!r}; write numbers above 0, up to 1, with commas: 0.1,0.3,1.") from error


def _show(compared: Sequence[Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    from melodygru.evaluation.comparison_tables import COLUMNS, cells_of

    console = Console(highlight=False, markup=False)
    for share in dict.fromkeys(row.share for row in compared):
        chosen = [row for row in compared if row.share == share]
        made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
        made.add_column(f"{share:.0%} of the data ({output.counted(chosen[0].pieces, 'tune')})")
        for row in chosen:
            made.add_column(f"{row.cell} ({row.hidden})", justify="right")
        for number, name in enumerate(COLUMNS):
            made.add_row(name, *(cells_of(row)[number] for row in chosen))
        console.print()
        console.print(made)
    console.print()
