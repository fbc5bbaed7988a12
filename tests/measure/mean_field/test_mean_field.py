"""Mean-field theory: the reference's numbers, and random nets of width 1000."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn

from bnlab.measure import (
    EXPLOSION,
    crossing_gamma,
    curvature_products,
    extreme_eigenvalues,
    mean_field,
)
from bnlab.norms import make_norm

PAPER = [1000] * 4  # four layers with weights, 1000 inputs each


def test_the_numbers_of_the_reference():
    assert round(mean_field(PAPER, "none").bound) == 2234
    bounds = [mean_field(PAPER, "batch", gamma).bound for gamma in (0.5, 1, 2, 3)]
    assert bounds == pytest.approx([47.5, 230, 1045, 2432], rel=1e-3)
    assert crossing_gamma(PAPER) == pytest.approx(2.88, abs=0.005)
    rates = [mean_field(PAPER, "batch", gamma).largest_lr(0.9) for gamma in (0.5, 1, 2, 3)]
    assert rates == pytest.approx([0.080, 0.0165, 0.0036, 0.0016], rel=0.03)
    assert mean_field(PAPER, "none").largest_lr(0.9) == pytest.approx(0.0017, rel=0.01)


def test_the_corrected_numbers_of_the_reference():
    assert mean_field(PAPER, corrected=True).bound == pytest.approx(361, abs=1)
    assert crossing_gamma(PAPER, corrected=True) == pytest.approx(2.49, abs=0.005)
    assert mean_field(PAPER, "none", corrected=True).bound == mean_field(PAPER, "none").bound


def test_one_layer_worked_by_hand():
    found = mean_field([10, 20], "batch", 2.0, weight_variance=3.0, bias_variance=1.0)
    assert found.q.tolist() == [4.0, 7.0]  # 1 + 3 * 1, 1 + 3 * 4 / 2
    assert found.q_xy == pytest.approx([1, 1 + 3 * 4 / (2 * math.pi)])
    assert found.q_tilde == pytest.approx([4 * 3 / 2 / 4, 1])
    assert found.q_tilde_xy == pytest.approx([4 * 3 / 4 / 4, 1])
    assert found.by_layer == pytest.approx([0, 20 * 4 / (2 * math.pi)])
    corrected = mean_field(
        [10, 20], "batch", 2.0, weight_variance=3.0, bias_variance=1.0, corrected=True
    )
    assert corrected.q_tilde == pytest.approx([4 * 3 / 2 / 3, 1])


def test_the_second_moments_are_those_of_gaussian_pairs():
    # q_hat_xy = E relu(u) relu(v), and q_tilde_xy's factor E [u > 0][v > 0], by quadrature.
    found = mean_field([5] * 4, "none", weight_variance=1.5, bias_variance=0.3)
    nodes, weights = np.polynomial.hermite_e.hermegauss(200)
    weights = weights / weights.sum()
    for layer in (1, 2):
        q, c = found.q[layer], found.q_xy[layer] / found.q[layer]
        u = np.sqrt(q) * nodes
        # Given u, v is Gaussian with mean c u and variance q (1 - c^2).
        m, s = c * u, np.sqrt(q * (1 - c * c))
        above = np.array([0.5 * math.erfc(-a / s / math.sqrt(2)) for a in m])
        relu = m * above + s * np.exp(-0.5 * (m / s) ** 2) / math.sqrt(2 * math.pi)
        assert (weights * np.maximum(u, 0) * relu).sum() == pytest.approx(
            found.q_hat_xy[layer + 1], rel=1e-3
        )
        both = (weights * (u > 0) * above).sum()
        factor = found.q_tilde_xy[layer] / found.q_tilde_xy[layer + 1]
        assert factor == pytest.approx(1.5 * both, rel=0.02)


def test_the_gradient_explodes_by_yangs_factor_in_the_corrected_theory_only():
    assert pytest.approx(1.467, abs=5e-4) == EXPLOSION
    for gamma in (0.5, 3.0):
        options = {"gamma": gamma, "bias_variance": 0.0}
        growth = mean_field([100] * 6, corrected=True, **options).gradient_growth
        assert growth[1:] == pytest.approx([EXPLOSION] * 4)
        growth = mean_field([100] * 6, **options).gradient_growth
        assert growth[1:] == pytest.approx([1] * 4)


def random_net(norm, gamma, widths, outputs, bias=0.5**0.5, seed=0):
    generator = torch.Generator().manual_seed(seed)
    layers = []
    for fan_in, fan_out in zip(widths, [*widths[1:], outputs], strict=True):
        layer = nn.Linear(fan_in, fan_out)
        nn.init.normal_(layer.weight, std=math.sqrt(2 / fan_in), generator=generator)
        nn.init.normal_(layer.bias, std=bias, generator=generator)
        layers += [layer, make_norm(norm, fan_out), nn.ReLU()]
        if norm == "batch":
            nn.init.constant_(layers[-2].weight, gamma)
    net = nn.Sequential(*layers[:-2])
    for parameter in net.parameters():
        parameter.requires_grad_(parameter.ndim > 1)  # theory counts weights alone
    return net, generator


def fisher_eigenvalues(widths, gamma, samples, statistics="constant"):
    net, generator = random_net("batch", gamma, widths, 10)
    x = torch.randn(samples, widths[0], generator=generator)
    options = {"kind": "fisher", "batch_statistics": statistics}
    with curvature_products(net, None, x, **options) as product:
        return extreme_eigenvalues(product, 10, 0, tolerance=3e-3).top


def test_the_measured_fisher_eigenvalue_agrees_with_the_corrected_theory():
    gamma = 0.5
    widths = [64, 1000, 1000, 1000]
    found = fisher_eigenvalues(widths, gamma, 64)
    theory = mean_field(widths, "batch", gamma, corrected=True)
    assert found[0] == pytest.approx(theory.fisher_eigenvalue(64, 10), rel=0.1)
    assert found.mean() == pytest.approx(theory.fisher_eigenvalue(64), rel=0.1)
    paper = mean_field(widths, "batch", gamma)
    assert found.mean() > 1.3 * paper.fisher_eigenvalue(64)


def test_with_gradients_through_the_statistics_the_last_layer_alone_is_left():
    found = fisher_eigenvalues([64, 300, 300, 300], 1.0, 64, "backpropagated")
    theory = mean_field([64, 300, 300, 300], corrected=True)
    assert theory.by_layer[-1] == pytest.approx(300 / (2 * math.pi))
    assert found[0] == pytest.approx(theory.by_layer[-1], rel=0.1)


def test_the_gradient_explodes_in_a_random_net():
    net, generator = random_net("batch", 1.0, [512] * 6, 1, bias=0.0)
    x = torch.randn(512, 512, generator=generator)
    inputs = []
    for norm in net[1::3]:
        norm.register_forward_pre_hook(lambda _, args: inputs.append(args[0]))
    directions = torch.randn(512, 1, generator=generator)
    gradients = torch.autograd.grad((net(x) * directions).sum(), inputs)
    squares = [float(g.square().sum()) for g in gradients]
    # From the second layer on: the variance of the net's input is not that of a ReLU's output.
    growth = (squares[1] / squares[-1]) ** (1 / (len(squares) - 2))
    assert growth == pytest.approx(EXPLOSION, rel=0.05)


@pytest.mark.parametrize("head", ["flat", "average"])
def test_convolutions_follow_the_corrected_theory(head):
    norm = "batch"
    generator = torch.Generator().manual_seed(1)
    layers, fan_in, channels = [], [], [3, 96, 192]

    def initialized(layer):
        fan_in.append(layer.weight[0].numel())
        nn.init.normal_(layer.weight, std=math.sqrt(2 / fan_in[-1]), generator=generator)
        nn.init.normal_(layer.bias, std=math.sqrt(0.5), generator=generator)
        return layer

    for c, d in itertools.pairwise(channels):
        conv = nn.Conv2d(c, d, 3, 2, 1, padding_mode="circular")
        layers += [initialized(conv), make_norm(norm, d), nn.ReLU()]
    layers.append(nn.Flatten() if head == "flat" else nn.AdaptiveAvgPool2d(1))
    features = 192 * 4 if head == "flat" else 192
    net = nn.Sequential(*layers, nn.Flatten(), initialized(nn.Linear(features, 10)))
    for parameter in net.parameters():
        parameter.requires_grad_(parameter.ndim > 1)
    x = torch.randn(96, 3, 8, 8, generator=generator)
    options = {"kind": "fisher", "batch_statistics": "constant"}
    with curvature_products(net, None, x, **options) as product:
        found = extreme_eigenvalues(product, 10, 0, tolerance=3e-3).top
    theory = mean_field(fan_in, norm, sites=[16, 4, 1], corrected=True)
    assert found.mean() == pytest.approx(theory.fisher_eigenvalue(96), rel=0.1)


def test_sites_multiply_the_papers_bound():
    dense, conv = (mean_field([9, 90, 50], sites=sites) for sites in (None, [16, 4, 1]))
    assert conv.by_layer == pytest.approx(dense.by_layer * np.array([256, 16, 1]))
    with pytest.raises(ValueError, match="use corrected=True"):
        conv.fisher_eigenvalue(10)


BAD = [
    ({"norm": "layer"}, "Known: none, batch"),
    ({"gamma": 0}, "larger than 0"),
    ({"gamma": float("nan")}, "gamma must be"),
    ({"weight_variance": 0}, "larger than 0"),
    ({"bias_variance": -1}, "bias_variance must be"),
    ({"fan_in": []}, "fan_in must be positive integers"),
    ({"fan_in": [10.0]}, "each of them a whole number"),
    ({"fan_in": [10, 0]}, "fan_in must be positive integers"),
    ({"sites": [1]}, "4 layers in fan_in, but 1 in sites"),
]


@pytest.mark.parametrize(("options", "message"), BAD)
def test_bad_input_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        mean_field(**{"fan_in": PAPER, **options})


def test_questions_without_an_answer_are_refused():
    found = mean_field(PAPER)
    with pytest.raises(ValueError, match="samples must be"):
        found.fisher_eigenvalue(0)
    with pytest.raises(ValueError, match="momentum must be"):
        found.largest_lr(1.5)
    with pytest.raises(ValueError, match="do not cross"):
        crossing_gamma([1000])


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_the_figure_says_what_it_shows(norm):
    found = mean_field(PAPER, norm)
    drawing = found.plot()
    assert f"{found.bound:.4g}" in drawing.alt
    assert f"{found.by_layer[2]:.3g}" in drawing.alt
    assert "layer 4 contributes most" in drawing.alt
    assert f"{found.largest_lr():.2g}" in drawing.caption
