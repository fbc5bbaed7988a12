"""The examples in the docstrings give what they say."""

import doctest
import importlib
import inspect

import pytest
import torch

from bnlab.norms import NORMS


@pytest.mark.parametrize("owner", [*NORMS.values(), "make_norm"], ids=str)
def test_the_example_gives_what_the_docstring_says(owner):
    registry = importlib.import_module("bnlab.norms.registry")
    owner = getattr(registry, owner) if isinstance(owner, str) else owner
    names = {**vars(inspect.getmodule(owner)), "torch": torch}
    examples = doctest.DocTestParser().get_doctest(owner.__doc__, names, owner.__name__, None, 0)
    assert examples.examples, "a normalizer shows one row of numbers"
    report = []
    result = doctest.DocTestRunner(verbose=False).run(examples, out=report.append)
    assert result.failed == 0, "".join(report)
