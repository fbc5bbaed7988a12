"""The group norm that chapter 08 writes in ten lines is the package's, and PyTorch's."""

import contextlib
import io
import json
from pathlib import Path

import pytest
import torch

from bnlab.norms import make_norm

PAGE = Path(__file__).parents[3] / "book" / "08_group_size.ipynb"


@pytest.fixture(scope="module")
def taught():
    """The page's function, and what its cell prints."""
    cells = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
    (found,) = [c["source"] for c in cells if "teaching" in c["metadata"].get("tags", ())]
    names, printed = {}, io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec("".join(found), names)
    return names["group_norm"], printed.getvalue()


@pytest.mark.parametrize("group_size", [1, 2, 4, 8])
def test_it_is_group_norm(taught, group_size):
    x = torch.randn(3, 8, 5, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    own = make_norm("group", 8, group_size=group_size).double()
    torch.testing.assert_close(taught[0](x, group_size), own(x), rtol=1e-12, atol=1e-12)
    theirs = torch.nn.GroupNorm(8 // group_size, 8).double()
    torch.testing.assert_close(taught[0](x, group_size), theirs(x), rtol=1e-12, atol=1e-12)


def test_the_worked_sample_shows_what_the_text_says(taught):
    """Instance norm takes the factor of ten away, layer norm keeps it."""
    instance, layer = taught[1].splitlines()
    assert "[-1.  1. -1.  1.]" in instance
    values = [float(one) for one in layer.partition("[")[2].strip("]").split()]
    assert (values[3] - values[2]) / (values[1] - values[0]) == pytest.approx(10, rel=0.1)
