"""Every kind of curvature, of every net, with nothing but the defaults; and lower ends near 0."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

from bnlab.measure import curvature_products, extreme_eigenvalues, measure_curvature
from bnlab.measure.curvature.convex import is_convex
from bnlab.measure.curvature.matrices import MATRICES
from bnlab.nets import NETS, make_net

NORMS = {"batch": {}, "none": {}, "group": {"group_size": 2}}
SMALL = {"mlp": (1, 4), "plain": (1, 4), "resnet": (1, 2), "binary": (1, 2), "supernet": (1, 2)}
OPTIONS = {"supernet": {"ops": ("k3e3",)}}
# Each kind with each net, each normalizer with each of both.
CASES = [
    (net, kind, list(NORMS)[(i + j) % len(NORMS)])
    for i, net in enumerate(NETS)
    for j, kind in enumerate(MATRICES)
]


def small(name, norm, samples=6):
    net = make_net(name, (1, 4, 4), 3, *SMALL[name], norm, NORMS[norm], 1, **OPTIONS.get(name, {}))
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(samples, 1, 4, 4, generator=generator)
    return net, x, torch.randint(0, 3, (samples,), generator=generator)


@pytest.mark.parametrize(("name", "kind", "norm"), CASES)
def test_the_defaults_are_right_for_every_net_and_kind(name, kind, norm):
    net, x, y = small(name, norm)
    found = measure_curvature(net, cross_entropy, x, y, kind=kind)
    with curvature_products(net, cross_entropy, x, y, kind=kind) as product:
        matrix = product.dense()
    values = np.linalg.eigvalsh(matrix)
    largest = np.abs(values).max()
    assert len(values) > 40  # fewer rows would be made dense anyway
    assert np.abs(found.top - values[::-1][:3]).max() < 1e-5 * largest
    assert np.abs(found.bottom - values[:3]).max() < 1e-5 * largest
    error = np.sqrt(2 * ((matrix**2).sum() - (np.diag(matrix) ** 2).sum()) / 5)
    assert abs(found.trace.trace - values.sum()) < 5 * error
    if kind != "hessian":
        assert found.bottom.tolist() == [0, 0, 0]
        assert found.products < 40 + 5 + 5 * min(60, found.size)


KIND = {"kind": "gauss_newton", "probes": 0}


def with_dense(net, loss, x, y, **options):
    """What is measured, the eigenvalues of the dense matrix, and the largest absolute one."""
    found = measure_curvature(net, loss, x, y, probes=0, **options)
    with curvature_products(net, loss, x, y, kind=options["kind"]) as product:
        values = np.linalg.eigvalsh(product.dense())
    return found, values, np.abs(values).max()


def linear(samples, inputs=12, outputs=4):
    """A linear net, whose second derivatives are all squares, and inputs for it."""
    generator = torch.Generator().manual_seed(3)
    x = torch.randn(samples, inputs, generator=generator, dtype=torch.float64)
    return nn.Linear(inputs, outputs).double(), x


def crowded():
    """More outputs than parameters, and eigenvalues that crowd near 0 as they do in nets."""
    net, x = linear(120, 99, 1)
    return net, mse_loss, x * 10 ** (-torch.arange(99) / 15), torch.ones(120, 1)


@pytest.mark.parametrize("kind", list(MATRICES))
def test_a_lower_end_that_lanczos_does_not_reach_is_found_from_the_dense_matrix(kind):
    found, values, largest = with_dense(*crowded(), kind=kind)
    assert found.size == 100
    assert np.abs(found.bottom - values[:3]).max() < 1e-14 * largest
    assert found.bottom_residuals.max() < 1e-14 * largest
    assert found.top == pytest.approx(values[::-1][:3])
    assert 100 < found.products < 400
    with pytest.raises(RuntimeError, match=r"converged .*raise max_restarts=2"):
        measure_curvature(*crowded(), top=0, probes=0, kind=kind, max_restarts=2)


def test_the_hessian_of_a_net_with_few_samples_has_its_zeros():
    net, x = linear(samples=6)
    target = torch.zeros(6, 4, dtype=torch.float64)
    found, values, largest = with_dense(net, mse_loss, x, target, kind="hessian")
    assert np.abs(found.bottom - values[:3]).max() < 1e-6 * largest
    assert found.products < 400


def curved_down(output, _):
    return (output**4 - 3 * output**2).sum()


def coupled(output, _):  # one sample times another: eigenvalues of both signs
    return (output[0] * output[1]).sum() + output.square().sum() / 4


@pytest.mark.parametrize("loss", [curved_down, coupled])
def test_a_loss_that_is_not_convex_keeps_its_negative_eigenvalues(loss):
    net, x = linear(samples=6)
    found, values, largest = with_dense(net, loss, x, None, kind="gauss_newton")
    assert values[0] < -0.1 * largest
    assert np.abs(found.bottom - values[:3]).max() < 1e-6 * largest


def test_zeros_that_algebra_gives_cost_no_product():
    net, x, y = small("mlp", "batch")
    some, none = (measure_curvature(net, cross_entropy, x, y, bottom=b, **KIND) for b in (9, 0))
    assert some.products == none.products
    assert np.array_equal(some.top, none.top)
    assert some.bottom.tolist() == some.bottom_residuals.tolist() == [0] * 9
    with curvature_products(net, cross_entropy, x, y, kind="gauss_newton") as product:
        assert product.zeros() == product.size - 6 * 3
        assert extreme_eigenvalues(product).bottom_vectors.shape == (0, product.size)


def test_a_lower_end_that_would_take_thousands_of_products_is_refused_before_it_starts():
    net, x = nn.Linear(5000, 1), torch.ones(5100, 5000)
    options = {"top": 0, "bottom": 1, **KIND}
    with pytest.raises(ValueError, match=r"some 10000 products .* Use bottom=0; or a batch"):
        measure_curvature(net, mse_loss, x, torch.ones(5100, 1), **options)


def smooth(output, y):
    return cross_entropy(output, y, label_smoothing=0.1)


LOSSES = [
    (cross_entropy, True),
    (smooth, True),
    (lambda output, _: output.square().sum(), True),
    (lambda output, _: output.sum(), True),
    (lambda output, _: output[:, 0].exp().sum(), True),
    (lambda output, _: output[:, :2].prod(1).sum(), False),
    (curved_down, False),
    (coupled, False),
    (lambda output, _: output.mean(0).square().sum(), False),  # convex, but it couples samples
]


@pytest.mark.parametrize("scale", [1, 1e-3, 30])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("loss", "wanted"), LOSSES)
def test_whether_a_loss_is_convex(loss, wanted, dtype, scale):
    generator = torch.Generator().manual_seed(5)
    output = torch.rand(6, 4, generator=generator) + (scale > 1)
    output = (scale * output).to(dtype).requires_grad_()
    value = loss(output, torch.arange(6) % 4)
    (slope,) = torch.autograd.grad(value, output, create_graph=True)
    assert is_convex(slope, output) == (wanted or (loss is curved_down and scale > 1))


def test_of_very_wide_outputs_it_is_not_told():
    output = torch.ones(1, 1001, requires_grad=True)
    (slope,) = torch.autograd.grad(output.square().sum(), output, create_graph=True)
    assert not is_convex(slope, output)
