"""Copies, files, torch.func, autocast, torch.compile and devices."""

import copy
import io
import json
import pickle

import pytest
import torch
from torch import nn
from torch.func import functional_call, grad, stack_module_state, vmap

from bnlab.norms.weight import WEIGHT_NORMS, normalize_weights
from tests.norms.weight.weight_cases import layer_and_input

every_name = pytest.mark.parametrize("name", WEIGHT_NORMS)


def model(name: str, seed: int = 0) -> tuple[nn.Module, torch.Tensor]:
    """Convolution, transposed convolution and linear layer, all normalized, in float64."""
    conv, x = layer_and_input("conv2d", seed=seed)
    up = nn.ConvTranspose2d(3, 4, 2, groups=1).double()
    head = nn.Linear(4, 3).double()
    generator = torch.Generator().manual_seed(seed)
    for p in (*up.parameters(), *head.parameters()):
        nn.init.normal_(p, generator=generator)
    net = nn.Sequential(conv, nn.Tanh(), up, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)
    normalize_weights(net, name)
    return net, x


@every_name
def test_a_deep_copy_computes_the_same_and_is_independent(name):
    net, x = model(name)
    y = net(x)
    twin = copy.deepcopy(net)
    assert torch.equal(twin(x), y)
    with torch.no_grad():
        for p in twin.parameters():
            p.add_(1)
    assert torch.equal(net(x), y) and not torch.equal(twin(x), y)


@every_name
def test_a_state_dict_travels_through_a_file(name):
    net, x = model(name)
    other, _ = model(name, seed=1)
    assert not torch.equal(other(x), net(x))
    file = io.BytesIO()
    torch.save(net.state_dict(), file)
    file.seek(0)
    assert other.load_state_dict(torch.load(file, weights_only=True)) == ([], [])
    assert torch.equal(other(x), net(x))


@every_name
def test_torch_refuses_to_pickle_the_module_but_not_the_normalizer(name):
    net, _ = model(name)
    with pytest.raises(RuntimeError, match="only supported through state_dict"):
        pickle.dumps(net)
    norm = net[0].parametrizations["weight"][0]
    twin = pickle.loads(pickle.dumps(norm))
    chain = net[0].parametrizations["weight"]
    originals = (chain.original0, chain.original1) if name == "weight_norm" else (chain.original,)
    assert torch.equal(twin(*originals), norm(*originals))


@every_name
def test_functional_call_grad_and_vmap_over_models_equal_a_loop(name):
    nets = [model(name, seed)[0] for seed in range(3)]
    x = model(name)[1]
    params, buffers = stack_module_state(nets)
    skeleton = copy.deepcopy(nets[0])

    def loss(p, b, x):
        return functional_call(skeleton, (p, b), (x,)).square().mean()

    got = vmap(grad(loss), (0, 0, None))(params, buffers, x)
    for i, net in enumerate(nets):
        net.zero_grad()
        net(x).square().mean().backward()
        for key, p in net.named_parameters():
            torch.testing.assert_close(got[key][i], p.grad, rtol=1e-10, atol=1e-12)


@every_name
@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated")  # torch's forward mode
def test_hessian_vector_products_equal_the_difference_of_gradients(name):
    net, x = model(name)
    params = {k: p.detach() for k, p in net.named_parameters()}
    direction = {
        k: torch.linspace(-1, 1, p.numel()).double().reshape(p.shape) for k, p in params.items()
    }

    def gradient(p):
        return grad(lambda q: functional_call(net, q, (x,)).square().mean())(p)

    _, got = torch.func.jvp(gradient, (params,), (direction,))
    h = 1e-5
    ahead, behind = (
        gradient({k: p + s * h * direction[k] for k, p in params.items()}) for s in (1, -1)
    )
    scale = max(v.abs().max() for v in got.values())
    for key in params:
        want = (ahead[key] - behind[key]) / (2 * h)
        assert (got[key] - want).abs().max() < 1e-6 * scale


@every_name
def test_under_autocast_the_weight_is_normalized_in_float32(name):
    net, x = model(name)
    net, x = net.float(), x.float()
    want = net(x)
    plain = net[0].weight
    with torch.autocast("cpu", dtype=torch.bfloat16):
        weight, y = net[0].weight, net(x)
    assert y.dtype == torch.bfloat16 and weight.dtype == torch.float32
    assert torch.equal(weight, plain)
    torch.testing.assert_close(y.float(), want, rtol=0, atol=0.02 * want.abs().max().item())
    y.float().square().mean().backward()
    assert all(p.grad.dtype == torch.float32 and p.grad.any() for p in net.parameters())


@every_name
@pytest.mark.filterwarnings("ignore")  # the compiler's own
def test_torch_compile_gives_the_same_output_and_gradients(name):
    net, x = model(name)
    twin = copy.deepcopy(net)
    compiled = torch.compile(net, backend="aot_eager", fullgraph=True)
    for each in (compiled, twin):
        each(x).square().mean().backward()
    torch.testing.assert_close(compiled(x), twin(x), rtol=1e-12, atol=1e-12)
    for p, q in zip(net.parameters(), twin.parameters(), strict=True):
        torch.testing.assert_close(p.grad, q.grad, rtol=1e-10, atol=1e-12)


@every_name
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
def test_on_cuda_it_is_the_same(name):
    net, x = model(name)
    want = net(x)
    torch.testing.assert_close(net.cuda()(x.cuda()).cpu(), want, rtol=1e-9, atol=1e-9)


@every_name
def test_on_the_meta_device_shapes_can_be_had_without_numbers(name):
    layer = nn.Conv2d(3, 4, 3, device="meta")
    normalize_weights(layer, name)
    assert layer.weight.shape == (4, 3, 3, 3) and layer.weight.is_meta


def test_options_survive_json():
    options = {"eps": 1e-4, "gain": False, "gamma": "relu", "eligible": ["0"]}
    first, second = (nn.Sequential(nn.Linear(4, 3)) for _ in range(2))
    second.load_state_dict(first.state_dict())
    normalize_weights(first, "scaled_weight_standardization", **options)
    normalize_weights(second, "scaled_weight_standardization", **json.loads(json.dumps(options)))
    assert torch.equal(first[0].weight, second[0].weight)
    assert repr(first) == repr(second)
