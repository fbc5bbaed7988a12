"""The benchmark runs, does equal work on both sides, tells a broken limit; no timing is judged."""

import importlib.util
import math
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from bnlab.train import train


@pytest.fixture
def limits(monkeypatch):
    path = Path(__file__).parents[2] / "benchmarks" / "limits.py"
    monkeypatch.syspath_prepend(str(path.parent))  # it imports what lies beside it
    spec = importlib.util.spec_from_file_location("bnlab_limits", path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "bnlab_limits", module)  # dataclasses look it up
    spec.loader.exec_module(module)
    return module


def test_every_measurement_runs_on_a_small_scale(limits, monkeypatch):
    for name in ("RUN", "PRIMITIVE"):
        monkeypatch.setattr(limits, name, getattr(limits, name).replace(steps=20, depth=1))
    with torch.random.fork_rng(devices=[]):
        rows = list(limits.train_against_the_bare_loop(1))
    assert [row.limit for row in rows] == [1.2, 2.0, 1.0]
    assert all(0 < row.measured < math.inf for row in rows)


def test_the_bare_loop_trains_as_train_does(limits):
    """Its layers start from torch's own weights, so the losses agree in kind, not in digits."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        losses = limits.bare_loop(limits.RUN)
    ours = train(limits.RUN, device="cpu").loss
    assert len(losses) == len(ours) == 300
    assert np.mean(losses[-50:]) == pytest.approx(ours[-50:].mean(), abs=0.05)
    assert losses[0] > 2 and ours[0] > 2


def test_the_limits_are_measured_with_torchs_kernels_and_without(limits):
    assert limits.RUN.norm_options == {} and limits.PRIMITIVE.norm_options == {"native": False}
    assert (limits.RUN.depth, limits.RUN.width, limits.RUN.batch_size) == (6, 64, 64)
    assert (limits.RUN.steps, limits.RUN.norm) == (300, "batch")
    assert limits.RUN.steps % limits.RUN.eval_every == 0, "both sides must evaluate equally often"


@pytest.mark.parametrize(
    "measured, status, word",
    [(0.5, 0, "yes"), (2.0, 0, "yes"), (2.1, 1, "NO"), (math.nan, 1, "NO")],
)
def test_the_table_and_the_exit_status_tell_what_holds(
    limits, monkeypatch, capsys, measured, status, word
):
    def measurement(rounds):
        assert rounds == 2
        yield limits.Row("a thing", 2.0, measured, "s")

    monkeypatch.setattr(limits, "MEASUREMENTS", [measurement])
    assert limits.main(["--quick", "--rounds", "2"]) == status
    out = capsys.readouterr().out
    assert re.search(rf"^a thing +2 s +\S+ s +{word}$", out, re.MULTILINE)
    assert out.count("load ") == 2
    assert ("Broken: a thing." in out) == bool(status)


def test_no_rounds_are_refused(limits, capsys):
    with pytest.raises(SystemExit):
        limits.main(["--quick", "--rounds", "0"])
    assert "--rounds must be at least 1, got 0" in capsys.readouterr().err
