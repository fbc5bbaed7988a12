"""The ten lines of chapter 06 that measure the curvature give the package's own eigenvalue."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn

from bnlab.measure import measure_curvature
from bnlab.norms import make_norm

# PyTorch warns of itself when it first computes a forward derivative.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated")

PAGE = Path(__file__).parents[3] / "book" / "06_mean_field.ipynb"


def taught():
    """The function that the cell tagged "teaching" defines, from the very cell."""
    cells = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
    (cell,) = [c for c in cells if "teaching" in c["metadata"].get("tags", ())]
    names = {}
    exec("".join(cell["source"]), names)
    return names["sharpness"]


def net_and_batch(norm):
    torch.manual_seed(0)
    layers = []
    for wide in (6, 8):
        layers += [nn.Linear(wide, 8), make_norm(norm, 8), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(8, 3)).double(), torch.randn(20, 6).double()


@pytest.mark.parametrize("norm", ["none", "batch"])
def test_it_is_the_eigenvalue_of_the_package(norm):
    net, x = net_and_batch(norm)
    wanted = measure_curvature(
        net, None, x, kind="fisher", top=1, bottom=0, probes=0, tolerance=1e-10
    ).top[0]
    assert taught()(net, x, turns=150) == pytest.approx(wanted, rel=1e-9)
    assert taught()(net, x) == pytest.approx(wanted, rel=0.1), "and roughly after twenty turns"


def test_its_gradients_go_through_the_statistics():
    net, x = net_and_batch("batch")
    options = {"kind": "fisher", "top": 1, "bottom": 0, "probes": 0}
    held = measure_curvature(net, None, x, batch_statistics="constant", **options).top[0]
    assert taught()(net, x, turns=150) < 0.9 * held
