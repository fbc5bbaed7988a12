"""What a measurement may do to a net inside of ``untouched`` is gone outside."""

import pytest
import torch
from torch import nn

from bnlab.measure.kit.untouched import untouched
from bnlab.norms import make_norm


def net_and_batch():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        norms = [make_norm("batch", 4), nn.BatchNorm1d(4), make_norm("noisy_batch", 4)]
        net = nn.Sequential(nn.Linear(3, 4), *norms, nn.Dropout(), nn.Linear(4, 2))
        x = torch.randn(6, 3)
    net[1].eval()
    net[0].bias.requires_grad_(False)
    net(x).sum().backward()
    return net, x


def state(net):
    tensors = [*net.parameters(), *net.buffers()]
    gradients = [p.grad for p in net.parameters()]
    objects = [*tensors, *(g for g in gradients if g is not None)]
    values = [t.clone() for t in objects]
    flags = [p.requires_grad for p in net.parameters()], [m.training for m in net.modules()]
    return objects, values, flags, torch.get_rng_state()


def disturb(net, x):
    net.train()
    for parameter in net.parameters():
        parameter.requires_grad_(True)
    net.zero_grad()
    torch.optim.SGD(net.parameters(), lr=1.0).step(lambda: net(x).square().sum().backward())
    net(x).sum().backward()
    net[0].weight.grad.mul_(3)


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
def test_everything_is_as_before(error):
    net, x = net_and_batch()
    objects, values, flags, generator = state(net)
    try:
        with untouched(net):
            disturb(net, x)
            assert not torch.equal(net[0].weight, values[0])
            if error:
                raise error("stop")
    except (ValueError, KeyboardInterrupt):
        assert error
    after, _, flags_after, generator_after = state(net)
    assert all(a is b for a, b in zip(after, objects, strict=True))
    assert all(torch.equal(a, b) for a, b in zip(after, values, strict=True))
    assert flags_after == flags
    assert torch.equal(generator_after, generator)
