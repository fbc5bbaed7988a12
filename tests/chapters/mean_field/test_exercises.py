"""The exercises of chapter 06: right answers pass, typical wrong ones get their own hint."""

import math

import pytest

from bnlab.chapters.mean_field.exercises import _bound
from bnlab.check import check
from bnlab.measure import mean_field
from bnlab.train import Run

RATE = 3.8 * 2 * math.pi / (300 * 4)


@pytest.mark.parametrize("exercise", ["06.1", "06.2", "06.3"])
def test_no_answer_yet(exercise):
    assert check(exercise, None).passed is None


@pytest.mark.parametrize("answer", [RATE, 0.0199, 0.02])
def test_last_layer_rate_right(answer):
    assert check("06.1", answer).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (RATE / 1.9, "without momentum"),
        (RATE * 2, "γ counts squared"),
        (190.99, "the eigenvalue itself"),
        (RATE * 0.1 / 1.9, "Which way"),
        (1.0, "Not right yet"),
        ("much", "raised ValueError"),
    ],
)
def test_last_layer_rate_wrong(answer, hint):
    feedback = check("06.1", answer)
    assert feedback.passed is False
    assert hint in feedback.text


def test_bound_right():
    assert check("06.2", _bound).passed
    assert check("06.2", lambda fan_in, gamma: mean_field(fan_in, gamma=gamma).bound).passed


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda f, g: _bound(f, g, "one input"), "of one input"),
        (lambda f, g: _bound(f, g, "half"), "divide by 4"),
        (lambda f, g: _bound(f, g, "no width"), "multiply by its fan-in"),
        (lambda f, g: mean_field(f, gamma=g, corrected=True).bound, "That is the correction"),
        (lambda f, g: 1.1 * _bound(f, g), "expected"),
        (lambda f, g: None, "returns nothing yet"),
        (230.4, "the function itself"),
    ],
)
def test_bound_wrong(wrong, hint):
    feedback = check("06.2", wrong)
    assert not feedback.passed
    assert hint in feedback.text


def plan(gammas=(0.25, 1.0, 3.0), lrs=(0.02, 0.05, 0.1, 0.2), seeds=range(8), **setting):
    setting = {"norm": "batch", "loss": "squared_error", **setting}
    return [Run(gamma=g, lr=lr, seed=s, **setting) for g in gammas for lr in lrs for s in seeds]


def test_gamma_plan_right():
    assert check("06.3", plan()).passed
    own = [
        run for g in (0.5, 1.0, 2.0) for run in plan([g], [x / g**2 for x in (0.1, 0.2, 0.4, 0.8)])
    ]
    assert check("06.3", own).passed, "each gamma may have rates of its own"


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (plan(lrs=(0.1,)), "a rate of its own"),
        (plan(lrs=(0.1, 0.11, 0.12, 0.13)), "factor of 4"),
        (plan(gammas=(0.5, 1.0)), "3 values"),
        (plan(seeds=range(4)), "only 4 seeds"),
        (plan()[:-1], "Not paired"),
        (plan() + plan()[:1], "twice"),
        (plan(norm="none"), "norm='batch'"),
        (plan(loss="cross_entropy"), "squared error"),
        (plan() + plan(depth=3), "more than"),
        (Run(), "list of Runs"),
        ([], "at least one"),
    ],
)
def test_gamma_plan_wrong(answer, hint):
    feedback = check("06.3", answer)
    assert feedback.passed is False
    assert hint in feedback.text
