"""Theorem 4.1 of Santurkar et al. holds as an equality, with 1/m, on living layers."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from bnlab.measure.landscape.gradient_identity import measure_gradient_identity
from bnlab.nets import make_net
from bnlab.norms import make_norm
from tests.measure.landscape.landscape_cases import batch, cross_entropy, small_net


def sides(layer, x, g):
    """Both sides with eps = 0, from the formula and by differentiation, for one channel."""
    z = x.clone().requires_grad_()
    (dz,) = torch.autograd.grad(layer(z), z, g)
    m = x.numel()
    mean = x.sum() / m
    sigma = math.sqrt(float(((x - mean) ** 2).sum() / m))
    z_hat = (x - mean) / sigma
    gamma = layer.weight.item()
    factor = gamma**2 / sigma**2
    norm, ones = float((g**2).sum()), float(g.sum()) ** 2
    along = float((z_hat * g).sum()) ** 2
    return (
        float((dz**2).sum()),
        factor * (norm - ones / m - along / m),
        factor * (norm - ones / m - along / math.sqrt(m)),
    )


@pytest.mark.parametrize("m", [2, 3, 50, 1000])
def test_the_theorem_is_an_equality_with_one_over_m(m):
    generator = torch.Generator().manual_seed(m)
    x, g = torch.randn(2, m, 1, generator=generator, dtype=torch.float64)
    layer = make_norm("batch", 1, eps=0.0).double()
    with torch.no_grad():
        layer.weight.fill_(1.7)
    left, right, printed = sides(layer, 3 * x + 1, g)
    scale = 1.7**2 / float((3 * x).var(unbiased=False)) * float((g**2).sum())
    assert abs(left - right) <= 1e-12 * scale
    assert printed < left - 1e-6 * scale  # so the printed "at most" is false


CASES = {
    "mlp": lambda eps: make_net(
        "mlp", (1, 3, 3), 4, depth=3, width=6, norm="batch", norm_options={"eps": eps}, seed=1
    ),
    "resnet": lambda eps: make_net(
        "resnet", (1, 8, 8), 4, depth=2, width=4, norm="batch", norm_options={"eps": eps}, seed=1
    ),
    "torch": lambda eps: nn.Sequential(
        nn.BatchNorm2d(1, eps=eps or 1e-5), nn.ReLU(inplace=True), nn.Flatten(), nn.LazyLinear(4)
    ),
}


@pytest.mark.parametrize("eps", [0.0, 1e-5, 0.5])
@pytest.mark.parametrize("case", CASES)
def test_on_every_layer_of_a_net_both_sides_are_equal(case, eps):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = CASES[case](eps).double()
        size = 8 if case == "resnet" else 3
        x, y = torch.randn(12, 1, size, size, dtype=torch.float64), torch.arange(12) % 4
        net(x)
        for p in net.parameters():
            p.data += 0.1 * torch.randn_like(p)
    layers = [n for n, m in net.named_modules() if "BatchNorm" in type(m).__name__]
    for name in layers:
        found = measure_gradient_identity(net, cross_entropy, x, y, name)
        assert found.layer == name
        assert found.error <= 1e-12
        np.testing.assert_allclose(
            found.before, found.right, rtol=0, atol=1e-12 * (found.scale * found.after).max()
        )
        assert (found.after > 0).any()
    assert len(layers) == {"mlp": 3, "resnet": 6, "torch": 1}[case]


def test_the_left_side_is_the_gradient_at_the_layer_alone():
    # z goes into the layer and past it: only the way through the layer counts.
    class Shortcut(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear, self.norm = nn.Linear(9, 4), make_norm("batch", 4)

        def forward(self, x):
            z = self.linear(x.flatten(1))
            return z + self.norm(z).relu_()

    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = Shortcut().double()
    x, y = batch()
    found = measure_gradient_identity(net, cross_entropy, x, y)
    z = net.linear(x.flatten(1)).detach()
    inner = z.clone().requires_grad_()
    out = net.norm(inner)
    a = out.detach().clone().requires_grad_()
    loss = cross_entropy(z + a.relu(), y)
    (g,) = torch.autograd.grad(loss, a)
    (dz,) = torch.autograd.grad(out, inner, g)
    np.testing.assert_allclose(found.before, (dz**2).sum(0), rtol=1e-10)
    np.testing.assert_allclose(found.after, (g**2).sum(0), rtol=1e-10)
    assert found.error < 1e-12 and found.pooled == 12


def test_the_parts_are_those_of_the_formula():
    net, (x, y) = small_net("batch"), batch()
    found = measure_gradient_identity(net, cross_entropy, x, y, "body.5")
    seen = {}
    hooks = [
        net.body[5].register_forward_pre_hook(lambda _, a: seen.update(z=a[0])),
        net.body[5].register_forward_hook(lambda _, a, o: seen.update(y=o)),
    ]
    (g,) = torch.autograd.grad(cross_entropy(net.train()(x), y), seen["y"])
    for hook in hooks:
        hook.remove()
    z = seen["z"].detach()
    var = ((z - z.mean(0)) ** 2).mean(0)
    z_hat = (z - z.mean(0)) / (var + 1e-5).sqrt()
    m, along = 12, (z_hat * g).sum(0) ** 2
    np.testing.assert_allclose(found.scale, 1 / (var + 1e-5), rtol=1e-10)
    np.testing.assert_allclose(found.along_ones, g.sum(0) ** 2 / m, rtol=1e-7, atol=1e-20)
    wanted = along / m * (1 + 1e-5 / (var + 1e-5))
    np.testing.assert_allclose(found.along_output, wanted, rtol=1e-9)
    printed = ((g**2).sum(0) - g.sum(0) ** 2 / m - along / math.sqrt(m)) / (var + 1e-5)
    np.testing.assert_allclose(found.printed, printed, rtol=1e-9)
    below = int((found.printed < found.before * (1 - 1e-6)).sum())
    assert below and f"too small for {below} of them" in found.plot().alt


class BatchNormAct(nn.BatchNorm1d):
    """As in timm: the activation belongs to the module."""

    def forward(self, x):
        return super().forward(x).relu()


def test_a_batchnorm_that_ends_in_an_activation_is_not_taken_for_one():
    x, y = batch()
    acts, plain = BatchNormAct(9).double(), nn.BatchNorm1d(9).double()
    net = nn.Sequential(nn.Flatten(), acts, nn.Linear(9, 4).double())
    for layer in (None, "1"):
        with pytest.raises(ValueError, match="'1' is a BatchNormAct"):
            measure_gradient_identity(net, cross_entropy, x, y, layer)
    both = nn.Sequential(nn.Flatten(), acts, plain, nn.Linear(9, 4).double())
    found = measure_gradient_identity(both, cross_entropy, x, y)
    assert found.layer == "2"
    np.testing.assert_allclose(found.right, found.before, rtol=1e-8, atol=1e-20)


def test_bad_input_is_refused():
    x, y = batch()
    with pytest.raises(ValueError, match="no BatchNorm layer"):
        measure_gradient_identity(small_net("noisy_batch"), cross_entropy, x, y)
    net = small_net("batch")
    with pytest.raises(ValueError, match=r"Did you mean 'body\.2'"):
        measure_gradient_identity(net, cross_entropy, x, y, "body.22")
    with pytest.raises(ValueError, match="is nan"):
        measure_gradient_identity(net, lambda a, b: a.sum() * math.nan, x, y)
    norm = nn.BatchNorm1d(9).double()
    twice = nn.Sequential(nn.Flatten(), norm, norm, nn.Linear(9, 4).double())
    with pytest.raises(ValueError, match="ran 2 times"):
        measure_gradient_identity(twice, cross_entropy, x, y)
