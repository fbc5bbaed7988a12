"""The relative loss over steps and batches, and the moments of layers during a step."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from bnlab.measure.landscape.heat_map import measure_relative_loss
from bnlab.measure.landscape.step_moments import measure_step_moments
from tests.measure.landscape.landscape_cases import (
    KINDS,
    batch,
    cross_entropy,
    small_net,
    weights_at,
)

STEPS = [0.1, 2.0]


def moved(net, x, y, step):
    """A copy in training mode, at w - step * g, and the loss before."""
    start = copy.deepcopy(net).train()
    twin = copy.deepcopy(start)
    loss = cross_entropy(twin(x), y)
    loss.backward()
    return weights_at(start, {n: p.grad for n, p in twin.named_parameters()}, -step), loss.item()


@pytest.mark.parametrize("norm", KINDS)
def test_the_relative_loss_is_after_over_before(norm):
    net = small_net(norm)
    batches = [batch(seed) for seed in range(3)]
    found = measure_relative_loss(net, cross_entropy, batches, STEPS)
    assert found.relative.shape == (3, 2)
    for b, (x, y) in enumerate(batches):
        for s, step in enumerate(STEPS):
            twin, before = moved(net, x, y, step)
            assert found.before[b] == pytest.approx(before, rel=1e-12)
            after = cross_entropy(twin(x), y).item()
            assert found.relative[b, s] == pytest.approx(after / before, rel=1e-10)
    best = [STEPS[int(np.argmin(row))] for row in found.relative.tolist()]
    assert found.best_step.tolist() == best


def test_divergence_is_a_thousandfold_loss():
    class Weight(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.ones((), dtype=torch.float64))

        def forward(self, x):
            return self.w * x

    # L = w^2 at 1: L(1 - 2s) / L(1) = (1 - 2s)^2.
    one = torch.ones((), dtype=torch.float64)
    steps = [0.5, 16.3, 16.4, 1e200]
    found = measure_relative_loss(Weight(), lambda a, b: a * a, [(one, one)], steps)
    assert found.relative[0].tolist() == pytest.approx([0, 31.6**2, 31.8**2, np.inf])
    assert found.diverged.tolist() == [[False, False, True, True]]
    alt = found.plot("none").alt
    assert "to infinity" in alt and "Steps from 16.3 on raise it" in alt and "50% of all" in alt


def test_a_relative_loss_needs_batches_and_a_positive_loss():
    net, (x, y) = small_net("batch"), batch()
    with pytest.raises(ValueError, match="at least one pair"):
        measure_relative_loss(net, cross_entropy, [], STEPS)
    with pytest.raises(ValueError, match="needs a positive one"):
        measure_relative_loss(net, lambda a, b: -cross_entropy(a, b), [(x, y)], STEPS)


@pytest.mark.parametrize("norm", ["none", "batch", "noisy_batch"])
def test_moments_are_those_of_the_moved_net(norm):
    net, (x, y) = small_net(norm), batch()
    found = measure_step_moments(net, cross_entropy, x, y, lr=0.7, shares=[0, 0.5, 1])
    assert found.layers == ("body.1", "body.4", "head")
    for s, share in enumerate((0, 0.5, 1)):
        twin, _ = moved(net, x, y, 0.7 * share)
        outputs = {}
        for name in found.layers:
            twin.get_submodule(name).register_forward_hook(
                lambda _m, _i, out, name=name, to=outputs: to.update({name: out.detach()})
            )
        loss = cross_entropy(twin(x), y).item()
        assert found.losses[s] == pytest.approx(loss, rel=1e-10)
        for k, name in enumerate(found.layers):
            a = outputs[name]
            mean = a.sum(0) / len(a)
            var = ((a - mean) ** 2).sum(0) / len(a)
            np.testing.assert_allclose(found.mean[k][s], mean, rtol=1e-8, atol=1e-12)
            np.testing.assert_allclose(found.variance[k][s], var, rtol=1e-8)
            assert found.layer_variance[s, k] == pytest.approx(var.mean().item(), rel=1e-8)
            assert found.layer_mean[s, k] == pytest.approx(mean.abs().mean().item(), rel=1e-8)
    factor = found.layer_variance[-1, -1] / found.layer_variance[0, -1]
    alt = found.plot(norm).alt
    assert "3 layers" in alt and f"{factor:.3g}" in alt


def test_channels_of_images_are_on_axis_1_and_those_of_a_linear_layer_last():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = nn.Sequential(nn.Conv2d(1, 2, 2), nn.Linear(2, 3), nn.Flatten(), nn.Linear(12, 4))
        net = net.double()
    x, y = batch()
    found = measure_step_moments(net, cross_entropy, x, y, lr=0.1, shares=[0])
    conv = net[0](x)
    wanted = [conv[:, c].mean().item() for c in range(2)]
    np.testing.assert_allclose(found.mean[0][0], wanted, rtol=1e-9)
    linear = net[1](conv)
    wanted = [linear[..., c].var(unbiased=False).item() for c in range(3)]
    np.testing.assert_allclose(found.variance[1][0], wanted, rtol=1e-9)


def test_moments_of_layers_that_cannot_be_had():
    net, (x, y) = small_net("batch"), batch()
    with pytest.raises(ValueError, match=r"unknown layer 'body\.9'"):
        measure_step_moments(net, cross_entropy, x, y, 0.1, layers=["body.9"])
    with pytest.raises(ValueError, match="there is no layer"):
        measure_step_moments(net, cross_entropy, x, y, 0.1, layers=[])
    with pytest.raises(ValueError, match="lr must be"):
        measure_step_moments(net, cross_entropy, x, y, 0.0)
    shared = nn.Linear(9, 9).double()
    twice = nn.Sequential(nn.Flatten(), shared, shared, nn.Linear(9, 4).double())
    with pytest.raises(ValueError, match="'1' ran 2 times"):
        measure_step_moments(twice, cross_entropy, x, y, 0.1)
    assert not shared._forward_hooks
