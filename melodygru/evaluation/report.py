"""An evaluation as one HTML page that stands alone: curves, histograms, piano rolls and the numbers."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO
from typing import Any

import matplotlib
import numpy as np
from matplotlib import pyplot as plt
from matplotlib.figure import Figure as Drawing

from melodygru.evaluation.evaluation import Evaluation
from melodygru.evaluation.pages import render
from melodygru.music.melody import Melody

matplotlib.use("Agg")

PEOPLE, GENERATED = "#2f66a8", "#d9793a"
_ACROSS = 4
_BINS = 18


def page(evaluation: Evaluation) -> str:
    """The page."""
    likelihood = evaluation.likelihood
    figures = [
        ("everything", likelihood.total),
        ("durations", likelihood.duration),
        ("pitches, given durations", likelihood.pitch),
        ("new bars", likelihood.new),
        ("repeated bars", likelihood.repeated),
        *((f"in {metre}", figure) for metre, figure in likelihood.by_metre.items()),
    ]
    return render(
        "report.html",
        {
            "e": evaluation,
            "figures": [(name, figure) for name, figure in figures if figure.notes],
            "roc": _roc(evaluation),
            "by_bar": _by_bar(evaluation),
            "histograms": _histograms(evaluation),
            "rolls": [_pair(*pair) for pair in evaluation.shown],
        },
    )


def _svg(drawing: Drawing) -> str:
    """A drawing as an SVG element, the same for the same drawing."""
    target = StringIO()
    with plt.rc_context({"svg.hashsalt": "melodygru"}):
        drawing.savefig(target, format="svg", metadata={"Date": None})
    plt.close(drawing)
    text = target.getvalue()
    return text[text.index("<svg") :]


def _roc(evaluation: Evaluation) -> str:
    drawing, axes = plt.subplots(figsize=(4.6, 4.2), layout="constrained")
    for name, test in evaluation.tests.items():
        axes.plot(*zip(*test.roc, strict=True), label=f"{name}: {test.auc:.2f}")
    axes.plot([0, 1], [0, 1], "--", color="gray", linewidth=1)
    axes.set(xlabel="generated melodies taken for people's", ylabel="people's taken for people's")
    axes.legend(loc="lower right", fontsize=8)
    return _svg(drawing)


def _by_bar(evaluation: Evaluation) -> str:
    bars = evaluation.likelihood.by_bar
    numbers = np.array(list(bars))
    # Bars that few pieces have say little, and make the picture wide.
    most = max(figure.notes for figure in bars.values())
    enough = np.array([figure.notes >= most / 20 for figure in bars.values()])
    low, middle, high = (
        np.array([getattr(figure, name) for figure in bars.values()]) for name in ("low", "nats", "high")
    )
    drawing, axes = plt.subplots(figsize=(9, 3), layout="constrained")
    axes.fill_between(numbers[enough], low[enough], high[enough], color=PEOPLE, alpha=0.2, linewidth=0)
    axes.plot(numbers[enough], middle[enough], color=PEOPLE, marker=".")
    axes.set(xlabel="bar (0: pickup)", ylabel="nats per note", ylim=(0, None))
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(alpha=0.3)
    return _svg(drawing)


def _histograms(evaluation: Evaluation) -> str:
    shown = {name: s.values for name, s in evaluation.statistics.items() if all(len(side) > 1 for side in s.values)}
    rows = -(-len(shown) // _ACROSS)
    drawing, grid = plt.subplots(rows, _ACROSS, figsize=(11, 1.75 * rows), layout="constrained", squeeze=False)
    for axes, (name, values) in zip(grid.flat, shown.items(), strict=False):
        together = np.concatenate([np.array(side) for side in values])
        edges = np.histogram_bin_edges(together, _BINS)
        for side, colour in zip(values, (PEOPLE, GENERATED), strict=True):
            axes.hist(side, edges, weights=np.full(len(side), 1 / len(side)), color=colour, alpha=0.55)
        axes.set_title(name, fontsize=9)
        axes.tick_params(labelsize=7)
        axes.set_yticks([])
    for axes in list(grid.flat)[len(shown) :]:
        axes.axis("off")
    return _svg(drawing)


def _pair(person: Melody, written: Melody) -> dict[str, Any]:
    """Two melodies as small piano rolls of the same height."""
    pitches = [note.pitch for melody in (person, written) for note in melody.notes]
    rolls = [_roll(person, "person", pitches), _roll(written, "model", pitches)]
    title = f"{person.name or 'untitled'}: {person.bars} bars of {person.time_signature} in {person.key}"
    return {"title": title, "rolls": rolls}


def _roll(melody: Melody, kind: str, pitches: Sequence[int]) -> dict[str, Any]:
    top = max(pitches) + 1
    notes = [{"x": n.onset, "y": top - n.pitch, "width": max(n.duration - 1, 1)} for n in melody.notes]
    label = f"{'People' if kind == 'person' else 'Generated'}: {len(melody.notes)} notes"
    bars = list(range(0, melody.length + 1, melody.time_signature.bar_steps))
    return {
        "kind": kind,
        "width": melody.length,
        "height": top - min(pitches) + 2,
        "notes": notes,
        "bars": bars,
        "label": label,
    }
