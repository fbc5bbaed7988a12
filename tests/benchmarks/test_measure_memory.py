"""The benchmark of memory and ranks runs, and both sides compute the same; no timing is judged."""

import importlib
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from bnlab.measure import measure_memory, rank_agreement
from bnlab.nets import make_net


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    return importlib.import_module("measure_memory")


@pytest.mark.parametrize("name", ["mlp", "resnet"])
def test_both_sides_count_the_same_bytes(bench, name):
    net = make_net(name, (1, 8, 8), 10, *bench.NETS[name], "batch", {"native": True})
    before = {key: value.clone() for key, value in net.state_dict().items()}
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(8, 1, 8, 8, generator=generator), torch.arange(8)
    assert bench.walked(net, x, y) == measure_memory(net, cross_entropy, x, y).saved
    assert all(torch.equal(before[key], value) for key, value in net.state_dict().items())


def test_both_sides_resample_the_same_tau(bench, monkeypatch):
    monkeypatch.setattr(bench, "RESAMPLES", 400)
    rng = np.random.default_rng(0)
    common = rng.normal(size=30)
    truth, scores = common + rng.normal(size=(3, 30)), common + rng.normal(size=30)
    plain = bench.looped(truth, scores, rng)
    found = rank_agreement(truth, scores)
    assert plain.shape == (400,)
    assert np.quantile(plain, 0.025) == pytest.approx(found.low, abs=0.1)
    assert np.quantile(plain, 0.975) == pytest.approx(found.high, abs=0.1)


def test_every_row_is_measured(bench, monkeypatch):
    monkeypatch.setattr(bench, "RESAMPLES", 5)
    rows = list(bench.rows(1))
    assert [row.limit for row in rows] == [1.0, 1.0, 1.0]
    assert all(0 < row.measured < math.inf for row in rows)


@pytest.mark.parametrize("measured, status, word", [(0.5, 0, "yes"), (1.5, 1, "NO")])
def test_the_exit_status_tells_what_holds(bench, monkeypatch, capsys, measured, status, word):
    monkeypatch.setattr(bench, "rows", lambda rounds: [bench.Row(f"x{rounds}", 1.0, measured)])
    assert bench.main(["--rounds", "2"]) == status
    out = capsys.readouterr().out
    assert word in out and ("Broken: x2." in out) == bool(status)


def test_bad_arguments_are_refused(bench, capsys):
    with pytest.raises(SystemExit):
        bench.main(["--rounds", "0"])
    assert "--rounds must be at least 1" in capsys.readouterr().err
