"""The benchmark of the ways writes a table that the choice can read; no timing is judged."""

import importlib
from pathlib import Path

import pytest

from bnlab.train import Run, ways

pytest.importorskip("ziglang", reason="it compiles nets")


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    found = importlib.import_module("ways")
    return found


def test_what_it_writes_can_be_read(bench, monkeypatch, tmp_path, capsys):
    tiny = (Run(net="mlp", depth=1, width=4), ("batch",), (4,))
    monkeypatch.setattr(bench, "NETS", (tiny,))
    monkeypatch.setattr(bench, "ENOUGH", 1e-4)
    monkeypatch.setattr(bench, "TABLE", tmp_path / "ways.csv")
    assert bench.main(["--rounds", "1"]) == 0
    monkeypatch.setattr(ways, "TABLE", tmp_path / "ways.csv")
    (case,) = ways.table.__wrapped__()
    assert (case.net, case.norm) == ("mlp", "batch") and case.build > 0
    assert set(case.seconds) == {"torch", "native", "wasmtime", "stack_4", "stack_16", "stack_64"}
    assert all(0 < seconds < 1 for seconds in case.seconds.values())
    assert f"Wrote {tmp_path / 'ways.csv'}." in capsys.readouterr().out


def test_the_committed_table_is_of_the_nets_that_it_measures(bench):
    wanted = [(run.net, norm) for run, norms, sizes in bench.NETS for norm in norms for _ in sizes]
    assert [(case.net, case.norm) for case in ways.table()] == wanted
