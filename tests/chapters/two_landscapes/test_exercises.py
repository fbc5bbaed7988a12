"""Checks of the page's exercises: right answers pass, and each mistake gets its own hint."""

import numpy as np
import pytest

from bnlab.check import check

WIDTH, WIDER = 0.9**4 / 2 - 0.5**4 / 2, 0.99**4 / 2 - 0.5**4 / 2


def right(losses):
    losses = np.where(np.isnan(losses), np.inf, losses)
    with np.errstate(invalid="ignore"):
        width = losses.max(axis=0) - losses.min(axis=0)
    return np.where(np.isnan(width), np.inf, width)


def test_right_answers_pass():
    assert check("2L.1", (WIDTH, WIDER, 1)).passed
    assert check("2L.2", right).passed


def test_the_bowl_of_the_check_is_descent():
    """The three nets, step by step, and the gradient of w * w / 2, which is w."""
    found = dict.fromkeys((0.1, 0.5, 0.01), 1.0)
    for _ in range(2):
        found = {lr: w - lr * w for lr, w in found.items()}
    losses = {lr: w * w / 2 for lr, w in found.items()}
    assert check("2L.1", (losses[0.1] - losses[0.5], losses[0.01] - losses[0.5], 1.0)).passed


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (WIDTH, "three numbers"),
        ((0.9**2 - 0.5**2, WIDER, 1), "band of the weights"),
        ((0.5, WIDER, 1), "first width"),
        ((WIDTH, WIDTH, 1), "second width"),
        ((WIDTH, WIDER, 0.5), "Beta"),
    ],
)
def test_hints_for_the_bowl(answer, hint):
    found = check("2L.1", answer)
    assert not found.passed and hint in str(found)


@pytest.mark.parametrize(
    ("answer", "hint"),
    [
        (np.ones(4), "function itself"),
        (lambda losses: None, "returns nothing"),
        (lambda losses: np.ptp(losses, axis=1), "one width a step"),
        (lambda losses: np.ptp(losses, axis=0) / 2, "less the smallest"),
        (lambda losses: np.nanmax(losses, 0) - np.nanmin(losses, 0), "drop the net"),
        (lambda losses: np.nan_to_num(np.ptp(losses, axis=0)), "infinite"),
        (lambda losses: losses.fail, "AttributeError"),
    ],
)
def test_hints_for_the_band(answer, hint):
    found = check("2L.2", answer)
    assert not found.passed and hint in str(found)
