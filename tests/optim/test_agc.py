"""Adaptive gradient clipping against loops over units in numpy."""

import math
import re

import numpy as np
import pytest
import torch
from torch import nn

from bnlab.nets import make_net
from bnlab.norms.weight import normalize_weights
from bnlab.optim import adaptive_clip_grad, clip_units


def reference(grad: np.ndarray, weight: np.ndarray, units, clip: float, eps: float) -> np.ndarray:
    """``units``: for each one, the places in ``weight.ravel()``."""
    out, g, w = grad.copy().ravel(), grad.ravel(), weight.ravel()
    for places in units:
        n = max(math.sqrt(sum(w[i] ** 2 for i in places)), eps)
        norm = math.sqrt(sum(g[i] ** 2 for i in places))
        if norm > clip * n:
            for i in places:
                out[i] = g[i] * clip * n / norm
    return out.reshape(grad.shape)


def rows(shape: tuple[int, ...]) -> list[np.ndarray]:
    places = np.arange(math.prod(shape))
    return list(places.reshape(shape[0], -1)) if len(shape) > 1 else [places]


def numbers(shape, scale=1.0, seed=0, dtype=torch.float64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return (scale * torch.randn(shape, generator=generator, dtype=torch.float64)).to(dtype)


@pytest.mark.parametrize(
    "shape", [(), (1,), (5,), (4, 3), (4, 1), (3, 2, 3), (4, 2, 3, 3)], ids=str
)
@pytest.mark.parametrize("clip", [1e-2, 0.3, 1.0, 100.0])
def test_each_unit_follows_the_formula(shape, clip):
    weight = numbers(shape)
    if weight.ndim > 1:
        weight[0] = 0.0  # held up by the floor
    grad = numbers(shape, seed=1)
    if grad.ndim:  # from far below to far above the limit
        grad *= torch.logspace(-4, 1, shape[0]).double().reshape(-1, *[1] * (len(shape) - 1))
    got = clip_units(grad, weight, clip, 1e-3)
    want = reference(grad.numpy(), weight.numpy(), rows(shape), clip, 1e-3)
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-13, atol=0)


def test_small_gradients_pass_bit_for_bit_and_zeros_stay_zeros():
    weight = numbers((4, 3))
    grad = numbers((4, 3), 1e-6)
    assert torch.equal(clip_units(grad, weight), grad)
    for w in (weight, torch.zeros(4, 3)):
        assert torch.equal(clip_units(torch.zeros(4, 3), w, eps=0.0), torch.zeros(4, 3))


def test_a_clipped_unit_keeps_its_direction_and_has_this_norm():
    weight, grad = numbers((4, 7)), numbers((4, 7), 100.0, seed=1)
    got = clip_units(grad, weight, 0.02)
    torch.testing.assert_close(got.norm(dim=1), 0.02 * weight.norm(dim=1), rtol=1e-12, atol=0)
    torch.testing.assert_close(nn.functional.cosine_similarity(got, grad), torch.ones(4).double())


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_has_norms_in_float32(dtype):
    weight, grad = (torch.full((1, 4096), value, dtype=dtype) for value in (0.01, 3000.0))
    got = clip_units(grad, weight, 0.1)  # norms 0.64 and 192000, which float16 does not have
    assert got.dtype == dtype
    torch.testing.assert_close(got.float(), torch.full((1, 4096), 0.001), rtol=0.01, atol=0)


class Net(nn.Module):
    """Layers whose units lie on different axes."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(4, 6, 3, groups=2)
        self.up = nn.ConvTranspose2d(6, 4, 2, groups=2)
        self.norm = nn.BatchNorm2d(4)
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        return self.fc(self.norm(self.up(self.conv(x))).mean((2, 3)))


def net_with_gradients(seed: int = 0) -> nn.Module:
    net = Net().double()
    for i, p in enumerate(net.parameters()):
        p.data, p.grad = numbers(p.shape, seed=i), numbers(p.shape, 0.05, seed=100 + i)
    return net


def transposed_units() -> list[np.ndarray]:
    """Weight (6, 4 / 2, 2, 2), two groups: output 2 j + i reads inputs 3 j to 3 j + 2 at i."""
    places = np.arange(6 * 2 * 4).reshape(6, 2, 4)
    return [places[3 * j : 3 * j + 3, i].ravel() for j in range(2) for i in range(2)]


def test_a_model_is_clipped_unit_by_unit_but_for_its_last_linear():
    net, same = net_with_gradients(), net_with_gradients()
    names = adaptive_clip_grad(net, 0.02)
    assert names == ("conv.weight", "conv.bias", "up.weight", "up.bias", "norm.weight", "norm.bias")
    for (name, p), q in zip(net.named_parameters(), same.parameters(), strict=True):
        units = transposed_units() if name == "up.weight" else rows(tuple(p.shape))
        want = q.grad.numpy()
        if name in names:
            want = reference(want, q.detach().numpy(), units, 0.02, 1e-3)
        np.testing.assert_allclose(p.grad.numpy(), want, rtol=1e-12, atol=0, err_msg=name)
        assert torch.equal(p, q), "weights must not move"


@pytest.mark.parametrize(
    "exclude, left_out",
    [
        ([], []),
        (["*.bias"], ["conv.bias", "up.bias", "norm.bias", "fc.bias"]),
        ("norm.*", ["norm.weight", "norm.bias"]),
        (["fc.weight", "up.*"], ["up.weight", "up.bias", "fc.weight"]),
    ],
)
def test_parameters_can_be_left_out_by_patterns(exclude, left_out):
    net, same = net_with_gradients(), net_with_gradients()
    taken = adaptive_clip_grad(net, 1e-3, exclude=exclude)
    for (name, p), q in zip(net.named_parameters(), same.parameters(), strict=True):
        assert (name in left_out) == torch.equal(p.grad, q.grad) == (name not in taken), name


@pytest.mark.parametrize("name", ["weight_norm", "weight_mean", "scaled_weight_standardization"])
def test_trained_tensors_of_normalized_weights_are_clipped_by_output(name):
    net = Net().double()
    normalize_weights(net, name, ["conv", "up"])
    net(numbers((2, 4, 5, 5))).square().sum().backward()
    before = {n: p.grad.clone() for n, p in net.named_parameters()}
    adaptive_clip_grad(net, 1e-3)
    for key, p in net.named_parameters():
        if key.startswith("fc"):
            continue
        is_v = key in (
            "up.parametrizations.weight.original",
            "up.parametrizations.weight.original1",
        )
        units = transposed_units() if is_v else rows(tuple(p.shape))
        want = reference(before[key].numpy(), p.detach().numpy(), units, 1e-3, 1e-3)
        np.testing.assert_allclose(p.grad.numpy(), want, rtol=1e-10, atol=1e-15, err_msg=key)


def test_frozen_and_unused_parameters_are_left_out():
    net = net_with_gradients()
    net.conv.weight.requires_grad_(False)
    net.conv.weight.grad = None
    assert "conv.weight" not in adaptive_clip_grad(net)


def test_it_lets_a_plain_net_train_at_a_rate_where_it_explodes_otherwise():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(64, 1, 8, 8, generator=generator)
    y = x.flatten(1)[:, :10].argmax(1)

    def last_loss(clip):
        net = make_net("resnet", (1, 8, 8), 10, 6, 8)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.3, momentum=0.9)
        for _ in range(20):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(x), y)
            loss.backward()
            if clip:
                adaptive_clip_grad(net, clip)
            optimizer.step()
        return loss.item()

    assert not last_loss(None) < 2.3
    assert math.isfinite(last_loss(0.02))


@pytest.mark.parametrize(
    "options, message",
    [
        ({"clip": 0}, "clip must be a positive number, got 0."),
        ({"clip": -0.1}, "clip must be a positive number, got -0.1."),
        ({"clip": float("nan")}, "clip must be a positive number, got nan."),
        ({"clip": True}, "clip must be a number, got True (bool)."),
        ({"eps": -1e-3}, "eps must be zero or a positive number, got -0.001."),
        ({"eps": "a"}, "eps must be a number, got 'a' (str)."),
        (
            {"exclude": ["head.*"]},
            "exclude has 'head.*', which matches no parameter. There are: conv",
        ),
        ({"exclude": ["*"]}, "no parameter has a gradient to clip. Call loss.backward() first"),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        adaptive_clip_grad(net_with_gradients(), **options)


def test_without_gradients_it_says_so():
    with pytest.raises(
        ValueError, match=r"no parameter has a gradient to clip\. Call loss.backwar"
    ):
        adaptive_clip_grad(Net())


def test_the_units_of_a_layer_that_stores_inputs_first_are_its_outputs():
    class Conv1D(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.randn(5, 3))

    Conv1D.__module__ = "transformers.pytorch_utils"
    net, linear = Conv1D(), nn.Linear(5, 3, bias=False)
    linear.weight.data = net.weight.data.T.clone()
    grad = torch.randn(5, 3)
    net.weight.grad, linear.weight.grad = grad.clone(), grad.T.clone()
    adaptive_clip_grad(net, exclude=[])
    adaptive_clip_grad(linear, exclude=[])
    assert torch.equal(net.weight.grad, linear.weight.grad.T)
