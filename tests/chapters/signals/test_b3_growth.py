"""B3's places in a block, and how it tells two laws of growth apart."""

import numpy as np
import pytest

from bnlab.chapters.signals import b3_growth as b3
from bnlab.chapters.signals.b3_to_b6_l1_at_start import BASE, column, net_at_start
from bnlab.measure import measure_signals

DEPTH = np.arange(1.0, 19)


@pytest.fixture(scope="module")
def data():
    """Both nets with two trial seeds."""
    return b3.measure(seeds=(1, 2))


def test_each_place_has_a_standard_deviation_for_each_layer(data):
    assert column(data, "none", "convolutions").shape == (2, 2 * BASE.depth)
    assert column(data, "none", "blocks").shape == (2, BASE.depth)
    assert [row[:2] for row in data["rows"]] == [
        ["none", 1],
        ["batch", 1],
        ["none", 2],
        ["batch", 2],
    ]


def test_behind_a_batchnorm_the_deviation_is_one_and_without_it_that_before(data):
    assert column(data, "batch", "normalized") == pytest.approx(1, abs=1e-4)
    assert (column(data, "none", "normalized") == column(data, "none", "convolutions")).all()


def test_the_outputs_of_the_blocks_are_those_of_the_first_edition(data):
    signals = measure_signals(net_at_start("batch", 1), None, b3.batch(1)[0])
    assert column(data, "batch", "blocks")[0] ** 2 == pytest.approx(signals.variance, rel=1e-4)
    assert column(data, "batch", "mean")[0] == pytest.approx(signals.mean, rel=1e-4)


@pytest.mark.parametrize(
    ("law", "exponential"), [(np.exp(0.3 * DEPTH), True), (DEPTH**3, False), (DEPTH**0.5, False)]
)
def test_the_misfit_tells_an_exponential_from_a_power_by_more_than_the_margin(law, exponential):
    noise = np.exp(0.05 * np.random.default_rng(0).standard_normal(18))
    margin = np.log10(2)
    found = b3.misfit((law * noise)[None])[0]
    assert found > margin if exponential else found < -margin


def test_the_parts_of_b3_look_at_first_and_second_convolutions_apart(data):
    found = b3.values(data)
    inside = column(data, "batch", "convolutions")
    assert found["level_first"] == pytest.approx(np.log10(inside[:, -2] / inside[:, 0]))
    assert found["level_second"] == pytest.approx(np.log10(inside[:, -1] / inside[:, 1]))
    assert (found["level_first"] > found["level_second"]).all()
