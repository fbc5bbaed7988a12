"""How well scores order things, against measurements that are noisy themselves."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import stats

from bnlab.arguments import checked

CONFIDENCE = 0.95
RESAMPLES = 2999
LEAST = 5  # things to order; with fewer a rank correlation says nothing


@dataclass(frozen=True, eq=False)
class Agreement:
    """A rank correlation, or a difference of two, with a 95 % interval.

    Attributes:
        tau: Kendall's tau-a, averaged over rows; -1 (reversed) to 1 (same order), 0 by chance.
        low: lower end of the interval.
        high: its upper end.
        rows: tau of each row of the scores, (K,) float64.
    """

    tau: float
    low: float
    high: float
    rows: np.ndarray

    def __str__(self) -> str:
        return f"{self.tau:.2f} [{self.low:.2f}, {self.high:.2f}]"


@checked
def rank_agreement(truth: np.ndarray, scores: np.ndarray, seed: int = 0) -> Agreement:
    r"""Kendall's tau-a of scores with a truth that was measured several times.

    tau_a = (P - Q) / N over all N pairs of things: P in the same order by both, Q in opposite
    order. It is taken between each row of the scores and each row of the truth, and averaged. A
    pair that one of them ties counts for neither, as if the tie were broken at random. (Tau-b
    divides by fewer pairs; it would put a score of few values, such as a number of layers, above
    one that adds noise to it.) A score that is the same for all orders nothing: 0.

    One row of the truth is one noisy measurement, and so no score reaches 1: compare with
    ``noise_ceiling`` of the same truth. (Against the mean over the rows, as papers report it, tau
    is larger, and the ceiling unknown.)

    The interval is a bootstrap interval (bias-corrected and accelerated; Efron 1987, J. Am. Stat.
    Assoc. 82) over the things and over the rows of the scores; the rows of the truth stay.

    Args:
        truth: one row a repeated measurement (a seed), one column a thing, (S, A), or (A,).
        scores: one row a repetition of the score (a supernet), (K, A), or (A,).
        seed: of the resampling.

    Raises:
        ValueError: for other shapes, fewer than 5 things, values that are not finite, or a truth
            that is the same for all.

    Source: Kendall 1938, Biometrika 30 (tau-a).
    """
    truth, scores = check_truth(truth), _table("scores", scores)
    if truth.shape[1] != scores.shape[1]:
        raise ValueError(
            f"truth is about {truth.shape[1]} things and scores about {scores.shape[1]}: one "
            "column a thing in both."
        )
    return _agreement(_pairs_of(truth, scores), *scores.shape, seed)


@checked
def agreement_beyond(
    truth: np.ndarray, scores: np.ndarray, rival: np.ndarray, seed: int = 0
) -> Agreement:
    """Tau of the scores minus that of a rival that costs nothing, such as the size of a net.

    Both see the same resampled things, so the interval is that of a paired difference: if it
    reaches 0, the score is not shown to know more than the rival.
    Of ``rank_agreement``'s fields, ``rows`` are differences too.

    Args:
        truth: (S, A), as for ``rank_agreement``.
        scores: (K, A) or (A,).
        rival: (A,).
        seed: of the resampling.

    Raises:
        ValueError: as ``rank_agreement``.
    """
    truth, scores, rival = check_truth(truth), _table("scores", scores), _table("rival", rival)
    if not truth.shape[1] == scores.shape[1] == rival.shape[1] or len(rival) > 1:
        raise ValueError("truth and scores need one column a thing, rival one number a thing.")
    ours, theirs = _pairs_of(truth, scores), _pairs_of(truth, rival)
    return _agreement(lambda counts: ours(counts) - theirs(counts), *scores.shape, seed)


@checked
def noise_ceiling(truth: np.ndarray, seed: int = 0) -> Agreement:
    """How well the truth agrees with itself: what one more measurement of all would reach.

    Tau between each row of the truth and the mean of all *other* rows, averaged over the rows. It
    is what a score would reach that has measured the same things as often, in other seeds. With two
    rows it is tau between them; more rows raise it towards the tau of the true order. A score
    without noise of its own can be above it.

    Args:
        truth: (S, A), two rows or more.
        seed: of the resampling, over the things alone.

    Raises:
        ValueError: as ``rank_agreement``, or for a single row.

    Source: the lower bound of Nili et al. 2014 (PLoS Comput. Biol. 10, e1003553), with tau-a.
    """
    truth = check_truth(truth)
    if len(truth) < 2:
        raise ValueError("a noise ceiling needs a truth of two rows or more: measure again.")
    others = (truth.sum(0) - truth) / (len(truth) - 1)
    taus = [_tau(one, other) for one, other in zip(truth, others, strict=True)]

    def statistic(counts: np.ndarray) -> np.ndarray:
        return np.stack([tau(counts) for tau in taus], -1)

    return _agreement(statistic, 1, truth.shape[1], seed)


def check_truth(truth: np.ndarray) -> np.ndarray:
    """Return ``truth`` as a float64 table, (S, A), in which every row has an order.

    Raises:
        ValueError: as ``rank_agreement``.
    """
    truth = _table("truth", truth)
    if (np.ptp(truth, axis=1) == 0).any():
        raise ValueError("a row of truth is the same for all things: there is no order to predict.")
    return truth


def _table(name: str, values: np.ndarray) -> np.ndarray:
    table = np.atleast_2d(np.asarray(values, dtype=np.float64))
    if table.ndim != 2 or table.shape[1] < LEAST or not len(table):
        raise ValueError(
            f"{name} must have one column a thing, at least {LEAST}, and one row a repetition, got "
            f"shape {np.shape(values)}."
        )
    if not np.isfinite(table).all():
        raise ValueError(f"{name} is not finite; give a net that diverged a finite score.")
    return table


# Each of these takes how often a resample has each thing, (B, A), and gives tau for each resample.
Taus = Callable[[np.ndarray], np.ndarray]


def _tau(x: np.ndarray, y: np.ndarray) -> Taus:
    """Kendall's tau-a, (B, A) -> (B,): a pair counts as often as the product of its counts says.

    Pairs of a thing with its own copies are no pairs. As quadratic forms of the counts, thousands
    of resamples are a matrix product.
    """
    dx, dy = (np.sign(v[:, None] - v) for v in (x, y))
    pairs = 1 - np.eye(len(x))

    def form(matrix: np.ndarray, counts: np.ndarray) -> np.ndarray:
        return np.einsum("...a,...a->...", counts @ matrix, counts)

    def tau(counts: np.ndarray) -> np.ndarray:
        agree, all_ = form(dx * dy, counts), form(pairs, counts)
        return np.divide(agree, all_, out=np.zeros_like(agree), where=all_ > 0)

    return tau


def _pairs_of(truth: np.ndarray, scores: np.ndarray) -> Taus:
    """Tau of each row of the scores, averaged over all rows of the truth, (B, A) -> (B, K)."""
    taus = [[_tau(row, one) for one in truth] for row in scores]
    return lambda counts: np.stack([np.mean([t(counts) for t in row], 0) for row in taus], -1)


def _agreement(taus: Taus, rows: int, things: int, seed: int) -> Agreement:
    """The mean over the rows, with its interval; ``rows`` is how many are resampled."""
    each = taus(np.ones((1, things)))[0]
    samples = [np.arange(things)] + ([np.arange(rows)] if rows > 1 else [])

    def statistic(chosen: np.ndarray, *chosen_rows: np.ndarray, axis: int) -> np.ndarray:
        values = taus(_counts(chosen, things))
        if not chosen_rows:
            return values.mean(-1)
        weights = _counts(chosen_rows[0], rows)
        return (values * weights).sum(-1) / weights.sum(-1)

    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        found = stats.bootstrap(
            samples,
            statistic,
            vectorized=True,
            n_resamples=RESAMPLES,
            confidence_level=CONFIDENCE,
            rng=np.random.default_rng(seed),
        )
    interval = found.confidence_interval
    low, high = float(interval.low), float(interval.high)
    if not (np.isfinite(low) and np.isfinite(high)):  # all resamples alike: no correction exists
        edge = (1 - CONFIDENCE) / 2
        low, high = map(float, np.quantile(found.bootstrap_distribution, [edge, 1 - edge]))
    return Agreement(float(each.mean()), low, high, each)


def _counts(chosen: np.ndarray, size: int) -> np.ndarray:
    """How often each number below ``size`` was chosen: (..., n) -> (..., size)."""
    return (chosen[..., None] == np.arange(size)).sum(-2).astype(np.float64)
