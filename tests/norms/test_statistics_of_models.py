"""``recompute_statistics`` on models and batches as people have them; what it leaves alone."""

import copy
import warnings
from collections import UserDict

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import update_bn

from bnlab.norms import make_norm, recompute_statistics
from bnlab.norms.sync import SyncBatchNorm
from tests.norms.norm_cases import RUNNING, one_case

BAD = (float("nan"), float("inf"), -float("inf"))


def batches(count=3, shape=(6, 4)):
    generator = torch.Generator().manual_seed(0)
    return [2 * torch.randn(shape, generator=generator) + 1 for _ in range(count)]


def statistics(module: nn.Module) -> dict[str, torch.Tensor]:
    return {k: b.clone() for k, b in module.named_buffers() if k.split(".")[-1].startswith("runn")}


def torchs_and_own() -> list:
    return [
        pytest.param(lambda c: nn.BatchNorm1d(c), id="torch"),
        pytest.param(lambda c: nn.BatchNorm1d(c, momentum=None), id="torch, cumulative"),
        pytest.param(lambda c: make_norm("batch", c), id="own"),
        pytest.param(lambda c: make_norm("batch", c, native=True), id="own, native"),
        pytest.param(lambda c: SyncBatchNorm(c), id="own, sync"),
    ]


any_batch_norm = pytest.mark.parametrize("make", torchs_and_own())


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("name", RUNNING)
def test_nan_and_infinity_are_replaced(name, bad):
    layer, fresh = (one_case(name, (6, 4)).layer(torch.float32) for _ in range(2))
    for buffer in statistics(layer):
        layer.get_buffer(buffer)[1:].fill_(bad)
    for one in (layer, fresh):
        assert recompute_statistics(one, batches()) == [""]
    wanted = statistics(fresh)
    assert all(torch.equal(value, wanted[key]) for key, value in statistics(layer).items())
    assert all(value.isfinite().all() for value in wanted.values())


@any_batch_norm
@pytest.mark.parametrize("bad", BAD)
def test_a_net_that_diverged_once_is_as_good_as_new(make, bad):
    net, fresh = (nn.Sequential(make(4), nn.ReLU(), make(4)) for _ in range(2))
    for buffer in statistics(net):
        net.get_buffer(buffer).fill_(bad)
    for one in (net, fresh):
        recompute_statistics(one, batches())
    wanted = statistics(fresh)
    assert all(torch.equal(value, wanted[key]) for key, value in statistics(net).items())


class Twice(nn.Module):
    def __init__(self, norm):
        super().__init__()
        self.norm = norm

    def forward(self, x):
        return self.norm(x[:, :2]) + self.norm(x[:, 2:] + 10)


@any_batch_norm
def test_a_module_used_twice_averages_over_all_of_its_uses(make):
    net, other = Twice(make(2)), Twice(nn.BatchNorm1d(2))
    assert recompute_statistics(net, batches()) == ["norm"]
    update_bn(batches(), other)
    torch.testing.assert_close(net.norm.running_mean, other.norm.running_mean)
    torch.testing.assert_close(net.norm.running_var, other.norm.running_var)


class Codebook(nn.Module):
    """Buffers called running_..., a momentum, and no normalizer."""

    def __init__(self):
        super().__init__()
        self.momentum = 0.99
        self.register_buffer("running_count", torch.ones(4, dtype=torch.long))
        self.register_buffer("running_z", torch.zeros(4))

    def forward(self, x):
        return x


class FrozenBatchNorm(nn.Module):
    """As in detection nets: four buffers, no momentum."""

    def __init__(self):
        super().__init__()
        for name in ("weight", "bias", "running_mean", "running_var"):
            self.register_buffer(name, torch.rand(4) + 0.5)

    def forward(self, x):
        return (x - self.running_mean) / self.running_var.sqrt() * self.weight + self.bias


class OwnKind(FrozenBatchNorm):
    momentum = 0.1


def toggled() -> nn.Module:
    layer = nn.BatchNorm1d(4)
    layer.track_running_stats = False
    return layer


@pytest.mark.parametrize("other", [Codebook, FrozenBatchNorm, OwnKind, toggled])
@pytest.mark.filterwarnings("ignore:these running statistics are what they were")
def test_foreign_buffers_and_frozen_statistics_stay(other):
    net = nn.Sequential(other(), nn.BatchNorm1d(4))
    before = copy.deepcopy(net[0].state_dict())
    assert recompute_statistics(net, batches()) == ["1"]
    for key, value in net[0].state_dict().items():
        assert torch.equal(value, before[key]) and value.dtype == before[key].dtype
    wanted = torch.stack([net[0].eval()(x).mean(0) for x in batches()]).mean(0)
    torch.testing.assert_close(net[1].running_mean, wanted)


@any_batch_norm
def test_a_layer_frozen_by_hand_stays_and_is_used_as_it_is(make):
    net = nn.Sequential(make(4), make(4))
    net[0].eval()
    before, frozen = statistics(net[0]), copy.deepcopy(net[0])
    names = recompute_statistics(net, batches())
    assert names == ["1"] and "evaluation mode" in names.left["0"]
    assert all(torch.equal(value, before[key]) for key, value in statistics(net[0]).items())
    wanted = torch.stack([frozen(x).mean(0) for x in batches()]).mean(0)
    torch.testing.assert_close(net[1].running_mean, wanted)
    assert [m.training for m in net] == [False, True]
    assert recompute_statistics(net.eval(), batches()) == ["0", "1"]


@any_batch_norm
def test_a_module_that_is_never_called_is_named_and_left(make):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.unused = make(4), make(4)

        def forward(self, x):
            return self.used(x)

    net = Net()
    net.unused(batches()[0])
    before = copy.deepcopy(net.unused.state_dict())
    with pytest.warns(UserWarning, match=r"what they were: unused \(it was never called\)"):
        names = recompute_statistics(net, batches())
    assert names == ["used"] and names.left == {"unused": "it was never called"}
    after = net.unused.state_dict()
    assert all(torch.equal(value, before[key]) for key, value in after.items())


def test_a_class_that_is_not_known_is_named():
    with pytest.warns(UserWarning, match="0 .recompute_statistics does not know the class OwnKind"):
        recompute_statistics(nn.Sequential(OwnKind(), nn.BatchNorm1d(4)), batches())


def test_instance_norm_with_statistics_and_layers_without_any():
    images = batches(shape=(6, 4, 3, 3))
    net = nn.Sequential(
        nn.InstanceNorm2d(4, track_running_stats=True), nn.BatchNorm2d(4, track_running_stats=False)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert recompute_statistics(net, images) == ["0"]
    wanted = torch.stack([x.mean((0, 2, 3)) for x in images]).mean(0)
    torch.testing.assert_close(net[0].running_mean, wanted)
    assert int(net[0].num_batches_tracked) == 0


class TwoInputs(nn.Module):
    def __init__(self, norm):
        super().__init__()
        self.norm = norm

    def forward(self, x, shift, scale=1.0):
        return self.norm(scale * x + shift)


@any_batch_norm
@pytest.mark.parametrize("kind", ["dict", "user dict", "tuple of inputs", "dict and targets"])
def test_several_inputs_and_keywords(make, kind):
    net, plain = TwoInputs(make(4)), make(4)
    ways = {
        "dict": lambda x: {"shift": torch.ones(4), "x": x},
        "user dict": lambda x: UserDict({"shift": torch.ones(4), "x": x}),
        "tuple of inputs": lambda x: ((x, torch.ones(4)), torch.zeros(6)),
        "dict and targets": lambda x: [{"x": x, "shift": torch.ones(4)}, torch.zeros(6)],
    }
    assert recompute_statistics(net, [ways[kind](x) for x in batches()]) == ["norm"]
    recompute_statistics(plain, [x + 1 for x in batches()])
    assert torch.equal(net.norm.running_mean, plain.running_mean)


UNFIT = {
    "a dict of another name": ([{"y": torch.ones(6, 4)}], "Its forward takes"),
    "a missing input": ([torch.ones(6, 4)], r"missing a required argument: 'shift'"),
    "too many": ([(tuple(torch.ones(5, 6, 4)), 0)], r"too many positional arguments.*a dict"),
    "no tensor": (iter([None]), "a batch must be a tensor, a dict"),
    "a list of numbers": ([[1.0, 2.0]], "got list of float"),
    "one tensor": (torch.ones(3, 6, 4), "put a single batch into a list"),
    "one dict": ({"x": torch.ones(6, 4)}, "put a single batch into a list"),
    "none": ([], "at least one batch, got none"),
    "used up": (iter(()), "can be gone through only once"),
}


@pytest.mark.parametrize("case", UNFIT)
def test_batches_that_are_no_inputs_are_refused_and_nothing_changes(case):
    given, sentence = UNFIT[case]
    net = TwoInputs(nn.BatchNorm1d(4)).eval()
    before = copy.deepcopy(net.state_dict())
    with pytest.raises(ValueError, match=f"(?s){sentence}"):
        recompute_statistics(net, given)
    assert all(torch.equal(value, before[key]) for key, value in net.state_dict().items())
    assert net.norm.momentum == 0.1 and not net.norm._forward_hooks and not net.norm.training


@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")
@pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")
@pytest.mark.parametrize(
    "make, sentence",
    [
        (lambda: nn.LazyBatchNorm1d(), "is lazy and does not know its size"),
        (lambda: nn.BatchNorm1d(4, device="meta"), r"on the meta device.*to_empty"),
        (lambda: torch.jit.script(nn.BatchNorm1d(4)), "is scripted"),
    ],
    ids=["lazy", "meta", "scripted"],
)
def test_models_without_numbers_or_hooks_are_refused(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        recompute_statistics(make(), batches())


def test_statistics_that_inference_mode_made_are_recomputed_outside_of_it():
    layer, fresh = (make_norm("batch", 4, affine=False) for _ in range(2))
    with torch.inference_mode():
        layer._buffers = {name: buffer.clone() for name, buffer in layer._buffers.items()}
    for one in (layer, fresh):
        recompute_statistics(one, batches())
    assert torch.equal(layer.running_mean, fresh.running_mean)
    layer(batches()[0].requires_grad_()).sum().backward()
