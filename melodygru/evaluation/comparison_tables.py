"""A comparison's runs as rows, a table and a plot."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import numpy as np

from melodygru.evaluation.comparison import REACH, Outcome
from melodygru.records import dataclass

_STEPS = (1, 10, 100)

COLUMNS = (
    "parameters",
    "in recurrent layers",
    "seconds an epoch",
    "peak memory, MB",
    "sampling an event, µs",
    "training, nats per note",
    "validation",
    "gap (overfitting)",
    "validation after the last epoch",
    "best epoch",
    *(f"gradient {steps} step{'s' * (steps > 1)} back" for steps in _STEPS),
)


@dataclass(frozen=True)
class Row:
    """All seeds of one cell on one share of the data.

    Attributes:
        outcomes: one a seed.
        reach, reach_untrained: (REACH + 1,) geometric means over seeds of the outcomes' own.
    """

    cell: str
    hidden: int
    share: float
    pieces: int
    outcomes: tuple[Outcome, ...]
    reach: tuple[float, ...]
    reach_untrained: tuple[float, ...]


def rows(outcomes: Sequence[Outcome], order: Sequence[str]) -> list[Row]:
    """The outcomes by share and cell, cells in this order."""
    found = []
    cells = list(dict.fromkeys(order))
    for share in dict.fromkeys(sorted(outcome.share for outcome in outcomes)):
        for cell in cells:
            chosen = tuple(
                sorted((o for o in outcomes if (o.share, o.cell) == (share, cell)), key=lambda outcome: outcome.seed)
            )
            if chosen:
                reaches = [_mean([getattr(o, name) for o in chosen]) for name in ("reach", "reach_untrained")]
                found.append(Row(cell, chosen[0].hidden, share, chosen[0].pieces, chosen, *reaches))
    return found


def _mean(curves: Sequence[Sequence[float]]) -> tuple[float, ...]:
    """The geometric mean of curves of numbers of at least 0."""
    return tuple(np.exp(np.log(np.maximum(np.array(curves), 1e-300)).mean(axis=0)).tolist())


def cells_of(row: Row) -> list[str]:
    """A row's values in words, in the order of `COLUMNS`: means over seeds, of likelihoods ± standard deviations."""

    def mean(name: str) -> float:
        return float(np.mean([getattr(outcome, name) for outcome in row.outcomes]))

    def spread(name: str) -> str:
        values = [getattr(outcome, name) for outcome in row.outcomes]
        return f"{np.mean(values):.3f}" + (f" ± {np.std(values, ddof=1):.3f}" if len(values) > 1 else "")

    memory = [outcome.peak_bytes for outcome in row.outcomes]
    known = [size for size in memory if size is not None]
    return [
        f"{row.outcomes[0].parameters:,}",
        f"{row.outcomes[0].recurrent_parameters:,}",
        f"{mean('seconds_an_epoch'):.2f}",
        f"{np.mean(known) / 1e6:.0f}" if known else "not known",
        f"{1e6 * mean('event_seconds'):.0f}",
        spread("train_nats"),
        spread("val_nats"),
        spread("gap"),
        spread("last_val_nats"),
        f"{mean('epoch'):.0f} of {row.outcomes[0].epochs}",
        *(f"{row.reach[steps]:.2g}" for steps in _STEPS),
    ]


def table(compared: Sequence[Row]) -> str:
    """All rows as Markdown: a table for each share, a column a cell."""
    parts = []
    for share in dict.fromkeys(row.share for row in compared):
        chosen = [row for row in compared if row.share == share]
        lines = [
            f"| {share:.0%} of the data ({chosen[0].pieces:,} tunes) | "
            + " | ".join(f"{row.cell} ({row.hidden})" for row in chosen)
            + " |"
        ]
        lines.append("| --- |" + " ---: |" * len(chosen))
        columns = [cells_of(row) for row in chosen]
        lines += [f"| {name} | " + " | ".join(column[i] for column in columns) + " |" for i, name in enumerate(COLUMNS)]
        parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def gradient_plot(compared: Sequence[Row]) -> bytes:
    """How far back gradients reach, as PNG: trained networks as lines, untrained ones dashed."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    shares = list(dict.fromkeys(row.share for row in compared))
    cells = list(dict.fromkeys(row.cell for row in compared))
    figure, axes = plt.subplots(
        1, len(shares), figsize=(1.5 + 4.2 * len(shares), 3.8), sharey=True, squeeze=False, layout="constrained"
    )
    for axis, share in zip(axes[0], shares, strict=True):
        for row in compared:
            if row.share == share and any(row.reach):
                colour = f"C{cells.index(row.cell)}"
                axis.semilogy(range(REACH + 1), row.reach, color=colour, label=row.cell)
                axis.semilogy(range(REACH + 1), row.reach_untrained, color=colour, linestyle="--", linewidth=0.8)
        axis.set(title=f"{share:.0%} of the data", xlabel="events back", ylim=(1e-10, 5))
        axis.grid(alpha=0.3)
    axes[0][0].set_ylabel("gradient norm, relative to 0 events back")
    axes[0][0].legend(title="dashed: untrained", title_fontsize=8, fontsize=8)
    target = BytesIO()
    figure.savefig(target, format="png", dpi=120)
    plt.close(figure)
    return target.getvalue()
