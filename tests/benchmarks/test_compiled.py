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


@pytest.mark.parametrize("measured, status", [(0.08, 0), (0.09, 1)])
def test_a_broken_limit_is_an_exit_status(bench, monkeypatch, capsys, measured, status):
    monkeypatch.setattr(bench, "ratio", lambda run, rounds: measured)
    assert [row.limit for row in bench.rows(1)] == [1 / 8, 1 / 2.5, 1 / 12, 1 / 4.5]
    assert bench.main(["--rounds", "1"]) == status
    assert ("Broken: batch_renorm, batch 4" in capsys.readouterr().out) == bool(status)


def test_the_times_are_ratios(bench):
    run = bench.BASE.replace(norm="batch", batch_size=4, steps=20)
    assert 0 < bench.ratio(run, rounds=1) < 10
