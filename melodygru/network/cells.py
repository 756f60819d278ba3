"""One step of every recurrent cell, as equations in NumPy: what the network does at each event.

Throughout, x is a layer's input, h' its state at the event before, h its new state; W and U are learned matrices, b
learned biases, sigma the logistic function, * the product of each with each. Weights and their order are those of
`melodygru.training.layers`, which does the same in torch, for training.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True)
class LayerWeights:
    """The weights of one layer with I inputs and H units, transposed: columns are outputs.

    Attributes:
        x: (I, blocks * H), W of all gates side by side.
        h: (H, blocks * H), U of all gates side by side; (H, 0) for a cell without.
        b_x, b_h: biases of both, (blocks * H,); (0,) for those that a cell does not have.
    """

    x: FloatArray
    h: FloatArray
    b_x: FloatArray
    b_h: FloatArray


_HALF = np.float32(0.5)


def sigmoid(x: FloatArray) -> FloatArray:
    """1 / (1 + exp(-x)), by way of tanh, which cannot overflow."""
    return 0.5 * np.tanh(0.5 * x) + 0.5


def gru_gates(x: FloatArray, h: FloatArray, w: LayerWeights) -> tuple[FloatArray, FloatArray, FloatArray]:
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


def gru(x: FloatArray, h: FloatArray, w: LayerWeights) -> FloatArray:
    """H = (1 - z) * h~ + z * h', as `torch.nn.GRU` has it: z keeps the old state."""
    _, z, candidate = gru_gates(x, h, w)
    kept = h - candidate
    kept *= z
    kept += candidate
    return kept


def gru_v1_gates(x: FloatArray, h: FloatArray, w: LayerWeights) -> tuple[FloatArray, FloatArray, FloatArray]:
    """r, z and the candidate h~ of Cho et al. 2014 (arXiv:1406.1078v1), each (B, H): r comes before the product.

    r = sigma(W_r x + U_r h' + b_r), z = sigma(W_z x + U_z h' + b_z), h~ = tanh(W x + U (r * h') + b)
    """
    n = h.shape[1]
    from_x = x @ w.x + w.b_x
    gates = sigmoid(from_x[:, : 2 * n] + h @ w.h[:, : 2 * n])
    r, z = gates[:, :n], gates[:, n:]
    return r, z, np.tanh(from_x[:, 2 * n :] + (r * h) @ w.h[:, 2 * n :])


def gru_v1(x: FloatArray, h: FloatArray, w: LayerWeights) -> FloatArray:
    """H = (1 - z) * h' + z * h~, as introductions to the GRU have it: z lets the new state in."""
    _, z, candidate = gru_v1_gates(x, h, w)
    return h + z * (candidate - h)


def mingru_gates(x: FloatArray, h: FloatArray, w: LayerWeights) -> tuple[FloatArray, FloatArray]:
    """Z and the candidate of minGRU (Feng et al. 2024, arXiv:2410.01201), each (B, H); h has no say in either.

    z = sigma(W_z x + b_z), h~ = g(W x + b) with g(a) = a + 1/2 for a >= 0, else sigma(a), which keeps h~ above 0
    """
    n = h.shape[1]
    from_x = x @ w.x + w.b_x
    a = from_x[:, n:]
    return sigmoid(from_x[:, :n]), np.where(a >= 0, a + np.float32(0.5), sigmoid(a))


def mingru(x: FloatArray, h: FloatArray, w: LayerWeights) -> FloatArray:
    """H = (1 - z) * h' + z * h~."""
    z, candidate = mingru_gates(x, h, w)
    return h + z * (candidate - h)


def lstm_gates(x: FloatArray, state: FloatArray, w: LayerWeights) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Input, forget and output gate, each (B, H): sigma(W x + U h' + b)."""
    n = state.shape[1] // 2
    scores = x @ w.x + w.b_x + state[:, :n] @ w.h + w.b_h
    return sigmoid(scores[:, :n]), sigmoid(scores[:, n : 2 * n]), sigmoid(scores[:, 3 * n :])


def lstm(x: FloatArray, state: FloatArray, w: LayerWeights) -> FloatArray:
    """Hochreiter & Schmidhuber 1997 with forget gate (Gers et al. 2000); the state is [h, c].

    c = f * c' + i * tanh(W x + U h' + b), h = o * tanh(c)
    """
    n = state.shape[1] // 2
    scores = x @ w.x + w.b_x + state[:, :n] @ w.h + w.b_h
    i, f, o = sigmoid(scores[:, :n]), sigmoid(scores[:, n : 2 * n]), sigmoid(scores[:, 3 * n :])
    c = f * state[:, n:] + i * np.tanh(scores[:, 2 * n : 3 * n])
    return np.concatenate([o * np.tanh(c), c], axis=1)


def rnn(x: FloatArray, h: FloatArray, w: LayerWeights) -> FloatArray:
    """Elman 1990: h = tanh(W x + U h' + b)."""
    return np.tanh(x @ w.x + w.b_x + h @ w.h + w.b_h)


def _gru_trace(x: FloatArray, h: FloatArray, w: LayerWeights) -> dict[str, FloatArray]:
    r, z, _ = gru_gates(x, h, w)
    return {"reset": r, "keep": z}


def _gru_v1_trace(x: FloatArray, h: FloatArray, w: LayerWeights) -> dict[str, FloatArray]:
    r, z, _ = gru_v1_gates(x, h, w)
    return {"reset": r, "keep": 1 - z}


def _mingru_trace(x: FloatArray, h: FloatArray, w: LayerWeights) -> dict[str, FloatArray]:
    return {"keep": 1 - mingru_gates(x, h, w)[0]}


def _lstm_trace(x: FloatArray, state: FloatArray, w: LayerWeights) -> dict[str, FloatArray]:
    i, f, o = lstm_gates(x, state, w)
    return {"input": i, "keep": f, "output": o}


def _no_trace(x: FloatArray, h: FloatArray, w: LayerWeights) -> dict[str, FloatArray]:
    return {}


@dataclass(frozen=True)
class Cell:
    """What is to be known of a kind of cell.

    Attributes:
        step: (input (B, I), state (B, states * H), weights) to the new state; its first H columns are the output.
        gates: the same arguments, to the gates by name, each (B, H) in (0, 1). "keep" is the share of the old state
            that stays in the new one, whatever the cell's equations call it.
        x_blocks, h_blocks: matrices W and U, and biases beside each: so many times H outputs.
        h_bias: whether U has biases of its own.
        states: numbers that a unit carries on.
    """

    step: Callable[[FloatArray, FloatArray, LayerWeights], FloatArray]
    gates: Callable[[FloatArray, FloatArray, LayerWeights], dict[str, FloatArray]]
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

    def weights(self, named: Mapping[str, FloatArray], hidden: int) -> LayerWeights:
        """A layer's weights by the names of `shapes`, ready for `step`."""
        none = np.zeros((0, hidden), np.float32)
        return LayerWeights(
            np.ascontiguousarray(named["weight_ih_l0"].T),
            np.ascontiguousarray(named.get("weight_hh_l0", none).T),
            named["bias_ih_l0"],
            named.get("bias_hh_l0", none[:, 0]),
        )


CELLS = {
    "gru": Cell(gru, _gru_trace, 3, 3),
    "lstm": Cell(lstm, _lstm_trace, 4, 4, states=2),
    "rnn": Cell(rnn, _no_trace, 1, 1),
    "gru-v1": Cell(gru_v1, _gru_v1_trace, 3, 3, h_bias=False),
    "mingru": Cell(mingru, _mingru_trace, 2, 0, h_bias=False),
}
"""By the names of `melodygru.network.config.CELLS`."""
