"""The benchmark of the peers runs, and all of them take the same steps; no timing is judged."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("wasmtime", reason="the compiled engine needs wasmtime")
QUICK = ("wasmtime", "PyTorch eager", "PyTorch functional")


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    found = importlib.import_module("peers")
    monkeypatch.setattr(found, "WAYS", {name: found.WAYS[name] for name in QUICK})
    return found


@pytest.mark.parametrize("size", [4, 32])
def test_the_ways_take_the_same_steps(bench, size):
    found = bench.times(bench.BASE.replace(batch_size=size), 1, None)
    assert list(found) == [*QUICK] and all(0 < seconds < 1 for seconds in found.values())


def test_a_way_with_other_steps_is_not_timed(bench):
    run = bench.BASE.replace(batch_size=4)
    batches = bench.first_batches(run)
    way = bench.WAYS["wasmtime"]
    losses = [way(one, batches).losses() for one in (run, run.replace(lr=0.03))]
    with pytest.raises(AssertionError, match="JAX scan does not train as native does"):
        bench.check_agreement(dict(zip(["native", "JAX scan"], losses, strict=True)))


TIMES = {"native": 1.0, "wasmtime": 2.1, "PyTorch eager": 9.0, "torch.compile": 1.5}


@pytest.mark.parametrize(
    "jax, status, broken", [(1.3, 0, []), (0.9, 1, [4, 32]), (0.8, 1, [4, 32, 128])]
)
def test_a_broken_limit_is_an_exit_status(bench, monkeypatch, capsys, jax, status, broken):
    monkeypatch.setattr(bench, "times", lambda run, rounds, python: {**TIMES, "JAX scan": jax})
    monkeypatch.setattr(bench, "installed", lambda: bench.contextlib.nullcontext())
    assert bench.main(["--rounds", "1"]) == status
    said = [line for line in capsys.readouterr().out.splitlines() if line.startswith("Broken:")]
    line = "".join(said)
    assert [size for size in bench.SIZES if f"batch {size}, native / JAX scan" in line] == broken


def test_limits_of_each_batch_size(bench):
    found = {**TIMES, "JAX scan": 1.0}
    limits = [
        {row.what.split(" / ")[1]: row.limit for row in bench.rows_of(s, found)} for s in (32, 128)
    ]
    assert limits == [
        {"wasmtime": 0.5, "PyTorch eager": 1, "torch.compile": 1, "JAX scan": 1},
        {"wasmtime": 0.5, "JAX scan": 1.2},
    ]
    assert not [*bench.rows_of(4, {"wasmtime": 2.0, "JAX scan": 1.0})]


def test_what_is_not_here_is_left_out_with_a_word(bench, monkeypatch, capsys):
    steps = sys.modules["peer_steps"]
    monkeypatch.setattr(steps.torch, "compile", lambda step, **_: _no_compiler)
    monkeypatch.setitem(bench.WAYS, "torch.compile", steps.compiled_by_torch)
    assert [name for name, _ in bench.ways_for(bench.BASE, None)] == [*QUICK]
    out = capsys.readouterr().out
    assert out == "torch.compile is left out: it does not compile here (no C++ compiler).\n"


def _no_compiler(*_):
    raise OSError("no C++ compiler\nand more")


def test_without_jax_there_is_a_sentence(bench, monkeypatch, capsys):
    def refused(command, **options):
        raise subprocess.CalledProcessError(1, command, stderr="first\nno network")

    monkeypatch.setattr(sys.modules["peer_with_jax"].subprocess, "run", refused)
    with bench.installed() as python:
        assert python is None
    assert (
        "JAX is left out: jax==0.10.2 cannot be installed (no network)" in capsys.readouterr().out
    )


def test_another_process_is_asked_line_by_line(bench):
    code = "import sys\nfor k, _ in enumerate(sys.stdin): print(32 * k or [1, 2], flush=True)"
    with sys.modules["peer_with_jax"].JaxWay([sys.executable, "-c", code]) as way:
        assert way.losses() == [1, 2]
        assert [way.seconds(), way.seconds()] == [2, 4]
    assert way.process.returncode == 0
