"""``recompute_statistics``: averages over batches, and nothing else changes."""

import copy

import pytest
import torch
from torch import nn

from bnlab.nets import make_net
from bnlab.norms import BatchNorm, BatchRenorm, NoisyBatchNorm, recompute_statistics
from tests.norms.norm_cases import RUNNING, one_case


def batches(count=3, shape=(6, 4), seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [2 * torch.randn(shape, generator=generator) + 1 for _ in range(count)]


@pytest.mark.parametrize(
    "layer", [BatchNorm(4), nn.BatchNorm1d(4), nn.BatchNorm1d(4, momentum=None)]
)
def test_batch_norm_gets_the_average_of_means_and_unbiased_variances(layer):
    for x in batches(seed=1):
        layer(x)
    assert recompute_statistics(layer, batches()) == [""]
    torch.testing.assert_close(
        layer.running_mean, torch.stack([x.mean(0) for x in batches()]).mean(0)
    )
    torch.testing.assert_close(
        layer.running_var, torch.stack([x.var(0) for x in batches()]).mean(0)
    )


@pytest.mark.parametrize("name", RUNNING)
def test_what_was_there_before_does_not_count_and_one_batch_gives_its_own(name):
    case = one_case(name, (6, 4))
    layer, fresh = case.layer(torch.float32), case.layer(torch.float32)
    for x in batches(seed=1):
        layer(x)
    momentum = layer.momentum
    for one in (layer, fresh):
        recompute_statistics(one, batches(1))
        assert one.momentum == momentum and not one.recomputing
    running = {key: v for key, v in layer.state_dict().items() if key.startswith("running_")}
    assert running
    assert all(torch.equal(fresh.get_buffer(key), value) for key, value in running.items())
    once = case.layer(torch.float32)
    once.momentum = 1.0
    if name == "batch_renorm":
        once.r_max, once.d_max = 1.0, 0.0
    once(batches(1)[0])
    assert all(torch.equal(once.get_buffer(key), value) for key, value in running.items())


def test_batch_renorm_averages_the_deviation():
    layer = BatchRenorm(4)
    recompute_statistics(layer, batches())
    sds = [(x.var(0, correction=0) + layer.eps).sqrt() for x in batches()]
    kept = (layer.running_var + layer.eps).sqrt()
    torch.testing.assert_close(kept, torch.stack(sds).mean(0))


def test_deeper_layers_see_batch_statistics_before_them_and_no_dropout():
    torch_net = nn.Sequential(nn.Dropout(0.5), nn.BatchNorm1d(4), nn.ReLU(), nn.BatchNorm1d(4))
    recompute_statistics(torch_net, batches())
    inner = [nn.BatchNorm1d(4)(x).relu() for x in batches()]
    mean = torch.stack([x.mean(0) for x in inner]).mean(0)
    torch.testing.assert_close(torch_net[3].running_mean, mean)


@pytest.mark.parametrize("name", ["batch", "batch_renorm", "noisy_batch", "evonorm_b0", "layer"])
def test_weights_modes_counters_and_random_state_stay(name, torch_random_state_stays):
    schedule = {"schedule": {"warmup": 1, "r_end": 3, "d_end": 2}} if name == "batch_renorm" else {}
    net = make_net("plain", (1, 8, 8), 10, 3, 8, name, **schedule)
    net.train()
    net.body[0].eval()
    images = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    net(images)
    before = copy.deepcopy(net)
    names = recompute_statistics(net, [images, -images])
    assert names == ([] if name == "layer" else ["body.1", "body.4", "body.7"])
    changed = {k for k, v in net.state_dict().items() if not torch.equal(v, before.state_dict()[k])}
    assert all(key.split(".")[-1].startswith("running_") for key in changed)
    assert bool(changed) == bool(names)
    modes = [(a.training, b.training) for a, b in zip(net.modules(), before.modules(), strict=True)]
    assert all(a == b for a, b in modes) and {a for a, _ in modes} == {True, False}
    assert all(p.grad is None and p.requires_grad for p in net.parameters())


def test_random_numbers_that_the_model_draws_are_given_back(torch_random_state_stays):
    class Draws(nn.Module):
        def forward(self, x):
            return x + torch.rand_like(x)

    recompute_statistics(nn.Sequential(Draws(), BatchNorm(4)), batches())


def test_noise_stays_out_of_it():
    noisy, plain = NoisyBatchNorm(4), BatchNorm(4)
    deep = [nn.Sequential(norm, BatchNorm(4)) for norm in (noisy, plain)]
    for net in deep:
        recompute_statistics(net, batches())
    assert torch.equal(deep[0][1].running_var, deep[1][1].running_var)
    assert noisy.noise_step.item() == 0


def test_batches_may_come_with_labels_and_without_end_of_their_own():
    layer, other = BatchNorm(4), BatchNorm(4)
    recompute_statistics(layer, ((x, torch.zeros(6)) for x in batches()))
    recompute_statistics(other, batches())
    assert torch.equal(layer.running_mean, other.running_mean)


@pytest.mark.parametrize("layer", [BatchNorm(4), nn.BatchNorm1d(4), NoisyBatchNorm(4)])
def test_a_batch_that_fails_leaves_everything_as_it_was(layer):
    layer(batches()[0])
    before = copy.deepcopy(layer.state_dict())
    with pytest.raises((ValueError, RuntimeError)):
        recompute_statistics(layer.eval(), [batches()[1], torch.ones(6, 5)])
    assert all(torch.equal(value, before[key]) for key, value in layer.state_dict().items())
    assert layer.momentum == 0.1 and not layer.training


def test_it_repairs_a_lagging_average():
    """What it is for: right after a change of the weights, evaluation uses stale statistics."""
    net = nn.Sequential(nn.Linear(4, 4), BatchNorm(4))
    x = batches(1, (64, 4))[0]
    recompute_statistics(net, [x])
    with torch.no_grad():
        net[0].weight.mul_(10)
    assert net.eval()(x).std() > 5
    recompute_statistics(net, [x])
    assert net(x).std().item() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    "layer", [nn.BatchNorm1d(4), BatchNorm(4, native=True)], ids=["torch", "own"]
)
def test_every_precision_is_renewed(layer, dtype):
    model = copy.deepcopy(layer).to(dtype)
    x = 2 + torch.randn(64, 4, dtype=dtype, generator=torch.Generator().manual_seed(0))
    recompute_statistics(model, [x])
    assert torch.allclose(model.running_mean, x.mean(0), atol=1e-6)


@pytest.mark.parametrize("layer", [nn.BatchNorm1d(4), BatchNorm(4)], ids=["torch", "own"])
def test_it_works_in_inference_mode_again_and_again(layer):
    model, wanted = copy.deepcopy(layer), copy.deepcopy(layer)
    recompute_statistics(wanted, batches(shape=(6, 4)))
    with torch.inference_mode():
        for _ in range(2):
            recompute_statistics(model, batches(shape=(6, 4)))
    assert torch.allclose(model.running_mean, wanted.running_mean)
