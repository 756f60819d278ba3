"""The network's single step as an ONNX graph (opset 17), for programs that are not written in Python.

A graph of the `onnx` package's own making, from a checkpoint's weights, without torch. Those stand in it as float32
under their names in the checkpoint; beside them only small tables of whole numbers. The graph holds the network and no
more: what goes into it is what `melodygru.network.context.Context` knows of the event due, which the caller keeps, and
drawing from the logits is the caller's too.

Inputs, for B melodies (B free), K = `config.context.candidates`; all int64 but for the states:
    inputs (B, columns), position, bar_steps, reference, tonic, root (B,), candidate_pitch (B, K): as `Context` names
        them.
    durations (B,): the duration of the event due, in [0, max_duration]; only pitch_logits depend on it.
    state_0, state_1, … (B, states * hidden) float32: of each layer, zeros before the first event; an LSTM's is [h, c].
What a model does not need is no input of its graph: position and bar_steps without metre, tonic without key,
candidate_pitch without candidates.

Outputs, float32:
    duration_logits (B, max_duration + 1); index 0 is END.
    pitch_logits (B, 130), given durations.
    next_state_0, … : the states to give at the next event.

To generate, run the step with any durations, draw from duration_logits, run it again from the same states with what was
drawn, and draw from pitch_logits. To judge a melody whose durations are known, one run an event is enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from melodygru.extras import require
from melodygru.network.arrays import Array
from melodygru.network.cells import CELLS, WeightNames
from melodygru.network.checkpoint import Checkpoint
from melodygru.network.columns import (
    PITCH_CLASSES,
    POSITIONS,
    RUNS,
    Column,
    candidate_columns,
    degrees,
    input_columns,
    intervals,
)
from melodygru.network.conditions import chord_degrees

OPSET = 17
_IR_VERSION = 8
"""The oldest that knows the opset, so that older runtimes read the file too."""
_BATCH = "batch"
_LAYER_WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def onnx_bytes(checkpoint: Checkpoint) -> bytes:
    """A model's step as the content of an .onnx file; see the module's text for its inputs and outputs.

    The file's metadata hold, as those of a checkpoint do, "format", and as JSON "model", "tokenizer", "provenance".

    Raises MissingPackageError if the `onnx` package is not installed.
    """
    require("onnx")
    from onnx import helper

    step = _Step(checkpoint)
    step.build()
    graph = helper.make_graph(step.nodes, "melodygru_step", step.inputs, step.outputs, step.initializers)
    made = helper.make_model(
        graph,
        producer_name="melodygru",
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=_IR_VERSION,
        doc_string="One event of a melody: see melodygru.network.onnx_export.",
    )
    helper.set_model_props(made, checkpoint.metadata())
    return made.SerializeToString()


class _Step:
    """The graph while it is built, a `melodygru.network.cells.Graph` for its layers.

    Methods add nodes and return the names of what they give.
    """

    def __init__(self, checkpoint: Checkpoint):
        self.config = checkpoint.model_config
        self._cell = CELLS[self.config.cell]
        self.nodes: list[Any] = []
        self.inputs: list[Any] = []
        self.outputs: list[Any] = []
        self.initializers: list[Any] = []
        self._constants: dict[tuple[bytes, str, tuple[int, ...]], str] = {}
        for name in sorted(checkpoint.weights):  # equal models make equal files
            self._initializer(name, np.ascontiguousarray(checkpoint.weights[name], np.float32))
        self._weights = set(checkpoint.weights)

    def build(self) -> None:
        """Add inputs, nodes and outputs."""
        config, context = self.config, self.config.context
        hidden, states = config.hidden, self._cell.states
        places = input_columns(context, config.max_duration)
        spots = candidate_columns(context, config.max_duration)
        count = len(places)
        self._input("inputs", count + context.candidates * len(spots))
        for name in (("position", "bar_steps") if context.metre else ()) + ("reference",):
            self._input(name)
        if context.key:
            self._input("tonic")
        if context.chords:
            self._input("root")
        if context.candidates:
            self._input("candidate_pitch", context.candidates)
        self._input("durations")
        parts = [self._rows("tables", places, self._columns("inputs", 0, count), 1, config.embedding)]
        if context.candidates:
            own = self._columns("inputs", count, count + context.candidates * len(spots))
            parts.append(self._rows("candidate_tables", spots, own, context.candidates, config.candidate_embedding))
            each = self.op("Reshape", own, self._whole([-1, context.candidates, len(spots)]))
            # The last two columns of each candidate are its duration and its run.
            self._candidate_duration = self.op("Gather", each, self._whole(len(spots) - 2), axis=2)
            self._run = self.op("Gather", each, self._whole(len(spots) - 1), axis=2)
            exists = self.op("Greater", self.op("Mod", self._run, self._whole(3)), self._whole(0))
            self._exists = self.op("Cast", exists, to=1)  # float32
        x = self._linear(self.op("Concat", *parts, axis=1) if len(parts) > 1 else parts[0], "input")
        for layer in range(config.layers):
            self._input(f"state_{layer}", states * hidden, floating=True)
            x, state = self._layer(layer, x, f"state_{layer}")
            self._output(f"next_state_{layer}", state, states * hidden)
        self._output("duration_logits", self._duration_logits(x), config.max_duration + 1)
        self._output("pitch_logits", self._pitch_logits(x), PITCH_CLASSES)

    def _rows(self, group: str, columns: Sequence[Column], indices: str, times: int, size: int) -> str:
        """(B, times * columns * size): the rows that indices (B, times * columns) take from their tables."""
        tables = [f"{group}.{column.name}.weight" for column in columns]
        together = self.op("Concat", *tables, axis=0)
        begins = np.cumsum([0, *(column.size for column in columns[:-1])])
        rows = self.op("Gather", together, self.op("Add", indices, self._whole(np.tile(begins, times))), axis=0)
        return self.op("Reshape", rows, self._whole([-1, times * len(columns) * size]))

    def _layer(self, layer: int, x: str, state: str) -> tuple[str, str]:
        """Output (B, hidden) and new state of a recurrent layer, by the equations of `melodygru.network.cells`."""
        w_x, w_h, b_x, b_h = (f"recurrent.{layer}.{kind}_l0" for kind in _LAYER_WEIGHTS)
        return self._cell.nodes(self, x, state, WeightNames(w_x, w_h, b_x, b_h, self.config.hidden))

    def _duration_logits(self, top: str) -> str:
        op, context = self.op, self.config.context
        hidden = op("Relu", self._linear(top, "duration_hidden"))
        logits = self._linear(hidden, "duration")
        if context.metre:
            steps = self._whole(np.arange(self.config.max_duration + 1)[None, :])
            ends = self._ends(self._upright("position"), steps, self._upright("bar_steps"))
            logits = op("Add", logits, op("GatherElements", self._linear(hidden, "duration_end"), ends, axis=1))
        if context.candidates:
            weight = op("Add", self._linear(hidden, "duration_copy"), self._of_each("duration_copy_run", self._run))
            logits = self._scatter(logits, self._candidate_duration, weight)
        return logits

    def _pitch_logits(self, top: str) -> str:
        op, context = self.op, self.config.context
        given = op("Gather", "pitch_given_duration.weight", "durations", axis=0)
        hidden = op("Add", self._linear(top, "pitch_hidden"), given)
        if context.metre:
            ends = self._ends("position", "durations", "bar_steps")
            hidden = op("Add", hidden, op("Gather", "pitch_given_end.weight", ends, axis=0))
        hidden = op("Relu", hidden)
        pitches = np.arange(PITCH_CLASSES)[None, :]
        # What classes pitches have above every reference, from -1 (none) to 127, and above every tonic.
        classes = self._constant(intervals(pitches, np.arange(-1, 128)[:, None]).astype(np.int32))
        steps = op("Gather", classes, op("Add", "reference", self._whole(1)), axis=0)
        logits = self._linear(hidden, "pitch")
        logits = op("Add", logits, op("GatherElements", self._linear(hidden, "pitch_interval"), steps, axis=1))
        if context.key:
            classes = self._constant(degrees(pitches, np.arange(12)[:, None]).astype(np.int32))
            of_key = op("Gather", classes, "tonic", axis=0)
            logits = op("Add", logits, op("GatherElements", self._linear(hidden, "pitch_degree"), of_key, axis=1))
        if context.chords:
            classes = self._constant(chord_degrees(pitches, np.arange(-1, 12)[:, None]).astype(np.int32))
            of_chord = op("Gather", classes, op("Add", "root", self._whole(1)), axis=0)
            logits = op("Add", logits, op("GatherElements", self._linear(hidden, "pitch_chord"), of_chord, axis=1))
        if context.candidates:
            agrees = op("Cast", op("Equal", self._candidate_duration, self._upright("durations")), to=7)  # int64
            index = op("Add", op("Mul", self._run, self._whole(2)), agrees)
            weight = op("Add", self._linear(hidden, "pitch_copy"), self._of_each("pitch_copy_run", index, 2 * RUNS))
            logits = self._scatter(logits, "candidate_pitch", weight)
        return logits

    def _ends(self, position: str, durations: str, bar_steps: str) -> str:
        """Where in the bar events of these durations would end, in [0, POSITIONS)."""
        ends = self.op("Mod", self.op("Add", position, durations), bar_steps)
        return self.op("Min", ends, self._whole(POSITIONS - 1))

    def _of_each(self, table: str, index: str, classes: int = RUNS) -> str:
        """(B, K) entries, at index (B, K), of a (K, classes) table."""
        begins = self._whole(np.arange(self.config.context.candidates) * classes)
        flat = self.op("Reshape", table, self._whole([-1]))
        return self.op("Gather", flat, self.op("Add", index, begins), axis=0)

    def _scatter(self, logits: str, index: str, weight: str) -> str:
        """The logits, with each existing candidate's weight added to the class that it stands for."""
        updates = self.op("Mul", weight, self._exists)
        return self.op("ScatterElements", logits, index, updates, axis=1, reduction="add")

    def _linear(self, x: str, name: str) -> str:
        """A linear layer, with its bias if it has one."""
        return self.product(x, f"{name}.weight", f"{name}.bias")

    def product(self, x: str, matrix: str, bias: str = "") -> str:
        """(B, outputs): x times the transposed matrix, plus the bias, if the model has one so called."""
        return self.op("Gemm", x, matrix, *([bias] if bias in self._weights else []), transB=1)

    def _columns(self, name: str, begin: int, end: int) -> str:
        return self.op("Slice", name, self._whole([begin]), self._whole([end]), self._whole([1]))

    def _upright(self, name: str) -> str:
        """(B,) as (B, 1)."""
        return self.op("Unsqueeze", name, self._whole([1]))

    def split(self, name: str, parts: int, axis: int = 1, sizes: Sequence[int] = ()) -> list[str]:
        made = [f"{len(self.nodes)}_split_{part}" for part in range(parts)]
        self._node("Split", [name, *([self._whole(sizes)] if sizes else [])], made, axis=axis)
        return made

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        made = f"{len(self.nodes)}_{kind.lower()}"
        self._node(kind, list(inputs), [made], **attributes)
        return made

    def _node(self, kind: str, inputs: list[str], outputs: list[str], **attributes: Any) -> None:
        from onnx import helper

        self.nodes.append(helper.make_node(kind, inputs, outputs, **attributes))

    def _whole(self, values: npt.ArrayLike) -> str:
        return self._constant(np.asarray(values, np.int64))

    def number(self, value: float) -> str:
        return self._constant(np.asarray(value, np.float32))

    def _constant(self, array: Array) -> str:
        key = (array.tobytes(), array.dtype.str, array.shape)
        if key not in self._constants:
            self._constants[key] = self._initializer(f"constant_{len(self._constants)}", array)
        return self._constants[key]

    def _initializer(self, name: str, array: Array) -> str:
        from onnx import numpy_helper

        self.initializers.append(numpy_helper.from_array(array, name))
        return name

    def _input(self, name: str, *shape: int, floating: bool = False) -> None:
        from onnx import TensorProto, helper

        kind = TensorProto.FLOAT if floating else TensorProto.INT64
        self.inputs.append(helper.make_tensor_value_info(name, kind, [_BATCH, *shape]))

    def _output(self, name: str, made: str, size: int) -> None:
        from onnx import TensorProto, helper

        self._node("Identity", [made], [name])
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, [_BATCH, size]))
