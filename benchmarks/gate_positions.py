"""Which units of a trained network follow the bar and the phrase? By correlation with position, over many tunes.

    python benchmarks/gate_positions.py MODEL DATA/ --picture OUT.png

For every unit, the share of the variance of its state (eta squared, the correlation ratio) that is explained by where
the melody is: by the place in the bar, and by the number of the bar within phrases of four and of eight bars. "By
chance" is the largest share that any unit reaches when each tune's bars are numbered from another, random one. Tunes
without other metres than the commonest are taken, since places differ between metres.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot as plt

from melodygru import load_model
from melodygru.data.collection import read_collection
from melodygru.network.trace import Trace, correlation_ratio, trace

PHRASES = (4, 8)
PARTS = 16
"""Places that are told apart in a bar."""


def places(one: Trace, shift: int = 0) -> dict[str, np.ndarray]:
    """Where each event begins: its place in the bar, and its bar's number in phrases, counted from bar `shift` + 1."""
    bar = one.melody.time_signature.bar_steps
    numbers = one.onsets // bar - bool(one.melody.pickup) + shift
    return {"bar": one.onsets % bar * PARTS // bar, **{f"phrase of {n}": numbers % n for n in PHRASES}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("midi", type=Path)
    parser.add_argument("--tunes", type=int, default=100)
    parser.add_argument("--picture", type=Path)
    arguments = parser.parse_args()
    model = load_model(arguments.model)
    pieces = read_collection(arguments.midi).pieces
    metre = Counter(piece.time_signature for piece in pieces).most_common(1)[0][0]
    chosen = [piece for piece in pieces if piece.time_signature == metre and piece.bars % 8 == 0][: arguments.tunes]
    traces = [trace(model.engine, piece, choices=1) for piece in chosen]
    print(f"{len(traces)} tunes in {metre}, {sum(len(one.onsets) for one in traces):,} events; model {model.name}")
    random = np.random.default_rng(0)
    kinds = list(places(traces[0]))
    classes = {kind: np.concatenate([places(one)[kind] for one in traces]) for kind in kinds}
    moved = [places(one, int(random.integers(1, 8))) for one in traces]
    print(f"{'layer':<7}{'follows':<14}{'best unit':>10}{'share':>8}{'by chance':>11}{'units over half':>17}")
    best: list[tuple[str, int, int, float]] = []
    for layer in range(len(traces[0].states)):
        states = np.concatenate([one.states[layer] for one in traces])
        for kind in kinds:
            shares = correlation_ratio(states, classes[kind])
            # The bar's own places cannot be renumbered: there, whole tunes' places are dealt out anew.
            others = np.concatenate([one[kind] for one in moved])
            null = correlation_ratio(states, random.permutation(classes[kind]) if kind == "bar" else others)
            unit = int(shares.argmax())
            best.append((kind, layer, unit, float(shares[unit])))
            print(
                f"{layer + 1:<7}{kind:<14}{unit:>10}{shares[unit]:>8.2f}{null.max():>11.2f}{(shares > 0.5).sum():>17}"
            )
    if arguments.picture:
        draw(traces, [max((b for b in best if b[0] == kind), key=lambda b: b[3]) for kind in kinds], arguments.picture)


def draw(traces: list[Trace], best: list[tuple[str, int, int, float]], target: Path) -> None:
    """The best unit of each kind over the first sixteen bars: five tunes as thin lines, the mean of all as a thick."""
    figure, axes = plt.subplots(len(best), 1, figsize=(10, 2.1 * len(best)), sharex=True, layout="constrained")
    for axis, (kind, layer, unit, share) in zip(axes, best, strict=True):
        rows = []
        for one in traces:
            bar = one.melody.time_signature.bar_steps
            at = (one.onsets - (bar if one.melody.pickup else 0)) / bar
            grid = np.arange(0, 16, 1 / PARTS)
            rows.append(one.states[layer][np.clip(np.searchsorted(at, grid, side="right") - 1, 0, None), unit])
        for row in rows[:5]:
            axis.plot(grid + 1, row, color="gray", linewidth=0.6, alpha=0.7)
        axis.plot(grid + 1, np.mean(rows, axis=0), color="#b4572a", linewidth=1.8)
        axis.set_title(
            f"unit {unit} of layer {layer + 1}: {share:.0%} of its variance is the {kind}", fontsize=10, loc="left"
        )
        axis.set_ylabel("state")
        axis.set_xticks(range(1, 18))
        axis.grid(axis="x", alpha=0.4)
    axes[-1].set_xlabel("bar")
    figure.savefig(target, dpi=110)


if __name__ == "__main__":
    main()
