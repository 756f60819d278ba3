"""`melodygru train`: a folder of MIDI files or scores to a model."""

from __future__ import annotations

import math
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from melodygru.cli import options
from melodygru.cli.output import counted, tell_of_libraries
from melodygru.cli.parameters import Data, ReadKey, ReadMeter, ReadPickup, Track
from melodygru.cli.progress import FIRST_SECONDS, clock, tell
from melodygru.network.cells import CELLS
from melodygru.network.config import ModelConfig
from melodygru.option import described
from melodygru.system.processes import keep_freed_memory
from melodygru.training.config import TrainConfig

if TYPE_CHECKING:
    from melodygru.training.progress import Run, TrainResult

_CELLS = list(CELLS)
_EVERY_SECONDS = 10.0
"""How often a line is printed where the output is no terminal."""
_LEARNING, _SHAPE = described(TrainConfig), described(ModelConfig)


@options.takes(
    "preset",
    *(_LEARNING[name] for name in ("epochs", "max_minutes", "batch_size", "optimizer", "lr")),
    *(_SHAPE[name] for name in ("hidden", "layers", "dropout")),
    *(_LEARNING["weight_decay"], "cell", _LEARNING["grad_clip"], _LEARNING["val_split"], "val_data"),
    *(_LEARNING["patience"], _LEARNING["seed"]),
)
def train(
    data: Data,
    asked: Mapping[str, Any],
    out: Annotated[
        Path | None,
        typer.Argument(
            metavar="[OUT]",
            help="Where the model goes: OUT.safetensors, with the run's state and metrics in OUT/.",
            show_default="checkpoints/ and the folder's name",
        ),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help="Size: tiny, small or base (about 0.1, 1 and 5 million parameters).",
            show_default="small",
        ),
    ] = None,
    cell: Annotated[str, typer.Option(help=f"{', '.join(_CELLS[:-1])} or {_CELLS[-1]}.")] = "gru",
    val_data: Annotated[Path | None, typer.Option(help="Validate on this folder instead of a share.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    precision: Annotated[str, typer.Option(help="auto, fp32 or bf16.")] = "auto",
    threads: Annotated[
        int | None,
        typer.Option(
            help="On the CPU; more pay only where nothing else runs.",
            show_default="1; under torchrun, all cores shared out",
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in OUT/ where it stopped.")] = False,
    save_minutes: Annotated[
        float, typer.Option(help="Save the run's state so often within an epoch too, and at its end.")
    ] = 10.0,
    init_from: Annotated[
        str | None,
        typer.Option(
            help="Begin with the weights of this model (a name or file), and its size; none: from scratch.",
            show_default="repertoire, where the size is its own",
        ),
    ] = None,
    style: Annotated[
        str | None,
        typer.Option(
            help="What the folder's style is called. One that `melodygru generate` has: it begins as that.",
            show_default="the folder's name",
        ),
    ] = None,
    track: Track = "auto",
    meter: ReadMeter = "",
    key: ReadKey = "",
    pickup: ReadPickup = None,
    no_index: Annotated[
        bool,
        typer.Option(
            "--no-index",
            help="Do not keep in the model what it has learned from: no --max-copy, no check and no n-grams then.",
        ),
    ] = False,
    ngrams: Annotated[
        str,
        typer.Option(
            help="auto, on or off: mix in n-grams of the folder, which small folders gain from; auto asks validation."
        ),
    ] = "auto",
    tensorboard: Annotated[bool, typer.Option("--tensorboard", help="Also write TensorBoard files to OUT/.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace a model that is there.")] = False,
) -> None:
    """Learn the melodies of a folder of MIDI files or scores.

    Ctrl-C stops and saves; --resume goes on. Nats per note: how surprised the model is by music that it has
    not seen; lower is better.

    Several processes, on GPUs or CPUs: torchrun --nproc-per-node 2 -m melodygru train DATA/. The first one
    prints and writes. With --max-restarts 3 the run goes on from its last saved state when a process dies.
    """
    from melodygru.training.distributed import Group, told_elsewhere
    from melodygru.training.progress import Silent
    from melodygru.training.run import train as run

    keep_freed_memory()
    group = Group.from_environment()
    screen = (Live() if sys.stdout.isatty() else Lines()) if group.first else None
    try:
        result = run(
            data,
            out,
            preset=preset,
            cell=cell,
            val_data=val_data,
            track=track,
            meter=meter,
            key=key,
            pickup=pickup,
            device=device,
            precision=precision,
            threads=threads,
            resume=resume,
            init_from=init_from,
            style=style,
            tensorboard=tensorboard,
            index=not no_index,
            ngrams=ngrams,
            force=force,
            listener=screen or Silent(),
            save_minutes=save_minutes,
            **asked,
        )
    except Exception as error:
        if told_elsewhere(error):
            raise typer.Exit(getattr(error, "exit_code", 1)) from error
        if group.launched:
            # The others end at once, and torchrun then all of them: not before the error is printed.
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        raise
    finally:
        if screen is not None:
            screen.close()
    if group.first:
        _tell(result)
        tell_of_libraries()


def _tell(result: TrainResult) -> None:
    """How a run ended, and what to do next."""
    why = {
        "finished": "Finished",
        "patience": "Stopped, since validation got no better",
        "time": "Stopped at the time limit",
        "interrupted": "Stopped, as you asked",
    }[result.stopped]
    typer.echo(f"{why} after {result.epochs} epochs and {clock(result.seconds)}: {result.checkpoint}")
    if not math.isnan(result.val_nats):
        typer.echo(
            f"Validation {result.val_nats:.3f} nats per note "
            f"(duration {result.val_duration_nats:.3f}, pitch {result.val_pitch_nats:.3f})."
        )
    if result.ngrams_gain is not None:
        typer.echo(f"N-grams of the folder are mixed in: {result.ngrams_gain:.3f} nats per note better than without.")
    if result.stopped == "interrupted":
        typer.echo("Go on with the same command and --resume.")
    else:
        typer.echo(f"Write with it: melodygru generate --model {result.checkpoint} out.mid")


class Lines:
    """Plain lines, for a log file or a pipe: a `melodygru.training.progress.Listener` that prints.

    What comes before and between the steps is told as all commands do.
    """

    def __init__(self) -> None:
        self._last = 0.0
        self._facts = ""
        self._validation = ""

    def reading(self, done: int, total: int) -> None:
        """How many files have been read."""
        self.busy("reading files", done, total)

    def busy(self, what: str, done: int = 0, total: int = 0) -> None:
        """What is done besides steps."""
        tell(what, done, total)

    def started(self, run: Run) -> None:
        """What was read, and what will be trained."""
        for line in describe(run):
            self.show(line)
        self._last = time.monotonic() - _EVERY_SECONDS + FIRST_SECONDS

    def stepped(self, epoch: int, share: float, nats: float, events_per_second: float, seconds_left: float) -> None:
        """A line now and then."""
        self._facts = (
            f"epoch {epoch}  {share:4.0%}  loss {nats:.3f}{self._validation}  {events_per_second:,.0f} events/s  "
            f"{clock(seconds_left)} left"
        )
        if time.monotonic() - self._last > _EVERY_SECONDS:
            self._last = time.monotonic()
            self.show(self._facts)

    def show(self, text: str) -> None:
        """Print a line."""
        typer.echo(text)

    def finished_epoch(self, row: Mapping[str, float]) -> None:
        """The epoch's result."""
        if not math.isnan(row["val_nats"]):
            self._validation = f"  val {row['val_nats']:.3f}"
        self.show(epoch_line(row))

    def close(self) -> None:
        """The run is over."""


class Live(Lines):
    """The same on a terminal: one live line at the bottom, finished epochs above it."""

    def __init__(self) -> None:
        super().__init__()
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        # No markup: a reason or a path may hold brackets.
        self._console = Console(highlight=False, markup=False)
        self._progress = Progress(
            BarColumn(bar_width=12), TextColumn("{task.description}"), console=self._console, transient=True
        )
        self._task: Any = self._progress.add_task("reading files …", total=1.0)
        self._progress.start()

    def busy(self, what: str, done: int = 0, total: int = 0) -> None:
        """Renew the live line."""
        counted = f" {done:,}/{total:,}" if total else " …"
        self._progress.update(self._task, completed=done / max(total, 1), description=f"{what}{counted}")

    def stepped(self, epoch: int, share: float, nats: float, events_per_second: float, seconds_left: float) -> None:
        """Renew the live line."""
        self._last = time.monotonic()
        super().stepped(epoch, share, nats, events_per_second, seconds_left)
        self._progress.update(self._task, completed=share, description=self._facts)

    def show(self, text: str) -> None:
        """Print a line above the live one."""
        self._console.print(text, soft_wrap=True)

    def close(self) -> None:
        """Take the live line away."""
        self._progress.stop()


def epoch_line(row: Mapping[str, float]) -> str:
    """A finished epoch in words."""
    validation = "" if math.isnan(row["val_nats"]) else f"  validation {row['val_nats']:.3f}"
    return (
        f"epoch {row['epoch']:>3.0f}  training {row['train_nats']:.3f}{validation} nats per note  "
        f"{row['events_per_second']:,.0f} events/s  {clock(row['seconds'])}"
    )


def _remark(remark: str, count: int) -> str:
    """A remark that was made so many times: on files, or on tunes or movements within them."""
    what, left_out, why = remark.partition(" left out: ")
    return f"{counted(count, what)}{left_out}{why}" if left_out else f"{remark} in {counted(count, 'file')}"


def describe(run: Run) -> list[str]:
    """What a run learns from, in a few lines."""
    report = run.dataset.report
    lines = []
    if "kept" in report:
        left_out = report.get("left_out", {})
        lines.append(f"{counted(report['kept'], 'file')} read, {sum(left_out.values()):,} left out")
        lines += [f"  {count:,} {reason}" for reason, count in left_out.items()]
        lines += [f"  {_remark(*entry)}" for entry in list(report.get("remarks", {}).items())[:5]]
    lines.append(
        f"training on {counted(run.train_pieces, 'tune')} ({counted(run.train_notes, 'note')}), validating on "
        f"{run.val_pieces:,} ({counted(run.val_notes, 'note')})"
    )
    lines.append(
        f"{run.parameters:,} parameters on {run.device} in {run.precision}, "
        f"{counted(run.steps_per_epoch, 'step')} an epoch"
        + (f", resumed at step {run.resumed_at:,}" if run.resumed_at else "")
    )
    lines += [*run.remarks, f"{run.epochs} passes at most, learning rate {run.lr:g}"]
    return lines
