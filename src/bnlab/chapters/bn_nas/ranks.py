"""How well one order of nets agrees with another: Kendall's tau, also among nets that are alike."""

from __future__ import annotations

import numpy as np

from bnlab.verdicts.ties import NEAR


def tau(x: np.ndarray, y: np.ndarray, alike: np.ndarray | None = None) -> float:
    """Kendall's tau-a of two scores of the same nets: (P - Q) / N.

    Of N pairs P are in the same order by both, Q in opposite order. A pair that one of them ties
    counts for neither: on average tau is the same if ties are broken at random. So a score that
    has few values, such as a number of layers, gains nothing by its ties; tau-b divides by the
    pairs that are not tied, and would put it above a score that adds noise to it.

    Args:
        x: one number a net, (A,).
        y: the same.
        alike: only pairs of nets that have the same entry here count.
    """
    x, y = np.asarray(x), np.asarray(y)
    counts = np.ones((len(x), len(x)), bool) if alike is None else _equal(np.asarray(alike))
    dx, dy = (_order(v[:, None] - v)[counts] for v in (x, y))
    pairs = counts.sum() - len(x)
    return float((dx * dy).sum() / pairs) if pairs else 0.0


def tau_b(x: np.ndarray, y: np.ndarray) -> float:
    """Kendall's tau-b: divided by the pairs that are not tied, so that 1 can be reached with ties.

    0 if one of the scores orders nothing.
    """
    dx, dy = (_order(np.subtract.outer(v, v)) for v in (np.asarray(x), np.asarray(y)))
    norm = np.sqrt((dx * dx).sum() * (dy * dy).sum())
    return float((dx * dy).sum() / norm) if norm else 0.0


def agreement(truth: np.ndarray, score: np.ndarray, alike: np.ndarray | None = None) -> float:
    """Tau of a score, (A,), with each row of the truth, (S, A), averaged."""
    return float(np.mean([tau(row, score, alike) for row in truth]))


def ceiling(truth: np.ndarray, alike: np.ndarray | None = None) -> float:
    """Tau between the two rows of the truth, (2, A): what a score reaches that is a training."""
    first, second = truth
    return tau(first, second, alike)


def partial(truth: np.ndarray, score: np.ndarray, size: np.ndarray) -> float:
    """Kendall's partial tau of score and truth, the size held fixed; averaged over the rows.

    (t - a b) / sqrt((1 - a^2) (1 - b^2)), with tau-b t of score and truth, a of truth and size, b
    of score and size; 0 if the size orders as one of them does. Source: Kendall 1942, Biometrika
    32.
    """
    b, found = tau_b(score, size), []
    for row in truth:
        t, a = tau_b(row, score), tau_b(row, size)
        rest = np.sqrt((1 - a * a) * (1 - b * b))
        found.append((t - a * b) / rest if rest > NEAR else 0.0)
    return float(np.mean(found))


def _order(difference: np.ndarray) -> np.ndarray:
    """-1, 0 or 1: what differs by rounding alone is a tie."""
    return np.where(np.abs(difference) <= NEAR, 0, np.sign(difference))


def _equal(values: np.ndarray) -> np.ndarray:
    return values[:, None] == values
