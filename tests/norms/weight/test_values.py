"""Values and gradients of the normalizers of weights against formulas in numpy, in float64."""

import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn

from bnlab.norms.weight import (
    GAINS,
    WEIGHT_NORMS,
    NormalizedReLU,
    from_filters,
    normalize_weights,
    normalized_relu,
    to_filters,
)
from tests.norms.weight.weight_cases import LAYERS, filters, layer_and_input

EPS = 1e-2  # large enough that leaving it out, or putting it elsewhere, would be seen
TOLERANCE = {torch.float64: 1e-12, torch.float32: 2e-5}
OPTIONS = {
    "weight_mean": {},
    "weight_standardization": {"eps": EPS},
    "scaled_weight_standardization": {"eps": EPS},
    "weight_norm": {"eps": EPS},
}
every_name = pytest.mark.parametrize("name", WEIGHT_NORMS)
every_kind = pytest.mark.parametrize("kind", LAYERS)
every_dtype = pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float64], ids=["float32", "float64"]
)


def formula(name: str, v: np.ndarray, dw: np.ndarray, g: float):
    """Weight, and the gradients of sum(dw * weight) for v and g, of one filter, by hand."""
    n = v.size
    if name == "weight_mean":
        return v - v.sum() / n, dw - dw.sum() / n, None
    if name == "weight_norm":
        norm = math.sqrt((v**2).sum())
        s = norm + EPS
        return g * v / s, g / s * (dw - v * (dw * v).sum() / (norm * s)), (dw * v).sum() / s
    s = math.sqrt(((v - v.mean()) ** 2).sum() / n + EPS)
    u = (v - v.mean()) / s
    du = (dw - dw.mean() - u * (dw * u).mean()) / s
    if name == "weight_standardization":
        return u, du, None
    k = math.sqrt(2 / (1 - 1 / math.pi)) / math.sqrt(n)
    return k * g * u, k * g * du, k * (dw * u).sum()


def trained(layer: nn.Module) -> tuple[nn.Parameter, nn.Parameter | None]:
    """(v, g): the tensors that a normalized layer trains."""
    chain = layer.parametrizations["weight"]
    if hasattr(chain, "original1"):
        return chain.original1, chain.original0
    gain = getattr(chain[0], "gain", None)
    return chain.original, gain


@every_name
@every_kind
@every_dtype
def test_values_and_gradients_follow_the_formula(name, kind, dtype):
    layer, _ = layer_and_input(kind, dtype)
    v0 = layer.weight.detach().double().numpy().ravel()
    assert normalize_weights(layer, name, **OPTIONS[name]) == ("",)
    v, g = trained(layer)
    gains = np.array([0.5 + 0.25 * i for i in range(len(filters(kind)))])
    if g is not None:
        with torch.no_grad():
            g.copy_(torch.from_numpy(gains).reshape(g.shape))
    rng = np.random.default_rng(5)
    dw = rng.normal(size=v.numel()).astype(np.float32).astype(float)
    weight = layer.weight
    weight.backward(torch.from_numpy(dw).to(dtype).reshape(weight.shape))

    want_w, want_dv, want_dg = np.empty_like(v0), np.empty_like(v0), np.empty(len(gains))
    for unit, places in enumerate(filters(kind)):
        w, dv, dg = formula(name, v0[places], dw[places], gains[unit])
        want_w[places], want_dv[places] = w, dv
        want_dg[unit] = math.nan if dg is None else dg
    got = [(weight, want_w), (v.grad, want_dv)] + ([] if g is None else [(g.grad, want_dg)])
    for tensor, want in got:
        assert tensor.dtype == dtype
        np.testing.assert_allclose(
            tensor.detach().double().numpy().ravel(), want, rtol=0, atol=TOLERANCE[dtype]
        )


@every_kind
def test_filters_are_the_weights_that_an_output_reads(kind):
    layer, _ = layer_and_input(kind)
    kind_of = getattr(layer, "groups", 1), getattr(layer, "transposed", False)
    numbers = torch.arange(layer.weight.numel()).reshape(layer.weight.shape)
    rows = to_filters(numbers, *kind_of)
    places = filters(kind)
    assert len(rows) == len(places)
    for row, place in zip(rows, places, strict=True):
        assert sorted(row.ravel().tolist()) == place.tolist()
    assert torch.equal(from_filters(rows, *kind_of), numbers)


@every_name
@every_kind
def test_the_layer_computes_with_its_normalized_weight(name, kind):
    layer, x = layer_and_input(kind)
    plain, _ = layer_and_input(kind)
    normalize_weights(layer, name, **OPTIONS[name])
    weight = layer.weight.detach().clone()
    with torch.no_grad():
        plain.weight.copy_(weight)
    assert torch.equal(layer(x), plain(x))


@every_name
@every_kind
def test_first_and_second_derivatives_by_finite_differences(name, kind):
    layer, _ = layer_and_input(kind)
    norm = WEIGHT_NORMS[name](layer, **OPTIONS[name])
    originals = norm.right_inverse(layer.weight.detach())
    originals = originals if isinstance(originals, tuple) else (originals,)
    inputs = tuple(t.clone().requires_grad_() for t in originals)
    assert torch.autograd.gradcheck(norm, inputs)
    if kind in ("linear", "transposed2d"):
        assert torch.autograd.gradgradcheck(norm, inputs)


@pytest.mark.parametrize("kind", ["linear", "conv2d", "depthwise", "conv3d"])
@pytest.mark.parametrize("gain", ["keep", 2.0])
def test_weight_norm_equals_torchs_own_and_has_its_state_dict(kind, gain):
    layer, x = layer_and_input(kind)
    other, _ = layer_and_input(kind)
    torch.nn.utils.parametrizations.weight_norm(other)
    normalize_weights(layer, "weight_norm", gain=gain)
    if gain == "keep":
        torch.testing.assert_close(layer(x), other(x), rtol=0, atol=1e-13)
    else:
        norms = layer.weight.detach().flatten(1).norm(dim=1)
        torch.testing.assert_close(norms, torch.full_like(norms, gain), rtol=1e-13, atol=0)
    assert other.load_state_dict(layer.state_dict()) == ([], [])
    torch.testing.assert_close(layer(x), other(x), rtol=0, atol=1e-13)


@every_kind
def test_weight_norm_changes_nothing_at_first(kind):
    layer, x = layer_and_input(kind)
    before = layer(x)
    normalize_weights(layer, "weight_norm", eps=EPS)
    torch.testing.assert_close(layer(x), before, rtol=1e-13, atol=1e-13)


def test_the_gradient_of_weight_norm_is_orthogonal_so_that_the_norm_only_grows():
    layer, x = layer_and_input("conv2d")
    normalize_weights(layer, "weight_norm")
    v, _ = trained(layer)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    norms = [v.detach().flatten(1).norm(dim=1)]
    for _ in range(5):
        optimizer.zero_grad()
        layer(x).sin().sum().backward()
        assert (v.grad * v.detach()).flatten(1).sum(1).abs().max() < 1e-9 * v.grad.abs().max()
        optimizer.step()
        norms.append(v.detach().flatten(1).norm(dim=1))
    assert all((b > a).all() for a, b in itertools.pairwise(norms))


@pytest.mark.parametrize("name", ["weight_standardization", "scaled_weight_standardization"])
@every_kind
def test_standardized_filters_ignore_a_shift_and_a_positive_scale(name, kind):
    layer, _ = layer_and_input(kind)
    norm = WEIGHT_NORMS[name](layer, eps=0.0)
    w = layer.weight.detach()
    torch.testing.assert_close(norm(3 * w - 7), norm(w), rtol=0, atol=1e-10)
    rows = to_filters(norm(w).detach(), norm.groups, norm.transposed).flatten(1)
    n = rows.shape[1]
    var = 1.0 if name == "weight_standardization" else GAINS["relu"] ** 2 / n
    assert rows.mean(1).abs().max() < 1e-12
    want = torch.full((len(rows),), var, dtype=torch.float64)
    torch.testing.assert_close(rows.square().mean(1), want, rtol=1e-10, atol=0)


def test_the_gain_of_relu_is_one_over_its_standard_deviation():
    """By integration over the normal density on a fine grid, not by the closed form."""
    z = np.linspace(-12, 12, 1_000_001)
    p = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi) * (z[1] - z[0])
    relu = np.maximum(z, 0)
    mean = (p * relu).sum()
    std = math.sqrt((p * (relu - mean) ** 2).sum())
    assert GAINS["relu"] == pytest.approx(1 / std, rel=1e-8)
    assert GAINS["relu"] == pytest.approx(1.7129, abs=5e-5)
    y = normalized_relu(torch.from_numpy(z)).numpy()
    assert (p * y).sum() == pytest.approx(0, abs=1e-8)
    assert (p * y**2).sum() == pytest.approx(1, rel=1e-8)
    np.testing.assert_allclose(y, (relu - mean) / std, rtol=0, atol=1e-7)
    assert torch.equal(NormalizedReLU()(torch.from_numpy(z)), torch.from_numpy(y))


@pytest.mark.parametrize("gamma, factor", [("linear", 1.0), ("relu", GAINS["relu"]), (0.25, 0.25)])
@pytest.mark.parametrize("gain", [True, False])
def test_gamma_multiplies_and_the_gain_can_be_left_out(gamma, factor, gain):
    layer, _ = layer_and_input("conv2d")
    rows = layer.weight.detach().flatten(1)
    normalize_weights(layer, "scaled_weight_standardization", gamma=gamma, gain=gain, eps=0.0)
    want = factor * (rows - rows.mean(1, keepdim=True)) / rows.std(1, correction=0, keepdim=True)
    got = layer.weight.flatten(1)
    torch.testing.assert_close(got, want / math.sqrt(12), rtol=0, atol=1e-12)
    assert ("parametrizations.weight.0.gain" in layer.state_dict()) == gain


def test_scaled_standardization_keeps_the_variance_over_twenty_relu_layers():
    """Where the plain He net's outputs of different inputs fall together."""
    generator = torch.Generator().manual_seed(0)
    net = nn.Sequential(*[m for _ in range(20) for m in (nn.Linear(256, 256), nn.ReLU())][:-1])
    for p in net.parameters():
        nn.init.normal_(p, std=0.7, generator=generator) if p.ndim > 1 else nn.init.zeros_(p)
    normalize_weights(net, "scaled_weight_standardization")
    y = net(torch.randn(128, 256, generator=generator))
    # The first layer reads no ReLU, so that its gain stays: 2.93, to the accuracy of width 256.
    assert y.var().item() == pytest.approx(GAINS["relu"] ** 2, rel=0.3)
    cosine = nn.functional.normalize(y, dim=1) @ nn.functional.normalize(y, dim=1).T
    assert (cosine - torch.eye(128)).abs().mean() < 0.2


@pytest.mark.parametrize("name", ["weight_standardization", "scaled_weight_standardization"])
def test_a_large_common_mean_in_float32(name):
    """Mean 1e4, variance 1e-2: float32 keeps 1e4 to 1e-3, of a std of 0.1. Tolerance 1 %."""
    layer = nn.Linear(100, 4)
    rng = np.random.default_rng(0)
    w = (1e4 + 0.1 * rng.normal(size=(4, 100))).astype(np.float32)
    got = WEIGHT_NORMS[name](layer, eps=0.0)(torch.from_numpy(w)).detach().double().numpy()
    w = w.astype(float)
    want = (w - w.mean(1, keepdims=True)) / w.std(1, keepdims=True)
    got = got * (10 / GAINS["relu"] if name.startswith("scaled") else 1)
    assert np.abs(got - want).max() < 0.01 * np.abs(want).max()


@every_name
def test_half_precision_weights_have_statistics_in_float32(name):
    layer, _ = layer_and_input("conv2d", torch.bfloat16)
    exact, _ = layer_and_input("conv2d")
    with torch.no_grad():
        exact.weight.copy_(layer.weight)
    for each in (layer, exact):
        normalize_weights(each, name)
    assert layer.weight.dtype == torch.bfloat16
    # One rounding, of at most 2^-9, of the result; for weight_norm that of g too.
    torch.testing.assert_close(layer.weight.double(), exact.weight, rtol=2**-7, atol=1e-6)
