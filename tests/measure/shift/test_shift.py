"""Covariate shift: of gradients as Santurkar defines it, and of the inputs of layers."""

import copy

import numpy as np
import pytest
import torch
from scipy.stats import wasserstein_distance
from torch import nn
from torch.nn.functional import cross_entropy, mse_loss

from bnlab.measure import (
    ShiftRecorder,
    layer_inputs,
    measure_covariate_shift,
    measure_input_shift,
)
from bnlab.nets import make_net
from bnlab.norms import NORMS
from bnlab.train import Run, Trainer


def batch(n=10, seed=0):
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(n, 1, 4, 4, dtype=torch.float64, generator=generator)
    return x, torch.arange(n) % 10


def mlp(norm="batch", depth=3, **options):
    return make_net("mlp", (1, 4, 4), 10, depth, 6, norm, options).double()


# Gradients


def by_definition(net, x, y, lr, training=True):
    """G and G' of each matrix with its bias, every one from a fresh copy of the whole net."""

    def gradients(model):
        model.train(training)
        names = [n for n, _ in model.named_parameters()]
        slopes = torch.autograd.grad(cross_entropy(model(x), y), list(model.parameters()))
        return dict(zip(names, slopes, strict=True))

    start = gradients(copy.deepcopy(net))
    names = list(start)  # in the order of the layers, in these nets
    pairs = {}
    for name in names:
        if not (name.endswith("weight") and net.get_parameter(name).ndim == 2):
            continue
        moved = copy.deepcopy(net)
        with torch.no_grad():
            for earlier in names[: names.index(name)]:
                moved.get_parameter(earlier).sub_(lr * start[earlier])
        after, layer = gradients(moved), name.removesuffix(".weight")
        own = [name, f"{layer}.bias"]
        pairs[layer] = tuple(torch.cat([s[n].flatten() for n in own]) for s in (start, after))
    return pairs


def check(found, pairs):
    assert found.names == tuple(pairs)
    for k, (g, h) in enumerate(pairs.values()):
        size, after = g.square().sum().sqrt(), h.square().sum().sqrt()
        assert found.before[k] == pytest.approx(float(size), rel=1e-10)
        assert found.after[k] == pytest.approx(float(after), rel=1e-9)
        l2, cosine = (g - h).square().sum().sqrt(), g @ h / (size * after)
        assert found.l2[k] == pytest.approx(float(l2), rel=1e-8, abs=1e-12)
        assert found.cosine[k] == pytest.approx(float(cosine), rel=1e-9)


@pytest.mark.parametrize("mode", ["train", "eval"])
@pytest.mark.parametrize("norm", ["none", "batch", "layer", "noisy_batch"])
def test_l2_and_cosine_are_those_of_the_definition(norm, mode):
    x, y = batch()
    net = mlp(norm)
    found = measure_covariate_shift(net, cross_entropy, x, y, 0.3, mode=mode)
    check(found, by_definition(net, x, y, 0.3, mode == "train"))
    assert (found.lr, found.mode) == (0.3, mode)
    assert (found.l2[0], found.cosine[0]) == (0, 1)
    assert (found.l2[1:] > 1e-6).all()


@pytest.mark.parametrize("norm", sorted(NORMS))
def test_without_a_step_there_is_no_shift_with_any_normalizer(norm):
    x, y = batch(8)
    options = {"group_size": 2} if norm in ("group", "evonorm_s0") else {}
    options |= {"ghost_size": 4} if norm == "ghost_batch" else {}
    net = make_net("plain", (1, 4, 4), 10, 3, 4, norm, options).double()
    net = nn.Sequential(net, nn.Dropout(0.5))  # noise and masks are the same in both
    found = measure_covariate_shift(net, cross_entropy, x, y, 0.0)
    assert (found.l2 == 0).all() and found.cosine == pytest.approx(np.ones(4), abs=1e-12)


@pytest.mark.parametrize("norm", ["batch", "noisy_batch"])
def test_noise_of_its_own_in_each_pass_counts_as_shift(norm):
    x, y = batch()
    net = mlp(norm)
    frozen, fresh = (
        measure_covariate_shift(net, cross_entropy, x, y, 0.0, same_noise=same)
        for same in (True, False)
    )
    assert (frozen.l2 == 0).all()
    if norm == "batch":
        assert (fresh.l2 == 0).all()
    else:
        assert (fresh.l2 > 0.01 * fresh.before).all() and (fresh.cosine < 1).all()


def test_the_order_is_that_of_the_calls_not_of_the_definition():
    class Backwards(nn.Module):
        def __init__(self):
            super().__init__()
            self.last, self.first = nn.Linear(4, 2), nn.Linear(3, 4)

        def forward(self, x):
            return self.last(torch.tanh(self.first(x)))

    generator = torch.Generator().manual_seed(0)
    x, y = (torch.randn(5, n, dtype=torch.float64, generator=generator) for n in (3, 2))
    net = Backwards().double()
    found = measure_covariate_shift(net, mse_loss, x, y, 1.0)
    assert found.names == ("first", "last")
    own = [net.last.weight, net.last.bias]
    slopes = torch.autograd.grad(mse_loss(net(x), y), list(net.first.parameters()))
    before = torch.cat([g.flatten() for g in torch.autograd.grad(mse_loss(net(x), y), own)])
    with torch.no_grad():
        for parameter, slope in zip(net.first.parameters(), slopes, strict=True):
            parameter -= slope
    after = torch.cat([g.flatten() for g in torch.autograd.grad(mse_loss(net(x), y), own)])
    assert found.l2[1] == pytest.approx(float((after - before).norm()), rel=1e-10)


def test_chosen_layers_have_the_same_numbers_as_among_all():
    x, y = batch()
    net = mlp()
    every = measure_covariate_shift(net, cross_entropy, x, y, 0.3)
    one = measure_covariate_shift(net, cross_entropy, x, y, 0.3, layers=["head"])
    assert one.names == ("head",) and one.l2[0] == every.l2[-1]


def test_frozen_parameters_do_not_move():
    x, y = batch()
    net = mlp()
    for parameter in net.body.parameters():
        parameter.requires_grad_(False)
    found = measure_covariate_shift(net, cross_entropy, x, y, 0.3)
    assert found.names == ("head",) and found.l2[0] == 0


def test_a_step_into_infinity_is_an_infinite_shift():
    x, y = batch()
    found = measure_covariate_shift(mlp("none"), cross_entropy, x, y, 1e200)
    assert found.l2[0] == 0 and np.isinf(found.l2[2:]).all() and np.isnan(found.cosine[2:]).all()


@pytest.mark.parametrize(
    "lr, mode, message",
    [(-1.0, "train", "lr must be"), (np.nan, "train", "lr must be"), (0.1, "test", "mode must be")],
)
def test_bad_options_are_refused(lr, mode, message):
    with pytest.raises(ValueError, match=message):
        measure_covariate_shift(mlp(), cross_entropy, *batch(), lr, mode=mode)


# Inputs


def moments(net, x):
    """Before and after the weights have changed, and what goes into the last layer."""
    before, old = layer_inputs(net, x), net.train().body(x).detach()
    with torch.no_grad():
        for parameter in net.body.parameters():
            parameter.add_(0.3)
    return before, layer_inputs(net, x), old.numpy(), net.body(x).detach().numpy()


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_the_shift_of_inputs_is_that_of_each_unit(norm):
    x, _ = batch(30)
    net = mlp(norm)
    before, after, old, new = moments(net, x)
    shift = measure_input_shift(before, after)
    assert shift.names == ("body.1", "body.4", "body.7", "head")
    assert shift.wasserstein[0] == shift.mean_change[0] == shift.variance_change[0] == 0
    units = range(old.shape[1])
    distance = [wasserstein_distance(old[:, c], new[:, c]) for c in units]
    means = [abs(new[:, c].mean() - old[:, c].mean()) for c in units]
    variances = [abs(new[:, c].var() - old[:, c].var()) for c in units]
    relative = np.mean(distance) / np.sqrt(np.mean([old[:, c].var() for c in units]))
    assert shift.wasserstein[-1] == pytest.approx(np.mean(distance), rel=1e-9)
    assert shift.mean_change[-1] == pytest.approx(np.mean(means), rel=1e-9)
    assert shift.variance_change[-1] == pytest.approx(np.mean(variances), rel=1e-9)
    assert shift.relative[-1] == pytest.approx(relative, rel=1e-9)


def test_positions_count_as_values_and_many_are_thinned_evenly():
    x = torch.arange(2 * 3000.0).reshape(2, 1, 60, 50)
    conv = nn.Conv2d(1, 1, 1)
    before, after = layer_inputs(conv, x), layer_inputs(conv, x + 7)
    assert before.quantiles[0].shape == (1, 1024)
    assert before.mean[0] == pytest.approx([2999.5]) and before.variance[0] == pytest.approx(3e6)
    shift = measure_input_shift(before, after)
    assert shift.wasserstein == pytest.approx([7]) and shift.mean_change == pytest.approx([7])
    assert shift.variance_change == pytest.approx([0], abs=1e-6)
    wider = measure_input_shift(before, layer_inputs(conv, 2 * x))
    assert wider.wasserstein == pytest.approx([2999.5], rel=2e-3)


def test_inputs_that_are_overwritten_later_are_those_that_went_in():
    class Careless(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Linear(3, 3)

        def forward(self, x):
            x = x * 1
            y = self.first(x)
            x.zero_()
            return y + x

    x = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    found = layer_inputs(Careless(), x)
    np.testing.assert_allclose(found.mean[0], x.mean(0).numpy(), rtol=1e-5, atol=1e-7)


def test_constant_inputs_have_no_relative_shift():
    net = nn.Sequential(nn.Linear(2, 2))
    shift = measure_input_shift(
        layer_inputs(net, torch.ones(4, 2)), layer_inputs(net, torch.zeros(4, 2))
    )
    assert shift.wasserstein.tolist() == [1.0] and np.isnan(shift.relative).all()


def test_moments_of_different_nets_or_batches_are_refused():
    x, _ = batch()
    inputs = layer_inputs(mlp(), x)
    for other in (layer_inputs(mlp(), x[:5]), layer_inputs(mlp(depth=2), x)):
        with pytest.raises(ValueError, match="same layers of a net on a batch of the same size"):
            measure_input_shift(inputs, other)


def test_inputs_that_are_not_finite_are_refused():
    x, _ = batch()
    with pytest.raises(ValueError, match="is not finite: this net has diverged"):
        layer_inputs(mlp(), x * np.inf)


# The recorder


def test_a_recorder_sees_what_single_looks_see_and_does_not_disturb():
    run = Run(net="mlp", depth=2, width=8, norm="noisy_batch", steps=7, batch_size=16)
    trainer = Trainer(run, "cpu")
    x = trainer.train_x[:64]
    recorder = ShiftRecorder(trainer.net, x, every=3)
    looks, losses = [], []
    for step in trainer.steps(looks=False):
        recorder(step)
        losses.append(step.loss)
        if step.step % 3 == 0:
            looks.append(layer_inputs(trainer.net, x))
    history = recorder.history()
    assert history.steps.tolist() == [3, 6] and history.diverged_at is None
    assert history.names == ("body.1", "body.4", "head")
    for k in (0, 1):
        wanted = measure_input_shift(looks[k], looks[k + 1])
        for name in ("mean_change", "variance_change", "wasserstein", "relative"):
            np.testing.assert_array_equal(getattr(history, name)[k], getattr(wanted, name))
    undisturbed = [step.loss for step in Trainer(run, "cpu").steps(looks=False)]
    np.testing.assert_array_equal(losses, undisturbed)


def test_a_recorder_takes_numbers_and_stops_where_a_net_diverges():
    x, _ = batch()
    net = mlp("none")
    recorder = ShiftRecorder(net, x, every=2)
    with pytest.raises(ValueError, match="a shift needs two looks"):
        recorder.history()
    for step in range(8):
        recorder(step)
        if step == 3:
            net.body[1].weight.data.fill_(np.nan)
    history = recorder.history()
    assert history.steps.tolist() == [2] and history.diverged_at == 4
    assert history.wasserstein.tolist() == [[0, 0, 0, 0]]


@pytest.mark.parametrize("every", [0, -1, 2.0, True])
def test_a_recorder_without_interval_is_refused(every):
    with pytest.raises(ValueError, match=r"every must be a (positive integer|whole number)"):
        ShiftRecorder(mlp(), batch()[0], every)
