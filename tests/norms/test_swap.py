"""swap_norms on a ResNet-18, a transformer block, and every normalizer of torch and bnlab."""

import copy
import pickle
import re
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, parametrize

from bnlab.norms import NORMS, BatchNorm, GroupNorm, make_norm
from bnlab.norms.layouts import ChannelsLast, Positions
from bnlab.norms.swap import swap_norms


class BasicBlock(nn.Module):
    """torchvision's block: attribute names, order of modules, strides."""

    def __init__(self, fan_in: int, width: int, stride: int, norm: Callable):
        super().__init__()
        self.conv1 = nn.Conv2d(fan_in, width, 3, stride, 1, bias=False)
        self.bn1 = norm(width)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.bn2 = norm(width)
        self.downsample = None
        if stride != 1 or fan_in != width:
            conv = nn.Conv2d(fan_in, width, 1, stride, bias=False)
            self.downsample = nn.Sequential(conv, norm(width))

    def forward(self, x):
        identity = x if self.downsample is None else self.downsample(x)
        out = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(out)) + identity)


class ResNet18(nn.Module):
    """torchvision's resnet18, its width an argument."""

    def __init__(self, width: int = 8, norm: Callable = nn.BatchNorm2d):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.bn1 = norm(width)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, 2, 1)
        for i in range(4):
            fan_in, out = width * 2 ** max(i - 1, 0), width * 2**i
            first = BasicBlock(fan_in, out, 1 if i == 0 else 2, norm)
            setattr(self, f"layer{i + 1}", nn.Sequential(first, BasicBlock(out, out, 1, norm)))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.fc = nn.Linear(8 * width, 10)

    def forward(self, x):
        x = self.maxpool(self.relu(self.bn1(self.conv1(x))))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(torch.flatten(self.avgpool(x), 1))


class TransformerBlock(nn.Module):
    """Pre-norm attention and MLP on (N, T, C)."""

    def __init__(self, width: int = 8, norm: Callable = nn.LayerNorm):
        super().__init__()
        self.norm1, self.norm2 = norm(width), norm(width)
        self.attention = nn.MultiheadAttention(width, 2, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(width, 16), nn.GELU(), nn.Linear(16, width))

    def forward(self, x):
        u = self.norm1(x)
        x = x + self.attention(u, u, u, need_weights=False)[0]
        return x + self.mlp(self.norm2(x))


def seeded(make: Callable[[], nn.Module], seed: int = 0) -> nn.Module:
    """A model in float64 whose every parameter and statistic is a random number."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = make().double()
        with torch.no_grad():
            for name, p in model.named_parameters():
                if p.ndim == 1:
                    p.copy_(torch.randn(p.shape) / 4 + (1 if name.endswith("weight") else 0))
            for name, b in model.named_buffers():
                if b.is_floating_point():
                    b.copy_(torch.rand(b.shape) + (0.5 if name.endswith("var") else 0))
    return model


def data(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def results(model: nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    """Output, the input's gradient, and the parameters' gradients in the order of the model."""
    x = x.clone().requires_grad_()
    parameters = list(model.parameters())
    y = model(x)
    grads = torch.autograd.grad(
        (y * torch.cos(torch.arange(y.numel())).view_as(y)).sum(), [x, *parameters]
    )
    return [y, *grads]


def assert_same(got, want, tolerance=1e-9):
    for a, b in zip(got, want, strict=True):
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


def options_for(name: str) -> dict[str, int]:
    if name == "ghost_batch":
        return {"ghost_size": 3}
    return {"group_size": 4} if name in ("group", "evonorm_s0") else {}


# The two models of the package's promise


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
def test_resnet18_with_bnlabs_batch_norm_is_the_same_function(training):
    net = seeded(ResNet18).train(training)
    swapped = swap_norms(net, "batch")
    images = data(4, 3, 64, 64)
    assert_same(results(swapped, images), results(net, images))
    own, other = dict(swapped.named_buffers()), dict(net.named_buffers())
    assert len(own) == 2 * 20
    assert_same(own.values(), [other[name] for name in own])
    assert swapped.training == training


@pytest.mark.parametrize(
    "name, options, layer",
    [
        ("group", {"group_size": 4}, lambda c: nn.GroupNorm(c // 4, c)),
        ("group", {"num_groups": 2}, lambda c: nn.GroupNorm(2, c)),
        ("layer", {}, lambda c: nn.GroupNorm(1, c)),
        ("instance", {}, lambda c: nn.InstanceNorm2d(c, affine=True)),
    ],
)
def test_resnet18_with_another_normalizer_is_the_net_built_with_it(name, options, layer):
    net = seeded(ResNet18)
    want = ResNet18(norm=layer).double()
    want.load_state_dict(net.state_dict(), strict=False)
    swapped = swap_norms(net, name, **options)
    images = data(2, 3, 128, 128)
    assert_same(results(swapped, images), results(want, images))
    assert all(swap.kept == ("weight", "bias") for swap in swapped.swap_report.changed)
    assert all(swap.dropped[:1] == ("running_mean",) for swap in swapped.swap_report.changed)


def test_resnet18_without_normalizers_is_the_net_built_without():
    net = seeded(ResNet18)
    want = ResNet18(norm=lambda c: nn.Identity()).double()
    want.load_state_dict(net.state_dict(), strict=False)
    images = data(2, 3, 64, 64)
    assert_same(results(swap_norms(net, "none"), images), results(want, images))


@pytest.mark.parametrize("name", NORMS)
def test_every_normalizer_takes_the_place_of_batch_norm_in_resnet18(name):
    net = seeded(ResNet18).float()
    swapped = swap_norms(net, name, **options_for(name))
    assert [type(m) for m in swapped.modules() if type(m) in (NORMS[name], nn.BatchNorm2d)] == [
        NORMS[name]
    ] * 20
    assert [s.paths[0] for s in swapped.swap_report.changed] == [
        path for path, module in net.named_modules() if isinstance(module, nn.BatchNorm2d)
    ]
    images = data(3, 3, 128, 128).float()
    logits = swapped(images)
    assert logits.shape == (3, 10) and logits.isfinite().all()
    logits.square().mean().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in swapped.parameters())
    assert ("one too many" in str(swapped.swap_report)) == getattr(NORMS[name], "activates", False)
    back = swap_norms(swapped, "batch")
    assert sum(type(m) is BatchNorm for m in back.modules()) == 20
    if name in ("layer", "group", "instance"):
        weights = net.state_dict()
        assert all(torch.equal(p, weights[key]) for key, p in back.named_parameters())


def rms_reference(x: np.ndarray, weight: np.ndarray, eps: float) -> np.ndarray:
    return x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + eps) * weight


def test_transformer_block_with_bnlabs_layer_norm_is_the_same_function():
    block = seeded(TransformerBlock)
    swapped = swap_norms(block, "layer")
    assert isinstance(swapped.norm1, ChannelsLast)
    tokens = data(3, 5, 8)
    assert_same(swapped(tokens), block(tokens))
    x = tokens.clone().requires_grad_()
    want = torch.autograd.grad(block(x).sin().sum(), x)
    assert_same(torch.autograd.grad(swapped(x).sin().sum(), x), want)
    one_sequence = tokens[0]
    assert_same([swapped(one_sequence)], [block(one_sequence)])


def test_transformer_block_to_rms_normalizes_each_token_over_its_channels():
    block = seeded(lambda: TransformerBlock(norm=lambda c: nn.LayerNorm(c, eps=1e-3)))
    swapped = swap_norms(block, "rms")
    tokens = data(3, 5, 8)
    assert [change.kept for change in swapped.swap_report.changed] == [("weight",)] * 2
    assert [change.dropped for change in swapped.swap_report.changed] == [("bias",)] * 2
    weight = block.norm1.weight.detach().numpy()
    want = rms_reference(tokens.numpy(), weight, 1e-3)
    assert_same([swapped.norm1(tokens)], [torch.tensor(want)])


def test_transformer_block_to_rms_and_back_is_the_same_function():
    """RMSNorm has no bias: only a bias of zero, as a new LayerNorm has, comes back."""
    block = seeded(TransformerBlock)
    for norm in (block.norm1, block.norm2):
        nn.init.zeros_(norm.bias)
    there = swap_norms(block, "rms")
    back = swap_norms(there, "layer")
    tokens = data(3, 5, 8)
    assert not torch.allclose(there(tokens), block(tokens), atol=1e-3)
    assert_same([back(tokens)], [block(tokens)])
    assert back.norm1.norm.bias.tolist() == [0] * 8
    assert sum(p.numel() for p in back.parameters()) == sum(p.numel() for p in block.parameters())


def test_transformer_block_with_batch_norm_pools_all_tokens():
    block = seeded(TransformerBlock)
    tokens = data(3, 5, 8)
    got = swap_norms(block, "batch").norm1(tokens)
    rows = tokens.reshape(15, 8)
    u = (rows - rows.mean(0)) / (rows.var(0, unbiased=False) + 1e-5).sqrt()
    assert_same([got.reshape(15, 8)], [u * block.norm1.weight + block.norm1.bias])


def test_transformer_block_with_group_norm_stays_inside_of_a_token():
    block = seeded(TransformerBlock)
    tokens = data(3, 5, 8)
    got = swap_norms(block, "group", group_size=2).norm1(tokens)
    pairs = tokens.reshape(3, 5, 4, 2)
    half = (pairs[..., :1] - pairs[..., 1:]) / 2  # mean of a pair +- half, variance half^2
    u = torch.cat([half, -half], -1) / (half.square() + 1e-5).sqrt()
    assert_same([got], [u.reshape(3, 5, 8) * block.norm1.weight + block.norm1.bias])


def test_torchs_fused_encoder_layers_do_not_go_around_the_new_normalizers():
    layer = seeded(lambda: nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True))
    encoder = seeded(lambda: nn.TransformerEncoder(layer, 2)).eval()
    tokens = data(3, 5, 8)
    padding = torch.arange(5).expand(3, 5) >= torch.tensor([[3], [5], [5]])
    same, other = swap_norms(encoder, "layer"), swap_norms(encoder, "group", group_size=2)
    with torch.no_grad():  # in eval mode without gradients torch would take the fused kernel
        assert_same([same(tokens)], [encoder(tokens)])
        a = same(tokens, src_key_padding_mask=padding)
        b = other(tokens, src_key_padding_mask=padding)
        fused = other(tokens)
    assert_same([a[1:]], [same(tokens)[1:]])
    assert not torch.allclose(a, b, atol=1e-2)
    assert_same([fused], [other(tokens)])


# Each layer of torch, against the layer itself

EVERY_LAYER = {
    "batch 1d": (lambda: nn.BatchNorm1d(6), "batch", (5, 6)),
    "batch 1d, sequences": (lambda: nn.BatchNorm1d(6, eps=1e-2, momentum=0.3), "batch", (3, 6, 4)),
    "batch 2d": (lambda: nn.BatchNorm2d(6), "batch", (3, 6, 2, 4)),
    "batch 3d": (lambda: nn.BatchNorm3d(6), "batch", (3, 6, 2, 1, 3)),
    "batch, no affine": (lambda: nn.BatchNorm2d(6, affine=False), "batch", (3, 6, 2, 4)),
    "batch, no statistics": (
        lambda: nn.BatchNorm2d(6, track_running_stats=False),
        "batch",
        (3, 6, 2, 4),
    ),
    "layer": (lambda: nn.LayerNorm(6, eps=1e-2), "layer", (3, 4, 6)),
    "layer, flat": (lambda: nn.LayerNorm(6), "layer", (3, 6)),
    "layer, one sample": (lambda: nn.LayerNorm(6), "layer", (6,)),
    "layer, images": (lambda: nn.LayerNorm(6), "layer", (2, 3, 4, 6)),
    "layer, no bias": (lambda: nn.LayerNorm(6, bias=False), "layer", (3, 4, 6)),
    "layer, no affine": (lambda: nn.LayerNorm(6, elementwise_affine=False), "layer", (3, 4, 6)),
    "group": (lambda: nn.GroupNorm(3, 6), "group", (3, 6, 2, 4)),
    "group, sequences": (lambda: nn.GroupNorm(2, 6, eps=1e-2), "group", (3, 6, 4)),
    "group, volumes": (lambda: nn.GroupNorm(2, 6), "group", (2, 6, 2, 3, 2)),
    "group, no affine": (lambda: nn.GroupNorm(2, 6, affine=False), "group", (3, 6)),
    "instance 1d": (lambda: nn.InstanceNorm1d(6), "instance", (3, 6, 4)),
    "instance 2d": (lambda: nn.InstanceNorm2d(6, affine=True), "instance", (3, 6, 2, 4)),
    "instance 3d": (lambda: nn.InstanceNorm3d(6, eps=1e-2), "instance", (3, 6, 2, 4, 2)),
}


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("case", EVERY_LAYER)
def test_each_of_torchs_layers_is_equalled(case, training):
    make, name, shape = EVERY_LAYER[case]
    layer = seeded(make).train(training)
    swapped = swap_norms(nn.Sequential(layer), name)
    x = 3 * data(*shape) + 1
    assert_same(results(swapped, x), results(layer, x))
    own = {key.split(".")[-1]: value for key, value in swapped.named_buffers()}
    assert_same(own.values(), [layer.get_buffer(key) for key in own])


def test_sync_batch_norm_without_other_processes_is_batch_norm():
    layer = seeded(lambda: nn.SyncBatchNorm(6)).eval()  # in training it wants a GPU
    x = data(3, 6, 4, 2, 2)
    assert_same(results(swap_norms(layer, "batch"), x), results(layer, x))


def test_running_statistics_of_instance_norm_are_not_those_of_a_batch():
    """Its running variance is that within a sample: without the variance between samples."""
    layer = seeded(lambda: nn.InstanceNorm2d(4, affine=True, track_running_stats=True))
    swapped = swap_norms(layer, "batch")
    assert swapped.running_mean.tolist() == [0] * 4 and swapped.running_var.tolist() == [1] * 4
    assert torch.equal(swapped.weight, layer.weight)
    assert swapped.swap_report.changed[0].dropped == ("running_mean", "running_var")


def test_noise_belongs_to_the_new_normalizer():
    old = swap_norms(nn.BatchNorm2d(4), "noisy_batch", noise_seed=1)
    new = swap_norms(old, "noisy_batch", noise_seed=2)
    want = make_norm("noisy_batch", 4, noise_seed=2)
    assert torch.equal(new.noise_key, want.noise_key)
    assert not torch.equal(new.noise_key, old.noise_key)
    assert new.swap_report.changed[0].dropped == ()


@pytest.mark.parametrize("name", ["batch_renorm", "variance", "ghost_batch", "noisy_batch"])
def test_running_statistics_go_along_and_come_back(name):
    layer = seeded(lambda: nn.BatchNorm2d(4)).eval()
    there = swap_norms(layer, name, **options_for(name))
    x = data(3, 4, 2, 2)
    if name != "variance":  # which leaves the mean where it is
        assert_same([there(x)], [layer(x)])
        assert_same([swap_norms(there, "batch")(x)], [layer(x)])
    assert torch.equal(there.running_var, layer.running_var)


def test_layer_norm_without_a_bias_stays_without_and_bnlabs_gets_its_own():
    without = swap_norms(nn.LayerNorm(4, bias=False), "layer").norm
    assert without.weight is not None and without.bias is None
    again = swap_norms(nn.LayerNorm(4, bias=False), "layer", affine=True).norm
    assert again.bias.tolist() == [0] * 4


@pytest.mark.parametrize("eps", [None, 1e-2])
def test_torchs_rms_norm_is_equalled(eps):
    if not hasattr(nn, "RMSNorm"):
        pytest.skip("torch has RMSNorm from 2.4 on")
    layer = seeded(lambda: nn.RMSNorm(6, eps=eps))
    x = data(3, 4, 6)
    assert_same(results(swap_norms(layer, "rms"), x), results(layer, x))


def test_a_model_that_is_itself_a_normalizer():
    swapped = swap_norms(nn.BatchNorm2d(4), "group", group_size=2)
    assert isinstance(swapped, GroupNorm)
    assert swapped.swap_report.changed[0].paths == ("",)
    assert "the model itself: BatchNorm2d(4" in str(swapped.swap_report)


# What stays


def test_the_model_itself_is_not_touched(torch_random_state_stays):
    net = seeded(ResNet18)
    before = copy.deepcopy(net)
    swapped = swap_norms(net, "batch", momentum=0.5)
    swapped(data(2, 3, 64, 64)).sum().backward()
    with torch.no_grad():
        for p in swapped.parameters():
            p.zero_()
    assert repr(net) == repr(before)
    assert not hasattr(net, "swap_report")
    for (key, a), b in zip(net.state_dict().items(), before.state_dict().values(), strict=True):
        assert torch.equal(a, b), key
    assert all(p.grad is None for p in net.parameters())


def test_options_are_taken_over_unless_given():
    net = nn.Sequential(
        nn.BatchNorm2d(8, eps=0.1, momentum=0.2),
        nn.GroupNorm(4, 8, eps=0.3),
        nn.LayerNorm(8, eps=0.4, elementwise_affine=False),
    )
    batch = swap_norms(net, "batch")
    assert (batch[0].eps, batch[0].momentum, batch[0].affine) == (0.1, 0.2, True)
    assert (batch[1].norm.eps, batch[1].norm.momentum) == (0.3, 0.1)
    assert (batch[2].norm.eps, batch[2].norm.affine) == (0.4, False)
    given = swap_norms(net, "batch", eps=0.9, momentum=0.8, affine=True, native=True)
    assert [m.eps for m in given.modules() if isinstance(m, BatchNorm)] == [0.9] * 3
    assert [m.momentum for m in given.modules() if isinstance(m, BatchNorm)] == [0.8] * 3
    assert given[2].norm.weight.tolist() == given[2].norm.running_var.tolist() == [1] * 8
    again = swap_norms(given, "batch", eps=0.7)
    assert (again[0].eps, again[0].momentum, again[0].native) == (0.7, 0.8, True)


def test_the_group_size_of_a_group_norm_is_taken_over():
    net = nn.Sequential(nn.GroupNorm(4, 8))
    assert swap_norms(net, "group")[0].norm.group_size == 2
    assert swap_norms(net, "group", num_groups=2)[0].norm.group_size == 4
    assert swap_norms(swap_norms(net, "group", group_size=8), "group")[0].norm.group_size == 8


def test_after_no_normalizer_the_new_one_learns_again():
    none = swap_norms(nn.Sequential(nn.BatchNorm2d(4)), "none")
    assert none.swap_report.changed[0].dropped == ("weight", "bias", "running_mean", "running_var")
    layer = swap_norms(none, "layer")[0]
    assert layer.weight.tolist() == [1] * 4 and layer.bias.tolist() == [0] * 4


def test_training_modes_dtypes_and_frozen_parameters_stay():
    net = nn.Sequential(nn.BatchNorm2d(4).eval(), nn.BatchNorm2d(4).half(), nn.LayerNorm(4).eval())
    net[0].requires_grad_(False)
    net[1].bias.requires_grad_(False)
    swapped = swap_norms(net, "batch")
    assert [m.training for m in swapped] == [False, True, False]
    assert swapped[2].norm.training is False
    assert [m.weight.dtype for m in swapped[:2]] == [torch.float32, torch.float16]
    assert swapped[1].running_var.dtype == torch.float16
    assert [m.weight.requires_grad for m in swapped[:2]] == [False, True]
    assert [m.bias.requires_grad for m in swapped[:2]] == [False, False]


def test_a_normalizer_without_tensors_takes_device_and_dtype_of_its_model():
    net = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4, elementwise_affine=False))
    swapped = swap_norms(net.to("meta", torch.bfloat16), "batch")
    assert swapped[1].norm.running_mean.dtype == torch.bfloat16
    assert swapped[1].norm.running_mean.device.type == "meta"


@pytest.mark.parametrize("name", [n for n in NORMS if n != "none"])
def test_a_frozen_normalizer_is_replaced_by_a_frozen_one(name):
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4).requires_grad_(False))
    new = swap_norms(net, name, **options_for(name))[1]
    assert not any(p.requires_grad for p in new.parameters())


def test_a_module_used_twice_stays_one_module():
    shared = nn.BatchNorm2d(4)
    block = nn.Sequential(shared, nn.ReLU())
    net = nn.Sequential(block, nn.Sequential(shared), block)
    swapped = swap_norms(net, "group", group_size=2)
    assert swapped[0][0] is swapped[1][0] is swapped[2][0]
    assert isinstance(swapped[0][0], GroupNorm)
    assert [s.paths for s in swapped.swap_report.changed] == [("0.0", "1.0", "2.0")]


def test_a_parameter_used_twice_stays_one_parameter():
    net = nn.Sequential(nn.BatchNorm2d(4), nn.BatchNorm2d(4))
    net[1].weight = net[0].weight
    swapped = swap_norms(net, "layer")
    assert swapped[0].weight is swapped[1].weight
    assert swapped[0].bias is not swapped[1].bias


def test_hooks_are_called_with_what_the_model_sees():
    net = nn.Sequential(nn.LayerNorm(4), nn.Linear(4, 4))
    seen = []
    net[0].register_forward_pre_hook(lambda module, args: seen.append(args[0].shape))
    net[0].register_forward_hook(lambda module, args, out: seen.append(type(module)))
    net[0].register_full_backward_hook(lambda module, gi, go: seen.append(go[0].shape))
    swapped = swap_norms(net, "layer")
    tokens = data(2, 3, 4).float().requires_grad_()
    swapped(tokens).sum().backward()
    assert seen == [(2, 3, 4), ChannelsLast, (2, 3, 4)]


@pytest.mark.parametrize("name", ["batch", "layer", "group"])
def test_copies_pickles_state_dicts_and_vmap(name):
    block = seeded(TransformerBlock)
    swapped = swap_norms(block, name, **options_for(name)).eval()
    tokens = data(2, 3, 5, 8)
    want = torch.stack([swapped(part) for part in tokens])
    for other in (copy.deepcopy(swapped), pickle.loads(pickle.dumps(swapped))):
        assert_same([other(tokens[0])], [want[0]])
        assert other.swap_report == swapped.swap_report
    fresh = swap_norms(seeded(TransformerBlock, seed=3), name, **options_for(name)).eval()
    fresh.load_state_dict(swapped.state_dict())
    assert_same([fresh(tokens[0])], [want[0]])
    normalized = torch.func.vmap(swapped.norm1)(tokens)
    assert_same([normalized], [torch.stack([swapped.norm1(part) for part in tokens])])


# What is refused


class OwnForward(nn.BatchNorm2d):
    def forward(self, x):
        return super().forward(x).relu()


class ScaleNorm(nn.Module):
    def __init__(self):
        super().__init__()
        self.g = nn.Parameter(torch.ones(1))

    def forward(self, x):
        return self.g * x / x.norm()


class PreNorm(nn.Module):
    """Named like a normalizer, but it only holds one."""

    def __init__(self):
        super().__init__()
        self.norm, self.scale = nn.LayerNorm(4), nn.Parameter(torch.ones(1))

    def forward(self, x):
        return self.scale * self.norm(x)


def parametrized() -> nn.Module:
    return parametrizations.weight_norm(nn.LayerNorm(4))


REFUSED = {
    "layer norm of images": (
        lambda: nn.LayerNorm((3, 4)),
        "layer",
        {},
        "normalizes the last 2 axes together, (3, 4), with parameters for each position",
    ),
    "own forward": (
        lambda: OwnForward(4),
        "batch",
        {},
        "changes the forward method of BatchNorm2d, so its axes are unknown",
    ),
    "unknown class": (ScaleNorm, "layer", {}, "is a normalizer of neither torch nor bnlab"),
    "local response": (lambda: nn.LocalResponseNorm(2), "layer", {}, "neither torch nor bnlab"),
    "parametrized": (parametrized, "layer", {}, "remove the parametrization first"),
    "group size": (
        lambda: nn.BatchNorm2d(4),
        "group",
        {"group_size": 3},
        "group_size must divide num_features=4, got 3. Possible: [1, 2, 4].",
    ),
    "no group size": (lambda: nn.BatchNorm2d(4), "group", {}, "give exactly one of them"),
    "momentum": (
        lambda: nn.BatchNorm2d(4, momentum=None),
        "batch",
        {},
        "momentum must be a finite number between 0 and 1, got None",
    ),
    "instance norm of tokens": (
        lambda: nn.LayerNorm(4),
        "instance",
        {},
        "sees each position alone, (N, C) without H and W; InstanceNorm has one value a group",
    ),
    "bad eps": (
        lambda: nn.LayerNorm(4),
        "layer",
        {"eps": -1.0},
        "eps must be a finite number of 0 or more",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_done_is_refused_with_a_reason(case):
    make, name, options, reason = REFUSED[case]
    net = nn.Sequential(make())
    message = f"1 of 1 normalizers cannot become '{name}':\n  0: {type(net[0]).__name__}"
    with pytest.raises(ValueError, match=f"(?s){re.escape(message)}.*{re.escape(reason)}"):
        swap_norms(net, name, **options)
    left = swap_norms(net, name, strict=False, **options)
    assert type(left[0]).__name__ == type(net[0]).__name__
    assert not left.swap_report.changed
    assert left.swap_report.refused[0].paths == ("0",)
    assert reason in left.swap_report.refused[0].reason


def test_without_strict_the_others_are_replaced():
    net = nn.Sequential(nn.BatchNorm2d(8), nn.BatchNorm2d(6), nn.BatchNorm2d(4))
    with pytest.raises(ValueError, match="1 of 3 normalizers cannot become 'group':\n  1: Batch"):
        swap_norms(net, "group", group_size=4)
    swapped = swap_norms(net, "group", group_size=4, strict=False)
    assert [type(m) for m in swapped] == [GroupNorm, nn.BatchNorm2d, GroupNorm]
    text = str(swapped.swap_report).splitlines()
    assert text[0] == "swap_norms to 'group': 2 replaced"
    assert text[1] == (
        f"  0: {net[0]!r} -> GroupNorm(8, eps=1e-05, affine=True, group_size=4); "
        "kept weight, bias; dropped running_mean, running_var"
    )
    assert text[3:] == [
        "1 left as they are",
        f"  1: {net[1]!r}: group_size must divide num_features=6, got 4. Possible: [1, 2, 3, 6].",
    ]


def test_a_wrapper_named_like_a_normalizer_is_no_normalizer():
    swapped = swap_norms(PreNorm(), "layer")
    assert [s.paths for s in swapped.swap_report.changed] == [("norm",)]
    assert isinstance(swapped, PreNorm)


def test_parametrized_weights_are_no_normalizers():
    linear = parametrizations.weight_norm(nn.Linear(4, 4))
    parametrize.register_parametrization(linear, "bias", ScaleNorm())
    net = nn.Sequential(linear, nn.LayerNorm(4))
    assert [s.paths for s in swap_norms(net, "layer").swap_report.changed] == [("1",)]


def test_models_without_normalizers_and_no_models():
    with pytest.raises(ValueError, match="the model has no normalizer to replace; swap_norms know"):
        swap_norms(nn.Sequential(nn.Linear(3, 3), nn.ReLU()), "batch")
    with pytest.raises(TypeError, match=r"swap_norms takes a torch\.nn\.Module, got str"):
        swap_norms("resnet18", "batch")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_scripted_models_are_refused():
    scripted = torch.jit.script(nn.Sequential(nn.BatchNorm2d(4)))
    with pytest.raises(
        TypeError, match=r"scripted module cannot be changed; swap before torch\.ji"
    ):
        swap_norms(scripted, "batch")


@pytest.mark.parametrize(
    "lazy",
    [
        lambda: nn.LazyBatchNorm2d(),
        lambda: nn.LazyInstanceNorm2d(),
        lambda: nn.Sequential(nn.LazyLinear(4), nn.BatchNorm1d(4)),
    ],
)
@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")
def test_lazy_models_are_refused_until_a_batch_has_passed(lazy):
    net = nn.Sequential(lazy())
    with pytest.raises(ValueError, match=r"do not know their sizes yet: 0.*Send one batch through"):
        swap_norms(net, "batch", strict=False)
    net(torch.ones((2, 4) if isinstance(net[0], nn.Sequential) else (2, 4, 3, 3)))
    assert len(swap_norms(net, "batch").swap_report.changed) == 1


def test_unknown_names_and_options():
    net = nn.Sequential(nn.BatchNorm2d(4))
    with pytest.raises(ValueError, match=r"unknown normalizer 'gruop'\. Did you mean 'group'"):
        swap_norms(net, "gruop")
    with pytest.raises(ValueError, match="unknown option of normalizer 'layer': 'momentum'"):
        swap_norms(net, "layer", momentum=0.1)


# The adapters and the examples


def test_adapters_refuse_what_does_not_fit():
    last = ChannelsLast(make_norm("layer", 4))
    for shape in [(2, 8), (4, 3), ()]:  # (2, 8) could be read as (4, 4), wrongly
        message = f"made for 4 channels on the last axis, got shape {shape}"
        with pytest.raises(ValueError, match=re.escape(message)):
            last(torch.ones(shape))
    instance = swap_norms(nn.InstanceNorm1d(4), "instance")
    with pytest.raises(ValueError, match=r"takes 3 axes, batch and channels first, got shape \(4,"):
        instance(torch.ones(4, 4))
    batch = swap_norms(nn.BatchNorm1d(4), "batch")
    with pytest.raises(ValueError, match="takes 2 or 3 axes, batch and channels first"):
        batch(torch.ones(2, 4, 3, 3))
    with pytest.raises(ValueError, match="takes 2 or more axes, batch and channels first"):
        Positions(make_norm("layer", 4))(torch.ones(4))
    with pytest.raises(ValueError, match=r"was made for 4 channels \(axis 1\)"):
        Positions(make_norm("layer", 4))(torch.ones(2, 3, 5))
