"""Floating-point operations: by formula, also where fused kernels hide them."""

import pytest
import torch
from torch import nn

from bnlab.measure import measure_flops
from bnlab.nets import initialize
from bnlab.nets.architecture import macs
from bnlab.nets.supernet import Supernet


def of_transformer(n, tokens, width, inner):
    """2 m n k of each product: queries, keys and values; scores and mixture; out; two Linears."""
    rows = n * tokens
    attention = 2 * n * 2 * tokens * tokens * width
    return 2 * rows * width * 3 * width + attention + 2 * rows * width * (width + 2 * inner)


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("dropout", [0.0, 0.1])
def test_a_transformer_in_every_mode(frozen, mode, dropout):
    layer = nn.TransformerEncoderLayer(16, 2, 32, dropout=dropout, batch_first=True)
    net = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
    net.requires_grad_(not frozen)
    fast = torch.backends.mha.get_fastpath_enabled()
    found = measure_flops(net, torch.randn(3, 5, 16), mode)
    assert torch.backends.mha.get_fastpath_enabled() == fast
    assert found.total == sum(found.by_layer.values()) == 2 * of_transformer(3, 5, 16, 32)
    assert found.by_layer["layers.1.linear2"] == 2 * 15 * 16 * 32
    assert found.by_kind["Linear"] == 4 * 2 * 15 * 16 * 32
    assert found.macs == found.total / 2 / 3


def test_convolutions_and_what_a_module_computes_itself():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2)
            self.norm, self.same = nn.BatchNorm2d(6), nn.Linear(6, 6)

        def forward(self, x):
            x = self.norm(self.conv(x)).mean((2, 3))
            return self.same(self.same(x)) @ x.T

    found = measure_flops(Net(), torch.randn(5, 4, 8, 8))
    own = {"": 2 * 5 * 6 * 5, "conv": 2 * 5 * 6 * 16 * (4 // 2) * 9, "same": 2 * 2 * 5 * 36}
    assert found.by_layer == own
    assert found.total == sum(own.values()) and found.samples == 5


def test_a_supernet_counts_as_the_papers_do():
    net = Supernet((1, 8, 8), 10, 3, 4, ops=("k3e1", "k5e2"))
    initialize(net, 0)
    net.path = (1, 0, 1)
    assert measure_flops(net, torch.randn(4, 1, 8, 8)).macs == macs(net, net.path, (1, 8, 8))


def test_the_net_is_left_as_it_was(torch_random_state_stays):
    with torch.random.fork_rng():
        net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout()).eval()
    state = {name: value.clone() for name, value in net.state_dict().items()}
    measure_flops(net, torch.ones(5, 3))
    assert all(torch.equal(state[name], value) for name, value in net.state_dict().items())
    assert not any(module.training for module in net.modules())
    with pytest.raises(RuntimeError):
        measure_flops(net, torch.ones(5, 2))
    assert not net.training


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="mode must be"):
        measure_flops(nn.Linear(2, 2), torch.ones(3, 2), "test")
    with pytest.raises(ValueError, match="module '0' is a recurrent layer"):
        measure_flops(nn.Sequential(nn.LSTM(2, 2)), torch.ones(3, 4, 2))


def test_the_figure_says_what_it_shows():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(2 * 36, 10))
    figure = measure_flops(net, torch.ones(1, 1, 8, 8)).plot()
    conv, linear = 2 * 2 * 9 * 36, 2 * 72 * 10
    assert f"Linear 1.44 thousand ({100 * linear / (conv + linear):.0f} %)" in figure.alt
    assert "2.74 thousand in all" in figure.alt and "Linear computes 53 %" in figure.svgs[0]
