"""Values, gradients and running statistics against formulas in numpy and against torch's layers."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch import nn
from torch.func import functional_call

from bnlab.norms import make_norm

EPS = 1e-3  # large enough that leaving it out would be seen
TOLERANCE = {torch.float64: 1e-11, torch.float32: 2e-5}


@dataclass(frozen=True)
class Case:
    """A normalizer, an input shape, and how many channels share a mean (None: the batch does)."""

    name: str
    shape: tuple[int, ...]
    group_size: int | None = None

    @property
    def options(self) -> dict[str, int]:
        return {"group_size": self.group_size} if self.name == "group" else {}

    def __str__(self) -> str:
        return f"{self.name}{self.group_size or ''}-{'x'.join(map(str, self.shape))}"


def cases() -> list[Case]:
    flat, images = [(5, 6), (2, 6)], [(4, 6, 3, 2), (2, 6, 5, 5), (1, 6, 3, 3), (7, 6, 1, 1)]
    out = [Case("batch", shape) for shape in flat + images]
    for size in (2, 3):
        out += [Case("group", shape, size) for shape in [(1, 6), *flat, *images]]
    out += [Case("layer", shape, 6) for shape in [(1, 6), *flat, *images]]
    out += [Case("instance", shape, 1) for shape in images[:-1]]  # H = W = 1 is refused
    return out


every_case = pytest.mark.parametrize("case", cases(), ids=str)
every_dtype = pytest.mark.parametrize(
    "dtype", [torch.float32, torch.float64], ids=["float32", "float64"]
)
both_kernels = pytest.mark.parametrize("native", [False, True], ids=["primitive", "native"])


def pooled(x: np.ndarray, group_size: int | None) -> np.ndarray:
    """One row for each mean: (C, N*H*W), or (N*groups, group_size*H*W)."""
    if group_size is None:
        return x.swapaxes(0, 1).reshape(x.shape[1], -1)
    return x.reshape(x.shape[0] * x.shape[1] // group_size, -1)


def unpooled(rows: np.ndarray, shape: tuple[int, ...], group_size: int | None) -> np.ndarray:
    """Undo ``pooled``."""
    if group_size is None:
        return rows.reshape(shape[1], shape[0], *shape[2:]).swapaxes(0, 1)
    return rows.reshape(shape)


def on_channels(v: np.ndarray, x: np.ndarray) -> np.ndarray:
    return v.reshape(1, -1, *[1] * (x.ndim - 2))


def formula(case: Case, x, dy, weight, bias):
    """Output, and the gradients of sum(dy * output) for x, weight and bias, by hand.

    With u = (x - mean) / s, s = sqrt(var + eps), and g the gradient for u:
    dx = (g - mean(g) - u * mean(g * u)) / s. float64.
    """
    rows = pooled(x, case.group_size)
    s = np.sqrt(rows.var(axis=1, keepdims=True) + EPS)
    u = (rows - rows.mean(axis=1, keepdims=True)) / s
    g = pooled(dy * on_channels(weight, x), case.group_size)
    mean_g, mean_gu = g.mean(axis=1, keepdims=True), (g * u).mean(axis=1, keepdims=True)
    dx = unpooled((g - mean_g - u * mean_gu) / s, x.shape, case.group_size)
    u = unpooled(u, x.shape, case.group_size)
    others = (0, *range(2, x.ndim))
    y = u * on_channels(weight, x) + on_channels(bias, x)
    return y, dx, (dy * u).sum(axis=others), dy.sum(axis=others)


def numbers(case: Case) -> tuple[np.ndarray, ...]:
    """Input, gradient for the output, weight and bias, in float64 but exact in float32."""
    rng = np.random.default_rng(7)
    c = case.shape[1]
    shapes = (case.shape, case.shape, (c,), (c,))
    x, dy, weight, bias = (rng.normal(size=s).astype(np.float32).astype(float) for s in shapes)
    return 2 * x + 1, dy, weight, bias


def layer_and_input(case: Case, dtype: torch.dtype, native: bool):
    x, dy, weight, bias = (torch.tensor(a, dtype=dtype) for a in numbers(case))
    layer = make_norm(case.name, case.shape[1], eps=EPS, native=native, **case.options).to(dtype)
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
    return layer, x.requires_grad_(), dy


def torch_layer(case: Case) -> nn.Module:
    """The layer of torch that computes the same."""
    c, is_flat = case.shape[1], len(case.shape) == 2
    if case.name == "batch":
        return (nn.BatchNorm1d if is_flat else nn.BatchNorm2d)(c, EPS)
    if case.name == "instance":
        return nn.InstanceNorm2d(c, EPS, affine=True)
    if case.name == "layer" and is_flat:
        return nn.LayerNorm(c, EPS)
    return nn.GroupNorm(c // case.group_size, c, EPS)


def assert_near(got: torch.Tensor, want: object, dtype: torch.dtype) -> None:
    assert got.dtype == dtype
    want = torch.as_tensor(want, dtype=torch.float64)
    torch.testing.assert_close(got.detach().double(), want, rtol=0, atol=TOLERANCE[dtype])


@every_case
@every_dtype
@both_kernels
def test_values_and_gradients_follow_the_formula(case, dtype, native):
    layer, x, dy = layer_and_input(case, dtype, native)
    y = layer(x)
    y.backward(dy)
    want = formula(case, *numbers(case))
    for got, value in zip((y, x.grad, layer.weight.grad, layer.bias.grad), want, strict=True):
        assert_near(got, value, dtype)


@every_case
@every_dtype
@both_kernels
@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_values_gradients_and_statistics_equal_torchs_own_layer(case, dtype, native, training):
    layer, x, dy = layer_and_input(case, dtype, native)
    other = torch_layer(case).to(dtype)
    own = layer.state_dict()
    if case.name == "batch":  # statistics that are neither 0 and 1 nor those of the batch
        layer.running_mean += torch.arange(x.shape[1]) / 4
        layer.running_var += torch.arange(x.shape[1]) / 2
    other.load_state_dict(own, strict=False)
    same_x = x.detach().clone().requires_grad_()
    y, same_y = layer.train(training)(x), other.train(training)(same_x)
    y.backward(dy)
    same_y.backward(dy)
    assert_near(y, same_y.detach(), dtype)
    assert_near(x.grad, same_x.grad, dtype)
    for name in ("weight", "bias"):
        assert_near(getattr(layer, name).grad, getattr(other, name).grad, dtype)
    for name, buffer in layer.named_buffers():
        assert_near(buffer, other.get_buffer(name), dtype)


@both_kernels
@pytest.mark.parametrize("shape", [(6, 3), (4, 3, 2, 2)], ids=str)
def test_in_eval_mode_batch_norm_is_an_affine_map_by_its_running_statistics(native, shape):
    case = Case("batch", shape)
    layer, x, dy = layer_and_input(case, torch.float64, native)
    layer.running_mean.copy_(torch.tensor([1.0, -2.0, 0.5]))
    layer.running_var.copy_(torch.tensor([4.0, 0.25, 9.0]))
    y = layer.eval()(x)
    y.backward(dy)
    x0, dy0, weight, bias = numbers(case)
    s = on_channels(np.sqrt(np.array([4.0, 0.25, 9.0]) + EPS), x0)
    u = (x0 - on_channels(np.array([1.0, -2.0, 0.5]), x0)) / s
    others = (0, *range(2, x0.ndim))
    assert_near(y, u * on_channels(weight, x0) + on_channels(bias, x0), torch.float64)
    assert_near(x.grad, dy0 * on_channels(weight, x0) / s, torch.float64)
    assert_near(layer.weight.grad, (dy0 * u).sum(axis=others), torch.float64)
    assert_near(layer.bias.grad, dy0.sum(axis=others), torch.float64)
    assert layer.running_mean.tolist() == [1.0, -2.0, 0.5], "evaluation must not move statistics"


def test_layer_norm_of_images_pools_channels_and_positions_together():
    x = torch.tensor(numbers(Case("layer", (3, 6, 4, 2)))[0])
    want = nn.functional.layer_norm(x, (6, 4, 2), eps=EPS)
    assert_near(make_norm("layer", 6, eps=EPS, affine=False)(x), want, torch.float64)


def test_no_normalizer_is_the_identity_and_has_nothing_to_learn():
    layer = make_norm("none", 3)
    x = torch.tensor([[1.0, float("inf"), -2.0]])
    assert torch.equal(layer(x), x)
    assert not layer.state_dict()


@pytest.mark.parametrize("case", [c for c in cases() if c.shape != (2, 6, 5, 5)], ids=str)
def test_first_and_second_derivatives_by_finite_differences(case):
    layer, x, _ = layer_and_input(case, torch.float64, native=False)

    def f(x, weight, bias):
        return functional_call(layer, {"weight": weight, "bias": bias}, (x,))

    inputs = (x, layer.weight, layer.bias)
    assert torch.autograd.gradcheck(f, inputs)
    assert torch.autograd.gradgradcheck(f, inputs)


@pytest.mark.parametrize("shape", [(5, 3), (2, 3, 2, 2)], ids=str)
def test_derivatives_in_eval_mode_by_finite_differences(shape):
    layer, x, _ = layer_and_input(Case("batch", shape), torch.float64, native=False)
    layer.eval()

    def f(x, weight, bias):
        return functional_call(layer, {"weight": weight, "bias": bias}, (x,))

    assert torch.autograd.gradcheck(f, (x, layer.weight, layer.bias))
    assert torch.autograd.gradgradcheck(f, (x, layer.weight, layer.bias))
