"""Modes and buffers that a look at a net leaves as they were."""

import pytest
import torch
from torch import nn

from bnlab.norms import make_norm
from bnlab.norms.kept import Buffers, kept_buffers, kept_modes


def nets() -> list[nn.Module]:
    return [make_norm("batch", 3), make_norm("batch", 3, native=True), nn.BatchNorm1d(3)]


@pytest.mark.parametrize("net", nets(), ids=["assigns", "native", "torch's own"])
def test_buffers_are_the_same_objects_with_the_same_numbers(net):
    x = torch.randn(8, 3, generator=torch.Generator().manual_seed(0))
    objects = dict(net.named_buffers())
    before = {name: buffer.clone() for name, buffer in objects.items()}
    saved = Buffers(net)
    for _ in range(3):
        net.train()(x)
        assert any(not torch.equal(before[n], b) for n, b in net.named_buffers())
        saved.restore()
        for name, buffer in net.named_buffers():
            assert buffer is objects[name] and torch.equal(buffer, before[name])


def test_modes_and_buffers_come_back_after_an_error():
    net = nn.Sequential(nn.BatchNorm1d(2), nn.Dropout())
    net[1].eval()
    with pytest.raises(RuntimeError, match="enough"), kept_modes(net), kept_buffers(net):
        net.train()(torch.randn(4, 2))
        net.eval()
        raise RuntimeError("enough")
    assert net.training and net[0].training and not net[1].training
    assert int(net[0].num_batches_tracked) == 0 and net[0].running_mean.abs().max() == 0


def test_a_backward_pass_that_is_still_to_come_does_not_see_a_look():
    net = make_norm("batch_renorm", 3)
    x = torch.randn(8, 3, generator=torch.Generator().manual_seed(0), requires_grad=True)
    y = net(x)
    with torch.no_grad(), kept_buffers(net):
        net(x + 1)
    y.square().sum().backward()  # would complain of a tensor that was changed in place
    assert torch.isfinite(x.grad).all()
