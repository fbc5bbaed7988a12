"""What chapter 14 writes in ten lines is the package's own; its net with a slip has that slip."""

import copy
import re

import pytest
import torch
from torch import nn

from bnlab.data import load
from bnlab.norms import recompute_statistics
from tests.chapters.clinic.page_of_the_clinic import cells, code_with


def taught():
    """The cell of the page that defines ``recompute``."""
    (found,) = [c["text"] for c in cells() if "teaching" in c["metadata"].get("tags", ())]
    return found


def recompute():
    names = {}
    exec(taught(), names)  # the cell as a reader runs it
    return names["recompute"]


def convolutional():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10)
    )


def perceptron():
    layers = (nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Linear(32, 16))
    return nn.Sequential(nn.Flatten(), *layers, nn.BatchNorm1d(16), nn.Linear(16, 10))


@pytest.mark.parametrize("make", [convolutional, perceptron])
def test_it_computes_the_statistics_of_the_package(make):
    torch.manual_seed(0)
    images = torch.tensor(load("digits").train_x[:320])
    net = make()
    for x in images.split(32):
        net.train()(x)  # statistics of some past
    other = copy.deepcopy(net)
    recompute()(net, images.split(64))
    recompute_statistics(other, images.split(64))
    buffers = dict(other.named_buffers())
    moved = [name for name in buffers if "running" in name]
    assert moved
    for name, buffer in net.named_buffers():
        if name in moved:
            torch.testing.assert_close(buffer, buffers[name], rtol=1e-5, atol=1e-6)


def test_the_momentum_is_as_before_and_the_weights_too():
    net = convolutional().train()
    weights = [p.clone() for p in net.parameters()]
    recompute()(net, torch.randn(64, 1, 8, 8).split(32))
    assert net[1].momentum == 0.1
    assert all(torch.equal(a, b) for a, b in zip(weights, net.parameters(), strict=True))


def test_the_doctor_finds_the_slip_and_the_ten_lines_repair_it(capsys):
    names = {}
    exec(taught(), names)
    for part in ("# the slip", "sgd.step()"):
        exec(code_with(part), names)
    exec(code_with("\ndiagnose(net"), names)
    assert names["diagnose"](names["net"], names["x"][:256]).ids == ("momentum-too-small",)
    exec(code_with("recompute(net.train()"), names)
    told, summary = capsys.readouterr().out.splitlines()
    before, after = (float(number) for number in re.findall(r"\d\.\d+", told))
    assert before < after - 0.1 and after > 0.95
    assert summary == "0 findings are left"
