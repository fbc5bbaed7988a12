"""The sentence for an unknown name."""

import pytest

from bnlab.errors import unknown


def test_it_suggests_the_nearest_and_lists_all():
    sentence = unknown("fruit", "aple", ["apple", "pear"])
    assert sentence == "unknown fruit 'aple'. Did you mean 'apple'? Known: apple, pear."


@pytest.mark.parametrize("name, shown", [("zzz", "'zzz'"), (7, "7"), (None, "None"), ("", "''")])
def test_without_a_near_one_it_lists_all(name, shown):
    assert (
        unknown("fruit", name, ["apple", "pear"]) == f"unknown fruit {shown}. Known: apple, pear."
    )
