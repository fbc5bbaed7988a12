"""The measurement that chapter 02 writes in a few lines gives what the package's own gives."""

import json
from pathlib import Path

import pytest
import torch

from bnlab.data import load
from bnlab.measure import block_variances, measure_signals
from bnlab.nets import make_net

PAGE = Path(__file__).parents[3] / "book" / "02_signals.ipynb"


def cells():
    return json.loads(PAGE.read_text(encoding="utf-8"))["cells"]


@pytest.fixture
def taught():
    """The function that the cell with the tag defines."""
    tag = "teaching"
    (found,) = [c for c in cells() if tag in c["metadata"].get("tags", ())]
    names = {}
    exec("".join(found["source"]), names)  # the cell as a reader runs it
    return names["block_variances"]


@pytest.mark.parametrize("norm", ["none", "batch", "layer", "instance"])
def test_it_gives_the_variances_of_the_package(taught, norm):
    net = make_net("resnet", (1, 8, 8), 10, 6, 8, norm=norm).double()
    x = torch.randn(16, 1, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    own = measure_signals(net, None, x).variance
    assert taught(net, x) == pytest.approx(list(own), rel=1e-9)
    assert taught(net, x) == pytest.approx(block_variances(net, x), rel=1e-9)


def test_the_page_s_net_multiplies_without_a_normalizer_and_adds_with_batchnorm(taught):
    """The two rows below the cell: "is multiplied", and "about the same amount is added"."""
    x = torch.tensor(load("digits").train_x[:128])
    rows = {
        norm: torch.tensor(taught(make_net("resnet", (1, 8, 8), 10, 18, 16, norm=norm), x)[:9:2])
        for norm in ("none", "batch")
    }
    factors = rows["none"][1:] / rows["none"][:-1]
    assert factors.min() > 2
    added = rows["batch"].diff()
    assert added.min() > 0 and added.max() < 1.5 * added.min()
