"""`explain`: one page, and one picture, of what happens inside the network while it hears a melody."""

from __future__ import annotations

import base64
import math
from io import BytesIO
from itertools import pairwise
from pathlib import PurePath
from typing import Any

import numpy as np
import numpy.typing as npt

from melodygru.music.spelling import note_name
from melodygru.music.theory import Key
from melodygru.network.arrays import Float32Array, FloatArray, IntArray
from melodygru.network.cells import GATES
from melodygru.network.tokenizer import END, REST, TIE, describe, note_value
from melodygru.network.trace import Choice, Trace, memory_span
from melodygru.records import dataclass

COLUMN_STEPS = 2
"""Steps of a column of the heat maps: triplets and sixteenths are both whole columns."""
CALM, SURPRISED = 0.7, 3.0
"""Nats up to which a note has the colour of expected ones, and from which that of the most surprising."""
_STEP = 34 / 24
"""Pixels of a step; below, of a semitone and of the margin."""
_ROW = 7
_LABELS = 58
_IN_SIGHT = 4
_SHOWN_FIRST = "keep"


@dataclass(frozen=True)
class Summary:
    """A trace in a few numbers.

    Attributes:
        nats_per_note: of the whole melody.
        first_choice, among: shares of the notes that were its first choice, and among the choices that were kept.
        spans: of each layer, (H,) for how many notes each unit keeps half of what it holds, on average over the
            melody; empty for a cell without a gate that keeps.
    """

    nats_per_note: float
    first_choice: float
    among: float
    spans: tuple[FloatArray, ...]


def summarise(trace: Trace) -> Summary:
    """A trace in a few numbers. The melody has one note at least."""
    sounds = np.flatnonzero(trace.events.pitches < REST)
    ranks = [_rank(trace, int(at)) for at in sounds]
    spans = tuple(memory_span(gates["keep"]).mean(axis=0) for gates in trace.gates if "keep" in gates)
    return Summary(
        float(trace.nats.sum()) / len(sounds),
        sum(rank == 0 for rank in ranks) / len(ranks),
        sum(rank is not None for rank in ranks) / len(ranks),
        spans,
    )


def _rank(trace: Trace, at: int) -> int | None:
    """Which of its choices an event was, from 0; None if it was none of them."""
    for rank, choice in enumerate(trace.considered[at]):
        if (choice.duration, choice.pitch) == (trace.events.durations[at], trace.events.pitches[at]):
            return rank
    return None


def order_units(values: Float32Array) -> IntArray:
    """(H,) units in an order in which like ones stand together: hierarchical clustering of the columns of (T, H).

    By the correlation of their courses, average linkage, with the leaves in the best order (Bar-Joseph et al. 2001).
    Of the two directions, the one in which the upper half is larger.
    """
    from scipy.cluster.hierarchy import leaves_list, linkage

    if values.shape[1] < 3:
        return np.arange(values.shape[1])
    courses = values.T.astype(np.float64)
    courses = courses - courses.mean(axis=1, keepdims=True)
    length = np.linalg.norm(courses, axis=1, keepdims=True)
    # A unit that never moves is like no other; a direction of its own keeps the clustering defined.
    courses = np.where(length > 1e-9, courses / np.maximum(length, 1e-9), 1 / math.sqrt(len(values)))
    order = leaves_list(linkage(courses, "average", metric="euclidean", optimal_ordering=True)).astype(np.int64)
    half = len(order) // 2
    means = values.mean(axis=0)[order]
    return order if means[:half].mean() >= means[half:].mean() else order[::-1]


def over_time(trace: Trace, values: Float32Array) -> Float32Array:
    """(H, columns): values (T, H) of each event, held for as long as it lasts; columns of `COLUMN_STEPS` steps."""
    widths = np.maximum(trace.events.durations // COLUMN_STEPS, 0)
    inside = trace.events.durations != END
    return np.repeat(values[inside].T, widths[inside], axis=1)


def heat_map(values: npt.NDArray[np.floating]) -> str:
    """A picture of values in [0, 1], (rows, columns), as a data address: dark 0, light 1."""
    from matplotlib.image import imsave

    target = BytesIO()
    imsave(target, values, cmap="viridis", vmin=0, vmax=1, format="png")
    return "data:image/png;base64," + base64.b64encode(target.getvalue()).decode()


def colour(nats: float) -> str:
    """The colour of a note: blue where it was expected, by way of yellow, to red where it was not."""
    stops = ((0.0, (58, 110, 180)), (0.5, (240, 190, 70)), (1.0, (200, 50, 60)))
    place = min(max((nats - CALM) / (SURPRISED - CALM), 0.0), 1.0)
    for (low, one), (high, two) in pairwise(stops):
        if place <= high:
            share = (place - low) / (high - low)
            return "#" + "".join(f"{round(a + share * (b - a)):02x}" for a, b in zip(one, two, strict=True))
    raise AssertionError("the stops reach to 1")


def in_words(choice: Choice, key: Key) -> str:
    """An event: "D5 eighth", "rest quarter", "end"."""
    if choice.duration == END:
        return "end of the tune"
    what = {REST: "rest", TIE: "longer"}.get(choice.pitch) or note_name(choice.pitch, key)
    return f"{what}, {note_value(choice.duration)}"


def page(trace: Trace, model: str, file: str) -> str:
    """The page, as HTML that needs nothing else."""
    from melodygru.evaluation.pages import render

    melody, events = trace.melody, trace.events
    summary = summarise(trace)
    pitches = [note.pitch for note in melody.notes]
    low, high = min(pitches) - 2, max(pitches) + 2
    sounds = np.flatnonzero(events.pitches < REST)
    together = trace.nats.sum(axis=0)
    bar_steps = melody.time_signature.bar_steps
    # The note that is chosen at first should be in sight.
    early = sounds[trace.onsets[sounds] < _IN_SIGHT * bar_steps]
    shown = early if len(early) else sounds
    context: dict[str, Any] = {
        "title": PurePath(file).stem,
        "file": file,
        "model": model,
        "melody": melody,
        "summary": summary,
        "guess": math.exp(summary.nats_per_note),
        "labels": _LABELS,
        "width": melody.length * _STEP,
        "roll_height": (high - low + 1) * _ROW,
        "row": _ROW,
        "bars": [
            {"x": number * bar_steps * _STEP, "number": number + (not melody.pickup)}
            for number in range(melody.length // bar_steps)
        ],
        "names": [
            {"y": (high - pitch) * _ROW, "name": note_name(pitch, melody.key)}
            for pitch in range(low, high + 1)
            if pitch % 12 == melody.key.tonic
        ],
        "notes": [_box(trace, int(at)) | {"y": (high - int(events.pitches[at])) * _ROW} for at in sounds],
        "surprises": [_box(trace, int(at)) | {"height": min(float(together[at]) / 6, 1.0) * 72} for at in sounds],
        "memory": _memory_line(trace),
        "layers": _layers(trace, summary),
        "cards": _cards(trace),
        "first": int(shown[together[shown].argmax()]),
        "legend": [colour(CALM + share * (SURPRISED - CALM)) for share in (0, 0.25, 0.5, 0.75, 1)],
    }
    return render("explain.html", context)


def _box(trace: Trace, at: int) -> dict[str, Any]:
    """Where an event lies along the time axis, and its colour."""
    width = max(float(trace.events.durations[at]) * _STEP - 1.5, 2)
    return {"at": at, "x": float(trace.onsets[at]) * _STEP, "width": width, "colour": colour(trace.nats[:, at].sum())}


def _cards(trace: Trace) -> list[dict[str, Any]]:
    """What is told of each event: where it is, how likely it was, and what else was considered."""
    key, cards = trace.melody.key, []
    for at, row in enumerate(describe(trace.events)):
        nats = trace.nats[:, at].sum()
        choices = [
            {"what": in_words(choice, key), "share": choice.probability, "taken": rank == _rank(trace, at)}
            for rank, choice in enumerate(trace.considered[at])
        ]
        what = in_words(Choice(row.steps, int(trace.events.pitches[at]), 0.0), key)
        told = {"bar": row.bar, "beat": row.beat, "what": what, "chance": math.exp(-nats), "nats": nats}
        cards.append({**told, "choices": choices})
    return cards


def _layers(trace: Trace, summary: Summary) -> list[dict[str, Any]]:
    """The heat maps of each layer, the upper first."""
    found = []
    for number in range(len(trace.gates) - 1, -1, -1):
        gates = trace.gates[number]
        if not gates:
            continue
        maps = [
            {
                "gate": GATES[name],
                "picture": heat_map(over_time(trace, values[:, order_units(values)])),
            }
            for name, values in sorted(gates.items(), key=lambda item: item[0] != _SHOWN_FIRST)
        ]
        spans = summary.spans[number] if summary.spans else None
        found.append({"number": number + 1, "units": len(trace.states[number][0]), "maps": maps, "spans": spans})
    return found


def _memory_line(trace: Trace) -> dict[str, Any] | None:
    """Points of the mean memory span of the upper layer's units, over time; None for a cell without."""
    if "keep" not in trace.gates[-1]:
        return None
    inside = trace.events.durations != END
    span = memory_span(trace.gates[-1]["keep"]).mean(axis=1)[inside]
    top = max(float(span.max()), 1.0)
    points = []
    for onset, duration, value in zip(trace.onsets[inside], trace.events.durations[inside], span, strict=True):
        y = 68 * (1 - float(value) / top) + 2
        points += [f"{onset * _STEP:.1f},{y:.1f}", f"{(onset + duration) * _STEP:.1f},{y:.1f}"]
    return {"points": " ".join(points), "top": top, "mean": float(span.mean())}


def picture(trace: Trace, model: str, file: str, dots_per_inch: int = 150) -> bytes:
    """The same as one PNG: roll, surprise, memory span, and the gates of the upper layer."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    melody, events = trace.melody, trace.events
    together = trace.nats.sum(axis=0)
    gates = trace.gates[-1]
    rows = 2 + ("keep" in gates) + len(gates)
    heights = [2.2, 1.0, *([0.9] if "keep" in gates else []), *([2.2] * len(gates))]
    quarters = melody.length / 24
    figure, axes = plt.subplots(
        rows,
        1,
        figsize=(min(max(10.0, quarters / 5), 40.0), sum(heights) * 1.15),
        sharex=True,
        gridspec_kw={"height_ratios": heights},
        layout="constrained",
    )
    try:
        starts, lengths = trace.onsets / 24, events.durations / 24
        sounds = np.flatnonzero(events.pitches < REST)
        colours = [colour(together[at]) for at in sounds]
        axes[0].barh(events.pitches[sounds], lengths[sounds] * 0.96, left=starts[sounds], height=0.85, color=colours)
        axes[0].set_ylabel("pitch")
        axes[0].set_title(f"{file}, as the model {model} hears it: {summarise(trace).nats_per_note:.2f} nats per note")
        axes[1].bar(starts[sounds], together[sounds], lengths[sounds] * 0.96, align="edge", color=colours)
        axes[1].set_ylabel("surprise\n(nats)")
        row = 2
        inside = events.durations != END
        if "keep" in gates:
            span = memory_span(gates["keep"]).mean(axis=1)[inside]
            axes[row].stairs(span, np.append(starts[inside], quarters), baseline=None, color="#3a6eb4")
            axes[row].set_ylabel("memory span\n(notes)")
            row += 1
        for name, values in sorted(gates.items(), key=lambda item: item[0] != _SHOWN_FIRST):
            grid = over_time(trace, values[:, order_units(values)])
            extent = (0, grid.shape[1] * COLUMN_STEPS / 24, len(grid), 0)
            axes[row].imshow(
                grid, aspect="auto", cmap="viridis", vmin=0, vmax=1, extent=extent, interpolation="nearest"
            )
            axes[row].set_ylabel(f"{GATES[name].name}\n({len(grid)} units)")
            row += 1
        bar = melody.time_signature.bar_steps / 24
        ticks = np.arange(0, quarters, bar)
        axes[-1].set_xlim(0, quarters)
        axes[-1].set_xticks(ticks, [str(number + (not melody.pickup)) for number in range(len(ticks))])
        axes[-1].set_xlabel("bar")
        for axis in axes:
            axis.grid(axis="x", alpha=0.3)
        target = BytesIO()
        figure.savefig(target, format="png", dpi=dots_per_inch)
    finally:
        plt.close(figure)
    return target.getvalue()
