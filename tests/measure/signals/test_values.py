"""The signals are those of the formulas, in any net, at the right places."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

import tests.measure.signals.signal_reference as reference
from bnlab.measure import measure_signals
from bnlab.nets import make_net
from bnlab.norms import NORMS

FIELDS = ["mean", "variance", "channel_spread", "cosine", "stable_rank", "unit_stable_rank", "dead"]


def batch(n=12, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 1, 6, 6, dtype=torch.float64, generator=generator)
    return x, torch.arange(n) % 10


def check(signals, outputs, gradients=None):
    assert len(signals.names) == len(outputs)
    for k, output in enumerate(outputs):
        for name, wanted in reference.statistics(output).items():
            assert getattr(signals, name)[k] == pytest.approx(wanted, rel=1e-9, abs=1e-12), name
    if gradients is not None:
        wanted = [float(g.square().sum().sqrt()) for g in gradients]
        assert signals.gradient_norm == pytest.approx(wanted, rel=1e-10)


def by_hand(net, parts, x, y):
    """Outputs of the parts, run one after the other, and the gradients of the loss there."""
    net.train()
    outputs = []
    for part in parts:
        x = part(x)
        outputs.append(x)
    value = cross_entropy(net.head(x.mean((2, 3)) if x.ndim == 4 else x), y)
    return outputs, torch.autograd.grad(value, outputs)


@pytest.mark.parametrize("norm", ["none", "batch", "layer", "instance"])
@pytest.mark.parametrize("n", [4, 40], ids=["fewer samples", "fewer features"])
def test_every_signal_in_a_plain_net(norm, n):
    x, y = batch(n)
    net = make_net("plain", (1, 6, 6), 10, 4, 2, norm).double()
    body = list(net.body)
    stages = [nn.Sequential(*body[i : i + 3]) for i in range(0, len(body), 3)]
    signals = measure_signals(net, cross_entropy, x, y)
    assert signals.names == ("body.0", "body.3", "body.6", "body.9")
    check(signals, *by_hand(net, stages, x, y))


def test_the_blocks_of_a_residual_net():
    x, y = batch()
    net = make_net("resnet", (1, 6, 6), 10, 3, 4, "batch").double()
    signals = measure_signals(net, cross_entropy, x, y)
    assert signals.names == ("blocks.0", "blocks.1", "blocks.2")
    outputs, gradients = by_hand(net, [net.stem, *net.blocks], x, y)
    check(signals, outputs[1:], gradients[1:])


@pytest.mark.parametrize("norm", sorted(NORMS))
def test_every_normalizer_in_both_modes(norm):
    x, y = batch(8)
    options = {"group_size": 2} if norm in ("group", "evonorm_s0") else {}
    options |= {"ghost_size": 4} if norm == "ghost_batch" else {}
    net = make_net("plain", (1, 6, 6), 10, 2, 4, norm, options).double()
    train = measure_signals(net, cross_entropy, x, y)
    evaluation = measure_signals(net, cross_entropy, x, y, mode="eval")
    assert (train.mode, evaluation.mode) == ("train", "eval")
    moved = not np.allclose(train.variance, evaluation.variance, rtol=1e-6)
    if norm != "batch_renorm":  # its correction leads to what the running statistics give
        assert moved == getattr(NORMS[norm], "uses_batch", False)
    assert np.isfinite(train.gradient_norm).all() and (train.gradient_norm > 0).all()


def test_a_net_that_overwrites_its_activations():
    x, y = batch()
    net = reference.foreign_net()
    signals = measure_signals(net, cross_entropy, x, y)
    assert signals.names == ("0", "1.conv1", "1.conv2", "2.conv1", "2.conv2")
    net(x)
    seen = [net[k].seen[name] for k in (1, 2) for name in ("first", "second")]
    check(signals, [net[0](x), *seen])
    convs = measure_signals(net, cross_entropy, x, y, layers=["1.conv2", "2.conv2"])
    value = cross_entropy(net(x), y)
    outputs = [net[k].seen["conv2"] for k in (1, 2)]
    check(convs, outputs, torch.autograd.grad(value, outputs))


def test_gradients_where_the_output_is_overwritten_are_those_before_it():
    x, y = batch()
    net = reference.foreign_net()
    found = measure_signals(net, cross_entropy, x, y, layers=nn.BatchNorm2d).gradient_norm

    class Shift(nn.Module):  # d loss / d output at zero shift, without any hook
        def __init__(self, norm):
            super().__init__()
            self.norm, self.shift = norm, nn.Parameter(torch.zeros(12, 3, 6, 6).double())

        def forward(self, x):
            return self.norm(x) + self.shift

    shifts = []
    for k in (1, 2):
        for name in ("norm1", "norm2"):
            shifts.append(Shift(getattr(net[k], name)))
            setattr(net[k], name, shifts[-1])
    cross_entropy(net(x), y).backward()
    assert found == pytest.approx([float(s.shift.grad.norm()) for s in shifts], rel=1e-10)


def test_frozen_layers_have_a_gradient_at_their_output():
    x, y = batch()
    net = make_net("plain", (1, 6, 6), 10, 3, 2, "batch").double()
    wanted = measure_signals(net, cross_entropy, x, y)
    net.requires_grad_(False)
    found = measure_signals(net, cross_entropy, x, y)
    np.testing.assert_array_equal(found.gradient_norm, wanted.gradient_norm)
    assert not any(p.requires_grad for p in net.parameters())


def test_features_of_linear_layers_are_on_the_last_axis():
    x = torch.randn(5, 7, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    net = nn.Sequential(nn.Linear(4, 3).double(), nn.ReLU(), nn.Linear(3, 2).double())
    check(measure_signals(net, None, x), [net[1](net[0](x)).transpose(1, 2)])


def test_a_layer_that_is_called_twice_counts_twice():
    layer = nn.Linear(3, 3).double()
    net = nn.Sequential(layer, nn.Tanh(), layer, nn.Tanh(), nn.Linear(3, 2).double())
    x = torch.randn(6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    signals = measure_signals(net, None, x)
    assert signals.names == ("0", "0 (2)") and signals.gradient_norm is None
    check(signals, [net[:2](x), net[:4](x)])


def test_the_output_of_the_net_counts_where_it_is_named():
    net = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 2)).double()
    x = torch.randn(6, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    assert measure_signals(net, None, x).names == ("0",)
    signals = measure_signals(net, lambda a, _: a.square().sum(), x, layers="2")
    check(signals, [net(x)], [2 * net(x).detach()])


def test_a_branch_without_influence_has_no_gradient():
    class Fork(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.idle = nn.Linear(3, 2), nn.Linear(3, 2)

        def forward(self, x):
            self.idle(x)
            return 2 * self.used(x)

    x = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    signals = measure_signals(Fork(), lambda a, _: a.sum(), x)
    assert signals.names == ("idle", "used")
    assert signals.gradient_norm == pytest.approx([0, 2 * np.sqrt(12)], rel=1e-6)


def test_dead_units_and_a_dead_layer():
    layer = nn.Linear(2, 4).double()
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]]))
        layer.bias.copy_(torch.tensor([0.0, 0.0, -1.0, 1.0]))
    x = torch.tensor([[1.0, -1.0], [2.0, 3.0]], dtype=torch.float64)
    net = nn.Sequential(layer, nn.ReLU(), nn.Linear(4, 2).double())
    assert measure_signals(net, None, x).dead.tolist() == [0.25]
    with torch.no_grad():
        layer.bias.fill_(-9)
    dead = measure_signals(net, None, x)
    assert (dead.dead[0], dead.cosine[0], dead.variance[0]) == (1.0, 0.0, 0.0)
    assert np.isnan([dead.stable_rank[0], dead.channel_spread[0]]).all()


def test_known_similarities():
    net = nn.Sequential(nn.Identity(), nn.Linear(3, 3, bias=False)).double()
    net[1].weight.data = torch.eye(3, dtype=torch.float64)
    eye = measure_signals(net, None, torch.eye(3).double())
    assert (eye.cosine[0], eye.stable_rank[0]) == pytest.approx((0.0, 3.0))
    copies = measure_signals(net, None, torch.ones(5, 3).double())
    assert (copies.cosine[0], copies.stable_rank[0]) == pytest.approx((1.0, 1.0))
    unequal = measure_signals(net, None, torch.diag(torch.tensor([2.0, 1.0, 1.0])).double())
    assert (unequal.stable_rank[0], unequal.unit_stable_rank[0]) == pytest.approx((1.5, 3.0))


def test_independent_features_after_relu_have_similarity_one_over_pi():
    x = torch.randn(64, 20000, generator=torch.Generator().manual_seed(0))
    cosine = measure_signals(nn.ReLU(), None, x, layers=nn.ReLU).cosine[0]
    assert cosine == pytest.approx(1 / np.pi, abs=3e-3)


@pytest.mark.parametrize("dtype, rel", [(torch.float32, 1e-4), (torch.bfloat16, 0.05)])
def test_coarser_numbers_and_a_large_mean(dtype, rel):
    x = torch.randn(32, 50, generator=torch.Generator().manual_seed(0)) + 30
    exact = reference.statistics(x.to(dtype))
    found = measure_signals(nn.Identity(), None, x.to(dtype), layers=nn.Identity)
    for name in FIELDS:
        assert getattr(found, name)[0] == pytest.approx(exact[name], rel=rel), name


@pytest.mark.parametrize("scale", [1e-30, 1e18])
def test_tiny_and_huge_numbers_are_not_lost_in_a_square(scale):
    x = torch.randn(8, 5, generator=torch.Generator().manual_seed(0))
    net = nn.Sequential(nn.Identity())
    found = measure_signals(net, lambda a, _: scale * a.sum(), scale * x, layers=nn.Identity)
    plain = measure_signals(net, lambda a, _: a.sum(), x, layers=nn.Identity)
    assert found.cosine[0] == pytest.approx(plain.cosine[0], rel=1e-5)
    assert found.stable_rank[0] == pytest.approx(plain.stable_rank[0], rel=1e-5)
    assert found.gradient_norm[0] == pytest.approx(scale * plain.gradient_norm[0], rel=1e-5)
