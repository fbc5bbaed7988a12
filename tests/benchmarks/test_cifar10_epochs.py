"""The table of what small nets reach on CIFAR-10, on a few made-up images."""

import importlib.util
import math
from pathlib import Path

import pytest

from bnlab.train import Run

PATH = Path(__file__).parents[2] / "benchmarks" / "cifar10_epochs.py"
spec = importlib.util.spec_from_file_location("bnlab_cifar10_epochs", PATH)
cifar10_epochs = importlib.util.module_from_spec(spec)
spec.loader.exec_module(cifar10_epochs)


def test_both_nets_are_trained_with_and_without_batchnorm_at_each_length():
    found = [run for _, run in cifar10_epochs.runs([1, 4])]
    assert len(found) == len(set(found)) == 2 * 2 * 2 * 2
    assert {run.steps for run in found} == {704, 2816}
    assert {run.norm for run in found} == {"none", "batch"}
    assert math.ceil(45_000 / 64) == cifar10_epochs.EPOCH


def test_a_row_says_what_the_net_reached(monkeypatch):
    monkeypatch.setattr(cifar10_epochs, "EPOCH", 10)
    row = cifar10_epochs.line("MLP", Run(steps=20, eval_every=20, norm="batch", lr=0.3))
    name, norm, lr, epochs, accuracy, step = row.strip("| ").split(" | ")
    assert (name, norm, lr, epochs) == ("MLP", "batch", "0.3", "2")
    assert 30 < float(accuracy.removesuffix(" %")) < 100 and step.endswith(" ms")


def test_an_unknown_option_is_refused():
    with pytest.raises(SystemExit):
        cifar10_epochs.main(["--epochs", "two"])
