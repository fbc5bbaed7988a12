"""Histograms of gradients, their tails, and how far their parts cancel."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

from bnlab.measure import measure_cancellation, measure_gradients, tail_index
from bnlab.nets import make_net


def batch(n=10, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 1, 6, 6, dtype=torch.float64, generator=generator)
    return x, torch.arange(n) % 10


def plain(norm="batch", depth=3):
    return make_net("plain", (1, 6, 6), 10, depth, 3, norm).double()


def weight_gradients(net, x, y):
    net.train()
    names = [n for n, p in net.named_parameters() if p.ndim >= 2]
    value = cross_entropy(net(x), y)
    gradients = torch.autograd.grad(value, [net.get_parameter(n) for n in names])
    return {n.removesuffix(".weight"): g for n, g in zip(names, gradients, strict=True)}


# Histograms


@pytest.mark.parametrize("of", ["weights", "outputs"])
def test_histograms_scales_and_quantiles(of):
    x, y = batch()
    net = plain()
    found = measure_gradients(net, cross_entropy, x, y, of=of, bins=8, tail=0.2)
    wanted = weight_gradients(net, x, y)
    if of == "outputs":
        outputs = []
        for i in range(0, 9, 3):
            outputs.append(net.body[i : i + 3](outputs[-1] if outputs else x))
        value = cross_entropy(net.head(outputs[-1].mean((2, 3))), y)
        gradients = torch.autograd.grad(value, outputs)
        wanted = dict(zip(["body.0", "body.3", "body.6"], gradients, strict=True))
    assert found.names == tuple(wanted) and (found.of, found.mode) == (of, "train")
    for k, gradient in enumerate(wanted.values()):
        g = np.sort(np.abs(gradient.flatten().numpy()))
        assert found.std[k] == pytest.approx(np.sqrt(np.mean(g**2)), rel=1e-10)
        assert found.edges[k] == pytest.approx(np.linspace(-g[-1], g[-1], 9), rel=1e-9)
        assert found.counts[k].sum() == len(g)
        low, high = found.edges[k][5:7]
        inside = (gradient >= low) & (gradient < high)
        assert abs(found.counts[k][5] - int(inside.sum())) <= 1  # one may lie on an edge
        wanted_quantiles = [g[0] * 0 + np.percentile(g, q) for q in (50, 90, 99, 99.9)]
        assert found.quantiles[k] == pytest.approx(wanted_quantiles, rel=1e-9)
        assert found.tail_index[k] == pytest.approx(hill(g, 0.2), rel=1e-9)


def test_chosen_layers_and_names_of_containers():
    x, y = batch()
    net = plain()
    assert measure_gradients(net, cross_entropy, x, y, layers=nn.Linear).names == ("head",)
    inside = measure_gradients(net, cross_entropy, x, y, layers=["body"])
    assert inside.names == ("body.0", "body.3", "body.6")
    with pytest.raises(ValueError, match="have no weight matrix"):
        measure_gradients(net, cross_entropy, x, y, layers=["body.1"])


def test_the_gradients_of_a_dead_layer_are_counted_and_have_no_tail():
    x, y = batch()
    net = plain("none")
    with torch.no_grad():
        net.body[3].bias.fill_(-1e3)
    found = measure_gradients(net, cross_entropy, x, y)
    assert found.counts[0].sum() == 27 and found.std[0] == 0
    assert np.isnan(found.tail_index[0]) and np.isfinite(found.edges).all()


@pytest.mark.parametrize(
    "options, message",
    [
        ({"of": "biases"}, "unknown source of gradients"),
        ({"bins": 0}, "bins must be a positive integer"),
        ({"bins": True}, "bins must be a whole number"),
        ({"tail": 0}, "tail must lie between 0 and 1"),
        ({"tail": 1.5}, "tail must be a finite number between 0 and 1"),
        ({"mode": "test"}, "mode must be 'train' or 'eval'"),
        ({"layers": ["body.00"]}, "Did you mean 'body.0'"),
    ],
)
def test_bad_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        measure_gradients(plain(), cross_entropy, *batch(), **options)


# Tails


def hill(values, share):
    x = np.sort(np.abs(values))[::-1]
    x = x[x > 0]
    k = int(share * len(x))
    return 1 / np.mean([np.log(x[i] / x[k]) for i in range(k)])


@pytest.mark.parametrize("share", [0.01, 0.05, 0.3])
def test_the_tail_index_is_hills(share):
    values = np.random.default_rng(0).standard_t(3, (40, 50))
    assert tail_index(values, share) == pytest.approx(hill(values.ravel(), share), rel=1e-12)


@pytest.mark.parametrize("alpha", [1.5, 4.0])
def test_a_power_law_has_its_own_index_at_every_share(alpha):
    generator = np.random.default_rng(0)
    values = generator.pareto(alpha, 200_000) + 1
    values *= generator.choice([-1, 1], values.size)
    for share in (0.005, 0.05, 0.5):
        assert tail_index(values, share) == pytest.approx(alpha, rel=0.05)


def test_lighter_tails_have_larger_indices():
    generator = np.random.default_rng(0)
    heavy, normal = generator.standard_t(2, 50_000), generator.standard_normal(50_000)
    assert tail_index(heavy) < 2.3 < 5 < tail_index(normal) < tail_index(normal, 0.005)


def test_zeros_are_left_out_and_scale_does_not_matter():
    values = np.random.default_rng(0).standard_normal(1000)
    with_zeros = np.concatenate([np.zeros(5000), 1e-200 * values])
    assert tail_index(with_zeros) == pytest.approx(tail_index(values), rel=1e-10)


def test_equal_values_have_no_tail():
    assert tail_index(np.ones(100)) == np.inf


@pytest.mark.parametrize(
    "values, share, message",
    [
        (np.arange(1.0, 30), 0.05, "too few for a tail index"),
        (np.zeros(100), 0.05, "too few for a tail index"),
        ([1.0, np.nan, 2.0], 0.5, "finite values"),
        (np.arange(1.0, 30), 0, "tail must lie between"),
    ],
)
def test_a_tail_that_cannot_be_measured_is_refused(values, share, message):
    with pytest.raises(ValueError, match=message):
        tail_index(values, share)


# Cancellation


def contributions(conv, h, slope):
    """Every d[n, p] of a convolution, one entry of the kernel at a time: (terms, *weight.shape)."""
    (ph, pw), (sh, sw), (dh, dw) = conv.padding, conv.stride, conv.dilation
    h = nn.functional.pad(h, (pw, pw, ph, ph))
    n, o, rows, columns = slope.shape
    group = conv.out_channels // conv.groups
    per = conv.in_channels // conv.groups
    d = torch.zeros(n, rows, columns, *conv.weight.shape, dtype=torch.float64)
    for k in range(o):
        for i in range(per):
            for u in range(conv.kernel_size[0]):
                for v in range(conv.kernel_size[1]):
                    source = h[:, (k // group) * per + i, u * dh :, v * dw :]
                    source = source[:, : (rows - 1) * sh + 1 : sh, : (columns - 1) * sw + 1 : sw]
                    d[..., k, i, u, v] = slope[:, k] * source
    return d.reshape(-1, *conv.weight.shape)


CONVS = [
    {},
    {"padding": 1},
    {"padding": (1, 0), "stride": 2},
    {"padding": 1, "dilation": 2, "groups": 2},
]


@pytest.mark.parametrize("options", CONVS, ids=str)
def test_both_sums_are_those_over_all_contributions(options):
    torch.manual_seed(0)
    conv = nn.Conv2d(2, 4, 3, **options).double()
    net = nn.Sequential(conv, nn.BatchNorm2d(4).double(), nn.Tanh(), nn.Flatten())
    x = torch.randn(3, 2, 6, 7, dtype=torch.float64)
    net.append(nn.Linear(net(x).shape[1], 2).double())
    y = torch.randn(3, 2, dtype=torch.float64)
    found = measure_cancellation(net, mse_loss, x, y)
    assert found.names == ("0", "4")
    middle = conv(x)
    flat = net[1:4](middle)
    value = mse_loss(net[4](flat), y)
    slope, weight = torch.autograd.grad(value, [middle, conv.weight], retain_graph=True)
    d = contributions(conv, x, slope)
    assert torch.allclose(d.sum(0), weight, rtol=1e-10, atol=1e-14)  # they are the parts
    assert found.absolute[0] == pytest.approx(float(d.abs().sum(0).mean()), rel=1e-10)
    assert found.summed[0] == pytest.approx(float(weight.abs().mean()), rel=1e-10)
    assert found.terms.tolist() == [3 * slope[0, 0].numel(), 3]
    (out,) = torch.autograd.grad(mse_loss(net[4](flat.detach()), y), [net[4].weight])
    assert found.summed[1] == pytest.approx(float(out.abs().mean()), rel=1e-10)
    error = 2 * (net[4](flat) - y) / y.numel()
    parts = (error[:, :, None] * flat[:, None, :]).detach()
    assert found.absolute[1] == pytest.approx(float(parts.abs().sum(0).mean()), rel=1e-10)
    assert (found.ratio >= 1).all()
    assert found.ratio == pytest.approx(found.absolute / found.summed)


@pytest.mark.parametrize("mode", ["circular", "reflect", "zeros"])
def test_the_sum_is_the_gradient_for_every_padding(mode):
    torch.manual_seed(0)
    conv = nn.Conv2d(1, 2, (3, 5), padding="same", padding_mode=mode).double()
    net = nn.Sequential(conv, nn.Flatten(), nn.ReLU())
    x = torch.randn(3, 1, 5, 6, dtype=torch.float64)
    target = torch.zeros(3, 60, dtype=torch.float64)
    found = measure_cancellation(net, mse_loss, x, target)
    (wanted,) = torch.autograd.grad(mse_loss(net(x), target), [conv.weight])
    assert found.summed[0] == pytest.approx(float(wanted.abs().mean()), rel=1e-10)


def test_convolutions_of_one_axis_and_linear_layers_with_positions():
    torch.manual_seed(0)
    x = torch.randn(4, 3, 8, dtype=torch.float64)
    net = nn.Sequential(nn.Conv1d(3, 2, 3), nn.Linear(6, 5)).double()
    target = torch.zeros(4, 2, 5, dtype=torch.float64)
    found = measure_cancellation(net, mse_loss, x, target)
    weights = [net[0].weight, net[1].weight]
    wanted = torch.autograd.grad(mse_loss(net(x), target), weights)
    assert found.summed == pytest.approx([float(g.abs().mean()) for g in wanted], rel=1e-10)
    assert found.terms.tolist() == [4 * 6, 4 * 2]


def test_a_layer_called_twice_adds_up():
    torch.manual_seed(0)
    layer = nn.Linear(3, 3).double()
    net = nn.Sequential(layer, nn.Tanh(), layer)
    x, y = torch.randn(5, 3).double(), torch.randn(5, 3).double()
    found = measure_cancellation(net, mse_loss, x, y)
    (wanted,) = torch.autograd.grad(mse_loss(net(x), y), [layer.weight])
    assert found.names == ("0",) and found.terms.tolist() == [10]
    assert found.summed[0] == pytest.approx(float(wanted.abs().mean()), rel=1e-10)


def test_contributions_of_one_sign_do_not_cancel():
    layer = nn.Linear(2, 1, bias=False).double()
    x = torch.rand(6, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = measure_cancellation(layer, lambda a, _: a.sum(), x, None)
    assert found.ratio == pytest.approx([1.0], rel=1e-12)
    found = measure_cancellation(layer, lambda a, _: a.sum(), torch.cat([x, -x]), None)
    assert found.ratio[0] > 1e10


def test_a_kind_without_the_sums_is_refused():
    with pytest.raises(ValueError, match=r"'body\.1' is a BatchNorm; the sums are defined for"):
        measure_cancellation(plain(), cross_entropy, *batch(), layers=["body.1"])
    with pytest.raises(ValueError, match="no module of kind Linear, Conv1d"):
        measure_cancellation(nn.ReLU(), cross_entropy, *batch())
