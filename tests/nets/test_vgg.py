"""A plain net with max pooling is a small VGG: as one by hand, in a stack, refused elsewhere."""

import numpy as np
import pytest
import torch
from torch import nn

from bnlab.engines.wide import is_wideable, take_out, widen
from bnlab.nets import make_net
from bnlab.train import Run, train, train_many
from bnlab.train.ways import fastest

SHAPE = (3, 16, 16)
RUN = Run(net="plain", depth=4, width=4, norm="batch", net_options={"downsample": "max_pool"})


def vgg(norm="batch", seed=0, depth=6):
    return make_net("plain", SHAPE, 10, depth, 4, norm, seed=seed, downsample="max_pool").double()


def by_hand(norm):
    """Two convolutions a stage, with a pool of 2 x 2 between the stages."""

    def conv(fan_in, fan_out):
        after = nn.BatchNorm2d(fan_out) if norm == "batch" else nn.Identity()
        return [nn.Conv2d(fan_in, fan_out, 3, padding=1), after, nn.ReLU()]

    layers = [*conv(3, 4), *conv(4, 4), nn.MaxPool2d(2), *conv(4, 8), *conv(8, 8)]
    layers += [nn.MaxPool2d(2), *conv(8, 16), *conv(16, 16)]
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10)]
    return nn.Sequential(*layers).double()


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_it_is_the_net_by_hand(norm):
    net, hand = vgg(norm), by_hand(norm)
    assert len(list(net.parameters())) == len(list(hand.parameters()))
    with torch.no_grad():
        for p, own in zip(hand.parameters(), net.parameters(), strict=True):
            p.copy_(own)
    x = torch.randn(5, *SHAPE, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(net(x), hand(x), rtol=1e-10, atol=1e-12)


def test_it_starts_from_the_weights_of_the_net_with_strides():
    strided = make_net("plain", SHAPE, 10, 6, 4, "batch").double()
    pooled = vgg()
    for p, q in zip(pooled.parameters(), strided.parameters(), strict=True):
        assert torch.equal(p, q)
    assert sum(isinstance(module, nn.MaxPool2d) for module in pooled.modules()) == 2


@pytest.mark.parametrize("norm", ["none", "batch", "layer"])
def test_nets_side_by_side_compute_what_each_computes(norm):
    nets = [vgg(norm, seed) for seed in range(3)]
    assert is_wideable(nets[0])
    wide, x = widen(nets), torch.rand(4, 9, 16, 16, dtype=torch.float64)
    want = torch.cat([net(x[:, 3 * k : 3 * k + 3]) for k, net in enumerate(nets)], 1)
    torch.testing.assert_close(wide(x), want, rtol=1e-9, atol=1e-11)
    torch.testing.assert_close(take_out(wide, 1, 3, vgg(norm)).state_dict(), nets[1].state_dict())


def test_a_stack_trains_it_as_train_does():
    run = RUN.replace(steps=4, precision="float64")
    runs = [run, run.replace(seed=3, lr=0.3)]
    for one, other in zip(train_many(runs, engine="stack"), map(train, runs), strict=True):
        np.testing.assert_allclose(one.loss, other.loss, rtol=1e-9)


def test_the_compiled_engine_refuses_it_and_the_fastest_way_is_another():
    with pytest.raises(ValueError, match="halves images by a stride, and does not pool them"):
        train(RUN, engine="compiled")
    assert fastest(RUN.replace(steps=3000), device="cpu") == "torch"


def test_another_way_to_downsample_is_refused():
    with pytest.raises(ValueError, match=r"unknown downsample 'maxpool'\. Did you mean 'max_pool'"):
        train(RUN.replace(net_options={"downsample": "maxpool"}, steps=1))
    with pytest.raises(ValueError, match="'downsample'"):
        RUN.replace(net="resnet")
