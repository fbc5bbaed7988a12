"""L1's exponent of growth: linear, root and constant growth, stage by stage."""

import numpy as np
import pytest

from bnlab import claims
from bnlab.chapters.signals.b3_to_b6_l1_values import exponents

PARTS = np.arange(2.0, 11)  # that the sum holds after each of nine blocks


@pytest.mark.parametrize("power", [0, 0.5, 1, 2])
def test_a_power_of_the_number_of_parts_has_that_exponent_in_each_stage(power):
    variance = np.concatenate([0.4 * PARTS**power, 0.3 * PARTS**power])
    assert exponents(variance[None]) == pytest.approx(np.full((1, 2), power), abs=1e-9)


def test_only_linear_growth_lies_within_the_margin_of_l1():
    (effect,) = (e for e in claims.claim("L1").effects if e.name == "batch")
    low, high = effect.holds_between
    assert low < 1 < high and low > 0.5 and high < 2


def test_exponential_growth_is_far_from_linear():
    variance = np.concatenate([2.0 ** np.arange(9)] * 2)[None]
    assert (exponents(variance) > 2).all()
