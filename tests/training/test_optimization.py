"""How the weights move."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from melodygru.network.cells import CELLS
from melodygru.training.config import TrainConfig
from melodygru.training.optimization import Muon, muon_matrices, optimizers, orthogonal
from tests.networks import SMALL, network, replace


@settings(max_examples=15, deadline=None)
@given(count=st.integers(1, 3), rows=st.integers(2, 24), columns=st.integers(2, 24), seed=st.integers(0, 99))
def test_the_update_keeps_its_directions_and_weighs_them_alike(count, rows, columns, seed):
    torch.manual_seed(seed)
    u, _, v = torch.linalg.svd(torch.randn(count, rows, columns), full_matrices=False)
    values = torch.rand(count, 1, min(rows, columns)) * 10 + 0.5
    found = orthogonal((u * values) @ v)
    turned = u.mT @ found @ v.mT
    of_each = turned.diagonal(dim1=1, dim2=2)
    assert of_each.min() > 0.4
    assert of_each.max() < 1.3
    # Nothing else comes in.
    torch.testing.assert_close(turned, torch.diag_embed(of_each), atol=2e-3, rtol=0)


def moved(weight, gradients, rows=None, skipped=(), **options):
    """A weight after a step for each of the gradients."""
    weight = weight.clone().requires_grad_()
    muon = Muon([weight], [len(weight) if rows is None else rows], lr=0.1, **options)
    for number, gradient in enumerate(gradients):
        weight.grad = gradient.clone()
        muon.found_inf = torch.tensor(float(number in skipped))
        muon.step()
    return weight.detach()


def test_each_gate_is_a_matrix_of_its_own():
    torch.manual_seed(0)
    weight, gradients = torch.randn(12, 5), [torch.randn(12, 5) for _ in range(3)]
    together = moved(weight, gradients, rows=4, weight_decay=0.3)
    apart = [moved(weight[i : i + 4], [g[i : i + 4] for g in gradients], weight_decay=0.3) for i in (0, 4, 8)]
    torch.testing.assert_close(together, torch.cat(apart))
    assert not torch.allclose(together, moved(weight, gradients, weight_decay=0.3))


def test_moves_are_as_large_as_the_learning_rate_says_whatever_the_gradient():
    torch.manual_seed(0)
    weight, gradient = torch.zeros(16, 32), torch.randn(16, 32)
    for size in (1e-4, 1.0, 1e4):
        step = moved(weight, [size * gradient])
        assert step.square().mean().sqrt().item() == pytest.approx(0.1 * 0.2, rel=0.3)


@pytest.mark.parametrize("what", [float("nan"), float("inf")])
def test_a_step_without_a_number_moves_nothing(what):
    torch.manual_seed(0)
    weight, good = torch.randn(4, 4), torch.randn(4, 4)
    assert torch.equal(moved(weight, [torch.full((4, 4), what)], skipped=[0]), weight)
    after = moved(weight, [good, torch.full((4, 4), what), good], skipped=[1])
    assert after.isfinite().all()
    assert not torch.equal(after, weight)


@pytest.mark.parametrize("cell", CELLS)
def test_muon_moves_what_lies_between_hidden_layers_and_adamw_all_else(cell):
    model = network(replace(SMALL, cell=cell))
    adamw, muon = optimizers(model, TrainConfig(), torch.float32)
    matrices = {id(p) for p in muon.param_groups[0]["params"]}
    others = {id(p) for group in adamw.param_groups for p in group["params"]}
    assert not matrices & others
    assert matrices | others == {id(p) for p in model.parameters()}
    names = {name for name, p in model.named_parameters() if id(p) in matrices}
    assert {"input.weight", "duration_hidden.weight", "pitch_hidden.weight", "recurrent.0.weight_ih_l0"} <= names
    assert not any("bias" in name or "table" in name for name in names)
    assert all(len(parameter) % rows == 0 for parameter, rows in muon_matrices(model).items())
    assert len(optimizers(model, TrainConfig(optimizer="adamw"), torch.float32)) == 1
