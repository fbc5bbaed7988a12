"""The benchmark of the compiled step runs, and both sides compute the same; no timing is judged."""

import importlib
from pathlib import Path

import numpy as np
import pytest
from torch import nn

pytest.importorskip("wasmtime", reason="the compiled engine needs wasmtime")


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    return importlib.import_module("compiled")


@pytest.mark.parametrize("norm", ["batch", "batch_renorm"])
def test_both_sides_take_the_same_steps(bench, norm):
    run = bench.BASE.replace(norm=norm, batch_size=32, steps=8)
    one, other = bench.eager(run)(), bench.compiled(run)()
    assert np.array(one).shape == (8, 2)
    assert np.allclose(one, other, rtol=1e-2)


def test_batch_norm_is_torchs_own(bench):
    net = bench._of_torchs_layers(bench.make_trainer(bench.BASE.replace(norm="batch")).net)
    assert sum(isinstance(m, nn.BatchNorm1d) for m in net.modules()) == 6


def test_the_limits_are_those_that_were_set(bench):
    limits = [row.limit for row in bench.rows(rounds=1)]
    assert limits == pytest.approx([1 / 8, 1 / 2.5, 1 / 12, 1 / 4.5])
