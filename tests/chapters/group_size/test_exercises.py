"""The exercises of chapter 08: right answers pass, typical wrong ones get their own hint."""

import pytest
import torch
from torch import nn

from bnlab.check import check
from bnlab.norms import InstanceNorm
from bnlab.train import Run


@pytest.mark.parametrize("exercise", ["08.1", "08.2", "08.3"])
def test_no_answer_yet(exercise):
    assert check(exercise, None).passed is None


def test_pooled_right_and_as_the_layer_does_it():
    assert check("08.1", (0, 0.5)).passed
    x = torch.tensor([2.0, 8.0, 8.0, 2.0]).reshape(1, 1, 2, 2)
    y = InstanceNorm(1, eps=0.0)(x).detach()
    assert check("08.1", (float(y.mean()), float(y.relu().mean()))).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ((5, 0.5), "before the normalizer"),
        ((0, 0), "negative half"),
        ((0, 1), "Half of all positions"),
        ((0, 3), "one standard deviation"),
        ((1, 0.5), "sum to over the positions"),
        (0.5, "two numbers"),
    ],
)
def test_pooled_wrong(answer, hint):
    feedback = check("08.1", answer)
    assert feedback.passed is False
    assert hint in feedback.text


def group_layer(num_features, group_size):
    return nn.GroupNorm(max(1, num_features // group_size), num_features)


def test_group_layer_right():
    assert check("08.2", group_layer).passed


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda c, g: nn.GroupNorm(g, c), "num_groups is the number of groups"),
        (lambda c, g: nn.GroupNorm(c // g, c), "takes the whole layer"),
        (lambda c, g: nn.GroupNorm(max(1, c // g), c, eps=0.1), "numbers differ"),
        (lambda c, g: nn.GroupNorm(1, c), "expected 4"),
        (lambda c, g: nn.GroupNorm(4, 64), "for 64 channels"),
        (lambda c, g: nn.BatchNorm2d(c), "not a BatchNorm2d"),
        (lambda c, g: None, "returns nothing yet"),
        (8, "the function itself"),
    ],
)
def test_group_layer_wrong(wrong, hint):
    feedback = check("08.2", wrong)
    assert not feedback.passed
    assert hint in feedback.text


KINDS = (("group", 2), ("group", 4), ("group", 8), ("layer", None))


def plan(kinds=KINDS, lrs=(0.03, 0.1, 0.3, 1.0), seeds=range(10), **setting):
    return [
        Run(norm=n, norm_options={"group_size": g} if g else {}, lr=lr, seed=s, **setting)
        for n, g in kinds
        for lr in lrs
        for s in seeds
    ]


def test_size_plan_right():
    assert check("08.3", plan()).passed
    assert check("08.3", plan(net="plain", width=32, seeds=range(16))).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (plan(kinds=KINDS[:3]), "3 group sizes and layer norm"),
        (plan(kinds=KINDS[2:]), "3 group sizes and layer norm"),
        (plan(kinds=(*KINDS, ("batch", None))), "group sizes only"),
        (plan(lrs=(0.1,)), "4 learning rates"),
        (plan(lrs=(0.1, 0.2, 0.3, 0.4)), "4 learning rates"),
        (plan(seeds=range(8)), "some must choose the rates"),
        (plan()[:-1], "the same rates and seeds"),
        (plan() + plan()[:1], "twice"),
        (plan() + plan(steps=400), "more than group size"),
        ([Run(norm="group", norm_options={"num_groups": 4})], "Say group_size"),
        ([r for r in plan() if (r.lr, r.seed) != (0.1, 3)], "every rate has every seed"),
        (Run(), "list of Runs"),
    ],
)
def test_size_plan_wrong(answer, hint):
    feedback = check("08.3", answer)
    assert feedback.passed is False
    assert hint in feedback.text
