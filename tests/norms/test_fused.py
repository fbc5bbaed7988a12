"""``fused_normalize`` equals ``normalize``, in every derivative, however it is used."""

import pytest
import torch
from torch.autograd import forward_ad, grad
from torch.fx.experimental.proxy_tensor import make_fx

from bnlab.norms import functional, fused
from bnlab.norms.functional import normalize
from bnlab.norms.fused import fused_normalize
from tests.norms.norm_cases import Case

CASES = {  # shape of x, axes that are pooled, shape of weight and bias
    "batch (N, C)": ((6, 3), (0,), (3,)),
    "batch (N, C, H, W)": ((4, 3, 2, 3), (0, 2, 3), (3, 1, 1)),
    "ghost (N, C)": ((2, 3, 4), (1,), (4,)),
    "ghost (N, C, H, W)": ((2, 3, 2, 2, 2), (1, 3, 4), (2, 1, 1)),
    "layer (N, C)": ((6, 5), (1,), (5,)),
    "layer, as many samples as channels": ((5, 5), (1,), (5,)),
    "layer (N, C, H, W)": ((5, 1, 4, 3), (2, 3), (1, 4, 1)),
    "group (N, C)": ((3, 2, 4), (2,), (2, 4)),
    "group (N, C, H, W)": ((5, 2, 2, 3), (2, 3), (2, 2, 1)),
    "instance": ((4, 3, 1, 6), (2, 3), (3, 1, 1)),
    "one group of one sample": ((1, 1, 4, 3), (2, 3), (1, 4, 1)),
}
EPS = 1e-3

both_sizes = pytest.mark.parametrize("large", [False, True], ids=["small", "large"])
forward_mode = pytest.mark.filterwarnings("ignore:.*torch.jit.script:DeprecationWarning")
every_case = pytest.mark.parametrize("case", CASES)
affine = pytest.mark.parametrize("with_weight", [True, False], ids=["affine", "bare"])


@pytest.fixture
def resize(monkeypatch):
    """Has the tensors of the tests count as large, in blocks of two samples."""

    def as_large(large: bool, shape=(1,)) -> None:
        if large:
            per_sample = torch.Size(shape).numel() // shape[0]
            monkeypatch.setattr(fused, "SMALL", 0)
            monkeypatch.setattr(fused, "BLOCK", 2 * per_sample)

    return as_large


def inputs(case: str, with_weight: bool = True):
    """x, weight, bias, dL/dy, dims."""
    shape, dims, of_weight = CASES[case]
    rng = torch.Generator().manual_seed(0)

    def draw(size):
        return torch.randn(size, generator=rng, dtype=torch.float64)

    x, dy = (2 * draw(shape) + 1).requires_grad_(), draw(shape).requires_grad_()
    w, b = (draw(of_weight).requires_grad_() if with_weight else None for _ in range(2))
    return x, w, b, dy, dims


def assert_equal(got, want, tolerance=1e-12):
    assert len(got) == len(want) > 0
    for a, b in zip(got, want, strict=True):
        assert (a is None) == (b is None)
        if a is not None:
            assert a.shape == b.shape and a.dtype == b.dtype
            assert (a - b).abs().max() <= tolerance * max(1, b.abs().max())


def is_fused(y: torch.Tensor) -> bool:
    return type(y.grad_fn).__name__ in ("_SmallBackward", "_LargeBackward")


@every_case
@both_sizes
@affine
def test_value_statistics_and_gradient_are_equal(case, large, with_weight, resize):
    x, w, b, dy, dims = inputs(case, with_weight)
    resize(large, x.shape)
    wanted = [v for v in (x, w, b) if v is not None]
    y, mean, var = fused_normalize(x, dims, EPS, w, b)
    want = normalize(x, dims, EPS, w, b)
    assert type(y.grad_fn).__name__ == ("_LargeBackward" if large else "_SmallBackward")
    assert not mean.requires_grad and not var.requires_grad
    assert_equal((y, mean, var), want)
    assert_equal(grad(y, wanted, dy), grad(want[0], wanted, dy))


@every_case
@both_sizes
@affine
def test_second_and_third_derivatives_are_equal(case, large, with_weight, resize):
    x, w, b, dy, dims = inputs(case, with_weight)
    resize(large, x.shape)
    wanted = [v for v in (x, w, b, dy) if v is not None]
    results = []
    for function in (fused_normalize, normalize):
        y = function(x, dims, EPS, w, b)[0]
        first = grad(y, wanted[:-1], dy, create_graph=True)
        total = sum(v.pow(3).sum() for v in first)
        second = grad(total, wanted, create_graph=True, allow_unused=True)
        total = sum(v.pow(2).sum() for v in second if v is not None)
        results.append((*first, *second, *grad(total, wanted, allow_unused=True)))
    assert_equal(*results)


@every_case
@both_sizes
def test_first_and_second_derivatives_by_finite_differences(case, large, resize):
    x, w, b, _, dims = inputs(case)
    resize(large, x.shape)

    def f(x, w, b):
        return fused_normalize(x, dims, EPS, w, b)[0]

    assert torch.autograd.gradcheck(f, (x, w, b), check_batched_grad=True)
    assert torch.autograd.gradgradcheck(f, (x, w, b), check_batched_grad=True)


@pytest.mark.parametrize("case", ["batch (N, C, H, W)", "layer (N, C)", "group (N, C, H, W)"])
@both_sizes
@pytest.mark.parametrize("wanted", ["x", "w", "b", "wb"])
def test_gradients_to_some_of_the_inputs(case, large, wanted, resize):
    x, w, b, dy, dims = inputs(case)
    resize(large, x.shape)
    for name, v in (("x", x), ("w", w), ("b", b)):
        v.requires_grad_(name in wanted)
    ins = [v for v in (x, w, b) if v.requires_grad]
    y, want = (f(x, dims, EPS, w, b)[0] for f in (fused_normalize, normalize))
    first = grad(y, ins, dy, create_graph=True)
    assert_equal(grad(y, ins, dy, retain_graph=True), first)
    assert_equal(first, grad(want, ins, dy))


@both_sizes
def test_no_gradient_is_recorded_where_none_is_wanted(large, resize):
    x, w, b, _, dims = inputs("layer (N, C)")
    resize(large, x.shape)
    with torch.no_grad():
        assert not fused_normalize(x, dims, EPS, w, b)[0].requires_grad


@both_sizes
def test_any_arrangement_in_memory_will_do(large, resize):
    x, w, b, dy, dims = inputs("batch (N, C, H, W)")
    resize(large, x.shape)
    want = grad(normalize(x, dims, EPS, w, b)[0], (x, w, b), dy)
    last = x.detach().to(memory_format=torch.channels_last).requires_grad_()
    turned = x.detach().permute(3, 2, 1, 0).contiguous().permute(3, 2, 1, 0).requires_grad_()
    for one in (last, turned):
        y = fused_normalize(one, dims, EPS, w, b)[0]
        assert_equal(grad(y, (one, w, b), dy), want)
    for function in (fused_normalize, normalize):  # dL/dy is one number, repeated
        y = function(x, dims, EPS, w, b)[0]
        assert_equal(grad(y.sum(), (w, b)), (torch.zeros_like(w), torch.full_like(b, 24)))


@both_sizes
@affine
def test_the_output_may_be_changed_in_place(large, with_weight, resize):
    x, w, b, dy, dims = inputs("layer (N, C)", with_weight)
    resize(large, x.shape)
    want = grad(normalize(x, dims, EPS, w, b)[0].relu(), x, dy)
    assert_equal(grad(fused_normalize(x, dims, EPS, w, b)[0].relu_(), x, dy), want)


@both_sizes
def test_a_changed_input_is_noticed(large, resize):
    x, w, b, _, dims = inputs("layer (N, C)")
    resize(large, x.shape)
    x = x * 1
    y = fused_normalize(x, dims, EPS, w, b)[0]
    x += 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


@forward_mode
@every_case
@both_sizes
def test_transformed_by_torch_func(case, large, resize):
    x, w, b, dy, dims = (v.detach() if torch.is_tensor(v) else v for v in inputs(case))
    resize(large, x.shape)
    results = []
    for function in (fused_normalize, normalize):

        def loss(x, w, b, function=function):
            return (function(x, dims, EPS, w, b)[0].pow(3) * dy).sum()

        gradient = torch.func.grad(loss, (0, 1, 2))
        hessian = torch.func.hessian(loss, (0, 1))(x, w, b)
        mapped = torch.func.vmap(gradient, (None, 0, None))(x, torch.stack([w, 2 * w]), b)
        tangents = (torch.ones_like(x), torch.ones_like(w), torch.ones_like(b))
        along = torch.func.jvp(loss, (x, w, b), tangents)
        results.append([*gradient(x, w, b), *mapped, *along, *hessian[0], *hessian[1]])
    assert_equal(*results)


@forward_mode
def test_forward_differentiation_outside_of_torch_func():
    x, w, b, _, dims = inputs("layer (N, C)")
    with forward_ad.dual_level():
        duals = [forward_ad.make_dual(v, torch.ones_like(v)) for v in (x, w, b)]
        y, want = (f(duals[0], dims, EPS, *duals[1:])[0] for f in (fused_normalize, normalize))
        got, want = (forward_ad.unpack_dual(v).tangent for v in (y, want))
    assert_equal([got], [want])
    assert got.abs().max() > 0.1


@both_sizes
def test_traced_with_its_gradient(large, resize):
    x, w, b, dy, dims = inputs("group (N, C, H, W)")
    resize(large, x.shape)

    def f(x, w, b, dy):
        y = fused_normalize(x, dims, EPS, w, b)[0]
        return grad(y, (x, w, b), dy, create_graph=True)

    graph = make_fx(f)(x, w, b, dy)
    assert_equal(graph(2 * x, w + 1, b, dy), f(2 * x, w + 1, b, dy))


def odd_inputs():
    x, w, b, _, dims = inputs("layer (N, C)")
    each = (v.expand(x.shape).detach().requires_grad_() for v in (w, b))
    return {
        "no bias": (x, dims, w, None),
        "no weight": (x, dims, None, b),
        "float32": (x.detach().float().requires_grad_(), dims, w, b),
        "one bias for all": (x, dims, w, b[:1]),
        "a weight for each sample": (x, dims, *each),
    }


@pytest.mark.parametrize("which", odd_inputs())
@both_sizes
def test_whatever_else_is_the_plain_function(which, large, resize):
    x, dims, w, b = odd_inputs()[which]
    resize(large, x.shape)
    ins = [v for v in (x, w, b) if v is not None]
    y, want = (f(x, dims, EPS, w, b)[0] for f in (fused_normalize, normalize))
    assert not is_fused(y) and torch.equal(y, want)
    for got, right in zip(grad(y.sum(), ins), grad(want.sum(), ins), strict=True):
        assert torch.equal(got, right)


@pytest.mark.parametrize("device, calls", [("cpu", 3), ("meta", 1)])
def test_only_the_processor_is_given_blocks(device, calls, resize, monkeypatch):
    x, w, b, _, dims = (v.to(device) if torch.is_tensor(v) else v for v in inputs("layer (N, C)"))
    resize(True, x.shape)
    seen = []

    def moments(x, dims, original=functional.moments):
        seen.append(len(x))
        return original(x, dims)

    monkeypatch.setattr(functional, "moments", moments)
    y, mean, _ = fused_normalize(x, dims, EPS, w, b)
    assert (len(seen), sum(seen)) == (calls, len(x))
    assert y.shape == x.shape and mean.shape == (len(x), 1)


@pytest.mark.parametrize("name", ["batch", "ghost_batch", "layer", "group", "instance"])
@pytest.mark.parametrize("native", [False, True], ids=["primitive", "native"])
def test_layers_on_large_inputs_of_float32(name, native):
    """Above both sizes as they are, against the same in float64."""
    options = {"group": {"group_size": 8}, "ghost_batch": {"ghost_size": 5}}
    case = Case(name, (10, 64, 32, 33), options.get(name, {}))
    assert torch.Size(case.shape).numel() > 2 * fused.BLOCK > fused.SMALL
    rng = torch.Generator().manual_seed(1)
    x, dy = torch.randn((2, *case.shape), generator=rng)
    results = []
    for dtype in (torch.float32, torch.float64):
        layer = case.layer(dtype, native=native and dtype == torch.float32)
        x_ = (3 + x).to(dtype).requires_grad_()
        y = layer(x_)
        results.append([y, *grad(y, (x_, *layer.parameters()), dy.to(dtype)), *layer.buffers()])
    for got, want in zip(*results, strict=True):
        assert (got - want).abs().max() <= 2e-5 * max(1, want.abs().max())
