"""A measurement between a user's forward and backward pass does not disturb the backward pass."""

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from bnlab.measure.kit.untouched import untouched
from bnlab.norms import make_norm
from tests.measure.kit.instruments import INSTRUMENTS, batch, plain_net


class Clamped(nn.Linear):
    """Changes its weights in place in each forward pass, as some binary nets do."""

    def forward(self, x):
        with torch.no_grad():
            self.weight.clamp_(-0.3, 0.3)
        return super().forward(x)


def with_norm(name):
    net = plain_net()
    net[1] = make_norm(name, 8)
    return net


def with_old_weight_norm():
    net = plain_net()
    net[4] = torch.nn.utils.weight_norm(net[4])
    return net


def with_old_spectral_norm():
    net = plain_net()
    net[4] = torch.nn.utils.spectral_norm(net[4])
    return net


def with_clamped_weights():
    net = plain_net()
    net[4] = Clamped(8, 8)
    return net


NETS = {
    "torch": plain_net,
    "batch": lambda: with_norm("batch"),
    "clamped": with_clamped_weights,
    "weight_norm": with_old_weight_norm,
    "spectral_norm": with_old_spectral_norm,
    "bfloat16": lambda: plain_net().bfloat16(),
}


@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
@pytest.mark.parametrize("kind", NETS)
@pytest.mark.parametrize("name", INSTRUMENTS)
def test_the_backward_pass_still_works(name, kind):
    torch.manual_seed(0)
    net, (x, y) = NETS[kind](), batch()
    x = x.to(next(net.parameters()).dtype)

    def gradients(measured):
        torch.manual_seed(3)
        buffers = [b.clone() for b in net.buffers()]
        value = cross_entropy(net(x), y)
        if measured:
            INSTRUMENTS[name](net, cross_entropy, x, y, mode="train")
        found = torch.autograd.grad(value, list(net.parameters()))
        for buffer, old in zip(net.buffers(), buffers, strict=True):
            buffer.data.copy_(old)
        return found

    if kind == "bfloat16" and name == "cancellation":
        pytest.skip("torch has no such product of 16 bits on this processor")
    for alone, after in zip(gradients(False), gradients(True), strict=True):
        assert torch.equal(alone, after)


def test_what_is_equal_is_not_written():
    net = nn.Sequential(nn.Linear(2, 2))
    net[0].weight.data[0, 0] = torch.nan
    net.register_buffer("overlapping", torch.zeros(1).expand(3))  # nothing can be written there
    versions = [t._version for t in (*net.parameters(), *net.buffers())]
    with untouched(net):
        net(torch.ones(1, 2))
    assert versions == [t._version for t in (*net.parameters(), *net.buffers())]


@pytest.mark.parametrize("dtype", [torch.float16, torch.float64, torch.complex64, torch.bool])
def test_changes_behind_torch_s_back_are_undone(dtype):
    net = nn.Module()
    net.register_buffer("one", torch.ones(3, dtype=dtype))
    with untouched(net):
        net.one.data.zero_()  # no new version
    assert torch.equal(net.one, torch.ones(3, dtype=dtype))


@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")
def test_a_lazy_net_is_refused():
    with pytest.raises(ValueError, match=r"module '0' is lazy.*call the net once"):
        INSTRUMENTS["flops"](nn.Sequential(nn.LazyLinear(3)), None, torch.ones(2, 2), None)
