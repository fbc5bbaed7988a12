"""Santurkar's probes along the gradient: values from the formulas, frozen noise, clear errors."""

import copy
import math

import numpy as np
import pytest
import torch
from torch import nn

from bnlab.measure.landscape.landscape import (
    DEEP_LINEAR,
    VGG,
    StepGrid,
    measure_landscape,
)
from tests.measure.landscape.landscape_cases import (
    KINDS,
    batch,
    cross_entropy,
    dropout_net,
    small_net,
    weights_at,
)

STEPS = [0.05, 0.3, 1.1]


def gradient_of(net, x, y):
    net.zero_grad()
    loss = cross_entropy(net(x), y)
    loss.backward()
    return loss.item(), {name: p.grad.clone() for name, p in net.named_parameters()}


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("norm", KINDS)
def test_loss_and_gradient_are_those_of_a_net_with_the_moved_weights(norm, mode):
    net, (x, y) = small_net(norm), batch()
    found = measure_landscape(net, cross_entropy, x, y, STEPS, mode)
    # A deep copy has the same noise: the counter of noisy_batch is a buffer.
    start = copy.deepcopy(net).train(mode == "train")
    loss, g = gradient_of(copy.deepcopy(start), x, y)
    size = math.sqrt(sum(float((v**2).sum()) for v in g.values()))
    assert found.loss == pytest.approx(loss, rel=1e-12)
    assert found.gradient_norm == pytest.approx(size, rel=1e-12)
    losses, changes = [], []
    for step in STEPS:
        there, moved = gradient_of(weights_at(start, g, -step), x, y)
        losses.append(there)
        changes.append(math.sqrt(sum(float(((moved[n] - g[n]) ** 2).sum()) for n in g)))
    np.testing.assert_allclose(found.losses, losses, rtol=1e-12)
    np.testing.assert_allclose(found.gradient_changes, changes, rtol=1e-9)
    assert found.loss_range == pytest.approx(max(losses) - min(losses), rel=1e-9)
    betas = [c / (s * size) for c, s in zip(changes, STEPS, strict=True)]
    assert found.effective_beta == pytest.approx(max(betas), rel=1e-9)
    assert found.mode == mode
    span = (found.gradient_change_min, found.gradient_change_max)
    assert span == pytest.approx((min(changes), max(changes)), rel=1e-9)


class Quadratic(nn.Module):
    def __init__(self, weights):
        super().__init__()
        self.w = nn.Parameter(torch.tensor(weights, dtype=torch.float64))

    def forward(self, x):
        return self.w


def test_a_quadratic_has_the_values_that_a_pencil_gives():
    # L = (w1^2 + 3 w2^2) / 2 at (2, 1): g = (2, 3), the Hessian is diag(1, 3).
    curvature = torch.tensor([1.0, 3.0], dtype=torch.float64)
    found = measure_landscape(
        Quadratic([2.0, 1.0]), lambda w, c: (c * w * w).sum() / 2, None, curvature, [0.5, 1.0]
    )
    assert found.loss == 3.5 and found.gradient_norm == pytest.approx(math.sqrt(13))
    assert found.losses.tolist() == pytest.approx([0.875, 6.0])  # at (1, -.5) and (0, -2)
    wanted = math.sqrt(2**2 + 9**2)  # H g = (2, 9)
    assert found.gradient_changes.tolist() == pytest.approx([wanted / 2, wanted])
    assert found.betas.tolist() == pytest.approx([wanted / math.sqrt(13)] * 2)


def test_noise_is_the_same_at_every_step():
    net, (x, y) = dropout_net(), batch()
    with torch.random.fork_rng():
        torch.manual_seed(5)
        tiny = measure_landscape(net, cross_entropy, x, y, [1e-9, 2e-9])
        before = torch.get_rng_state()
        again = measure_landscape(net, cross_entropy, x, y, [1e-9, 2e-9])
        assert torch.equal(before, torch.get_rng_state())
        torch.manual_seed(6)
        other = measure_landscape(net, cross_entropy, x, y, [1e-9, 2e-9])
    # Another mask would change the loss by far more than the first-order step does.
    np.testing.assert_allclose(tiny.losses, tiny.loss, rtol=1e-6)
    assert tiny.gradient_change_max < 1e-5
    assert tiny.losses.tolist() == again.losses.tolist()
    assert abs(tiny.loss - other.loss) > 1e-3


def test_a_frozen_parameter_does_not_move():
    net, (x, y) = small_net("batch"), batch()
    net.head.weight.requires_grad_(False)
    found = measure_landscape(net, cross_entropy, x, y, STEPS)
    _, g = gradient_of(copy.deepcopy(net).requires_grad_(True), x, y)
    del g["head.weight"]
    size = math.sqrt(sum(float((v**2).sum()) for v in g.values()))
    assert found.gradient_norm == pytest.approx(size, rel=1e-12)


def test_where_the_loss_is_not_finite_it_is_infinite():
    found = measure_landscape(
        Quadratic([1.0]), lambda w, _: w.exp().sum(), None, None, [0.1, 1e4, 3e300]
    )
    assert np.isfinite(found.losses).all()
    blown = measure_landscape(
        Quadratic([-1.0]), lambda w, _: (w * w * w * w).sum(), None, None, [0.1, 1e200]
    )
    assert blown.losses[1] == np.inf and blown.loss_range == np.inf
    assert blown.effective_beta == np.inf
    assert "diverged at steps from 1e+200" in blown.plot().alt


def test_the_grids_of_the_paper():
    assert VGG.steps(0.1).tolist() == pytest.approx([0.05 * 2 ** (k / 2) for k in range(7)])
    assert VGG.steps(0.5)[[0, -1]].tolist() == pytest.approx([0.25, 0.4])  # the cap
    assert DEEP_LINEAR.steps(1e-6)[[0, -1]].tolist() == pytest.approx([1e-8, 3e-5])
    assert len(StepGrid(1, 2, points=4).steps(3.0)) == 4
    with pytest.raises(ValueError, match=r"beyond this grid's cap of 0\.4"):
        VGG.steps(1.0)
    with pytest.raises(ValueError, match="lr must be"):
        VGG.steps(0)


def test_a_loss_of_one_number_in_a_row_counts_as_a_scalar():
    net, (x, y) = small_net("batch"), batch()
    rows = [
        measure_landscape(net, loss, x, y, STEPS).losses.tolist()
        for loss in (cross_entropy, lambda a, b: cross_entropy(a, b)[None])
    ]
    assert rows[0] == rows[1]


def test_bad_input_is_refused():
    net, (x, y) = small_net("batch"), batch()

    def vector(a, b):
        return cross_entropy(a, b, reduction="none")

    with pytest.raises(ValueError, match=r"must give a scalar, got shape \(12,\)"):
        measure_landscape(net, vector, x, y, STEPS)
    with pytest.raises(ValueError, match=r"must give a scalar, got 1\.0"):
        measure_landscape(net, lambda a, b: 1.0, x, y, STEPS)
    with pytest.raises(ValueError, match="more than one value a channel"):
        measure_landscape(net, cross_entropy, x[:1], y[:1], STEPS)
    with pytest.raises(ValueError, match="mode must be"):
        measure_landscape(net, cross_entropy, x, y, STEPS, "test")
    with pytest.raises(ValueError, match="does not depend on any parameter"):
        measure_landscape(net, lambda a, b: b.double().mean(), x, y, STEPS)
    with pytest.raises(ValueError, match=r"loss at the net's own weights is inf"):
        measure_landscape(net, lambda a, b: a.square().sum() * math.inf, x, y, STEPS)
    with pytest.raises(ValueError, match="gradient at the net's own weights is zero"):
        measure_landscape(net, lambda a, b: 0 * a.sum(), x, y, STEPS)
    for steps in ([], [0.1, -1], [math.nan], 0.1, "fast", [[1.0]]):
        with pytest.raises(ValueError, match="steps must be"):
            measure_landscape(net, cross_entropy, x, y, steps)
    frozen = small_net("none").requires_grad_(False)
    with pytest.raises(ValueError, match=r"requires_grad_\(True\)"):
        measure_landscape(frozen, cross_entropy, x, y, STEPS)
    with torch.no_grad():
        net.body[1].weight[0, 0] = math.nan
    with pytest.raises(ValueError, match=r"body\.1\.weight"):
        measure_landscape(net, cross_entropy, x, y, STEPS)


def test_it_works_inside_of_no_grad():
    net, (x, y) = small_net("batch"), batch()
    with torch.no_grad():
        inside = measure_landscape(net, cross_entropy, x, y, STEPS)
    outside = measure_landscape(net, cross_entropy, x, y, STEPS)
    assert inside.gradient_changes.tolist() == outside.gradient_changes.tolist()


def test_the_figure_says_the_result():
    found = measure_landscape(small_net("batch"), cross_entropy, *batch(), STEPS)
    drawing = found.plot("batch")
    assert len(drawing.svgs) == 3
    assert f"effective beta {found.effective_beta:.3g}" in drawing.alt
    assert f"loss range {found.loss_range:.3g}" in drawing.alt
    assert "batch norm" in drawing.alt and "diverged" not in drawing.alt
    assert "my net" in found.plot("my net").alt
