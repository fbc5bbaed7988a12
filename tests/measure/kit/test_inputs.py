"""Nets that take dicts, several inputs, keywords or tokens, and give what is no tensor."""

import dataclasses
from contextlib import nullcontext

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from bnlab import measure
from bnlab.measure.kit.inputs import as_arguments, samples_in, tensors_in
from tests.measure.kit.instruments import INSTRUMENTS, batch, numbers, plain_net


@dataclasses.dataclass
class Output:
    logits: torch.Tensor
    loss: object = None


class Wrapped(nn.Module):
    def __init__(self, net):
        super().__init__()
        self.net = net


class OfDict(Wrapped):
    def forward(self, batch):
        return self.net(batch["x"] * batch["mask"][:, None])


class OfTwo(Wrapped):
    def forward(self, x, mask):
        return self.net(x * mask[:, None])


class ByName(Wrapped):
    def forward(self, *, x, mask=None):
        return self.net(input=x if mask is None else x * mask[:, None])


class OfAny(Wrapped):
    def forward(self, *args, **named):
        return self.net(args[0] if args else named["x"])


class GivesDict(Wrapped):
    def forward(self, x):
        return {"logits": self.net(x), "more": [x]}


class GivesOutput(Wrapped):
    def forward(self, x, labels=None):
        logits = self.net(x)
        return Output(logits, None if labels is None else cross_entropy(logits, labels))


def cases():
    x, y = batch()
    mask = torch.ones(12)
    both = {"x": x, "mask": mask}

    def of_logits(output, target):
        logits = output["logits"] if isinstance(output, dict) else output.logits
        return cross_entropy(logits, target)

    return {
        "a dict": (OfDict, cross_entropy, both, y),
        "a dict in a tuple": (OfDict, cross_entropy, (both,), y),
        "a tuple": (OfTwo, cross_entropy, (x, mask), y),
        "a dict by name": (OfTwo, cross_entropy, both, y),
        "names only": (ByName, cross_entropy, both, y),
        "one name": (ByName, cross_entropy, {"x": x}, y),
        "any names": (OfAny, cross_entropy, {"x": x}, y),
        "any position": (OfAny, cross_entropy, (x,), y),
        "a dict out": (GivesDict, of_logits, x, y),
        "a dataclass out": (GivesOutput, of_logits, x, y),
        "its own loss": (GivesOutput, lambda o, _: o.loss, {"x": x, "labels": y}, None),
    }


@pytest.mark.parametrize("kind", cases())
@pytest.mark.parametrize("name", INSTRUMENTS)
def test_the_same_numbers_as_by_position(name, kind):
    wrapper, loss, x, y = cases()[kind]
    call, (plain_x, plain_y) = INSTRUMENTS[name], batch()
    torch.manual_seed(0)
    expected = call(plain_net(), cross_entropy, plain_x, plain_y)
    found = call(wrapper(plain_net()), loss, x, y)
    if name == "memory":  # what is wrapped around the net keeps something too
        assert found.saved > 0 and found.parameters == expected.parameters
    elif name == "curvature":
        assert found.top == pytest.approx(expected.top, rel=1e-4)
    else:
        assert numbers(found).replace("net.", "") == numbers(expected)


@pytest.mark.parametrize("x", [None, {}, [], "a word", 3.0, {"x": 3}, (None,)])
@pytest.mark.parametrize("name", INSTRUMENTS)
def test_what_holds_no_tensor_is_refused(name, x):
    with pytest.raises(ValueError, match=r"x must be a tensor, or a dict|x is None"):
        INSTRUMENTS[name](plain_net(), cross_entropy, x, batch()[1])


@pytest.mark.parametrize("name", ["memory", "signals", "curvature", "landscape"])
def test_a_dict_that_can_be_meant_either_way(name):
    class One(Wrapped):
        def forward(self, x):
            return self.net(x["x"] if isinstance(x, dict) else x)

    (x, y), net, call = batch(), One(plain_net()), INSTRUMENTS[name]
    with pytest.raises(ValueError, match="is the entry meant or the dict"):
        call(net, cross_entropy, {"x": x}, y)
    assert numbers(call(net, cross_entropy, ({"x": x},), y)) == numbers(
        call(net, cross_entropy, (x,), y)
    )


@pytest.mark.parametrize("name", sorted(set(INSTRUMENTS) - {"gradient identity"}))
@pytest.mark.parametrize("sparse", [False, True])
def test_numbers_of_tokens(name, sparse):
    torch.manual_seed(0)
    stages = [nn.Linear(4, 4), nn.GELU(), nn.Linear(4, 3)]
    net = nn.Sequential(nn.Embedding(9, 4, sparse=sparse), *stages)
    x, y = torch.arange(8) % 9, torch.arange(8) % 3
    told = pytest.warns(UserWarning, match="Embedding") if name in TOLD else nullcontext()
    with told:
        found = INSTRUMENTS[name](net, cross_entropy, x, y)
    assert net[0].sparse == sparse and "nan" not in numbers(found)[:50]
    dense = nn.Sequential(nn.Embedding(9, 4), *stages)
    dense[0].weight = net[0].weight
    with told:
        assert numbers(INSTRUMENTS[name](dense, cross_entropy, x, y)) == numbers(found)


TOLD = {"signals", "output gradients", "cancellation", "inputs", "input shift", "shift history"} | {
    "step moments"
}


def test_what_goes_into_an_embedding_has_no_mean():
    net = nn.Sequential(nn.Embedding(9, 4), nn.Linear(4, 3))
    with pytest.raises(ValueError, match="no batch of floating-point numbers"):
        measure.layer_inputs(net, torch.arange(8), nn.Embedding)


def test_samples():
    x = {"x": torch.ones(12, 4), "mask": (torch.ones(12), [torch.ones(12, 1)])}
    assert samples_in(x) == 12 and len(list(tensors_in(x))) == 3
    net, pair = OfAny(plain_net()), (torch.ones(12, 4), torch.ones(4, 4))
    with pytest.raises(ValueError, match=r"first lengths \[4, 12\]: give samples="):
        measure.measure_flops(net, pair)
    assert measure.measure_flops(net, pair, samples=12).samples == 12


def test_a_tuple_for_a_net_of_one_argument_is_that_argument():
    assert as_arguments(nn.Sequential(), (1, 2)) == (((1, 2),), {})
    assert as_arguments(nn.Sequential(), [1, 2]) == (([1, 2],), {})
    assert as_arguments(nn.Bilinear(1, 1, 1), (1, 2)) == ((1, 2), {})
