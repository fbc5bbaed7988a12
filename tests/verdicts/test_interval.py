"""The interval of a mean over seeds."""

import numpy as np
import pytest

from bnlab.verdicts import interval as module
from bnlab.verdicts.interval import interval

RNG = np.random.default_rng(0)


def spread(mean, width=0.1, count=16):
    """Values with exactly this mean."""
    values = RNG.normal(size=count) * width
    return values - values.mean() + mean


def test_the_interval_holds_its_mean_and_shrinks_with_seeds():
    few, many = spread(1.0, 1.0, 8), spread(1.0, 1.0, 200)
    assert interval(few)[0] < 1.0 < interval(few)[1]
    assert np.ptp(interval(many)) < np.ptp(interval(few)) / 2


@pytest.mark.parametrize("seeds", [8, 16])
def test_the_interval_covers_the_truth_as_often_as_it_says(seeds, monkeypatch):
    monkeypatch.setattr(module, "RESAMPLES", 999)  # quicker, and enough to see
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(400):
        low, high = interval(rng.normal(size=seeds))
        hits += low <= 0 <= high
    assert 0.93 <= hits / 400 <= 0.985


def test_values_that_differ_by_rounding_alone_have_an_interval():
    low, high = interval(np.array([1.0] * 15 + [1.0000000000000002]))
    assert low == high == pytest.approx(1.0)


def test_rare_values_never_give_an_interval_of_nothing():
    low, high = interval(np.array([0.5] * 7 + [1.5]))
    assert low < 0.625 < high


def test_the_interval_is_the_same_every_time():
    values = spread(0.3)
    assert interval(values) == interval(values.copy())


def test_equal_values_have_an_interval_without_width():
    assert interval(np.full(8, 0.25)) == (0.25, 0.25)


@pytest.mark.parametrize("values", [[1.0], [], [[1.0, 2.0]]])
def test_too_few_values_have_no_interval(values):
    with pytest.raises(ValueError, match="at least 2 seeds"):
        interval(np.array(values))


def test_a_value_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="finite score"):
        interval(np.array([0.1, np.nan, 0.2]))
