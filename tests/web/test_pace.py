"""A time limit gives way to a slow machine, and to nothing else."""

import pytest

from tests.web.pace import slowness, within

pytestmark = pytest.mark.web


def test_what_is_fast_is_measured_once(page):
    waits = iter([50.0])
    within(page, 100, lambda: next(waits))


def test_one_of_a_few_tries_is_enough(page):
    waits = iter([1e6, 1e6, 50.0])
    within(page, 100, lambda: next(waits), tries=3)


def test_what_is_slow_by_itself_fails(page):
    with pytest.raises(AssertionError, match=r"not within 100 ms .*: \[\(\d+, .*\), \(\d+, .*\)\]"):
        within(page, 100, lambda: 2000 * slowness(page), tries=2)
