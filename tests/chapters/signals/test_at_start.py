"""The nets before their first step that B3 to B6, L1, L2 and L4 look at."""

import pytest
import torch
from torch import nn

from bnlab.chapters.signals import b3_to_b6_l1_at_start as start
from bnlab.norms import NORMS


@pytest.mark.parametrize("name", start.FAMILY)
def test_each_net_of_the_family_has_its_normalizer_in_float64_and_follows_its_seed(name):
    net, again, other = (start.net_at_start(name, seed) for seed in (1, 1, 2))
    kinds = {type(module) for module in net.modules()}
    assert [norm for norm in start.POOLING if NORMS[norm] in kinds] == [
        norm for norm in start.POOLING if norm == name
    ]
    x, _ = start.batch(1, 16)
    with torch.no_grad():
        y, same, differs = (one.train()(x) for one in (net, again, other))
    assert y.dtype == torch.float64 and y.shape == (16, 10) and y.isfinite().all()
    assert torch.equal(y, same) and not torch.equal(y, differs)


def test_scaled_weights_have_filters_of_mean_zero_and_equal_size():
    net = start.net_at_start("sws", 1)
    for name in start.convolutions(net):
        filters = net.get_submodule(name).weight.detach().flatten(1)
        assert filters.mean(1).abs().max() < 1e-9
        lengths = filters.norm(dim=1)
        torch.testing.assert_close(lengths, lengths[:1].expand_as(lengths), rtol=1e-3, atol=0)


def test_weight_norm_has_filters_of_length_one():
    net = start.net_at_start("weight_norm", 1)
    for name in start.convolutions(net):
        lengths = net.get_submodule(name).weight.flatten(1).norm(dim=1)
        torch.testing.assert_close(lengths, torch.ones_like(lengths), rtol=1e-3, atol=0)


@pytest.mark.parametrize(("name", "same"), [("sws_skipinit", True), ("sws", False)])
def test_skipinit_alone_starts_as_the_identity(name, same):
    net, seen = start.net_at_start(name, 1), []
    net.blocks[1].register_forward_hook(lambda _, given, out: seen.extend((given[0], out)))
    with torch.no_grad():
        net(start.batch(1, 16)[0])
    assert torch.allclose(*seen) == same


def test_groups_hold_eight_channels():
    net = start.net_at_start("group", 1)
    groups = [norm for norm in net.modules() if isinstance(norm, NORMS["group"])]
    assert groups and all(norm.group_size == start.GROUP_SIZE for norm in groups)


def test_the_convolutions_are_two_a_block_and_no_shortcut():
    net = start.net_at_start("none", 1)
    names = start.convolutions(net)
    assert len(names) == 2 * start.BASE.depth
    assert all(isinstance(net.get_submodule(name), nn.Conv2d) for name in names)


def test_a_batch_has_other_images_for_each_seed():
    (x, y), (again, _), (other, _) = start.batch(1, 64), start.batch(1, 64), start.batch(2, 64)
    assert x.dtype == torch.float64 and len(x) == len(y) == 64
    assert torch.equal(x, again) and not torch.equal(x, other)
    assert len(x.flatten(1).unique(dim=0)) == 64, "no image twice"
