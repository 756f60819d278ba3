"""Every recurrent cell, one entry each: its equations in NumPy and as a graph, its gates, its weights.

Throughout, x is a layer's input, h' its state at the event before, h its new state; W and U are learned matrices, b
learned biases, sigma the logistic function, * the product of each with each. Weights and their order are those of
`melodygru.training.layers`, which does the same in torch, for training.

A new cell is an entry of `CELLS` here and one of `melodygru.training.layers.LAYERS`; all else asks these two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from melodygru.network.arrays import Float32Array
from melodygru.records import dataclass


@dataclass(frozen=True)
class LayerWeights:
    """The weights of one layer with I inputs and H units, transposed: columns are outputs.

    Attributes:
        x: (I, blocks * H), W of all gates side by side.
        h: (H, blocks * H), U of all gates side by side; (H, 0) for a cell without.
        b_x, b_h: biases of both, (blocks * H,); (0,) for those that a cell does not have.
    """

    x: Float32Array
    h: Float32Array
    b_x: Float32Array
    b_h: Float32Array


@dataclass(frozen=True)
class WeightNames:
    """What the weights of one layer with H units are called in a graph, where rows are outputs, as in torch.

    Attributes:
        x, h: of W and U.
        b_x, b_h: of their biases; there need not be such.
        hidden: H.
    """

    x: str
    h: str
    b_x: str
    b_h: str
    hidden: int


class Graph(Protocol):
    """An ONNX graph while it is built: every method adds nodes, and returns the names of what they give."""

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        """A node of this operator with one output."""

    def product(self, x: str, matrix: str, bias: str = "") -> str:
        """(B, outputs): x (B, inputs) times the transposed matrix, plus the bias, if there is one so called."""

    def split(self, name: str, parts: int, axis: int = 1, sizes: Sequence[int] = ()) -> list[str]:
        """So many equal parts along an axis, or parts of these sizes."""

    def number(self, value: float) -> str:
        """A constant, float32."""


@dataclass(frozen=True)
class Gate:
    """A gate in words, for people who see what it does.

    Attributes:
        title: what its value tells, in [0, 1].
        name: what the literature calls it.
        question, answer: what a unit asks itself there, and what values near 1 or near 0 mean; empty: the title tells.
    """

    title: str
    name: str
    question: str = ""
    answer: str = ""


GATES = {
    "keep": Gate(
        "How much it keeps",
        "update gate",
        "How much do I keep?",
        "Near 1, the cell holds on to what it remembers; near 0, it takes on something new.",
    ),
    "reset": Gate(
        "How much it looks back",
        "reset gate",
        "How much of the past do I look at, to find what is new?",
        "Near 0, it takes the note as if it were the first of the tune.",
    ),
    "input": Gate("How much it takes in", "input gate"),
    "output": Gate("How much it shows", "output gate"),
}
"""By the names that `Cell.gates` gives them."""


@dataclass(frozen=True)
class Cell:
    """What is to be known of a kind of cell.

    Attributes:
        step: (input (B, I), state (B, states * H), weights) to the new state; its first H columns are the output.
        gates: the same arguments, to the gates by name, each (B, H) in (0, 1); all names are in `GATES`. "keep" is the
            share of the old state that stays in the new one, whatever the cell's equations call it.
        nodes: `step` in a graph, of names: (graph, input, state, weights) to output (B, H) and new state.
        x_blocks, h_blocks: matrices W and U, and biases beside each: so many times H outputs.
        h_bias: whether U has biases of its own.
        states: numbers that a unit carries on.
    """

    step: Callable[[Float32Array, Float32Array, LayerWeights], Float32Array]
    gates: Callable[[Float32Array, Float32Array, LayerWeights], dict[str, Float32Array]]
    nodes: Callable[[Graph, str, str, WeightNames], tuple[str, str]]
    x_blocks: int
    h_blocks: int
    h_bias: bool = True
    states: int = 1

    def shapes(self, inputs: int, hidden: int) -> dict[str, tuple[int, ...]]:
        """Names and shapes of a layer's weights, as torch has them: rows are outputs."""
        shapes: dict[str, tuple[int, ...]] = {"weight_ih_l0": (self.x_blocks * hidden, inputs)}
        if self.h_blocks:
            shapes["weight_hh_l0"] = (self.h_blocks * hidden, hidden)
        shapes["bias_ih_l0"] = (self.x_blocks * hidden,)
        if self.h_bias:
            shapes["bias_hh_l0"] = (self.h_blocks * hidden,)
        return shapes

    def weights(self, named: Mapping[str, Float32Array], hidden: int) -> LayerWeights:
        """A layer's weights by the names of `shapes`, ready for `step`."""
        none = np.zeros((0, hidden), np.float32)
        return LayerWeights(
            np.ascontiguousarray(named["weight_ih_l0"].T),
            np.ascontiguousarray(named.get("weight_hh_l0", none).T),
            named["bias_ih_l0"],
            named.get("bias_hh_l0", none[:, 0]),
        )


_HALF = np.float32(0.5)


def sigmoid(x: Float32Array) -> Float32Array:
    """1 / (1 + exp(-x)), by way of tanh, which cannot overflow."""
    return 0.5 * np.tanh(0.5 * x) + 0.5


def gru_gates(x: Float32Array, h: Float32Array, w: LayerWeights) -> tuple[Float32Array, Float32Array, Float32Array]:
    """r, z and the candidate h~ of `torch.nn.GRU`, each (B, H): its reset gate comes after the product.

    r = sigma(W_r x + U_r h' + b_r), z = sigma(W_z x + U_z h' + b_z), h~ = tanh(W x + b + r * (U h' + b'))
    """
    n = h.shape[1]
    from_x, from_h = x @ w.x, h @ w.h
    from_x += w.b_x
    from_h += w.b_h
    gates = from_x[:, : 2 * n]
    gates += from_h[:, : 2 * n]
    # `sigmoid`, in place: of one melody, arrays that are made anew cost more than what is computed.
    gates *= _HALF
    np.tanh(gates, out=gates)
    gates *= _HALF
    gates += _HALF
    r, z, candidate = gates[:, :n], gates[:, n:], from_x[:, 2 * n :]
    candidate += r * from_h[:, 2 * n :]
    return r, z, np.tanh(candidate, out=candidate)


def gru(x: Float32Array, h: Float32Array, w: LayerWeights) -> Float32Array:
    """The new state as `torch.nn.GRU` has it, h = (1 - z) * h~ + z * h': z keeps the old state."""
    _, z, candidate = gru_gates(x, h, w)
    kept = h - candidate
    kept *= z
    kept += candidate
    return kept


def _gru_trace(x: Float32Array, h: Float32Array, w: LayerWeights) -> dict[str, Float32Array]:
    r, z, _ = gru_gates(x, h, w)
    return {"reset": r, "keep": z}


def _gru_nodes(graph: Graph, x: str, h: str, w: WeightNames) -> tuple[str, str]:
    op, from_x = graph.op, graph.product(x, w.x, w.b_x)
    (r_x, z_x, n_x), (r_h, z_h, n_h) = graph.split(from_x, 3), graph.split(graph.product(h, w.h, w.b_h), 3)
    r, z = op("Sigmoid", op("Add", r_x, r_h)), op("Sigmoid", op("Add", z_x, z_h))
    candidate = op("Tanh", op("Add", n_x, op("Mul", r, n_h)))
    return _both(op("Add", candidate, op("Mul", z, op("Sub", h, candidate))))


def _both(state: str) -> tuple[str, str]:
    """Output and state of a cell whose state is its output."""
    return state, state


def lstm_gates(
    x: Float32Array, state: Float32Array, w: LayerWeights
) -> tuple[Float32Array, Float32Array, Float32Array, Float32Array]:
    """Input gate i, forget gate f, candidate c~ and output gate o, each (B, H).

    i, f, o = sigma(W x + U h' + b), each with weights of its own, c~ = tanh(W x + U h' + b)
    """
    n = state.shape[1] // 2
    sums = x @ w.x + w.b_x + state[:, :n] @ w.h + w.b_h
    i, f, o = sigmoid(sums[:, :n]), sigmoid(sums[:, n : 2 * n]), sigmoid(sums[:, 3 * n :])
    return i, f, np.tanh(sums[:, 2 * n : 3 * n]), o


def lstm(x: Float32Array, state: Float32Array, w: LayerWeights) -> Float32Array:
    """Hochreiter & Schmidhuber 1997 with forget gate (Gers et al. 2000); the state is [h, c].

    c = f * c' + i * c~, h = o * tanh(c)
    """
    i, f, candidate, o = lstm_gates(x, state, w)
    c = f * state[:, state.shape[1] // 2 :] + i * candidate
    return np.concatenate([o * np.tanh(c), c], axis=1)


def _lstm_trace(x: Float32Array, state: Float32Array, w: LayerWeights) -> dict[str, Float32Array]:
    i, f, _, o = lstm_gates(x, state, w)
    return {"input": i, "keep": f, "output": o}


def _lstm_nodes(graph: Graph, x: str, state: str, w: WeightNames) -> tuple[str, str]:
    op, from_x = graph.op, graph.product(x, w.x, w.b_x)
    h, c = graph.split(state, 2)
    i, f, g, o = graph.split(op("Add", from_x, graph.product(h, w.h, w.b_h)), 4)
    c = op("Add", op("Mul", op("Sigmoid", f), c), op("Mul", op("Sigmoid", i), op("Tanh", g)))
    h = op("Mul", op("Sigmoid", o), op("Tanh", c))
    return h, op("Concat", h, c, axis=1)


def rnn(x: Float32Array, h: Float32Array, w: LayerWeights) -> Float32Array:
    """Elman 1990: h = tanh(W x + U h' + b)."""
    return np.tanh(x @ w.x + w.b_x + h @ w.h + w.b_h)


def _no_trace(x: Float32Array, h: Float32Array, w: LayerWeights) -> dict[str, Float32Array]:
    return {}


def _rnn_nodes(graph: Graph, x: str, h: str, w: WeightNames) -> tuple[str, str]:
    from_x = graph.product(x, w.x, w.b_x)
    return _both(graph.op("Tanh", graph.op("Add", from_x, graph.product(h, w.h, w.b_h))))


def gru_v1_gates(x: Float32Array, h: Float32Array, w: LayerWeights) -> tuple[Float32Array, Float32Array, Float32Array]:
    """r, z and the candidate h~ of Cho et al. 2014 (arXiv:1406.1078v1), each (B, H): r comes before the product.

    r = sigma(W_r x + U_r h' + b_r), z = sigma(W_z x + U_z h' + b_z), h~ = tanh(W x + U (r * h') + b)
    """
    n = h.shape[1]
    from_x = x @ w.x + w.b_x
    gates = sigmoid(from_x[:, : 2 * n] + h @ w.h[:, : 2 * n])
    r, z = gates[:, :n], gates[:, n:]
    return r, z, np.tanh(from_x[:, 2 * n :] + (r * h) @ w.h[:, 2 * n :])


def gru_v1(x: Float32Array, h: Float32Array, w: LayerWeights) -> Float32Array:
    """The new state as introductions to the GRU have it, h = (1 - z) * h' + z * h~: z lets the new state in."""
    _, z, candidate = gru_v1_gates(x, h, w)
    return h + z * (candidate - h)


def _gru_v1_trace(x: Float32Array, h: Float32Array, w: LayerWeights) -> dict[str, Float32Array]:
    r, z, _ = gru_v1_gates(x, h, w)
    return {"reset": r, "keep": 1 - z}


def _gru_v1_nodes(graph: Graph, x: str, h: str, w: WeightNames) -> tuple[str, str]:
    op, from_x = graph.op, graph.product(x, w.x, w.b_x)
    w_gates, w_candidate = graph.split(w.h, 2, axis=0, sizes=[2 * w.hidden, w.hidden])
    (r_x, z_x, n_x), (r_h, z_h) = graph.split(from_x, 3), graph.split(graph.product(h, w_gates), 2)
    r, z = op("Sigmoid", op("Add", r_x, r_h)), op("Sigmoid", op("Add", z_x, z_h))
    candidate = op("Tanh", op("Add", n_x, graph.product(op("Mul", r, h), w_candidate)))
    return _both(op("Add", h, op("Mul", z, op("Sub", candidate, h))))


def mingru_gates(x: Float32Array, h: Float32Array, w: LayerWeights) -> tuple[Float32Array, Float32Array]:
    """Gate z and candidate h~ of minGRU (Feng et al. 2024, arXiv:2410.01201), each (B, H); h' has no say in either.

    z = sigma(W_z x + b_z), h~ = g(W x + b) with g(a) = a + 1/2 for a >= 0, else sigma(a), which keeps h~ above 0
    """
    n = h.shape[1]
    from_x = x @ w.x + w.b_x
    a = from_x[:, n:]
    return sigmoid(from_x[:, :n]), np.where(a >= 0, a + np.float32(0.5), sigmoid(a))


def mingru(x: Float32Array, h: Float32Array, w: LayerWeights) -> Float32Array:
    """The new state, h = (1 - z) * h' + z * h~."""
    z, candidate = mingru_gates(x, h, w)
    return h + z * (candidate - h)


def _mingru_trace(x: Float32Array, h: Float32Array, w: LayerWeights) -> dict[str, Float32Array]:
    return {"keep": 1 - mingru_gates(x, h, w)[0]}


def _mingru_nodes(graph: Graph, x: str, h: str, w: WeightNames) -> tuple[str, str]:
    op = graph.op
    z_x, a = graph.split(graph.product(x, w.x, w.b_x), 2)
    above = op("GreaterOrEqual", a, graph.number(0.0))
    candidate = op("Where", above, op("Add", a, graph.number(0.5)), op("Sigmoid", a))
    return _both(op("Add", h, op("Mul", op("Sigmoid", z_x), op("Sub", candidate, h))))


CELLS = {
    "gru": Cell(gru, _gru_trace, _gru_nodes, 3, 3),
    "lstm": Cell(lstm, _lstm_trace, _lstm_nodes, 4, 4, states=2),
    "rnn": Cell(rnn, _no_trace, _rnn_nodes, 1, 1),
    "gru-v1": Cell(gru_v1, _gru_v1_trace, _gru_v1_nodes, 3, 3, h_bias=False),
    "mingru": Cell(mingru, _mingru_trace, _mingru_nodes, 2, 0, h_bias=False),
}
"""torch's GRU, LSTM and tanh RNN, the GRU as it was first published, and minGRU: in the order of messages and help."""
