"""The look along the gradient that chapter 05 writes in ten lines is the package's own."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from bnlab.measure import measure_landscape

PAGE = Path(__file__).parents[3] / "book" / "05_smoothness.ipynb"
STEPS = [0.05, 0.1, 0.4]


def taught():
    """What the cell of the page defines, run as a reader runs it."""
    cells = json.loads(PAGE.read_text(encoding="utf-8"))["cells"]
    (cell,) = [c for c in cells if "teaching" in c["metadata"].get("tags", ())]
    names = {}
    exec("".join(cell["source"]), names)
    return names["look_ahead"]


def test_the_worked_row_has_beta_2():
    found = taught()(lambda w: (w**2).sum(), torch.ones(1), [0.25, 0.5])
    assert [float(part) for part in found] == [0.25, 2.0, 2.0]


@pytest.mark.parametrize("norm", [False, True])
def test_it_finds_what_the_package_finds(norm):
    torch.manual_seed(0)
    middle = [nn.BatchNorm1d(8, track_running_stats=False)] if norm else []
    net = nn.Sequential(nn.Linear(6, 8), *middle, nn.Tanh(), nn.Linear(8, 4)).double()
    x, y = torch.randn(24, 6).double(), torch.randint(4, (24,))
    names, parts = zip(*net.named_parameters(), strict=True)

    def loss(w):
        each = w.split([part.numel() for part in parts])
        given = {n: v.view(p.shape) for n, v, p in zip(names, each, parts, strict=True)}
        return cross_entropy(torch.func.functional_call(net, given, (x,)), y)

    w = nn.utils.parameters_to_vector(parts).detach()
    wanted = measure_landscape(net, cross_entropy, x, y, STEPS)
    right = wanted.loss_range, wanted.gradient_change_max, wanted.effective_beta
    assert [float(part) for part in taught()(loss, w, STEPS)] == pytest.approx(right, rel=1e-9)
