"""The GRU layer of our own is `torch.nn.GRU`, faster."""

import platform

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.func import functional_call

from melodygru.training import gru, gru_kernel
from melodygru.training.gru import GRU, gru_states
from melodygru.training.gru_kernel import build, kernel
from tests.gru_loop import LoopInTorch

KERNEL = kernel()
compiled = pytest.mark.skipif(KERNEL is None, reason="there is no compiler here")
SIZES = st.tuples(*(st.integers(1, most) for most in (20, 12, 40, 70)))


def case(rows, steps, inputs, units, dtype=torch.float32):
    torch.manual_seed(rows + 100 * steps + 10_000 * units)
    layer = nn.GRU(inputs, units, batch_first=True, dtype=dtype)
    return (
        layer,
        torch.randn(rows, steps, inputs, dtype=dtype, requires_grad=True),
        torch.randn(rows, steps, units, dtype=dtype),
    )


def results(states, layer, x, gradient):
    """The states, and the gradients of the input and all weights."""
    return states.detach(), *torch.autograd.grad(states, [x, *layer.parameters()], gradient)


def relative(found, expected):
    return (found - expected).norm().item() / max(expected.norm().item(), 1e-6)


def check_like_torch(loop, sizes):
    layer, x, gradient = case(*sizes)
    expected = results(layer(x)[0], layer, x, gradient)
    found = results(gru_states(x, *layer.parameters(), loop, torch.float32), layer, x, gradient)
    for one, other in zip(found, expected, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


@compiled
@given(SIZES)
def test_states_and_gradients_are_those_of_torch(sizes):
    check_like_torch(KERNEL, sizes)


@compiled
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="flags of another kind of CPU")
def test_kernel_for_cpus_with_shorter_vectors():
    older = build(["-march=x86-64-v3"])
    assert older.lanes == 8
    assert not older.bfloat16
    for sizes in ((1, 1, 1, 1), (5, 9, 7, 33), (13, 4, 20, 64)):
        check_like_torch(older, sizes)
    check_bfloat16(older, (7, 9, 20, 40))


def test_gradients_by_finite_differences():
    layer, x, _ = case(3, 4, 2, 3, torch.float64)
    weights = [parameter.detach().requires_grad_() for parameter in layer.parameters()]

    def run(*inputs):
        return gru_states(*inputs, LoopInTorch(), torch.float64)

    assert torch.autograd.gradcheck(run, (x, *weights))


def check_bfloat16(loop, sizes):
    layer, x, gradient = case(*sizes)
    low = results(gru_states(x, *layer.parameters(), loop, torch.bfloat16), layer, x, gradient)
    plain = results(gru_states(x, *layer.parameters(), LoopInTorch(), torch.bfloat16), layer, x, gradient)
    exact = results(layer(x)[0], layer, x, gradient)
    for one, other, true in zip(low, plain, exact, strict=True):
        # bfloat16 has 8 bits: 1/256 of each number, and sums of many err by less.
        assert relative(one, true) < 0.04
        assert relative(one, other) < 0.04


@compiled
@given(SIZES)
def test_bfloat16_is_as_exact_as_it_can_be(sizes):
    check_bfloat16(KERNEL, sizes)


@compiled
def test_threads_share_the_rows_and_change_nothing():
    layer, x, gradient = case(5, 6, 8, 32)
    before = torch.get_num_threads()
    found = []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            states = gru_states(x, *layer.parameters(), KERNEL, torch.float32)
            found.append(results(states, layer, x, gradient))
    finally:
        torch.set_num_threads(before)
    for others in found[1:]:
        for one, other in zip(found[0], others, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-6)


@compiled
def test_what_is_no_number_is_told():
    layer, x, _ = case(3, 4, 5, 32)
    broken = x.detach().clone()
    broken[1, 2, 0] = torch.nan
    for dtype in (torch.float32, torch.bfloat16):
        states = gru_states(broken, *layer.parameters(), KERNEL, dtype)
        assert states[1, 2:].isnan().all()
        assert states[[0, 2]].isfinite().all()
        huge = gru_states(broken.nan_to_num() * 1e30, *layer.parameters(), KERNEL, dtype)
        assert huge.isfinite().all()
        assert huge.abs().max() <= 1


def test_layer_takes_the_weights_of_torch():
    reference, x, _ = case(4, 6, 5, 24)
    layer = GRU(5, 24)
    layer.load_state_dict(reference.state_dict())
    states, last = layer(x)
    expected, expected_last = reference(x)
    torch.testing.assert_close(states, expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(last, expected_last, rtol=1e-5, atol=1e-5)
    other = {"weight_hh_l0": torch.zeros_like(reference.weight_hh_l0)}
    torch.testing.assert_close(
        functional_call(layer, other, (x,))[0], functional_call(reference, other, (x,))[0], rtol=1e-5, atol=1e-5
    )
    begun = torch.randn(1, 4, 24)
    torch.testing.assert_close(layer(x, begun)[0], reference(x, begun)[0])


@compiled
def test_autocast_decides_on_bfloat16():
    layer, x, gradient = case(4, 6, 32, 32)
    own = GRU(32, 32)
    own.load_state_dict(layer.state_dict())
    exact = layer(x)[0]
    with torch.autocast("cpu", torch.bfloat16):
        states = own(x)[0]
    assert states.dtype == torch.float32
    error = relative(states, exact)
    assert (0 < error < 0.01) if KERNEL.bfloat16 else error < 1e-5
    states.backward(gradient)
    assert x.grad.dtype == torch.float32


@compiled
def test_nothing_is_kept_without_gradients():
    layer, x, _ = case(2, 3, 4, 32)
    made = []
    loop = LoopInTorch()

    class Watched(LoopInTorch):
        def forward(self, from_x, w_h, bias, keep):
            made.append(keep)
            return loop.forward(from_x, w_h, bias, keep)

    with torch.no_grad():
        states = gru_states(x, *layer.parameters(), KERNEL, torch.float32)
        gru_states(x, *layer.parameters(), Watched(), torch.float32)
    assert made == [False]
    torch.testing.assert_close(states, layer(x)[0], rtol=1e-5, atol=1e-5)


def test_layer_is_that_of_torch_where_nothing_can_be_compiled(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CXX", str(tmp_path / "no-compiler"))
    monkeypatch.setenv("TORCH_EXTENSIONS_DIR", str(tmp_path / "extensions"))
    assert gru_kernel.kernel.__wrapped__() is None
    monkeypatch.setattr(gru, "kernel", lambda: None)
    reference, x, _ = case(4, 6, 5, 24)
    layer = GRU(5, 24)
    layer.load_state_dict(reference.state_dict())
    torch.testing.assert_close(layer(x)[0], reference(x)[0], rtol=0, atol=0)


def test_kernel_can_be_left_out(monkeypatch):
    monkeypatch.setenv("MELODYGRU_KERNEL", "0")
    assert gru_kernel.kernel.__wrapped__() is None
