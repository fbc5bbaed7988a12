"""Functions without a second derivative are noticed, and bounds that do not hold are not stated."""

import copy
import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import cross_entropy

from bnlab.measure import curvature_products, extreme_eigenvalues, measure_curvature
from bnlab.nets import NETS, make_net


class Once(torch.autograd.Function):
    """x^3 with a kernel that can be differentiated once."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    @once_differentiable
    def backward(ctx, g):
        return 3 * g * ctx.saved_tensors[0] ** 2


class Detached(Once):
    @staticmethod
    def backward(ctx, g):
        return g * (3 * ctx.saved_tensors[0] ** 2).detach()


class Whole(Once):
    @staticmethod
    def backward(ctx, g):
        return 3 * g * ctx.saved_tensors[0] ** 2


class Apply(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function.apply(x)


def net_and_batch(function, dtype=torch.float32):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 6), Apply(function), nn.Linear(6, 3)).to(dtype)
    return net, torch.randn(12, 4, dtype=dtype), torch.arange(12) % 3


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("function", [Once, Detached])
def test_a_missing_second_derivative_in_the_net(function, dtype):
    net, x, y = net_and_batch(function, dtype)
    with (
        pytest.warns(UserWarning, match=rf"differs from the change.*: {function.__name__} in"),
        curvature_products(net, cross_entropy, x, y),
    ):
        pass


@pytest.mark.parametrize("kind", ["hessian", "gauss_newton"])
def test_a_missing_second_derivative_in_the_loss(kind):
    net, x, _ = net_and_batch(Whole)

    def loss(output, _):
        return Detached.apply(output).square().mean()

    with (
        pytest.warns(UserWarning, match="Detached"),
        curvature_products(net, loss, x, kind=kind),
    ):
        pass


@pytest.mark.parametrize("kind", ["hessian", "gauss_newton", "fisher"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_function_that_is_whole_is_not_suspected(kind, dtype):
    net, x, y = net_and_batch(Whole, dtype)
    with curvature_products(net, cross_entropy, x, y, kind=kind) as product:
        assert product.size


@pytest.mark.parametrize("name", NETS)
def test_nets_of_this_package_and_of_torch_are_not_suspected(name):
    options = {"ops": ("k3e3",)} if name == "supernet" else {}
    net = make_net(name, (1, 8, 8), 10, 3, 8, "batch", {}, 1, **options)
    x, y = torch.randn(8, 1, 8, 8), torch.arange(8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for kind in ("hessian", "gauss_newton"):
            with curvature_products(net, cross_entropy, x, y, kind=kind):
                pass


def test_the_comparison_leaves_the_net_and_the_product_as_they_are():
    net, x, y = net_and_batch(Detached, torch.float64)
    plain = nn.Sequential(net[0], Apply(Whole), net[2])
    state = copy.deepcopy(net.state_dict())
    with pytest.warns(UserWarning), curvature_products(net, cross_entropy, x, y) as product:
        assert all(torch.equal(state[k], v) for k, v in net.state_dict().items())
        assert product.count == 0 and product.dense().shape == (product.size, product.size)
    with curvature_products(plain, cross_entropy, x, y) as product:
        product.dense()  # its graph still holds


def normed(dtype):
    torch.manual_seed(0)
    layers = [nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3)]
    return nn.Sequential(*layers).to(dtype), torch.randn(64, 4).to(dtype), torch.arange(64) % 3


FEW = {"top": 1, "bottom": 1, "probes": 0}


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_a_bound_is_stated_only_where_it_holds(dtype):
    net, x, y = normed(dtype)
    found = measure_curvature(net, cross_entropy, x, y, **FEW)
    exact = measure_curvature(net.double(), cross_entropy, x.double(), y, **FEW)
    if dtype in (torch.bfloat16, torch.float16):
        assert np.isnan(found.top_residuals).all()
        assert np.isnan(found.bottom_residuals).all()
        assert "no bound of an error" in found.plot().caption
    else:
        room = 5e-6 * exact.top[0] if dtype == torch.float32 else 1e-12
        assert abs(found.top - exact.top) <= found.top_residuals + room


def test_under_autocast_no_bound_is_stated():
    net, x, y = normed(torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        found = measure_curvature(net, cross_entropy, x, y, **{**FEW, "tolerance": 0.1})
    assert np.isnan(found.top_residuals).all()


def test_progress_is_told():
    lines = []
    net, x, y = normed(torch.float64)
    found = measure_curvature(net, cross_entropy, x, y, progress=lines.append)
    assert "a product takes" in lines[0] and "are needed: about" in lines[0]
    assert len(lines) < found.products
    with pytest.raises(ValueError, match="progress must be a function"):
        measure_curvature(net, cross_entropy, x, y, progress="yes")


def test_it_stops_at_the_tolerance():
    net = make_net("mlp", (1, 8, 8), 10, 3, 32, "batch")
    x, y = torch.randn(32, 1, 8, 8), torch.arange(32) % 10
    counts = []
    for tolerance in (1e-6, 0.1):
        with curvature_products(net, cross_entropy, x, y) as product:
            found = extreme_eigenvalues(product, 1, 0, tolerance=tolerance)
            counts.append(product.count)
            assert found.top_residuals[0] <= 2 * tolerance * found.top[0]
    assert counts[1] <= counts[0]
