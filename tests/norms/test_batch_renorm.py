"""Batch Renormalization: what it corrects, by how much, and when."""

import dataclasses
import json

import pytest
import torch

from bnlab.norms import BatchNorm, BatchRenorm, RenormSchedule

SHAPES = pytest.mark.parametrize("shape", [(6, 4), (3, 4, 3, 2)], ids=str)
FREE = {"r_max": None, "d_max": None}


def numbers(shape, seed=0, **options):
    """A layer with running statistics of its own, an input and an output gradient; float64."""
    rng = torch.Generator().manual_seed(seed)
    layer = BatchRenorm(shape[1], **options).double()
    with torch.no_grad():
        for value in (layer.weight, layer.bias, layer.running_mean):
            value.copy_(torch.randn(shape[1], generator=rng))
        layer.running_var.copy_(0.5 + torch.rand(shape[1], generator=rng))
    x = 2 * torch.randn(shape, generator=rng, dtype=torch.float64) + 1
    return layer, x.requires_grad_(), torch.randn(shape, generator=rng, dtype=torch.float64)


def on_axis(v, x):
    return v.reshape(1, -1, *[1] * (x.ndim - 2))


def statistics(layer, x):
    """Mean and deviation of the batch, and mean and deviation that the layer keeps."""
    dims = (0, *range(2, x.ndim))
    sd = (x.detach().var(dims, correction=0) + layer.eps).sqrt()
    return (
        x.detach().mean(dims),
        sd,
        layer.running_mean.clone(),
        (layer.running_var + layer.eps).sqrt(),
    )


def batch_norm_like(layer):
    other = BatchNorm(layer.num_features, eps=layer.eps).double()
    other.load_state_dict(layer.state_dict())  # state dicts fit
    return other


@SHAPES
def test_unclipped_training_equals_its_own_inference(shape):
    layer, x, _ = numbers(shape, **FREE)
    want = batch_norm_like(layer).eval()(x)
    evaluated = layer.eval()(x)
    trained = layer.train()(x)
    assert (trained - evaluated).abs().max() < 1e-12
    assert (evaluated - want).abs().max() < 1e-12
    assert (layer.eval()(x) - evaluated).abs().max() > 1e-3, "the statistics have moved since"


@SHAPES
@pytest.mark.parametrize("options", [FREE, {}, {"r_max": 1.2, "d_max": 0.1}], ids=str)
def test_input_gradient_is_r_times_that_of_batch_norm_and_sums_to_zero(shape, options):
    layer, x, dy = numbers(shape, **options)
    _, sd, _, running = statistics(layer, x)
    r_max = layer.r_max
    r = (sd / running).clamp(1 / r_max, r_max)
    (of_batch_norm,) = torch.autograd.grad(batch_norm_like(layer)(x), x, dy)
    (gradient,) = torch.autograd.grad(layer(x), x, dy)
    assert (gradient - on_axis(r, x) * of_batch_norm).abs().max() < 1e-12
    assert gradient.sum((0, *range(2, x.ndim))).abs().max() < 1e-12


@SHAPES
def test_with_limits_one_and_zero_it_is_batch_norm(shape):
    layer, x, dy = numbers(shape, r_max=1, d_max=0)
    other = batch_norm_like(layer)
    y, want = layer(x), other(x)
    assert (y - want).abs().max() < 1e-12
    torch.testing.assert_close(torch.autograd.grad(y, x, dy), torch.autograd.grad(want, x, dy))


def test_both_limits_are_kept_on_both_sides():
    layer, x, _ = numbers((6, 4), r_max=2.0, d_max=0.5)
    with torch.no_grad():
        layer.running_mean.copy_(torch.tensor([100.0, -100.0, 1.0, 1.0]))
        layer.running_var.copy_(torch.tensor([1e4, 1e-4, 1e4, 1e-4]))
        layer.weight.fill_(1.0)
        layer.bias.zero_()
    y = layer(x)
    unscaled = batch_norm_like(layer)(x)
    r = torch.tensor([0.5, 2.0, 0.5, 2.0], dtype=torch.float64)
    d = (y - unscaled * r).mean(0)
    assert (y - unscaled * r - d).abs().max() < 1e-12
    assert d[:2].tolist() == pytest.approx([-0.5, 0.5])


@SHAPES
def test_the_deviation_is_averaged_after_it_was_used(shape):
    layer, x, _ = numbers(shape, momentum=0.25)
    mean, sd, mu, running = statistics(layer, x)
    layer(x)
    torch.testing.assert_close(layer.running_mean, 0.75 * mu + 0.25 * mean)
    kept = (layer.running_var + layer.eps).sqrt()
    torch.testing.assert_close(kept, 0.75 * running + 0.25 * sd)
    of_variances = 0.75 * running**2 + 0.25 * sd**2 - layer.eps
    assert not torch.allclose(layer.running_var, of_variances, rtol=1e-3)


def test_a_constant_input_leaves_a_variance_of_zero_and_not_less():
    layer = BatchRenorm(2, momentum=1.0)
    layer(torch.ones(3, 2))
    assert (layer.running_var >= 0).all() and layer.eval()(torch.ones(3, 2)).isfinite().all()


def test_momentum_is_the_papers_and_state_dicts_fit_batch_norm_both_ways():
    layer, other = BatchRenorm(3), BatchNorm(3)
    assert layer.momentum == 0.01
    other(torch.arange(12.0).reshape(4, 3))
    layer.load_state_dict(other.state_dict())
    x = torch.ones(2, 3)
    torch.testing.assert_close(layer.eval()(x), other.eval()(x))


# ------------------------------------------------------------------------------------ schedule


PLAN = RenormSchedule(warmup=100, r_end=300, d_end=200, r_max=3.0, d_max=5.0)


@pytest.mark.parametrize(
    "step, limits",
    [(0, (1, 0)), (100, (1, 0)), (150, (1.5, 2.5)), (200, (2, 5)), (300, (3, 5)), (9999, (3, 5))],
)
def test_the_limits_grow_linearly(step, limits):
    assert PLAN.at(step) == pytest.approx(limits)


def test_a_tensor_of_steps_gives_two_curves():
    steps = torch.arange(0.0, 400.0)
    r_max, d_max = PLAN.at(steps)
    for step in range(0, 400, 37):
        assert (r_max[step].item(), d_max[step].item()) == pytest.approx(PLAN.at(step))


def test_defaults_are_the_papers():
    assert dataclasses.asdict(RenormSchedule()) == {
        "warmup": 5000,
        "r_end": 40000,
        "d_end": 25000,
        "r_max": 3.0,
        "d_max": 5.0,
    }


def test_a_layer_follows_its_schedule_step_by_step():
    layer, x, _ = numbers((6, 4), schedule={"warmup": 1, "r_end": 3, "d_end": 2})
    assert layer.schedule == RenormSchedule(1, 3, 2)
    state = layer.state_dict()
    for step, (r_max, d_max) in enumerate([(1, 0), (1, 0), (2, 5), (3, 5), (3, 5)]):
        assert layer.num_batches_tracked.item() == step
        fixed = BatchRenorm(4, r_max=r_max, d_max=d_max).double()
        fixed.load_state_dict({key: state[key] for key in fixed.state_dict()})
        torch.testing.assert_close(layer(x), fixed(x), rtol=0, atol=1e-12)
        state = layer.state_dict()
    layer.eval()(x)
    assert layer.num_batches_tracked.item() == 5


def test_a_schedule_travels_as_json_and_only_a_schedule_counts_steps():
    options = {"schedule": json.loads(json.dumps(dataclasses.asdict(PLAN)))}
    assert BatchRenorm(4, **options).schedule == BatchRenorm(4, schedule=PLAN).schedule == PLAN
    assert "num_batches_tracked" not in BatchRenorm(4).state_dict()
    assert "schedule=" not in repr(BatchRenorm(4)) and "warmup=100" in repr(
        BatchRenorm(4, **options)
    )
