"""The ten lines of chapter 09 are MimicNorm: they compute what ``bnlab.methods.mimic`` does."""

import json
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from bnlab.methods import mimic
from bnlab.nets import make_net

PAGE = Path(__file__).parents[3] / "book" / "09_mimicnorm.ipynb"


@pytest.fixture(scope="module")
def taught():
    """What the page's cells with the two functions define."""
    cells = json.loads(PAGE.read_text())["cells"]
    found = [cell for cell in cells if "teaching" in cell["metadata"].get("tags", ())]
    taken = ["".join(cell["source"]) for cell in found]
    names: dict = {}
    lines = [line for s in taken for line in s.splitlines() if line and "import" not in line]
    assert len(lines) <= 10, "ten lines that a reader can type"
    for source in taken:
        exec(source, names)
    return names


def batches(channels=1, steps=5):
    generator = torch.Generator().manual_seed(0)
    shape = (steps, 16, channels, 8, 8)
    x = torch.randn(shape, generator=generator, dtype=torch.float64)
    return zip(x, torch.randint(10, (steps, 16), generator=generator), strict=True)


def trained(net, project):
    """Losses of five steps, with a projection after each."""
    sgd, losses = torch.optim.SGD(net.parameters(), lr=0.3, momentum=0.9), []
    for x, y in batches():
        loss = cross_entropy(net(x), y)
        sgd.zero_grad()
        loss.backward()
        sgd.step()
        project(net)
        losses.append(loss.item())
    return losses


def test_the_ten_lines_train_as_the_package_does(taught):
    net = make_net("plain", (1, 8, 8), 10, 6, 16, seed=1).double()
    packaged = mimic(net)  # a parametrization: centred by itself
    of_page = trained(taught["mimic_norm"](net).double(), taught["weight_mean"])
    assert of_page == pytest.approx(trained(packaged, lambda net: None), rel=1e-9)


def test_without_the_projection_after_a_step_they_do_not(taught):
    net = make_net("plain", (1, 8, 8), 10, 6, 16, seed=1).double()
    right = trained(mimic(net), lambda net: None)
    forgotten = trained(taught["mimic_norm"](net).double(), lambda net: None)
    assert forgotten[0] == pytest.approx(right[0])
    assert abs(forgotten[-1] - right[-1]) > 1e-6


def test_both_leave_the_first_layer_and_the_head_as_they_are(taught):
    net = make_net("plain", (1, 8, 8), 10, 4, 16)
    convolutions = [m for m in net.modules() if isinstance(m, nn.Conv2d)]
    first, head = convolutions[0].weight.clone(), net.head.weight.clone()
    taught["mimic_norm"](net)
    assert torch.equal(convolutions[0].weight, first) and torch.equal(net.head[0].weight, head)
    means = [m.weight.mean((1, 2, 3)).abs().max() for m in convolutions]
    assert means[0] > 1e-3 > 1e-6 > max(means[1:])
