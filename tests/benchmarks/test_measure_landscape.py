"""The benchmark of the probes: both sides do the same work; no timing is judged."""

import importlib
from pathlib import Path

import numpy as np
import pytest
import torch


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    return importlib.import_module("measure_landscape")


@pytest.mark.parametrize("net, norm", [("mlp", "batch"), ("mlp", "none"), ("resnet", "batch")])
def test_both_sides_do_the_same_work(bench, net, norm):
    works = bench.works_of(bench.Run(net=net, norm=norm, depth=1, width=4))
    losses, changes = works["landscape"][0]()
    found = works["landscape"][1]()
    np.testing.assert_allclose(found.losses, losses, rtol=1e-4)
    np.testing.assert_allclose(found.gradient_changes, changes, rtol=1e-3)
    for name, field in (("line slice", "losses"), ("relative loss", "relative")):
        plain, ours = works[name]
        np.testing.assert_allclose(np.ravel(getattr(ours(), field)), plain(), rtol=1e-4)
    plain, ours = works["stable rate"]
    rows = plain()
    assert len(rows) == len(ours().trials)
    for row, trial in zip(rows, ours().trials, strict=True):
        np.testing.assert_allclose([trial.before[0], *trial.after], row, rtol=1e-4)


@pytest.mark.parametrize("measured, status", [(0.5, 0), (2.0, 1)])
def test_the_exit_status_tells_what_holds(bench, monkeypatch, capsys, measured, status):
    def rows(run, rounds):
        assert rounds == 2
        yield bench.Row(f"{run.net} {run.norm}", 1.0, measured)

    monkeypatch.setattr(bench, "rows_of", rows)
    assert bench.main(["--rounds", "2"]) == status
    out = capsys.readouterr().out
    assert ("Broken: mlp batch; mlp none; resnet batch." in out) == bool(status)
    assert torch.get_num_threads() == 1


def test_bad_arguments_are_refused(bench, capsys):
    with pytest.raises(SystemExit):
        bench.main(["--rounds", "0"])
    assert "--rounds must be at least 1" in capsys.readouterr().err
