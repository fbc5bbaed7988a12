"""The examples in the docstrings compute what they say."""

import doctest
import importlib
from pathlib import Path

import pytest
import torch
from torch import nn

import bnlab
from bnlab.norms import NORMS, make_norm
from bnlab.norms.weight import WEIGHT_NORMS

HOME = Path(bnlab.__file__).parent
NAMES = {"torch": torch, "nn": nn}  # an example may use them without an import
MODULES = sorted(
    ".".join(("bnlab", *path.relative_to(HOME).with_suffix("").parts)).removesuffix(".__init__")
    for path in HOME.rglob("*.py")
    if ">>> " in path.read_text("utf-8")
)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_hold(name):
    found = doctest.testmod(importlib.import_module(name), extraglobs=NAMES)
    assert found.attempted, "doctest finds no example: it stands where no docstring is"
    assert found.failed == 0


@pytest.mark.parametrize(
    "owner", [*NORMS.values(), *WEIGHT_NORMS.values(), make_norm], ids=lambda owner: owner.__name__
)
def test_a_normalizer_shows_an_example(owner):
    assert ">>> " in owner.__doc__
