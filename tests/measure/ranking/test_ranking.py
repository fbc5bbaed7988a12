"""Kendall's tau, its interval and its ceiling, against counted pairs and known truths."""

import itertools

import numpy as np
import pytest
from scipy import stats

from bnlab.measure import agreement_beyond, noise_ceiling, rank_agreement
from bnlab.measure.ranking.ranking import _counts, _tau


def tables(seed=0, things=20, ties=False):
    rng = np.random.default_rng(seed)
    truth, scores = rng.normal(size=(3, things)), rng.normal(size=(4, things))
    common = rng.normal(size=things)
    truth, scores = truth + common, scores + common
    return (truth.round(), scores.round()) if ties else (truth, scores)


def kendall(a, b, which=None):
    """Pair by pair; a thing makes no pair with a copy of itself (``which`` thing each is)."""
    which = range(len(a)) if which is None else which
    pairs = [(i, j) for i, j in itertools.combinations(range(len(a)), 2) if which[i] != which[j]]
    return np.mean([np.sign((a[i] - a[j]) * (b[i] - b[j])) for i, j in pairs])


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_tau_is_averaged_over_the_truth(seed, ties):
    truth, scores = tables(seed, ties=ties)
    found = rank_agreement(truth, scores)
    rows = [np.mean([kendall(s, t) for t in truth]) for s in scores]
    np.testing.assert_allclose(found.rows, rows, rtol=1e-12)
    assert found.tau == pytest.approx(np.mean(rows), rel=1e-12)
    assert found.low < found.tau < found.high
    if not ties:
        assert kendall(scores[0], truth[0]) == stats.kendalltau(scores[0], truth[0]).statistic


def test_a_score_gains_nothing_by_its_ties():
    """Broken at random they leave tau as it was, on average."""
    truth, scores = tables(5, ties=True)
    noise = np.random.default_rng(0).uniform(size=(300, 20)) / 2
    broken = rank_agreement(truth, scores[0] + noise)
    assert rank_agreement(truth, scores[0]).tau == pytest.approx(broken.tau, abs=0.01)


def test_tau_by_hand():
    # Of ten pairs eight are in the same order, two are not.
    assert rank_agreement([1, 2, 3, 4, 5], [2, 1, 3, 5, 4]).tau == pytest.approx(0.6, rel=1e-12)
    # A tie in the score: 9 of 10 pairs in order.
    assert rank_agreement([1, 2, 3, 4, 5], [1, 1, 2, 3, 4]).tau == pytest.approx(0.9, rel=1e-12)


def test_a_resample_counts_as_its_copies():
    truth, scores = tables(1, ties=True)
    chosen = np.random.default_rng(0).integers(20, size=(7, 20))
    found = _tau(scores[0], truth[0])(_counts(chosen, 20))
    np.testing.assert_allclose(
        found, [kendall(scores[0][i], truth[0][i], i) for i in chosen], rtol=1e-12, atol=1e-15
    )


def test_a_score_that_tells_nothing_apart_scores_zero_and_a_perfect_one_one():
    truth = np.arange(8.0)
    none, all_ = rank_agreement(truth, np.zeros(8)), rank_agreement(truth, truth**3)
    assert (none.tau, none.low, none.high) == (0, 0, 0)
    assert (all_.tau, all_.low, all_.high) == (1, 1, 1)
    assert rank_agreement(truth, -truth).tau == -1


def test_the_ceiling_leaves_each_seed_out_of_its_own_mean():
    truth, _ = tables(2)
    found = noise_ceiling(truth)
    rows = [kendall(truth[s], np.delete(truth, s, 0).mean(0)) for s in range(3)]
    np.testing.assert_allclose(found.rows, rows, rtol=1e-12)
    assert found.low < found.tau < found.high
    pair = noise_ceiling(truth[:2])
    assert pair.tau == pytest.approx(kendall(truth[0], truth[1]), rel=1e-12)


def test_the_ceiling_is_what_the_true_order_reaches():
    """With many seeds, a score that is the truth itself without noise reaches the ceiling."""
    rng = np.random.default_rng(0)
    quality = rng.normal(size=60)
    truth = quality + rng.normal(size=(12, 60))
    best, ceiling = rank_agreement(truth, quality), noise_ceiling(truth)
    assert ceiling.tau == pytest.approx(best.tau, abs=0.05)
    assert best.tau < 0.7  # noise keeps it away from 1
    assert abs(noise_ceiling(rng.normal(size=(12, 60))).tau) < 0.1  # nothing but noise


def test_a_difference_is_paired():
    truth, scores = tables(3, things=40)
    rival = scores[0] + 1e-6  # the same order
    same = agreement_beyond(truth, scores[:1], rival)
    assert same.tau == same.low == same.high == 0
    found = agreement_beyond(truth, scores, truth[0])
    wanted = rank_agreement(truth, scores).rows - rank_agreement(truth, truth[0]).tau
    np.testing.assert_allclose(found.rows, wanted, rtol=1e-12)
    assert found.low < found.tau < found.high < 0


@pytest.mark.parametrize("rows", [1, 4])
def test_the_interval_covers_the_true_tau(rows):
    rng, hits, correlation = np.random.default_rng(0), 0, 0.6
    wanted = 2 / np.pi * np.arcsin(correlation)  # Kendall's tau of a normal pair
    for _ in range(100):
        truth = rng.normal(size=25)
        noise = np.sqrt(1 - correlation**2) * rng.normal(size=(rows, 25))
        found = rank_agreement(truth, correlation * truth + noise)
        hits += found.low <= wanted <= found.high
    assert hits >= 91  # of 100 at 95 %: fewer has a chance below 0.03


def test_more_things_make_it_narrower_and_a_seed_repeats_it():
    width = {}
    for things in (10, 90):
        truth, scores = tables(4, things=things)
        found = rank_agreement(truth, scores[0])
        width[things] = found.high - found.low
        again = rank_agreement(truth, scores[0])
        assert (again.low, again.high) == (found.low, found.high)
        other = rank_agreement(truth, scores[0], seed=1)
        assert (other.low, other.high) != (found.low, found.high)
    assert width[90] < width[10] / 2
    assert str(rank_agreement(np.arange(5), np.arange(5))) == "1.00 [1.00, 1.00]"


GOOD = np.arange(12.0).reshape(2, 6)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: rank_agreement(GOOD, GOOD[:, :5]), "truth is about 6 things and scores about 5"),
        (lambda: rank_agreement(GOOD[:, :4], GOOD[:, :4]), "at least 5"),
        (lambda: rank_agreement(GOOD, np.zeros((2, 3, 6))), "scores must have one column a thing"),
        (lambda: rank_agreement(GOOD, GOOD * np.nan), "scores is not finite"),
        (lambda: rank_agreement(GOOD * np.inf, GOOD), "truth is not finite"),
        (lambda: rank_agreement(np.ones((2, 6)), GOOD), "no order to predict"),
        (lambda: noise_ceiling(GOOD[0]), "two rows or more"),
        (lambda: agreement_beyond(GOOD, GOOD, GOOD), "rival one number a thing"),
    ],
)
def test_bad_input_is_refused(call, message):
    with pytest.raises(ValueError, match=message), np.errstate(invalid="ignore"):
        call()
