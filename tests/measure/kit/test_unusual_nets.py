"""Checkpoints, frozen parts, sparse gradients, old parametrizations: right, or refused."""

import copy
from contextlib import nullcontext

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss
from torch.utils.checkpoint import checkpoint

from bnlab import measure
from tests.measure.kit.instruments import (
    INSTRUMENTS,
    NEEDS_BATCH_NORM,
    NEEDS_GRADIENTS,
    batch,
    numbers,
    plain_net,
)

MODAL = sorted(set(INSTRUMENTS) - NEEDS_BATCH_NORM)


class Parts(nn.Module):
    """Three parts, of which two may be checkpointed."""

    def __init__(self, reentrant=None, nested=False):
        super().__init__()
        torch.manual_seed(0)
        parts = [[nn.Linear(4, 8), nn.BatchNorm1d(8)], [nn.Linear(8, 8)], [nn.Linear(8, 3)]]
        self.a, self.b, self.c = (nn.Sequential(*part, nn.Tanh()) for part in parts)
        self.reentrant, self.nested = reentrant, nested

    def forward(self, x):
        if self.reentrant is None:
            return self.c(self.b(self.a(x)))
        kind = {"use_reentrant": self.reentrant}
        if self.nested:
            return checkpoint(lambda x: self.c(checkpoint(self.b, self.a(x), **kind)), x, **kind)
        return self.c(checkpoint(self.b, checkpoint(self.a, x, **kind), **kind))


@pytest.mark.parametrize("frozen", [(), ("a",), ("a", "b")])
@pytest.mark.parametrize("nested", [False, True])
@pytest.mark.parametrize("name", sorted(set(INSTRUMENTS) - {"memory"}))
def test_checkpoints_change_no_number(name, nested, frozen):
    x, y = batch()
    found = []
    for reentrant in (None, False):
        net = Parts(reentrant, nested)
        for part in frozen:
            getattr(net, part).requires_grad_(False)
        found.append(numbers(INSTRUMENTS[name](net.train(), cross_entropy, x, y)))
    assert found[0] == found[1]


def test_a_checkpoint_saves_memory():
    x, y = batch()
    kept = [measure.measure_memory(Parts(r), cross_entropy, x, y).saved for r in (None, False)]
    assert 0 < kept[1] < kept[0]


@pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad")
@pytest.mark.parametrize("name", INSTRUMENTS)
def test_reentrant_checkpoints_give_a_reason_or_the_right_value(name):
    x, y = batch()
    net, x = Parts(True), x.requires_grad_()
    try:
        found = numbers(INSTRUMENTS[name](net, cross_entropy, x, y))
    except ValueError as error:
        assert "use_reentrant=False" in str(error)
        assert name not in ("flops", "inputs", "input shift", "shift history")
    else:
        assert name == "memory" or found == numbers(INSTRUMENTS[name](Parts(), cross_entropy, x, y))


class NoGrad(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.back = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 8), nn.ReLU())
        self.head = nn.Linear(8, 3)

    def forward(self, x):
        with torch.no_grad():
            features = self.back(x)
        return self.head(features)


def test_a_backbone_without_a_graph():
    x, y = batch()
    with pytest.raises(ValueError, match=r"layer 'back\.0' runs without a graph"):
        measure.measure_signals(NoGrad(), cross_entropy, x, y)
    assert len(measure.measure_signals(NoGrad(), None, x).names) == 2
    found = measure.measure_signals(NoGrad(), cross_entropy, x, y, layers=["head"])
    assert found.gradient_norm[0] > 0


@pytest.mark.parametrize("name", INSTRUMENTS)
def test_a_frozen_backbone(name):
    net, (x, y) = plain_net(), batch()
    for part in net[:6]:
        part.requires_grad_(False)
    torch.manual_seed(0)
    found = INSTRUMENTS[name](net, cross_entropy, x, y)
    assert found is not None and all(p.grad is None for p in net.parameters())
    net[6].requires_grad_(False)
    refused = name in NEEDS_GRADIENTS
    with pytest.raises(ValueError, match=r"requires? a gradient") if refused else nullcontext():
        INSTRUMENTS[name](net, cross_entropy, x, y)


@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
@pytest.mark.parametrize("wrap", ["weight_norm", "spectral_norm"])
@pytest.mark.parametrize("name", MODAL)
def test_old_parametrizations_after_a_pass(name, wrap):
    net, (x, y) = plain_net(), batch()
    net[4] = getattr(torch.nn.utils, wrap)(net[4])
    before = copy.deepcopy({k: v.detach().clone() for k, v in net.state_dict().items()})
    first = numbers(INSTRUMENTS[name](net, cross_entropy, x, y, mode="eval"))
    value = cross_entropy(net.eval()(x), y)  # its weight is now no leaf: no deepcopy of it
    with pytest.raises(RuntimeError, match="deepcopy"):
        copy.deepcopy(net)
    assert numbers(INSTRUMENTS[name](net, cross_entropy, x, y, mode="eval")) == first
    value.backward()
    assert all(torch.equal(before[k], v) for k, v in net.state_dict().items())


@pytest.mark.parametrize("name", MODAL)
def test_a_cached_tensor_with_a_graph(name):
    class Caching(nn.Sequential):
        def forward(self, x):
            self.last = super().forward(x)
            return self.last

    net, (x, y) = Caching(*plain_net()), batch()
    net.eval()(x)
    assert numbers(INSTRUMENTS[name](net, cross_entropy, x, y)) == numbers(
        INSTRUMENTS[name](plain_net().eval(), cross_entropy, x, y)
    )


def test_sparse_gradients_made_by_a_function():
    class Table(nn.Module):
        def __init__(self, sparse):
            super().__init__()
            torch.manual_seed(0)
            self.weight, self.sparse = nn.Parameter(torch.randn(9, 4)), sparse

        def forward(self, x):
            return nn.functional.embedding(x, self.weight, sparse=self.sparse)

    x, y = torch.arange(8), torch.zeros(8, 4)
    for name in ("gradients", "covariate shift", "landscape", "stable rate"):
        dense, sparse = (INSTRUMENTS[name](Table(s), mse_loss, x, y) for s in (False, True))
        assert numbers(dense) == numbers(sparse), name
