"""The exercises of chapter 04: right answers pass, typical wrong ones get their own hint."""

import copy

import pytest
import torch
from torch.nn.functional import cosine_similarity, cross_entropy

from bnlab.check import check
from bnlab.train import Run


@pytest.mark.parametrize("exercise", ["04.1", "04.2", "04.3"])
def test_no_answer_yet(exercise):
    assert check(exercise, None).passed is None


def test_noisy_moments_right():
    assert check("04.1", (0.5, 1.5625)).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ((0.5, 1.25), "multiplies the deviation"),
        ((0.5, 1.8125), "mean square"),
        ((0.625, 1.5625), "added after the factor"),
        ((0, 1), "mean is not right"),
        ((0.5, 1), "variance is not right"),
        (0.5, "two numbers"),
    ],
)
def test_noisy_moments_wrong(answer, hint):
    feedback = check("04.1", answer)
    assert feedback.passed is False
    assert hint in feedback.text


def shift(model, layer, x, y, lr, *, moved="before", sign=-1, on_copy=True, how="both"):
    model = copy.deepcopy(model) if on_copy else model
    weight = model[layer].weight
    model.zero_grad()
    cross_entropy(model(x), y).backward()
    before = weight.grad.clone()
    chosen = {"before": model[:layer], "all": model, "own": model[layer], "none": model[:0]}[moved]
    with torch.no_grad():
        for p in chosen.parameters():
            p += sign * lr * p.grad
    model.zero_grad()
    cross_entropy(model(x), y).backward()
    distance = (weight.grad - before).norm()
    cosine = cosine_similarity(before.flatten(), weight.grad.flatten(), dim=0)
    results = {"both": (distance, cosine), "swapped": (cosine, distance), "one": distance}
    return {**results, "squared": (distance**2, cosine)}[how]


def test_covariate_shift_right():
    assert check("04.2", shift).passed


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ({"moved": "all"}, "Only those before"),
        ({"moved": "own"}, "It stays"),
        ({"moved": "none"}, "Nothing moved"),
        ({"sign": 1}, "uphill"),
        ({"on_copy": False}, "deepcopy"),
        ({"how": "swapped"}, "other way round"),
        ({"how": "squared"}, "Take the root"),
        ({"how": "one"}, "two numbers"),
        ({"sign": -3}, "expected"),
    ],
)
def test_covariate_shift_wrong(wrong, hint):
    feedback = check("04.2", lambda *inputs: shift(*inputs, **wrong))
    assert feedback.passed is False
    assert hint in feedback.text


def test_a_function_that_returns_nothing_or_is_none():
    assert "returns nothing yet" in check("04.2", lambda *_: None).text
    assert "the function itself" in check("04.2", 1.5).text


NORMS = ("none", "batch", "noisy_batch")


def plan(norms=NORMS, lrs=(0.03, 0.1, 0.3), depths=(6, 12), seeds=range(8), **setting):
    return [
        Run(norm=n, lr=lr, depth=d, seed=s, **setting)
        for n in norms
        for lr in lrs
        for d in depths
        for s in seeds
    ]


def test_noisy_plan_right():
    assert check("04.3", plan()).passed
    assert check("04.3", plan(seeds=range(20), steps=300)).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (plan(norms=("none", "batch")), "unstable inputs"),
        (plan(norms=("batch", "noisy_batch")), "three nets"),
        (plan(norms=(*NORMS, "layer")), "three nets"),
        (plan()[:-1], "Not paired"),
        (plan() + plan()[:1], "twice"),
        (plan(lrs=(0.3,)), "3 learning rates"),
        (plan(depths=(6,)), "2 depths"),
        (plan(seeds=range(3)), "only 3 seeds"),
        (plan() + plan(steps=400), "more than"),
        (Run(), "list of Runs"),
        ([], "unstable inputs"),
    ],
)
def test_noisy_plan_wrong(answer, hint):
    feedback = check("04.3", answer)
    assert feedback.passed is False
    assert hint in feedback.text
