"""The functions that chapter 11 writes in eight lines are the package's own."""

import json
from pathlib import Path

import pytest
import torch

from bnlab.nets import binarize

PAGE = Path(__file__).parents[3] / "book" / "11_binary_nets.ipynb"


@pytest.fixture(scope="module")
def taught():
    """What the page's cell with the two functions defines."""
    cells = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
    (found,) = [c["source"] for c in cells if "teaching" in c["metadata"].get("tags", ())]
    names: dict = {}
    exec("".join(found), names)
    return names


@pytest.mark.parametrize("shape", [(4, 3, 3, 3), (5, 2, 1, 1)])
@pytest.mark.parametrize("name", ["binary_activation", "binary_weight"])
def test_they_have_the_values_and_gradients_of_the_package(taught, name, shape):
    generator = torch.Generator().manual_seed(0)
    x = 1.5 * torch.randn(shape, generator=generator, dtype=torch.float64)
    x[0, 0, 0, 0] = 0.0
    behind = torch.randn(shape, generator=generator, dtype=torch.float64)
    found = []
    for function in (taught[name], getattr(binarize, name)):
        leaf = x.clone().requires_grad_()
        value = function(leaf)
        value.backward(behind)
        found.append((value.detach(), leaf.grad))
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other)
