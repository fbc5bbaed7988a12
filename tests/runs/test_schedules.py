"""Schedules: each against values by hand and torch's own; in stacks, in LAWN; who refuses them."""

import math

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy
from torch.optim import lr_scheduler

from bnlab.engines.compiled import stores
from bnlab.runs.build import build, optimizer_of, training_batches, training_data
from bnlab.runs.rates import set_rate
from bnlab.runs.schedules import SCHEDULES, factor
from bnlab.train import Run, train, train_many
from bnlab.train.ways import fastest

DECAY = {"momentum": 0.9, "weight_decay": 5e-4}
SMALL = Run(depth=2, width=8, norm="batch", lr=0.05, steps=20, eval_every=20, precision="float64")
MADE_BY_TORCH = [
    ("constant", {}, lambda o, n: lr_scheduler.ConstantLR(o, 1.0)),
    ("cosine", {}, lambda o, n: lr_scheduler.CosineAnnealingLR(o, n)),
    ("steps", {}, lambda o, n: lr_scheduler.MultiStepLR(o, [n // 2, 3 * n // 4], 0.1)),
    (
        "steps",
        {"milestones": [0.25], "gamma": 0.5},
        lambda o, n: lr_scheduler.MultiStepLR(o, [n // 4], 0.5),
    ),
    (
        "constant",
        {"warmup": 5},
        lambda o, n: lr_scheduler.LinearLR(o, start_factor=1 / 5, total_iters=4),
    ),
    ("cosine", {"warmup": 4}, lambda o, n: warmed(o, 4, lr_scheduler.CosineAnnealingLR(o, n - 4))),
]
like_torch = pytest.mark.parametrize(("schedule", "options", "make"), MADE_BY_TORCH)


def warmed(optimizer, warmup, after):
    """torch's warm-up in equal parts, and then another of its schedulers."""
    for group in optimizer.param_groups:
        group["lr"] = group["initial_lr"]  # the one made first has started
    rise = lr_scheduler.LinearLR(optimizer, start_factor=1 / warmup, total_iters=warmup - 1)
    return lr_scheduler.SequentialLR(optimizer, [rise, after], milestones=[warmup])


def factors(name, steps, **options):
    return [factor(name, options, step, steps) for step in range(1, steps + 1)]


# -------------------------------------------------------------------------------------- values


def test_constant_stays():
    assert factors("constant", 4) == [1, 1, 1, 1]


def test_cosine_starts_at_one_and_is_a_half_in_the_middle():
    """The last step has a rate that is not zero yet: zero is what would follow it."""
    root = math.sqrt(2) / 2
    np.testing.assert_allclose(factors("cosine", 4), [1, (1 + root) / 2, 0.5, (1 - root) / 2])


def test_steps_fall_to_a_tenth_at_half_and_at_three_quarters():
    np.testing.assert_allclose(factors("steps", 8), [1, 1, 1, 1, 0.1, 0.1, 0.01, 0.01])
    found = factors("steps", 5, milestones=[0.2, 0.6], gamma=0.5)
    np.testing.assert_allclose(found, [1, 0.5, 0.5, 0.25, 0.25])
    assert factors("steps", 3, milestones=[0.5], gamma=0) == [1, 1, 0]


def test_a_warm_up_rises_in_equal_parts_and_the_rest_is_the_schedule_of_what_is_left():
    assert factors("constant", 6, warmup=4) == [0.25, 0.5, 0.75, 1, 1, 1]
    assert factors("cosine", 7, warmup=3) == [1 / 3, 2 / 3, 1, *factors("cosine", 4)]
    assert factors("steps", 10, warmup=2) == [0.5, 1, *factors("steps", 8)]
    assert factors("cosine", 3, warmup=2)[-1] == 1
    assert factors("cosine", 5, warmup=0) == factors("cosine", 5)


@pytest.mark.parametrize("name", SCHEDULES)
def test_no_rate_is_above_the_largest_nor_rises_after_the_warm_up(name):
    found = np.array(factors(name, 50, warmup=10))
    assert found.max() == 1 and found.min() > 0
    assert (np.diff(found)[:9] > 0).all() and (np.diff(found)[9:] <= 0).all()


# -------------------------------------------------------------------------------- in training


def by_hand(run, make):
    """The losses of a Run whose rate torch's own scheduler sets."""
    data, net = training_data(run), build(run)
    x, y = torch.tensor(data.train_x, dtype=torch.float64), torch.tensor(data.train_y)
    optimizer = optimizer_of(run, net)
    scheduler, losses = make(optimizer, run.steps), []
    for numbers in training_batches(run, data.train_y):
        optimizer.zero_grad()
        loss = cross_entropy(net(x[numbers]), y[numbers])
        loss.backward()
        optimizer.step()
        scheduler.step()
        losses.append(loss.item())
    return losses


@like_torch
def test_a_training_is_that_of_torchs_scheduler(schedule, options, make):
    run = SMALL.replace(schedule=schedule, schedule_options=options, optimizer_options=DECAY)
    found = train(run, device="cpu").loss
    np.testing.assert_allclose(found, by_hand(run, make), rtol=1e-12)
    if (schedule, options) != ("constant", {}):
        unscheduled = train(run.replace(schedule="constant", schedule_options={}), device="cpu")
        assert abs(found - unscheduled.loss).max() > 1e-3, "the schedule does something"


@pytest.mark.parametrize("optimizer", ["adam", "lawn_sgd", "lawn_adam"])
def test_other_optimizers_follow_it_too(optimizer):
    """LAWN's free phase ends in the middle."""
    options = {} if optimizer == "adam" else {"free_steps": 7}
    run = SMALL.replace(optimizer=optimizer, optimizer_options=options, lr=0.01, schedule="cosine")
    found = train(run, device="cpu").loss
    by_torch = by_hand(run, lambda o, n: lr_scheduler.CosineAnnealingLR(o, n))
    np.testing.assert_allclose(found, by_torch, rtol=1e-12)


def test_the_tenth_of_the_rate_of_scalars_stays_a_tenth():
    run = SMALL.replace(
        net="resnet",
        norm="none",
        net_options={"branch": "fixup"},
        optimizer_options={"scalar_lr": 0.1},
        schedule="steps",
    )
    optimizer = optimizer_of(run, build(run))
    for step, share in ((1, 1.0), (12, 0.1), (20, 0.01)):
        set_rate(optimizer, run, step)
        rates = [group["lr"] for group in optimizer.param_groups]
        np.testing.assert_allclose(rates, [share * 0.05, share * 0.005])


@pytest.mark.parametrize("optimizer_options", [{}, DECAY])
def test_a_stack_follows_it_at_one_rate_and_at_several(optimizer_options):
    run = SMALL.replace(
        schedule="cosine", schedule_options={"warmup": 4}, optimizer_options=optimizer_options
    )
    for lrs in ((0.05, 0.05), (0.05, 0.2)):
        runs = [run.replace(seed=seed, lr=lr) for seed, lr in enumerate(lrs)]
        for one, other in zip(train_many(runs, engine="stack"), map(train, runs), strict=True):
            assert one.engine == "stack"
            np.testing.assert_allclose(one.loss, other.loss, rtol=1e-9)


def test_nets_with_different_schedules_are_in_different_stacks():
    runs = [SMALL, SMALL.replace(schedule="cosine"), SMALL.replace(seed=1)]
    for one, other in zip(train_many(runs, engine="stack"), map(train, runs), strict=True):
        np.testing.assert_allclose(one.loss, other.loss, rtol=1e-9)


# ------------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("schedule", "options", "message"),
    [
        ("cosin", {}, r"unknown schedule 'cosin'. Did you mean 'cosine'\?"),
        (None, {}, "unknown schedule None.* Known: constant, cosine, steps"),
        ("cosine", {"gamma": 0.5}, "option of schedule 'cosine': 'gamma'. Known: warmup"),
        ("steps", {"warm_up": 1}, "Did you mean 'warmup'"),
        ("cosine", {"warmup": 20}, "whole number of steps below the Run's 20, got 20"),
        ("cosine", {"warmup": -1}, "whole number of steps below the Run's 20, got -1"),
        ("cosine", {"warmup": 0.1}, "whole number of steps below the Run's 20, got 0.1"),
        ("cosine", {"warmup": True}, "whole number of steps below the Run's 20, got True"),
        ("steps", {"gamma": 1.5}, "gamma of a schedule must be a finite number between 0 and 1"),
        ("steps", {"gamma": "0.1"}, "gamma of a schedule must be a finite number"),
        ("steps", {"milestones": []}, "list of shares of the training between 0 and 1"),
        ("steps", {"milestones": [100]}, r"shares of the training .*got \[100\]"),
        ("steps", {"milestones": [0]}, r"shares of the training .*got \[0\]"),
        ("steps", {"milestones": 0.5}, "list of shares of the training .*got 0.5"),
        ("steps", {"milestones": ["half"]}, "list of shares of the training"),
    ],
)
def test_a_bad_schedule_is_refused_when_the_run_is_made(schedule, options, message):
    with pytest.raises(ValueError, match=message):
        SMALL.replace(schedule=schedule, schedule_options=options)


@pytest.mark.parametrize(
    "fields", [{"schedule": "cosine"}, {"schedule_options": {"warmup": 5}}], ids=str
)
def test_the_compiled_engine_refuses_it_and_the_fastest_way_is_another(fields):
    plain = Run(depth=2, norm="batch", steps=3000)
    run = plain.replace(**fields)
    with pytest.raises(ValueError, match="trains at a constant rate, got schedule="):
        train(run.replace(steps=10), engine="compiled")
    assert stores.is_possible(plain) and not stores.is_possible(run)
    assert fastest(run, device="cpu") == "torch"
    assert fastest(run, 16, device="cpu") in ("stack", "torch")


def test_a_run_without_one_keeps_its_key():
    assert Run(schedule="constant", schedule_options={}).key() == Run().key()
    changed = [SMALL, SMALL.replace(schedule="cosine"), SMALL.replace(schedule="steps")]
    changed += [SMALL.replace(schedule_options={"warmup": 1})]
    assert len({run.key() for run in changed}) == 4
    assert Run.from_dict(changed[1].to_dict()) == changed[1]
