"""The examples in the docstrings say what the code does."""

import doctest
import importlib

import pytest
import torch
from torch import nn


@pytest.mark.parametrize("name", ["products", "curvature", "mean_field"])
def test_the_examples_hold(name):
    module = importlib.import_module(f"bnlab.measure.{name}")
    found = doctest.testmod(module, extraglobs={"torch": torch, "nn": nn})
    assert found.attempted > 1
    assert found.failed == 0
