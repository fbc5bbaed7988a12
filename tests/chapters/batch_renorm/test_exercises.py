"""The exercises of chapter 07: right answers pass, typical wrong ones get their own hint."""

import numpy as np
import pytest
import torch

from bnlab.chapters.batch_renorm.methods import SCHEDULES
from bnlab.check import check
from bnlab.norms import BatchRenorm, make_norm
from bnlab.train import Run


@pytest.mark.parametrize("exercise", ["07.1", "07.2", "07.3"])
def test_no_answer_yet(exercise):
    assert check(exercise, None).passed is None


def test_batch_of_two_right():
    assert check("07.1", (-1, 0.5)).passed
    norm = BatchRenorm(1, eps=0.0, r_max=1.0, d_max=0.0).double()  # BatchNorm
    norm.running_var.fill_(4)
    x = torch.tensor([[1.0], [5.0]], dtype=torch.float64)
    inference = norm.eval()(x)[0].item()
    assert check("07.1", (norm.train()(x)[0].item(), inference)).passed
    for same in ([-1, 0.5], torch.tensor([-1, 0.5]), np.array([-1, 0.5]), (x[0] - 2, 0.5)):
        assert check("07.1", same).passed
    layer = make_norm("batch", 1)  # with its eps
    assert check("07.1", (layer(x.float())[0], 0.5)).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ((0.5, -1), "other way round"),
        ((0.5, 0.5), "running statistics do not count"),
        ((-0.7071, 0.5), "biased"),
        ((-0.7, 0.5), "biased"),
        ((1, 0.5), "second sample"),
        ((-1, 2.5), "second sample"),
        ((-1, None), "two numbers"),
        ("-1, 0.5", "two numbers"),
        ((-1, 0.5, 0), "two numbers"),
        ((-2, 0.5), "Training is not right"),
        ((-1, -1), "other sample does not count"),
        ((-1, 0.25), "not by the variance"),
        ((-1, 2), "Inference is not right"),
        (0.5, "two numbers"),
    ],
)
def test_batch_of_two_wrong(answer, hint):
    feedback = check("07.1", answer)
    assert feedback.passed is False
    assert hint in feedback.text


def renorm(x, mean, sd, r_max, d_max):
    of_batch = x.std(0, correction=0)
    r = (of_batch / sd).clamp(1 / r_max, r_max).detach()
    d = ((x.mean(0) - mean) / sd).clamp(-d_max, d_max).detach()
    return (x - x.mean(0)) / of_batch * r + d


def test_renormalize_right():
    assert check("07.2", renorm).passed


def no_detach(x, mean, sd, r_max, d_max):
    of_batch = x.std(0, correction=0)
    r = (of_batch / sd).clamp(1 / r_max, r_max)
    return (x - x.mean(0)) / of_batch * r + ((x.mean(0) - mean) / sd).clamp(-d_max, d_max)


def all_detached(x, mean, sd, r_max, d_max):
    return x - x.detach() + renorm(x, mean, sd, r_max, d_max).detach()


def upside_down(x, mean, sd, r_max, d_max):
    of_batch = x.std(0, correction=0)
    d = ((x.mean(0) - mean) / sd).clamp(-d_max, d_max)
    return (x - x.mean(0)) / of_batch * (sd / of_batch).clamp(1 / r_max, r_max) + d


def unclipped(x, mean, sd, r_max, d_max):
    return (x - mean) / sd


def no_lower_limit(x, mean, sd, r_max, d_max):
    of_batch = x.std(0, correction=0)
    d = ((x.mean(0) - mean) / sd).clamp(-d_max, d_max)
    return (x - x.mean(0)) / of_batch * (of_batch / sd).clamp(max=r_max) + d


def d_by_batch(x, mean, sd, r_max, d_max):
    of_batch = x.std(0, correction=0)
    d = ((x.mean(0) - mean) / of_batch).clamp(-d_max, d_max)
    return (x - x.mean(0)) / of_batch * (of_batch / sd).clamp(1 / r_max, r_max) + d


@torch.no_grad()
def constant(x, mean, sd, r_max, d_max):
    return renorm(x, mean, sd, r_max, d_max)


def moving(x, mean, sd, r_max, d_max):
    y = renorm(x, mean, sd, r_max, d_max)
    mean += 0.01 * (x.mean(0) - mean).detach()
    return y


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (no_detach, "count as constants"),
        (all_detached, "on them alone"),
        (upside_down, "wrong way up"),
        (unclipped, "do not clip"),
        (no_lower_limit, "lower limit"),
        (d_by_batch, "running deviation"),
        (constant, "on them alone"),
        (moving, "Do not change mean"),
        (lambda x, *rest: renorm(x, *rest).float(), "keep the type"),
        (lambda x, *_: x, "off by up to"),
        (lambda x, *_: x[:1], "has shape"),
        (1.5, "the function itself"),
    ],
)
def test_renormalize_wrong(wrong, hint):
    feedback = check("07.2", wrong)
    assert feedback.passed is False
    assert hint in feedback.text


def plan(
    norms=("batch", "batch_renorm"),
    sizes=(2, 32),
    lrs=(0.01, 0.03, 0.1, 0.3),
    seeds=range(12),
    **setting,
):
    return [
        Run(
            norm=norm,
            norm_options={"group_size": 8} if norm == "group" else {},
            batch_size=size,
            lr=lr,
            seed=seed,
            **setting,
        )
        for norm in norms
        for size in sizes
        for lr in lrs
        for seed in seeds
    ]


def limited(runs, **options):
    return [r.replace(norm_options=options) if r.norm == "batch_renorm" else r for r in runs]


def renorm_only_wider(runs):
    limits = {"r_max": 10.0}
    wide = [r for r in runs if r.norm == "batch_renorm" and r.lr == 0.1]
    return [r.replace(norm_options=limits) if r in wide else r for r in runs]


def test_fair_plan_right():
    assert check("07.3", plan()).passed
    assert check("07.3", plan(sizes=(2, 4, 64), seeds=range(20), depth=4)).passed
    for third in ("layer", "group", "none"):  # a control, paired
        assert check("07.3", plan(norms=("batch", "batch_renorm", third))).passed
    assert check("07.3", limited(plan(), r_max=1.5, d_max=0.5)).passed
    assert check("07.3", limited(plan(), schedule=SCHEDULES["paper"])).passed
    assert check("07.3", plan(lrs=(0.0001, 0.01, 0.03, 0.1, 0.3))).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (plan(norms=("batch",)), "batch and batch_renorm"),
        (plan(norms=("batch", "layer")), "batch and batch_renorm"),
        (limited(plan(), r_max=1.0, d_max=0.0), "is BatchNorm"),
        (limited(plan(), schedule={}), "is BatchNorm"),  # the paper's: it opens after 5,000 steps
        (renorm_only_wider(plan()), "several settings"),
        (plan(lrs=(1e-9, 1e-8, 1e-7, 1e-6)), "between 0.003 and 3"),
        (plan(lrs=(0.1, 0.11, 0.12, 0.13)), "factor of 10"),
        (plan(sizes=(1, 32)), "single sample"),
        (plan() + plan(norms=("group",), sizes=(2,)), "more tries"),
        (plan() + plan(norms=("batch_renorm",), seeds=range(12, 20)), "lacks seeds"),
        (plan(steps=5), "at least 100 steps"),
        (plan(sizes=(2,)), "as a control"),
        (plan(sizes=(8, 64)), "4 or less"),
        (plan(lrs=(0.1,)), "4 learning rates"),
        (plan() + plan(norms=("batch_renorm",), lrs=(1.0,)), "more tries"),
        (plan()[:-1], "lacks seeds"),
        (plan() + plan()[:1], "twice"),
        (plan(seeds=range(3)), "12 seeds"),
        (plan() + plan(steps=400), "more than"),
        (Run(), "list of Runs"),
    ],
)
def test_fair_plan_wrong(answer, hint):
    feedback = check("07.3", answer)
    assert feedback.passed is False
    assert hint in feedback.text
