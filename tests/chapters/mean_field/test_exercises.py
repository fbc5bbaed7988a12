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


@pytest.mark.parametrize("fan_in", [[1000] * 4, [64, 300, 300, 300], [20, 50], [30]])
@pytest.mark.parametrize("gamma", [0.5, 2.0])
def test_bound_is_that_of_the_package(fan_in, gamma):
    theory = mean_field(fan_in, gamma=gamma)
    assert _bound(fan_in, gamma) == pytest.approx(theory.bound)
    # Images that have something in common add the first layer's term.
    more = fan_in[0] * 0.3 * theory.q_tilde_xy[0]
    assert _bound(fan_in, gamma, 0.3) == pytest.approx(theory.bound + more)


def shifted(fan_in, gamma, q_hat_xy):
    """The solution with the q of the wrong layer, which the first edition's check accepted."""
    q = [2.5] + [0.5 + gamma**2] * (len(fan_in) - 1)
    both = [q_hat_xy] + [gamma**2 / (2 * math.pi)] * (len(fan_in) - 1)
    total, back = 0.0, 1.0
    for layer in reversed(range(len(fan_in))):
        total += fan_in[layer] * both[layer] * back
        back *= gamma**2 * 2 / (4 * q[layer])
    return total


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda f, g, s: _bound(f, g, s, "one input"), "of one input"),
        (lambda f, g, s: _bound(f, g, s, "half"), "divide by 4"),
        (lambda f, g, s: _bound(f, g, s, "no width"), "multiply by its fan-in"),
        (lambda f, g, s: _bound(f, g, 0.0), "the third argument"),
        (lambda f, g, s: mean_field(f, gamma=g, corrected=True).bound, "That is the correction"),
        (shifted, "the q of another layer"),
        (lambda f, g, s: 1.1 * _bound(f, g, s), "expected"),
        (lambda f, g, s: None, "returns nothing yet"),
        (lambda f, g: _bound(f, g), "raised TypeError"),
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
        (plan(gammas=(1.0, 1.1, 1.2)), "too narrow"),
        (plan(steps=5), "hardly begun"),
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
