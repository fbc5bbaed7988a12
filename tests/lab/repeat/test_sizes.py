"""Numbers are said in the page as Python says them, to the last character."""

import math
from itertools import pairwise

import numpy as np
import pytest

from bnlab.draw.words import size, span
from tests.lab.repeat.repeat_node import needs_node, node

pytestmark = needs_node
UNITS = ("decades", "", "of the images", "of cosine")


def _numbers(count: int) -> list[float]:
    """Usual numbers, far ones, and ties: eighths, and halves of a power of ten."""
    rng = np.random.default_rng(7)
    make = (
        lambda: rng.normal(),
        lambda: rng.normal() * 10.0 ** rng.integers(-7, 4),
        lambda: rng.integers(-400, 400) / 8 / 10 ** rng.integers(0, 3),
        lambda: rng.integers(-1000, 1000) / 1024,
        lambda: rng.integers(-20, 20) / 2,
    )
    return [0.0, *(float(make[k % len(make)]()) for k in range(count))]


def test_sizes_are_said_as_python_says_them():
    cases = [(v, unit) for v in _numbers(2000) for unit in UNITS if unit != "decades" or v < 300]
    wanted = [size(*case) for case in cases]
    assert node("given.map(([value, unit]) => sizeText(value, unit))", cases) == wanted


def test_spans_are_said_as_python_says_them():
    pairs = [sorted(pair) for pair in pairwise(_numbers(500))]
    pairs += [[low, low + 1e-9 * abs(low)] for low, _ in pairs[:50]]
    cases = [(*pair, unit) for pair in pairs for unit in UNITS if max(map(abs, pair)) < 300]
    wanted = [span(*case) for case in cases]
    assert node("given.map((each) => spanText(...each))", cases) == wanted


@pytest.mark.parametrize("unit", UNITS)
def test_open_ends_are_said_as_python_says_them(unit):
    said = "[spanText(-Infinity, 0.3, given), spanText(0.3, Infinity, given),"
    ends = (-math.inf, 0.3), (0.3, math.inf), (-math.inf, math.inf)
    wanted = [span(*end, unit) for end in ends]
    assert node(f"{said} spanText(-Infinity, Infinity, given)]", unit) == wanted


def test_a_reader_sees_points_times_and_shares():
    cases = [(0.36, "decades"), (0.17, ""), (0.01, ""), (0.67, "of the images"), (0.125, "")]
    seen = ["2.3\u00a0times", "17\u00a0points", "1\u00a0point", "67\u00a0% of the images"]
    assert node("given.map((each) => sizeText(...each))", cases) == [*seen, "12\u00a0points"]
