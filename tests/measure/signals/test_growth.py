"""Fits of growth with depth: against numpy's and scipy's own, and on data of a known law."""

import numpy as np
import pytest
from scipy import stats

from bnlab.measure import fit_growth


def noisy(law, seed=0, n=20, size=0.1):
    depth = np.arange(1.0, n + 1)
    return depth, law(depth) * np.exp(size * np.random.default_rng(seed).standard_normal(n))


def test_exact_laws_are_found():
    depth = np.arange(1.0, 13)
    power = fit_growth(3 * depth**1.5)
    assert power.better == "power" and power.exponent == pytest.approx(1.5, rel=1e-12)
    assert power.exponent_interval == pytest.approx((1.5, 1.5), abs=1e-9)
    assert power.power.r2 == pytest.approx(1, abs=1e-12) and power.exponential.r2 < 0.95
    exponential = fit_growth(0.2 * 1.76**depth)
    assert exponential.better == "exponential" and exponential.rate == pytest.approx(1.76)
    assert exponential.exponential.r2 == pytest.approx(1, abs=1e-12) and exponential.power.r2 < 0.95
    assert np.exp(exponential.exponential.intercept) == pytest.approx(0.2)
    assert np.exp(power.power.intercept) == pytest.approx(3)


def test_shrinking_is_growth_too():
    growth = fit_growth(5 * 0.5 ** np.arange(6))
    assert growth.better == "exponential" and growth.rate == pytest.approx(0.5)


@pytest.mark.parametrize("level", [0.5, 0.95])
def test_slopes_intervals_and_goodness_are_those_of_a_regression(level):
    depth, values = noisy(lambda depth: depth**0.8)
    growth = fit_growth(values, depth, level)
    for line, x in ((growth.power, np.log(depth)), (growth.exponential, depth)):
        wanted = stats.linregress(x, np.log(values))
        half = wanted.stderr * stats.t.ppf(0.5 + level / 2, len(depth) - 2)
        assert line.slope == pytest.approx(wanted.slope, rel=1e-10)
        assert line.intercept == pytest.approx(wanted.intercept, rel=1e-10)
        assert line.r2 == pytest.approx(wanted.rvalue**2, rel=1e-10)
        low, high = wanted.slope - half, wanted.slope + half
        assert line.interval == pytest.approx((low, high), rel=1e-9)
    assert growth.rate == pytest.approx(np.exp(growth.exponential.slope))
    assert growth.rate_interval == pytest.approx(tuple(np.exp(growth.exponential.interval)))


def test_the_interval_covers_as_often_as_it_says():
    inside = 0
    for seed in range(300):
        depth, values = noisy(lambda depth: 2 * 1.1**depth, seed, n=10)
        low, high = fit_growth(values, depth, level=0.9).rate_interval
        inside += low <= 1.1 <= high
    assert 0.85 < inside / 300 < 0.95


def test_depths_of_ones_own():
    depth = np.array([2.0, 5, 9, 20])
    growth = fit_growth(7 * depth**-2, depth)
    assert growth.exponent == pytest.approx(-2) and growth.better == "power"
    assert growth.depth.tolist() == depth.tolist()


def test_no_growth_at_all():
    growth = fit_growth([4.0, 4.0, 4.0, 4.0])
    assert growth.better == "neither" and np.isnan(growth.power.r2)
    assert (growth.exponent, growth.rate) == (0, 1)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"values": [1.0, 2.0]}, "three values or more"),
        ({"values": [[1.0, 2.0, 3.0]]}, "in a row"),
        ({"values": [1.0, 0.0, 3.0]}, "positive and finite"),
        ({"values": [1.0, -2.0, 3.0]}, "positive and finite"),
        ({"values": [1.0, np.nan, 3.0]}, "positive and finite"),
        ({"values": [1.0, np.inf, 3.0]}, "positive and finite"),
        ({"values": [1.0, 2.0, 3.0], "depth": [1, 2]}, r"3 values, but depth has shape \(2,\)"),
        ({"values": [1.0, 2.0, 3.0], "depth": [0, 1, 2]}, "begin above zero"),
        ({"values": [1.0, 2.0, 3.0], "depth": [1, 1, 2]}, "must increase"),
        ({"values": [1.0, 2.0, 3.0], "level": 1.0}, "level must lie between 0 and 1"),
        ({"values": [1.0, 2.0, 3.0], "level": 95}, "level must be"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        fit_growth(**arguments)
