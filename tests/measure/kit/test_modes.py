"""By default a net is measured in the modes that its modules have."""

import pytest
import torch
from torch.nn.functional import cross_entropy

from bnlab import measure
from tests.measure.kit.instruments import INSTRUMENTS, NEEDS_BATCH_NORM, batch, numbers, plain_net

MODAL = sorted(set(INSTRUMENTS) - NEEDS_BATCH_NORM)


def same(a, b):
    return numbers(a) == numbers(b)


@pytest.mark.parametrize("name", MODAL)
def test_as_it_is(name):
    net, (x, y) = plain_net(), batch()
    call = INSTRUMENTS[name]
    torch.manual_seed(0)
    asked = {mode: call(net, cross_entropy, x, y, mode=mode) for mode in ("train", "eval")}
    assert same(call(net.train(), cross_entropy, x, y), asked["train"])
    assert same(call(net.eval(), cross_entropy, x, y), asked["eval"])
    assert not any(module.training for module in net.modules())


def test_a_frozen_batch_norm_stays_frozen():
    net, (x, y) = plain_net(), batch()
    net.train()[1].eval()
    net[3] = torch.nn.Identity()  # no noise
    seen = measure.measure_signals(net, cross_entropy, x, y)
    with torch.no_grad():
        expected = torch.relu(net[1](net[0](x)))
    assert seen.mode == "mixed"
    assert seen.mean[0] == pytest.approx(float(expected.mean()), rel=1e-5)
    results = [INSTRUMENTS[name](net, cross_entropy, x, y) for name in MODAL]
    assert {getattr(result, "mode", "mixed") for result in results} == {"mixed"}
    assert not net[1].training and net[0].training


def test_the_theorem_refuses_a_frozen_batch_norm():
    net, (x, y) = plain_net(), batch()
    net[1].eval()
    with pytest.raises(ValueError, match=r"layer '1' is in evaluation mode.*Use mode='train'"):
        measure.measure_gradient_identity(net, cross_entropy, x, y)
    found = measure.measure_gradient_identity(net, cross_entropy, x, y, mode="train")
    assert found.error < 1e-4


@pytest.mark.parametrize("mode", ["test", "as it is", True, 1, ""])
@pytest.mark.parametrize("name", INSTRUMENTS)
def test_another_mode_is_refused(name, mode):
    net, (x, y) = plain_net(), batch()
    with pytest.raises(ValueError, match="mode must be"):
        INSTRUMENTS[name](net, cross_entropy, x, y, mode=mode)
