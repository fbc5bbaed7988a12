"""The binary net: signs, filters and blocks against formulas in numpy; the three nets compared."""

import copy
import math
import pickle
import re

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call, grad, jvp, vmap

from bnlab.nets import initialize
from bnlab.nets.binarize import (
    FilterConv,
    RPReLU,
    RSign,
    binary_activation,
    binary_weight,
    scaled_standardize,
)
from bnlab.nets.binary import BinaryBlock, BinaryResNet, expected_variances
from bnlab.norms import BatchNorm
from bnlab.optim import adaptive_clip_grad
from bnlab.train import Run, build

rng = np.random.default_rng(3)
KINDS = [(False, False), (False, True), (True, False), (True, True)]
NETS = {
    "batch": {"norm": "batch"},
    "none": {"norm": "none"},
    "bn_free": {"branch": "bn_free"},
}
every_net = pytest.mark.parametrize("kind", NETS)


def net_of(kind: str, shape=(1, 8, 8), depth=3, width=8, seed=0, **more) -> BinaryResNet:
    with torch.random.fork_rng(devices=[]):
        net = BinaryResNet(shape, 10, depth, width, **{**NETS[kind], **more})
    initialize(net, seed)
    return net.double()


def images(*shape: int) -> torch.Tensor:
    return torch.tensor(np.random.default_rng(1).normal(size=shape))


def randomize(net: nn.Module, seed: int = 5) -> None:
    """Give every parameter with one axis, which starts at 0 or 1, another value."""
    numbers = np.random.default_rng(seed)
    with torch.no_grad():
        for p in net.parameters():
            if p.ndim == 1:
                p.add_(torch.tensor(numbers.normal(size=p.shape) / 3))


# The formulas


def sign(x: np.ndarray) -> np.ndarray:
    return np.where(x >= 0, 1.0, -1.0)


def standardized(w: np.ndarray, eps: float = 1e-5) -> np.ndarray:
    rows = w.reshape(len(w), -1)
    centred = rows - rows.mean(1, keepdims=True)
    return (centred / (rows.std(1, keepdims=True) + eps) / rows.shape[1] ** 0.5).reshape(w.shape)


def filters(
    w: np.ndarray,
    gain: np.ndarray,
    is_standardized: bool,
    is_binary: bool,
    scale: str = "mean_abs",
) -> np.ndarray:
    w = standardized(w) if is_standardized else w
    if is_binary:
        size = np.abs(w).reshape(len(w), -1).mean(1).reshape(-1, 1, 1, 1)
        w = sign(w) * (size if scale == "mean_abs" else 1)
    return w * gain.reshape(-1, 1, 1, 1) if is_standardized else w


def convolve(x: np.ndarray, w: np.ndarray, stride: int = 1) -> np.ndarray:
    """Zero padding of half a kernel; a sum over offsets."""
    k = w.shape[2]
    height, width = (math.ceil(n / stride) for n in x.shape[2:])
    padded = np.pad(x, ((0, 0), (0, 0), (k // 2, k // 2 + 1), (k // 2, k // 2 + 1)))
    out = np.zeros((len(x), len(w), height, width))
    for i in range(k):
        for j in range(k):
            rows = slice(i, i + stride * height, stride), slice(j, j + stride * width, stride)
            out += np.einsum("nchw,oc->nohw", padded[:, :, rows[0], rows[1]], w[:, :, i, j])
    return out


def on_channels(v: torch.Tensor) -> np.ndarray:
    return v.detach().numpy().reshape(1, -1, 1, 1)


def average(x: np.ndarray) -> np.ndarray:
    """2 x 2 means; at odd edges the mean of what is there."""
    h, w = (math.ceil(n / 2) for n in x.shape[2:])
    return np.array(
        [
            [x[:, :, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2].mean((2, 3)) for j in range(w)]
            for i in range(h)
        ]
    ).transpose(2, 3, 0, 1)


def rprelu(x: np.ndarray, layer: RPReLU) -> np.ndarray:
    x = x + on_channels(layer.before)
    return np.where(x > 0, x, on_channels(layer.slope) * x) + on_channels(layer.after)


def conv_of(layer: FilterConv, x: np.ndarray, stride: int = 1) -> np.ndarray:
    gain = np.ones(len(layer.weight)) if layer.gain is None else layer.gain.detach().numpy()
    kind = (layer.standardized, layer.binary, layer.scale)
    w = filters(layer.weight.detach().numpy(), gain, *kind)
    return convolve(x, w, stride)


# Signs


def test_the_sign_is_exactly_one_and_its_gradient_a_triangle():
    x = torch.tensor([-2.0, -1.0, -0.75, -0.25, 0.0, 0.25, 0.9, 1.0, 3.0]).double().requires_grad_()
    y = binary_activation(x)
    assert y.tolist() == [-1, -1, -1, -1, 1, 1, 1, 1, 1]
    (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    want = np.maximum(0, 2 - 2 * np.abs(x.detach().numpy()))
    torch.testing.assert_close(g.detach(), torch.tensor(want), rtol=0, atol=1e-14)
    inside = torch.tensor([2, 3, 5, 6])
    (second,) = torch.autograd.grad(g.sum(), x)
    assert second[inside].tolist() == [2, 2, -2, -2], "-2 sign(x), the parabola's"
    assert second[[0, 8]].tolist() == [0, 0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_the_sign_of_any_number_is_exactly_one(dtype):
    x = torch.tensor(np.concatenate([rng.normal(size=5000), [1e-30, -1e-30, 1e30]])).to(dtype)
    assert set(binary_activation(x).tolist()) == {-1.0, 1.0}
    assert binary_activation(x).dtype == dtype


def test_not_a_number_does_not_become_a_sign():
    x = torch.tensor([float("nan"), float("inf"), -float("inf")])
    assert binary_activation(x).isnan().tolist() == [True, False, False]
    assert binary_weight(torch.tensor([[float("nan"), 1.0]])).isnan().any()


def test_the_parabola_whose_gradient_is_used_is_smooth():
    """Finite differences of F against the gradient, F written as in Bi-Real net: pieces."""

    def pieces(x):
        return np.where(x < 0, 2 * x + x**2, 2 * x - x**2) * (abs(x) < 1) + sign(x) * (abs(x) >= 1)

    x = rng.uniform(-1.5, 1.5, 100)
    t = torch.tensor(x, requires_grad=True)
    (g,) = torch.autograd.grad(binary_activation(t).sum(), t)
    slope = (pieces(x + 1e-6) - pieces(x - 1e-6)) / 2e-6
    np.testing.assert_allclose(g.numpy(), slope, atol=1e-5)


# Filters


def test_binary_weights_and_their_gradient():
    w = np.array([[[[0.5, -0.25], [0.0, 3.0]]], [[[-0.1, -0.1], [-0.1, 0.1]]]])
    t = torch.tensor(w, requires_grad=True)
    y = binary_weight(t)
    dy = torch.tensor(rng.normal(size=w.shape))
    (g,) = torch.autograd.grad(y, t, dy)
    assert y[0].flatten().tolist() == [0.9375, -0.9375, 0.9375, 0.9375]
    np.testing.assert_allclose(y[1].flatten().tolist(), [-0.1, -0.1, -0.1, 0.1], atol=1e-15)
    np.testing.assert_array_equal(g.numpy(), dy.numpy() * (np.abs(w) < 1))


def test_each_binary_filter_has_exactly_one_size():
    w = torch.tensor(rng.normal(size=(50, 3, 3, 3))).float()
    sizes = binary_weight(w).abs().flatten(1)
    assert (sizes == sizes[:, :1]).all()


@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e-6])
def test_scaled_standardization_and_its_gradient(scale):
    w = scale * rng.normal(size=(4, 3, 3, 3))
    t = torch.tensor(w, requires_grad=True)
    y = scaled_standardize(t)
    np.testing.assert_allclose(y.detach().numpy(), standardized(w), rtol=1e-12)
    dy = rng.normal(size=w.shape)
    (g,) = torch.autograd.grad(y, t, torch.tensor(dy))
    n = 27
    rows, drows = w.reshape(4, n), dy.reshape(4, n)
    u, s = rows - rows.mean(1, keepdims=True), rows.std(1, keepdims=True)
    along = (drows * u).sum(1, keepdims=True) * u / (n * s * (s + 1e-5))
    want = (drows - drows.mean(1, keepdims=True) - along) / ((s + 1e-5) * n**0.5)
    np.testing.assert_allclose(
        g.numpy().reshape(4, n), want, rtol=1e-9, atol=1e-9 * abs(want).max()
    )


def test_derivatives_of_scaled_standardization_by_finite_differences():
    w = torch.tensor(rng.normal(size=(2, 2, 3, 3)), requires_grad=True)
    assert torch.autograd.gradcheck(scaled_standardize, (w,))
    assert torch.autograd.gradgradcheck(scaled_standardize, (w,))


@pytest.mark.parametrize("eps", [0.0, 1e-5])
def test_equal_weights_become_zeros_with_a_finite_gradient(eps):
    w = torch.full((2, 1, 3, 3), 0.25, requires_grad=True)
    y = scaled_standardize(w, eps)
    (g,) = torch.autograd.grad((y * torch.arange(18.0).view_as(y)).sum(), w)
    assert not y.any() and g.isfinite().all()


@pytest.mark.parametrize("is_standardized, is_binary", KINDS)
@pytest.mark.parametrize("kernel, stride, size", [(3, 1, 5), (3, 2, 5), (3, 2, 4), (1, 1, 4)])
def test_the_convolution_uses_its_filters(is_standardized, is_binary, kernel, stride, size):
    layer = FilterConv(
        3, 4, kernel, stride, standardized=is_standardized, binary=is_binary
    ).double()
    randomize(layer)
    x = rng.normal(size=(2, 3, size, size))
    got = layer(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(got, conv_of(layer, x, stride), rtol=1e-10, atol=1e-12)
    assert (layer.gain is not None) == is_standardized


def test_standardized_binary_filters_send_their_gradient_through_the_statistics():
    """d/dw of sum(dy * gain * binary(std(w))): the identity where |std(w)| < 1, as it is here."""
    layer = FilterConv(2, 3, 3, standardized=True).double()
    randomize(layer)
    dy = torch.tensor(rng.normal(size=layer.weight.shape))
    got = torch.autograd.grad(layer.filters(), [layer.weight, layer.gain], dy)
    w = layer.weight.detach().requires_grad_()
    scaled = dy * layer.gain.detach().reshape(-1, 1, 1, 1)
    (want,) = torch.autograd.grad(scaled_standardize(w), w, scaled)
    torch.testing.assert_close(got[0], want)
    signs = filters(w.detach().numpy(), np.ones(3), True, True)
    want = (dy.numpy() * signs).sum((1, 2, 3))
    np.testing.assert_allclose(got[1].flatten().numpy(), want, rtol=1e-12)


def test_a_filter_of_one_weight_cannot_be_standardized():
    with pytest.raises(
        ValueError, match="one weight has no variance: use a larger kernel or width"
    ):
        FilterConv(1, 4, 1, standardized=True)


# Activations


def test_rsign_has_a_threshold_a_channel():
    layer = RSign(3).double()
    randomize(layer)
    x = images(2, 3, 4, 4).requires_grad_()
    y = layer(x)
    shifted = x.detach().numpy() + on_channels(layer.bias)
    np.testing.assert_array_equal(y.detach().numpy(), sign(shifted))
    dy = torch.tensor(rng.normal(size=x.shape))
    gx, gb = torch.autograd.grad(y, [x, layer.bias], dy)
    want = dy.numpy() * np.maximum(0, 2 - 2 * np.abs(shifted))
    np.testing.assert_allclose(gx.numpy(), want, atol=1e-12)
    np.testing.assert_allclose(gb.numpy(), want.sum((0, 2, 3)), atol=1e-12)


def test_rprelu_is_torchs_prelu_between_two_shifts():
    layer = RPReLU(3).double()
    randomize(layer)
    x = images(2, 3, 4, 4)
    prelu = nn.PReLU(3).double()
    with torch.no_grad():
        prelu.weight.copy_(layer.slope)
    want = prelu(x + torch.tensor(on_channels(layer.before))) + torch.tensor(
        on_channels(layer.after)
    )
    torch.testing.assert_close(layer(x), want)
    np.testing.assert_allclose(layer(x).detach().numpy(), rprelu(x.numpy(), layer), atol=1e-12)
    assert RPReLU(2).slope.tolist() == nn.PReLU(2).weight.tolist()
    params = dict(layer.named_parameters())

    def f(x, *values):
        return functional_call(layer, dict(zip(params, values, strict=True)), (x,))

    assert torch.autograd.gradcheck(f, (x.requires_grad_(), *params.values()))


# Blocks


@pytest.mark.parametrize("is_standardized, is_binary", KINDS)
@pytest.mark.parametrize("size", [4, 5])
@pytest.mark.parametrize("width, stride", [(4, 1), (6, 1), (6, 2)], ids=["same", "wider", "half"])
def test_a_block_follows_the_formula(is_standardized, is_binary, size, width, stride):
    alpha, variance = 0.3, 1.7
    block = BinaryBlock(
        4,
        width,
        stride,
        alpha=alpha,
        variance=variance,
        standardized=is_standardized,
        binary=is_binary,
    ).double()
    randomize(block)
    x = images(2, 4, size, size).numpy()
    scaled = x / variance**0.5
    branch = conv_of(block.conv, sign(scaled + on_channels(block.sign.bias)), stride)
    skip = x
    if width != 4:
        pooled = average(scaled) if stride == 2 else scaled
        skip = conv_of(block.shortcut[1], pooled)
    want = rprelu(alpha * branch + skip, block.activation)
    np.testing.assert_allclose(block(torch.tensor(x)).detach().numpy(), want, atol=1e-10)


def test_the_identity_shortcut_carries_x_as_it_is():
    """With alpha = 0 the block is rprelu(x), whatever the expected variance."""
    block = BinaryBlock(4, 4, 1, alpha=0.0, variance=9.0).double()
    x = images(2, 4, 3, 3)
    torch.testing.assert_close(block(x), torch.where(x > 0, x, 0.25 * x))


@pytest.mark.parametrize("width, stride", [(4, 1), (6, 2)], ids=["same", "half"])
def test_without_a_shortcut_a_block_is_its_branch(width, stride):
    block = BinaryBlock(4, width, stride, shortcut=False, scale="none").double()
    randomize(block)
    x = images(2, 4, 4, 4).numpy()
    branch = conv_of(block.conv, sign(x + on_channels(block.sign.bias)), stride)
    got = block(torch.tensor(x)).detach().numpy()
    np.testing.assert_allclose(got, rprelu(branch, block.activation), atol=1e-10)
    assert set(np.unique(block.conv.filters().detach().numpy())) == {-1.0, 1.0}


def test_a_block_with_a_normalizer_normalizes_branch_and_shortcut():
    block = BinaryBlock(4, 6, 2, "batch", momentum=0.5).double()
    norms = [m for m in block.modules() if isinstance(m, BatchNorm)]
    assert [m.num_features for m in norms] == [6, 6] and norms[0].momentum == 0.5
    seen = []
    norms[0].register_forward_hook(lambda m, args, y: seen.append(args[0]))
    x = images(3, 4, 4, 4)
    block(x)
    want = conv_of(block.conv, sign(x.numpy()), 2)
    np.testing.assert_allclose(seen[0].detach().numpy(), want, atol=1e-10)


# Nets


def test_the_expected_variances_of_the_official_code_lag_by_one_block():
    a = 0.04
    plan = [False, False, False, False, True, False, False]
    got = expected_variances(plan, 0.2, "code")
    np.testing.assert_allclose(got, [1, 1, 1 + a, 1 + 2 * a, 1 + 3 * a, 1, 1 + a])
    got = expected_variances(plan, 0.2, "nf_resnet")
    np.testing.assert_allclose(got, [1, 1 + a, 1 + 2 * a, 1 + 3 * a, 1 + 4 * a, 1 + a, 1 + 2 * a])


@pytest.mark.parametrize("rule", ["code", "nf_resnet"])
def test_the_bn_free_net_expects_these_variances(rule):
    net = net_of("bn_free", (3, 32, 32), depth=6, alpha=0.5, variance=rule)
    want = expected_variances([False, False, True, False, True, False], 0.5, rule)
    assert [block.variance for block in net.blocks] == want
    assert {block.alpha for block in net.blocks} == {0.5}
    assert net.stem[0].standardized and not net.stem[0].binary


@pytest.mark.parametrize("kind", ["batch", "none"])
def test_the_other_nets_have_neither_factors_nor_gains(kind):
    net = net_of(kind)
    assert {(block.alpha, block.variance) for block in net.blocks} == {(1.0, 1.0)}
    assert not any(name.endswith("gain") for name, _ in net.named_parameters())
    count = sum(isinstance(m, BatchNorm) for m in net.modules())
    assert count == (0 if kind == "none" else 1 + 3 + 1)


@pytest.mark.parametrize("branch, standardized", [("plain", True), ("bn_free", False)])
def test_filters_and_block_can_be_had_one_without_the_other(branch, standardized):
    net = net_of("none", branch=branch, standardized=standardized)
    convs = [m for m in net.modules() if isinstance(m, FilterConv)]
    assert {conv.standardized for conv in convs} == {standardized}
    assert {block.alpha for block in net.blocks} == {0.2 if branch == "bn_free" else 1.0}


def test_a_run_without_shortcuts_and_with_signs_alone_is_built():
    run = Run(net="binary", depth=3, width=8, net_options={"shortcuts": False, "scale": "none"})
    net = build(run)
    assert not any(block.has_shortcut for block in net.blocks)
    assert {block.conv.scale for block in net.blocks} == {"none"}


def test_the_gains_are_clipped_one_by_one():
    net = net_of("bn_free")
    for p in net.parameters():
        p.grad = torch.zeros_like(p)
    gain = net.blocks[0].conv.gain
    gain.grad[0], gain.grad[1] = 1.0, 0.01
    adaptive_clip_grad(net, 0.04)
    np.testing.assert_allclose(gain.grad.flatten()[:2], [0.04, 0.01], rtol=1e-12)


def test_in_the_standardized_stem_variance_one_stays_one():
    net = net_of("bn_free", (3, 32, 32), width=256)
    x = images(8, 3, 32, 32)
    inner = net.stem(x)[:, :, 1:-1, 1:-1]  # zeros of the padding count at the edges
    assert inner.var().item() == pytest.approx(1, abs=0.03)


@every_net
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32), (2, 7, 5)], ids=str)
@pytest.mark.parametrize("weights", ["binary", "real"])
def test_logits_and_gradients(kind, shape, weights):
    net = net_of(kind, shape, weights=weights)
    logits = net(images(4, *shape))
    assert logits.shape == (4, 10)
    logits.square().sum().backward()
    assert all(p.grad.isfinite().all() for p in net.parameters())
    assert all(p.grad.any() for p in net.parameters() if p.ndim >= 2)


@every_net
@pytest.mark.parametrize("name", ["weights", "seed"])
def test_the_three_nets_start_from_the_same_weights(kind, name):
    def matrices(net):
        named = net.named_parameters()
        return [p.detach() for name, p in named if p.ndim >= 2 and not name.endswith("gain")]

    own, plain = matrices(net_of(kind)), matrices(net_of("none"))
    assert all(torch.equal(a, b) for a, b in zip(own, plain, strict=True))
    other = net_of(kind, seed=1) if name == "seed" else net_of(kind, weights="real")
    same = [torch.equal(a, b) for a, b in zip(own, matrices(other), strict=True)]
    assert not any(same) if name == "seed" else all(same)


def test_initialize_forgets_gains_and_shifts():
    net = net_of("bn_free").float()
    before = copy.deepcopy(net.state_dict())
    randomize(net)
    initialize(net, 0)
    assert all(torch.equal(before[key], value) for key, value in net.state_dict().items())


@pytest.mark.parametrize("kind", ["none", "bn_free"])
def test_positive_first_weights_are_uniform_up_to_a_thousandth(kind):
    net = net_of(kind, width=32, first_weights="positive")
    convs = [m for m in net.blocks.modules() if isinstance(m, FilterConv)]
    weights = torch.cat([m.weight.detach().flatten() for m in convs])
    assert 0 <= weights.min() < 1e-5 and 0.99e-3 < weights.max() <= 1e-3
    assert weights.mean().item() == pytest.approx(0.5e-3, rel=0.02)
    signs = torch.cat([m.filters().detach().sign().flatten() for m in convs])
    if kind == "none":
        assert (signs == 1).all()
    else:
        assert abs(signs.mean().item()) < 0.05
    stem, plain = net.stem[0].weight, net_of(kind, width=32).stem[0].weight
    assert torch.equal(stem, plain)


@every_net
def test_real_weights_load_into_the_binary_net(kind):
    real, net = net_of(kind, weights="real", seed=2), net_of(kind)
    x = images(4, 1, 8, 8)
    assert not torch.allclose(real(x), net(x))
    net.load_state_dict(real.state_dict())
    assert torch.equal(net(x), net_of(kind, seed=2)(x))


@every_net
def test_copies_and_pickles(kind):
    net = net_of(kind).eval()
    x = images(4, 1, 8, 8)
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert torch.equal(other(x), net(x))


@pytest.mark.parametrize("kind", ["none", "bn_free"])
def test_gradients_of_single_samples_by_vmap(kind):
    net = net_of(kind, depth=2, width=4)
    params = {k: p.detach() for k, p in net.named_parameters()}
    x = images(3, 1, 8, 8)

    def loss(params, sample):
        return functional_call(net, params, (sample[None],)).square().sum()

    together = vmap(grad(loss), (None, 0))(params, x)
    for i in range(3):
        net.zero_grad()
        net(x[i : i + 1]).square().sum().backward()
        for key, p in net.named_parameters():
            torch.testing.assert_close(together[key][i], p.grad, rtol=1e-9, atol=1e-11)


@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")  # torch's own use of it
def test_forward_derivatives_are_those_of_the_backward():
    x, v = images(20), images(20).flip(0)
    value, forward = jvp(binary_activation, (x,), (v,))
    assert torch.equal(value, binary_activation(x))
    np.testing.assert_allclose(
        forward.numpy(), v.numpy() * np.maximum(0, 2 - 2 * np.abs(x.numpy())), atol=1e-12
    )


@every_net
def test_a_few_steps_lower_the_loss(kind):
    net = net_of(kind, width=16).float()
    x = images(40, 1, 8, 8).float()
    y = torch.arange(40) % 10
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01)
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"branch": "bnfree"}, "unknown branch of a binary net 'bnfree'. Did you mean 'bn_free'?"),
        ({"branch": "bn_free", "norm": "batch"}, "must be 'none' and shortcuts True, got 'batch'"),
        ({"branch": "bn_free", "shortcuts": False}, "shortcuts True, got 'none' and False"),
        ({"scale": "max"}, "unknown scale of a binary filter 'max'"),
        ({"scale": "none", "standardized": True}, "filters that are not standardized"),
        ({"scale": "none", "weights": "real"}, "scale='none' is for binary filters"),
        ({"standardized": 1}, "standardized must be True, False or None"),
        ({"shortcuts": "no"}, "shortcuts True or False, got None and 'no'"),
        ({"alpha": 0.0}, "alpha must be a positive number, got 0.0"),
        ({"alpha": float("nan")}, "alpha must be a positive number, got nan"),
        ({"alpha": "0.2"}, "alpha must be a number, got '0.2' (str)"),
        ({"variance": "nfresnet"}, "unknown rule for the variances 'nfresnet'. Did you mean 'nf_"),
        ({"weights": "ternary"}, "unknown kind of weights 'ternary'."),
        ({"first_weights": "zero"}, "unknown kind of first weights 'zero'."),
        ({"norm": "bach"}, "unknown normalizer 'bach'. Did you mean 'batch'?"),
        ({"norm": "batch", "epsilon": 1}, "unknown option of normalizer 'batch': 'epsilon'"),
    ],
)
def test_bad_input(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        BinaryResNet((1, 8, 8), 10, 2, 8, **options)
