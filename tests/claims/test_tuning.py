"""Who chooses learning rates, which is best, which are usable, what a lost net scores."""

import math

import numpy as np
import pytest

from bnlab.train import Run
from bnlab.verdicts import tuning
from bnlab.verdicts.table import Table

RATES = (0.1, 0.3, 1.0)


def test_a_seed_that_chose_the_rates_is_not_counted():
    tuning.check_seeds([8, 9], range(8))
    with pytest.raises(ValueError, match=r"seeds \[3, 7\] chose the learning rates"):
        tuning.check_seeds([7, 8, 3], range(8))


def test_rates_of_another_run_are_not_taken_over():
    tuning.check_same_run({"base": Run().to_dict()}, Run())
    with pytest.raises(ValueError, match="leave 'tuning' out"):
        tuning.check_same_run({"base": Run(steps=7).to_dict()}, Run())


def test_the_best_rate_has_the_highest_mean_and_of_equal_ones_is_the_first():
    assert tuning.best_rate(RATES, np.array([[0.9, 0.1], [0.6, 0.7], [0.8, 0.2]])) == 0.3
    assert tuning.best_rate(RATES, np.array([[0.5, 0.5], [0.75, 0.25], [0.1, 0.2]])) == 0.1


def test_usable_is_near_each_seed_s_own_best():
    scores = np.array([[0.8, 0.25], [0.76, 0.5], [0.7, 0.125]])
    assert tuning.usable_rates(RATES, scores).tolist() == [0.3, 0.3]
    assert tuning.usable_rates(RATES, scores, 0.375).tolist() == [1.0, 1.0]


def test_a_net_that_diverged_scores_chance():
    table = Table(("lr", "seed", "score", "diverged_at"), [[0.1, 1, 0.9, None], [0.3, 1, None, 5]])
    assert tuning.scores(table, "score").tolist() == [0.9, 0.1]
    assert tuning.scores(table, "score", lr=[0.3, 0.1], seed=[1]).tolist() == [[0.1], [0.9]]


def test_mean_loss_counts_a_guess_for_what_is_missing_and_for_spikes():
    assert tuning.mean_loss([1.0, 2.0], 2) == 1.5
    guess = math.log(10)
    assert tuning.mean_loss([1.0, 1e9], 4) == pytest.approx((1 + 3 * guess) / 4, rel=1e-4)
