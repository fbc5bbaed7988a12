"""Normalizers that a model reaches around its registered modules are reported, never forgotten."""

import collections
import functools
import types
import weakref
from dataclasses import dataclass

import pytest
import torch
from torch import nn

from bnlab.norms import swap_norms


def images() -> torch.Tensor:
    return 3 + torch.randn(8, 4, 3, 3, generator=torch.Generator().manual_seed(0))


class Net(nn.Module):
    """Its forward calls what ``way`` makes of its normalizer, or of itself."""

    def __init__(self, way, registered=True):
        super().__init__()
        norm = nn.BatchNorm2d(4)
        if registered:
            self.bn = norm
        self.conv = nn.Conv2d(4, 4, 1)
        object.__setattr__(self, "way", way(self, norm))

    def forward(self, x):
        return called(self.way, x)


def called(way, x):
    if isinstance(way, list | tuple | collections.deque):
        return called(way[0], x)
    if isinstance(way, dict | collections.ChainMap):
        return called(way["first"], x)
    if isinstance(way, weakref.ref):
        return called(way(), x)
    if isinstance(way, Holder | Slotted | types.SimpleNamespace):
        return way.norm(x)
    return way(x)


@dataclass
class Holder:
    norm: nn.Module


class Slotted:
    __slots__ = ("norm",)

    def __init__(self, norm):
        self.norm = norm


Pair = collections.namedtuple("Pair", "first second")


def block(_net, norm):
    return [nn.Sequential(nn.ReLU(), norm)]


WAYS = {
    "a list": lambda net, norm: [norm],
    "a tuple in a dict": lambda net, norm: {"first": (norm,)},
    "a deque": lambda net, norm: collections.deque([norm]),
    "a plain attribute": lambda net, norm: norm,
    "a bound method": lambda net, norm: norm.forward,
    "a list of bound methods": lambda net, norm: [norm.__call__],
    "a closure": lambda net, norm: lambda x: norm(x),
    "a closure of a closure": lambda net, norm: (lambda f: lambda x: f(x))(lambda x: norm(x)),
    "a default": lambda net, norm: lambda x, norm=norm: norm(x),
    "a partial": lambda net, norm: functools.partial(lambda f, x: f(x), norm),
    "an object": lambda net, norm: Holder(norm),
    "an object with slots": lambda net, norm: Slotted(norm),
    "a block in a list": block,
    "a namespace": lambda net, norm: types.SimpleNamespace(norm=norm),
    "a weak reference": lambda net, norm: weakref.ref(norm),
    "a chain of dicts": lambda net, norm: collections.ChainMap({"first": norm}),
    "a named tuple": lambda net, norm: Pair(norm, 1),
}


@pytest.mark.parametrize("registered", [True, False], ids=["registered too", "not registered"])
@pytest.mark.parametrize("way", WAYS)
def test_each_way_around_is_refused_and_named(way, registered):
    if way == "a weak reference" and not registered:
        pytest.skip("nothing else holds it, so it is gone")
    net = Net(WAYS[way], registered)
    with pytest.raises(ValueError, match=r"(?s)1 of 1 normalizers.*way.*a swap cannot change"):
        swap_norms(net, "layer")
    left = swap_norms(net, "layer", strict=False)
    assert not left.swap_report.changed and len(left.swap_report.refused) == 1
    assert "way" in str(left.swap_report)
    x = images()
    assert torch.equal(left(x), net(x))


def test_a_closure_over_the_net_holds_what_it_names():
    class Parts(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b, self.seen = nn.BatchNorm2d(4), nn.BatchNorm2d(4), 0
            self.f = lambda x: self.a(x)
            self.look = lambda: self.seen

        def forward(self, x):
            return self.b(self.f(x))

    left = swap_norms(Parts(), "layer", strict=False)
    assert [r.paths for r in left.swap_report.refused] == [("a",)]
    assert [s.paths for s in left.swap_report.changed] == [("b",)]


def test_a_closure_over_the_net_holds_what_its_methods_name():
    class Parts(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.BatchNorm2d(4), nn.BatchNorm2d(4)
            self.f = lambda x: self.first(x)

        def first(self, x):
            return self.a(x)

        def forward(self, x):
            return self.b(self.f(x))

    left = swap_norms(Parts(), "layer", strict=False)
    assert [r.paths for r in left.swap_report.refused] == [("a",)]


def test_a_class_made_around_a_normalizer():
    outside = nn.BatchNorm2d(4)

    class Around(nn.Module):
        shared = nn.BatchNorm2d(4)

        def __init__(self):
            super().__init__()
            self.own = nn.BatchNorm2d(4)

        def forward(self, x):
            return self.own(outside(self.shared(x)))

    with pytest.raises(ValueError, match=r"2 of 3 normalizers") as caught:
        swap_norms(Around(), "layer")
    assert "Around.shared" in str(caught.value) and "holds outside" in str(caught.value)


bn = nn.BatchNorm2d(4)  # of the name of an attribute


def test_a_global_of_the_name_of_an_attribute_is_no_reason():
    class Plain(nn.Module):
        def __init__(self):
            super().__init__()
            self.bn = nn.BatchNorm2d(4)

        def forward(self, x):
            return self.bn(x)

    assert bn is not None and len(swap_norms(Plain(), "layer").swap_report.changed) == 1


ONLY_IN_A_MODULE = nn.BatchNorm2d(4)


def test_a_global_that_forward_uses():
    class Global(nn.Module):
        def forward(self, x):
            return ONLY_IN_A_MODULE(x)

    with pytest.raises(ValueError, match="holds ONLY_IN_A_MODULE"):
        swap_norms(Global(), "layer")


def test_a_hook_that_holds_a_normalizer():
    net = nn.Sequential(nn.Conv2d(4, 4, 1), nn.BatchNorm2d(4))
    norm = net[1]
    net[0].register_forward_hook(lambda module, args, out: norm(out))
    with pytest.raises(ValueError, match=r"1: BatchNorm2d.*_forward_hooks.*holds norm"):
        swap_norms(net, "layer")


def test_what_holds_no_normalizer_is_no_reason():
    class Quiet(nn.Module):
        def __init__(self):
            super().__init__()
            self.bn, self.sizes, self.names = nn.BatchNorm2d(4), [4, 3], {"bn": "a name"}
            self.log, self.parent, self.run = print, [self], self.forward
            self.act = functools.partial(nn.functional.leaky_relu, negative_slope=0.1)
            self.convs = [nn.Conv2d(4, 4, 1)]

        def forward(self, x):
            return self.act(self.bn(self.convs[0](x)))

    net, x = Quiet(), images()
    swapped = swap_norms(net, "layer")
    assert not swapped.swap_report.refused
    wanted = nn.GroupNorm(1, 4)(net.convs[0](x))
    torch.testing.assert_close(swapped.run(x), net.act(wanted))


class UnknownNorm(nn.Module):
    """Without a parameter, and perhaps a normalizer."""

    def forward(self, x):
        return x / x.norm()


class NormThenGate(nn.Module):
    def __init__(self):
        super().__init__()
        self.gate = nn.Parameter(torch.ones(4, 1, 1))

    def forward(self, x):
        return torch.sigmoid(self.gate * x / x.std()) * x


class Hidden(nn.Module):
    """Only its forward tells."""

    def forward(self, x):
        return nn.functional.layer_norm(x, x.shape[1:])


class Honest(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer_norm = nn.GroupNorm(1, 4)

    def forward(self, x):
        return self.layer_norm(x)


def test_functions_that_normalize_are_named():
    net = nn.Sequential(nn.BatchNorm2d(4), Hidden(), Honest())
    with pytest.warns(UserWarning, match="left 1 .Hidden, which calls layer_norm. as they are"):
        swapped = swap_norms(net, "layer")
    assert len(swapped.swap_report.changed) == 2


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_compiled_model_is_refused():
    compiled = torch.compile(nn.Sequential(nn.BatchNorm2d(4)), backend="eager")
    with pytest.raises(TypeError, match=r"swap before torch\.compile"):
        swap_norms(compiled, "layer")


@pytest.mark.parametrize("other", [UnknownNorm, NormThenGate])
def test_what_is_overlooked_is_named(other):
    net = nn.Sequential(nn.BatchNorm2d(4), other())
    with pytest.warns(UserWarning, match=rf"left 1 \({other.__name__}\) as they are"):
        swapped = swap_norms(net, "layer")
    assert swapped.swap_report.overlooked == (f"1 ({other.__name__})",)
    assert f"perhaps normalizers, left as they are: 1 ({other.__name__})" in str(
        swapped.swap_report
    )
    with pytest.raises(ValueError, match=rf"Perhaps normalizers: 0 \({other.__name__}"):
        swap_norms(nn.Sequential(other()), "layer")
