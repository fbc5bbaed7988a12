"""Signals inside a net: right values, and a net that is left as it was."""

import pytest
import torch
from torch import nn

from bnlab.measure import block_variances
from bnlab.nets import make_net


def test_the_variance_is_that_of_each_channel_on_average():
    x = torch.randn(5, 3, 4, 4, dtype=torch.float64)
    net = nn.Sequential(nn.Identity(), nn.Conv2d(3, 2, 1).double())
    (found,) = block_variances(net, x, nn.Conv2d)
    y = net(x)
    wanted = sum(((y[:, c] - y[:, c].mean()) ** 2).mean() for c in range(2)) / 2
    assert found == pytest.approx(wanted.item(), rel=1e-12)


def test_one_number_a_block_from_input_to_output():
    net = make_net("resnet", (1, 8, 8), 10, depth=4, width=8)
    x = torch.randn(16, 1, 8, 8)
    found = block_variances(net, x)
    assert len(found) == 4
    stem = net.blocks[0](net.stem(x))
    assert found[0] == pytest.approx(stem.var((0, 2, 3), unbiased=False).mean().item(), rel=1e-5)


def test_the_net_and_the_random_state_stay_as_they_were(torch_random_state_stays):
    net = make_net("resnet", (1, 8, 8), 10, depth=2, width=8, norm="batch")
    net = nn.Sequential(net, nn.Dropout(0.5))
    net.train()
    net[0].stem.eval()  # a part that its owner has frozen
    modes = [module.training for module in net.modules()]
    state = {name: value.clone() for name, value in net.state_dict().items()}
    block_variances(net, torch.randn(8, 1, 8, 8, generator=torch.Generator().manual_seed(0)))
    assert modes == [module.training for module in net.modules()]
    for name, value in net.state_dict().items():
        assert torch.equal(value, state[name]), name
    assert not any(module._forward_hooks for module in net.modules())


def test_an_error_in_the_net_leaves_it_as_it_was():
    net = make_net("resnet", (1, 8, 8), 10, depth=2, width=8, norm="batch").eval()
    with pytest.raises(RuntimeError):
        block_variances(net, torch.randn(8, 5, 8, 8))
    assert not net.training
    assert not any(module._forward_hooks for module in net.modules())


def test_a_net_without_blocks_is_refused():
    with pytest.raises(ValueError, match="no module of kind Block"):
        block_variances(nn.Sequential(nn.Flatten()), torch.randn(2, 3))
