"""The examples in the docstrings compute what they say."""

import doctest
import importlib

import pytest

MODULES = {
    "bnlab.norms.weight.activation": 1,
    "bnlab.norms.weight.attach": 1,
    "bnlab.norms.weight.normalizers": 4,
    "bnlab.optim.lawn": 1,
}


@pytest.mark.parametrize("name, examples", MODULES.items())
def test_examples(name, examples):
    module = importlib.import_module(name)
    found = [t for t in doctest.DocTestFinder().find(module) if t.examples]
    assert len(found) == examples
    assert doctest.testmod(module).failed == 0
