"""The network's single step in NumPy, for generation: many melodies at once, and no torch.

Built from the weights of `melodygru.training.torch_network.MelodyGRU` under the same names; it gives the same numbers
to 1e-5. It knows nothing of sampling: the sampler asks for the logits of the event due, chooses, and
tells what it chose.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import numpy as np

from melodygru.network.arrays import Array, Float32Array, IntArray
from melodygru.network.cells import CELLS
from melodygru.network.columns import (
    DEGREES,
    INTERVALS,
    PITCH_CLASSES,
    POSITIONS,
    RUNS,
    candidate_columns,
    degrees,
    input_columns,
    intervals,
)
from melodygru.network.conditions import CHORD_DEGREES, chord_degrees
from melodygru.network.config import ModelConfig
from melodygru.network.context import Context
from melodygru.network.mixing import NgramModel
from melodygru.network.ngrams import Heard
from melodygru.network.tokenizer import PieceMeta
from melodygru.records import dataclass

Weights = Mapping[str, Float32Array]


class Engine(Protocol):
    """What the sampler needs of a model: logits of the next event, a step at a time."""

    def start(self, metas: Sequence[PieceMeta]) -> Any:
        """The state of B melodies before their first event; its `onset` is (B,), the steps to the event due."""

    def duration_logits(self, state: Any) -> Float32Array:
        """(B, max_duration + 1) logits of the durations of the event due; index 0 is END."""

    def pitch_logits(self, state: Any, durations: IntArray) -> Float32Array:
        """(B, PITCH_CLASSES) logits of the pitches of the event due, given its durations (B,)."""

    def advance(self, state: Any, durations: IntArray, pitches: IntArray) -> None:
        """Append one event, (B,) durations and pitches, to each melody; changes `state`."""

    def keep(self, state: Any, rows: IntArray) -> None:
        """Go on with these melodies (indices) alone; changes `state`."""


@dataclass
class NumpyState:
    """The context of B melodies, each layer's state: (B, hidden), for the LSTM (B, 2 * hidden); what n-grams heard."""

    context: Context
    layers: list[Float32Array]
    heard: Heard | None = None

    @property
    def onset(self) -> IntArray:
        """(B,) steps from the beginning of the grid to the event due; the caller's own."""
        return self.context.onset.copy()


class NumpyEngine:
    """`MelodyGRU`, step by step, and the n-grams beside it, where there are some. See `Engine`."""

    def __init__(
        self,
        config: ModelConfig,
        weights: Weights,
        ngrams: NgramModel | None = None,
        matrix: Callable[[Float32Array], Float32Array] = np.asarray,
    ):
        """`matrix` is given each matrix by which rows are multiplied, and returns what is to multiply them."""
        self.config = config
        self.ngrams = ngrams
        self._weights = {name: np.asarray(array, np.float32) for name, array in weights.items()}
        w = self._weights
        self._tables, self._offsets = self._fold_inputs()
        self._cell = CELLS[config.cell]
        layers = [self._cell.weights(_below(w, f"recurrent.{i}."), config.hidden) for i in range(config.layers)]
        self._layers = [replace(layer, x=matrix(layer.x), h=matrix(layer.h)) for layer in layers]
        self.watch: Callable[[int, Float32Array, Float32Array], None] | None = None
        """Told, before each step of each layer: its number, its input (B, hidden), its state; for looking inside."""
        self._duration_steps = np.arange(config.max_duration + 1)
        self._pitches = np.arange(PITCH_CLASSES)
        # All that a head says of its hidden units, as one product.
        self._duration_out = self._stack(matrix, "duration", "duration_end", "duration_copy")
        self._pitch_out = self._stack(matrix, "pitch", "pitch_interval", "pitch_degree", "pitch_chord", "pitch_copy")
        self._duration_in = matrix(np.ascontiguousarray(w["duration_hidden.weight"].T))
        self._pitch_in = matrix(np.ascontiguousarray(w["pitch_hidden.weight"].T))

    def start(self, metas: Sequence[PieceMeta]) -> NumpyState:
        """The state of B melodies before their first event."""
        state = self._new_state(metas)
        self._step(state)
        return state

    def _new_state(self, metas: Sequence[PieceMeta]) -> NumpyState:
        context = Context(metas, self.config.context, self.config.max_duration)
        return NumpyState(context, self._blank(len(metas)), self._hear(metas))

    def _blank(self, melodies: int) -> list[Float32Array]:
        """Each layer's state before the first event."""
        width = self.config.hidden * self._cell.states
        return [np.zeros((melodies, width), np.float32) for _ in range(self.config.layers)]

    def _hear(self, metas: Sequence[PieceMeta]) -> Heard | None:
        return None if self.ngrams is None else Heard(metas)

    def advance(self, state: NumpyState, durations: IntArray, pitches: IntArray) -> None:
        """Append one event, (B,) durations and pitches, to each melody; changes `state`."""
        state.context.advance(durations, pitches)
        if state.heard is not None:
            state.heard.advance(durations, pitches)
        self._step(state)

    def keep(self, state: NumpyState, rows: IntArray) -> None:
        """Go on with these melodies (indices) alone; changes `state`."""
        state.context.keep(rows)
        if state.heard is not None:
            state.heard.keep(rows)
        state.layers = [layer[rows] for layer in state.layers]

    def gates(self, layer: int, x: Float32Array, state: Float32Array) -> dict[str, Float32Array]:
        """The gates, (B, hidden) each, a layer's for this input and state: see `melodygru.network.cells.Cell`."""
        return self._cell.gates(x, state, self._layers[layer])

    def duration_logits(self, state: NumpyState) -> Float32Array:
        """(B, max_duration + 1) logits of the durations of the event due; index 0 is END."""
        w, context = self._weights, state.context
        hidden = np.maximum(self._top(state) @ self._duration_in + w["duration_hidden.bias"], 0)
        parts = self._split(hidden @ self._duration_out[0], self._duration_out[1])
        logits = parts["duration"] + w["duration.bias"]
        if self.config.context.metre:
            ends = _ends(context, self._duration_steps)
            logits += _along(parts["duration_end"], ends)
        if self.config.context.candidates:
            run = context.candidate_run
            weight = parts["duration_copy"] + _per_candidate(w["duration_copy_run"], run)
            logits += _scatter(weight, run, context.candidate_duration, logits.shape[1])
        return logits

    def pitch_logits(self, state: NumpyState, durations: IntArray) -> Float32Array:
        """(B, PITCH_CLASSES) logits of the pitches of the event due, given its durations (B,)."""
        logits = self._pitch_logits(state, durations)
        if self.ngrams is not None and state.heard is not None:
            return self.ngrams.mixed(logits, self.ngrams.expected(state.heard, durations))
        return logits

    def _pitch_logits(self, state: NumpyState, durations: IntArray) -> Float32Array:
        """The network's own."""
        w, context = self._weights, state.context
        hidden = self._top(state) @ self._pitch_in + w["pitch_hidden.bias"]
        hidden += w["pitch_given_duration.weight"][durations]
        if self.config.context.metre:
            hidden += w["pitch_given_end.weight"][_ends(context, durations[:, None])[:, 0]]
        np.maximum(hidden, 0, out=hidden)
        parts = self._split(hidden @ self._pitch_out[0], self._pitch_out[1])
        steps = intervals(self._pitches[None, :], context.reference[:, None])
        logits = parts["pitch"] + w["pitch.bias"] + _along(parts["pitch_interval"], steps)
        if self.config.context.key:
            classes = degrees(self._pitches[None, :], context.tonic[:, None])
            logits += _along(parts["pitch_degree"], classes)
        if self.config.context.chords:
            of_chord = parts["pitch_chord"]
            if (context.root < 0).all():
                logits += of_chord[:, CHORD_DEGREES - 1 :]
            else:
                logits += _along(of_chord, chord_degrees(self._pitches[None, :], context.root[:, None]))
        if self.config.context.candidates:
            run = context.candidate_run
            agrees = context.candidate_duration == durations[:, None]
            weight = parts["pitch_copy"] + _per_candidate(w["pitch_copy_run"], 2 * run + agrees)
            logits += _scatter(weight, run, context.candidate_pitch, PITCH_CLASSES)
        return logits

    def _top(self, state: NumpyState) -> Float32Array:
        return state.layers[-1][:, : self.config.hidden]

    def _step(self, state: NumpyState) -> None:
        """One step of all layers."""
        x = self._embedded(state)
        for i in range(self.config.layers):
            if self.watch is not None:
                self.watch(i, x, state.layers[i])
            self._through(i, x, state)
            x = state.layers[i][:, : self.config.hidden]

    def _embedded(self, state: NumpyState) -> Float32Array:
        """(B, hidden) what the first layer is given."""
        x: Float32Array = self._tables[state.context.inputs + self._offsets].sum(axis=1)
        return x

    def _through(self, layer: int, x: Float32Array, state: NumpyState) -> None:
        """One step of one layer, whose input is x (B, hidden)."""
        state.layers[layer] = self._cell.step(x, state.layers[layer], self._layers[layer])

    def _fold_inputs(self) -> tuple[Float32Array, IntArray]:
        """All input tables, each already multiplied with its part of the input layer, on top of one another.

        The input layer's output is then a sum of rows. Its bias goes into the rows of the first column.
        Also returned: where each column's rows begin.
        """
        w, config = self._weights, self.config
        places = input_columns(config.context, config.max_duration)
        spots = candidate_columns(config.context, config.max_duration)
        names = [f"tables.{column.name}.weight" for column in places]
        for _ in range(config.context.candidates):
            names += [f"candidate_tables.{column.name}.weight" for column in spots]
        matrix, folded, begin = w["input.weight"].T, [], 0
        for name in names:
            table = w[name]
            folded.append(table @ matrix[begin : begin + table.shape[1]])
            begin += table.shape[1]
        folded[0] = folded[0] + w["input.bias"]
        offsets = np.cumsum([0, *(len(table) for table in folded[:-1])])
        return np.concatenate(folded), offsets

    def _stack(
        self, matrix: Callable[[Float32Array], Float32Array], *names: str
    ) -> tuple[Float32Array, dict[str, slice]]:
        """The weights of several linear layers side by side, (units, outputs), and where each one's outputs are."""
        parts, where, begin = [], {}, 0
        for name in names:
            if (weight := self._weights.get(f"{name}.weight")) is not None:
                where[name] = slice(begin, begin + len(weight))
                begin += len(weight)
                parts.append(weight.T)
        # OpenBLAS takes another route for small products unless the columns fill its registers, and rounds
        # differently there: a melody would then depend on how many others are written beside it.
        parts.append(np.zeros((len(parts[0]), -begin % 32), np.float32))
        return matrix(np.concatenate(parts, axis=1)), where

    @staticmethod
    def _split(values: Array, where: dict[str, slice]) -> dict[str, Float32Array]:
        return {name: values[:, part] for name, part in where.items()}


def _below(weights: Weights, prefix: str) -> dict[str, Float32Array]:
    """The weights whose names begin so, by the rest of their names."""
    return {name[len(prefix) :]: array for name, array in weights.items() if name.startswith(prefix)}


def _along(logits: Float32Array, classes: IntArray) -> Float32Array:
    """(B, V) of (B, classes): `np.take_along_axis`, without its checks, which take longer than one melody's logits."""
    return logits[np.arange(len(logits))[:, None], classes]


def _ends(context: Context, durations: IntArray) -> IntArray:
    """Where in the bar events of these durations would end, in [0, POSITIONS)."""
    ends = (context.position[:, None] + durations) % context.bar_steps[:, None]
    return np.minimum(ends, POSITIONS - 1)


def _per_candidate(table: Float32Array, index: IntArray) -> Float32Array:
    """(B, K) entries of a (K, classes) table."""
    return table[np.arange(table.shape[0]), index]


def _scatter(weight: Float32Array, run: IntArray, index: IntArray, size: int) -> Float32Array:
    """(B, size): each existing candidate's weight added to the class that it stands for."""
    rows = len(weight)
    flat = (index + size * np.arange(rows)[:, None]).ravel().astype(np.intp, copy=False)
    total = np.bincount(flat, np.where(run % 3 > 0, weight, 0).ravel(), minlength=rows * size)
    return total.reshape(rows, size).astype(np.float32)


def weight_shapes(config: ModelConfig) -> dict[str, tuple[int, ...]]:
    """Name and shape of every weight of `melodygru.training.torch_network.MelodyGRU`, told without torch."""
    context, hidden, cell = config.context, config.hidden, CELLS[config.cell]
    durations, many = config.max_duration + 1, context.candidates
    places = input_columns(context, config.max_duration)
    spots = candidate_columns(context, config.max_duration) if many else ()
    shapes: dict[str, tuple[int, ...]] = {}
    for column in places:
        shapes[f"tables.{column.name}.weight"] = (column.size, config.embedding)
    for column in spots:
        shapes[f"candidate_tables.{column.name}.weight"] = (column.size, config.candidate_embedding)
    width = len(places) * config.embedding + many * len(spots) * config.candidate_embedding
    shapes |= {"input.weight": (hidden, width), "input.bias": (hidden,)}
    for layer in range(config.layers):
        shapes |= {f"recurrent.{layer}.{name}": shape for name, shape in cell.shapes(hidden, hidden).items()}
    for head, classes, units in (
        ("duration", durations, config.duration_hidden),
        ("pitch", PITCH_CLASSES, config.pitch_hidden),
    ):
        shapes |= {f"{head}_hidden.weight": (units, hidden), f"{head}_hidden.bias": (units,)}
        shapes |= {f"{head}.weight": (classes, units), f"{head}.bias": (classes,)}
        if many:
            shapes[f"{head}_copy.weight"] = (many, units)
    shapes["pitch_given_duration.weight"] = (durations, config.pitch_hidden)
    shapes["pitch_interval.weight"] = (INTERVALS, config.pitch_hidden)
    if context.chords:
        shapes["pitch_chord.weight"] = (CHORD_DEGREES, config.pitch_hidden)
    if context.metre:
        shapes["duration_end.weight"] = (POSITIONS, config.duration_hidden)
        shapes["pitch_given_end.weight"] = (POSITIONS, config.pitch_hidden)
    if context.key:
        shapes["pitch_degree.weight"] = (DEGREES, config.pitch_hidden)
    if many:
        shapes |= {"duration_copy_run": (many, RUNS), "pitch_copy_run": (many, 2 * RUNS)}
    return shapes
