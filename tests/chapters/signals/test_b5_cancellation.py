"""The gradient of each image against autograd, and the share that images have in common."""

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from bnlab.chapters.signals import b5_cancellation as b5
from bnlab.chapters.signals.b3_to_b6_l1_at_start import convolutions, net_at_start
from bnlab.measure.kit.passes import run


@pytest.fixture
def net():
    """Two convolutions, one of them with a stride, in float64."""
    torch.manual_seed(0)
    layers = (nn.Conv2d(1, 3, 3, 2, padding=1), nn.ReLU(), nn.Conv2d(3, 2, 1))
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(32, 4)).double()


@pytest.mark.parametrize("at", ["0", "2"])
def test_the_gradient_of_an_image_is_that_of_its_loss_alone(net, at):
    x, y = torch.randn(5, 1, 8, 8, dtype=torch.float64), torch.tensor([0, 1, 2, 3, 0])
    (call,) = run(net, x, [at], loss=cross_entropy, y=y, inputs=True)
    found = b5.image_gradients(call)
    kernel = net.get_submodule(at).weight
    for k in range(5):
        alone = cross_entropy(net(x[k : k + 1]), y[k : k + 1]) / 5
        (expected,) = torch.autograd.grad(alone, kernel)
        torch.testing.assert_close(found[k], expected.flatten())


def test_the_share_is_one_for_equal_gradients_and_near_zero_for_independent_ones():
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(200, 500, generator=generator, dtype=torch.float64)
    labels = torch.arange(200) % 4
    assert b5.share(noise[:1].expand(200, -1), labels) == pytest.approx(1)
    assert abs(b5.share(noise, labels)) < 0.01
    assert b5.share(noise[labels], labels) == pytest.approx(1)
    assert abs(b5.share(noise[labels], torch.zeros_like(labels)) - 0.25) < 0.05
    assert b5.share(1 + noise, labels) == pytest.approx(0.5, abs=0.02)


def test_with_batchnorm_what_all_images_have_in_common_vanishes():
    rows = [dict(zip(b5.COLUMNS, b5._row(net, 3), strict=True)) for net in ("none", "batch")]
    none, norm = (sorted(row["common"])[18] for row in rows)
    assert none > 0.25 and abs(norm) < 0.02
    for row in rows:
        assert len(row["ratio"]) == len(convolutions(net_at_start("none", 3))) == 36
        assert all(a <= b + 0.05 for a, b in zip(row["common"], row["given_label"], strict=True))
