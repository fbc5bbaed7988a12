"""Two rules for numbers: one for any number in a sentence, one for sizes."""

import math

import pytest

from bnlab.draw.words import magnitude, number


@pytest.mark.parametrize(
    ("value", "sentence", "size"),
    [
        (0.0, "0", "0"),
        (0.5, "0.5", "0.5"),
        (1e-5, "10⁻⁵", "1e-05"),
        (1234.5, "1.23e+03", "1,200"),
        (2e4, "20,000", "20,000"),
        (3e7, "10⁷", "10⁷"),
        (math.inf, "infinite", "infinity"),
        (math.nan, "undefined", "infinity"),
    ],
)
def test_each_rule_writes_its_own_words(value: float, sentence: str, size: str) -> None:
    assert (number(value), magnitude(value)) == (sentence, size)
