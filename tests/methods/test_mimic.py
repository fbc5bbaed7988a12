"""MimicNorm on bnlab's nets and on a residual net in torchvision's manner."""

import copy
import re

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrize

from bnlab.methods import mimic
from bnlab.methods.mimic import NONLINEAR, VARIANTS
from bnlab.nets import make_net
from bnlab.norms import BatchNorm, Normalizer, make_norm
from bnlab.norms.weight import project_after_step, project_weight_mean


def images(n: int = 6, seed: int = 0, dtype=torch.float64) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(n, 3, 8, 8, generator=generator, dtype=torch.float64).to(dtype)


def resnet(norm: str = "batch", depth: int = 3) -> nn.Module:
    return make_net("resnet", (3, 8, 8), 10, depth, 8, norm).double()


def centred(weight: torch.Tensor) -> torch.Tensor:
    return weight - weight.flatten(1).mean(1).reshape(-1, 1, 1, 1)


class Official:
    """The official nets, from their description alone: torch's functions and a dict of tensors.

    CIFAR: filters of more than 50 weights are centred, the shortcut is a convolution. ImageNet:
    all filters are centred, the shortcut is 1.2 times a convolution. In both: branch k of L is
    multiplied by 1.2^2 / k, and the logits are normalized over the batch.
    """

    def __init__(self, net: nn.Module, variant: str) -> None:
        self.is_imagenet = variant == "mimic_imagenet"
        self.strides = [m.conv1.stride[0] for m in net.blocks]
        self.p = {
            name: value.detach().clone()
            for name, value in net.named_parameters()
            if "norm" not in name and not re.search(r"stem\.1|shortcut\.1", name)
        }
        for k in range(len(net.blocks)):
            self.p[f"scale{k}"] = torch.tensor(1.2**2 / (k + 1), dtype=torch.float64)
            if self.is_imagenet and f"blocks.{k}.shortcut.0.weight" in self.p:
                self.p[f"skip{k}"] = torch.tensor(1.2, dtype=torch.float64)
        self.project()
        for value in self.p.values():
            value.requires_grad_()

    @torch.no_grad()
    def project(self) -> None:
        for value in self.p.values():
            if value.ndim == 4 and (self.is_imagenet or value[0].numel() > 50):
                value.copy_(centred(value))

    def conv(self, name: str, x: torch.Tensor, stride=1, padding=0) -> torch.Tensor:
        weight, bias = self.p[f"{name}.weight"], self.p[f"{name}.bias"]
        return nn.functional.conv2d(x, weight, bias, stride, padding)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv("stem.0", x, padding=1).relu()
        for k, stride in enumerate(self.strides):
            name = f"blocks.{k}"
            y = self.conv(f"{name}.conv1", x, stride, 1).relu()
            y = self.p[f"scale{k}"] * self.conv(f"{name}.conv2", y, padding=1)
            if f"{name}.shortcut.0.weight" in self.p:
                x = self.conv(f"{name}.shortcut.0", x[:, :, ::stride, ::stride])
                x = self.p.get(f"skip{k}", 1) * x
            x = (y + x).relu()
        z = x.mean((2, 3)) @ self.p["head.weight"].T + self.p["head.bias"]
        return (z - z.mean(0)) / (z.var(0, correction=0) + 1e-5).sqrt()

    def train(self, batches, lr: float) -> torch.Tensor:
        optimizer = torch.optim.SGD(list(self.p.values()), lr=lr, momentum=0.9)
        for x, y in batches:
            optimizer.zero_grad()
            nn.functional.cross_entropy(self(x), y).backward()
            optimizer.step()
            self.project()
        return self(images())


@pytest.mark.parametrize("variant", ["mimic_cifar", "mimic_imagenet"])
@pytest.mark.parametrize("weight_mean", ["parametrization", "projection"])
@pytest.mark.parametrize("norm", ["batch", "none", "layer"])
def test_both_variants_compute_and_train_as_the_official_nets(variant, weight_mean, norm):
    net = resnet(norm)
    assert net.stem[0].weight[0].numel() == 27, "not eligible in CIFAR: at most 50 weights"
    official, ours = Official(net, variant), mimic(net, variant, weight_mean=weight_mean)
    torch.testing.assert_close(ours(images()), official(images()), rtol=0, atol=1e-12)
    batches = [(images(8, seed), torch.arange(8)) for seed in range(1, 4)]
    optimizer = torch.optim.SGD(ours.parameters(), lr=0.02, momentum=0.9)
    if weight_mean == "projection":
        project_after_step(optimizer, ours, variant)
    for x, y in batches:
        optimizer.zero_grad()
        nn.functional.cross_entropy(ours(x), y).backward()
        optimizer.step()
    before = ours(images()).detach()
    torch.testing.assert_close(before, official.train(batches, 0.02), rtol=0, atol=1e-12)


def test_the_variants_are_different_nets():
    cifar, imagenet = (mimic(resnet(), name)(images()) for name in VARIANTS)
    assert (cifar - imagenet).abs().max() > 0.1


@pytest.mark.parametrize(
    ("part", "is_centred", "has_norm"),
    [
        ("both", True, True),
        ("weight_mean", True, False),
        ("last_norm", False, True),
        ("neither", False, False),
    ],
)
def test_each_part_alone(part, is_centred, has_norm):
    net = mimic(resnet(), part=part)
    conv = net.blocks[0].conv1.weight
    assert (conv.flatten(1).mean(1).abs().max() < 1e-9) == is_centred
    logits = net(images())
    assert (logits.mean(0).abs().max() < 1e-9) == has_norm
    assert net.blocks[0].norm2.scale.item() == 1.2**2, "the scalars stay in all of them"


def test_the_original_is_untouched():
    net = resnet()
    before, y = str(net), net.eval()(images())
    mimic(net)
    assert str(net) == before and torch.equal(net(images()), y)


@pytest.mark.parametrize("name, eligible", [("plain", "mimic_cifar"), ("mlp", "hidden")])
def test_in_other_nets_one_batch_norm_without_parameters_is_left(name, eligible):
    net = mimic(make_net(name, (3, 8, 8), 10, 3, 8, "batch"), eligible=eligible)
    norms = [m for m in net.modules() if isinstance(m, Normalizer)]
    assert len(norms) == 1 and isinstance(norms[0], BatchNorm)
    assert not list(norms[0].parameters()) and net.head[1] is norms[0]
    logits = net(images(dtype=torch.float32))
    assert logits.mean(0).abs().max() < 1e-5
    head = net.head[0]
    assert not parametrize.is_parametrized(head)
    means = [
        m.weight.flatten(1).mean(1).abs().max()
        for m in net.modules()
        if parametrize.is_parametrized(m)
    ]
    assert means and max(means) < 1e-7


def test_variance_rescales_the_eligible_weights():
    net = make_net("plain", (3, 8, 8), 10, 4, 16).double()
    out = mimic(net, variance=2.8)
    for layer, old in zip(out.body, net.body, strict=True):
        if not isinstance(layer, nn.Conv2d):
            continue
        if old.weight[0].numel() <= 50:
            assert torch.equal(layer.weight, old.weight)
            continue
        v = layer.parametrizations["weight"].original.detach()
        assert (v**2).mean().item() == pytest.approx(2.8 / v[0].numel(), rel=1e-12)
        torch.testing.assert_close(v / v.norm(), (old.weight / old.weight.norm()).detach())


def test_activations_keep_apart_where_those_of_a_plain_net_fall_together():
    """M3: weight mean takes the common part away (kernel: attracted by 0 instead of by 1)."""
    net = make_net("mlp", (3, 8, 8), 10, 15, 128)

    def cosine(net):
        with torch.no_grad():
            h = nn.functional.normalize(net.body[:-1](images(dtype=torch.float32)), dim=1)
        return (h @ h.T)[~torch.eye(6, dtype=bool)].mean().item()

    assert cosine(net) > 0.8
    assert abs(cosine(mimic(net, eligible="hidden"))) < 0.3


def test_both_ways_of_weight_mean_give_the_same_run_with_sgd():
    runs = []
    for way in ("parametrization", "projection"):
        net = mimic(resnet(), weight_mean=way)
        optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
        if way == "projection":
            project_after_step(optimizer, net, "mimic_cifar")
        losses = []
        for step in range(5):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(net(images(8, step)), torch.arange(8))
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        runs.append(losses)
    np.testing.assert_allclose(runs[0], runs[1], rtol=1e-9)
    assert runs[0][-1] != runs[0][0]


# --- a net that bnlab does not know ----------------------------------------------------------


class Basic(nn.Module):
    """torchvision's basic block: convolutions without biases."""

    def __init__(self, a: int, b: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(a, b, 3, stride, 1, bias=False), nn.BatchNorm2d(b)
        self.conv2, self.bn2 = nn.Conv2d(b, b, 3, 1, 1, bias=False), nn.BatchNorm2d(b)
        self.downsample = None
        if stride != 1:
            conv = nn.Conv2d(a, b, 1, stride, bias=False)
            self.downsample = nn.Sequential(conv, nn.BatchNorm2d(b))

    def forward(self, x):
        y = self.bn2(self.conv2(self.bn1(self.conv1(x)).relu()))
        return (y + (x if self.downsample is None else self.downsample(x))).relu()


class Foreign(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 8, 3, 1, 1, bias=False), nn.BatchNorm2d(8)
        self.layer1 = nn.Sequential(Basic(8, 8, 1), Basic(8, 16, 2))
        self.fc = nn.Linear(16, 10)

    def forward(self, x):
        return self.fc(self.layer1(self.bn1(self.conv1(x)).relu()).mean((2, 3)))


def test_a_foreign_net_needs_the_names_of_its_branch_ends():
    net = Foreign().double()
    out = mimic(net, "mimic_imagenet", branch_end="layer*.bn2", shortcut_end="*.downsample.1")
    assert isinstance(out.bn1, nn.Identity)
    scales = [out.layer1[i].bn2.scale.item() for i in range(2)]
    assert scales == pytest.approx([1.44, 0.72]) and all(
        out.layer1[i].bn2.scale.requires_grad for i in range(2)
    )
    assert out.layer1[1].downsample[1].scale.item() == pytest.approx(1.2)
    assert isinstance(out.fc[1], BatchNorm)
    convs = [m for m in out.modules() if isinstance(m, nn.Conv2d)]
    assert all(not m.bias.any() and m.bias.requires_grad for m in convs)
    assert all(m.weight.dtype == torch.float64 for m in convs)
    out(images()).square().sum().backward()


def test_the_shortcut_of_a_bottleneck_has_neither_scalar_nor_bias_for_cifar():
    ends = {"branch_end": "*.bn2", "shortcut_end": "*.downsample.1"}
    cifar, imagenet = (mimic(Foreign(), name, layers_a_branch=3, **ends) for name in VARIANTS)
    assert cifar.layer1[0].bn2.scale.item() == pytest.approx(1.2**3)
    conv, after = cifar.layer1[1].downsample
    assert conv.bias is None and isinstance(after, nn.Identity)
    assert cifar.layer1[1].conv2.bias is not None
    conv, after = imagenet.layer1[1].downsample
    assert conv.bias is not None and after.scale.item() == pytest.approx(1.2)
    assert mimic(Foreign(), **ends).layer1[1].downsample[0].bias is not None, "of a basic block"


@pytest.mark.parametrize(
    "training", [True, False], ids=["a net in training mode", "a net in evaluation mode"]
)
def test_modes_and_options_are_kept(training):
    out = mimic(resnet().train(training), momentum=0.5, native=True)
    assert all(m.training == training for m in out.modules())
    assert out.head[1].momentum == 0.5 and out.head[1].native


def test_copies_and_state_dicts_of_the_result():
    out = mimic(resnet())
    out(images())
    twin = copy.deepcopy(out).eval()
    other = mimic(resnet())
    assert other.load_state_dict(out.state_dict()) == ([], [])
    y = out.eval()(images())
    assert torch.equal(twin(images()), y) and torch.equal(other.eval()(images()), y)


# --- bad input -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "make, options, message",
    [
        (
            resnet,
            {"weight_mean": "projecton"},
            "weight_mean 'projecton'. Did you mean 'projection'",
        ),
        (resnet, {"variant": "cifar"}, "unknown variant 'cifar'. Did you mean 'mimic_cifar'"),
        (resnet, {"part": "last"}, "unknown part 'last'. Did you mean 'last_norm'"),
        (resnet, {"variance": 0}, "variance must be None or a positive number, got 0."),
        (
            resnet,
            {"variance": float("nan")},
            "variance must be None or a positive number, got nan.",
        ),
        (
            Foreign,
            {"branch_end": "*.bn7"},
            "branch_end='*.bn7' matches no normalizer. There are: bn1",
        ),
        (Foreign, {"shortcut_end": "x"}, "shortcut_end='x' matches no normalizer."),
        (lambda: make_net("mlp", (1, 8, 8), 10, 2, 8), {}, "takes no layer of this MLP"),
        (lambda: nn.Conv2d(8, 8, 3), {}, "this Conv2d has no Linear layer whose outputs could be"),
        (
            lambda: make_net("resnet", (1, 8, 8), 10, 2, 8, branch="skipinit"),
            {},
            "block 'blocks.0' does without normalizers already (SkipInit or Fixup)",
        ),
        (
            lambda: make_net("resnet", (1, 8, 8), 10, 2, 8, branch="fixup"),
            {},
            "block 'blocks.0' does without normalizers already (SkipInit or Fixup)",
        ),
        (resnet, {"momentun": 0.1}, "option of normalizer 'batch': 'momentun'. Did you mean"),
    ],
)
def test_bad_input(make, options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        mimic(make(), **options)


@pytest.mark.parametrize("name", NONLINEAR)
def test_normalizers_with_a_nonlinearity_are_refused(name):
    norm = make_norm(name, 32, **({"group_size": 8} if name == "evonorm_s0" else {}))
    net = nn.Sequential(nn.Conv2d(8, 32, 3), norm, nn.Flatten(), nn.Linear(32, 2))
    with pytest.raises(ValueError, match=r"normalizer '1' .* has a nonlinearity of its own"):
        mimic(net)


def test_a_last_linear_that_is_the_model_itself_works_too():
    out = mimic(nn.Linear(60, 3), eligible="all")
    assert isinstance(out, nn.Sequential) and isinstance(out[1], BatchNorm)
    projected = mimic(nn.Linear(60, 3), eligible="all", weight_mean="projection")
    assert project_weight_mean(projected, "all") == ("0",)
