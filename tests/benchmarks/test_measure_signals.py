"""The benchmark of signals and shift runs, and both sides compute the same; no timing is judged."""

import importlib
import math
from pathlib import Path

import numpy as np
import pytest


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    return importlib.import_module("measure_signals")


FIELDS = (
    "mean",
    "variance",
    "channel_spread",
    "cosine",
    "stable_rank",
    "unit_stable_rank",
    "dead",
    "gradient_norm",
)


@pytest.mark.parametrize("net", ["mlp", "resnet"])
def test_both_sides_do_the_same_work(bench, monkeypatch, net):
    monkeypatch.setattr(bench, "NETS", {"mlp": (2, 16), "resnet": (2, 4)})
    found = {}
    for what, (plain, mine) in bench.works(net).items():
        found[what] = plain(), mine()  # the plain code first: it may not change what follows
    plain, mine = found["signals"]
    np.testing.assert_allclose([getattr(mine, f) for f in FIELDS], plain, rtol=1e-3, atol=1e-6)
    plain, mine = found["gradients"]
    for counts, own in zip(plain, mine.counts, strict=True):
        assert np.abs(np.cumsum(counts) - np.cumsum(own)).max() <= 2  # some lie on an edge
    plain, mine = found["cancellation"]
    np.testing.assert_allclose([mine.absolute, mine.summed], plain, rtol=1e-3)
    plain, mine = found["covariate shift"]
    np.testing.assert_allclose(mine.l2, plain[0], rtol=1e-3, atol=1e-6)
    np.testing.assert_allclose(mine.cosine, plain[1], rtol=1e-4)
    plain, mine = found["input shift"]
    np.testing.assert_allclose(mine.wasserstein, plain, rtol=1e-3, atol=1e-6)


def test_every_measurement_has_a_row(bench, monkeypatch):
    monkeypatch.setattr(bench, "NETS", {"mlp": (1, 8)})
    monkeypatch.setattr(bench, "ratios", lambda works, rounds: [len(works) / 2])
    rows = list(bench.rows_of("mlp", 1))
    assert len(rows) == 5 and all(0 < row.measured < math.inf for row in rows)
    assert {row.limit for row in rows} == {1.0}


@pytest.mark.parametrize("measured, status, word", [(0.5, 0, "All 2 limits"), (3.0, 1, "Broken: ")])
def test_the_exit_status_tells_what_holds(bench, monkeypatch, capsys, measured, status, word):
    monkeypatch.setattr(
        bench, "rows_of", lambda name, rounds: iter([bench.Row(name, rounds / 2, measured)])
    )
    assert bench.main(["--rounds", "2"]) == status
    assert word in capsys.readouterr().out


def test_bad_arguments_are_refused(bench, capsys):
    with pytest.raises(SystemExit):
        bench.main(["--rounds", "0"])
    assert "--rounds must be at least 1" in capsys.readouterr().err
