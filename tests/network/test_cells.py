"""Cells: the step in NumPy, the layer in torch, and the equations on paper are one."""

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from melodygru.network.cells import CELLS
from melodygru.training.layers import LAYERS, GRUv1, MinGRU, make_layer
from tests.gru_reference import OfCho, OfTorch

INPUTS, HIDDEN, STEPS, BATCH = 5, 7, 12, 3


def weights(layer):
    return {name: parameter.detach().numpy() for name, parameter in layer.named_parameters()}


def scaled(layer, factor=2.0):
    """The layer with larger weights, so that gates open and close."""
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.mul_(factor)
    return layer


def stepwise(cell, layer, x):
    kind = CELLS[cell]
    own = kind.weights(weights(layer), HIDDEN)
    state = np.zeros((len(x), HIDDEN * kind.states), x.dtype)
    states = []
    for at in range(x.shape[1]):
        state = kind.step(x[:, at], state, own)
        states.append(state[:, :HIDDEN])
    return np.stack(states, axis=1)


def test_every_cell_has_equations_and_a_layer():
    assert list(CELLS) == list(LAYERS)


@pytest.mark.parametrize("cell", CELLS)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), factor=st.sampled_from([0.5, 2.0, 6.0]))
def test_layer_in_torch_equals_steps_in_numpy(cell, seed, factor):
    torch.manual_seed(seed)
    layer = scaled(make_layer(cell, INPUTS, HIDDEN), factor).double()
    x = torch.randn(BATCH, STEPS, INPUTS, dtype=torch.float64)
    with torch.no_grad():
        found = layer(x)[0].numpy()
    # minGRU's scan is computed in float32 whatever it is given.
    tolerance = 1e-5 if cell == "mingru" else 1e-12
    np.testing.assert_allclose(found, stepwise(cell, layer, x.numpy()), atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("cell", CELLS)
def test_shapes_are_those_of_the_layer(cell):
    layer = make_layer(cell, INPUTS, HIDDEN)
    assert {name: tuple(p.shape) for name, p in layer.named_parameters()} == CELLS[cell].shapes(INPUTS, HIDDEN)


def test_gru_to_lstm_is_three_to_four_to_the_last_weight():
    def size(cell):
        return sum(parameter.numel() for parameter in make_layer(cell, 128, 128).parameters())

    assert size("gru") * 4 == size("lstm") * 3 == size("rnn") * 12
    assert size("gru-v1") == size("gru") - 3 * 128  # one bias, since the other would add to it


@pytest.mark.parametrize("cell", [cell for cell in CELLS if cell != "rnn"])
def test_gates_lie_between_none_and_all_and_keep_what_they_say(cell):
    torch.manual_seed(1)
    layer = scaled(make_layer(cell, INPUTS, HIDDEN))
    kind, own = CELLS[cell], CELLS[cell].weights(weights(layer), HIDDEN)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(BATCH, INPUTS)).astype(np.float32)
    state = rng.normal(size=(BATCH, HIDDEN * kind.states)).astype(np.float32) * 0.5
    gates = kind.gates(x, state, own)
    assert all(((gate > 0) & (gate < 1)).all() for gate in gates.values())
    # Only the kept share of the old state's carried part is in the new one: what is left does not depend on it.
    carried = slice(HIDDEN, None) if cell == "lstm" else slice(None)
    after = kind.step(x, state, own)[:, carried]
    if cell in ("mingru", "lstm"):
        moved = state.copy()
        moved[:, carried] += 0.25
        other = kind.step(x, moved, own)[:, carried]
        np.testing.assert_allclose(other - after, 0.25 * gates["keep"], atol=1e-5)
    else:
        new = (after - gates["keep"] * state) / (1 - gates["keep"])
        assert (np.abs(new) <= 1 + 1e-4).all()


@pytest.mark.parametrize(
    ("theirs", "reference"),
    [(partial(torch.nn.GRU, batch_first=True), OfTorch), (GRUv1, OfCho)],
    ids=["torch's", "that of 2014"],
)
def test_reference_equals_the_gru_and_its_gradients(theirs, reference):
    torch.manual_seed(2)
    layer = scaled(theirs(INPUTS, HIDDEN)).double()
    x = torch.randn(1, STEPS, INPUTS, dtype=torch.float64, requires_grad=True)
    own = reference(*weights(layer).values())
    np.testing.assert_allclose(own.forward(x.detach().numpy()[0]), layer(x)[0].detach().numpy()[0], atol=1e-12)
    weigh = torch.randn(1, STEPS, HIDDEN, dtype=torch.float64)
    (layer(x)[0] * weigh).sum().backward()
    gradients = [*(parameter.grad.numpy() for parameter in layer.parameters()), x.grad.numpy()[0]]
    for mine, other in zip(own.backward(weigh.numpy()[0]), gradients, strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-10)


def test_both_forms_of_the_gru_are_one_function_where_u_is_diagonal():
    """U (r * h) = r * (U h) if U, of the candidate, is diagonal; then only z is the other way round: z -> 1 - z."""
    rng = np.random.default_rng(4)
    w, u, b = rng.normal(size=(3 * HIDDEN, INPUTS)), rng.normal(size=(3 * HIDDEN, HIDDEN)), rng.normal(size=3 * HIDDEN)
    u[2 * HIDDEN :] = np.diag(rng.normal(size=HIDDEN))
    x = rng.normal(size=(STEPS, INPUTS))
    # 1 - sigma(a) = sigma(-a): the rows of z change their sign.
    sign = np.repeat([1.0, -1.0, 1.0], HIDDEN)
    theirs = OfTorch(sign[:, None] * w, sign[:, None] * u, sign * b, np.zeros(3 * HIDDEN))
    np.testing.assert_allclose(OfCho(w, u, b).forward(x), theirs.forward(x), atol=1e-12)
    u[2 * HIDDEN, 1] = 1.0
    sign_u = OfTorch(sign[:, None] * w, sign[:, None] * u, sign * b, np.zeros(3 * HIDDEN))
    assert np.abs(OfCho(w, u, b).forward(x) - sign_u.forward(x)).max() > 1e-3


def test_one_unit_of_the_gru_of_2014_is_one_of_torch_gru():
    torch.manual_seed(5)
    old, new = GRUv1(INPUTS, 1).double(), torch.nn.GRU(INPUTS, 1, batch_first=True).double()
    with torch.no_grad():
        sign = torch.tensor([1.0, -1.0, 1.0], dtype=torch.float64)
        new.weight_ih_l0.copy_(sign[:, None] * old.weight_ih_l0)
        new.weight_hh_l0.copy_(sign[:, None] * old.weight_hh_l0)
        new.bias_ih_l0.copy_(sign * old.bias_ih_l0)
        new.bias_hh_l0.zero_()
        x = torch.randn(2, STEPS, INPUTS, dtype=torch.float64)
        np.testing.assert_allclose(old(x)[0].numpy(), new(x)[0].numpy(), atol=1e-12)


def test_parallel_mingru_holds_over_thousands_of_steps():
    torch.manual_seed(6)
    layer = scaled(MinGRU(INPUTS, HIDDEN), 5)
    x = torch.randn(1, 4000, INPUTS)
    with torch.no_grad():
        found = layer(x)[0].numpy()
    assert np.isfinite(found).all()
    np.testing.assert_allclose(found, stepwise("mingru", layer, x.numpy()), atol=2e-3, rtol=2e-3)


def test_gradients_of_mingru_are_those_of_its_steps():
    torch.manual_seed(7)
    layer = scaled(MinGRU(INPUTS, HIDDEN))
    x = torch.randn(2, STEPS, INPUTS)
    layer(x)[0].square().sum().backward()
    parallel = [parameter.grad.clone() for parameter in layer.parameters()]
    layer.zero_grad()
    h, total = torch.zeros(2, HIDDEN), 0.0
    for at in range(STEPS):
        gate, new = torch.nn.functional.linear(x[:, at], layer.weight_ih_l0, layer.bias_ih_l0).chunk(2, 1)
        z = gate.sigmoid()
        h = (1 - z) * h + z * torch.where(new >= 0, new + 0.5, new.sigmoid())
        total = total + h.square().sum()
    total.backward()
    for one, parameter in zip(parallel, layer.parameters(), strict=True):
        torch.testing.assert_close(one, parameter.grad, atol=1e-4, rtol=1e-4)
