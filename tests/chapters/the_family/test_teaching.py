"""The normalizer that chapter 01 writes in four lines is the package's own."""

import json
from pathlib import Path

import pytest
import torch

from bnlab.norms import functional, make_norm

PAGE = Path(__file__).parents[3] / "book" / "01_the_family.ipynb"


@pytest.fixture(scope="module")
def taught():
    """What the cell of the page with the tag "teaching" defines, run as a reader runs it."""
    cells = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
    (found,) = [c for c in cells if "teaching" in c["metadata"].get("tags", ())]
    names = {}
    exec("".join(found["source"]), names)
    return names


def block():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(5, 6, 3, 4, generator=generator, dtype=torch.float64) * 2 + 1
    return x.requires_grad_()


@pytest.mark.parametrize("name", ["batch", "layer", "instance"])
def test_it_computes_what_the_package_computes(taught, name):
    """The values, and the derivatives that a training would use."""
    own, theirs = block(), block()
    y = taught["normalize"](own, taught["POOLED"][name])
    expected = make_norm(name, 6).double()(theirs)
    torch.testing.assert_close(y, expected, rtol=1e-12, atol=1e-12)
    weights = torch.linspace(-1, 2, y.numel(), dtype=torch.float64).view_as(y)
    for out in (y, expected):
        (out * weights).sum().backward()
    torch.testing.assert_close(own.grad, theirs.grad, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("dims", [0, (0, 1), (1, 2, 3), 2])
def test_it_pools_over_any_axes(taught, dims):
    x = block()
    y, _, _ = functional.normalize(x, dims, eps=1e-5)
    torch.testing.assert_close(taught["normalize"](x, dims), y, rtol=1e-12, atol=1e-12)
