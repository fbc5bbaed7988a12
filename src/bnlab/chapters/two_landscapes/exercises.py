"""The exercises of the page. Each check returns a hint, or nothing for a right answer."""

from __future__ import annotations

import math

import numpy as np

SMALL, LARGE, ADDED, STEPS = 0.1, 0.5, 0.01, 2


def _bowl(lr: float) -> float:
    """Loss w^2 / 2 after ``STEPS`` steps of descent from w = 1."""
    return (1 - lr) ** (2 * STEPS) / 2


def bowl(answer: object) -> str:
    """2L.1: two widths of a band over rates on a quadratic loss, and its effective beta."""
    if not isinstance(answer, tuple | list) or len(answer) != 3:
        return "Give three numbers: (width, width with the added rate, beta)."
    width, wider, beta = (float(part) for part in answer)
    right = _bowl(SMALL) - _bowl(LARGE)
    if math.isclose(width, (1 - SMALL) ** STEPS - (1 - LARGE) ** STEPS, rel_tol=0.01):
        return "That is the band of the weights. The loss is half their square."
    if not math.isclose(width, right, rel_tol=0.01):
        return "The first width: a step takes w to (1 - lr) w. Take two steps, then w * w / 2."
    if not math.isclose(wider, _bowl(ADDED) - _bowl(LARGE), rel_tol=0.01):
        return "The second width: the net at the added rate hardly moves. Which edge is it?"
    if not math.isclose(beta, 1, rel_tol=0.01):
        return "Beta is change of the gradient over the way. The gradient of w * w / 2 is w."
    return ""


def band(answer: object) -> str:
    """2L.2: a function of losses, (rates, steps), that gives the width of the band, (steps,)."""
    if not callable(answer):
        return "Give the function itself, without calling it: check('2L.2', band)."
    clean = np.array([[2.0, 1.5, 1.0, 0.5], [2.0, 1.8, 1.7, 1.6], [2.0, 1.0, 1.2, 0.4]])
    lost = clean.copy()
    lost[1, 2:] = np.nan
    found = answer(clean.copy())
    if found is None:
        return "Your function returns nothing yet. End it with return and one width a step."
    found = np.asarray(found, dtype=float)
    if found.shape != (4,):
        return f"Return one width a step, of shape (4,) here; yours is {found.shape}."
    if not np.allclose(found, np.ptp(clean, axis=0)):
        return "At each step: the largest loss over the rates, less the smallest. No smoothing."
    with np.errstate(all="ignore"):
        there = np.asarray(answer(lost.copy()), dtype=float)
    if not np.allclose(there[:2], np.ptp(clean, axis=0)[:2]):
        return "Where no net has diverged yet, the width must stay what it was."
    if np.allclose(there[2:], np.nanmax(lost, 0)[2:] - np.nanmin(lost, 0)[2:]):
        return "You drop the net that diverged: the band gets narrow just where it failed."
    if not np.isposinf(there[2:]).all():
        return "From the step at which a net is NaN, the width is infinite: np.inf."
    return ""


EXERCISES = {"2L.1": bowl, "2L.2": band}
