"""The benchmark for a GPU does all of it on a CPU, tiny; it refuses to run where there is none."""

import importlib
import json
import math
from pathlib import Path

import pytest
import torch


@pytest.fixture
def gpu(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    return importlib.import_module("gpu")


def test_all_of_it_runs_tiny_on_a_cpu(gpu, tmp_path, capsys):
    path = tmp_path / "gpu.json"
    gpu.main(["--device", "cpu", "--quick", "--rounds", "1", "--output", str(path)])
    told = json.loads(path.read_text())
    assert set(told) == {"device", "torch", "base", "images", "many", "claims", "rounding", "rows"}
    assert all(math.isfinite(measured) for _, _, measured in told["rows"])
    names = [name for name, _, _ in told["rows"]]
    assert sum(limit == 0.1 for _, limit, _ in told["rows"]) == 2
    for part in ("S1: ", "B1: ", "S4: ", "none: loss in tf32", "batch: loss in bf16"):
        assert any(name.startswith(part) for name in names)
    assert told["rounding"]["batch, bf16"] != told["rounding"]["batch, float32"]
    assert told["rounding"]["none, tf32"] == told["rounding"]["none, float32"], "a CPU has none"
    assert f"Wrote {path}." in capsys.readouterr().out


def test_the_flags_are_as_they_were_afterwards(gpu):
    before = torch.backends.cudnn.allow_tf32
    with pytest.raises(ZeroDivisionError), gpu.tf32(not before):
        assert torch.backends.cudnn.allow_tf32 is not before
        raise ZeroDivisionError
    assert torch.backends.cudnn.allow_tf32 is before


def test_without_a_gpu_it_says_so(gpu, capsys):
    if torch.cuda.is_available():
        pytest.skip("here is one.")
    with pytest.raises(SystemExit):
        gpu.main([])
    assert "no CUDA GPU here. Try it with --device cpu --quick" in capsys.readouterr().err
