"""``train_many``: the Histories of ``train``, whichever way; a diverging net stays alone."""

import math

import numpy as np
import pytest
import torch

from bnlab.engines.stack import StackTrainer, common, is_stackable
from bnlab.engines.wide import widen
from bnlab.nets import make_net
from bnlab.norms import NORMS
from bnlab.train import Run, build, train, train_many
from bnlab.train.many import LARGEST_STACK, groups

SMALL = Run(depth=2, width=8, batch_size=8, steps=7, eval_every=3, lr=0.1, precision="float64")
OPTIONS = {
    "ghost_batch": {"ghost_size": 4},
    "group": {"group_size": 4},
    "evonorm_s0": {"group_size": 4},
}
ALONE = {"noisy_batch"}  # each net has noise of its own
NETS = ["mlp", "plain", "resnet"]


def small(net: str, norm: str) -> Run:
    options = {"eps": 1e-3, **OPTIONS.get(norm, {})} if norm != "none" else {}
    width = 8 if net == "mlp" else 4
    return SMALL.replace(net=net, width=width, norm=norm, norm_options=options)


def is_defined(net: str, norm: str) -> bool:
    return net != "mlp" or norm not in ("instance", "filter_response")


CASES = [(net, norm) for net in NETS for norm in NORMS if is_defined(net, norm)]


@pytest.mark.parametrize("net, norm", [case for case in CASES if case[1] not in ALONE])
def test_a_stack_gives_the_histories_of_train(net, norm):
    run = small(net, norm)
    runs = [run, run.replace(seed=3, lr=0.3), run.replace(seed=7, gamma=0.5, label_noise=0.3)]
    for one, other in zip(train_many(runs, engine="stack"), map(train, runs), strict=True):
        assert other.diverged_at is None and one.engine == "stack"
        # Chaos: rounding doubles with every step or so. 1e-9 is far from any wrong formula.
        np.testing.assert_allclose(one.loss, other.loss, rtol=1e-9)
        assert np.array_equal(one.accuracy, other.accuracy)
        assert np.array_equal(one.step, other.step)
        assert np.array_equal(one.val_accuracy, other.val_accuracy)
        assert np.array_equal(one.val_accuracy_train_mode, other.val_accuracy_train_mode)
        assert one.test_accuracy == other.test_accuracy


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer_options": {"momentum": 0.9, "weight_decay": 0.01}},
        {"optimizer_options": {"momentum": 0.9, "nesterov": True}},
        {"optimizer": "adam", "optimizer_options": {"weight_decay": 0.01}},
        {"loss": "squared_error"},
        {"sampler": "k_classes", "sampler_options": {"k": 2}},
        {"norm_options": {"native": False}},
    ],
    ids=str,
)
def test_optimizers_losses_and_samplers(changes):
    run = SMALL.replace(norm="batch", lr=0.01, **changes)
    runs = [run, run.replace(seed=1, lr=0.03)]
    for one, other in zip(train_many(runs, engine="stack"), map(train, runs), strict=True):
        np.testing.assert_allclose(one.loss, other.loss, rtol=1e-9)


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_a_net_that_diverges_leaves_the_others_alone(norm):
    run = small("mlp", norm).replace(precision="float32", steps=40)
    bad = run.replace(lr=1e20)
    alone, (one, other, third) = train(run), train_many([run, bad, run.replace(seed=1)], "stack")
    assert other.diverged_at == train(bad).diverged_at is not None
    assert math.isnan(other.test_accuracy)
    assert one.diverged_at is None and np.isfinite(third.loss).all()
    np.testing.assert_allclose(one.loss[:5], alone.loss[:5], rtol=1e-4)


def test_a_whole_stack_that_diverges():
    run = small("mlp", "none").replace(lr=1e20, precision="float32")
    runs = [run, run.replace(seed=1)]
    for one, other in zip(train_many(runs, "stack"), map(train, runs), strict=True):
        assert one.diverged_at == other.diverged_at and len(one.loss) == len(other.loss)


def test_divergence_in_the_last_step():
    run = small("mlp", "none").replace(lr=1e20, precision="float32")
    last = train(run).diverged_at
    run = run.replace(steps=last)
    (one, _), other = train_many([run, run.replace(lr=1e-3)], "stack"), train(run)
    assert one.diverged_at == other.diverged_at == last and math.isnan(one.test_accuracy)


def test_fastest_takes_each_run_its_own_way():
    ready = Run(depth=1, norm="batch", batch_size=4, steps=3)
    runs = [
        ready,
        SMALL.replace(steps=3),
        ready.replace(lr=0.2),
        SMALL.replace(steps=3, seed=1),
        SMALL.replace(steps=3, optimizer="lawn_sgd"),
    ]
    seen = []
    many = train_many(runs, on_history=lambda number, _: seen.append(number))
    assert [h.engine for h in many] == ["compiled", "stack", "compiled", "stack", "torch"]
    assert sorted(seen) == [0, 1, 2, 3, 4] and [h.run for h in many] == runs
    alone = train(runs[0], engine="compiled")
    assert many[0].loss.tobytes() == alone.loss.tobytes()


def test_groups_are_limited_and_keep_the_order():
    runs = [SMALL.replace(seed=s, lr=0.1 + s % 2) for s in range(LARGEST_STACK + 3)]
    runs.insert(5, SMALL.replace(depth=3))
    sizes = [len(numbers) for numbers in groups(runs)]
    assert sizes == [LARGEST_STACK, 3, 1]
    assert sorted(n for numbers in groups(runs) for n in numbers) == list(range(len(runs)))


@pytest.mark.parametrize(
    "changes",
    [
        {"norm": "noisy_batch"},
        {"weight_norm": "weight_norm"},
        {"optimizer": "lawn_adam"},
        {"clip": 0.01},
        {"net": "resnet", "net_options": {"branch": "skipinit"}},
        {"net": "resnet", "net_options": {"branch": "fixup"}},
        {"norm": "filter_response", "norm_options": {"learnable_eps": True}},
    ],
    ids=str,
)
def test_what_cannot_be_stacked_is_refused_by_name(changes):
    run = SMALL.replace(**changes)
    assert not is_stackable(run)
    with pytest.raises(ValueError, match=f"{run.net} with {run.norm} .* cannot be stacked"):
        train_many([run, run.replace(seed=1)], engine="stack")


def test_wrong_arguments():
    with pytest.raises(ValueError, match="unknown engine 'quick'"):
        train_many([SMALL], engine="quick")
    with pytest.raises(ValueError, match=r"train_many takes Runs, got \{'lr': 1\}"):
        train_many([{"lr": 1}])
    with pytest.raises(ValueError, match="may differ in lr, seed, gamma, label_noise alone"):
        StackTrainer([SMALL, SMALL.replace(depth=3)])
    assert train_many([]) == []


def test_a_wide_net_computes_each_net_on_its_own_channels():
    nets = [make_net("plain", (1, 8, 8), 10, 2, 4, "layer", {}, seed) for seed in range(3)]
    x = torch.randn(3, 5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    wide = widen(nets)(x.transpose(0, 1).flatten(1, 2)).view(5, 3, 10)
    for k, net in enumerate(nets):
        torch.testing.assert_close(wide[:, k], net(x[k]), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("native", [True, False], ids=["native", "primitive"])
@pytest.mark.parametrize("tracks", [True, False], ids=["tracking", "not tracking"])
def test_batch_norm_keeps_its_options_in_a_wide_net(native, tracks):
    options = {"momentum": 0.3, "eps": 0.5, "track_running_stats": tracks, "native": native}
    nets = [make_net("mlp", (1, 8, 8), 10, 2, 4, "batch", options, seed) for seed in range(3)]
    wide = widen(nets)
    x = torch.randn(3, 5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    for mode in (True, False):  # the second time with statistics of the first
        got = wide.train(mode)(x.transpose(0, 1).flatten(1, 2)).view(5, 3, 10)
        for k, net in enumerate(nets):
            torch.testing.assert_close(got[:, k], net.train(mode)(x[k]), rtol=1e-5, atol=1e-6)


def test_what_the_runs_of_a_stack_share():
    run = SMALL.replace(norm="batch")
    assert common(run.replace(lr=3, seed=5, gamma=0.1)) == common(run) != common(SMALL)
    assert all(p.requires_grad for p in widen([build(run)] * 2).parameters())
