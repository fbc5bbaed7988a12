"""The group norm that chapter 08 writes in ten lines is the package's, and PyTorch's."""

import json
from pathlib import Path

import pytest
import torch

from bnlab.norms import make_norm

PAGE = Path(__file__).parents[3] / "book" / "08_group_size.ipynb"


@pytest.fixture(scope="module")
def taught():
    """The function of the page."""
    cells = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
    (found,) = [c["source"] for c in cells if "teaching" in c["metadata"].get("tags", ())]
    names = {}
    exec("".join(found), names)
    return names["group_norm"]


@pytest.mark.parametrize("group_size", [1, 2, 4, 8])
def test_it_is_group_norm(taught, group_size):
    x = torch.randn(3, 8, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    own = make_norm("group", 8, group_size=group_size).double()
    torch.testing.assert_close(taught(x, group_size), own(x), rtol=1e-12, atol=1e-12)
    theirs = torch.nn.GroupNorm(8 // group_size, 8).double()
    torch.testing.assert_close(taught(x, group_size), theirs(x), rtol=1e-12, atol=1e-12)


def test_the_worked_sample_shows_what_the_text_says(taught):
    """Instance norm takes the factor of ten away, layer norm keeps it."""
    x = torch.tensor([[1.0, 3.0], [10.0, 30.0]]).reshape(1, 2, 1, 2)
    instance, layer = (taught(x, size).flatten() for size in (1, 2))
    torch.testing.assert_close(instance, torch.tensor([-1.0, 1, -1, 1]), atol=1e-4, rtol=0)
    assert (layer[3] - layer[2]) / (layer[1] - layer[0]) == pytest.approx(10, rel=1e-4)
