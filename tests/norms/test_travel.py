"""Every normalizer copied, stored, compiled, mapped, in bfloat16 and on a GPU."""

import copy
import io
import json
import pickle

import pytest
import torch
from torch.func import functional_call, grad, stack_module_state, vmap

from bnlab.norms import NORMS
from bnlab.train import Run
from tests.norms.norm_cases import RUNNING, one_case, options_on

FLAT, IMAGES = (4, 6), (4, 6, 3, 2)
every_case = pytest.mark.parametrize(
    "case",
    [c for name in NORMS for shape in (FLAT, IMAGES) if (c := one_case(name, shape)) is not None],
    ids=str,
)
both_modes = pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])


def data(shape, seed=0):
    return 2 * torch.randn(shape, generator=torch.Generator().manual_seed(seed)) + 1


def trained(case, **more):
    """A layer that is not as it was made."""
    layer = case.layer(torch.float32, **more)
    rng = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter += 0.3 * torch.rand(parameter.shape, generator=rng)
    layer(data(case.shape, 9))
    return layer


def step(layer, x):
    """Output, gradients and the buffers after one pass."""
    x = x.detach().clone().requires_grad_()
    y = layer(x)
    grads = torch.autograd.grad(y.pow(3).sum(), (x, *layer.parameters()))
    return [y.detach(), *grads, *(b.clone() for b in layer.buffers())]


def assert_same(got, want, exact=True, **tolerance):
    assert len(got) == len(want)
    for a, b in zip(got, want, strict=True):
        if exact:
            assert torch.equal(a, b)
        else:
            torch.testing.assert_close(a, b, **tolerance)


def through_state_dict(layer, case):
    file = io.BytesIO()
    torch.save(layer.state_dict(), file)
    file.seek(0)
    other = case.layer(torch.float32).train(layer.training)
    other.load_state_dict(torch.load(file))
    return other


COPIES = {
    "deepcopy": lambda layer, case: copy.deepcopy(layer),
    "pickle": lambda layer, case: pickle.loads(pickle.dumps(layer)),
    "state_dict": through_state_dict,
}


@every_case
@both_modes
@pytest.mark.parametrize("how", COPIES)
def test_a_copy_is_equal_and_independent(case, training, how):
    layer = trained(case).train(training)
    other = COPIES[how](layer, case)
    before = {key: value.clone() for key, value in layer.state_dict().items()}
    got = step(other, data(case.shape))
    assert all(torch.equal(value, before[key]) for key, value in layer.state_dict().items())
    assert_same(got, step(layer, data(case.shape)))


@every_case
@both_modes
def test_a_functional_call_changes_only_what_it_was_given(case, training):
    layer = trained(case).train(training)
    twin = copy.deepcopy(layer)
    state = {name: value.clone() for name, value in layer.state_dict().items()}
    before = {name: value.clone() for name, value in layer.state_dict().items()}
    x = data(case.shape)
    assert torch.equal(functional_call(layer, state, (x,)), twin(x))
    assert all(torch.equal(value, before[name]) for name, value in layer.state_dict().items())
    assert all(torch.equal(value, state[name]) for name, value in twin.state_dict().items())
    moved = [name for name in state if not torch.equal(state[name], before[name])]
    assert bool(moved) == (training and case.name in RUNNING)


@every_case
@both_modes
def test_vmap_over_stacked_layers_equals_one_after_the_other(case, training):
    layers = [trained(case) for _ in range(3)]
    for k, layer in enumerate(layers):
        layer.train(training)
        for parameter in layer.parameters():
            torch.nn.init.constant_(parameter, 0.5 + k / 4)
        if case.name == "noisy_batch":
            layer.place(k, seed=3)
    xs = torch.stack([data(case.shape, k) for k in range(3)])
    params, buffers = stack_module_state(layers)
    template = case.layer(torch.float32).train(training)

    def loss(both, params, buffers):
        state = {**both["params"], **buffers}
        y = functional_call(template, state, (both["x"],))
        return y.pow(3).sum(), (y, {name: state[name] for name in buffers})

    given = {"x": xs, "params": params}
    grads, (ys, new) = vmap(grad(loss, has_aux=True), in_dims=(0, None, 0))(given, None, buffers)
    for k, layer in enumerate(layers):
        got = [ys[k], grads["x"][k], *(grads["params"][n][k] for n, _ in layer.named_parameters())]
        got += [new[name][k] for name, _ in layer.named_buffers()]
        assert_same(got, step(layer, xs[k]), exact=False, rtol=1e-4, atol=1e-4)


@every_case
@both_modes
def test_compiled_it_computes_the_same(case, training):
    """In one graph, forward and backward, by ``aot_eager``: tracing without a C++ compiler."""
    layer = trained(case).double().train(training)
    twin = copy.deepcopy(layer)
    torch._dynamo.reset()
    compiled = torch.compile(layer, backend="aot_eager", fullgraph=True)
    for seed in (0, 1):
        x = data(case.shape, seed).double()
        got = step(compiled, x)
        assert_same(got, step(twin, x), exact=False, rtol=1e-10, atol=1e-10)


@every_case
@both_modes
@pytest.mark.parametrize("native", [False, True], ids=["primitive", "native"])
def test_under_autocast_it_computes_in_float32_and_gives_bfloat16_back(case, training, native):
    if native and not NORMS[case.name].has_kernel:
        return
    layer = trained(case, native=native).train(training)
    twin = copy.deepcopy(layer)
    x = data(case.shape).bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        linear = torch.nn.functional.linear(x.movedim(1, -1), torch.eye(6)).movedim(-1, 1)
        y = layer(linear)
    assert y.dtype == linear.dtype == torch.bfloat16
    want = twin(x.float())
    # bfloat16 has 8 bits: half a step is 2^-9 of the value.
    torch.testing.assert_close(y.float(), want, rtol=2**-8, atol=2**-8)
    for got, right in zip(layer.buffers(), twin.buffers(), strict=True):
        assert got.dtype == right.dtype
        torch.testing.assert_close(got, right, rtol=1e-2 if native else 1e-6, atol=1e-4)
    if case.name != "none":
        y.sum().backward()
    assert all(p.grad.dtype == torch.float32 for p in layer.parameters())


@every_case
def test_in_bfloat16_all_of_it_stays_bfloat16(case):
    layer = trained(case).bfloat16()
    y = layer(data(case.shape).bfloat16())
    assert y.dtype == torch.bfloat16 and y.isfinite().all()
    assert {b.dtype for b in layer.buffers() if b.is_floating_point()} <= {torch.bfloat16}


@pytest.mark.parametrize("name", NORMS)
def test_options_travel_in_a_run(name):
    for options in options_on(name, IMAGES):
        run = Run(net="resnet", norm=name, norm_options=options)
        assert Run.from_dict(json.loads(json.dumps(run.to_dict()))) == run
        assert NORMS[name](6, **run.norm_options) is not None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@every_case
@both_modes
@pytest.mark.parametrize("native", [False, True], ids=["primitive", "native"])
def test_on_a_gpu_it_computes_the_same(case, training, native):
    layer = trained(case, native=native).train(training)
    twin = copy.deepcopy(layer).cuda()
    x = data(case.shape)
    got, want = step(twin, x.cuda()), step(layer, x)
    assert all(value.is_cuda for value in got)
    assert_same([v.cpu() for v in got], want, exact=False, rtol=1e-4, atol=1e-4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
@every_case
def test_on_a_gpu_under_autocast(case):
    layer = trained(case).cuda()
    with torch.autocast("cuda", dtype=torch.bfloat16):
        y = layer(data(case.shape).cuda().bfloat16())
    want = case.layer(torch.float32)
    want.load_state_dict(trained(case).state_dict())
    x = data(case.shape).bfloat16().float()
    torch.testing.assert_close(y.float().cpu(), want(x), rtol=2**-7, atol=2**-7)
