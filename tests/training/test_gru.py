"""The GRU layer of our own is `torch.nn.GRU`, faster."""

import ctypes
import os
import platform
import shutil
import stat
import sys
from dataclasses import replace

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import nn
from torch.func import functional_call

from melodygru import libraries
from melodygru.errors import UsageError
from melodygru.training import gru, gru_kernel
from melodygru.training.gru import GRU, gru_states
from melodygru.training.gru_kernel import chosen, kernel, of
from tests.gru_loop import LoopInTorch

KERNEL = kernel()
compiled = pytest.mark.skipif(KERNEL is None, reason="the compiled loop was not built")
SIZES = st.tuples(*(st.integers(1, most) for most in (20, 12, 40, 70)))
TILES = st.tuples(*(st.integers(1, most) for most in (50, 4, 5, 70)))
"""With more rows than two tiles have."""
NAMES = [variant.name for variant in KERNEL.variants] if KERNEL else []
"""Of all variants that this computer runs."""


@pytest.fixture(scope="module")
def emulated(tmp_path_factory):
    """The variant for AMX with its instructions written out, which any computer runs."""
    made = tmp_path_factory.mktemp("emulated") / "gru.so"
    libraries.built(made, libraries.gru_units(["emulated", "portable"]), libraries.LIBRARIES["gru"].flags)
    return chosen(of(ctypes.CDLL(str(made))))


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


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("sizes", [(1, 1, 1, 1), (5, 9, 7, 33), (13, 4, 20, 64), (9, 3, 8, 160)])
def test_every_variant_for_this_cpu(name, sizes):
    """Units: few, which the fetching of memory is not worth; many; and none of a multiple of a vector's."""
    one = chosen(KERNEL, name)
    check_like_torch(one, sizes)
    if one.bfloat16:
        check_bfloat16(one, sizes)


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
@given(TILES)
@settings(max_examples=25)
@example((16, 2, 3, 32))
@example((17, 3, 3, 64))
@example((50, 1, 1, 96))
def test_tiles_are_as_exact(emulated, sizes):
    check_bfloat16(emulated, sizes)


@compiled
@given(TILES)
@settings(max_examples=25)
def test_tiles_and_vectors_agree(emulated, sizes):
    if not KERNEL.bfloat16:
        pytest.skip("this computer has no bfloat16")
    layer, x, gradient = case(*sizes)
    vectors, tiles = (
        results(gru_states(x, *layer.parameters(), loop, torch.bfloat16), layer, x, gradient)
        for loop in (KERNEL, emulated)
    )
    # The sums are made in another order; of what is then rounded to bfloat16, few numbers fall to the other side.
    for one, other in zip(tiles, vectors, strict=True):
        assert relative(one, other) < 2e-3


def check_threads(loop, dtype, sizes):
    """Threads share the rows, and change nothing."""
    layer, x, gradient = case(*sizes)
    before, found = torch.get_num_threads(), []
    try:
        for threads in (1, 2, 3):
            torch.set_num_threads(threads)
            states = gru_states(x, *layer.parameters(), loop, dtype)
            found.append(results(states, layer, x, gradient))
    finally:
        torch.set_num_threads(before)
    for others in found[1:]:
        for one, other in zip(found[0], others, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-5)


@compiled
def test_tiles_of_threads(emulated):
    check_threads(emulated, torch.bfloat16, (37, 3, 8, 32))


@compiled
@pytest.mark.parametrize("shape", [(0, 3), (3, 0)])
def test_nothing_to_do_is_done(shape):
    layer = nn.GRU(2, 32, batch_first=True)
    x = torch.zeros(*shape, 2, requires_grad=True)
    states = gru_states(x, *layer.parameters(), KERNEL, torch.float32)
    assert states.shape == (*shape, 32)
    gradients = torch.autograd.grad(states.sum(), list(layer.parameters()))
    assert all((one == 0).all() for one in gradients)


@compiled
def test_threads_share_the_rows_and_change_nothing():
    check_threads(KERNEL, torch.float32, (5, 6, 8, 32))


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


def test_layer_is_that_of_torch_where_nothing_was_compiled(monkeypatch, tmp_path):
    monkeypatch.setattr(libraries, "place", lambda name: tmp_path / name)
    assert gru_kernel.kernel.__wrapped__() is None
    monkeypatch.setattr(gru, "kernel", lambda: None)
    reference, x, _ = case(4, 6, 5, 24)
    layer = GRU(5, 24)
    layer.load_state_dict(reference.state_dict())
    torch.testing.assert_close(layer(x)[0], reference(x)[0], rtol=0, atol=0)


def test_kernel_can_be_left_out(monkeypatch):
    monkeypatch.setenv("MELODYGRU_KERNEL", "0")
    assert gru_kernel.kernel.__wrapped__() is None


@compiled
def test_a_variant_can_be_asked_for(monkeypatch):
    for name in NAMES:
        monkeypatch.setenv("MELODYGRU_KERNEL", name)
        asked = gru_kernel.kernel.__wrapped__().variants
        assert asked[0].name == name
        assert {one.bytes for one in asked[1:]} <= {4}
    monkeypatch.setenv("MELODYGRU_KERNEL", "mmx")
    with pytest.raises(UsageError, match=r"MELODYGRU_KERNEL is mmx, .* portable, 0\.$"):
        gru_kernel.kernel.__wrapped__()


@compiled
def test_an_older_compiler_builds_what_it_knows(monkeypatch, tmp_path):
    script = tmp_path / "old-compiler"
    real = shutil.which(os.environ.get("CXX", "c++"))
    script.write_text(f'#!/bin/sh\ncase "$*" in *DVARIANT=avx*) exit 1;; esac\nexec {real} "$@"\n')
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("CXX", str(script))
    library = libraries.LIBRARIES["gru"]
    recipes = tuple(libraries.gru_units(names) for names in (("avx2", "portable"), ("portable",)))
    monkeypatch.setitem(libraries.LIBRARIES, "gru", replace(library, recipes=recipes))
    old = libraries.place("gru", tmp_path / "made").with_name(f"gru-{sys.platform}-{platform.machine()}-older.so")
    old.parent.mkdir()
    old.touch()
    made = libraries.build("gru", tmp_path / "made")
    assert [one.name for one in of(ctypes.CDLL(str(made))).variants] == ["portable"]
    assert list(made.parent.iterdir()) == [made]
    monkeypatch.setenv("CXX", str(tmp_path / "no-compiler"))
    assert libraries.build("gru", tmp_path / "made") == made, "what is there is not built again"
    monkeypatch.setenv("CXX", str(script))
    monkeypatch.setitem(libraries.LIBRARIES, "gru", replace(library, recipes=recipes[:1]))
    with pytest.raises(libraries.CompilerError):
        libraries.build("gru", tmp_path / "made")
    assert list(made.parent.iterdir()) == [made]


def test_without_a_compiler_it_is_said_what_is_slower(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(libraries, "place", lambda name, folder=tmp_path: tmp_path / f"{name}.so")
    monkeypatch.setenv("CXX", str(tmp_path / "no-compiler"))
    assert libraries.missing() == "training on a CPU, reading folders of MIDI files and writing melodies"
    libraries.main()
    told = capsys.readouterr().out.splitlines()
    assert [line.split(":")[-1] for line in told] == [
        " training on a CPU will be slower.",
        " reading folders of MIDI files will be slower.",
        *[" writing melodies will be slower."] * 2,
    ]
