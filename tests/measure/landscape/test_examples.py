"""The examples in the docstrings of the probes are true."""

import doctest
import importlib

import pytest


@pytest.mark.parametrize("name", ["landscape", "bisection", "stability"])
def test_examples(name):
    found = doctest.testmod(importlib.import_module(f"bnlab.measure.{name}"))
    assert found.attempted and not found.failed
