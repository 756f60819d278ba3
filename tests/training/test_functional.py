"""What is computed in another way than torch does is what torch computes."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

from melodygru.training.functional import dropout, looked_up, multiplied_as, side_by_side


@settings(max_examples=20, deadline=None)
@given(
    sizes=st.lists(st.integers(1, 7), min_size=1, max_size=4),
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=3),
    width=st.integers(1, 5),
    seed=st.integers(0, 99),
)
def test_rows_of_several_tables_are_those_of_each_and_so_are_their_gradients(sizes, shape, width, seed):
    torch.manual_seed(seed)
    tables = [torch.randn(size, width, requires_grad=True) for size in sizes]
    classes = torch.stack([torch.randint(size, shape) for size in sizes], dim=-1)
    rows = looked_up(tables, classes, torch.float32)
    expected = torch.cat([F.embedding(classes[..., i], table) for i, table in enumerate(tables)], dim=-1)
    assert torch.equal(rows, expected)
    slope = torch.randn_like(rows)
    found = torch.autograd.grad(rows, tables, slope)
    for one, other in zip(found, torch.autograd.grad(expected, tables, slope), strict=True):
        torch.testing.assert_close(one, other)


def test_gradients_of_rows_in_bfloat16_are_summed_in_the_dtype_of_the_table():
    table = torch.zeros(1, 1, requires_grad=True)
    rows = looked_up([table], torch.zeros(4096, 1, dtype=torch.int64), torch.bfloat16)
    assert rows.dtype == torch.bfloat16
    rows.sum().backward()
    # In bfloat16 the sum would stay at 256.
    assert table.grad.item() == 4096


def test_layers_side_by_side_are_those_layers():
    torch.manual_seed(0)
    layers, x = [nn.Linear(5, 3), nn.Linear(5, 1, bias=False), nn.Linear(5, 4)], torch.randn(7, 5)
    for one, layer in zip(side_by_side(x, layers), layers, strict=True):
        torch.testing.assert_close(one, layer(x))


@pytest.mark.parametrize("share", [0.1, 0.45, 0.9])
def test_dropout_leaves_out_its_share_and_keeps_the_mean(share):
    torch.manual_seed(1)
    x = torch.full((301, 997), 2.0, requires_grad=True)
    kept = dropout(x, share)
    assert (kept == 0).float().mean().item() == pytest.approx(share, abs=0.005)
    assert kept.mean().item() == pytest.approx(2, rel=0.02)
    assert len(kept.unique()) == 2
    (gradient,) = torch.autograd.grad(kept.sum(), x)
    torch.testing.assert_close(gradient * 2, kept)
    # Neither rows nor columns go together.
    for dim in (0, 1):
        assert ((kept > 0).float().mean(dim=dim) - (1 - share)).abs().max() < 0.2


def test_dropout_follows_from_the_seed_alone():
    torch.manual_seed(3)
    one = dropout(torch.ones(50, 7), 0.5)
    torch.manual_seed(3)
    assert torch.equal(one, dropout(torch.ones(50, 7), 0.5))
    assert not torch.equal(one, dropout(torch.ones(50, 7), 0.5))
    assert torch.equal(dropout(one, 0.0), one)


def test_products_are_made_in_what_autocast_says():
    weight = torch.zeros(2, 2)
    assert multiplied_as(weight) == torch.float32
    with torch.autocast("cpu", torch.bfloat16):
        assert multiplied_as(weight) == torch.bfloat16
