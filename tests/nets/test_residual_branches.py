"""SkipInit and Fixup in the residual net, against their formulas."""

import math
import re

import pytest
import torch
from torch import nn

from bnlab.nets import initialize, make_net
from bnlab.nets.fixup import FixupBlock
from bnlab.nets.scalars import Scale, Shift


def net(branch: str, depth: int = 4, norm: str = "none", seed: int = 0, **options) -> nn.Module:
    return make_net("resnet", (1, 8, 8), 10, depth, 8, norm, options, seed, branch=branch)


def images(seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(16, 1, 8, 8, generator=generator)


def scalars(model: nn.Module, kind: type) -> list[float]:
    return [next(m.parameters()).item() for m in model.modules() if isinstance(m, kind)]


def randomized(branch: str) -> nn.Module:
    model = net(branch, depth=3).double()
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.3 * torch.randn(p.shape, generator=generator, dtype=torch.float64))
    return model


def test_plain_is_the_default_and_has_no_scalars():
    plain, default = net("plain"), make_net("resnet", (1, 8, 8), 10, 4, 8)
    assert plain.state_dict().keys() == default.state_dict().keys()
    assert torch.equal(plain(images()), default(images()))
    assert not scalars(plain, Scale) and not scalars(plain, Shift)
    assert "blocks.0.norm1.weight" not in plain.state_dict()


@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
def test_skipinit_starts_as_its_shortcuts_alone(norm):
    model = net("skipinit", norm=norm)
    assert scalars(model, Scale) == [0.0] * 4
    x = model.stem(images())
    for block in model.blocks:
        x = block.shortcut(x).relu()
    assert torch.equal(model(images()), model.head(x.mean((2, 3))))


def test_skipinit_follows_its_formula():
    model = randomized("skipinit")
    x = images().double()
    h = model.stem[0](x).relu()
    for block in model.blocks:
        alpha = block.scale.scale
        h = (alpha * block.conv2(block.conv1(h).relu()) + block.shortcut(h)).relu()
    torch.testing.assert_close(model(x), model.head(h.mean((2, 3))), rtol=1e-13, atol=1e-13)


def test_fixup_follows_its_formula():
    """Zhang et al. 2019, figure 1 right: a shift before each layer and ReLU, a scale a branch."""
    model = randomized("fixup")
    conv = nn.functional.conv2d
    p = dict(model.named_parameters())
    x = images().double()
    h = (conv(x, p["stem.0.weight"], padding=1) + p["stem.1.shift"]).relu()
    for i, block in enumerate(model.blocks):
        b = [p[f"blocks.{i}.shift{k}.shift"] for k in (1, 2, 3, 4)]
        stride = block.conv1.stride
        f = conv(h + b[0], p[f"blocks.{i}.conv1.weight"], stride=stride, padding=1)
        f = conv((f + b[1]).relu() + b[2], p[f"blocks.{i}.conv2.weight"], padding=1)
        skip = h
        if f"blocks.{i}.shortcut.weight" in p:
            skip = conv(h + b[0], p[f"blocks.{i}.shortcut.weight"], stride=stride)
        h = (p[f"blocks.{i}.scale.scale"] * f + b[3] + skip).relu()
    want = (h.mean((2, 3)) + p["shift.shift"]) @ p["head.weight"].T + p["head.bias"]
    torch.testing.assert_close(model(x), want, rtol=1e-12, atol=1e-12)
    assert len(scalars(model, Shift)) == 2 + 4 * 3 and len(scalars(model, Scale)) == 3


@pytest.mark.parametrize("depth", [1, 4, 9])
def test_fixup_starts_from_these_weights(depth):
    """Those of the plain net from the same seed, times L^(-1/2); zeros in the last ones."""
    fixup, plain = net("fixup", depth, seed=3), net("plain", depth, seed=3)
    for block, other in zip(fixup.blocks, plain.blocks, strict=True):
        want = other.conv1.weight * depth**-0.5
        torch.testing.assert_close(block.conv1.weight, want, rtol=1e-6, atol=0)
        assert not block.conv2.weight.any()
        if block.shortcut is not None:
            assert torch.equal(block.shortcut.weight, other.shortcut[0].weight)
    assert torch.equal(fixup.stem[0].weight, plain.stem[0].weight)
    assert not fixup.head.weight.any() and not fixup.head.bias.any()
    assert set(scalars(fixup, Scale)) == {1.0} and set(scalars(fixup, Shift)) == {0.0}
    loss = nn.functional.cross_entropy(fixup(images()), torch.arange(16) % 10)
    assert loss.item() == pytest.approx(math.log(10), rel=1e-6)


@pytest.mark.parametrize("branch", ["skipinit", "fixup"])
def test_initialize_again_gives_the_first_weights_back(branch):
    model, fresh = net(branch), net(branch)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(1)
    initialize(model, 0)
    for p, q in zip(model.parameters(), fresh.parameters(), strict=True):
        assert torch.equal(p, q)


def test_deep_nets_keep_the_scale_that_plain_ones_lose():
    def size(branch):
        model = net(branch, depth=24)
        return model.blocks(model.stem(images())).square().mean().item()

    start = net("plain", depth=24).stem(images()).square().mean().item()
    assert size("plain") > 1e4 * start
    for branch in ("skipinit", "fixup"):
        assert 0.1 * start < size(branch) < 10 * start


@pytest.mark.parametrize("branch", ["skipinit", "fixup"])
def test_sixteen_blocks_learn_at_a_rate_where_a_plain_net_diverges(branch):
    y = images().flatten(1)[:, :10].argmax(1)

    def losses(branch):
        model = net(branch, depth=16)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
        out = []
        for _ in range(20):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(images()), y)
            loss.backward()
            optimizer.step()
            out.append(loss.item())
        return out

    assert not losses("plain")[-1] < math.log(10)
    mine = losses(branch)
    assert mine[-1] < 0.85 * mine[0]


def test_every_parameter_of_fixup_gets_a_gradient_after_two_steps():
    model = net("fixup", depth=2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(3):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(images(step)), torch.arange(16) % 10).backward()
        optimizer.step()
    assert all(p.grad.any() for p in model.parameters())


def test_a_fixup_block_changes_shape_as_a_plain_one():
    assert FixupBlock(4, 8, 2)(torch.ones(2, 4, 6, 6)).shape == (2, 8, 3, 3)
    assert repr(Scale(0.5)) == "Scale(initial=0.5)"


def test_bad_input():
    with pytest.raises(ValueError, match=re.escape("branch of a residual net 'skipint'. Did you")):
        net("skipint")
    with pytest.raises(ValueError, match="branch='fixup' stands in for the normalizer: norm must"):
        net("fixup", norm="batch")
    with pytest.raises(ValueError, match="unknown option of normalizer 'none': 'epz'"):
        net("skipinit", epz=1)
