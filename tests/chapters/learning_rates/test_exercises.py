"""The exercises of chapter 03: right answers pass, typical wrong ones get their own hint."""

import copy

import pytest
import torch
from torch.nn.functional import cross_entropy

from bnlab import claims
from bnlab.chapters.learning_rates import b1_rates
from bnlab.check import check
from bnlab.train import Run


@pytest.mark.parametrize("exercise", ["03.1", "03.2", "03.3"])
def test_no_answer_yet(exercise):
    feedback = check(exercise, None)
    assert feedback.passed is None
    assert "Not answered yet" in str(feedback)


def test_unknown_exercise_lists_the_known():
    with pytest.raises(ValueError, match=r"Known: .*03\.1, 03\.2, 03\.3"):
        check("3.1", 1)


def test_feedback_prints_everywhere():
    feedback = check("03.1", (1, 0.1))
    assert repr(feedback) == "✓ Exercise 03.1: Right."
    assert "✓" in feedback._repr_mimebundle_()["text/html"]


@pytest.mark.parametrize("answer", [(1, 0.1), [1.0, 0.1], (1, 1 / 10)])
def test_scaled_weights_right(answer):
    assert check("03.1", answer).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        ((10, 10), "output is not right"),
        ((10, 0.1), "output is not right"),
        ((1, 1), "constant along the ray"),
        ((1, 10), "Differentiate"),
        ((1, 0.01), "Differentiate"),
        (0.1, "two numbers"),
        ((1, 0.1, 5), "two numbers"),
        (("a", "b"), "raised ValueError"),
    ],
)
def test_scaled_weights_wrong(answer, hint):
    feedback = check("03.1", answer)
    assert feedback.passed is False
    assert hint in feedback.text


def relative_loss(model, x, y, lr, *, sign=-1, how="ratio", mode=None, on_copy=True, move=True):
    model = copy.deepcopy(model) if on_copy else model
    if mode is not None:
        model.train(mode)
    before = cross_entropy(model(x), y)
    model.zero_grad()
    before.backward()
    with torch.no_grad():
        for p in model.parameters():
            p += move * sign * lr * p.grad
        after = cross_entropy(model(x), y)
    results = {"ratio": after / before, "after": after, "inverse": before / after}
    return {**results, "relative": after / before - 1, "difference": after - before}[how]


def test_relative_loss_right():
    assert check("03.2", relative_loss).passed


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ({"sign": 1}, "uphill"),
        ({"how": "after"}, "Divide it by the loss before"),
        ({"how": "inverse"}, "Upside down"),
        ({"how": "relative"}, "relative change"),
        ({"how": "difference"}, "difference of losses"),
        ({"mode": False}, "evaluation mode"),
        ({"on_copy": False}, "leaves gradients"),
        ({"move": 0}, "Nothing changed"),
        ({"move": 2}, "expected"),
    ],
)
def test_relative_loss_wrong(wrong, hint):
    feedback = check("03.2", lambda *inputs: relative_loss(*inputs, **wrong))
    assert feedback.passed is False
    assert hint in feedback.text


def test_relative_loss_that_changes_the_weights_only():
    def wrong(model, x, y, lr):
        before = cross_entropy(model(x), y)
        gradients = torch.autograd.grad(before, list(model.parameters()))
        with torch.no_grad():
            for p, g in zip(model.parameters(), gradients, strict=True):
                p -= lr * g
            return cross_entropy(model(x), y) / before

    assert "changes the weights" in check("03.2", wrong).text


def test_a_function_that_returns_nothing():
    assert "returns nothing yet" in check("03.2", lambda *_: None).text


def test_relative_loss_that_is_no_function():
    assert "the function itself" in check("03.2", 1.5).text


def test_code_that_raises_is_answered():
    assert "raised ZeroDivisionError" in check("03.2", lambda *_: 1 / 0).text


def plan(norms=("none", "batch"), lrs=(0.01, 0.03, 0.1), seeds=range(8), **setting):
    return [Run(norm=n, lr=lr, seed=s, **setting) for n in norms for lr in lrs for s in seeds]


def test_paired_plan_right():
    assert check("03.3", plan()).passed
    assert check("03.3", plan(lrs=(0.003, 0.1, 1.0, 30.0), seeds=range(20), depth=12)).passed
    assert check("03.3", plan() + plan(depth=12)).passed  # as B1 does


def test_paired_plan_right_with_more_than_is_needed():
    layer = plan(norms=("none", "batch", "layer"))
    assert check("03.3", layer).passed  # one more normalizer, paired with both
    group = [run.replace(norm="group", norm_options={"group_size": 8}) for run in plan()]
    assert check("03.3", plan() + list(dict.fromkeys(group))).passed
    assert check("03.3", plan(depth=1) + plan(depth=12)).passed  # shallow against deep
    assert check("03.3", plan(norms=("batch", "none"), steps=3000, depth=12)).passed
    data = claims.load("B1").data  # the chapter's own design
    setting = {"seeds": data["seeds"], "steps": data["base"]["steps"]}
    runs = [run for d in data["depths"] for run in plan(lrs=b1_rates.LRS, depth=d, **setting)]
    assert check("03.3", runs).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (plan(seeds=range(3)), "only 3 seeds"),
        (plan(lrs=(0.1,)), "at least 3 learning rates"),
        (plan(lrs=(0.1, 0.11, 0.12)), "factor of 10"),
        (plan(lrs=(0.3, 1.0, 3.0)), "0.03 or less"),
        (plan(norms=("none", "layer")), "at least two nets"),
        (plan(norms=("batch",)), "at least two nets"),
        (plan(norms=("batch", "layer")), "at least two nets"),
        (plan() + plan(norms=("layer",), lrs=(0.3,)), "Not paired"),
        (plan()[:-1], "Not paired"),
        (plan() + plan()[:1], "twice"),
        (plan(norms=("none",), depth=6) + plan(norms=("batch",), depth=12), "Not paired"),
        (plan() + plan(width=32), "more than normalizer"),
        (plan() + plan(lrs=(0.1,), depth=12), "at least 3 learning rates"),
        (plan(lrs=(1e-9, 1e-8, 1e-7)), "outside no net learns"),
        (plan(lrs=(0.03, 100.0, 1000.0)), "outside no net learns"),
        (plan(steps=1), "in so few steps"),
        (plan(depth=1), "one hidden layer"),
        (plan(width=1), "so narrow"),
        ([{"norm": "none"}], "list of Runs"),
        (Run(), "list of Runs"),
        ([], "at least two nets"),
    ],
)
def test_paired_plan_wrong(answer, hint):
    feedback = check("03.3", answer)
    assert feedback.passed is False
    assert hint in feedback.text
