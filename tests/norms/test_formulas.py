"""Outputs, running statistics and gradients of every normalizer against its formula in float64."""

import math

import pytest
import torch
from torch.func import functional_call

from bnlab.norms import NORMS
from tests.norms.norm_cases import SHAPES, Case, cases
from tests.norms.norm_reference import reference

EPS = 1e-3  # large enough that leaving it out would be seen
TOLERANCE = {torch.float64: 1e-10, torch.float32: 2e-5}
every_dtype = pytest.mark.parametrize(
    "dtype", [torch.float64, torch.float32], ids=["float64", "float32"]
)
both_modes = pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])


def filled(case: Case, dtype: torch.dtype, seed: int = 0, eps: float | None = EPS, **more):
    """Layer, input and output gradient, with numbers that float32 holds exactly."""
    rng = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(shape, generator=rng).to(dtype)

    layer = case.layer(dtype, **({} if case.name == "none" else {"eps": eps}), **more)
    with torch.no_grad():
        for name, parameter in layer.named_parameters():
            parameter.copy_(
                0.1 + draw(*parameter.shape).abs()
                if name == "v"
                else draw(*parameter.shape) / (1000 if name == "learned_eps" else 1)
            )
        for name, buffer in layer.named_buffers():
            if name == "running_mean":
                buffer.copy_(1 + draw(*buffer.shape) / 2)
            elif name.startswith("running_"):
                buffer.copy_(3 + draw(*buffer.shape).abs())
    return layer, (2 * draw(*case.shape) + 1).requires_grad_(), draw(*case.shape)


def wanted(case: Case, layer, x, dy, training: bool, eps: float | None = EPS):
    """Output, running statistics, gradients of x and of the parameters, by the formula."""
    p = {n: q.detach().double().requires_grad_() for n, q in layer.named_parameters()}
    s = {n: b.double() for n, b in layer.named_buffers() if n.startswith("running_")}
    options = {k: math.inf if v is None else v for k, v in case.options.items()}
    if "num_groups" in options:
        options["group_size"] = case.shape[1] // options.pop("num_groups")
    if case.name == "noisy_batch":
        factor, shift = layer.draw(x.detach())
        options |= {"factor": factor.double(), "shift": shift.double()}
    if case.name != "none":
        options["eps"] = eps
    x = x.detach().double().requires_grad_()
    y, s = reference(case.name, x, p, s, training, **options)
    grads = torch.autograd.grad(y, (x, *p.values()), dy.double(), allow_unused=True)
    return y, s, dict(zip(("input", *p), grads, strict=True))


def assert_near(got, want, dtype, what):
    assert got.dtype == dtype, what
    # Sums over a batch grow with it; so do their rounding errors.
    scale = max(1.0, want.abs().max().item())
    error = (got.detach().double() - want.detach()).abs().max().item() / scale
    assert error <= TOLERANCE[dtype], f"{what} is off by {error:.2g}"


def with_kernels() -> list:
    """Every case in primitive operations, and by torch's kernel where there is one."""
    return [
        pytest.param(case, native, id=f"{case}-{'native' if native else 'primitive'}")
        for case in cases()
        for native in ([False, True] if NORMS[case.name].has_kernel else [False])
    ]


@pytest.mark.parametrize("case, native", with_kernels())
@every_dtype
@both_modes
def test_outputs_statistics_and_gradients_follow_the_formula(case, native, dtype, training):
    layer, x, dy = filled(case, dtype, native=native)
    want_y, want_s, want_grads = wanted(case, layer, x, dy, training)
    y = layer.train(training)(x)
    grads = torch.autograd.grad(y, (x, *layer.parameters()), dy, allow_unused=True)
    assert_near(y, want_y, dtype, "output")
    for name, want in want_s.items():
        assert_near(layer.get_buffer(name), want, dtype, name)
    names = ("input", *dict(layer.named_parameters()))
    for name, got in zip(names, grads, strict=True):
        assert_near(got, want_grads[name], dtype, f"gradient of {name}")


def small_cases() -> list[Case]:
    """Finite differences are slow. Those of Batch Renormalization see r and d change: see below."""
    small = [shape for shape in SHAPES if math.prod(shape) <= 100]
    names = [name for name in NORMS if name not in ("none", "batch_renorm")]
    plain = {"r_max": 1.0, "d_max": 0.0}
    return cases(small, names) + [Case("batch_renorm", shape, plain) for shape in [(12, 6)]]


@pytest.mark.parametrize("case", small_cases(), ids=str)
@both_modes
def test_first_and_second_derivatives_by_finite_differences(case, training):
    layer, x, _ = filled(case, torch.float64)
    layer.train(training)
    names = [name for name, _ in layer.named_parameters()]

    def f(x, *parameters):
        fixed = {name: buffer.clone() for name, buffer in layer.named_buffers()}
        given = {**dict(zip(names, parameters, strict=True)), **fixed}
        return functional_call(layer, given, (x,))

    inputs = (x, *layer.parameters())
    assert torch.autograd.gradcheck(f, inputs)
    assert torch.autograd.gradgradcheck(f, inputs)


@pytest.mark.parametrize("shape", [(5, 3), (3, 3, 2, 2)], ids=str)
def test_second_derivatives_of_batch_renorm_by_differences_of_its_first(shape):
    """With r and d held at what they are at x, its gradient is that of a function."""
    layer, x, dy = filled(Case("batch_renorm", shape), torch.float64)
    dims = (0, *range(2, x.ndim))
    mu, var, eps = layer.running_mean.clone(), layer.running_var.clone(), layer.eps

    def on_axis(v):
        return v.reshape(1, -1, *[1] * (x.ndim - 2))

    mean, sd = x.detach().mean(dims), (x.detach().var(dims, correction=0) + eps).sqrt()
    r = (sd / (var + eps).sqrt()).clamp(1 / 3, 3)
    d = ((mean - mu) / (var + eps).sqrt()).clamp(-5, 5)

    def held(x):
        u = x - x.mean(dims, keepdim=True)
        u = u / (u.square().mean(dims, keepdim=True) + eps).sqrt()
        y = (u * on_axis(r) + on_axis(d)) * on_axis(layer.weight) + on_axis(layer.bias)
        return (y * dy).sum()

    (first,) = torch.autograd.grad((layer(x) * dy).sum(), x, create_graph=True)
    (want,) = torch.autograd.grad(held(x), x, create_graph=True)
    torch.testing.assert_close(first, want, rtol=0, atol=1e-12)
    v = torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    (second,) = torch.autograd.grad((first * v).sum(), x)
    (want,) = torch.autograd.grad((want * v).sum(), x)
    torch.testing.assert_close(second, want, rtol=0, atol=1e-12)
