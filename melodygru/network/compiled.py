"""The step in NumPy with all but its matrix products and tanh compiled: `step/`, one of `melodygru.libraries`.

It gives what `melodygru.network.context.Context` and `melodygru.network.engine.NumpyEngine` give, to the last bit: what
those say in NumPy is done in the same order, melody by melody. One melody's event is a dozen short arrays, for which
NumPy's calls take longer than what they compute. Where the library was not built, or MELODYGRU_KERNEL=0 says not to
take it, those do it.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Mapping, Sequence
from functools import cache

import numpy as np

from melodygru import libraries
from melodygru.network import columns, conditions
from melodygru.network.arrays import Float32Array, IntArray
from melodygru.network.config import ContextConfig, ModelConfig
from melodygru.network.context import CODE, UNKNOWN_INTERVAL, Context
from melodygru.network.engine import NumpyEngine, NumpyState
from melodygru.network.mixing import NgramModel
from melodygru.network.structs import Struct
from melodygru.network.tokenizer import REST, PieceMeta

_TABLES = (
    np.ascontiguousarray(columns.INTERVAL_TABLE, np.int64),
    np.ascontiguousarray(columns.DEGREE_TABLE, np.int64),
    np.ascontiguousarray(columns.RUN_BUCKETS, np.int64),
    np.array(conditions.LASTS, np.int64),
)
_KINDS = {"n": ctypes.c_int64, "p": ctypes.c_void_p}
_FUNCTIONS = {
    "step_context": "p",
    "step_inputs": "ppp",
    "step_gru_gates": "nnppppp",
    "step_gru_candidate": "nnpppp",
    "step_gru_state": "nnppp",
    "step_duration_hidden": "ppp",
    "step_pitch_hidden": "pppp",
    "step_duration_logits": "ppppp",
    "step_pitch_logits": "pppppp",
}
"""By name, what each is handed: n, a number; p, where something lies."""


@cache
def _library() -> ctypes.CDLL | None:
    # Its calls take microseconds: the interpreter's lock is not given up for them.
    library = None if os.environ.get("MELODYGRU_KERNEL") == "0" else libraries.load("step", hold_lock=True)
    if library is not None:
        for name, arguments in _FUNCTIONS.items():
            function = getattr(library, name)
            function.argtypes, function.restype = [_KINDS[kind] for kind in arguments], None
    return library


class CompiledContext(Context):
    """`Context`, whose arrays are changed in place as it advances."""

    def __init__(
        self,
        library: ctypes.CDLL,
        metas: Sequence[PieceMeta],
        config: ContextConfig,
        max_duration: int,
        events: int = 256,
    ):
        super().__init__(metas, config, max_duration, events)
        self._library = library
        self._bind()

    def advance(self, durations: IntArray, pitches: IntArray) -> None:
        """Append one event to each melody: (B,) durations in steps (0 for END) and (B,) pitch classes."""
        if self.count == self._durations.shape[1]:
            self._grow()
            self._bind()
        np.copyto(self._due[0], durations)
        np.copyto(self._due[1], pitches)
        self._library.step_context(self.struct.at)
        self.count += 1

    def keep(self, rows: IntArray) -> None:
        """Go on with these melodies (indices) alone."""
        super().keep(rows)
        self._bind()

    def _bind(self) -> None:
        """Hand all arrays over: `Context` in step.h, in the order of its fields."""
        for name, value in vars(self).items():
            if isinstance(value, np.ndarray) and value.dtype == np.int64:
                setattr(self, name, np.ascontiguousarray(value))
        size, told = len(self.onset), self._told
        previous = tuple(np.ascontiguousarray(column) for column in self._previous)
        self._previous = (previous[0], previous[1], previous[2])
        self._due = (np.zeros(size, np.int64), np.zeros(size, np.int64))
        character, chords = told.of_phrases, told.of_chords
        config, flags = self.config, ("metre", "bars_left", "key", "ambitus", "pickup", "matches")
        self.struct = Struct(
            [
                *(size, self.count, self._durations.shape[1], len(config.lookback), config.candidates),
                *(self.inputs.shape[1], character.shape[1], character.shape[2], chords.shape[1], self.max_duration),
                *(int(getattr(config, name)) for name in (*flags, "style", "character", "chords")),
                *(REST, columns.POSITIONS, columns.BEAT_POSITIONS, columns.BAR_NUMBERS, columns.BARS_LEFT),
                *(columns.LARGEST_INTERVAL, columns.HEIGHTS, columns.PICKUPS, columns.MATCH_HISTORY),
                *(UNKNOWN_INTERVAL, CODE, conditions.CHORD_DEGREES),
                *(len(_TABLES[2]) - 1, _TABLES[0].shape[1], len(_TABLES[3])),
                *_TABLES,
                *(self.bar_steps, self._beat_steps, self._metre, self._mode, self._first_bar, self._bars, self.tonic),
                self._has_pickup.astype(np.int64),
                *told.of_melodies,
                *(character, chords, self._distance, *self._due),
                *(self.onset, self.position, self.reference, self.root, self._pickup, self._lowest, self._highest),
                *(*self._previous, self._onsets, self._durations, self._pitches, self._steps),
                *(self._codes, self._lengths, self._pointer, self._run),
                *(self.candidate_pitch, self.candidate_duration, self.candidate_run, self.inputs),
            ]
        )


def new_context(metas: Sequence[PieceMeta], config: ContextConfig, max_duration: int, events: int = 256) -> Context:
    """The context of melodies before their first event, compiled where that can be."""
    library = _library()
    if library is None:
        return Context(metas, config, max_duration, events)
    return CompiledContext(library, metas, config, max_duration, events)


class _Scratch:
    """Arrays of one batch of B melodies that are written anew at each step, and where they lie."""

    def __init__(self, rows: int, config: ModelConfig, widths: tuple[int, int]):
        classes = max(config.max_duration + 1, columns.PITCH_CLASSES)
        self.durations, self.total = np.zeros(rows, np.int64), np.zeros(classes)

        def room(width: int) -> Float32Array:
            return np.zeros((rows, width), np.float32)

        self.x, self.candidate, self.gates = room(config.hidden), room(config.hidden), room(2 * config.hidden)
        self.from_x, self.from_h = room(3 * config.hidden), room(3 * config.hidden)
        self.duration_units, self.pitch_units = room(config.duration_hidden), room(config.pitch_hidden)
        self.duration_said, self.pitch_said = (room(width) for width in widths)
        self.at = {name: ctypes.c_void_p(value.ctypes.data) for name, value in vars(self).items()}


class CompiledState(NumpyState):
    """`NumpyState` with a compiled context; `scratch` is of as many melodies."""

    context: CompiledContext
    scratch: _Scratch


class CompiledEngine(NumpyEngine):
    """`NumpyEngine`, the same to the last bit."""

    def __init__(
        self,
        library: ctypes.CDLL,
        config: ModelConfig,
        weights: Mapping[str, Float32Array],
        ngrams: NgramModel | None = None,
    ):
        super().__init__(config, weights, ngrams)
        self._library = library
        self._biases = [
            tuple(ctypes.c_void_p(bias.ctypes.data) for bias in (layer.b_x, layer.b_h)) for layer in self._layers
        ]
        self._struct = self._described()

    def __reduce__(self) -> tuple[Callable[..., NumpyEngine], tuple[object, ...]]:
        return new_engine, (self.config, self._weights, self.ngrams)  # another process loads the library for itself

    def _described(self) -> Struct:
        """`Network` in step.h, in the order of its fields."""
        w, config = self._weights, self.config
        (duration_out, of_duration), (pitch_out, of_pitch) = self._duration_out, self._pitch_out

        def begins(where: Mapping[str, slice], name: str) -> int:
            return where[name].start if name in where else 0

        def weights(name: str) -> Float32Array | None:
            return np.ascontiguousarray(w[name]) if name in w else None

        return Struct(
            [
                *(config.hidden, config.max_duration + 1, config.duration_hidden, config.pitch_hidden),
                *(columns.PITCH_CLASSES, columns.INTERVALS, columns.DEGREES, duration_out.shape[1], pitch_out.shape[1]),
                *(np.ascontiguousarray(self._tables), np.ascontiguousarray(self._offsets, np.int64)),
                *(weights(f"{head}{part}.bias") for head in ("duration", "pitch") for part in ("_hidden", "")),
                *(weights("pitch_given_duration.weight"), weights("pitch_given_end.weight")),
                *(weights("duration_copy_run"), weights("pitch_copy_run")),
                *(columns.RUNS, begins(of_duration, "duration_end"), begins(of_duration, "duration_copy")),
                *(begins(of_pitch, f"pitch_{part}") for part in ("interval", "degree", "chord", "copy")),
            ]
        )

    def _new_state(self, metas: Sequence[PieceMeta]) -> NumpyState:
        config = self.config
        context = CompiledContext(self._library, metas, config.context, config.max_duration)
        state = CompiledState(context, self._blank(len(metas)), self._hear(metas))
        self._make_room(state)
        return state

    def keep(self, state: NumpyState, rows: IntArray) -> None:
        """Go on with these melodies (indices) alone; changes `state`."""
        super().keep(state, rows)
        self._make_room(state)

    def _make_room(self, state: NumpyState) -> None:
        assert isinstance(state, CompiledState)
        widths = (self._duration_out[0].shape[1], self._pitch_out[0].shape[1])
        state.scratch = _Scratch(len(state.context.onset), self.config, widths)
        state.layers = [np.ascontiguousarray(layer) for layer in state.layers]
        state.scratch.at |= {str(i): ctypes.c_void_p(layer.ctypes.data) for i, layer in enumerate(state.layers)}

    def _embedded(self, state: NumpyState) -> Float32Array:
        assert isinstance(state, CompiledState)
        scratch = state.scratch
        self._library.step_inputs(state.context.struct.at, self._struct.at, scratch.at["x"])
        return scratch.x

    def _through(self, layer: int, x: Float32Array, state: NumpyState) -> None:
        if self.config.cell != "gru":
            super()._through(layer, x, state)
            return
        assert isinstance(state, CompiledState)
        library, weights, scratch, at = self._library, self._layers[layer], state.scratch, state.scratch.at
        rows, hidden = x.shape
        np.matmul(x, weights.x, out=scratch.from_x)
        np.matmul(state.layers[layer], weights.h, out=scratch.from_h)
        from_x, from_h, gates, candidate = at["from_x"], at["from_h"], at["gates"], at["candidate"]
        library.step_gru_gates(rows, hidden, from_x, from_h, *self._biases[layer], gates)
        np.tanh(scratch.gates, out=scratch.gates)
        library.step_gru_candidate(rows, hidden, from_x, from_h, gates, candidate)
        np.tanh(scratch.candidate, out=scratch.candidate)
        library.step_gru_state(rows, hidden, gates, candidate, at[str(layer)])

    def duration_logits(self, state: NumpyState) -> Float32Array:
        """(B, max_duration + 1) logits of the durations of the event due; index 0 is END."""
        assert isinstance(state, CompiledState)
        library, scratch, at = self._library, state.scratch, state.scratch.at
        context, network = state.context.struct.at, self._struct.at
        np.matmul(self._top(state), self._duration_in, out=scratch.duration_units)
        library.step_duration_hidden(context, network, at["duration_units"])
        np.matmul(scratch.duration_units, self._duration_out[0], out=scratch.duration_said)
        logits = np.empty((len(scratch.x), self.config.max_duration + 1), np.float32)
        to = ctypes.c_void_p(logits.ctypes.data)
        library.step_duration_logits(context, network, at["duration_said"], at["total"], to)
        return logits

    def _pitch_logits(self, state: NumpyState, durations: IntArray) -> Float32Array:
        assert isinstance(state, CompiledState)
        library, scratch, at = self._library, state.scratch, state.scratch.at
        context, network = state.context.struct.at, self._struct.at
        np.copyto(scratch.durations, durations)
        np.matmul(self._top(state), self._pitch_in, out=scratch.pitch_units)
        library.step_pitch_hidden(context, network, at["durations"], at["pitch_units"])
        np.matmul(scratch.pitch_units, self._pitch_out[0], out=scratch.pitch_said)
        logits = np.empty((len(scratch.x), columns.PITCH_CLASSES), np.float32)
        to = ctypes.c_void_p(logits.ctypes.data)
        library.step_pitch_logits(context, network, at["durations"], at["pitch_said"], at["total"], to)
        return logits


def new_engine(
    config: ModelConfig, weights: Mapping[str, Float32Array], ngrams: NgramModel | None = None
) -> NumpyEngine:
    """The network of these weights, compiled where that can be."""
    library = _library()
    if library is None:
        return NumpyEngine(config, weights, ngrams)
    return CompiledEngine(library, config, weights, ngrams)
