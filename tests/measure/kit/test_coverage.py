"""Each result names the modules with weights that it is about, and those that it has left out."""

import warnings

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from bnlab import measure
from bnlab.measure.kit.coverage import FROZEN, ITSELF
from tests.measure.kit.instruments import INSTRUMENTS, batch, plain_net

LAYERWISE = ("signals", "output gradients", "cancellation", "inputs", "input shift", "step moments")


class Conv1D(nn.Module):
    """As in GPT-2: a weight of (inputs, outputs)."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(inputs, outputs) / inputs)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        return x @ self.weight + self.bias


class First(nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        out = (
            self.inner(x, x, x) if isinstance(self.inner, nn.MultiheadAttention) else self.inner(x)
        )
        return out[0]


class Functional(nn.Module):
    def __init__(self):
        super().__init__()
        self.matrix = nn.Parameter(torch.eye(8) / 2)
        self.head = nn.Linear(8, 8)

    def forward(self, x):
        return self.head(nn.functional.linear(x, self.matrix))


STRANGE = {
    "Conv1D": lambda: Conv1D(8, 8),
    "LSTM": lambda: First(nn.LSTM(8, 8, batch_first=True)),
    "MultiheadAttention": lambda: First(nn.MultiheadAttention(8, 2)),
    "Functional": Functional,
}


def strange_net(kind):
    torch.manual_seed(0)
    one = STRANGE[kind]()
    stages = [nn.Linear(4, 8), nn.ReLU(), one, nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 3)]
    return nn.Sequential(*stages)


@pytest.mark.parametrize("kind", STRANGE)
@pytest.mark.parametrize("name", LAYERWISE)
def test_what_a_look_at_layers_leaves_out_is_named_and_told(name, kind):
    x, y = torch.randn(6, 4), torch.arange(6) % 3
    with pytest.warns(UserWarning, match=rf"Left out.*\({kind}\)") as told:
        found = INSTRUMENTS[name](strange_net(kind), cross_entropy, x, y)
    assert len(told) == (2 if name == "input shift" else 1)  # one line for each look
    assert told[0].filename.endswith("instruments.py") or told[0].filename == __file__
    left = {n for n in found.left_out if n.startswith("2")}
    assert left and not left & set(found.covered)
    assert "0" in found.covered


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_nothing_is_forgotten(name):
    net, (x, y) = plain_net(), batch()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = INSTRUMENTS[name](net, cross_entropy, x, y)
    owners = {n for n, m in net.named_modules() if list(m.parameters(recurse=False))}
    assert set(found.covered) | set(found.left_out) == owners
    assert not set(found.covered) & set(found.left_out)
    assert all(len(reason) > 10 for reason in found.left_out.values())


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_weights_of_the_net_itself_and_a_frozen_backbone(name):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.back, self.norm = nn.Linear(4, 8).requires_grad_(False), nn.BatchNorm1d(8)
            self.scale, self.head = nn.Parameter(torch.ones(8)), nn.Linear(8, 3)

        def forward(self, x):
            return self.head(self.norm(self.back(x)) * self.scale)

    x, y = batch()
    found = INSTRUMENTS[name](Net(), cross_entropy, x, y)
    assert {*found.covered, *found.left_out} == {"back", "norm", "head", ITSELF}
    if name in ("landscape", "curvature", "stable rate", "gradients", "covariate shift"):
        assert found.left_out["back"] == FROZEN


def test_what_was_asked_for_is_not_told():
    net = strange_net("LSTM")
    found = measure.measure_signals(net, None, torch.randn(6, 4), layers=["0"])
    assert found.covered == ("0",)
    assert set(found.left_out) == {"2.inner", "3", "5"}
    assert set(found.left_out.values()) == {"it is not among the layers that were asked for"}


def test_a_block_that_was_asked_for_covers_what_is_in_it():
    net = nn.Sequential(strange_net("MultiheadAttention"), nn.Linear(3, 3))
    found = measure.measure_signals(net, None, torch.randn(6, 4), layers=["0"])
    assert set(found.left_out) == {"1"} and "0.2.inner.out_proj" in found.covered


def test_operations_that_the_counter_does_not_see():
    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.ones(4, 4))

        def forward(self, x):
            return (x[:, :, None] * self.weight).sum(1)

    net = nn.Sequential(nn.Embedding(9, 4), Outer(), nn.LayerNorm(4), nn.Linear(4, 2))
    with pytest.warns(UserWarning, match=r"1 \(Outer\): the counter saw no matrix product"):
        found = measure.measure_flops(net, torch.arange(8))
    assert found.covered == ("3",) and set(found.left_out) == {"0", "1", "2"}


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_parametrized_weights_belong_to_their_layers(name):
    net, (x, y) = plain_net(), batch()
    for place in (4, 6):
        nn.utils.parametrizations.weight_norm(net[place])
    found = INSTRUMENTS[name](net, cross_entropy, x, y)
    assert {*found.covered, *found.left_out} == {"0", "1", "4", "6"}
