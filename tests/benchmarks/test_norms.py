"""The benchmark of the normalizers runs, and both sides compute the same; no timing is judged."""

import importlib
import math
import re
from pathlib import Path

import pytest
import torch

from bnlab.norms import NORMS, make_norm

SHAPES = [(32, 16, 3, 2), (32, 16)]


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    return importlib.import_module("norms")


@pytest.mark.parametrize("name", [n for n in NORMS if n != "none"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_both_sides_do_the_same_work(bench, name, shape):
    if (name, len(shape)) == ("instance", 2):
        assert not list(bench.rows_of(name, shape, 1))
        return
    options = bench.options_for(name, shape)
    norm = make_norm(name, shape[1], **options)
    other = bench.torch_layer(name, shape)
    if other is None:
        other = bench.plain_norms.PLAIN[name](shape[1], **options)
    if name == "batch_renorm":
        norm.momentum = 0.1
    x = torch.randn(shape, generator=torch.Generator().manual_seed(0)).requires_grad_()
    names = {"learned": "learned_eps"}
    mine, theirs = dict(norm.named_parameters()), dict(other.named_parameters())
    assert set(mine) == {names.get(key, key) for key in theirs}
    results = []
    for layer in (norm, other):
        y = layer(x)
        dy = torch.ones_like(y).flatten().cumsum(0).reshape(y.shape) / y.numel()
        keys = sorted(names.get(k, k) for k, _ in layer.named_parameters())
        ordered = {names.get(k, k): p for k, p in layer.named_parameters()}
        grads = torch.autograd.grad(y, (x, *(ordered[k] for k in keys)), dy)
        buffers = {k: b for k, b in layer.named_buffers() if k.startswith("running_")}
        results.append((y, *grads, *(buffers[k] for k in sorted(buffers))))
    if name == "batch_renorm":
        results[0] = (*results[0][:-1], (results[0][-1] + norm.eps).sqrt())
    for got, want in zip(*results, strict=True):
        torch.testing.assert_close(got, want, rtol=1e-3, atol=1e-4)


def test_every_normalizer_is_measured(bench, monkeypatch):
    monkeypatch.setattr(bench, "SHAPES", SHAPES)
    rows = [row for name in NORMS for shape in SHAPES for row in bench.rows_of(name, shape, 1)]
    assert {row.what.split()[0] for row in rows} == set(NORMS) - {"none"}
    assert all(0 < row.measured < math.inf for row in rows)
    assert {row.limit for row in rows} == {1.0, 1.1, 2.5}


@pytest.mark.parametrize("measured, status, word", [(0.5, 0, "yes"), (3.0, 1, "NO")])
def test_the_exit_status_tells_what_holds(bench, monkeypatch, capsys, measured, status, word):
    def rows(name, shape, rounds):
        assert (name, rounds) == ("rms", 2)
        yield bench.Row(f"{name} {len(shape)}", 1.0, measured)

    monkeypatch.setattr(bench, "rows_of", rows)
    assert bench.main(["rms", "--rounds", "2"]) == status
    out = capsys.readouterr().out
    assert len(re.findall(rf"^rms [24] +1 +\S+ +{word}$", out, re.MULTILINE)) == 2
    assert out.count("load ") == 2 and ("Broken: rms 4; rms 2." in out) == bool(status)


@pytest.mark.parametrize(
    "arguments, message",
    [(["--rounds", "0"], "--rounds must be at least 1"), (["rsm"], "unknown normalizer 'rsm'")],
)
def test_bad_arguments_are_refused(bench, capsys, arguments, message):
    with pytest.raises(SystemExit):
        bench.main(arguments)
    assert message in capsys.readouterr().err
