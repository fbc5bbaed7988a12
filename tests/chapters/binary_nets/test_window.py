"""What chapter 11 says of signs at the start: the window, and what a layer does to the gradient."""

import math

import numpy as np
import pytest
import torch

from bnlab.chapters.binary_nets import window
from bnlab.nets.binarize import binary_activation
from bnlab.train import build


@pytest.fixture(scope="module")
def found():
    return window.starts(seeds=(1200, 1201))


def wide_layers(scale, layers=6, units=1024):
    """Mean square of the gradient in front of each of the layers, from output to input."""
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(64, units, generator=generator, dtype=torch.float64)
    kept = [z.requires_grad_()]
    for _ in range(layers):
        weight = torch.randint(2, (units, units), generator=generator).to(z.dtype) * 2 - 1
        kept.append(binary_activation(kept[-1]) @ (scale * weight))
        kept[-1].retain_grad()
    kept[-1].backward(torch.randn(z.shape, generator=generator, dtype=z.dtype))
    return [float(z.grad.square().mean()) for z in kept[:0:-1]]


@pytest.mark.parametrize("sd", [0.5, 1.0, 4.0])
def test_a_wide_layer_of_signs_multiplies_the_gradient_as_the_formula_says(sd):
    gradients = wide_layers(sd / math.sqrt(1024))
    per_layer = (gradients[-1] / gradients[0]) ** (1 / (len(gradients) - 1))
    assert per_layer == pytest.approx(window.factor(sd), rel=0.05)


def test_the_formula_is_the_integral():
    z = np.linspace(-1, 1, 100_001)
    for sd in (0.2, 1, 7):
        density = np.exp(-(z**2) / (2 * sd**2)) / (sd * math.sqrt(2 * math.pi))
        integral = np.trapezoid(sd**2 * (2 - 2 * abs(z)) ** 2 * density, z)
        assert window.factor(sd) == pytest.approx(integral, rel=1e-6)


def test_what_is_said_to_enter_a_sign_does(found):
    net = build(window.kind("batch", seed=1200)).train()
    seen = []
    for block in net.blocks:
        block.sign.register_forward_hook(lambda _, given, __: seen.append(given[0]))
    x = torch.tensor(window.load("digits").train_x[: window.IMAGES])
    net(x)
    inside = [float((z.abs() < 1).float().mean()) for z in seen]
    assert found["batch"][0, :, 1] == pytest.approx(inside, abs=1e-6)


def test_a_scale_a_filter_is_at_the_start_what_batch_norm_is_and_signs_alone_are_not(found):
    last = {name: rows[:, -1, 1].mean() for name, rows in found.items()}
    back = {name: (rows[:, 0, 2] / rows[:, -1, 2]).mean() for name, rows in found.items()}
    assert abs(last["scaled"] - last["batch"]) < 0.05 and last["batch"] > 0.8
    assert last["signs"] < 0.2  # "about one in eight"
    assert 0.7 < back["scaled"] / back["batch"] < 1.5
    assert back["signs"] > 30  # "grows"
    assert back["positive"] < 1e-5  # "is gone"


def test_the_figure_says_what_it_shows(found):
    drawing = window.draw_starts(found)
    share = 100 * found["signs"][:, -1, 1].mean()
    assert f"signs alone: {share:.0f} % and ×" in drawing.alt
    assert "BatchNorm" in drawing.alt and "2 seeds" in drawing.caption
