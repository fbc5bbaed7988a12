"""Kendall's tau, also among nets that are alike."""

import numpy as np
import pytest
from scipy.stats import kendalltau

from bnlab.chapters.bn_nas.ranks import agreement, ceiling, partial, tau, tau_b


@pytest.fixture
def scores():
    rng = np.random.default_rng(0)
    return rng.integers(0, 6, 30), rng.integers(0, 9, 30), rng.integers(0, 3, 30)


def test_a_tie_gains_nothing(scores):
    """Noise that breaks the ties of a score leaves its tau as it is, on average; not its tau-b."""
    x, y, _ = scores
    noise = np.random.default_rng(1).uniform(size=(400, len(x))) / 2
    broken = np.array([[tau(x + one, y), tau_b(x + one, y)] for one in noise]).mean(0)
    assert tau(x, y) == pytest.approx(broken[0], abs=0.005)
    assert abs(tau_b(x, y)) > abs(broken[1]) + 0.001


def test_tau_b_is_kendalls_with_ties(scores):
    x, y, _ = scores
    assert tau_b(x, y) == pytest.approx(kendalltau(x, y).statistic)
    assert tau([1, 2, 3, 4], [1, 2, 4, 3]) == tau_b([1, 2, 3, 4], [1, 2, 4, 3])


def test_a_score_that_is_the_same_for_all_orders_nothing():
    assert tau([1, 1, 1], [1, 2, 3]) == tau_b([1, 1, 1], [1, 2, 3]) == 0


def test_among_nets_that_are_alike_only_their_pairs_count():
    x, y = [1, 2, 1, 2], [5, 6, 0, 1]
    assert tau(x, y) == pytest.approx(2 / 6)
    assert tau(x, y, np.array([0, 0, 1, 1])) == 1
    assert tau([1, 2, 3], [1, 2, 3], np.array([0, 1, 2])) == 0, "no pair is left"


def test_what_is_alike_has_no_say_among_the_alike(scores):
    _, y, group = scores
    assert tau(group, y, group) == 0


def test_agreement_is_the_mean_over_the_trainings(scores):
    x, y, z = scores
    assert agreement(np.array([x, y]), z) == pytest.approx((tau(x, z) + tau(y, z)) / 2)
    assert ceiling(np.array([x, y])) == tau(x, y)


def test_the_partial_tau_of_a_size_in_disguise_is_nothing():
    """A score that says of the truth what the size says of it, and no more."""
    rng = np.random.default_rng(1)
    size = rng.normal(size=400)
    truth, score = (size + rng.normal(size=400) for _ in range(2))
    assert tau(truth, score) > 0.25
    assert abs(partial(np.array([truth]), score, size)) < 0.12
    assert partial(np.array([truth]), truth, size) == pytest.approx(1)


def test_accuracies_that_differ_by_rounding_are_a_tie():
    assert tau([0.7, 0.7 + 1e-12, 0.8], [3, 2, 4]) == tau([0.7, 0.7, 0.8], [3, 2, 4])
    assert tau([0.7, 0.7 + 1e-6, 0.8], [3, 2, 4]) != tau([0.7, 0.7, 0.8], [3, 2, 4])
