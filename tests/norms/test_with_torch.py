"""Normalizers beside torch's own: states, helpers that look for torch's classes, meta, messages."""

import copy
import io

import pytest
import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, update_bn

from bnlab.norms import NORMS, make_norm, recompute_statistics, swap_norms
from bnlab.norms.sync import SyncBatchNorm
from tests.norms.norm_cases import REQUIRED, RUNNING


def batches(count=4):
    generator = torch.Generator().manual_seed(0)
    return [3 + torch.randn(32, 4, generator=generator) for _ in range(count)]


def trained(layer: nn.Module) -> nn.Module:
    layer(batches()[0])
    with torch.no_grad():
        for p in layer.parameters():
            p.add_(0.5)
    return layer


# States


@pytest.mark.parametrize("name", ["batch", "batch_renorm", "ghost_batch", "sync"])
@pytest.mark.parametrize("travelled", [False, True], ids=["at once", "saved and loaded"])
def test_a_state_of_torchs_batch_norm_is_loaded_strictly_and_back(name, travelled):
    theirs = trained(nn.BatchNorm1d(4))
    own = SyncBatchNorm(4) if name == "sync" else make_norm(name, 4, **REQUIRED.get(name, {}))
    back = nn.BatchNorm1d(4)
    for source, target in ((theirs, own), (own, back)):
        state = source.state_dict()
        if travelled:
            file = io.BytesIO()
            torch.save(state, file)
            file.seek(0)
            state = torch.load(file, weights_only=True)
        before = list(state)
        target.load_state_dict(state, strict=True)
        assert list(state) == before
    for key in ("weight", "bias", "running_mean", "running_var"):
        assert torch.equal(getattr(back, key), getattr(theirs, key))


def test_a_counter_that_counts_is_loaded():
    own = make_norm("batch_renorm", 4, schedule={"warmup": 0, "r_end": 9, "d_end": 9})
    own.load_state_dict(trained(nn.BatchNorm1d(4)).state_dict())
    assert int(own.num_batches_tracked) == 1


@pytest.mark.parametrize(
    "layer, name",
    [
        (lambda: nn.BatchNorm1d(4), "batch"),
        (lambda: nn.BatchNorm2d(4), "batch"),
        (lambda: nn.LayerNorm(4), "layer"),
        (lambda: nn.GroupNorm(2, 4), "group"),
    ],
)
def test_a_swapped_model_loads_a_state_from_before_the_swap(layer, name):
    net = nn.Sequential(nn.Linear(4, 4), layer())
    with torch.no_grad():
        for tensor in (*net[1].parameters(), *net[1].buffers()):
            tensor.add_(1)
    other = swap_norms(nn.Sequential(nn.Linear(4, 4), layer()), name)
    other.load_state_dict(net.state_dict(), strict=True)
    x = torch.randn(6, 4, 2, 4) if isinstance(net[1], nn.BatchNorm2d) else torch.randn(6, 4)
    torch.testing.assert_close(other.eval()(x), net.eval()(x))
    other.load_state_dict(other.state_dict(), strict=True)


def test_what_a_state_lacks_is_still_missed():
    state = nn.BatchNorm1d(4).state_dict()
    del state["running_mean"]
    with pytest.raises(RuntimeError, match=r"Missing key.*running_mean"):
        make_norm("batch", 4).load_state_dict(state)
    with pytest.raises(RuntimeError, match=r"Unexpected key.*running_mean"):
        make_norm("layer", 4).load_state_dict(nn.BatchNorm1d(4).state_dict())


# Helpers


def test_update_bn_passes_over_them_and_recompute_statistics_takes_its_place():
    net = nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8))
    new = swap_norms(net, "batch")
    before = copy.deepcopy(new.state_dict())
    update_bn(batches(), net)
    update_bn(batches(), new)
    assert all(torch.equal(v, before[k]) for k, v in new.state_dict().items())
    assert "recompute_statistics takes the place of update_bn" in str(new.swap_report)
    for documented in (type(new[1].norm), type(new[1].norm).__mro__[1]):
        assert "update_bn" in documented.__doc__ and "recompute_statistics" in documented.__doc__
    assert recompute_statistics(new, batches()) == ["1.norm"]
    torch.testing.assert_close(new[1].norm.running_mean, net[1].running_mean)
    torch.testing.assert_close(new[1].norm.running_var, net[1].running_var)


def test_a_report_to_a_normalizer_without_statistics_does_not_speak_of_update_bn():
    report = str(swap_norms(nn.Sequential(nn.BatchNorm1d(8)), "layer").swap_report)
    assert "update_bn" not in report


def test_an_averaged_model_with_buffers_moves_its_own():
    net = nn.Sequential(nn.Linear(4, 8), make_norm("batch", 8))
    averaged = AveragedModel(net, use_buffers=True)
    for x in batches(2):
        net(x)
        averaged.update_parameters(net)
    want = net[1].running_mean.clone()
    net(batches()[2])
    assert not torch.equal(averaged.module[1].running_mean, net[1].running_mean)
    assert averaged.module[1].running_mean.abs().sum() > 0 and want.abs().sum() > 0


# The meta device


@pytest.mark.parametrize("name", [*NORMS, "sync"])
def test_made_on_meta_and_reset_it_is_as_new(name):
    more = {"schedule": {"warmup": 0, "r_end": 9, "d_end": 9}} if name == "batch_renorm" else {}
    more |= {"learnable_eps": True} if name == "filter_response" else {}

    def make():
        return (
            SyncBatchNorm(4)
            if name == "sync"
            else make_norm(name, 4, **REQUIRED.get(name, {}), **more)
        )

    with torch.device("meta"):
        layer = make()
    layer = layer.to_empty(device="cpu")
    for tensor in (*layer.parameters(), *layer.buffers()):
        tensor.detach().fill_(7)
    layer.reset_parameters()
    fresh = make().state_dict()
    assert list(layer.state_dict()) == list(fresh)
    assert all(torch.equal(value, fresh[key]) for key, value in layer.state_dict().items())


@pytest.mark.parametrize("name", RUNNING)
def test_statistics_alone_are_reset(name):
    layer = make_norm(name, 4, **({"ghost_size": 4} if name == "ghost_batch" else {}))
    fresh = copy.deepcopy(layer.state_dict())
    with torch.no_grad():
        layer.weight.fill_(3)
    layer(batches()[0])
    layer.reset_running_stats()
    for key, value in layer.state_dict().items():
        assert torch.equal(value, layer.weight if key == "weight" else fresh[key])


# Messages


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("name", ["batch", "variance", "l1_batch", "evonorm_b0", "noisy_batch"])
def test_without_statistics_it_does_not_advise_evaluation_mode(name, training):
    layer = make_norm(name, 4, track_running_stats=False).train(training)
    with pytest.raises(ValueError, match="make it with track_running_stats=True") as caught:
        layer(torch.ones(1, 4))
    assert "eval()" not in str(caught.value)
    with pytest.raises(ValueError, match=r"or call model\.eval\(\) first"):
        make_norm(name, 4)(torch.ones(1, 4))


@pytest.mark.parametrize("dtype", [torch.complex64, torch.complex128])
@pytest.mark.parametrize("name", NORMS)
def test_complex_numbers_are_not_told_to_lose_their_imaginary_part(name, dtype):
    layer = make_norm(name, 4, **REQUIRED.get(name, {}))
    with pytest.raises(TypeError, match=r"use x\.real and x\.imag, each by itself"):
        layer(torch.ones(8, 4, 2, 2, dtype=dtype))
